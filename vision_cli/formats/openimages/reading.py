"""Read Open Images by columns."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS, MORE_ANNOTATION_COLUMNS
from vision_cli.core.dataset import ClassMap, Dataset, Split
from vision_cli.core.errors import DataError
from vision_cli.core.origin import Origin
from vision_cli.formats import ReadOptions, photos
from vision_cli.formats.label_walk import stem_of, tree
from vision_cli.formats.openimages.tables import class_names, header_kind, load, subsets, tables_below
from vision_cli.formats.problems import Problems

ABSENT = "absent_labels"
FLAGS = ("IsOccluded", "IsTruncated", "IsGroupOf")
EDGES = ("XMin", "XMax", "YMin", "YMax")
_BASE = frozenset({"ImageID", "LabelName", "Confidence", *EDGES, *FLAGS})
_SUBSET = re.compile(r"(?:^|[-_])(train|validation|val|test)(?:[-_.]|$)")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_HINT = "XMin, XMax, YMin and YMax are shares of the photo, 0 to 1, the maximum not under the minimum."


@dataclass(slots=True)
class _Found:
    """What the tables say, one entry a row, in the order of the files."""

    splits: dict[str, Split | None] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    absent: dict[str, list[list[str]]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_folder(path: Path, options: ReadOptions) -> Dataset:
    """Read all tables below a folder, or one file of boxes or labels with its neighbours of classes and images.

    Raises:
        DataError: what is wrong, all at once.
    """
    root = path if path.is_dir() else path.parent
    root = root.parent if root.name == "annotations" else root
    problems, found = Problems(path), _Found()
    files = tables_below(path if path.is_dir() else path.parent)
    for file in files:
        kind = header_kind(file)
        if kind in ("boxes", "labels") and path.is_file() and file != path:
            continue
        _take(found, file, kind, problems)
    problems.refuse("rows")
    return _dataset(found, options, root, problems)


def _take(found: _Found, file: Path, kind: str | None, problems: Problems) -> None:
    match = _SUBSET.search(file.name)
    split = photos.split_of(match[1]) if match else None
    if kind == "classes":
        found.names |= class_names(file)
    elif kind == "images":
        for image, subset in subsets(file).items():
            found.splits[image] = photos.split_of(subset)
    elif kind == "masks":
        number = len(load(file))
        found.notes.append(f"{file.name}: {number} segmentation masks are left out; their boxes are in another file.")
    elif kind is not None:
        for line, row in enumerate(load(file).to_pylist(), start=2):
            _take_row(found, row, split, (file.name, line, problems))


def _take_row(found: _Found, row: dict[str, str], split: Split | None, context: tuple[str, int, Problems]) -> None:
    name, line, problems = context
    image, confidence = row["ImageID"], row.get("Confidence") or "1"
    texts = [row[edge] for edge in EDGES if edge in row]
    wrong = [text for text in (confidence, *texts) if not _NUMBER.fullmatch(text)]
    edges = [] if wrong else [float(text) for text in texts]
    if not image or not row["LabelName"]:
        problems.add("rows without an image or a label", f"{name}:{line}: ImageID or LabelName is empty")
    elif wrong:
        problems.add("values that are no numbers", f"{name}:{line}: {wrong[0]!r} is not a number", hint=_HINT)
    elif not 0 <= float(confidence) <= 1:
        problems.add("bad confidences", f"{name}:{line}: Confidence {confidence} is not between 0 and 1")
    elif edges and not (0 <= edges[0] <= edges[1] <= 1 and 0 <= edges[2] <= edges[3] <= 1):
        problems.add("bad boxes", f"{name}:{line}: box {', '.join(texts)}", hint=_HINT)
    else:
        if found.splits.setdefault(image, split) is None:
            found.splits[image] = split
        if not edges and float(confidence) == 0:
            found.absent.setdefault(image, []).append([row["LabelName"], row.get("Source") or ""])
            return
        found.rows.append({**row, "Confidence": confidence, "edges": edges or None})


def _dataset(found: _Found, options: ReadOptions, root: Path, problems: Problems) -> Dataset:
    photo_root = options.images or root
    where = {stem_of(path).rpartition("/")[2]: path for path in reversed(tree(photo_root, ".csv").photos)}
    boxed = {row["ImageID"] for row in found.rows if row["edges"]}
    labelled = {row["ImageID"] for row in found.rows} | found.absent.keys()
    for image in sorted(labelled - where.keys()):
        problems.add("missing photos", f"{image}: no photo of this name below {photo_root}", hint="Set `images`.")
    ids = [image for image in found.splits if image in where]
    if bare := len(found.splits.keys() - where.keys() - labelled):
        found.notes.append(f"{bare} listed photos without labels are not below {photo_root}; they are left out.")
    sizes: list[photos.Size] = []
    for size in photos.sizes([photo_root / where[image] for image in ids]):
        if isinstance(size, DataError):
            problems.add("unreadable photos", size.message)
        sizes.append((0, 0) if isinstance(size, DataError) else size)
    problems.refuse(f"photos of {len(found.splits)}, {len(boxed)} of them with boxes")
    images = pa.table(
        {
            **{"id": range(len(ids)), "source": [options.source] * len(ids), "path": [where[image] for image in ids]},
            **{"width": [width for width, _ in sizes], "height": [height for _, height in sizes]},
            **{"split": [found.splits[image] for image in ids], "group": [None] * len(ids)},
        },
        schema=IMAGE_COLUMNS,
    ).append_column("source_id", pa.array(ids, pa.string()))
    if found.absent:
        texts = [json.dumps(found.absent[image]) if image in found.absent else None for image in ids]
        images = images.append_column(ABSENT, pa.array(texts, pa.string()))
    names = found.names | {
        row["LabelName"]: row["LabelName"] for row in found.rows if row["LabelName"] not in found.names
    }
    places = {image: row for row, image in enumerate(ids)}
    annotations = _annotations(found.rows, places, sizes, {label: at for at, label in enumerate(names)})
    origin = Origin("openimages", class_records={name: label.encode() for label, name in names.items()})
    classes = ClassMap(tuple(names.values()))
    roots = {options.source: photo_root}
    return Dataset(images, annotations, classes, roots, tuple(found.notes), {options.source: origin})


def pixels(edges: Any, sizes: Any) -> Any:
    """Return float64 (N, 4), x, y, w, h: the left edge is XMin * W, the width (XMax - XMin) * W.

    Args:
        edges: float64 (N, 4), XMin, XMax, YMin, YMax.
        sizes: float64 (N, 2), width and height.
    """
    low, high = edges[:, [0, 2]], edges[:, [1, 3]]
    return np.hstack([low * sizes, (high - low) * sizes])


def _annotations(
    rows: list[dict[str, Any]], places: dict[str, int], sizes: list[photos.Size], classes: dict[str, int]
) -> pa.Table:
    owners = [places[row["ImageID"]] for row in rows]
    edges = np.array([row["edges"] or [np.nan] * 4 for row in rows], dtype=np.float64).reshape(-1, 4)
    boxes = pixels(edges, np.array([sizes[owner] for owner in owners], dtype=np.float64).reshape(-1, 2))
    attributes = []
    for row in rows:
        kept = {name: value for name, value in row.items() if name not in _BASE and name != "edges" and value != ""}
        attributes.append(json.dumps(kept, ensure_ascii=False) if kept else None)
    columns: dict[str, Any] = {
        **{"id": range(len(rows)), "image_id": owners, "class_id": [classes[row["LabelName"]] for row in rows]},
        **{"value": [None] * len(rows), "attributes": attributes},
        "record": [
            ",".join([row["Confidence"], *(row[edge] for edge in EDGES if row["edges"])]).encode() for row in rows
        ],
        **{name: pa.array(column, from_pandas=True) for name, column in zip("xywh", boxes.T, strict=True)},
    }
    flags = {name: [_flag(row.get(name)) for row in rows] for name in FLAGS}
    columns |= {"occluded": flags["IsOccluded"], "truncated": flags["IsTruncated"]}
    columns["iscrowd"] = [None if flag is None else bool(flag) for flag in flags["IsGroupOf"]]
    if any(float(row["Confidence"]) != 1 for row in rows):
        columns["score"] = [float(row["Confidence"]) for row in rows]
    schema = pa.schema([*ANNOTATION_COLUMNS, *(item for item in MORE_ANNOTATION_COLUMNS if item.name in columns)])
    return pa.table({name: columns[name] for name in schema.names}, schema=schema)


def _flag(text: str | None) -> int | None:
    return {"1": 1, "0": 0}.get(text or "")
