"""The family `retinanet`: torchvision's RetinaNet (Lin et al. 2017, focal loss), its own network or any of timm's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn
from torchvision.models.detection import RetinaNet
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.ops import box_iou

from vision_cli.core.config import ModelConfig
from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.place_targets import PlaceTargets
from vision_cli.core.progress import Progress
from vision_cli.models.defaults import LARGE_PLACE_SIZE_PX
from vision_cli.models.network import Trunk
from vision_cli.models.places import anchors
from vision_cli.models.places.class_rows import ClassRows
from vision_cli.models.places.fpn import CHANNELS, DENSE_STRIDES, dense, square_anchors
from vision_cli.models.places.request import PlaceRequest
from vision_cli.models.places.torchvision_family import TorchvisionFamily
from vision_cli.models.places.torchvision_module import TorchvisionPlaces, as_targets, inside_crowd, levels_of

_ANCHOR_STRIDES = 2
_STEPS = (1.0, 2 ** (1 / 3), 2 ** (2 / 3))
_GROUPS = 32


class RetinaNetPlaces(TorchvisionPlaces):
    """RetinaNet with raw outputs `anchors`."""

    class_rows = (ClassRows(r"network\.head\.classification_head\.cls_logits\.(weight|bias)"),)

    def decoding(self) -> PlaceDecode:
        """Return torchvision's anchors and thresholds."""
        return PlaceDecode(
            "anchors",
            activation="sigmoid",
            levels=levels_of(self.network.anchor_generator, DENSE_STRIDES),
            box_weights=(1.0, 1.0, 1.0, 1.0),
            score_floor=0.05,
        )

    def forward(self, batch: Tensor) -> tuple[Tensor, ...]:
        """Map float32 (N, channels, height, width) to offsets and logits (N, A, 4 + K)."""
        found = self.network.head(list(self.features(batch).values()))
        return (torch.cat([found["bbox_regression"], found["cls_logits"]], dim=2),)

    def losses(self, batch: Tensor, targets: PlaceTargets) -> dict[str, Tensor]:
        """Return torchvision's focal loss and its loss of the boxes."""
        outputs = self.network.head(list(self.features(batch).values()))
        boxes = anchors.over_grid(self.decode.levels, (batch.shape[3], batch.shape[2])).to(batch.device)
        photos = as_targets(targets, first_label=0)
        matched = [self._matched(photo, boxes) for photo in photos]
        found: dict[str, Tensor] = self.network.head.compute_loss(photos, outputs, [boxes] * len(photos), matched)
        return found

    def _matched(self, photo: Mapping[str, Tensor], boxes: Tensor) -> Tensor:
        """Return the object of each anchor, -1 for the background, -2 for what does not count."""
        matcher = self.network.proposal_matcher
        if len(photo["boxes"]):
            matched: Tensor = matcher(box_iou(photo["boxes"], boxes))
        else:
            matched = torch.full((len(boxes),), matcher.BELOW_LOW_THRESHOLD, device=boxes.device)
        ignored = (matched == matcher.BELOW_LOW_THRESHOLD) & inside_crowd(boxes, photo["crowd"])
        return torch.where(ignored, matcher.BETWEEN_THRESHOLDS, matched)


def _over_timm(trunk: Trunk, n_outputs: int) -> nn.Module:
    """Return a RetinaNet with the group norms of torchvision's second version, and anchors half as large.

    torchvision's begin at 32 px, for photos of 800 px. They are scaled to the data once more where it is known.
    """
    sides = [tuple(round(_ANCHOR_STRIDES * stride * step) for step in _STEPS) for stride in DENSE_STRIDES]
    generator = square_anchors(sides)
    a_cell = generator.num_anchors_per_location()[0]
    head = RetinaNetHead(CHANNELS, a_cell, n_outputs, norm_layer=partial(nn.GroupNorm, _GROUPS))
    network: nn.Module = RetinaNet(dense(trunk), n_outputs, anchor_generator=generator, head=head)
    return network


FAMILY = TorchvisionFamily("retinanet", RetinaNetPlaces, _over_timm, LARGE_PLACE_SIZE_PX)
names = FAMILY.names
rebuild = FAMILY.rebuild


def build_places(config: ModelConfig, request: PlaceRequest, *, offline: bool, progress: Progress) -> TorchvisionPlaces:
    """Build a network, over timm with anchors scaled to the request's objects; see `models.build_places`."""
    network = FAMILY.build(config, request, offline=offline, progress=progress)
    if config.backbone not in FAMILY.own_names():
        levels = anchors.scaled(network.decode.levels, request.box_sizes)
        network.decode = replace(network.decode, levels=levels)
    return network
