"""CPU seconds and memory of `vision data convert` and `stats` from COCO beside a floor script and other tools, one run.

The files have the shape of COCO's val2017, of a fifth of train2017 and of train2017 (`coco_files.py`). The floor
(`floor.py`) is what decoding typed columns and plain writes cost, without any check; for YOLO the tools, the floor and
`boxes only` write boxes, `floor, outlines` and `vision` outlines. Tools run from environments of their own, so
name their programs: HOTCOCO=venv/bin/coco PANLABEL=venv/bin/panlabel python bench/conversions.py [val2017 ...]
Bars for a fifth: 1.5 times the floor, 250 MB, ahead of both tools; its statistics in 1.8 seconds.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import coco_files

RUNS = {"val2017": 5, "fifth": 3, "train2017": 1}
TARGETS = ("voc", "kitti", "yolo", "stats")
FLOOR = Path(__file__).with_name("floor.py")
HOTCOCO, PANLABEL = os.environ.get("HOTCOCO"), os.environ.get("PANLABEL")

# As an installed package is: its bytecode is there, which a development environment may forbid.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took.

    Attributes:
        cpu_s: user and system time.
        memory_mb: peak of resident memory; 1 MB = 10**6 bytes.
        ok: it ended with exit code 0.
    """

    cpu_s: float
    memory_mb: float
    ok: bool


def ways(source: Path, target: Path, to: str) -> dict[str, list[str]]:
    """Return the command of each tool that can do it here, what the others are compared with first."""
    if to == "stats":
        return statistics(source)
    vision = [sys.executable, "-m", "vision_cli", "data", "convert", str(source), str(target)]
    found = {
        "floor": [sys.executable, str(FLOOR), str(source), str(target), to],
        "vision": [*vision, "--from", "coco", "--to", to, "--images", "none", "--allow-loss", "all"],
        "vision, format found": [*vision, "--to", to, "--images", "none", "--allow-loss", "all"],
    }
    if to == "yolo":
        found["vision, boxes only"] = [*found["vision"], "--boxes-only"]
        found["floor, outlines"] = [sys.executable, str(FLOOR), str(source), str(target), "yolo-outlines"]
    if HOTCOCO and to != "kitti":
        files = ["--input", str(source), "--output", str(target)]
        found["hotcoco"] = [HOTCOCO, "convert", "--from", "coco", "--to", to, *files]
    if PANLABEL:
        files = ["-i", str(source), "-o", str(target)]
        found["panlabel"] = [PANLABEL, "convert", "-f", "coco", "-t", to, *files, "--allow-lossy"]
    return found


def statistics(source: Path) -> dict[str, list[str]]:
    """Return the commands that count what is in a file."""
    found = {"vision": [sys.executable, "-m", "vision_cli", "data", "stats", str(source)]}
    if PANLABEL:
        found["panlabel"] = [PANLABEL, "stats", str(source)]
    return found


def run(command: Sequence[str], target: Path) -> Cost:
    """Run a command in a process of its own, without what an earlier run left."""
    shutil.rmtree(target, ignore_errors=True)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_ENVIRONMENT)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6, process.returncode == 0)


def compare(source: Path, folder: Path, runs: int) -> None:
    """Print one line a tool and target; runs alternate, and the least of each counts."""
    for to in TARGETS:
        target = folder / "out"
        commands = ways(source, target, to)
        found: dict[str, list[Cost]] = {name: [] for name in commands}
        for _ in range(runs):
            for name, command in commands.items():
                found[name].append(run(command, target))
        first = next(iter(found))
        least = min(cost.cpu_s for cost in found[first])
        for name, costs in found.items():
            best, memory = min(cost.cpu_s for cost in costs), min(cost.memory_mb for cost in costs)
            failed = "" if all(cost.ok for cost in costs) else "  FAILED"
            line = f"{source.stem:<10} {to:<6} {name:<21} {best:7.2f} CPU s  {best / least:5.2f} x {first}"
            print(f"{line}  {memory:6.0f} MB{failed}", flush=True)


def main(names: Sequence[str]) -> None:
    """Compare on the files of these names, on all without."""
    for name, value in (("HOTCOCO", HOTCOCO), ("PANLABEL", PANLABEL)):
        print(f"{name} is {value or 'not set: left out'}")
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        folder = Path(place)
        _ENVIRONMENT["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
        for name in names or coco_files.SHAPES:
            source = folder / f"{name}.json"
            coco_files.generate(source, *coco_files.SHAPES[name])
            photos, annotations = coco_files.SHAPES[name]
            size = source.stat().st_size / 1e6
            print(f"{name}: {photos:,} photos, {annotations:,} annotations, {size:.0f} MB")
            compare(source, folder, RUNS[name])
            source.unlink()


if __name__ == "__main__":
    main(sys.argv[1:])
