"""Rows of labelling tools: what a record says as columns, and what a row says beside the record it came from.

What CVAT, Label Studio and LabelMe store is a record a photo or a shape. Their readers turn a record into rows; their
writers turn the record that came along into rows again, and write it as it was where both say the same.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Context, Decimal
from pathlib import Path
from typing import Any, TypeGuard

import msgspec
import numpy as np
import pyarrow as pa

from vision_cli.core import outline
from vision_cli.core.conservation import Loss
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import conserving, photos
from vision_cli.formats.by_photo import by_photo
from vision_cli.formats.gathering import Gathering
from vision_cli.formats.json_source import JsonText
from vision_cli.formats.placing import photo_names
from vision_cli.formats.problems import Problems

Row = dict[str, Any]
"""An annotation by columns, without nulls; `class` is the name of its class, empty where it has none."""

_EXACT = Context(prec=700)  # sums of any two numbers below 1e8
_BATCH = 1024
_BOX = frozenset({"x", "y", "w", "h"})
_SURROGATE = re.compile(rb"\\u[dD][89abAB]")
_MAX_NUMBER = 1e300
_RANGES = {"occluded": (0, 3), "track_id": (-(2**63), 2**63 - 1)}
_NOT_COMPARED = frozenset({"id", "image_id", "class_id", "record"})


def attributes_text(attributes: Mapping[str, Any]) -> str | None:
    """Return the `attributes` column's JSON text, None for none."""
    return json.dumps(attributes, ensure_ascii=False) if attributes else None


def attributes_of(row: Row) -> dict[str, Any]:
    """Return the attributes of a row."""
    found = msgspec.json.decode(row["attributes"]) if row.get("attributes") else {}
    return found if isinstance(found, dict) else {"attributes": found}


def json_value(text: JsonText) -> Any:
    """Return plain values of JSON text whose strings are all whole characters.

    Raises:
        DataError: see `JsonText.value`; or an escape that is half of a character, which no file name or column holds.
    """
    found = text.value()
    if _SURROGATE.search(text.data):
        try:
            json.dumps(found, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise text.refused("holds half of a character (a lone \\ud... escape)", 0) from error
    return found


def fitting(value: Any, name: str, types: type | tuple[type, ...]) -> Any:
    """Return a JSON value as a column holds it, None where it is none for it.

    Args:
        value: of the JSON.
        name: of the column.
        types: that JSON may have there; a tuple of float and int is a number.
    """
    if not isinstance(value, types) or (isinstance(value, bool) and types is not bool):
        return None
    if isinstance(types, tuple):
        return float(value) if isinstance(value, int | float) and abs(value) < _MAX_NUMBER else None
    if types is not int:
        return value
    low, high = _RANGES[name]
    return value if isinstance(value, int) and low <= value <= high else None


def number_text(value: float) -> str:
    """Return the shortest decimal that is this number, whole ones without a point."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else format(Decimal(repr(value)), "f")


def far_edge(near: float, extent: float) -> str:
    """Return the text of near + extent, the exact decimal sum of both as they are written."""
    text = format(_EXACT.add(Decimal(repr(float(near))), Decimal(repr(float(extent)))), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def extent(near: str, far: str) -> float:
    """Return far - near, exact in the decimals that both are written in."""
    return float(_EXACT.subtract(Decimal(far), Decimal(near)))


def ring_values(rings: Sequence[Sequence[float]]) -> Row:
    """Return outline and enclosing box of polygons.

    Raises:
        DataError: fewer than 3 points, or coordinates that are none.
    """
    found = outline.of_rings(rings)
    data = msgspec.json.encode([[float(value) for value in ring] for ring in rings])
    return {**enclosing(found.rings), "outline": data, "outline_parts": len(rings)}


def mask_values(data: bytes) -> Row:
    """Return outline and enclosing box of the bytes of a run-length mask; an empty one has no box."""
    x, y, width, height = outline.box(outline.parse(data))
    box = {"x": x, "y": y, "w": width, "h": height} if width else {}
    return {**box, "outline": data, "outline_parts": outline.RUNS_PARTS}


def enclosing(rings: Sequence[Any]) -> Row:
    """Return the box around points (P, 2) each, as `core.outline.box` does."""
    points = np.concatenate([np.asarray(ring, dtype=np.float64) for ring in rings])
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return {"x": left, "y": top, "w": right - left, "h": bottom - top}


def keypoint_values(points: Sequence[tuple[float, float, int]]) -> Row:
    """Return the keypoints column of (x, y, visibility) triples."""
    return {"keypoints": msgspec.json.encode([number for x, y, seen in points for number in (x, y, seen)])}


def keypoints_of(row: Row) -> list[tuple[float, float, int]]:
    """Return (x, y, visibility) triples of a row."""
    flat = msgspec.json.decode(row["keypoints"])
    return list(zip(flat[::3], flat[1::3], flat[2::3], strict=True))


def by_image(dataset: Dataset) -> Iterator[tuple[Row, list[Row]]]:
    """Yield each photo's row and its annotations' rows."""
    table, starts = by_photo(dataset)
    for first in range(0, len(dataset), _BATCH):
        images = dataset.images.slice(first, _BATCH).to_pylist()
        low, high = int(starts[first]), int(starts[first + len(images)])
        labels = table.slice(low, high - low).to_pylist()
        for index, image in enumerate(images, start=first):
            found = labels[int(starts[index]) - low : int(starts[index + 1]) - low]
            yield _known(image), [_named(_known(row), dataset.classes.names) for row in found]


def _known(row: Row) -> Row:
    return {name: value for name, value in row.items() if value is not None}


def _named(row: Row, names: Sequence[str]) -> Row:
    if "value" not in row:
        row["class"] = names[row["class_id"]] if "class_id" in row else ""
    return row


def add_row(gathering: Gathering, image_id: int, row: Row) -> None:
    """Add an annotation with the id of its class."""
    values = {name: value for name, value in row.items() if name != "class"}
    name = row.get("class")
    gathering.annotation({"image_id": image_id, "class_id": gathering.class_id(name) if name else None, **values})


def agree(one: Row, other: Row) -> bool:
    """Return whether two rows say the same; a box around an outline says nothing more."""
    names = {name for name in one.keys() | other.keys() if name not in _NOT_COMPARED}
    if "outline" in one and one["outline"] == other.get("outline"):
        names -= _BOX
    return all(agree_in(name, one, other) for name in names)


def agree_in(name: str, one: Row, other: Row) -> bool:
    """Return whether two rows say the same in one column."""
    here, there = one.get(name), other.get(name)
    if here == there or here is None or there is None or name != "attributes":
        return bool(here == there)
    return bool(msgspec.json.decode(here) == msgspec.json.decode(there))


def tree_names(dataset: Dataset, folder: str = "images") -> list[str]:
    """Return a path for each photo below a folder: its own where that makes all distinct, else a distinct name."""
    own = [path.removeprefix(f"{folder}/") for path in dataset.images["path"].to_pylist()]
    clean = all(part not in ("", ".", "..") for path in own for part in path.split("/"))
    if not clean or len({path.casefold() for path in own}) != len(own):
        own = photo_names(dataset)
    return [f"{folder}/{path}" for path in own]


def is_side(value: Any) -> TypeGuard[int]:
    """Return whether a value is a photo's side in pixels: a whole number, not 0, and none beyond reason."""
    return type(value) is int and 0 < value < 1 << 30


def is_there(path: Path) -> bool:
    """Return whether a path exists; a name too long does not."""
    return os.path.exists(path)  # noqa: PTH110 - Path.exists raises on names too long


def missing_sizes(root: Path, paths: Mapping[int, str], problems: Problems) -> tuple[dict[int, photos.Size], list[str]]:
    """Read the sizes of photos that the labels do not say.

    Args:
        root: folder of the paths.
        paths: by the photo's id.
        problems: gets the photos that cannot be read.

    Returns:
        (width, height) by id, and the paths of the photos that are not there.
    """
    sizes: dict[int, photos.Size] = {}
    missing = []
    for (row, path), found in zip(paths.items(), photos.sizes([root / path for path in paths.values()]), strict=True):
        if not isinstance(found, DataError):
            sizes[row] = found
        elif is_there(root / path):
            problems.add("unreadable photos", found.message)
        else:
            missing.append(path)
    return sizes, missing


def note_of_missing(paths: Sequence[str]) -> tuple[str, ...]:
    """Return a note on photos that are not there, or none."""
    if not paths:
        return ()
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return (f"{len(paths)} photos are not there; their labels are read without: {', '.join(paths[:3])}{more}.",)


def reshaped(dataset: Dataset, *, keypoints: bool = False) -> Loss:
    """Return the loss of boxes that are others than the ones around their outlines.

    Args:
        dataset: all of it.
        keypoints: whether boxes around keypoints are lost as well.
    """
    table = dataset.annotations
    rows = np.zeros(table.num_rows, dtype=np.bool_)
    if "outline" in table.column_names:
        boxes = [conserving.numbers(table, name, np.nan) for name in "xywh"]
        places = np.flatnonzero(conserving.valid(table, "outline"))
        outlines = table["outline"].take(pa.array(places)).to_pylist()
        for row, data in zip(places.tolist(), outlines, strict=True):
            rows[row] = outline.box(outline.parse(data)) != tuple(column[row] for column in boxes)
    if keypoints:
        rows |= conserving.valid(table, "keypoints")
    return Loss("bounds", "detail", "box -> the one around outline or keypoints", rows, allowed=True)
