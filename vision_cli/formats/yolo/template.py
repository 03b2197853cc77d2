"""Rows that came from YOLO: written back with their own bytes as long as these say what the columns say."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.dataset import Dataset
from vision_cli.formats.yolo.rows import Flags, Integers, KeypointShape, Rows, forms, geometry, parse
from vision_cli.formats.yolo.shares import Objects
from vision_cli.formats.yolo.yaml import HEADER, keypoint_shape

_CLASS = re.compile(rb"^(\s*)\S+")


@dataclass(frozen=True, slots=True)
class Source:
    """What is left of a YOLO source.

    Attributes:
        header: its `data.yaml`.
        shape: its `kpt_shape`.
        photos: bool (N,), photos that came from YOLO.
    """

    header: bytes | None
    shape: KeypointShape | None
    photos: Flags


def source_of(dataset: Dataset) -> Source:
    """Return what is left of YOLO sources; `data.yaml` only where they agree on it."""
    ours = [name for name, origin in dataset.origins.items() if origin.format == "yolo"]
    headers = {dataset.origins[name].header.get(HEADER) for name in ours}
    header = headers.pop() if len(headers) == 1 else None
    is_ours = pc.is_in(dataset.images["source"], pa.array(ours, pa.string()))
    return Source(header, keypoint_shape(header), np.asarray(is_ours.to_numpy(), dtype=np.bool_))


def class_ids_of(dataset: Dataset) -> dict[str, int]:
    """Return the source's own ids where its classes are all there in order, else places in the class map."""
    names = dataset.classes.names
    for origin in dataset.origins.values():
        if len(dataset.roots) == 1 and origin.format == "yolo" and tuple(origin.class_ids) == names:
            return dict(origin.class_ids)
    return {name: index for index, name in enumerate(names)}


def templates(dataset: Dataset, found: Objects, source: Source, class_ids: Integers) -> list[bytes | None] | None:
    """Return the bytes of each row that still says what the columns say, None for the others; None where no row can.

    Args:
        dataset: any.
        found: its objects.
        source: what is left of YOLO.
        class_ids: int64 (N,), what each row's class is called now.
    """
    table = dataset.annotations
    if "record" not in table.column_names or not source.photos.any():
        return None
    records = table["record"].to_pylist()
    candidates = [row for row in np.flatnonzero(source.photos[found.photos]).tolist() if records[row] is not None]
    rows = parse([records[row] for row in candidates])
    if not candidates or len(rows.records) != len(candidates):
        return None
    places = np.array(candidates, dtype=np.int64)
    agrees = _agreeing(table.take(pa.array(places)), rows, found, places)
    same_class = rows.classes == class_ids[places]
    result: list[bytes | None] = [None] * len(table)
    for index in np.flatnonzero(agrees).tolist():
        row = candidates[index]
        text: bytes = records[row]
        result[row] = text if same_class[index] else _CLASS.sub(rb"\g<1>%d" % class_ids[row], text)
    return result


def _agreeing(table: pa.Table, rows: Rows, found: Objects, places: Integers) -> Flags:
    """Return bool (M,): the rows whose bytes give the columns' very values in pixels."""
    forms_found = forms(rows, found.shape)
    shapes = geometry(rows, forms_found, found.sizes[places], outlines="outline" in table.column_names)
    agrees = (forms_found.coordinates > 0) & (shapes.boxes == found.boxes[places]).all(axis=1)
    for name, texts in (("outline", shapes.outlines), ("keypoints", shapes.keypoints)):
        if name in table.column_names:
            agrees &= np.array([a == b for a, b in zip(table[name].to_pylist(), texts, strict=True)], dtype=np.bool_)
        elif name == "outline":
            agrees &= ~forms_found.polygons | ("outline_parts" in table.column_names)
    scores = table["score"].to_numpy() if "score" in table.column_names else np.full(len(places), np.nan)
    agrees &= (scores == shapes.scores) | (np.isnan(scores) & np.isnan(shapes.scores))
    return np.asarray(agrees)
