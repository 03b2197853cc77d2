"""Anchors: sizes fitted to the training objects, their boxes over a grid, and offsets to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vision_cli.core.decoding import anchors as grids
from vision_cli.core.place_decode import Level

_FEWEST_A_CLUSTER = 5
_MOST_OBJECTS = 20_000
_FEWEST_TO_SCALE = 20
_FACTORS = 2.0 ** (np.arange(-6, 4) / 3)
_ROUNDS = 100
_DEFAULT_STRIDES = 4.0
Sizes = np.ndarray[Any, np.dtype[np.float64]]


def fitted(box_sizes: Any, strides: Sequence[int], per_level: int, *, offset: float = 0.5) -> tuple[Level, ...]:
    """Return levels with anchors fitted to objects, small ones to fine levels.

    k-means with the distance 1 - IoU of boxes that share a centre (Redmon & Farhadi 2017, section 2), from quantiles
    of the area, so that the same objects always give the same anchors. With fewer than 5 objects an anchor, the
    anchors are squares of 4 strides, with steps in between.

    Args:
        box_sizes: float (n, 2), width and height in pixels of the input.
        strides: of the levels, growing.
        per_level: anchors a cell.
        offset: see `Level`.
    """
    sizes = _whole(box_sizes)
    count = len(strides) * per_level
    few = len(sizes) < _FEWEST_A_CLUSTER * count
    found = _defaults(strides, per_level) if few else cluster(sizes, count)
    rows = found.round(2).reshape(len(strides), per_level, 2).tolist()
    return tuple(
        Level(int(stride), tuple((float(w), float(h)) for w, h in row), offset)
        for stride, row in zip(strides, rows, strict=True)
    )


def scaled(levels: tuple[Level, ...], box_sizes: Any) -> tuple[Level, ...]:
    """Return levels with all anchors times the one factor that fits objects best; as they are for fewer than 20.

    Of the factors 2^(-2) to 2^1 in thirds of an octave, the step between anchors of one cell, that of the largest mean
    over objects of the IoU with the best anchor. Unlike `fitted` it keeps the grid of shapes and levels.

    Args:
        levels: with anchors.
        box_sizes: float (n, 2), width and height in pixels of the input.
    """
    sizes = _whole(box_sizes)
    if len(sizes) < _FEWEST_TO_SCALE:
        return levels
    sizes = sizes[np.linspace(0, len(sizes) - 1, min(len(sizes), _MOST_OBJECTS)).astype(np.int64)]
    every = np.asarray([size for level in levels for size in level.anchors], np.float64)
    fits = [size_iou(sizes, every * factor).max(axis=1).mean() for factor in _FACTORS]
    factor = float(_FACTORS[int(np.argmax(fits))])
    return tuple(replace(level, anchors=tuple((w * factor, h * factor) for w, h in level.anchors)) for level in levels)


def cluster(sizes: Sizes, count: int) -> Sizes:
    """Return the sizes (count, 2) nearest in shape to the given ones (n, 2), from small to large area."""
    area = sizes.prod(axis=1)
    ordered = sizes[np.lexsort((sizes[:, 0], area))]
    if len(ordered) > _MOST_OBJECTS:
        ordered = ordered[np.linspace(0, len(ordered) - 1, _MOST_OBJECTS).astype(np.int64)]
    # Midpoints of equal shares, half by rank and half by logarithm of the area: a rare large class gets a centre, too.
    centres = _starts(ordered, count)
    for _ in range(_ROUNDS):
        nearest = size_iou(ordered, centres).argmax(axis=1)
        moved = np.stack(
            [ordered[nearest == k].mean(axis=0) if (nearest == k).any() else centres[k] for k in range(count)]
        )
        if np.allclose(moved, centres, rtol=0, atol=1e-6):
            break
        centres = moved
    return np.asarray(centres[np.argsort(centres.prod(axis=1), kind="stable")])


def _whole(box_sizes: Any) -> Sizes:
    sizes = np.asarray(box_sizes, np.float64).reshape(-1, 2)
    return np.asarray(sizes[np.isfinite(sizes).all(axis=1) & (sizes >= 1.0).all(axis=1)])


def _starts(ordered: Sizes, count: int) -> Sizes:
    share = (np.arange(count) + 0.5) / count
    logs = np.log(ordered.prod(axis=1))
    ranks = share * (len(ordered) - 1)
    spread = np.searchsorted(logs, logs[0] + share * (logs[-1] - logs[0])).clip(0, len(ordered) - 1)
    return np.asarray(ordered[((ranks + spread) / 2).astype(np.int64)])


def size_iou(first: Sizes, second: Sizes) -> Sizes:
    """Return the IoU (n, m) of boxes (n, 2) and (m, 2) that share a centre."""
    inner = np.minimum(first[:, None], second[None]).prod(axis=2)
    return np.asarray(inner / (first.prod(axis=1)[:, None] + second.prod(axis=1)[None] - inner))


def _defaults(strides: Sequence[int], per_level: int) -> Sizes:
    steps = 2.0 ** (np.arange(per_level) / per_level)
    sides = _DEFAULT_STRIDES * np.asarray(strides, np.float64)[:, None] * steps[None]
    return np.stack([sides.ravel(), sides.ravel()], axis=1)


def over_grid(levels: tuple[Level, ...], size_px: tuple[int, int]) -> Tensor:
    """Return the anchors (A, 4), x1, y1, x2, y2 in pixels of the input, as decoding places them; cells for points.

    Args:
        levels: of the network.
        size_px: (width, height) of the input.
    """
    if all(level.anchors for level in levels):
        centred = grids.anchors(levels, size_px)
    else:
        centred = grids.points(levels, size_px)[:, [0, 1, 2, 2]]
    halves = centred[:, 2:] / 2
    corners = np.concatenate([centred[:, :2] - halves, centred[:, :2] + halves], axis=1)
    return torch.from_numpy(corners.astype(np.float32))


def strides_over_grid(levels: tuple[Level, ...], size_px: tuple[int, int]) -> Tensor:
    """Return the stride (A,) of the level of each box of `over_grid`."""
    strides = torch.tensor([float(level.stride_px) for level in levels])
    return strides.repeat_interleave(torch.tensor([grids.n_places((level,), size_px) for level in levels]))


def decode(offsets: Tensor, anchors: Tensor, weights: tuple[float, float, float, float]) -> Tensor:
    """Return boxes (..., A, 4) of offsets (..., A, 4) to anchors (A, 4), as torchvision's BoxCoder."""
    sizes = anchors[:, 2:] - anchors[:, :2]
    centres = anchors[:, :2] + sizes / 2
    scaled = offsets / offsets.new_tensor(weights)
    centre = scaled[..., :2] * sizes + centres
    half = scaled[..., 2:].clamp(max=grids.MAX_LOG_SCALE).exp() * sizes / 2
    return torch.cat([centre - half, centre + half], dim=-1)
