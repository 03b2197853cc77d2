"""Shapes of CVAT's XML 1.1 as rows, and rows as shapes.

Boxes are in pixels from the photo's left top corner, right and bottom edges exclusive. Polygons and masks are outlines;
points and skeletons are keypoints; a polyline, an ellipse, a cuboid and a skeleton are told by the attribute `shape`,
with their own numbers in `points`, and have the box around them. What CVAT says beside (`z_order`, `group_id`,
`source`, `keyframe`) and the attributes of a label stand in `attributes`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from vision_cli.core import outline, rle
from vision_cli.core.errors import DataError
from vision_cli.formats.cvat.xml import Element
from vision_cli.formats.labelling_rows import (
    Row,
    agree,
    attributes_of,
    attributes_text,
    enclosing,
    extent,
    keypoint_values,
    mask_values,
    ring_values,
)

SHAPES = frozenset({"box", "polygon", "polyline", "points", "mask", "cuboid", "ellipse", "skeleton", "tag"})
CUBOID = tuple(f"{axis}{corner}{face}" for face in "12" for corner in ("tl", "bl", "tr", "br") for axis in "xy")
"""Attributes of a cuboid's 8 corners, in the order of CVAT's points."""

COLUMNS = ("source_id", "area", "iscrowd", "truncated", "difficult", "score", "annotator", "track_id")
"""Columns that have no place in CVAT and travel as attributes of these names."""

BESIDE = frozenset({"z_order", "group_id", "source", "keyframe", "annotation_type"})
"""XML attributes of any shape that stand in the column `attributes`."""

JSON = "json:"
"""Before the name of an attribute whose text is JSON, since no input type of CVAT says as much."""

CLASH = "attribute:"
"""Before the name of an attribute that is called like one of CVAT's own."""

_GEOMETRY = frozenset(
    ("xtl", "ytl", "xbr", "ybr", "points", "rle", "left", "top", "width", "height", "cx", "cy", "rx", "ry", *CUBOID)
)
_KNOWN = frozenset(("label", "occluded", "outside", "frame", "rotation")) | _GEOMETRY
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?", re.ASCII)
_WHOLE = re.compile(r"0|-?[1-9]\d{0,17}", re.ASCII)
_MAX_PX = 1e8
_NO_JSON = object()

Types = Mapping[tuple[str, str], str]
Size = tuple[int, int]


def values(element: Element, label: str, types: Types, size: Size) -> Row:
    """Return what a shape says as a row.

    Args:
        element: one of SHAPES.
        label: name of its class; empty for none.
        types: input type (`checkbox`, `number` ...) of a label's attribute, by (label, name).
        size: (width, height) of its photo; 0 where unknown.

    Raises:
        DataError: numbers that are missing or none, a mask that does not fit its photo.
    """
    attributes: dict[str, Any] = {
        name: _whole_or_text(text) for name, text in element.attributes.items() if name not in _KNOWN
    }
    row: Row = {"class": label, **_GEOMETRIES[element.name](element, size, attributes)}
    if "occluded" in element.attributes:
        row["occluded"] = int(_flag(element, "occluded"))
    if rotation := _number(element.attributes.get("rotation", "0"), "rotation"):
        row["rotation_deg"] = rotation
    for child in element.children:
        if child.name == "attribute":
            _add_attribute(row, attributes, child, types.get((label, child.attributes.get("name", ""))))
    if text := attributes_text(attributes):
        row["attributes"] = text
    return row


def geometry_keys() -> frozenset[str]:
    """Return the XML attributes that say where a shape is."""
    return _GEOMETRY | {"rotation"}


def _add_attribute(row: Row, attributes: dict[str, Any], child: Element, kind: str | None) -> None:
    name = child.attributes.get("name", "")
    if name in COLUMNS and name not in row and (found := _column(name, child.text)) is not None:
        row[name] = found
        return
    if name.startswith(JSON) and (decoded := _json(child.text)) is not _NO_JSON:
        name = name.removeprefix(JSON)
    else:
        decoded = typed(child.text, kind)
    taken = name in attributes or name in BESIDE or name.startswith(CLASH)
    attributes[f"{CLASH}{name}" if taken else name] = decoded


def _json(text: str) -> Any:
    """Return what JSON text says, _NO_JSON where it is none."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return _NO_JSON


def _column(name: str, text: str) -> Any:
    """Return the value of a column that travels as an attribute; None where the text is something else."""
    if name in ("source_id", "annotator"):
        return text or None
    if name in ("iscrowd", "difficult"):
        return {"true": True, "false": False}.get(text)
    if name == "track_id":
        return int(text) if _WHOLE.fullmatch(text) else None
    return float(text) if _NUMBER.fullmatch(text) and repr(float(text)) == text else None


def typed(text: str, kind: str | None) -> Any:
    """Return an attribute's text as its type says, if the very text comes back from that."""
    if kind == "checkbox" and text in ("true", "false"):
        return text == "true"
    if kind == "number" and _WHOLE.fullmatch(text):
        return int(text)
    if kind == "number" and _NUMBER.fullmatch(text) and repr(float(text)) == text:
        return float(text)
    return text


def _whole_or_text(text: str) -> Any:
    return int(text) if _WHOLE.fullmatch(text) else text


def _flag(element: Element, name: str) -> bool:
    text = element.attributes[name]
    if text not in ("0", "1"):
        raise DataError(f"{name} is {text!r}, not 0 or 1")
    return text == "1"


def _number(text: str, name: str) -> float:
    value = float(text) if _NUMBER.fullmatch(text) else np.nan
    if not abs(value) <= _MAX_PX:
        raise DataError(f"{name} is {text[:40]!r}, no number of pixels")
    return value


def _need(element: Element, *names: str) -> list[str]:
    missing = [name for name in names if name not in element.attributes]
    if missing:
        raise DataError(f"{', '.join(missing)} missing")
    for name in names:
        _number(element.attributes[name], name)
    return [element.attributes[name] for name in names]


def points_of(text: str) -> list[list[float]]:
    """Return (x, y) of `x,y;x,y`.

    Raises:
        DataError: a pair is no pair of numbers.
    """
    pairs = [pair.split(",") for pair in text.split(";")]
    if any(len(pair) != 2 for pair in pairs):
        raise DataError(f"points are not pairs x,y: {text[:40]!r}")
    if len(pairs) > outline.MAX_POINTS:
        raise DataError(f"{len(pairs):,} points; the limit is {outline.MAX_POINTS:,}")
    return [[_number(x.strip(), "x"), _number(y.strip(), "y")] for x, y in pairs]


def _points(element: Element) -> list[list[float]]:
    if "points" not in element.attributes:
        raise DataError("points missing")
    return points_of(element.attributes["points"])


def _box(element: Element, _: Size, __: dict[str, Any]) -> Row:
    left, top, right, bottom = _need(element, "xtl", "ytl", "xbr", "ybr")
    width, height = extent(left, right), extent(top, bottom)
    if width < 0 or height < 0:
        raise DataError(f"right or bottom edge before the left or top one: {left}, {top}, {right}, {bottom}")
    return {"x": float(left), "y": float(top), "w": width, "h": height}


def _polygon(element: Element, _: Size, __: dict[str, Any]) -> Row:
    return ring_values([[number for point in _points(element) for number in point]])


def _polyline(element: Element, _: Size, attributes: dict[str, Any]) -> Row:
    points = _points(element)
    attributes.update(shape="polyline", points=points)
    return enclosing([points])


def _keypoints(element: Element, _: Size, __: dict[str, Any]) -> Row:
    return keypoint_values([(x, y, 2) for x, y in _points(element)])


def _ellipse(element: Element, _: Size, attributes: dict[str, Any]) -> Row:
    cx, cy, rx, ry = (float(text) for text in _need(element, "cx", "cy", "rx", "ry"))
    if rx < 0 or ry < 0:
        raise DataError("a radius is negative")
    attributes.update(shape="ellipse", points=[[cx, cy], [rx, ry]])
    return {"x": cx - rx, "y": cy - ry, "w": 2 * rx, "h": 2 * ry}


def _cuboid(element: Element, _: Size, attributes: dict[str, Any]) -> Row:
    numbers = [float(text) for text in _need(element, *CUBOID)]
    points = [list(pair) for pair in zip(numbers[::2], numbers[1::2], strict=True)]
    attributes.update(shape="cuboid", points=points)
    return enclosing([points])


def _skeleton(element: Element, _: Size, attributes: dict[str, Any]) -> Row:
    parts = [child for child in element.children if child.name == "points"]
    if not parts:
        raise DataError("a skeleton without points")
    triples, labels = [], []
    for part in parts:
        (x, y), *more = _points(part)
        if more:
            raise DataError("a skeleton's point has several points")
        hidden = "occluded" in part.attributes and _flag(part, "occluded")
        outside = "outside" in part.attributes and _flag(part, "outside")
        triples.append((x, y, 0 if outside else 1 if hidden else 2))
        labels.append(part.attributes.get("label", ""))
    attributes.update(shape="skeleton", labels=labels)
    seen = [(x, y) for x, y, visibility in triples if visibility] or [(x, y) for x, y, _ in triples]
    return {**enclosing([seen]), **keypoint_values(triples)}


def _tag(_: Element, __: Size, ___: dict[str, Any]) -> Row:
    return {}


def _mask(element: Element, size: Size, __: dict[str, Any]) -> Row:
    box = [int(text) if _WHOLE.fullmatch(text) else -1 for text in _need(element, "left", "top", "width", "height")]
    left, top, width, height = box
    rle.check_size(*reversed(size))
    if min(box) < 0 or left + width > size[0] or top + height > size[1] or not width * height:
        raise DataError(
            f"a mask at {left}, {top} of {width} x {height} does not fit its photo of {size[0]} x {size[1]}"
        )
    texts = element.attributes.get("rle", "").split(",")
    if not all(_WHOLE.fullmatch(text.strip()) for text in texts):
        raise DataError("rle is not a list of whole numbers")
    counts = rle.runs(
        [int(text) for text in texts], width, height
    )  # rows and columns change places: CVAT runs along rows
    crop = rle.decode(counts, width, height).T
    data = outline.of_counts(placed(crop, left, top, size), size[1], size[0])
    return mask_values(data)


def placed(crop: NDArray[np.bool_], left: int, top: int, size: Size) -> NDArray[np.int64]:
    """Return the counts of a mask of the whole photo from bool (h, w) of a part of it."""
    height, photo_height = crop.shape[0], size[1]
    # A row of zeros below keeps runs of neighbouring columns apart, unless they do touch in the whole photo.
    rows = height if height == photo_height else height + 1
    columns = np.zeros((crop.shape[1], rows), dtype=np.int8)
    columns[:, :height] = crop.T
    edges = np.diff(columns.ravel(), prepend=0, append=0)
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    lengths = ends - starts
    starts = (left + starts // rows) * photo_height + top + starts % rows
    return rle.of_spans(starts, starts + lengths, size[0] * photo_height)


_GEOMETRIES = {
    "box": _box,
    "polygon": _polygon,
    "polyline": _polyline,
    "points": _keypoints,
    "mask": _mask,
    "ellipse": _ellipse,
    "cuboid": _cuboid,
    "skeleton": _skeleton,
    "tag": _tag,
}


def outline_mask(row: Row, size: Size) -> tuple[NDArray[np.bool_], int, int]:
    """Return the part of a run-length mask that its pixels are in, bool (h, w), and its left and top edge."""
    found = outline.parse(row["outline"])
    mask = outline.mask(found, *size)
    x, y, width, height = (int(value) for value in outline.box(found))
    if not width:
        return mask[:1, :1], 0, 0
    return mask[y : y + height, x : x + width], x, y


def rings_of(row: Row) -> list[list[float]]:
    """Return the polygons of a row, flat."""
    rings: list[list[float]] = msgspec.json.decode(row["outline"])
    return rings


def group_of(row: Row) -> int:
    """Return the group of a row's shapes, 0 for none."""
    group = attributes_of(row).get("group_id", 0)
    return group if isinstance(group, int) else 0


def joined(one: Row, other: Row) -> Row | None:
    """Return the object that two polygons of one group are parts of; None where they are none."""
    if min(one.get("outline_parts", 0), other.get("outline_parts", 0)) < 1 or not group_of(one):
        return None
    if not agree({**one, "outline": b"", "outline_parts": 1}, {**other, "outline": b"", "outline_parts": 1}):
        return None
    return {**one, **ring_values([*rings_of(one), *rings_of(other)])}
