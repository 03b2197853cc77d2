"""A detector that was not trained, saved as a model folder: it finds many things, the same ones each time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from vision_cli import models
from vision_cli.core import artefact
from vision_cli.core.artefact import Card, Golden
from vision_cli.core.config import ModelConfig
from vision_cli.core.dataset import ClassMap
from vision_cli.core.tiling import Tiles
from vision_cli.imaging import prepare
from vision_cli.models.places.request import PlaceRequest
from vision_cli.stages.running import loading

CLASSES = ("platelets", "red", "white")
SIZE_PX = 96


def draw_photos(folder: Path, number: int = 4) -> list[Path]:
    """Write photos of coloured blocks, each of a size of its own."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    paths = [folder / f"{index}.png" for index in range(number)]
    for index, path in enumerate(paths):
        blocks = rng.integers(0, 255, (4 + index, 6, 3), dtype=np.uint8).repeat(30, axis=0).repeat(40, axis=1)
        Image.fromarray(blocks).save(path)
    return paths


def save(folder: Path, *, confidence: float = 0.5, tiles: Tiles | None = None) -> Path:
    """Write the model folder and return it."""
    torch.manual_seed(0)
    settings = {"family": "ssdlite", "backbone": "test_resnet", "weights": "none", "input": {"size": SIZE_PX}}
    config = ModelConfig.model_validate(settings)
    request = PlaceRequest("detect", ClassMap(CLASSES), np.random.default_rng(0).uniform(10, 60, (50, 2)))
    network: Any = models.build_places(config, request, offline=True)
    with torch.no_grad():
        for name, parameter in network.head.named_parameters():
            if name.endswith("bias") and parameter.ndim == 1:
                parameter.normal_(0, 2)
    card = Card(
        task="detect",
        classes=ClassMap(CLASSES),
        preprocess=replace(network.preprocess, tiles=tiles),
        decode=replace(network.decode, confidence=(confidence,)),
        family="ssdlite",
        model=models.options(config, network),
        licence=network.licence,
        name="cells",
        created="2025-01-01T00:00:00Z",
    )
    seen = np.zeros((SIZE_PX, SIZE_PX, 3), np.uint8)
    with torch.no_grad():
        raw = network.eval()(torch.from_numpy(prepare.normalise(seen, network.preprocess)[None]))
    golden = Golden(seen, tuple(each.numpy() for each in raw))
    return artefact.save(
        folder, card, golden=golden, weights=loading.weights_of(network), weights_file="model.safetensors"
    )
