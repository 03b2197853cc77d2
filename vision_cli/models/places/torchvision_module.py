"""A detector of torchvision without its resizing and decoding: raw outputs as `PlaceDecode` says, its own losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import AnchorGenerator

from vision_cli.core.place_decode import Level, PlaceDecode
from vision_cli.core.place_targets import PlaceTargets
from vision_cli.core.preprocess import Preprocess
from vision_cli.models.places.maps import Maps
from vision_cli.models.places.network import PlaceModule
from vision_cli.models.stages import by_resolution

Target = dict[str, Tensor]
_MOST_OF_IT = 0.5


class TorchvisionPlaces(PlaceModule):
    """A torchvision detector that keeps its own names, so that its published files fit.

    Attributes:
        network: torchvision's module.
        background: rows of the classifier before the first class.
    """

    background = 0
    prefix = "network."

    def __init__(self, network: nn.Module, *, preprocess: Preprocess, licence: str, options: Mapping[str, Any]) -> None:
        super().__init__(preprocess=preprocess, licence=licence, options=options)
        self.network: Any = network
        self.stages = self._stages()
        self.decode = self.decoding()

    @property
    def backbone(self) -> nn.Module:  # type: ignore[override]
        """The part that ImageNet weights fill."""
        found = self.network.backbone
        body: nn.Module = getattr(found, "body", None) or getattr(found, "features", found)
        return body

    @property
    def head(self) -> nn.Module:  # type: ignore[override]
        """Everything else, pyramid included; holds no tensors of its own."""
        inside = {id(module) for module in self.backbone.modules()}
        return _Rest(self.network, inside)

    def decoding(self) -> PlaceDecode:
        """Return how the raw outputs are read."""
        raise NotImplementedError

    def features(self, batch: Tensor) -> dict[str, Tensor]:
        """Return the levels that the heads see, by name."""
        found: dict[str, Tensor] = self.network.backbone(batch)
        return found

    def _stages(self) -> Sequence[Sequence[nn.Module]]:
        body = self.backbone
        if isinstance(body, Maps):
            return body.stages
        width, height = self.preprocess.size_px
        training = body.training
        stages = by_resolution(body, torch.zeros(1, self.preprocess.channels, height, width))
        body.train(training)
        return stages


class _Rest(nn.Module):
    """The modules of a network outside of its backbone; shares them."""

    def __init__(self, network: nn.Module, inside: set[int]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(_outside(network, inside))
        self.own = nn.ParameterList(_bare(network, inside))


def _outside(module: nn.Module, inside: set[int]) -> list[nn.Module]:
    """Return the largest modules that hold nothing of the backbone."""
    found: list[nn.Module] = []
    for child in module.children():
        if id(child) in inside:
            continue
        if any(id(below) in inside for below in child.modules()):
            found += _outside(child, inside)
        else:
            found.append(child)
    return found


def _bare(module: nn.Module, inside: set[int]) -> list[nn.Parameter]:
    """Return the parameters that hang directly on modules around the backbone (SSD's scale of its first map)."""
    found: list[nn.Parameter] = []
    for below in module.modules():
        if id(below) not in inside and any(id(deeper) in inside for deeper in below.modules()):
            found += below.parameters(recurse=False)
    return found


def levels_of(generator: AnchorGenerator, strides: Sequence[int]) -> tuple[Level, ...]:
    """Return the levels of torchvision's generator, whose anchors lie on the corners of cells."""
    sizes = [(anchors[:, 2:] - anchors[:, :2]).tolist() for anchors in generator.cell_anchors]
    return tuple(
        Level(stride, tuple((w, h) for w, h in found), offset=0.0) for stride, found in zip(strides, sizes, strict=True)
    )


def as_targets(targets: PlaceTargets, *, first_label: int) -> list[Target]:
    """Return one dict a photo, as torchvision's losses want them, with the crowd regions apart under `crowd`.

    Boxes without an area are left out.

    Args:
        targets: of a batch.
        first_label: label of class 0; 1 where 0 is the background.
    """
    boxes = targets.boxes.float()
    wide = (boxes[:, 2:] > boxes[:, :2]).all(dim=1)
    found = []
    for index in range(targets.n_photos):
        here = wide & (targets.photo == index)
        real = here & ~targets.crowd
        target = {
            "boxes": boxes[real],
            "labels": targets.labels[real] + first_label,
            "crowd": boxes[here & targets.crowd],
        }
        if targets.masks is not None:
            target["masks"] = targets.masks[real]
        found.append(target)
    return found


def inside_crowd(boxes: Tensor, crowd: Tensor) -> Tensor:
    """Return bool (A,): whether more than half of a box (A, 4) lies in one crowd region (M, 4)."""
    if len(crowd) == 0:
        return torch.zeros(len(boxes), dtype=torch.bool, device=boxes.device)
    low = torch.maximum(boxes[:, None, :2], crowd[None, :, :2])
    high = torch.minimum(boxes[:, None, 2:], crowd[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(dim=2).amax(dim=1)
    within: Tensor = shared > _MOST_OF_IT * (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
    return within
