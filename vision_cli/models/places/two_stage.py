"""torchvision's detectors that propose regions and look at each again (Ren et al. 2015); in a crowd none counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.rpn import RegionProposalNetwork

from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.place_targets import PlaceTargets
from vision_cli.models.places import fixed_regions
from vision_cli.models.places.class_rows import ClassRows
from vision_cli.models.places.torchvision_module import Target, TorchvisionPlaces, as_targets, inside_crowd

_IGNORED = -1
_NONE = -1.0


class _Proposals(RegionProposalNetwork):  # type: ignore[misc]  # torchvision has no types
    """Anchors in a crowd region are neither object nor background."""

    def assign_targets_to_anchors(
        self, anchors: list[Tensor], targets: list[Target]
    ) -> tuple[list[Tensor], list[Tensor]]:
        labels, boxes = super().assign_targets_to_anchors(anchors, targets)
        return [
            torch.where((label == 0) & inside_crowd(anchor, target["crowd"]), _IGNORED, label)
            for label, anchor, target in zip(labels, anchors, targets, strict=True)
        ], boxes


class _Regions(RoIHeads):  # type: ignore[misc]
    """Proposals in a crowd region are neither object nor background."""

    crowds: list[Tensor]

    def select_training_samples(self, proposals: list[Tensor], targets: list[Target] | None) -> Any:
        self.crowds = [target["crowd"] for target in targets or []]
        try:
            return super().select_training_samples(proposals, targets)
        finally:
            self.crowds = []

    def assign_targets_to_proposals(
        self, proposals: list[Tensor], gt_boxes: list[Tensor], gt_labels: list[Tensor]
    ) -> tuple[list[Tensor], list[Tensor]]:
        matched, labels = super().assign_targets_to_proposals(proposals, gt_boxes, gt_labels)
        return matched, [
            torch.where((label == 0) & inside_crowd(proposal, crowd), _IGNORED, label)
            for label, proposal, crowd in zip(labels, proposals, self.crowds, strict=True)
        ]


class TwoStage(TorchvisionPlaces):
    """Faster R-CNN, and what builds on it, with raw outputs `boxes`.

    Attributes:
        plain_operators: exporters set it whose format knows no suppression and no pooling of regions.
    """

    background = 1
    plain_operators = False
    class_rows: tuple[ClassRows, ...] = (
        ClassRows(r"network\.roi_heads\.box_predictor\.cls_score\.(weight|bias)", background=1),
        ClassRows(r"network\.roi_heads\.box_predictor\.bbox_pred\.(weight|bias)", background=1, values=4),
    )

    def __init__(self, network: nn.Module, **named: Any) -> None:
        parts: Any = network
        parts.rpn.__class__, parts.roi_heads.__class__ = _Proposals, _Regions
        super().__init__(network, **named)

    def decoding(self) -> PlaceDecode:
        """Return torchvision's thresholds, which the network itself applies."""
        heads = self.network.roi_heads
        return PlaceDecode(
            "boxes",
            score_floor=heads.score_thresh,
            nms_iou=heads.nms_thresh,
            max_detections=heads.detections_per_img,
        )

    def detections(self, batch: Tensor) -> list[Target]:
        """Return the answer of torchvision's second stage, a dict a photo."""
        return self.detections_of(self.features(batch), batch)

    def detections_of(self, features: dict[str, Tensor], batch: Tensor) -> list[Target]:
        """Return the same from features that are there already."""
        images = _images(batch)
        with self._mode(training=False):
            proposals = [
                fixed_regions.proposals(self.network.rpn, _of(features, row), batch[row : row + 1])
                for row in range(batch.shape[0])
            ]
            found: list[Target]
            found, _ = self.network.roi_heads(features, proposals, images.image_sizes)
        return found

    def forward(self, batch: Tensor) -> tuple[Tensor, ...]:
        """Map float32 (N, channels, height, width) to boxes (N, D, 6): x1, y1, x2, y2, score, class."""
        if torch.compiler.is_exporting():
            features = self.features(batch)
            return (fixed_regions.detections(self.network, features, batch, plain=self.plain_operators)[0],)
        return (torch.stack([self._rows(photo) for photo in self.detections(batch)]),)

    def losses(self, batch: Tensor, targets: PlaceTargets) -> dict[str, Tensor]:
        """Return torchvision's losses of proposals and regions. Which of them count is drawn by torch's generator."""
        return self.losses_of(self.features(batch), batch, targets)

    def losses_of(self, features: dict[str, Tensor], batch: Tensor, targets: PlaceTargets) -> dict[str, Tensor]:
        """Return torchvision's losses from features that are there already."""
        images = _images(batch)
        photos = as_targets(targets, first_label=1)
        with self._mode(training=True):
            proposals, first = self.network.rpn(images, features, photos)
            _, second = self.network.roi_heads(features, proposals, images.image_sizes, photos)
        return {**first, **second}

    def _rows(self, photo: Target) -> Tensor:
        """Return one photo's boxes (D, 6), filled up with rows of class -1."""
        columns = [photo["boxes"], photo["scores"][:, None], (photo["labels"] - 1)[:, None].to(photo["boxes"].dtype)]
        return filled(torch.cat(columns, dim=1), self.decode.max_detections, _NONE)

    @contextmanager
    def _mode(self, *, training: bool) -> Iterator[None]:
        """Let torchvision's parts think that they train, or not; norms and dropout inside of them keep their mode."""
        parts = (self.network.rpn, self.network.roi_heads)
        before = [part.training for part in parts]
        try:
            for part in parts:
                part.training = training
            yield
        finally:
            for part, mode in zip(parts, before, strict=True):
                part.training = mode


def _of(features: dict[str, Tensor], row: int) -> dict[str, Tensor]:
    return {name: level[row : row + 1] for name, level in features.items()}


def filled(rows: Tensor, count: int, value: float) -> Tensor:
    """Return (count, ...) rows: the first of these (n, ...), then rows of one value."""
    filling = rows.new_full((count, *rows.shape[1:]), value)
    return torch.cat([rows, filling])[:count]


def _images(batch: Tensor) -> ImageList:
    height, width = batch.shape[-2:]
    return ImageList(batch, [(height, width)] * batch.shape[0])
