"""Objects of a batch as rectangles of tensors, a row a photo, as losses want them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vision_cli.core.place_targets import PlaceTargets


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects of N photos, filled up to M a photo.

    Attributes:
        boxes: float32 (N, M, 4).
        labels: int64 (N, M).
        real: bool (N, M): an object to find; neither filling nor a crowd region.
        crowd: bool (N, M): a region in which nothing is held against the network.
    """

    boxes: Tensor
    labels: Tensor
    real: Tensor
    crowd: Tensor


def rectangular(targets: PlaceTargets) -> Objects:
    """Return a batch's objects a row a photo. Boxes without an area are left out."""
    boxes = targets.boxes.float()
    kept = (boxes[:, 2:] > boxes[:, :2]).all(dim=1)
    photo, boxes = targets.photo[kept], boxes[kept]
    counts = torch.bincount(photo, minlength=targets.n_photos)
    rank = torch.arange(len(photo), device=photo.device) - (counts.cumsum(0) - counts)[photo]
    most = int(counts.max()) if len(photo) else 0
    crowd = targets.crowd[kept]
    shape = (targets.n_photos, most)
    found = Objects(
        boxes.new_zeros(*shape, 4),
        targets.labels.new_zeros(shape),
        crowd.new_zeros(shape),
        crowd.new_zeros(shape),
    )
    found.boxes[photo, rank] = boxes
    found.labels[photo, rank] = targets.labels[kept]
    found.real[photo, rank] = ~crowd
    found.crowd[photo, rank] = crowd
    return found


def intersections(first: Tensor, second: Tensor) -> Tensor:
    """Return the areas (N, M, A) that boxes (N, M, 4) and (N, A, 4) share."""
    low = torch.maximum(first[:, :, None, :2], second[:, None, :, :2])
    high = torch.minimum(first[:, :, None, 2:], second[:, None, :, 2:])
    shared: Tensor = (high - low).clamp(min=0).prod(dim=3)
    return shared


def areas(boxes: Tensor) -> Tensor:
    """Return the areas (...) of boxes (..., 4)."""
    return (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(dim=-1)


def ious(first: Tensor, second: Tensor) -> Tensor:
    """Return the IoU (N, M, A) of boxes (N, M, 4) and (N, A, 4)."""
    shared = intersections(first, second)
    whole = areas(first)[:, :, None] + areas(second)[:, None] - shared
    return shared / whole.clamp(min=1e-9)
