"""Embeddings a second against eager torch, one thread each, decoding included, in one run.

Eager torch is what one writes first: read a photo, run the network on it, keep the row; in PyTorch's own memory layout,
and in channels last. Ours is `embed_photos` without its cache, with one thread that computes: another decodes ahead.
Below that, both with decoding in the same thread, in CPU time: what the runtime alone is worth. Both read photos with
the same reader. The rounds take turns, and the best of each counts, for other work only ever slows down.

    python bench/embedding.py [photos] [rounds]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vision_cli import models
from vision_cli.core import policy
from vision_cli.core.config import ModelConfig
from vision_cli.core.progress import Silent
from vision_cli.imaging import prepare
from vision_cli.stages.embedding import exporting
from vision_cli.stages.embedding.engine import PENULTIMATE, Engine, EngineOptions, Published
from vision_cli.stages.embedding.sources import key_of

PHOTOS = Path(__file__).parents[2] / "shared" / "data" / "clothing_small" / "train"
Rows = Any


def eager(network: Any, *, channels_last: bool) -> Callable[[Sequence[Path]], Rows]:
    """Return what one writes first: each photo read and run, one after the other."""
    order = torch.channels_last if channels_last else torch.contiguous_format
    module = network.backbone.eval()

    def run(paths: Sequence[Path]) -> Rows:
        module.to(memory_format=order)
        rows = []
        with torch.inference_mode():
            for path in paths:
                photo = torch.from_numpy(prepare.load(path, network.preprocess))[None]
                rows.append(module(photo.contiguous(memory_format=order)).numpy())
        return np.concatenate(rows)

    return run


def in_line(engine: Engine) -> Callable[[Sequence[Path]], Rows]:
    """Return our runtime with decoding in the same thread."""
    return lambda paths: np.concatenate([engine.run(prepare.load(path, engine.preprocess)[None]) for path in paths])


def main() -> None:
    """Print photos a second, ratios and how far the vectors lie apart."""
    number, rounds = (int(text) for text in (*sys.argv[1:], *("200", "3")[len(sys.argv) - 1 :]))
    policy.keep_freed_memory()
    torch.set_num_threads(1)
    paths = sorted(PHOTOS.rglob("*.jpg"))[:number]
    source, silent = Published(), Silent()
    ready, _ = exporting.prepare(source, PENULTIMATE, key_of(source, PENULTIMATE), offline=True, progress=silent)
    print(f"measured on this machine, ms a photo with one thread: {dict(sorted(ready.ms.items()))}")
    print(f"apart from torch, in root mean squares: {ready.differences} (allowed {exporting.TOLERANCE:g})")
    engine = Engine.open(source, EngineOptions(offline=True, threads=1, keep=False), progress=silent)
    network = models.build(ModelConfig(family="timm"), 1, offline=True)
    ways: dict[str, Callable[[Sequence[Path]], Rows]] = {
        "eager torch": eager(network, channels_last=False),
        "eager torch, channels last": eager(network, channels_last=True),
        f"{engine.runtime}, decoding in line": in_line(engine),
        f"vision ({engine.runtime})": lambda chosen: engine.embed(chosen, silent).vectors,
    }
    best = {name: (float("inf"), float("inf")) for name in ways}
    rows: dict[str, Rows] = {}
    for _ in range(rounds):
        for name, way in ways.items():
            wall, cpu = time.perf_counter(), time.process_time()
            rows[name] = way(paths)
            spent = (time.perf_counter() - wall, time.process_time() - cpu)
            best[name] = (min(best[name][0], spent[0]), min(best[name][1], spent[1]))
    first = best["eager torch"]
    for name, (wall, cpu) in best.items():
        ratios = f"{first[0] / wall:.2f} times eager torch by the clock, {first[1] / cpu:.2f} in CPU time"
        print(f"{name:28s} {number / wall:6.1f} photos/s, {1000 * cpu / number:5.1f} CPU ms a photo: {ratios}")
    gap = max(apart(rows[name], rows["eager torch"]) for name in ways)
    print(f"{number} photos, {rounds} rounds; vectors lie at most {gap:.1g} apart")


def apart(found: Rows, expected: Rows) -> float:
    """Return the largest difference in units of the root mean square."""
    return float(np.abs(found - expected).max() / np.sqrt((expected.astype(np.float64) ** 2).mean()))


if __name__ == "__main__":
    main()
