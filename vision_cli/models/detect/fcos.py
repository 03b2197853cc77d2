"""The family `fcos`: torchvision's FCOS (Tian et al. 2019, no anchors), its own network or any of timm's."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection import FCOS

from vision_cli.core.place_decode import Level, PlaceDecode
from vision_cli.core.place_targets import PlaceTargets
from vision_cli.models.defaults import LARGE_PLACE_SIZE_PX
from vision_cli.models.network import Trunk
from vision_cli.models.places import anchors
from vision_cli.models.places.class_rows import ClassRows
from vision_cli.models.places.fpn import DENSE_STRIDES, dense
from vision_cli.models.places.torchvision_family import TorchvisionFamily
from vision_cli.models.places.torchvision_module import Target, TorchvisionPlaces, as_targets, inside_crowd

_SURELY_NOT = -30.0
_FIRST_DISTANCE = 2.0
"""In strides. torchvision begins at 0, before a ReLU: a side that the first steps push below it has no gradient ever
after. On eight photos of COCO the lower side of every box stayed at its point, and AP50 at 0.41."""


class FcosPlaces(TorchvisionPlaces):
    """FCOS with raw outputs `points`."""

    class_rows = (ClassRows(r"network\.head\.classification_head\.cls_logits\.(weight|bias)"),)

    def __init__(self, network: nn.Module, **described: Any) -> None:
        super().__init__(network, **described)
        nn.init.constant_(self.network.head.regression_head.bbox_reg.bias, _FIRST_DISTANCE)

    def decoding(self) -> PlaceDecode:
        """Return the points of torchvision's levels, which lie on the corners of cells."""
        levels = tuple(Level(stride, offset=0.0) for stride in DENSE_STRIDES)
        return PlaceDecode("points", activation="sigmoid", levels=levels, score_floor=0.05, nms_iou=0.6)

    def forward(self, batch: Tensor) -> tuple[Tensor, ...]:
        """Map float32 (N, channels, height, width) to distances, logits and centre-ness (N, A, 4 + K + 1)."""
        found = self.network.head(list(self.features(batch).values()))
        return (torch.cat([found["bbox_regression"], found["cls_logits"], found["bbox_ctrness"]], dim=2),)

    def losses(self, batch: Tensor, targets: PlaceTargets) -> dict[str, Tensor]:
        """Return torchvision's losses of classes, boxes and centre-ness."""
        levels = list(self.features(batch).values())
        outputs = self.network.head(levels)
        counts = [level.shape[2] * level.shape[3] for level in levels]
        boxes = anchors.over_grid(self.decode.levels, (batch.shape[3], batch.shape[2])).to(batch.device)
        photos = as_targets(targets, first_label=0)
        ignored = torch.stack([_ignored(photo, boxes) for photo in photos])
        # The loss has no word for 'do not count': a background that is sure of itself costs nothing.
        logits = torch.where(ignored[..., None], _SURELY_NOT, outputs["cls_logits"])
        found: dict[str, Tensor] = self.network.compute_loss(
            photos, {**outputs, "cls_logits": logits}, [boxes] * len(photos), counts
        )
        return found


def _ignored(photo: Target, boxes: Tensor) -> Tensor:
    """Return bool (A,): points in a crowd region and in no object."""
    points = (boxes[:, :2] + boxes[:, 2:]) / 2
    objects = photo["boxes"]
    inside = ((points[:, None] > objects[None, :, :2]) & (points[:, None] < objects[None, :, 2:])).all(dim=2).any(dim=1)
    return inside_crowd(boxes, photo["crowd"]) & ~inside


def _over_timm(trunk: Trunk, n_outputs: int) -> nn.Module:
    network: nn.Module = FCOS(dense(trunk), n_outputs)
    return network


FAMILY = TorchvisionFamily("fcos", FcosPlaces, _over_timm, LARGE_PLACE_SIZE_PX)
names = FAMILY.names
build_places = FAMILY.build
rebuild = FAMILY.rebuild
