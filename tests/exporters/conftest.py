from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from vision_cli.core.artefact import Card, Decode
from vision_cli.core.dataset import ClassMap
from vision_cli.core.preprocess import Preprocess

torch.set_num_threads(1)


class Classifier(torch.nn.Module):
    def __init__(self, backbone: torch.nn.Module, n_features: int, n_outputs: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = torch.nn.Linear(n_features, n_outputs)

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        return self.head(self.backbone(photos))


def small_network(channels: int = 1, n_outputs: int = 3) -> Any:
    torch.manual_seed(0)
    backbone = torch.nn.Sequential(
        torch.nn.Conv2d(channels, 16, 3, 2, 1, bias=False),
        torch.nn.BatchNorm2d(16),
        torch.nn.ReLU6(),
        torch.nn.Conv2d(16, 256, 3, 2, 1),
        torch.nn.SiLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
    )
    return Classifier(backbone, 256, n_outputs).eval()


def card_of(
    names: tuple[str, ...], *, size_px: tuple[int, int], channels: int, backbone: str, task: str = "classify"
) -> Card:
    preprocess = Preprocess(size_px=size_px, channels=channels, mean=(0.5,) * channels, std=(0.25,) * channels)
    return Card(
        task=task,
        classes=ClassMap(names),
        preprocess=preprocess,
        decode=Decode(temperature=1.5),
        family="timm",
        model={"backbone": backbone},
        licence="Apache-2.0",
        name="storefront",
        created="2025-01-01T00:00:00Z",
        metrics={"f1": 0.5},
    )


def photos(card: Card, number: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    width, height = card.preprocess.size_px
    rng = np.random.default_rng(0)
    return rng.standard_normal((number, card.preprocess.channels, height, width)).astype(np.float32)


def answers(network: Any, batch: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    with torch.no_grad():
        return network(torch.from_numpy(batch)).numpy()


class Kit:
    """What the tests of this folder share."""

    Classifier = Classifier
    small_network = staticmethod(small_network)
    card_of = staticmethod(card_of)
    photos = staticmethod(photos)
    answers = staticmethod(answers)


@pytest.fixture(scope="session")
def kit() -> type[Kit]:
    return Kit
