"""The family `features`: a frozen backbone and a shallow classifier on its embedding.

`build` gives a network whose head answers nothing yet. The caller computes `network.backbone(...)` of its photos, fits
a head with `fit_head` and sets `network.head` to it.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from vision_cli.core.artefact import Card
from vision_cli.core.catalogue import require
from vision_cli.core.config import InputConfig, ModelConfig
from vision_cli.core.errors import DataError
from vision_cli.core.progress import Progress
from vision_cli.models import weights
from vision_cli.models.assembly import backbone_of
from vision_cli.models.feature_head import FeatureHead, rebuild_head
from vision_cli.models.fitting import fit_head
from vision_cli.models.network import Classifier, Trunk, restore

__all__ = ["FeatureHead", "build", "fit_head", "names", "rebuild", "rebuild_head"]
_TORCHVISION = "torchvision/"


def names() -> list[str]:
    """Return every backbone: timm's names, and torchvision's as `torchvision/NAME`."""
    from vision_cli.models import timm, torchvision

    return [*timm.names(), *(f"{_TORCHVISION}{name}" for name in torchvision.names())]


def build(config: ModelConfig, n_outputs: int, *, offline: bool, progress: Progress) -> Classifier:
    """Build a frozen backbone with a head that answers 0 until `fit_head` made a better one; see `models.build`."""
    trunk = _trunk(config.backbone, config.input)
    licence = weights.load(trunk, config.weights, offline=offline, progress=progress)
    shapes = {"weight": (n_outputs, trunk.n_features)}
    return _frozen(trunk, rebuild_head({"link": "none", "neighbours": 0}, shapes), licence)


def rebuild(card: Card, state: Mapping[str, Tensor]) -> Classifier:
    """Build an artefact's network; see `models.rebuild`."""
    options = card.model.get("head")
    if not isinstance(options, Mapping):
        raise DataError("model card: the family 'features' needs the options of its head.")
    shapes = {name.removeprefix("head."): tuple(item.shape) for name, item in state.items() if name.startswith("head.")}
    head = rebuild_head(options, shapes)
    return restore(_frozen(_trunk(*backbone_of(card)), head, card.licence), card, state)


def _frozen(trunk: Trunk, head: FeatureHead, licence: str) -> Classifier:
    trunk.module.requires_grad_(False)
    return Classifier(trunk, head, licence=licence)


def _trunk(name: str, inputs: InputConfig) -> Trunk:
    if name.startswith(_TORCHVISION):
        require(("torchvision",), extra="train", what=f"the backbone '{name}'")
        from vision_cli.models import torchvision

        return torchvision.trunk(name.removeprefix(_TORCHVISION), inputs)
    from vision_cli.models import timm

    return timm.trunk(name, inputs)
