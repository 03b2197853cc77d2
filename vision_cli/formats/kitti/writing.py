"""Write KITTI label files from columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.dataset import Dataset
from vision_cli.core.origin import Origin
from vision_cli.formats import Written
from vision_cli.formats.by_photo import Offsets, by_photo
from vision_cli.formats.comparing import differs
from vision_cli.formats.edges import far_edges
from vision_cli.formats.kitti.layout import LIST_NAMES, LISTS, label_path, list_entries, split_of_folder
from vision_cli.formats.kitti.lines import NAMES, UNKNOWN, name_of, parse, to_columns, type_of
from vision_cli.formats.label_files import Content, write_files
from vision_cli.formats.label_walk import parent_of, stem_of
from vision_cli.formats.placing import named_by, photo_names, stems
from vision_cli.formats.text_columns import constant, cut, joined

_FOLDERS = {"test": "testing"}
_OF_FIELD = {"left": "x", "top": "y", "right": ("x", "w"), "bottom": ("y", "h")}
_WORD = re.compile(rb"[^ \r\n]+")
_PHOTOS_AT_ONCE = 1 << 12

Mask = np.ndarray[Any, np.dtype[np.bool_]]


def write(dataset: Dataset, folder: Path) -> Written:
    """Write a label file a photo, and lists of splits where folders do not say them; see `kitti.write`."""
    origin = _own_origin(dataset)
    photos, labels = _places(dataset, origin)
    annotations, offsets = by_photo(dataset)
    if origin is None:
        files: Iterator[tuple[str, Content]] = _new_files(dataset, labels, annotations, offsets)
    else:
        files = _own_files(dataset, labels, _own_lines(annotations, dataset.classes.names), offsets)
    write_files(folder, files)
    write_files(folder, _lists(dataset, photos, origin))
    return Written(photos, {})


def _own_origin(dataset: Dataset) -> Origin | None:
    """Return the origin of a data set that came from one KITTI folder."""
    origins = [dataset.origins.get(source) for source in dataset.roots]
    origin = origins[0] if len(origins) == 1 else None
    return origin if origin is not None and origin.format == "kitti" else None


def _places(dataset: Dataset, origin: Origin | None) -> tuple[list[str], list[str]]:
    """Return the path of each photo and of its label file: where they were, or in the development kit's folders."""
    if origin is not None and "layout" in origin.header:
        pairs = msgspec.json.decode(origin.header["layout"], type=dict[str, str])
        photos: list[str] = dataset.images["path"].to_pylist()
        return photos, [label_path(photo, pairs) for photo in photos]
    names = photo_names(dataset)
    tops = [_FOLDERS.get(split, "training") for split in dataset.splits().tolist()]
    short = stems(names)
    photos = [f"{top}/image_2/{name}" for top, name in zip(tops, named_by(short, names), strict=True)]
    labels = [f"{top}/label_2/{stem}.txt" for top, stem in zip(tops, short, strict=True)]
    return photos, labels


def _new_files(
    dataset: Dataset, labels: Sequence[str], table: pa.Table, offsets: Offsets
) -> Iterator[tuple[str, Content]]:
    """Yield a label file a photo, the lines of so many photos at once."""
    for first in range(0, len(labels), _PHOTOS_AT_ONCE):
        bounds = offsets[first : first + _PHOTOS_AT_ONCE + 1]
        part = table.slice(int(bounds[0]), int(bounds[-1] - bounds[0]))
        lines = _lines(_fields(part, dataset.classes.names), part.num_rows)
        contents = cut(lines, (bounds - bounds[0]).tolist())
        yield from zip(labels[first : first + _PHOTOS_AT_ONCE], contents, strict=True)


def _own_files(
    dataset: Dataset, labels: Sequence[str], lines: Sequence[bytes], offsets: Offsets
) -> Iterator[tuple[str, bytes]]:
    """Yield label files; a photo that had none in the source, and has no annotation now, gets none."""
    bounds: list[int] = offsets.tolist()
    for row, record in enumerate(_image_records(dataset)):
        content = b"".join(lines[bounds[row] : bounds[row + 1]])
        if content or record is not None:
            yield labels[row], content or record or b""


def _image_records(dataset: Dataset) -> list[bytes | None]:
    images = dataset.images
    return images["record"].to_pylist() if "record" in images.column_names else [b""] * images.num_rows


def _lines(fields: Mapping[str, Any], number: int) -> pa.Array:
    """Return binary (N,), a line each with its line end, in row order."""
    if not number:
        return pa.array([], pa.binary())
    spaced = [fields[NAMES[0]], *(part for name in NAMES[1:-1] for part in (" ", fields[name]))]
    if "score" in fields:
        plain = joined(*spaced)
        spaced = [pc.coalesce(joined(plain, " ", fields["score"]), plain)]
    return joined(*spaced, "\n").cast(pa.binary())


def _own_lines(table: pa.Table, names: Sequence[str]) -> list[bytes]:
    fields = _fields(table, names)
    lines = _lines(fields, table.num_rows)
    return _kept(table, names, fields, lines) if "record" in table.column_names else lines.to_pylist()


def _fields(table: pa.Table, names: Sequence[str]) -> dict[str, pa.Array]:
    """Return the text of each column of KITTI's, unknown values included; `score` with nulls, if there is any."""
    columns = {name: table[name].combine_chunks() for name in table.column_names}
    types = pa.array([type_of(name) for name in names], type=pa.string())
    fields = {"type": types.take(columns["class_id"])}
    for name, unknown in UNKNOWN.items():
        column = columns.get(name)
        text = str(unknown)
        unsaid = column is None or column.null_count == len(column)
        fields[name] = constant(text) if unsaid else pc.fill_null(pc.cast(column, pa.string()), text)
    boxes = {name: columns[name].to_numpy(zero_copy_only=False) for name in "xywh"}
    fields["left"], fields["top"] = (pc.cast(columns[name], pa.string()) for name in "xy")
    fields["right"] = far_edges(boxes["x"], boxes["w"])
    fields["bottom"] = far_edges(boxes["y"], boxes["h"])
    if "score" in columns:
        fields["score"] = pc.cast(columns["score"], pa.string())
    return fields


def _kept(table: pa.Table, names: Sequence[str], fields: Mapping[str, pa.Array], lines: pa.Array) -> list[bytes]:
    """Return the source's own lines; of those that say something else by now, with these values anew."""
    records = table["record"].combine_chunks()
    has = np.flatnonzero(np.asarray(records.is_valid()))
    own = records.take(pa.array(has)).to_pylist()
    wrong: list[int] = []
    parsed = parse(own, lambda row, *_: wrong.append(row))
    changed = _changes(table.take(pa.array(has)), names, parsed)
    result = lines.to_pylist()
    for row, record in zip(has.tolist(), own, strict=True):
        result[row] = record
    for at in sorted({*wrong, *np.flatnonzero(np.any(list(changed.values()), axis=0)).tolist()}):
        row = int(has[at])
        anew = {name: fields[name] for name, rows in changed.items() if rows[at]}
        result[row] = lines[row].as_py() if at in wrong else _anew(own[at], anew, row)
    return _ended(result, table)


def _changes(table: pa.Table, names: Sequence[str], parsed: pa.Table) -> dict[str, Mask]:
    """Return which rows say something else than their record, by KITTI's column."""
    columns = to_columns(parsed)
    changes = {name: differs(table[name], column) for name, column in columns.items() if name in table.column_names}
    words = [name_of(word) for word in parsed["type"].to_pylist()]
    now = pa.array(names, type=pa.string()).take(table["class_id"].combine_chunks())
    changed = {"type": ~np.asarray(pc.equal(pa.array(words, pa.string()), now).to_numpy(zero_copy_only=False))}
    changed |= {name: changes[name] for name in changes if name not in "xywh"}
    for near, far, start, extent in (("left", "right", "x", "w"), ("top", "bottom", "y", "h")):
        changed[near] = changes[start]
        changed[far] = changes[start] | changes[extent]
    return changed


def _anew(record: bytes, fields: Mapping[str, pa.Array], row: int) -> bytes:
    """Return a line with some of its words replaced, its spaces and its end as they were."""
    words = list(_WORD.finditer(record))
    texts = {}
    for name, column in fields.items():
        value = column.as_py() if isinstance(column, pa.Scalar) else column[row].as_py()
        texts[NAMES.index(name)] = b"" if value is None else value.encode()
    score = len(NAMES) - 1
    parts, at = [], 0
    for index, word in enumerate(words):
        parts += [record[at : word.start()], texts.get(index, word[0])]
        at = word.end()
    if texts.get(score) and len(words) == score:
        parts.append(b" " + texts[score])
    return b"".join([*parts, record[at:]])


def _ended(lines: list[bytes], table: pa.Table) -> list[bytes]:
    """Return the lines, each but the last of its photo with a line end: a file's last line may have had none."""
    photos = table["image_id"].to_numpy()
    for row in np.flatnonzero(photos[1:] == photos[:-1]).tolist():
        if not lines[row].endswith((b"\n", b"\r")):
            lines[row] += b"\n"
    return lines


def _lists(dataset: Dataset, photos: Sequence[str], origin: Origin | None) -> Iterator[tuple[str, bytes]]:
    """Yield the source's own lists of splits where they still hold, else new ones where folders do not say it all."""
    splits = dataset.splits().tolist()
    own = {name: content for name, content in (origin.header.items() if origin else ()) if name.startswith(LISTS)}
    if not own and not any(splits):
        return
    names = [stem_of(photo.rpartition("/")[2]) for photo in photos]
    folders = [split_of_folder(parent_of(photo)) or "" for photo in photos]
    unique = len(set(names)) == len(names)
    for split in LIST_NAMES:
        now = {name for name, is_of in zip(names, splits, strict=True) if is_of == split}
        others = {
            name
            for name, is_of in zip(names, splits, strict=True)
            if is_of != split and (unique or (is_of == "test") == (split == "test"))
        }
        content = own.pop(f"{LISTS}/{split}.txt", None)
        entries = set() if content is None else set(list_entries(content))
        if content is not None and entries >= now and entries.isdisjoint(others):
            yield f"{LISTS}/{split}.txt", content
        elif now and folders != splits:
            yield f"{LISTS}/{split}.txt", "".join(f"{name}\n" for name in names if name in now).encode()
    yield from own.items()
