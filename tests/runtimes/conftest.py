from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vision_cli.core.artefact import Card, Decode
from vision_cli.core.dataset import ClassMap
from vision_cli.core.preprocess import Preprocess
from vision_cli.exporters import EXPORTERS

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def network() -> Any:
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(1, 16, 3, 2, 1),
        torch.nn.BatchNorm2d(16),
        torch.nn.ReLU6(),
        torch.nn.Conv2d(16, 64, 3, 2, 1),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(64, 3),
    )
    return module.eval()


@pytest.fixture(scope="session")
def card() -> Card:
    return Card(
        task="classify",
        classes=ClassMap(("kitchen", "garden", "attic")),
        preprocess=Preprocess(size_px=(40, 32), channels=1, mean=(0.5,), std=(0.25,)),
        decode=Decode(),
        family="timm",
        model={"backbone": "small"},
        licence="Apache-2.0",
        name="rooms",
        created="2025-01-01T00:00:00Z",
    )


@pytest.fixture(scope="session")
def batch() -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(0).standard_normal((5, 1, 32, 40)).astype(np.float32)


@pytest.fixture(scope="session")
def files_by_format(network: Any, card: Card, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    folder = tmp_path_factory.mktemp("exported")
    exporters = {name: EXPORTERS.load(name) for name in ("onnx", "tflite")}
    return {
        name: exporter.export(network, card, folder / f"model{exporter.SUFFIX}", precision="float32")
        for name, exporter in exporters.items()
    }
