"""How fast, how large, how hungry: figures of a model on this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

from vision_cli.core.contracts import Runner
from vision_cli.core.progress import Progress
from vision_cli.runtimes import timing


def all_threads() -> int:
    """Return the number of threads that a runtime gets by default."""
    return os.cpu_count() or 1


def _probe(path: Path) -> list[str]:
    """Return the command that loads a torch model, which needs the models room, and prints what memory it took."""
    return [sys.executable, "-m", "vision_cli.stages.running.probe", str(path)]


def measure(path: Path, runner: Runner, progress: Progress) -> dict[str, float | None]:
    """Return latency of one photo after decoding, photos a second, size and memory, by metric key."""
    progress.say(f"measuring latency and memory ({runner.runtime})")
    preprocess = runner.card.preprocess
    width_px, height_px = preprocess.size_px
    photo = np.zeros((1, preprocess.channels, height_px, width_px), dtype=np.float32)
    latency = timing.latency(runner, photo)
    return {
        "latency_ms.p50": latency.p50_ms,
        "latency_ms.p95": latency.p95_ms,
        "images_per_s": latency.images_per_s,
        "size_mb": runner.size_mb,
        "memory_mb": timing.memory_mb(path, argv=_probe(path) if runner.runtime == "torch" else None),
    }
