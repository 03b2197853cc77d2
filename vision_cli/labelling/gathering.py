"""Data sets of several people as one set of answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vision_cli.core import outline, outline_columns
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.labelling.answers import Answers, Floats, Ints

_UNANSWERED = frozenset({"open", "predicted", "skipped"})
"""States of a Label Studio task that nobody has answered."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one delivery says.

    Attributes:
        name: who answered, where rows do not say it themselves.
        dataset: boxes count edges (`exclusive`).
        keys: id of each photo; equal ids of two parts are one photo.
    """

    name: str
    dataset: Dataset
    keys: Sequence[str]


def gather(parts: Sequence[Part]) -> Answers:
    """Return the answers of several parts; classes meet by name.

    Raises:
        DataError: an outline that is none.
    """
    photos = {key: row for row, key in enumerate(dict.fromkeys(key for part in parts for key in part.keys))}
    classes = ClassMap(tuple(dict.fromkeys(name for part in parts for name in part.dataset.classes.names)))
    seen_by = [_seen(part) for part in parts]
    people = {name: row for row, name in enumerate(dict.fromkeys(name for found in seen_by for _, name in found))}
    seen = np.zeros((len(photos), len(people)), dtype=np.bool_)
    for part, found in zip(parts, seen_by, strict=True):
        for row, name in found:
            seen[photos[part.keys[row]], people[name]] = True
    tables = [_rows(part, photos, people, classes) for part in parts]
    owners, who, ids, values, boxes = (np.concatenate([table[place] for table in tables]) for place in range(5))
    outlines = [data for table in tables for data in table[5]]
    sizes = _sizes(parts, photos)
    return Answers(list(photos), sizes, list(people), classes, seen, owners, who, ids, values, boxes, outlines)


def answered(dataset: Dataset) -> NDArray[np.bool_]:
    """Return the photos that somebody answered, bool (N,), as far as the labels tell.

    Label Studio says it of each task and LabelMe has a file a photo that was looked at; elsewhere each photo counts.
    """
    images = dataset.images
    if "labelling" in images.column_names:
        return np.array([state not in _UNANSWERED for state in images["labelling"].to_pylist()], dtype=np.bool_)
    if "label_file" in images.column_names:
        return np.asarray(images["label_file"].is_valid().to_numpy(), dtype=np.bool_)
    return np.ones(len(dataset), dtype=np.bool_)


def labelled(dataset: Dataset) -> NDArray[np.bool_]:
    """Return the photos that somebody labelled, bool (N,): those with labels, and those answered with nothing."""
    states = {"labelling", "label_file"} & set(dataset.images.column_names)
    found = answered(dataset)
    if states:
        return found
    has = np.zeros(len(dataset), dtype=np.bool_)
    has[dataset.rows_of(dataset.annotations["image_id"])] = True
    return has


def _seen(part: Part) -> list[tuple[int, str]]:
    """Return row of the photo and name of each person who answered about it."""
    dataset = part.dataset
    said: list[set[str]] = [set() for _ in range(len(dataset))]
    rows = dataset.rows_of(dataset.annotations["image_id"]).tolist()
    for row, name in zip(rows, _annotators(part), strict=True):
        said[row].add(name)
    if "annotators" in dataset.images.column_names:
        for row, text in enumerate(dataset.images["annotators"].to_pylist()):
            said[row] |= set(_listed(text))
    there = answered(dataset)
    return [
        (row, name)
        for row, names in enumerate(said)
        if there[row]
        for name in (sorted(names) if names else [part.name])
    ]


def _listed(text: Any) -> Iterator[str]:
    """Yield the names of a JSON list."""
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        found = None
    yield from (str(name) for name in found if name) if isinstance(found, list) else ()


def _annotators(part: Part) -> list[str]:
    table = part.dataset.annotations
    if "annotator" not in table.column_names:
        return [part.name] * table.num_rows
    return [name or part.name for name in table["annotator"].to_pylist()]


def _sizes(parts: Sequence[Part], photos: dict[str, int]) -> Ints:
    sizes = np.zeros((len(photos), 2), dtype=np.int64)
    for part in reversed(parts):
        rows = [photos[key] for key in part.keys]
        own = np.stack([part.dataset.images[name].fill_null(0).to_numpy() for name in ("width", "height")], axis=1)
        known = (own > 0).all(axis=1)
        sizes[np.array(rows, dtype=np.int64)[known]] = own[known]
    return sizes


def _rows(part: Part, photos: dict[str, int], people: dict[str, int], classes: ClassMap) -> tuple[Any, ...]:
    dataset = _counted(part.dataset)
    table = dataset.annotations
    kept = answered(dataset)[dataset.rows_of(table["image_id"])]
    names = np.array(
        [people.get(name, -1) for name in _annotators(Part(part.name, dataset, part.keys))], dtype=np.int64
    )
    kept &= names >= 0
    places = np.array([photos[key] for key in part.keys], dtype=np.int64)
    ids = np.array([classes.index(name) for name in dataset.classes.names] + [-1], dtype=np.int64)
    own = table["class_id"].fill_null(len(ids) - 1).to_numpy().astype(np.int64)
    outlines = _outlines(table)
    return (
        places[dataset.rows_of(table["image_id"])][kept],
        names[kept],
        ids[own][kept],
        _numbers(table, "value")[kept],
        _boxes(table, outlines)[kept],
        [data for data, keep in zip(outlines, kept, strict=True) if keep],
    )


def _counted(dataset: Dataset) -> Dataset:
    """Leave out crowd regions: they are no single object that two people could both have drawn."""
    if "iscrowd" not in dataset.annotations.column_names:
        return dataset
    crowd = dataset.annotations["iscrowd"].fill_null(False).to_numpy()
    return replace(dataset, annotations=dataset.annotations.filter(pa.array(~crowd)))


def _numbers(table: pa.Table, name: str) -> Floats:
    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    return np.asarray(table[name].fill_null(np.nan).to_numpy(), dtype=np.float64)


def _outlines(table: pa.Table) -> list[bytes | None]:
    """Return each row's outline; a rotated box is the polygon of its corners."""
    found = table["outline"].to_pylist() if "outline" in table.column_names else [None] * table.num_rows
    turns = _numbers(table, "rotation_deg")
    sides = [_numbers(table, name) for name in "xywh"]
    for row in np.flatnonzero(~np.isnan(turns) & (turns != 0) & ~np.isnan(sides[0])).tolist():
        if not found[row]:
            found[row] = _turned([float(side[row]) for side in sides], float(turns[row]))
    return [data or None for data in found]


def _turned(box: Sequence[float], degrees: float) -> bytes:
    x, y, w, h = box
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    corners = np.array([[-w, -h], [w, -h], [w, h], [-w, h]]) / 2
    return outline.of_polygons([corners @ turn + [x + w / 2, y + h / 2]])


def _boxes(table: pa.Table, outlines: list[bytes | None]) -> Floats:
    x, y, w, h = (_numbers(table, name) for name in "xywh")
    boxes = np.stack([x, y, x + w, y + h], axis=1)
    drawn = np.array([data is not None for data in outlines], dtype=np.bool_)
    if drawn.any():
        column = pa.array([data for data in outlines if data is not None], pa.binary())
        around = outline_columns.boxes(column)
        boxes[drawn] = np.concatenate([around[:, :2], around[:, :2] + around[:, 2:]], axis=1)
    return boxes
