"""CPU seconds and memory of `vision data check` and `stats` of COCO files beside panlabel's, in one run.

PANLABEL=venv/bin/panlabel python bench/checks.py [val2017 fifth train2017]; the least of some alternating runs counts.
panlabel looks at boxes, ids and classes; `vision` also at outlines: crossing themselves, off their photo or their box.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import coco_files
from conversions import RUNS, Cost, run

PANLABEL = os.environ.get("PANLABEL")


def ways(source: Path) -> dict[str, list[str]]:
    """Return the command of each tool."""
    vision = [sys.executable, "-m", "vision_cli", "data"]
    found = {
        "vision check": [*vision, "check", str(source)],
        "vision check --fast": [*vision, "check", str(source), "--fast"],
        "vision stats": [*vision, "stats", str(source)],
    }
    if PANLABEL:
        found["panlabel validate"] = [PANLABEL, "validate", str(source), "--format", "coco"]
        found["panlabel stats"] = [PANLABEL, "stats", str(source), "--format", "coco"]
    return found


def main() -> None:
    """Print one line a tool and file."""
    with tempfile.TemporaryDirectory() as folder:
        for shape in sys.argv[1:] or ["fifth"]:
            source = Path(folder) / f"{shape}.json"
            coco_files.generate(source, *coco_files.SHAPES[shape])
            costs: dict[str, list[Cost]] = {}
            for _ in range(RUNS[shape]):
                for tool, command in ways(source).items():
                    costs.setdefault(tool, []).append(run(command, Path(folder) / "none"))
            for tool, each in costs.items():
                least = min(cost.cpu_s for cost in each)
                failed = "" if all(cost.ok for cost in each) else "  (it ended with an error)"
                print(f"{shape:10} {tool:20} {least:6.2f} s {max(cost.memory_mb for cost in each):6.0f} MB{failed}")


if __name__ == "__main__":
    main()
