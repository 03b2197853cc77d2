"""The case `detect` of training_overhead.py: the default detector on drawn photos of bright rectangles.

The judge of an epoch, AP50, is the same object in both loops: it is our metric, and not what is measured here.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from vision_cli import models
from vision_cli.core.config import InputConfig, ModelConfig, TrainConfig
from vision_cli.core.dataset import ClassMap
from vision_cli.core.detections import Truth
from vision_cli.core.progress import Silent
from vision_cli.models.places.request import PlaceRequest
from vision_cli.stages.training.judges import judge_of
from vision_cli.training.batches import EpochBatches, in_order, loader, tensors
from vision_cli.training.module import Normalise
from vision_cli.training.places.batches import AugmentedScenes, Mixing, PlainScenes, collate
from vision_cli.training.places.fit import LEARNING_RATE, PlaceFitRequest, fit
from vision_cli.training.places.scenes import Scenes

SIZE_PX, PHOTOS, VAL, BATCH, EPOCHS, CLASSES = (320, 256), 96, 24, 4, 2, 2
OPTIONS = TrainConfig(
    freeze="none", epochs=EPOCHS, batch_size=BATCH, workers=0, device="cpu", patience=0, norms="learn", warmup_epochs=0
)
_OBJECTS = 5


def photos(folder: Path) -> tuple[Scenes, Scenes]:
    """Return scenes to learn from and to validate on."""
    return draw(folder / "t", PHOTOS, 0), draw(folder / "v", VAL, 1)


def draw(folder: Path, count: int, seed: int) -> Scenes:
    """Write photos of five rectangles each as JPEG."""
    rng, paths = np.random.default_rng(seed), []
    folder.mkdir()
    width, height = 400, 320
    boxes = np.concatenate(
        [rng.integers(0, 240, (count * _OBJECTS, 2)), rng.integers(24, 80, (count * _OBJECTS, 2))], 1
    )
    classes = rng.integers(0, CLASSES, count * _OBJECTS)
    for index in range(count):
        photo = rng.integers(0, 90, (height, width, 3), dtype=np.uint8)
        for row in range(index * _OBJECTS, (index + 1) * _OBJECTS):
            x, y, w, h = boxes[row].tolist()
            photo[y : y + h, x : x + w, classes[row]] += 150
        paths.append(folder / f"{index}.jpg")
        Image.fromarray(photo).save(paths[-1])
    none = np.zeros(count * _OBJECTS, dtype=np.bool_)
    truth = Truth(
        np.tile([[width, height]], (count, 1)),
        np.repeat(np.arange(count), _OBJECTS),
        classes,
        boxes.astype(np.float64),
        areas=boxes[:, 2:].prod(axis=1).astype(np.float64),
        crowd=none,
        difficult=none,
    )
    return Scenes("detect", paths, truth, np.ones(CLASSES, dtype=np.bool_))


def network(train: Scenes) -> Any:
    """Return the default detector with random weights."""
    torch.manual_seed(1)
    config = ModelConfig(
        family="ssdlite",
        backbone="tf_efficientnet_lite0",
        weights="none",
        input=InputConfig(size=SIZE_PX, resize="stretch"),
    )
    request = PlaceRequest("detect", ClassMap(("red", "green")), box_sizes=train.truth.boxes[:, 2:] * 0.8)
    return models.build_places(config, request, offline=True)


def ours(train: Scenes, val: Scenes) -> None:
    """Train with `fit`."""
    net = network(train)
    with tempfile.TemporaryDirectory() as folder:
        judge = judge_of(net, val)
        fit(
            PlaceFitRequest(
                net, train, val, OPTIONS, net.preprocess, Path(folder), lambda row: None, Silent(), judge=judge
            )
        )


def by_hand(train: Scenes, val: Scenes) -> None:
    """Train with a loop of a few lines."""
    net = network(train).to(memory_format=torch.channels_last)
    normalise = Normalise(net.preprocess.mean, net.preprocess.std)
    seen = AugmentedScenes(train, net.preprocess, OPTIONS.augment, OPTIONS.seed, Mixing(OPTIONS.mosaic))
    order = EpochBatches(len(train), BATCH, OPTIONS.seed)
    batches = loader(seen, order, 0, collate)
    val_batches = loader(PlainScenes(val, net.preprocess), in_order(len(val), BATCH), 0, collate)
    optimizer = torch.optim.AdamW(net.parameters(), LEARNING_RATE, weight_decay=0.05)
    best: tuple[float, dict[str, Any]] = (-1.0, {})
    for epoch in range(EPOCHS):
        order.set_epoch(epoch)
        net.train()
        for batch in batches:
            inputs, targets = tensors(batch, "cpu")
            optimizer.zero_grad()
            sum(net.losses(normalise(inputs), targets).values()).backward()
            optimizer.step()
        net.eval()
        judge = judge_of(net, val)()
        with torch.inference_mode():
            for batch in val_batches:
                inputs, targets = tensors(batch, "cpu")
                _, raw = net.judged(normalise(inputs), targets)
                judge.see(tuple(part.numpy() for part in raw))
        score = judge.score()
        if score > best[0]:
            best = (score, {name: value.clone() for name, value in net.state_dict().items()})
    net.load_state_dict(best[1])
