"""Regions of Label Studio as rows, and rows as regions.

Places are in percent of the photo's original size, a rectangle's rotation is clockwise about its left top corner:
https://labelstud.io/guide/task_format. Pixels are percent times size, rounded to a billionth of a pixel, so that what
was written from pixels reads as those pixels; where that is not so to the last bit, `meta.pixels` holds them, and
counts as long as nobody moved the region.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeGuard

from vision_cli.core import outline
from vision_cli.core.errors import DataError
from vision_cli.formats.labelling_rows import Row, keypoint_values, keypoints_of, mask_values, ring_values
from vision_cli.formats.labelstudio import brush as labelstudio_brush

REGIONS = ("rectangle", "polygon", "brush", "keypoint", "ellipse")
ROUNDED = ("ellipse", "circle")
"""Values of the attribute `shape` that Label Studio draws as an ellipse."""

_DIGITS = 9
_MAX_PERCENT = 1e7

Size = tuple[int, int]
Value = dict[str, Any]


def region_of(kind: str, value: Value) -> str | None:
    """Return the shape of a result, None where it is none: `rectanglelabels`, `rectangle`, `labels` on a rectangle."""
    shape = kind.removesuffix("labels")
    if shape in REGIONS:
        return shape
    return None if kind != "labels" else _shape_of_value(value)


def _shape_of_value(value: Value) -> str | None:
    names = {"points": "polygon", "rle": "brush", "radiusX": "ellipse", "height": "rectangle", "x": "keypoint"}
    return next((shape for name, shape in names.items() if name in value), None)


def place(shape: str, value: Value, size: Size, meta: Mapping[str, Any]) -> Row:
    """Return the columns of a region's place.

    Args:
        shape: one of REGIONS.
        value: of the result.
        size: (width, height) of the photo in pixels.
        meta: of the result.

    Raises:
        DataError: numbers missing or none, or a brush that is none.
    """
    if not all(isinstance(side, int) and not isinstance(side, bool) and side > 0 for side in size):
        raise DataError("places are in percent, and neither the result nor the photo says its size")
    row = _PLACES[shape](value, size)
    pixels = meta.get("pixels")
    if pixels is not None and _are_numbers(pixels) and shape != "brush":
        exact = _of_pixels(shape, pixels)
        if exact and _percent(shape, exact, size) == {name: value.get(name) for name in _NAMES[shape]}:
            return exact
    return row


def _are_numbers(values: Any) -> TypeGuard[list[float]]:
    return isinstance(values, list) and all(
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) for value in values
    )


def _numbers(value: Value, *names: str) -> list[float]:
    found = [value.get(name) for name in names]
    if not _are_numbers(found) or any(abs(number) > _MAX_PERCENT for number in found):
        raise DataError(f"{', '.join(names)} are not numbers: {str(found)[:80]}")
    return [float(number) for number in found]


def _pixels(percent: float, side: int) -> float:
    return round(percent * side / 100, _DIGITS)


def _rectangle(value: Value, size: Size) -> Row:
    x, y, width, height = _numbers(value, "x", "y", "width", "height")
    (turn,) = _numbers({"rotation": value.get("rotation") or 0}, "rotation")
    if width < 0 or height < 0:
        raise DataError(f"a negative width or height: {width}, {height}")
    w, h = _pixels(width, size[0]), _pixels(height, size[1])
    left, top = _unturned(x * size[0] / 100, y * size[1] / 100, (w, h), turn)
    return {"x": left, "y": top, "w": w, "h": h, **({"rotation_deg": turn} if turn else {})}


def _unturned(left: float, top: float, box: tuple[float, float], turn: float) -> tuple[float, float]:
    """Return left and top of a box that is turned about its centre, from the corner that it was turned about."""
    w, h = box
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    if turn:
        left, top = left + (w * cos - h * sin) / 2 - w / 2, top + (w * sin + h * cos) / 2 - h / 2
    return round(left, _DIGITS), round(top, _DIGITS)


def _polygon(value: Value, size: Size) -> Row:
    points = value.get("points")
    if not isinstance(points, list) or len(points) > outline.MAX_POINTS:
        raise DataError("points are no list of pairs")
    ring = []
    for point in points:
        x, y = _numbers(dict(zip("xy", point, strict=False)) if isinstance(point, list) else {}, "x", "y")
        ring += [_pixels(x, size[0]), _pixels(y, size[1])]
    return ring_values([ring])


def _brush(value: Value, size: Size) -> Row:
    packed = value.get("rle")
    if not isinstance(packed, list) or value.get("format", "rle") != "rle":
        raise DataError("a brush without rle")
    return mask_values(outline.of_counts(labelstudio_brush.counts_of(packed, *size), size[1], size[0]))


def _keypoint(value: Value, size: Size) -> Row:
    x, y = _numbers(value, "x", "y")
    return keypoint_values([(_pixels(x, size[0]), _pixels(y, size[1]), 2)])


def _ellipse(value: Value, size: Size) -> Row:
    x, y, across, down = _numbers(value, "x", "y", "radiusX", "radiusY")
    (turn,) = _numbers({"rotation": value.get("rotation") or 0}, "rotation")
    if across < 0 or down < 0:
        raise DataError(f"a negative radius: {across}, {down}")
    w, h = _pixels(2 * across, size[0]), _pixels(2 * down, size[1])
    left, top = (
        round(at * side / 100 - length / 2, _DIGITS) for at, side, length in ((x, size[0], w), (y, size[1], h))
    )
    return {"x": left, "y": top, "w": w, "h": h, **({"rotation_deg": turn} if turn else {})}


_PLACES = {"rectangle": _rectangle, "polygon": _polygon, "brush": _brush, "keypoint": _keypoint, "ellipse": _ellipse}
_NAMES = {
    "rectangle": ("x", "y", "width", "height", "rotation"),
    "polygon": ("points",),
    "keypoint": ("x", "y"),
    "ellipse": ("x", "y", "radiusX", "radiusY", "rotation"),
}


def values_of(row: Row, size: Size, attributes: Mapping[str, Any]) -> tuple[str, list[Value], list[Value]]:
    """Return the shape of a row, its value (one a polygon), and what `meta` must say beside.

    Raises:
        DataError: the photo has no size, which percent are of.
    """
    if not all(size):
        raise DataError("a photo without a size: Label Studio's places are in percent of it.")
    if row.get("outline_parts", 0) < 0:
        found = outline.mask(outline.parse(row["outline"]), *size)
        return "brush", [{"format": "rle", "rle": labelstudio_brush.pack(found)}], [{}]
    if row.get("outline_parts"):
        parts = [ring_values([ring.ravel().tolist()]) for ring in outline.rings_of(row["outline"])]
        return "polygon", *_with_pixels("polygon", parts, size)
    if "keypoints" in row:
        return _keypoints(row, size)
    return (shape := "ellipse" if attributes.get("shape") in ROUNDED else "rectangle"), *_with_pixels(
        shape, [row], size
    )


def _keypoints(row: Row, size: Size) -> tuple[str, list[Value], list[Value]]:
    """Return a keypoint, or the box around several with the keypoints themselves in `meta`."""
    triples = keypoints_of(row)
    if len(triples) == 1 and triples[0][2] == 2 and "x" not in row:
        return "keypoint", *_with_pixels("keypoint", [row], size)
    meta: Value = {"keypoints": [number for triple in triples for number in triple]}
    if "x" not in row:
        xs, ys = [x for x, _, _ in triples] or [0.0], [y for _, y, _ in triples] or [0.0]
        row = {"x": min(xs), "y": min(ys), "w": max(xs) - min(xs), "h": max(ys) - min(ys)}
        meta["box"] = False
    values, metas = _with_pixels("rectangle", [row], size)
    return "rectangle", values, [{**metas[0], **meta}]


def _with_pixels(shape: str, rows: list[Row], size: Size) -> tuple[list[Value], list[Value]]:
    values = [_percent(shape, row, size) for row in rows]
    metas: list[Value] = []
    for row, value in zip(rows, values, strict=True):
        back = _PLACES[shape](value, size)
        same = all(back.get(name) == row.get(name) for name in back.keys() | {"rotation_deg"})
        metas.append({} if same else {"pixels": _flat(shape, row)})
    return values, metas


def _flat(shape: str, row: Row) -> list[float]:
    match shape:
        case "polygon":
            return [float(number) for number in outline.rings_of(row["outline"])[0].ravel()]
        case "keypoint":
            return [float(number) for number in keypoints_of(row)[0][:2]]
    return [row["x"], row["y"], row["w"], row["h"], row.get("rotation_deg", 0.0)]


def _of_pixels(shape: str, pixels: list[float]) -> Row:
    """Return the columns of exact pixels, empty where their number is wrong."""
    numbers = [float(number) for number in pixels]
    match shape:
        case "polygon" if len(numbers) >= 6 and len(numbers) % 2 == 0:
            return ring_values([numbers])
        case "keypoint" if len(numbers) == 2:
            return keypoint_values([(numbers[0], numbers[1], 2)])
        case "rectangle" | "ellipse" if len(numbers) == 5 and min(numbers[2:4]) >= 0:
            turn = {"rotation_deg": numbers[4]} if numbers[4] else {}
            return {**dict(zip("xywh", numbers[:4], strict=True)), **turn}
    return {}


def _percent(shape: str, row: Row, size: Size) -> Value:
    """Return the value of a row's place: percent of the size."""
    width, height = size
    match shape:
        case "polygon":
            flat = _flat(shape, row)
            pairs = zip(flat[::2], flat[1::2], strict=True)
            return {"points": [[x * 100 / width, y * 100 / height] for x, y in pairs]}
        case "keypoint":
            x, y = _flat(shape, row)
            return {"x": x * 100 / width, "y": y * 100 / height}
    x, y, w, h, turn = _flat(shape, row)
    if shape == "ellipse":
        return {
            "x": (x + w / 2) * 100 / width,
            "y": (y + h / 2) * 100 / height,
            "radiusX": w * 50 / width,
            "radiusY": h * 50 / height,
            "rotation": turn,
        }
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    left, top = (x + w / 2 - (w * cos - h * sin) / 2, y + h / 2 - (w * sin + h * cos) / 2) if turn else (x, y)
    sides = {"width": w * 100 / width, "height": h * 100 / height}
    return {"x": left * 100 / width, "y": top * 100 / height, **sides, "rotation": turn}
