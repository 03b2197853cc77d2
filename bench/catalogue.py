"""CPU seconds of the catalogue's questions, as whole processes: the bar is one second each."""

from __future__ import annotations

import resource
import subprocess
import sys

RUNS = 5
BAR_S = 1.0
QUESTIONS = (
    ("list",),
    ("list", "--weights"),
    ("list", "--task", "detect", "--license", "permissive", "--max-size", "30MB"),
    ("list", "--has", "hot dog"),
    ("show", "yolo11n"),
)


def cpu_seconds(words: tuple[str, ...]) -> float:
    """Return the user and system time of one process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = (sys.executable, "-m", "vision_cli", "models", *words)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print one line a question."""
    for words in QUESTIONS:
        took = min(cpu_seconds(words) for _ in range(RUNS))
        print(f"{took:5.2f} s of CPU (bar {BAR_S:.0f} s)  vision models {' '.join(words)}")


if __name__ == "__main__":
    main()
