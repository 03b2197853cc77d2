"""EXIF rotation traps: boxes drawn on the stored photo, while the photo is shown turned, or the other way round."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa

from vision_cli.checks.finding import Finding, Floats, Ids, at_images, counted, found
from vision_cli.checks.request import Mask, Request

_CHECK = "photo-orientation"
_VOC_SIDES = (re.compile(rb"<width>\s*(\d{1,6})\s*</width>"), re.compile(rb"<height>\s*(\d{1,6})\s*</height>"))
_SAY_NO_SIZE = frozenset({"yolo", "csv", "imagefolder", "webdataset", "kitti"})
"""Formats whose labels say no photo size: the size in the tables is the photo's own."""


def photo_orientation(request: Request) -> list[Finding]:
    """Find photos with boxes whose EXIF orientation is not 1.

    Where the orientation exchanges width and height, the size in the labels tells which photo they were drawn on.
    """
    if request.photos is None:
        return []
    orientation = request.photos.column("orientation")
    turned = request.photos.good & (orientation != 1) & _with_boxes(request)
    if not turned.any():
        return []
    upright = np.stack([request.photos.column("width"), request.photos.column("height")], axis=1)
    said, swaps = _said(request, np.flatnonzero(turned)), (orientation >= 5) & (upright[:, 0] != upright[:, 1])
    stored = turned & swaps & (said == upright[:, ::-1]).all(axis=1)
    proven = turned & swaps & (said == upright).all(axis=1) & _size_is_stated(request)
    return [
        *_wrong(np.flatnonzero(stored), orientation),
        *_unsure(np.flatnonzero(turned & ~stored & ~proven), orientation),
        *_right(np.flatnonzero(proven), orientation),
    ]


def _said(request: Request, rows: Ids) -> Floats:
    """Return the sizes that labels state, float64 (N, 2); VOC's reader takes the photos' own, its records say."""
    images = request.dataset.images
    if "record" not in images.column_names:
        return request.image_sizes
    sizes = request.image_sizes.copy()
    for row, record in zip(rows.tolist(), images["record"].take(pa.array(rows)).to_pylist(), strict=True):
        sides = [match and float(match[1]) for match in (pattern.search(record or b"") for pattern in _VOC_SIDES)]
        if all(sides):
            sizes[row] = sides
    return sizes


def _wrong(rows: Ids, orientation: Ids) -> list[Finding]:
    reason = (
        f"{counted(len(rows), 'photo')} carry an EXIF turn by 90 degrees, and their labels have the size of the "
        "stored photo: boxes were drawn before the turn and miss their objects on the upright photo."
    )
    hint = "`vision data fix --repair turn-labels` turns the boxes with the photo."
    where = at_images(rows, orientation[rows])
    return found(_CHECK, reason, where, hint=hint, fixable="turn-labels", measure="EXIF orientation")


def _unsure(rows: Ids, orientation: Ids) -> list[Finding]:
    reason = (
        f"{counted(len(rows), 'photo')} with boxes carry an EXIF orientation other than 1, and nothing in their labels "
        "tells whether these were drawn on the stored or on the turned photo."
    )
    hint = "The gallery shows them turned; `vision data fix --repair upright-photos` stores them so."
    where = at_images(rows, orientation[rows])
    return found(
        _CHECK, reason, where, hint=hint, fixable="upright-photos", measure="EXIF orientation", severity="warning"
    )


def _right(rows: Ids, orientation: Ids) -> list[Finding]:
    reason = (
        f"{counted(len(rows), 'photo')} with boxes carry an EXIF orientation other than 1; the labels were drawn on "
        "the turned photo, as it is read here. Tools that ignore EXIF see another photo."
    )
    hint = "`vision data fix --repair upright-photos` stores them upright for all tools."
    where = at_images(rows, orientation[rows])
    return found(
        _CHECK, reason, where, hint=hint, fixable="upright-photos", measure="EXIF orientation", severity="info"
    )


def _with_boxes(request: Request) -> Mask:
    there = request.boxes.there
    if request.outlines is not None:
        there = there | ~np.isnan(request.outlines.bounds[:, 0])
    return np.bincount(request.rows[there], minlength=len(request.dataset)) > 0


def _size_is_stated(request: Request) -> Mask:
    origins = request.dataset.origins
    silent = {name for name in request.dataset.roots if name not in origins or origins[name].format in _SAY_NO_SIZE}
    return np.array([source not in silent for source in request.dataset.images["source"].to_pylist()], dtype=np.bool_)
