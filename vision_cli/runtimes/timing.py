"""How fast a loaded model is, and how much memory it takes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli.core.contracts import Batch, Runner
from vision_cli.core.errors import DataError

_PROBE_TIMEOUT_S = 600
_MAX_RUNS = 1_000_000


@dataclass(frozen=True, slots=True)
class LatencyResult:
    """Wall-clock time of one call of `Runner.run`, one after the other.

    Attributes:
        p50_ms: median.
        p95_ms: 95th percentile.
        images_per_s: photos over the whole time.
        runs: how many calls were measured.
    """

    p50_ms: float
    p95_ms: float
    images_per_s: float
    runs: int


def latency(
    runner: Runner, batch: Batch, *, warmup: int = 5, runs: int | None = None, seconds: float | None = None
) -> LatencyResult:
    """Time a model on one batch, (1, C, H, W) for a KPI.

    Args:
        runner: the loaded model.
        batch: what each call gets.
        warmup: calls before the clock starts.
        runs: calls to measure; 50 when neither this nor seconds is given.
        seconds: measure for this long, at least one call.
    """
    for _ in range(warmup):
        runner.run(batch)
    limit = runs if runs is not None else (50 if seconds is None else _MAX_RUNS)
    deadline = time.perf_counter() + (seconds if seconds is not None else float("inf"))
    times_s: list[float] = []
    while len(times_s) < max(1, limit):
        start = time.perf_counter()
        runner.run(batch)
        times_s.append(time.perf_counter() - start)
        if time.perf_counter() >= deadline:
            break
    return _summary(np.array(times_s), photos=len(batch))


def _summary(times_s: np.ndarray[Any, np.dtype[np.float64]], *, photos: int) -> LatencyResult:
    p50, p95 = np.percentile(times_s * 1e3, [50, 95])
    return LatencyResult(float(p50), float(p95), float(photos * len(times_s) / times_s.sum()), len(times_s))


def peak_memory_mb() -> float:
    """Return the largest resident memory that this process has had, 1 MB = 10**6 bytes."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        # Not ru_maxrss: on Linux a new process inherits its parent's.
        return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def rise_mb(load: Callable[[], Runner]) -> float:
    """Return by how much the peak memory rises while a model is loaded and runs one photo.

    It tells something in a fresh process only, where nothing larger went before.

    Args:
        load: imports the runtime and opens the model.
    """
    before = peak_memory_mb()
    runner = load()
    width, height = runner.card.preprocess.size_px
    runner.run(np.zeros((1, runner.card.preprocess.channels, height, width), dtype=np.float32))
    return peak_memory_mb() - before


def memory_mb(path: Path, *, threads: int = 1, argv: Sequence[str] | None = None) -> float:
    """Return the memory in MB that a fresh process needs to load a model and run one photo, its runtime included.

    Args:
        path: the model.
        threads: of the runtime.
        argv: another command that prints `{"rise_mb": ...}` as its last line, for models that need other rooms.

    Raises:
        DataError: the process ended with an error, or not at all.
    """
    command = list(argv or (sys.executable, "-m", "vision_cli.runtimes.probe", str(path), str(threads)))
    # The command is ours; the path is one of its arguments and no shell reads it.
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PROBE_TIMEOUT_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise DataError(f"{path}: one photo took longer than {_PROBE_TIMEOUT_S} s.") from error
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise DataError(f"{path}: the model does not run in a process of its own: {reason}")
    return float(json.loads(lines[-1])["rise_mb"])
