"""Our training loop beside the plainest hand-written one: the same network, photos, batches and optimizer, in one run.

python bench/training_overhead.py [pairs] [classify | detect]; both tasks unless one is named, in alternating order,
after one of each that does not count. The hand-written loop steps, validates once an epoch and keeps the best weights.
Ours also averages weights, clips gradients, checks that numbers are finite, logs, writes a checkpoint an epoch and
reads it back, and would resume. At most 1.05 times the time is the demand; CPU seconds are judged where the machine is
busy with other things.
"""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import training_classes
import training_places

from vision_cli.core import policy

CASES: dict[str, Any] = {"classify": training_classes, "detect": training_places}


def cost(work: Callable[[Any, Any], None], train: Any, val: Any) -> tuple[float, float]:
    """Return CPU and wall seconds."""
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    work(train, val)
    after, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - started
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def measure(name: str, pairs: int, folder: Path) -> None:
    """Print the time of each, and the median of the pairs' ratios."""
    case, cpu, wall = CASES[name], [], []
    train, val = case.photos(folder)
    for pair in range(pairs + 1):
        ways = (case.ours, case.by_hand) if pair % 2 else (case.by_hand, case.ours)
        costs = {way: cost(way, train, val) for way in ways}
        (our_cpu, our_wall), (plain_cpu, plain_wall) = costs[case.ours], costs[case.by_hand]
        print(
            f"{name} {'warm-up' if pair == 0 else f'pair {pair}':8} ours {our_cpu:6.2f} CPU s {our_wall:6.2f} s   "
            f"by hand {plain_cpu:6.2f} CPU s {plain_wall:6.2f} s   "
            f"ratio {our_cpu / plain_cpu:.3f} CPU {our_wall / plain_wall:.3f} wall",
            flush=True,
        )
        if pair:
            cpu.append(our_cpu / plain_cpu)
            wall.append(our_wall / plain_wall)
    medians = f"{statistics.median(cpu):.3f} of CPU time, {statistics.median(wall):.3f} of time"
    print(f"{name}: median of {pairs} pairs: {medians}")


def main() -> None:
    """Measure each task."""
    policy.apply()
    policy.keep_freed_memory()
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    for name in sys.argv[2:] or CASES:
        with tempfile.TemporaryDirectory() as folder:
            measure(name, pairs, Path(folder))


if __name__ == "__main__":
    main()
