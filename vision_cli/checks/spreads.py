"""Checks of how a set fills the range of a property: object size and position, brightness, colour, time, place."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.checks import bins
from vision_cli.checks.bins import Bins
from vision_cli.checks.finding import Finding, Floats, Ids, Offenders, at_annotations, at_images, counted, found
from vision_cli.checks.request import Request, floats

FEWEST = 50
"""Values; fewer say nothing of a spread."""
_RARE = 0.01
_SHOWN = 6
_SMALL_PX = 16
_LUMA = np.array([0.299, 0.587, 0.114])


def spread_box_size(request: Request) -> list[Finding]:
    """Say which sizes of objects the set holds, at the training size."""
    boxes = request.boxes
    usable = boxes.there & (request.sizes > 0).all(axis=1)
    train = np.asarray(request.settings.train_px, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = (train / request.sizes).min(axis=1)
        sides = np.where(usable, np.sqrt(np.maximum(boxes.width * boxes.height, 0.0)) * scale, np.nan)
    return _of_boxes(
        request, "spread-box-size", bins.between(sides, bins.SIZES_PX, "px"), "object sizes at the training size"
    )


def spread_box_position(request: Request) -> list[Finding]:
    """Say where in their photos objects are."""
    boxes = request.boxes
    with np.errstate(divide="ignore", invalid="ignore"):
        across = (boxes.left + boxes.right) / 2 / request.sizes[:, 0]
        down = (boxes.top + boxes.bottom) / 2 / request.sizes[:, 1]
    return _of_boxes(
        request, "spread-box-position", bins.positions(across, down), "positions of objects, in a grid of 4 x 4"
    )


def spread_brightness(request: Request) -> list[Finding]:
    """Say how bright photos are."""
    return _of_photos(
        request, "spread-brightness", bins.between(brightness(request), bins.LUMA, "luma"), "mean brightness"
    )


def spread_colour(request: Request) -> list[Finding]:
    """Say which colours photos have on average."""
    return _of_photos(request, "spread-colour", bins.hues(*colours(request)), "mean colour")


def spread_time(request: Request) -> list[Finding]:
    """Say at which hours and in which months photos were taken."""
    images = request.dataset.images
    if "captured_at" not in images.column_names or not pa.types.is_timestamp(images["captured_at"].type):
        return []
    times = images["captured_at"]
    hours = _of_photos(request, "spread-time", bins.hours(times), "hours of the day")
    return hours + _of_photos(request, "spread-time", bins.months(times), "months")


def spread_place(request: Request) -> list[Finding]:
    """Say in how many places photos were taken."""
    images = request.dataset.images
    columns = [images[name].type if name in images.column_names else pa.null() for name in ("latitude", "longitude")]
    if not all(pa.types.is_floating(kind) or pa.types.is_integer(kind) for kind in columns):
        return []
    cells = bins.places(floats(images, "latitude", np.nan), floats(images, "longitude", np.nan))
    return _of_photos(request, "spread-place", cells, "places, in cells of about 1 km")


def brightness(request: Request) -> Floats:
    """Return the mean luma of each photo, float64 (N,), 0..255; NaN where it was not decoded."""
    return np.asarray(mean_colours(request) @ _LUMA)


def colours(request: Request) -> tuple[Floats, Floats]:
    """Return hue in degrees and saturation 0..1 of each photo's mean colour, float64 (N,) each; NaN where unknown."""
    mean = mean_colours(request)
    top, low = mean.max(axis=1), mean.min(axis=1)
    chroma = np.where(top > low, top - low, 1.0)
    red, green, blue = mean.T
    sector = np.where(top == red, (green - blue) / chroma % 6,
                      np.where(top == green, (blue - red) / chroma + 2, (red - green) / chroma + 4))  # fmt: skip
    return np.asarray(60 * sector), np.asarray((top - low) / np.maximum(top, 1.0))


def mean_colours(request: Request) -> Floats:
    """Return the mean red, green and blue of each photo, float64 (N, 3); NaN where it was not decoded."""
    found = np.full((len(request.dataset), 3), np.nan)
    records = request.photos.records if request.photos else ()
    for row, record in enumerate(records):
        if len(record.small) == _SMALL_PX * _SMALL_PX * 3:
            found[row] = np.frombuffer(record.small, np.uint8).reshape(-1, 3).mean(axis=0)
    return found


def _of_photos(request: Request, check: str, found_bins: Bins, what: str) -> list[Finding]:
    rare = found_bins.rare(_RARE)
    return _said(check, found_bins, what, at_images(rare), "photo") if found_bins.known >= FEWEST else []


def _of_boxes(request: Request, check: str, found_bins: Bins, what: str) -> list[Finding]:
    rare = found_bins.rare(_RARE)
    return (
        _said(check, found_bins, what, at_annotations(rare, request.rows[rare]), "box")
        if found_bins.known >= FEWEST
        else []
    )


def _said(check: str, of: Bins, what: str, where: Offenders, noun: str) -> list[Finding]:
    name, share = of.fullest
    if of.ordinary:
        gaps = f"; none in {_listed(of.empty)}" if of.empty else ""
        extent = f"{of.effective:.1f} of {len(of.names)} bins"
    else:
        gaps, extent = "", f"{of.effective:.1f} equally full of {len(of.names)}"
    reason = (
        f"{what[0].upper()}{what[1:]}: {counted(of.known, noun)} spread as over {extent}; "
        f"most, {share:.0%}, in {name}{gaps}."
    )
    return found(check, reason, where, figure=of.evenness)


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def times_of(request: Request) -> Ids | None:
    """Return the hour of each photo, int64 (N,), -1 where unknown; None without times."""
    images = request.dataset.images
    if "captured_at" not in images.column_names or not pa.types.is_timestamp(images["captured_at"].type):
        return None
    return np.asarray(pc.hour(images["captured_at"]).fill_null(-1).to_numpy(), dtype=np.int64)
