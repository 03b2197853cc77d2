"""A detector that learned from synthetic photos alone, judged on real ones, and what each step of the synthesis brings.

    python bench/synth_to_real.py --only full --seeds 1                # the measure
    python bench/synth_to_real.py --seeds 1,2,3 --epochs 8             # the ablations: every variant
    python bench/synth_to_real.py --only real,both --seeds 1,2,3       # with half of the real photos, both ways round

Six ranks of playing cards as flat drawings (`cards/templates`), photos of COCO as backgrounds, 67 real photos of cards
of another maker (`cards/real_test`). No real card is seen but where a variant says so. What is done already in
`--work` is not done again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "shared" / "data"
EFFECTS = ("colour", "shading", "white-balance", "shadow", "blur", "motion", "noise")
VARIANTS: dict[str, tuple[str, ...]] = {
    "full": (),
    "no planes": ("synth.logos.planes=false",),
    "no depth": (
        "synth.logos.occlusion=false",
        "synth.logos.effects=" + json.dumps([each for each in EFFECTS if each != "blur"]),
    ),
    "one blend": ('synth.logos.blends=["alpha"]',),
    "no shading": (
        "synth.logos.effects=" + json.dumps([each for each in EFFECTS if each not in ("shading", "shadow")]),
    ),
    "no occlusion": ("synth.logos.occlusion=false", "synth.logos.occluders=0", "synth.logos.overlap=0"),
    "no distractors": ("synth.logos.distractors=[0,0]",),
}
REAL = ("real", "both")
"""Half of the real photos alone, and added to the synthetic ones; tested on the other half."""
PROJECT = """\
version: 1
name: cards
task: detect
data:
  sources: {{{sources}}}
  split: {{train: 0.95, val: 0.05, test: 0{group}}}
train: {{epochs: {epochs}, seed: {seed}, workers: 0}}
"""


def main() -> None:
    """Do what is not done, and print the table as Markdown."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--work", type=Path, default=Path("build/synth_to_real"))
    parser.add_argument("--only", default="", help="variants, by comma")
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--photos", type=int, default=3000, help="synthetic ones")
    parser.add_argument("--epochs", type=int, default=12)
    asked = parser.parse_args()
    if not asked.data.is_dir():
        print(f"{asked.data}: not there, nothing is measured")
        return
    asked.work = asked.work.absolute()
    names = asked.only.split(",") if asked.only else [*VARIANTS, *REAL]
    rows = {name: [row_of(name, int(seed), asked) for seed in asked.seeds.split(",")] for name in names}
    print(table(rows))


def row_of(name: str, seed: int, asked: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the figures of a variant: one run, or one for each half of the real photos."""
    halves = ("even", "odd") if name in REAL else ("",)
    return [
        kept(asked.work / f"{name} {seed} {half}".strip().replace(" ", "-"), name, seed, half, asked) for half in halves
    ]


def kept(folder: Path, name: str, seed: int, half: str, asked: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of a run, made first where they are not there."""
    file = folder / "figures.json"
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        found = measured(folder, name, seed, half, asked)
        file.write_text(json.dumps(found))
        print(f"{folder.name}: {found}", file=sys.stderr, flush=True)
    return dict(json.loads(file.read_text()))


def measured(folder: Path, name: str, seed: int, half: str, asked: argparse.Namespace) -> dict[str, Any]:
    """Make the photos, train, and judge on real photos."""
    sources = []
    if name != "real":
        sources.append(f"made: {{path: {made(name if name in VARIANTS else 'full', seed, asked)}}}")
    real_photos(folder / "real", asked.data / "cards" / "real_test", half)
    sources.append("real: {path: real, format: voc}")
    epochs = asked.epochs if name != "real" else 40
    group = "" if name == "real" else ", group: background"
    (folder / "vision.yaml").write_text(
        PROJECT.format(sources=", ".join(sources), epochs=epochs, seed=seed, group=group)
    )
    started, cpu = time.perf_counter(), os.times()
    vision(folder, "train")
    spent = os.times()
    report = json.loads(vision(folder, "eval", "--split", "test", "--json"))
    values = report["metrics"]
    return {
        "ap50": values["ap50"],
        "interval": report["intervals"].get("ap50"),
        "f1": values["f1"],
        "minutes": (time.perf_counter() - started) / 60,
        "cpu_minutes": (spent.children_user + spent.children_system - cpu.children_user - cpu.children_system) / 60,
    }


def made(variant: str, seed: int, asked: argparse.Namespace) -> Path:
    """Return the synthetic data set of a variant; backgrounds' scenes are kept in one place."""
    folder = asked.work / "made"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vision.yaml").write_text("version: 1\nname: cards\ntask: detect\n")
    out: Path = folder / f"{variant} {seed}".replace(" ", "-")
    vision(
        folder,
        *("synth", "logos", "--logos", str(asked.data / "cards" / "templates")),
        *("--backgrounds", str(asked.data / "coco128_train" / "images" / "train2017")),
        *("-n", str(asked.photos), "--seed", str(seed), "--out", str(out), *VARIANTS[variant]),
    )
    return out / "coco"


def real_photos(folder: Path, source: Path, half: str) -> None:
    """Write Pascal VOC with lists: all photos to test, or one half to learn from."""
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (folder / part).mkdir(parents=True)
    lists: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for at, label in enumerate(sorted(source.glob("*.xml"))):
        photo = next(each for each in source.glob(f"{label.stem}.*") if each.suffix != ".xml")
        shutil.copy(label, folder / "Annotations")
        shutil.copy(photo, folder / "JPEGImages")
        learned = half and (at % 2 == 0) == (half == "even")
        lists["test" if not learned else "val" if at % 10 in (0, 1) else "train"].append(label.stem)
    for split, stems in lists.items():
        (folder / "ImageSets" / "Main" / f"{split}.txt").write_text("".join(f"{each}\n" for each in stems))


def vision(folder: Path, *arguments: str) -> str:
    """Run a command of ours, and return what it printed; its log is beside the project."""
    with (folder / "log.txt").open("a") as log:
        done = subprocess.run(
            [sys.executable, "-m", "vision_cli", *arguments, "--offline"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            check=False,
        )
        log.write(done.stdout)
    if done.returncode:
        sys.exit(f"{folder}: vision {' '.join(arguments)} ended with {done.returncode}: see log.txt")
    return done.stdout


def table(rows: dict[str, list[list[dict[str, Any]]]]) -> str:
    """Return Markdown: mean and spread of AP50 over seeds, a line a variant."""
    lines = ["| variant | AP50 on real photos | of each seed | CPU minutes of training |", "| --- | --- | --- | --- |"]
    for name, seeds in rows.items():
        each = [statistics.mean(run["ap50"] for run in runs) for runs in seeds]
        spread = f" ± {statistics.stdev(each):.3f}" if len(each) > 1 else ""
        minutes = statistics.mean(run["cpu_minutes"] for runs in seeds for run in runs)
        lines.append(
            f"| {name} | {statistics.mean(each):.3f}{spread} | {', '.join(f'{v:.3f}' for v in each)} | {minutes:.0f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
