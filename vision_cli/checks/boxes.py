"""Checks of boxes: their area, their place on the photo, their size at the training size, doubles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vision_cli.checks.finding import Finding, Floats, Ids, at_annotations, counted, found
from vision_cli.checks.request import Boxes, Mask, Request, floats

_MAX_LAG = 64
_PX = "px"


def box_without_area(request: Request) -> list[Finding]:
    """Find boxes whose right edge is not right of the left one, or whose bottom is not below the top.

    The numbers are taken as they are written: a VOC box from 5 to 5 has no area, though it could mean one pixel.
    """
    written = _as_written(request)
    flat = request.boxes.there & ((written[:, 0] <= 0) | (written[:, 1] <= 0))
    rows = np.flatnonzero(flat)
    where = at_annotations(rows, request.rows[rows], written[rows].min(axis=1) if len(rows) else None)
    reason = (
        f"{counted(len(rows), 'box')} of {counted_boxes(request)} have no width or no height: no loss can learn them."
    )
    hint = "`vision data fix --repair drop-flat-boxes` removes them."
    return found("box-without-area", reason, where, hint=hint, fixable="drop-flat-boxes", measure="shorter side, px")


def box_outside(request: Request) -> list[Finding]:
    """Find upright boxes that lie beside their photo."""
    out = _out_px(request)
    boxes, sizes = request.boxes, request.sizes
    beside = (boxes.left >= sizes[:, 0]) | (boxes.top >= sizes[:, 1]) | (boxes.right <= 0) | (boxes.bottom <= 0)
    rows = np.flatnonzero(_judged(request) & ~_flat(request) & beside)
    reason = f"{counted(len(rows), 'box')} of {counted_boxes(request)} have no pixel on their photo."
    hint = (
        "Is the box convention or the order of the numbers another one? `fix --repair drop-outside-boxes` removes them."
    )
    where = at_annotations(rows, request.rows[rows], out[rows])
    return found(
        "box-outside", reason, where, hint=hint, fixable="drop-outside-boxes", measure=f"beyond the edge, {_PX}"
    )


def box_over_edge(request: Request) -> list[Finding]:
    """Find upright boxes that are partly on their photo and stick out by more than a tolerance."""
    out, boxes, sizes = _out_px(request), request.boxes, request.sizes
    on = (boxes.left < sizes[:, 0]) & (boxes.top < sizes[:, 1]) & (boxes.right > 0) & (boxes.bottom > 0)
    rows = np.flatnonzero(_judged(request) & on & (out > request.settings.edge_px))
    rows = rows[np.argsort(-out[rows], kind="stable")]
    most = float(out[rows[0]]) if len(rows) else 0.0
    reason = (
        f"{counted(len(rows), 'box')} of {counted_boxes(request)} stick out of their photo by more than "
        f"{request.settings.edge_px:g} px, at most by {most:.4g}: some readers refuse them, others shift them."
    )
    where = at_annotations(rows, request.rows[rows], out[rows])
    hint = "`vision data fix --repair clip-boxes` cuts them at the edge."
    return found("box-over-edge", reason, where, hint=hint, fixable="clip-boxes", measure=f"beyond the edge, {_PX}")


def box_twice(request: Request) -> list[Finding]:
    """Find boxes of one photo and class that overlap by more than an IoU."""
    first, second, shares = twins(request)
    same = int((shares >= 1).sum())
    reason = (
        f"{counted(len(second), 'box')} of {counted_boxes(request)} stand twice (IoU above "
        f"{request.settings.box_twice_iou:g}, {same:,} of them exactly): the object counts double in every figure."
    )
    where = at_annotations(second, request.rows[second], shares, others=first)
    hint = "`vision data fix --repair drop-twin-boxes` removes the exact ones."
    return found("box-twice", reason, where, hint=hint, fixable="drop-twin-boxes", measure="IoU")


def box_tiny(request: Request) -> list[Finding]:
    """Find boxes that hardly have a pixel once the photo is shrunk for training."""
    (width, height), boxes = request.settings.train_px, request.boxes
    sizes = request.sizes
    known = boxes.there & (sizes > 0).all(axis=1) & (_as_written(request) > 0).all(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        # No photo is enlarged in this thought: what it lacks, no resize brings back.
        scale = np.minimum(1.0, np.minimum(width / sizes[:, 0], height / sizes[:, 1]))
        side = np.sqrt(boxes.width * boxes.height) * scale
    rows = np.flatnonzero(known & (side < request.settings.box_tiny_px))
    rows = rows[np.argsort(side[rows], kind="stable")]
    reason = (
        f"{counted(len(rows), 'box')} of {counted_boxes(request)} are smaller than "
        f"{request.settings.box_tiny_px:g} px square at {width} x {height}: too small to learn, or slips of the hand."
    )
    where = at_annotations(rows, request.rows[rows], side[rows])
    hint = "Train at a larger size or in tiles, or look whether they are slips: --set box_tiny_px=2."
    return found("box-tiny", reason, where, hint=hint, measure=f"side at the training size, {_PX}")


def box_huge(request: Request) -> list[Finding]:
    """Find boxes that cover nearly the whole photo."""
    boxes, sizes = request.boxes, request.sizes
    with np.errstate(divide="ignore", invalid="ignore"):
        share = boxes.width * boxes.height / (sizes[:, 0] * sizes[:, 1])
    rows = np.flatnonzero(
        boxes.there & (sizes > 0).all(axis=1) & (share >= request.settings.box_huge) & ~_outside(request)
    )
    rows = rows[np.argsort(-share[rows], kind="stable")]
    reason = (
        f"{counted(len(rows), 'box')} of {counted_boxes(request)} cover {request.settings.box_huge:.0%} of their photo "
        "or more: the object fills it, or the whole photo was labelled by mistake."
    )
    where = at_annotations(rows, request.rows[rows], share[rows])
    return found("box-huge", reason, where, hint="Look at some of them.", measure="share of the photo")


def twins(request: Request) -> tuple[Ids, Ids, Floats]:
    """Return pairs of annotations whose boxes are nearly the same, the earlier first, and their IoU.

    Of several alike each later one is paired once. Boxes of no area are left out, and crowds, which may hold others.
    """
    boxes, table = request.boxes, request.dataset.annotations
    usable = boxes.there & ~_flat(request) & boxes.upright
    if "iscrowd" in table.column_names:
        usable &= ~np.asarray(table["iscrowd"].fill_null(False).to_numpy(), dtype=np.bool_)
    rows = np.flatnonzero(usable)
    key = request.rows[rows] * (max(int(request.class_ids.max(initial=0)), 0) + 2) + request.class_ids[rows] + 1
    order = np.lexsort((boxes.left[rows], key))
    return _twins(rows[order], key[order], boxes, request.settings.box_twice_iou)


def _twins(rows: Ids, key: Ids, boxes: Boxes, least: float) -> tuple[Ids, Ids, Floats]:
    """Compare each row with those that follow it, sorted by key and left edge."""
    left, width = boxes.left[rows], boxes.width[rows]
    at = np.arange(len(rows))
    pairs: list[tuple[Ids, Ids, Floats]] = []
    for lag in range(1, _MAX_LAG + 1):
        at = at[at + lag < len(rows)]
        other = at + lag
        # Two boxes of this IoU begin within that share of the width.
        near = (key[at] == key[other]) & (left[other] - left[at] <= (1 - least) * width[at])
        at = at[near]
        if not len(at):
            break
        one, two = rows[at], rows[at + lag]
        share = iou(boxes, one, two)
        alike = share > least
        pairs.append((np.minimum(one, two)[alike], np.maximum(one, two)[alike], share[alike]))
    if not pairs:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    first, second, shares = (np.concatenate(column) for column in zip(*pairs, strict=True))
    order = np.lexsort((-shares, second))
    _, once = np.unique(second[order], return_index=True)
    kept = order[once]
    return first[kept], second[kept], shares[kept]


def iou(boxes: Boxes, one: Ids, two: Ids) -> Floats:
    """Return intersection over union of pairs of annotations, float64 (M,)."""
    left, right = np.maximum(boxes.left[one], boxes.left[two]), np.minimum(boxes.right[one], boxes.right[two])
    top, bottom = np.maximum(boxes.top[one], boxes.top[two]), np.minimum(boxes.bottom[one], boxes.bottom[two])
    inside = np.maximum(right - left, 0) * np.maximum(bottom - top, 0)
    areas = boxes.width * boxes.height
    found: Floats = inside / (areas[one] + areas[two] - inside)
    return found


def counted_boxes(request: Request) -> str:
    """Return how many boxes there are, in words."""
    return f"{int(request.boxes.there.sum()):,}"


def _as_written(request: Request) -> NDArray[np.float64]:
    """Return w and h as the source has them, float64 (N, 2); NaN without a box."""
    return np.stack([floats(request.dataset.annotations, name, np.nan) for name in "wh"], axis=1)


def _flat(request: Request) -> Mask:
    boxes = request.boxes
    return ~((boxes.width > 0) & (boxes.height > 0))


def _judged(request: Request) -> Mask:
    """Return which boxes can be held against their photo: upright ones on photos of known size."""
    return request.boxes.there & request.boxes.upright & (request.sizes > 0).all(axis=1)


def _out_px(request: Request) -> Floats:
    """Return by how many pixels a box leaves its photo at the worst edge; below 0 inside."""
    boxes, sizes = request.boxes, request.sizes
    over = np.maximum(boxes.right - sizes[:, 0], boxes.bottom - sizes[:, 1])
    found: Floats = np.maximum(np.maximum(-boxes.left, -boxes.top), over)
    return found


def _outside(request: Request) -> Mask:
    found: Mask = _out_px(request) > request.settings.edge_px
    return found
