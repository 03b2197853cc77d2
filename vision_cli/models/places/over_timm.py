"""Build a network over a timm trunk, with weights of the trunk or of the whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from vision_cli.core.config import ModelConfig
from vision_cli.core.dataset import ClassMap
from vision_cli.core.progress import Progress
from vision_cli.models import timm, weights
from vision_cli.models.defaults import WEIGHT_WORDS
from vision_cli.models.network import Trunk
from vision_cli.models.places import pretrained
from vision_cli.models.places.network import PlaceModule

Made = TypeVar("Made", bound=PlaceModule)


@dataclass(frozen=True, slots=True)
class Plan(Generic[Made]):
    """What is built over a trunk.

    Attributes:
        classes: of the network.
        make: makes the network of a trunk and a licence; the trunk is changed.
        output_stride: see `timm.trunk`.
    """

    classes: ClassMap
    make: Callable[[Trunk, str], Made]
    output_stride: int | None = None


def build(config: ModelConfig, plan: Plan[Made], *, offline: bool, progress: Progress) -> Made:
    """Build a network and load what `model.weights` says.

    A file may hold the whole network (ours, or the library's own), whose classes are matched by name, or its trunk.

    Args:
        config: of a declared size.
        plan: what is built.
        offline: no download.
        progress: hears what is loaded from where.
    """
    if config.weights not in WEIGHT_WORDS:
        path = Path(config.weights).expanduser()
        trunk = timm.trunk(config.backbone, config.input, output_stride=plan.output_stride)
        network = plan.make(trunk, trunk.licence)
        whole = pretrained.aligned(network, pretrained.read(path))
        if whole is not None:
            pretrained.load(network, whole, plan.classes, progress)
            return network
    trunk = timm.trunk(config.backbone, config.input, output_stride=plan.output_stride)
    licence = weights.load(trunk, config.weights, offline=offline, progress=progress)
    return plan.make(trunk, licence)
