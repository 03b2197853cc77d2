"""Every label of a run of `vision synth logos`, held against the pixels that change when its object is left out.

    python bench/synth_labels.py --photos 10000 --work build/labels

483 coin logos on photos of COCO, in every photo objects. Each photo is rendered again whole, and must be the
file on the disk to the byte; and without one object after another (its shadow stays): the box of the pixels that differ
must be the label's within 1 px. The end is 1 where a photo has no label or a label is off.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli.core import policy
from vision_cli.core.progress import Silent
from vision_cli.core.project import load
from vision_cli.imaging.write import encode_jpeg
from vision_cli.stages.synth.asking import asked as asking
from vision_cli.stages.synth.asking.commands import COMMANDS
from vision_cli.stages.synth.making.maker import Maker, name_of
from vision_cli.synth.labels import CHANGED_LEVELS

DATA = Path(__file__).parents[2] / "shared" / "data"
MOST_OFF_PX = 1
PROJECT = """\
version: 1
name: coins
synth: {{logos: {{logos: {logos}, backgrounds: {backgrounds}, negatives: 0.0, count: {photos}}}}}
"""


def main() -> None:
    """Make the photos, check them, and print what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--work", type=Path, default=Path("build/labels"))
    parser.add_argument("--photos", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    told = parser.parse_args()
    if not told.data.is_dir():
        print(f"{told.data}: not there, nothing is measured")
        return
    policy.apply()
    made = photos(told)
    started, cpu = time.perf_counter(), cpu_seconds()
    total: Counter[str] = Counter()
    with ProcessPoolExecutor(told.workers, initializer=begin, initargs=(told.work,)) as pool:
        for number, (counts, wrong) in enumerate(pool.map(checked, *groups(told.work)), 1):
            total.update(counts)
            for line in wrong:
                print(line)
            if number % 250 == 0:
                print(
                    f"{total['photos']:,} photos checked, {total['boxes']:,} boxes, {total['off']} off", file=sys.stderr
                )
    print(json.dumps({**made, **total, "seconds": time.perf_counter() - started, "cpu_seconds": cpu_seconds() - cpu}))
    sys.exit(bool(total["off"] or total["unlabelled"] or total["other photo"] or total["photos"] != told.photos))


def cpu_seconds() -> float:
    """Return those of this process and its finished children."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def photos(told: argparse.Namespace) -> dict[str, float]:
    """Run the command as a user does."""
    told.work.mkdir(parents=True, exist_ok=True)
    logos, backgrounds = told.data / "logos" / "crypto_color_128", told.data / "coco128_train" / "images" / "train2017"
    (told.work / "vision.yaml").write_text(
        PROJECT.format(logos=logos.absolute(), backgrounds=backgrounds.absolute(), photos=told.photos)
    )
    started, cpu = time.perf_counter(), cpu_seconds()
    command = [sys.executable, "-m", "vision_cli", "synth", "logos", "--quiet", "--offline"]
    subprocess.run([*command, "--workers", str(told.workers)], cwd=told.work, check=True)
    return {"making_seconds": time.perf_counter() - started, "making_cpu_seconds": cpu_seconds() - cpu}


def groups(work: Path) -> tuple[Iterator[list[int]], Iterator[dict[int, list[list[float]]]]]:
    """Return the numbers of the photos of a scene, and their boxes as the COCO file has them."""
    (file,) = (work / "synth" / "logos" / "coco" / "annotations").glob("*.json")
    document = json.loads(file.read_text())
    number = {each["id"]: int(Path(each["file_name"]).stem) for each in document["images"]}
    boxes: dict[int, list[list[float]]] = defaultdict(list)
    for each in document["annotations"]:
        boxes[number[each["image_id"]]].append(each["bbox"])
    scene = maker_of(work).asked.render.scene_photos
    order = sorted(number.values())
    parts = [[index for index in order[at : at + scene]] for at in range(0, len(order), scene)]
    return iter(parts), ({index: boxes[index] for index in part} for part in parts)


def maker_of(work: Path) -> Maker:
    """Return what made the photos."""
    project = load(work / "vision.yaml")
    return Maker(asking.ask(project, COMMANDS["logos"], asking.Given(offline=True), Silent()))


MAKER: list[tuple[Path, Maker]] = []
"""Of a worker process."""


def begin(work: Path) -> None:
    """Prepare a worker process."""
    MAKER.append((work, maker_of(work)))


def checked(indices: list[int], boxes: dict[int, list[list[float]]]) -> tuple[Counter[str], list[str]]:
    """Return counts of what was found, and a line for each label that is off."""
    work, maker = MAKER[0]
    counts, wrong = Counter[str](), list[str]()
    records = {index: maker.rendered(index)[1] for index in indices}
    for index, whole in records.items():
        counts.update(photos=1, boxes=len(boxes[index]), unlabelled=not boxes[index])
        counts["other number"] += len(whole.objects) != len(boxes[index])
        written = (work / "synth" / "logos" / "photos" / name_of(index)).read_bytes()
        counts["other photo"] += encode_jpeg(whole.photo, whole.jpeg_quality) != written
    for number in range(max(map(len, boxes.values()))):
        without = Maker(replace(maker.asked, render=replace(maker.asked.render, omit=number)))
        for index in indices:
            if number < len(boxes[index]):
                differs = changed(records[index].photo, without.rendered(index)[1].photo)
                x, y, width, height = boxes[index][number]
                most = np.abs(np.subtract(differs, (x, y, x + width, y + height))).max()
                counts[f"off by {most:.0f} px"] += 1
                if most > MOST_OFF_PX:
                    counts["off"] += 1
                    wrong.append(f"photo {index} object {number}: label {boxes[index][number]}, pixels {differs}")
    return counts, wrong


def changed(photo: Any, without: Any) -> tuple[int, int, int, int]:
    """Return the edges of the pixels that differ."""
    rows, columns = np.nonzero(np.abs(photo.astype(np.int16) - without).max(axis=2) >= CHANGED_LEVELS)
    if not len(rows):
        return (-1, -1, -1, -1)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


if __name__ == "__main__":
    main()
