"""The family `ssdlite`: a one-stage detector of separable convolutions on any timm network; the default, for the edge.

SSD's anchors on several maps (Liu et al. 2016) and SSDLite's separable convolutions (Sandler et al. 2018), with what
came later: a stride-8 map and a path-aggregating pyramid, anchors fitted to the data, task-aligned assignment, scores
that say how well a box fits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from vision_cli.core.artefact import Card
from vision_cli.core.config import ModelConfig
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.place_decode import Level, PlaceDecode
from vision_cli.core.place_targets import PlaceTargets
from vision_cli.core.progress import Progress
from vision_cli.models import assembly, timm
from vision_cli.models.defaults import PLACE_SIZE_PX
from vision_cli.models.network import Trunk
from vision_cli.models.places import anchors, dense_loss, over_timm
from vision_cli.models.places.class_rows import ClassRows
from vision_cli.models.places.last_layer import last_layer
from vision_cli.models.places.maps import Maps, check_grids, sized
from vision_cli.models.places.network import PlaceModule, restore
from vision_cli.models.places.over_timm import Plan
from vision_cli.models.places.pyramid import Pyramid, relu6, separable
from vision_cli.models.places.request import PlaceRequest

STRIDES = (8, 16, 32)
ANCHORS_A_CELL = 2
NMS_IOU = 0.6
_PRIOR = 0.01
_BOX = 4


@dataclass(frozen=True, slots=True)
class HeadPlan:
    """What a head is made of.

    Attributes:
        channels: of its maps.
        leak: slope of its branches' activations below zero; 0 is ReLU6. Background presses features down. With ReLU6
            those of a rare class all ended at zero, where nothing is learned any more: its score stayed that of the
            bias alone, 0.012.
    """

    channels: int = 96
    leak: float = 0.1

    def activation(self) -> nn.Module:
        """Return the activation of its branches."""
        return nn.LeakyReLU(self.leak, inplace=True) if self.leak else relu6()


def names() -> list[str]:
    """Return every architecture that can be asked for; see `timm.names`."""
    return timm.names()


def build_places(config: ModelConfig, request: PlaceRequest, *, offline: bool, progress: Progress) -> SsdLite:
    """Build a detector with anchors fitted to the request's objects; see `models.build_places`."""
    if config.weights == "coco":
        raise UsageError(
            "model.weights: there are no COCO weights for 'ssdlite'.",
            hint="Set model.weights to imagenet, or model.family to ssd and model.backbone to "
            "ssdlite320_mobilenet_v3_large, which has some.",
        )
    levels = anchors.fitted(request.box_sizes, STRIDES, ANCHORS_A_CELL)
    decode = PlaceDecode(
        "anchors", activation="sigmoid", levels=levels, box_weights=(1.0, 1.0, 1.0, 1.0), nms_iou=NMS_IOU
    )
    return over_timm.build(
        config.model_copy(update={"input": sized(config.input, PLACE_SIZE_PX)}),
        Plan(request.classes, lambda trunk, licence: SsdLite(trunk, decode, len(request.classes), licence=licence)),
        offline=offline,
        progress=progress,
    )


def rebuild(card: Card, state: Mapping[str, Tensor]) -> SsdLite:
    """Build an artefact's network; see `models.rebuild`."""
    trunk = timm.trunk(*assembly.backbone_of(card))
    try:
        # Artefacts that say nothing of a leak have ReLU6.
        plan = HeadPlan(int(card.model["channels"]), float(card.model.get("leak", 0)))
        network = SsdLite(trunk, card.place_decode, len(card.classes), licence=card.licence, plan=plan)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise DataError(f"model card: the options of '{card.family}' are not whole: {error!r}.") from error
    return restore(network, card, state)


class _Branch(nn.Module):
    """Separable convolutions of one level, then the raw values of each anchor."""

    def __init__(self, plan: HeadPlan, n_anchors: int, n_values: int, *, start: float = 0.0) -> None:
        super().__init__()
        channels = plan.channels
        self.tower = nn.Sequential(*(separable(channels, channels, activation=plan.activation) for _ in range(2)))
        self.last = last_layer(channels, n_anchors * n_values, std=0.01, bias=start)
        self.n_values = n_values

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, C, h, w) to (N, h * w * anchors, values)."""
        values: Tensor = self.last(self.tower(features))
        return values.permute(0, 2, 3, 1).reshape(values.shape[0], -1, self.n_values)


class DenseHead(nn.Module):
    """A pyramid, and a branch for boxes and one for classes a level."""

    def __init__(self, inputs: Sequence[int], plan: HeadPlan, levels: Sequence[Level], n_classes: int) -> None:
        super().__init__()
        counts = [len(level.anchors) for level in levels]
        self.pyramid = Pyramid(inputs, plan.channels, extra=len(levels) - len(inputs))
        self.boxes = nn.ModuleList(_Branch(plan, count, _BOX) for count in counts)
        start = -math.log((1 - _PRIOR) / _PRIOR)
        self.classes = nn.ModuleList(_Branch(plan, count, n_classes, start=start) for count in counts)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Map the backbone's maps to (N, A, 4 + K)."""
        levels = self.pyramid(maps)
        boxes = torch.cat([branch(level) for branch, level in zip(self.boxes, levels, strict=True)], dim=1)
        classes = torch.cat([branch(level) for branch, level in zip(self.classes, levels, strict=True)], dim=1)
        return torch.cat([boxes, classes], dim=2)


class SsdLite(PlaceModule):
    """See the module."""

    anchors: Tensor
    strides: Tensor
    class_rows = (ClassRows(r"head\.classes\.\d+\.last\.(weight|bias)"),)

    def __init__(
        self, trunk: Trunk, decode: PlaceDecode, n_classes: int, *, licence: str, plan: HeadPlan | None = None
    ) -> None:
        plan = plan or HeadPlan()
        super().__init__(preprocess=trunk.preprocess, licence=licence, options={"backbone": trunk.name, **asdict(plan)})
        self.decode = decode
        maps = Maps(trunk, STRIDES)
        self.backbone, self.stages = maps, maps.stages
        self.head = DenseHead(maps.channels, plan, decode.levels, n_classes)
        self.register_buffer("anchors", anchors.over_grid(decode.levels, self.preprocess.size_px), persistent=False)
        strides = anchors.strides_over_grid(decode.levels, self.preprocess.size_px)
        self.register_buffer("strides", strides, persistent=False)
        self._check_size()

    def forward(self, batch: Tensor) -> tuple[Tensor, ...]:
        """Map float32 (N, channels, height, width) to offsets and logits (N, A, 4 + K)."""
        return (self.head(self.backbone(batch)),)

    def losses(self, batch: Tensor, targets: PlaceTargets) -> dict[str, Tensor]:
        """Return the losses of classes and boxes."""
        return self.judged(batch, targets)[0]

    def judged(self, batch: Tensor, targets: PlaceTargets) -> tuple[dict[str, Tensor], tuple[Tensor, ...]]:
        """Return losses and raw outputs of one pass."""
        (raw,) = self(batch)
        places, strides = self._grid((batch.shape[3], batch.shape[2]))
        boxes = anchors.decode(raw[..., :_BOX].float(), places, self.decode.box_weights)
        return dense_loss.losses(raw[..., _BOX:], boxes, places, strides, targets), (raw,)

    def _grid(self, size_px: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Return anchors and strides of an input of (width, height); training may see other sizes than its own."""
        if size_px == tuple(self.preprocess.size_px):
            return self.anchors, self.strides
        places, strides = (make(self.decode.levels, size_px) for make in (anchors.over_grid, anchors.strides_over_grid))
        return places.to(self.anchors.device), strides.to(self.anchors.device)

    def _check_size(self) -> None:
        width, height = self.preprocess.size_px
        with torch.no_grad():
            maps = self.backbone.eval()(torch.zeros(1, self.preprocess.channels, height, width))
        self.backbone.train()
        check_grids(maps, STRIDES, self.preprocess)
