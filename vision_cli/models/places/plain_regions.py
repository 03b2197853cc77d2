"""Suppression and pooling of regions in operators that every runtime has: products, gathers and comparisons.

For formats without operators of their own for them, and without arrays whose length depends on the photo.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

ROUNDS = 24
"""Of suppression: a box whose fate hangs on a chain of more than so many others may be judged otherwise; the parity
check of an export looks at the outcome."""
SAMPLES = 2
"""A side and cell, that `pooled` takes."""
_TINY = 1e-12

Axis = tuple[tuple[Tensor, Tensor], ...]
"""Places on one axis, (P, s) each, and their weights."""


def kept(boxes: Tensor, scores: Tensor, classes: Tensor | None, iou: float) -> Tensor:
    """Return bool (n,): what greedy suppression leaves, as `torchvision.ops.nms` does.

    Each round judges all boxes by the survivors of the last one. The best box is right from the first round on, and
    whatever depends on boxes that are right is right a round later.

    Args:
        boxes: float (n, 4), best first.
        scores: float (n,), negative for what is not there.
        classes: int64 (n,), boxes of different ones do not suppress each other; None for one class.
        iou: a box that overlaps a better one by more is dropped.
    """
    covers = _overlaps(boxes) > iou
    if classes is not None:
        covers = covers & (classes[:, None] == classes[None])
    rank = torch.arange(boxes.shape[0], device=boxes.device)
    worse = (covers & (rank[:, None] > rank[None])).to(boxes.dtype)
    there = (scores >= 0).to(boxes.dtype)[:, None]
    survivors = there
    for _ in range(ROUNDS):
        survivors = there * (worse @ survivors < 1).to(boxes.dtype)
    return survivors[:, 0] > 0


def _overlaps(boxes: Tensor) -> Tensor:
    """Return the intersections over union (n, n); 0 where there is no area."""
    low = torch.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = torch.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    sides = (high - low).clamp(min=0)
    common = sides[..., 0] * sides[..., 1]
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    union = areas[:, None] + areas[None] - common
    return common / union.clamp(min=_TINY)


def pooled(levels: Sequence[Tensor], boxes: Tensor, level_of: Tensor, scales: Sequence[float], grid: int) -> Tensor:
    """Return features (P, C, grid, grid) of boxes (P, 4): `torchvision.ops.roi_align` with 2 x 2 samples a cell.

    Args:
        levels: (1, C, h, w) each.
        boxes: in pixels of the input.
        level_of: int64 (P,), the level that each is taken from.
        scales: of each level: its cells a pixel.
        grid: cells a side.
    """
    table = torch.cat([level[0].flatten(1).T for level in levels])
    sizes = [(level.shape[2], level.shape[3]) for level in levels]
    starts = [sum(height * width for height, width in sizes[:index]) for index in range(len(sizes))]
    heights, widths, first, scale = (
        boxes.new_tensor(values)[level_of][:, None]
        for values in ([h for h, _ in sizes], [w for _, w in sizes], starts, list(scales))
    )
    columns = _samples(boxes[:, 0:1] * scale, boxes[:, 2:3] * scale, widths, grid)
    rows = _samples(boxes[:, 1:2] * scale, boxes[:, 3:4] * scale, heights, grid)
    total = table.new_zeros(boxes.shape[0] * grid * grid, table.shape[1])
    for row, row_share in rows:
        for column, column_share in columns:
            # Below 2**24, so that float32 counts the cells exactly.
            cell = first[..., None] + row[:, :, None] * widths[..., None] + column[:, None, :]
            share = row_share[:, :, None] * column_share[:, None, :]
            total = total + table[cell.flatten().to(torch.int64)] * share.reshape(-1, 1)
    return total.reshape(boxes.shape[0], grid, grid, -1).permute(0, 3, 1, 2)


def _samples(start: Tensor, end: Tensor, size: Tensor, grid: int) -> Axis:
    """Return the cells that a box's samples lie between, and their weights; (P, 1) each in cells of the level."""
    step = (end - start).clamp(min=1.0) / grid
    cells = torch.arange(grid, device=start.device, dtype=start.dtype)[None]
    found: list[tuple[Tensor, Tensor]] = []
    for sample in range(SAMPLES):
        place = start + (cells + (sample + 0.5) / SAMPLES) * step
        inside = ((place >= -1) & (place <= size)).to(start.dtype) / SAMPLES
        within = torch.minimum(place.clamp(min=0), size - 1)
        low = within.floor()
        share = within - low
        found += [(low, inside * (1 - share)), (torch.minimum(low + 1, size - 1), inside * share)]
    return tuple(found)
