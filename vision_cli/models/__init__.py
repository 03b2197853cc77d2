"""Model families. Importing this room imports no torch: `build` and `rebuild` load the family they are asked for.

A family is a module with `names()`, `build(config, n_outputs, *, offline, progress)` and `rebuild(card, state)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vision_cli.core import policy
from vision_cli.core.artefact import Card as ModelCard
from vision_cli.core.catalogue import Card, Catalogue
from vision_cli.core.config import ModelConfig
from vision_cli.core.contracts import Network
from vision_cli.core.progress import Progress, Silent

FAMILIES = Catalogue(
    "model family",
    {
        "timm": Card(
            "vision_cli.models.timm",
            "Any timm network by name: EfficientNet, MobileNet, ConvNeXt, ViT and over a thousand more",
            extra="train",
            needs=("torch", "timm", "safetensors"),
        ),
        "torchvision": Card(
            "vision_cli.models.torchvision",
            "VGG, AlexNet, GoogLeNet, Inception, ResNet, MobileNet, EfficientNet, ConvNeXt, ViT, Swin",
            licence="BSD-3-Clause",
            extra="train",
            needs=("torch", "torchvision", "safetensors"),
        ),
        "features": Card(
            "vision_cli.models.features",
            "A frozen backbone's embedding, then an SVM, logistic regression or k-NN with calibrated confidence",
            extra="train",
            needs=("torch", "timm", "sklearn", "safetensors"),
        ),
    },
    group="models",
)


def build(config: ModelConfig, n_outputs: int, *, offline: bool = False, progress: Progress | None = None) -> Network:
    """Build a network with the configured weights and a new head.

    Random weights come from torch's generator: seed it first.

    Args:
        config: family, backbone, weights, input and dropout.
        n_outputs: of the head.
        offline: forbids downloads; so does VISION_OFFLINE.
        progress: hears of downloads and of what a weights file brought.

    Raises:
        UsageError: the family, the backbone or the input size is not known or does not fit.
        MissingPartError: a package or a weights file is not on this machine and cannot be fetched.
        DataError: the weights file is refused.
    """
    family = FAMILIES.load(config.family)
    network: Network = family.build(
        config, n_outputs, offline=offline or policy.offline(), progress=progress or Silent()
    )
    return network


def rebuild(card: ModelCard, state: Mapping[str, Any]) -> Network:
    """Build an artefact's network and load its tensors. Never downloads.

    Raises:
        UsageError: the card's family or backbone is unknown here.
        DataError: the tensors do not fit the card.
    """
    network: Network = FAMILIES.load(card.family).rebuild(card, state)
    return network


def options(config: ModelConfig, network: Network) -> dict[str, Any]:
    """Return what `Card.model` must hold for `rebuild`."""
    head = getattr(network.head, "options", None)
    return {
        "backbone": config.backbone,
        "dropout": config.dropout,
        "n_outputs": int(getattr(network.head, "n_outputs", 0)),
        **({"head": dict(head)} if head is not None else {}),
    }


def names(family: str) -> list[str]:
    """Return the backbones that a family knows, sorted.

    Raises:
        UsageError: the family is unknown.
        MissingPartError: its library is not installed.
    """
    found: list[str] = FAMILIES.load(family).names()
    return found
