"""Write COCO and LVIS files: one a split, ids and records as they came where they still say what the columns say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.dataset import SPLITS, Dataset
from vision_cli.core.files import disk_errors
from vision_cli.core.origin import Origin
from vision_cli.formats import Written
from vision_cli.formats.coco import categories as coco_categories
from vision_cli.formats.coco import photos as coco_photos
from vision_cli.formats.coco import render as coco_render
from vision_cli.formats.coco.render import Id, Ids
from vision_cli.formats.coco.results import MARKER

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})", re.ASCII)
FAMILY = ("coco", "lvis")
_UNSPLIT_FOLDER = "images"


@dataclass(frozen=True, slots=True)
class _File:
    """One file: its split, the rows of its photos, and what each is called in it."""

    split: str
    rows: np.ndarray[Any, np.dtype[np.int64]]
    names: Sequence[str]


def write(dataset: Dataset, folder: Path, name: str) -> Written:
    """Write a file a split below `annotations`; photos belong into a folder a split, else into `images`.

    Args:
        dataset: annotations all have a class.
        folder: there and empty.
        name: `coco` or `lvis`: what the file's name begins with.
    """
    origins = list(dataset.origins.values())
    kept = origins[0] if len(origins) == 1 and origins[0].format in FAMILY else None
    categories = coco_categories.of(dataset, origins, kept)
    splits = dataset.splits()
    places: list[str | None] = [None] * len(dataset)
    names = coco_photos.names(dataset, splits, has_records=kept is not None)
    annotation_splits = splits[dataset.rows_of(dataset.annotations["image_id"])]
    for split in [*SPLITS, ""]:
        rows = np.flatnonzero(splits == split)
        if not len(rows) and not (split == "" and not len(dataset)):
            continue
        file = _File(split, rows, [names[row] for row in rows.tolist()])
        part = _Part(dataset, kept, categories, file)
        part.write(folder / "annotations" / _file_name(name, split), pa.array(annotation_splits == split))
        for row, photo in zip(rows.tolist(), file.names, strict=True):
            places[row] = f"{split or _UNSPLIT_FOLDER}/{photo}"
    notes = ["The results became annotations with scores."] if kept is not None and MARKER in kept.header else []
    numbers = {key: value for key, value in categories.ids.items() if isinstance(value, int)}
    return Written(places, numbers, notes)


def _file_name(name: str, split: str) -> str:
    return "_".join(filter(None, ["instances" if name == "coco" else "lvis", split])) + ".json"


@dataclass(frozen=True, slots=True)
class _Part:
    """What one file is made of."""

    dataset: Dataset
    origin: Origin | None
    categories: coco_categories.Categories
    file: _File

    def write(self, path: Path, chosen: pa.Array) -> None:
        """Write the file; what a block of annotations takes is all the memory that it needs."""
        images = self.dataset.images.take(pa.array(self.file.rows))
        annotations = self.dataset.annotations.filter(chosen)
        has_records = self.origin is not None
        image_ids = ids(images, has_records=has_records)
        own = ids(annotations, has_records=has_records)
        where = pc.index_in(annotations["image_id"], images["id"].combine_chunks())
        owners = [image_ids[row] for row in where.to_pylist()]
        if self.origin is None:
            images, annotations = (_without_records(table) for table in (images, annotations))
        found = Ids(own, owners, list(self.categories.ids.values()))
        photo_blocks = coco_photos.blocks(images, image_ids, self.file.names, self.categories)
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as out:
                out.write(b"{" + b"".join(self._header()) + b'"images": [')
                out.writelines(_parted(photo_blocks))
                out.write(b'], "annotations": [')
                out.writelines(_parted(coco_render.blocks(annotations, found)))
                out.write(b'], "categories": [' + b", ".join(self.categories.records) + b"]}\n")

    def _header(self) -> list[bytes]:
        """Return the other members that this file had, or the two that every such file has."""
        if self.origin is None:
            return [b'"info": {}, "licenses": [], ']
        found: dict[str, bytes] = {}
        for name, value in self.origin.header.items():
            split, slash, member = name.rpartition("/")
            if name != MARKER and (not slash or split == self.file.split or split not in SPLITS):
                found[member if slash else name] = value
        return [msgspec.json.encode(name) + b": " + value + b", " for name, value in found.items()]


def _without_records(table: pa.Table) -> pa.Table:
    return table.drop_columns(["record"]) if "record" in table.column_names else table


def _parted(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Put commas between blocks."""
    first = True
    for block in blocks:
        if not first:
            yield b", "
        yield block
        first = False


def ids(table: pa.Table, *, has_records: bool) -> list[Id]:
    """Return the ids of a file's photos or annotations: the source's if they are distinct, else from 1.

    They are whole numbers; texts only where the source's own records hold texts.
    """
    total = table.num_rows
    counted: list[Id] = list(range(1, total + 1))
    if "source_id" not in table.column_names or not total:
        return counted
    texts = table["source_id"].to_pylist()
    if None in texts or len(set(texts)) != total:
        return counted
    if has_records and "record" in table.column_names and table["record"].null_count == 0:
        typed = _typed(table["record"])
        if [str(value) for value in typed] == texts:
            return typed
    if all(map(_INTEGER.fullmatch, texts)) and "-0" not in texts:
        return [int(text) for text in texts]
    return counted


class _Identified(msgspec.Struct, gc=False):
    id: int | float | str | None = None


_IDENTIFIED = msgspec.json.Decoder(_Identified)


def _typed(records: pa.ChunkedArray) -> list[Id]:
    """Return the ids that records say, as they say them."""
    found: list[Any] = []
    for chunk in records.chunks:
        found += [_IDENTIFIED.decode(record).id for record in chunk.to_pylist()]
    return [int(value) if isinstance(value, float) and value.is_integer() else value for value in found]
