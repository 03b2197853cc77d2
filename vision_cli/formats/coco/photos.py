"""Photos of a COCO file that is written: names, and records of the source where they are still right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vision_cli.core.columns import IMAGE_COLUMNS, MORE_IMAGE_COLUMNS
from vision_cli.core.dataset import Dataset
from vision_cli.formats.coco import images as coco_images
from vision_cli.formats.coco.categories import Categories
from vision_cli.formats.coco.images import Photos
from vision_cli.formats.coco.render import Id
from vision_cli.formats.coco.template import patched
from vision_cli.formats.json_source import JsonText
from vision_cli.formats.placing import photo_names
from vision_cli.formats.problems import Problems

_BLOCK_ROWS = 8192
_KNOWN = frozenset({*IMAGE_COLUMNS.names, *MORE_IMAGE_COLUMNS.names})
_CLASS_LISTS = ("neg_category_ids", "not_exhaustive_category_ids")
_WHERE = Path("records")

Splits = np.ndarray[Any, np.dtype[np.str_]]
Mask = NDArray[np.bool_]


def names(dataset: Dataset, splits: Splits, *, has_records: bool) -> list[str]:
    """Return what each photo is called in its file: as in the source where that is distinct, else a name of its own."""
    images = dataset.images
    if has_records and "record" in images.column_names and images["record"].null_count == 0:
        found = []
        for start in range(0, len(dataset), _BLOCK_ROWS):
            found += _said(images["record"].slice(start, _BLOCK_ROWS)).names.to_pylist()
        paths = images["path"].to_pylist()
        right = all(f"/{path}".endswith(f"/{name}") for path, name in zip(paths, found, strict=True))
        if right and len(set(zip(splits.tolist(), map(str.casefold, found), strict=True))) == len(found):
            return found
    return photo_names(dataset)


def _said(records: pa.ChunkedArray) -> Photos:
    text = JsonText(_WHERE, b"[" + b",".join(records.to_pylist()) + b"]")
    return coco_images.read(text, Problems(_WHERE), records=False)


def blocks(images: pa.Table, ids: Sequence[Id], names: Sequence[str], categories: Categories) -> Iterator[bytes]:
    """Yield the records of photos, parted by commas, in row order."""
    metadata = [name for name in images.column_names if name not in _KNOWN]
    for start in range(0, images.num_rows, _BLOCK_ROWS):
        part = images.slice(start, _BLOCK_ROWS)
        rows = _rows(part, metadata, ids[start : start + _BLOCK_ROWS], names[start : start + _BLOCK_ROWS])
        if categories.renumbered:
            rows = [_renumbered(row, categories.renumbered) for row in rows]
        yield b", ".join(_rendered(part, rows))


def _rows(part: pa.Table, metadata: Sequence[str], ids: Sequence[Id], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the members of each photo, those that say nothing left out."""
    found = part.select(["width", "height", *metadata]).to_pylist()
    return [
        {"id": value, "file_name": name}
        | {member_name(key): content for key, content in row.items() if content is not None}
        for value, name, row in zip(ids, names, found, strict=True)
    ]


def member_name(column: str) -> str:
    """Return what a metadata column is called in a record; see `coco_images.metadata_name`."""
    return column[:-1] if column.endswith("_") and column[:-1] in _KNOWN else column


def _renumbered(row: dict[str, Any], numbers: Mapping[Id, Id | None]) -> dict[str, Any]:
    """Put the written ids of classes into lists of them (LVIS); classes that are gone are left out."""
    for name in _CLASS_LISTS:
        if isinstance(row.get(name), list):
            moved = [numbers.get(value, value) for value in row[name]]
            row[name] = [value for value in moved if value is not None]
    return row


def _rendered(part: pa.Table, rows: Sequence[dict[str, Any]]) -> Iterator[bytes]:
    if "record" not in part.column_names or part["record"].null_count:
        yield from (msgspec.json.encode(row, enc_hook=str) for row in rows)
        return
    said = _said(part["record"])
    metadata = {name: column.to_pylist() for name, column in said.metadata.items()}
    ids, sizes, found = said.ids.tolist(), said.sizes.tolist(), said.names.to_pylist()
    for index, (record, row) in enumerate(zip(part["record"].to_pylist(), rows, strict=True)):
        before = {"id": ids[index], "file_name": found[index], "width": sizes[index][0], "height": sizes[index][1]}
        before |= {member_name(name): values[index] for name, values in metadata.items()}
        yield _row(record, row, before)


def _row(record: bytes, row: Mapping[str, Any], before: Mapping[str, Any]) -> bytes:
    """Return a record with what changed in it; sizes that it never said stay unsaid."""
    changes = {name: value for name, value in row.items() if before.get(name) != value}
    changes = {name: value for name, value in changes.items() if name not in ("width", "height") or before[name]}
    gone = {name: None for name, value in before.items() if value not in (None, 0) and name not in row}
    return patched(record, {**changes, **gone}) if changes or gone else record
