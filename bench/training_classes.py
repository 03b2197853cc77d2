"""The case `classify` of training_overhead.py: the default network on drawn photos of two classes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from vision_cli import models
from vision_cli.core.config import ModelConfig, TrainConfig
from vision_cli.core.progress import Silent
from vision_cli.training.batches import AugmentedPhotos, EpochBatches, PlainPhotos, in_order, loader, tensors
from vision_cli.training.fit import FitRequest, fit
from vision_cli.training.module import Normalise
from vision_cli.training.photos import Photos

SIZE_PX, PHOTOS, VAL, BATCH, EPOCHS = 160, 192, 48, 16, 4
OPTIONS = TrainConfig(
    freeze="none", head_first=False, epochs=EPOCHS, batch_size=BATCH, workers=0, device="cpu", patience=0, norms="learn"
)


def photos(folder: Path) -> tuple[Photos, Photos]:
    """Return photos to learn from and to validate on."""
    return draw(folder / "t", PHOTOS, 0), draw(folder / "v", VAL, 1)


def draw(folder: Path, count: int, seed: int) -> Photos:
    """Write photos of two classes as JPEG."""
    rng, paths = np.random.default_rng(seed), []
    folder.mkdir()
    for index in range(count):
        blocks = rng.integers(0, 255, (12, 16, 3), dtype=np.uint8).repeat(20, axis=0).repeat(20, axis=1)
        blocks[..., index % 2] //= 2
        paths.append(folder / f"{index}.jpg")
        Image.fromarray(blocks).save(paths[-1])
    return Photos(paths, np.arange(count) % 2)


def network() -> Any:
    """Return the default network with random weights."""
    torch.manual_seed(1)
    config = ModelConfig.model_validate(
        {"family": "timm", "backbone": "tf_efficientnet_lite0", "weights": "none", "input": {"size": SIZE_PX}}
    )
    return models.build(config, 2, offline=True)


def ours(train: Photos, val: Photos) -> None:
    """Train with `fit`."""
    net = network()
    with tempfile.TemporaryDirectory() as folder:
        fit(FitRequest(net, "classify", train, val, OPTIONS, net.preprocess, Path(folder), lambda row: None, Silent()))


def by_hand(train: Photos, val: Photos) -> None:
    """Train with a loop of a few lines."""
    net = network().to(memory_format=torch.channels_last)
    normalise = Normalise(net.preprocess.mean, net.preprocess.std)
    seen = AugmentedPhotos(train, net.preprocess, OPTIONS.augment, OPTIONS.seed)
    order = EpochBatches(len(train), BATCH, OPTIONS.seed)
    batches = loader(seen, order, 0)
    val_batches = loader(PlainPhotos(val, net.preprocess), in_order(len(val), BATCH), 0)
    optimizer = torch.optim.AdamW(net.parameters(), 5e-4, weight_decay=0.05)
    loss_of = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
    best: tuple[float, dict[str, Any]] = (float("inf"), {})
    for epoch in range(EPOCHS):
        order.set_epoch(epoch)
        net.train()
        for batch in batches:
            inputs, targets = tensors(batch, "cpu")
            optimizer.zero_grad()
            loss_of(net(normalise(inputs)), targets).backward()
            optimizer.step()
        net.eval()
        total = 0.0
        with torch.inference_mode():
            for batch in val_batches:
                inputs, targets = tensors(batch, "cpu")
                total += float(loss_of(net(normalise(inputs)), targets)) * len(targets)
        if total < best[0]:
            best = (total, {name: value.clone() for name, value in net.state_dict().items()})
    net.load_state_dict(best[1])
