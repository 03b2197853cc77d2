"""Shapes of LabelMe as rows, and rows as shapes.

Points are pixels from the photo's left top corner. Rectangles are boxes, polygons and masks outlines, points keypoints;
lines, circles and whatever else are told by the attribute `shape`, with their own numbers in `points`.
LabelMe keeps further members of a shape: columns that it has no place for travel there under their names.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from vision_cli.core import outline, rle
from vision_cli.core.errors import DataError
from vision_cli.formats.cvat.shapes import placed
from vision_cli.formats.labelling_rows import (
    Row,
    agree,
    attributes_of,
    attributes_text,
    enclosing,
    extent,
    far_edge,
    fitting,
    keypoint_values,
    keypoints_of,
    mask_values,
    ring_values,
)
from vision_cli.imaging.read import read_photo
from vision_cli.imaging.write import encode_png

Shape = dict[str, Any]
Size = tuple[int, int]

COLUMNS: Mapping[str, type | tuple[type, ...]] = {
    "source_id": str,
    "rotation_deg": (float, int),
    "area": (float, int),
    "iscrowd": bool,
    "truncated": (float, int),
    "occluded": int,
    "difficult": bool,
    "score": (float, int),
    "annotator": str,
    "track_id": int,
}
"""Columns that are further members of a shape, with their JSON types."""

MEMBER = "member:"
"""Before the name of an attribute or a column that is called like a member of LabelMe's own."""

_OWN = frozenset({"label", "points", "shape_type", "mask"})
_QUIET = frozenset({"group_id", "description", "flags"})
_MAX_PX = 1e8
_MASK_SUFFIX = "mask"


def values(shape: Shape, size: Size) -> Row:
    """Return what a shape says as a row.

    Args:
        shape: of the JSON.
        size: (width, height) of the photo.

    Raises:
        DataError: no label, points that are none, or a mask that does not fit.
    """
    label, kind = shape.get("label"), shape.get("shape_type") or "polygon"
    if not isinstance(label, str) or not isinstance(kind, str):
        raise DataError("label or shape_type is no text")
    attributes: dict[str, Any] = {}
    row: Row = {"class": label, **_place(shape, kind, size, attributes)}
    for name, value in shape.items():
        if name in _OWN or (name in _QUIET and (value is None or value in ("", {}))):
            continue
        if name in COLUMNS and (column := fitting(value, name, COLUMNS[name])) is not None:
            row[name] = column
        elif name == "keypoints" and _are_triples(value):
            row |= keypoint_values([tuple(value[at : at + 3]) for at in range(0, len(value), 3)])
        elif name != "box":
            plain = name.removeprefix(MEMBER)
            attributes[f"{MEMBER}{plain}" if plain in attributes else plain] = value
    if shape.get("box") is False:
        for name in "xywh":
            row.pop(name, None)
    if text := attributes_text(attributes):
        row["attributes"] = text
    return row


def _is_taken(name: str) -> bool:
    return name in _OWN or name in COLUMNS or name in ("keypoints", "box") or name.startswith(MEMBER)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _MAX_PX


def _are_triples(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and len(value) % 3 == 0 and all(map(_is_number, value))


def _points(shape: Shape) -> list[list[float]]:
    points = shape.get("points")
    if not isinstance(points, list) or len(points) > outline.MAX_POINTS:
        raise DataError("points are no list")
    if not all(isinstance(pair, list) and len(pair) == 2 and all(map(_is_number, pair)) for pair in points):
        raise DataError(f"points are not pairs of numbers of pixels: {str(points)[:60]}")
    return points


def _place(shape: Shape, kind: str, size: Size, attributes: dict[str, Any]) -> Row:
    """Return the columns of a shape's place; what they cannot say goes to `attributes`."""
    points = _points(shape)
    needed = {"rectangle": 2, "circle": 2, "mask": 2, "point": 1}.get(kind)
    if needed is not None and len(points) != needed:
        raise DataError(f"a {kind} has {needed} points, not {len(points)}")
    if not points:
        raise DataError(f"a {kind} without points")
    match kind:
        case "polygon":
            return ring_values([[float(number) for pair in points for number in pair]])
        case "rectangle":
            return _corners(points)
        case "mask":
            return _mask(shape.get("mask"), points, size)
        case "point" | "points":
            return keypoint_values([(float(x), float(y), 2) for x, y in points])
        case "circle":
            (x, y), edge = points
            radius = math.dist((x, y), edge)
            attributes.update(shape=kind, points=points)
            return {"x": x - radius, "y": y - radius, "w": 2 * radius, "h": 2 * radius}
    attributes.update(shape=kind, points=points)
    return enclosing([points])


def _corners(points: list[list[float]]) -> Row:
    (x, right), (y, bottom) = (sorted(float(pair[axis]) for pair in points) for axis in (0, 1))
    return {"x": x, "y": y, "w": extent(repr(x), repr(right)), "h": extent(repr(y), repr(bottom))}


def _mask(text: Any, points: list[list[float]], size: Size) -> Row:
    """Return the outline of a mask's PNG, which lies at its first point (both corners are part of it)."""
    if not isinstance(text, str):
        raise DataError("a mask without its picture")
    try:
        picture = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DataError("the mask is not base64") from error
    rle.check_size(size[1], size[0])
    pixels = read_photo(picture, channels=1, max_pixels=size[0] * size[1], name="the mask")[:, :, 0] > 0
    left, top = (math.floor(min(pair[axis] for pair in points)) for axis in (0, 1))
    height, width = pixels.shape
    if left < 0 or top < 0 or left + width > size[0] or top + height > size[1]:
        raise DataError(
            f"a mask at {left}, {top} of {width} x {height} does not fit its photo of {size[0]} x {size[1]}"
        )
    return mask_values(outline.of_counts(placed(pixels, left, top, size), size[1], size[0]))


def join_groups(rows: list[Row]) -> list[Row]:
    """Return rows in which polygons of one label and group are one object, as LabelMe's own exports make them.

    Only polygons that say the same but for their points are joined.
    """
    joined: list[Row] = []
    owners: dict[tuple[str, str], int] = {}
    for row in rows:
        group = attributes_of(row).get("group_id")
        if group is None or row.get("outline_parts") != 1:
            joined.append(row)
            continue
        key = str(row["class"]), str(group)
        owner = owners.setdefault(key, len(joined))
        if owner == len(joined):
            joined.append(row)
        elif _bare(joined[owner], row):
            rings = msgspec.json.decode(joined[owner]["outline"]) + msgspec.json.decode(row["outline"])
            joined[owner] = {**joined[owner], **ring_values(rings)}
        else:
            joined.append(row)
    return joined


def _bare(one: Row, other: Row) -> bool:
    """Return whether two polygons differ in their points only."""
    same = {"outline": b"", "outline_parts": 1}
    return agree({**one, **same}, {**other, **same})


def shapes_of(row: Row, size: Size, group: int) -> list[Shape]:
    """Return the shapes of a row: one, or one a polygon with a common group.

    Args:
        row: an annotation with a place.
        size: (width, height) of the photo.
        group: `group_id` for several polygons of a row without one.
    """
    attributes = attributes_of(row)
    found = _shapes(row, size, attributes)
    identity = attributes.pop("group_id", None)
    identity = group if identity is None and len(found) > 1 else identity
    more = {f"{MEMBER}{name}" if _is_taken(name) else name: value for name, value in attributes.items()}
    columns = {name: row[name] for name in COLUMNS if name in row}
    base = {"group_id": identity, "description": more.pop("description", ""), "flags": more.pop("flags", {})}
    return [
        {"label": row["class"], "points": points, "shape_type": kind, **base, **own, **columns, **more}
        for kind, points, own in found
    ]


def _shapes(row: Row, size: Size, attributes: dict[str, Any]) -> list[tuple[str, list[list[float]], Shape]]:
    """Return type, points and further members of each shape."""
    beside = {"keypoints": msgspec.json.decode(row["keypoints"])} if "keypoints" in row else {}
    if row.get("outline_parts", 0) < 0:
        return [(_MASK_SUFFIX, *_mask_shape(row, size, beside))]
    if row.get("outline_parts"):
        rings = msgspec.json.decode(row["outline"])
        return [("polygon", [list(pair) for pair in zip(ring[::2], ring[1::2], strict=True)], beside) for ring in rings]
    if "keypoints" in row and "x" not in row:
        return [_keypoints(row, beside)]
    kind, points = attributes.get("shape"), attributes.get("points")
    if isinstance(kind, str) and kind not in ("polygon", "rectangle", "mask", "point", "points") and points is not None:
        shape = {"points": points, "label": "", "shape_type": kind}
        if _still(shape, row, size):
            attributes.pop("shape")
            attributes.pop("points")
            return [(kind, points, beside)]
    x, y, w, h = (row[name] for name in "xywh")
    return [("rectangle", [[x, y], [float(far_edge(x, w)), float(far_edge(y, h))]], beside)]


def _still(shape: Shape, row: Row, size: Size) -> bool:
    """Return whether a shape still makes the row's box."""
    try:
        found = values(shape, size)
    except DataError:
        return False
    return all(found.get(name) == row[name] for name in "xywh")


def _keypoints(row: Row, beside: Shape) -> tuple[str, list[list[float]], Shape]:
    triples = keypoints_of(row)
    if all(seen == 2 for _, _, seen in triples):
        return "point" if len(triples) == 1 else "points", [[x, y] for x, y, _ in triples], {}
    box = enclosing([[(x, y) for x, y, _ in triples]])
    return "rectangle", [[box["x"], box["y"]], [box["x"] + box["w"], box["y"] + box["h"]]], {**beside, "box": False}


def _mask_shape(row: Row, size: Size, beside: Shape) -> tuple[list[list[float]], Shape]:
    found = outline.parse(row["outline"])
    mask = outline.mask(found, *size)
    x, y, width, height = (int(number) for number in outline.box(found))
    width, height = max(width, 1), max(height, 1)
    crop = mask[y : y + height, x : x + width].astype(np.uint8)
    picture = base64.b64encode(encode_png(crop[:, :, None])).decode()
    corners = [[float(x), float(y)], [float(x + width - 1), float(y + height - 1)]]
    return corners, {"mask": picture, **beside}
