"""Run the whole life cycle on the sample photos: `make demo`.

Every step is a command that a person would type; this script types it, shows it, and stops when one fails.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
KPI_MISSED = 4


@dataclass
class Demo:
    """Types commands into one project folder after the other.

    Attributes:
        out: folder that everything is made in.
        made: (what, path) of each thing worth looking at.
    """

    out: Path
    made: list[tuple[str, Path]] = field(default_factory=list)

    def vision(self, folder: Path, *words: str, may_miss: bool = False) -> int:
        """Type one command in a folder; a missed KPI ends the demo only if it may not be missed."""
        print(f"\n$ vision {shlex.join(words)}", flush=True)
        command = [sys.executable, "-m", "vision_cli", *words]
        code = subprocess.run(command, cwd=folder, check=False).returncode  # noqa: S603 - the demo's own words
        if code and not (may_miss and code == KPI_MISSED):
            sys.exit(f"the demo stops: exit code {code}")
        return code

    def project(self, name: str, title: str) -> Path:
        """Start a project folder under a heading."""
        print(f"\n=== {title}", flush=True)
        folder = self.out / name
        folder.mkdir(parents=True)
        return folder

    def keep(self, what: str, path: Path) -> None:
        """Remember something for the closing table."""
        self.made.append((what, path))


def seasons(demo: Demo) -> None:
    """Summer or winter: a classifier from photos to phone, with every check on the way."""
    folder = demo.project("seasons", "Summer or winter? From a folder of photos to a phone")
    data = os.path.relpath(HERE / "seasons", folder)
    demo.vision(folder, "init", "--data", data, "--name", "seasons", "--kpi", "f1 > 0.9")
    demo.vision(folder, "train")
    demo.vision(folder, "eval", "--kpi", "f1>0.9", "--kpi", "recall[winter]>=0.9", may_miss=True)
    demo.vision(folder, "export", "--format", "onnx", "--format", "tflite")
    for suffix in ("onnx", "tflite"):
        model = f"exports/seasons.{suffix}"
        demo.vision(folder, "eval", "--model", model, "--kpi", "f1>0.9", "--kpi", "latency_ms.p95<100", may_miss=True)
        demo.keep(f"{suffix} file", folder / model)
    photos = f"{data}/test/winter/*.jpg"
    tflite = "exports/seasons.tflite"
    demo.vision(folder, "predict", photos, "--model", tflite, "--output", "winter.csv", "--pictures", "pictures")
    demo.vision(folder, "report")
    demo.keep("torch model", folder / "runs/train/latest/model")
    demo.keep("predictions", folder / "winter.csv")
    demo.keep("annotated photos", folder / "pictures")
    demo.keep("report", folder / "report.html")


def from_csv(demo: Demo, name: str, title: str, *, labels: str, kpi: str) -> None:
    """Train and judge on the labels of a CSV: several labels, or a value, a photo."""
    folder = demo.project(name, title)
    data = os.path.relpath(HERE / labels, folder)
    demo.vision(folder, "init", "--data", data, "--name", name, "--kpi", kpi)
    demo.vision(folder, "train")
    demo.vision(folder, "eval", may_miss=True)
    demo.vision(folder, "report")
    demo.keep("report", folder / "report.html")


def labels(demo: Demo) -> None:
    """Several labels a photo."""
    title = "What is in the photo? Several labels, from a CSV"
    from_csv(demo, "labels", title, labels="seasons_labels.csv", kpi="map > 0.7")


def snow(demo: Demo) -> None:
    """A value a photo."""
    title = "How much snow lies there? A value a photo, from a CSV"
    from_csv(demo, "snow", title, labels="seasons_snow.csv", kpi="mae < 0.1")


def size_text(path: Path) -> str:
    """Return a file's size, or how many files a folder holds."""
    if path.is_dir():
        return f"{sum(1 for each in path.rglob('*') if each.is_file())} files"
    return f"{path.stat().st_size / 1e6:.2f} MB"


def verdicts(out: Path) -> list[tuple[str, str, str, str]]:
    """Return project, runtime, KPI and verdict of each evaluation."""
    rows = []
    for path in sorted(out.glob("*/runs/eval/*/result.json")):
        if path.parent.is_symlink():
            continue
        result = json.loads(path.read_text())
        for kpi in result["kpis"]:
            value = "-" if kpi["value"] is None else f"{kpi['value']:.4g}"
            rows.append((path.parents[3].name, result["runtime"]["name"], f"{kpi['kpi']} (is {value})", kpi["verdict"]))
    return rows


def table(rows: list[tuple[str, ...]]) -> str:
    """Return rows as aligned columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)


def main() -> None:
    """Run the demo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder to make; an older demo is replaced")
    out = parser.parse_args().out.resolve()
    if out.exists() and not (out / ".vision-demo").exists() and any(out.iterdir()):
        sys.exit(f"{out} is not empty and not a demo; give another folder with --out")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    (out / ".vision-demo").touch()
    started = time.monotonic()
    demo = Demo(out)
    for part in (seasons, labels, snow):
        part(demo)
    print(f"\n=== Done in {time.monotonic() - started:.0f} s. What was made:\n")
    print(table([(what, size_text(path), str(path)) for what, path in demo.made]))
    print("\n" + table([("project", "runtime", "KPI", "verdict"), *verdicts(out)]))
    print(f"\nOpen {out / 'seasons' / 'report.html'}")


if __name__ == "__main__":
    main()
