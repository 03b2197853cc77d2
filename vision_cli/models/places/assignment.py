"""Which anchor learns which object: task-aligned assignment (Feng et al. 2021, TOOD, section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vision_cli.models.places.objects import Objects, ious

SCORE_POWER = 0.5
IOU_POWER = 6.0
CANDIDATES = 10


@dataclass(frozen=True, slots=True)
class Assignment:
    """What each of A anchors of N photos learns.

    Attributes:
        object: int64 (N, A): index of its object in `Objects`; 0 where there is none.
        quality: float32 (N, A), 0 to 1: how well it already fits its object; the score it shall learn.
        positive: bool (N, A): it learns an object.
    """

    object: Tensor
    quality: Tensor
    positive: Tensor


@torch.no_grad()
def assign(scores: Tensor, boxes: Tensor, anchors: Tensor, strides: Tensor, objects: Objects) -> Assignment:
    """Give each object the anchors that score and overlap best, and each anchor at most one object.

    The alignment is score^0.5 * IoU^6, and the 10 best anchors of an object learn it, as in YOLOv8. An object smaller
    than a cell counts as large as one, so that none goes without.

    Args:
        scores: float (N, A, K), 0 to 1.
        boxes: float (N, A, 4), as predicted now.
        anchors: float (A, 4).
        strides: float (A,).
        objects: of the photos.
    """
    if objects.boxes.shape[1] == 0:
        nothing = boxes.new_zeros(boxes.shape[:2])
        return Assignment(nothing.long(), nothing, nothing.bool())
    possible = _inside(anchors, strides, objects.boxes) & objects.real[..., None]
    overlap = ious(objects.boxes, boxes) * possible
    index = objects.labels[..., None].expand(-1, -1, scores.shape[1])
    own_score = scores.transpose(1, 2).gather(1, index)
    alignment = own_score**SCORE_POWER * overlap**IOU_POWER
    chosen = _best(alignment, possible)
    # An anchor that several objects want goes to the one it overlaps most.
    owner = torch.where(chosen, overlap, -1.0).argmax(dim=1)
    chosen &= torch.zeros_like(chosen).scatter_(1, owner[:, None], value=True)
    return Assignment(owner, _quality(alignment, overlap, chosen), chosen.any(dim=1))


def _inside(anchors: Tensor, strides: Tensor, boxes: Tensor) -> Tensor:
    """Return whether an anchor's centre lies in an object's box, (N, M, A)."""
    points = (anchors[:, :2] + anchors[:, 2:]) / 2
    middles = (boxes[..., :2] + boxes[..., 2:]) / 2
    halves = (boxes[..., 2:] - boxes[..., :2]) / 2
    distance = (points - middles[:, :, None]).abs()
    inside: Tensor = (distance <= torch.maximum(halves[:, :, None], strides[:, None] / 2)).all(dim=3)
    return inside


def _best(alignment: Tensor, possible: Tensor) -> Tensor:
    """Mark the anchors of best alignment of each object."""
    best = torch.where(possible, alignment, -1.0).topk(min(CANDIDATES, alignment.shape[2]), dim=2)
    return torch.zeros_like(possible).scatter_(2, best.indices, best.values > 0)


def _quality(alignment: Tensor, overlap: Tensor, chosen: Tensor) -> Tensor:
    """Scale alignments so that the best anchor of an object has its IoU, (N, A); equation 3 of the paper."""
    alignment, overlap = alignment * chosen, overlap * chosen
    highest = alignment.amax(dim=2, keepdim=True).clamp(min=1e-30)
    return (alignment / highest * overlap.amax(dim=2, keepdim=True)).amax(dim=1)
