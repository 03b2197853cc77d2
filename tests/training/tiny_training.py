"""A network of two convolutions and photos of stripes: enough to learn from in a second."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from vision_cli.core.config import TrainConfig
from vision_cli.core.preprocess import Preprocess
from vision_cli.training.fit import FitRequest
from vision_cli.training.photos import Photos

# Networks this small only lose by sharing their work among threads.
torch.set_num_threads(1)
PREPROCESS = Preprocess(size_px=(24, 16), crop_pct=0.9, mean=(0.5, 0.4, 0.3), std=(0.5, 0.25, 0.2))


class Stripes(nn.Module):
    """Satisfies `contracts.Network`: two stages, an embedding of 8, a linear head."""

    def __init__(self, n_outputs: int = 2, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            first = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
            second = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
            self.backbone = nn.Sequential(first, second, nn.AdaptiveAvgPool2d(1), nn.Flatten())
            self.head = nn.Sequential(nn.Dropout(0.1), nn.Linear(8, n_outputs))
        self.stages = [[first], [second]]
        self.n_features = 8
        self.preprocess = PREPROCESS
        self.licence = "Apache-2.0"

    def forward(self, batch: Tensor) -> Tensor:
        outputs: Tensor = self.head(self.backbone(batch))
        return outputs


class Heard:
    """Progress that remembers."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.warned: list[str] = []
        self.steps: list[tuple[str, int, int]] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def warn(self, text: str) -> None:
        self.warned.append(text)

    def step(self, name: str, done: int, total: int, values: Any = None) -> None:
        self.steps.append((name, done, total))


def draw(folder: Path, count: int, seed: int = 0) -> Photos:
    """Write photos of horizontal (class 0) and vertical (class 1) stripes in noise."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    paths = []
    for index in range(count):
        wave = np.sin(np.arange(48) * 1.3 + rng.uniform(0, 6))
        picture = np.tile(wave[:, None] if index % 2 == 0 else wave[None, :], (1, 48) if index % 2 == 0 else (48, 1))
        noisy = 128 + 60 * picture[:, :, None] + rng.normal(0, 25, (48, 48, 3))
        paths.append(folder / f"{index:03}.png")
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(paths[-1])
    return Photos(paths, np.arange(count) % 2)


NO_PHOTOS = Photos([], np.zeros(0, np.int64))


def request(
    folder: Path, train: Photos, val: Photos = NO_PHOTOS, *, network: Any = None, resume: bool = False, **options: Any
) -> FitRequest:
    """Return a request over stripes; one process, one thread's worth of work."""
    task = options.pop("task", "classify")
    log: Callable[[Any], None] = options.pop("log", lambda row: None)
    progress = options.pop("progress", None) or Heard()
    plain = {"freeze": "none", "epochs": 3, "batch_size": 8, "workers": 0, "device": "cpu", "patience": 0}
    return FitRequest(
        network=network if network is not None else Stripes(),
        task=task,
        train=train,
        val=val,
        options=TrainConfig(**{**plain, **options}),
        preprocess=PREPROCESS,
        folder=folder,
        log=log,
        progress=progress,
        resume=resume,
    )
