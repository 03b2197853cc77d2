"""Read a folder of KITTI labels into columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS
from vision_cli.core.dataset import ClassMap, Dataset, Split
from vision_cli.core.errors import DataError
from vision_cli.core.origin import Origin
from vision_cli.formats import ReadOptions, photos
from vision_cli.formats.kitti.layout import (
    LIST_NAMES,
    LISTS,
    Layout,
    find_layout,
    header_of,
    list_entries,
    split_of_folder,
)
from vision_cli.formats.kitti.lines import check, name_of, parse, split_lines, to_columns
from vision_cli.formats.label_walk import parent_of, read_small, stem_of, tree
from vision_cli.formats.problems import Problems

_NAMED = 5


@dataclass(slots=True)
class _Photos:
    """Photos in row order: their paths, their label files or None, and whether the photo itself is there."""

    paths: list[str]
    labels: list[str | None]
    there: bool


@dataclass(slots=True)
class _Lines:
    """Lines of all label files in row order of their photos, and each file's bytes."""

    records: list[bytes]
    rows: np.ndarray[Any, np.dtype[np.int64]]
    contents: list[bytes | None]
    files: list[str | None]

    def place(self, record: int) -> str:
        """Return the file and the line of a record."""
        row = int(self.rows[record])
        first = int(np.searchsorted(self.rows, row))
        before = self.records[first:record]
        blank = self.records[record][: -len(self.records[record].lstrip())].count(b"\n")
        line = sum(text.count(b"\n") for text in before) + blank + 1
        return f"{self.files[row]}:{line}"


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read a folder of KITTI labels; see `kitti.read`."""
    if not path.is_dir():
        raise DataError(f"{path}: is not a folder.", hint="Give the folder that holds label_2 and image_2.")
    layout = find_layout(tree(path, ".txt"))
    if options.images is not None:
        _use_images(layout, options.images)
    if not layout.labels:
        raise DataError(f"{path}: no KITTI label file is there.", hint="Labels lie in training/label_2/*.txt.")
    problems = Problems(path)
    found = _photos(layout, problems)
    lines = _lines(path, found, problems)
    problems.refuse(f"files of {len(layout.labels)}")
    table = parse(lines.records, lambda row, kind, text: problems.add(kind, f"{lines.place(row)}: {text}"))
    problems.refuse(f"lines of {len(lines.records)}")
    check(table, lambda row, kind, text: problems.add(kind, f"{lines.place(row)}: {text}"))
    root = options.images or path
    sizes = _sizes(root, found, options, problems)
    problems.refuse(f"entries of {len(lines.records)} lines and {len(found.paths)} photos")
    lists = {name: read_small(f"{path}/{name}") for name in layout.lists}
    splits, notes = _splits(found.paths, lists)
    images = _images(options.source, found, sizes, splits).append_column("record", _file_records(lines))
    annotations, classes = _annotations(lines, table)
    header = {} if options.images is not None else header_of(layout, lists)
    origin = Origin("kitti", options.pixels or "inclusive-0", header=header, companions=layout.companions)
    notes += _notes(found, lists, annotations, classes)
    return Dataset(images, annotations, classes, {options.source: root}, tuple(notes), {options.source: origin})


def _use_images(layout: Layout, folder: Path) -> None:
    """Take photos from another folder, each by its stem."""
    layout.photos.clear()
    for path in tree(folder, ".txt").photos:
        layout.photos.setdefault(("", stem_of(path.rpartition("/")[2])), []).append(path)
    labels = {("", stem): label for (_, stem), label in layout.labels.items()}
    if len(labels) < len(layout.labels):
        raise DataError(
            f"{folder}: {len(layout.labels) - len(labels)} label files have the name of another one.",
            hint="With `images`, names of label files are distinct: read one folder of labels at a time.",
        )
    layout.labels = labels


def _photos(layout: Layout, problems: Problems) -> _Photos:
    """Return the photos in order of their paths; those of labels alone if there is not one photo."""
    if not layout.photos:
        keys = sorted(layout.labels, key=lambda key: layout.labels[key])
        paths = [f"{folder}/{stem}.png".lstrip("/") for folder, stem in keys]
        return _Photos(paths, [layout.labels[key] for key in keys], there=False)
    for key in sorted(layout.labels.keys() - layout.photos.keys()):
        problems.add(
            "labels without photo",
            f"{layout.labels[key]}: no photo {'/'.join(filter(None, key))}.*",
            hint="Copy the photos there, or move these labels away.",
        )
    for key, paths in layout.photos.items():
        if len(paths) > 1 and key in layout.labels:
            problems.add("labels of several photos", f"{layout.labels[key]}: {' and '.join(paths)}")
    pairs = sorted((path, layout.labels.get(key)) for key, paths in layout.photos.items() for path in paths)
    return _Photos([path for path, _ in pairs], [label for _, label in pairs], there=True)


def _lines(root: Path, found: _Photos, problems: Problems) -> _Lines:
    records: list[bytes] = []
    contents: list[bytes | None] = []
    counts = []
    for label in found.labels:
        content = None
        if label is not None:
            try:
                content = read_small(f"{root}/{label}")
            except DataError as error:
                problems.add("unreadable files", error.message)
        lines = split_lines(content) if content else []
        records += lines
        counts.append(len(lines))
        contents.append(content)
    rows = np.repeat(np.arange(len(counts)), counts)
    return _Lines(records, rows, contents, found.labels)


def _sizes(root: Path, found: _Photos, options: ReadOptions, problems: Problems) -> list[photos.Size | None]:
    if not found.there or not options.sizes:
        return [None] * len(found.paths)
    sizes: list[photos.Size | None] = []
    for size in photos.sizes([root / path for path in found.paths]):
        if isinstance(size, DataError):
            problems.add("unreadable photos", size.message)
        sizes.append(None if isinstance(size, DataError) else size)
    return sizes


def _splits(paths: Sequence[str], lists: dict[str, bytes]) -> tuple[list[Split | None], list[str]]:
    """Return the split of each photo: the list of `ImageSets` that names it, else the folder that it is in."""
    folders = {folder: split_of_folder(folder) for folder in {parent_of(path) for path in paths}}
    splits = [folders[parent_of(path)] for path in paths]
    listed = {name: list_entries(lists[f"{LISTS}/{name}.txt"]) for name in LIST_NAMES if f"{LISTS}/{name}.txt" in lists}
    if not listed:
        return splits, []
    rows: dict[tuple[bool, str], int] = {}
    for row, path in enumerate(paths):
        rows[splits[row] == "test", stem_of(path.rpartition("/")[2])] = row
    missing: list[str] = []
    twice: list[str] = []
    placed: set[int] = set()
    for name, stems in listed.items():
        for stem in stems:
            at = rows.get((name == "test", stem), rows.get((name != "test", stem)))
            if at is None:
                missing.append(f"{stem} ({name})")
            elif at in placed:
                twice.append(f"{stem} ({name})")
            else:
                placed.add(at)
                splits[at] = LIST_NAMES[name]
    found = {"have no photo": missing, "stand in another list already, which counts": twice}
    return splits, [f"{len(names)} names in {LISTS} {what}: {_some(names)}." for what, names in found.items() if names]


def _images(
    source: str, found: _Photos, sizes: Sequence[photos.Size | None], splits: Sequence[Split | None]
) -> pa.Table:
    number = len(found.paths)
    return pa.table(
        {
            "id": range(number),
            "source": [source] * number,
            "path": found.paths,
            "width": [size and size[0] for size in sizes],
            "height": [size and size[1] for size in sizes],
            "split": splits,
            "group": [None] * number,
        },
        schema=IMAGE_COLUMNS,
    )


def _file_records(lines: _Lines) -> pa.Array:
    """Return the bytes of files without a line with text; null where there is no file, or its lines have them."""
    filled = np.zeros(len(lines.contents), dtype=np.bool_)
    filled[lines.rows] = True
    kept = [b"" if full else content for full, content in zip(filled.tolist(), lines.contents, strict=True)]
    return pa.array(kept, type=pa.binary())


def _annotations(lines: _Lines, table: pa.Table) -> tuple[pa.Table, ClassMap]:
    words = pc.dictionary_encode(table["type"].combine_chunks())
    spelled = [name_of(word) for word in words.dictionary.to_pylist()]
    classes = ClassMap(tuple(sorted(set(spelled))))
    where = {name: index for index, name in enumerate(classes.names)}
    ids = np.array([where[name] for name in spelled], dtype=np.int32)
    number = len(lines.records)
    base = {
        "id": pa.array(np.arange(number)),
        "image_id": pa.array(lines.rows),
        "class_id": pa.array(ids[words.indices.to_numpy()] if number else [], type=pa.int32()),
        "value": pa.nulls(number, pa.float64()),
    }
    more = {name: column for name, column in to_columns(table).items() if name != "score" or column.null_count < number}
    records = {"record": pa.array(lines.records, type=pa.binary())}
    return pa.table({**base, **records, **more}).cast(_schema(records, more)), classes


def _schema(*columns: dict[str, pa.Array]) -> pa.Schema:
    more = [pa.field(name, column.type) for group in columns for name, column in group.items()]
    return pa.schema([*ANNOTATION_COLUMNS, *more])


def _notes(found: _Photos, lists: dict[str, bytes], annotations: pa.Table, classes: ClassMap) -> list[str]:
    notes = []
    if not found.there:
        notes.append(f"no photo is there; {len(found.paths)} label files are read without them, sizes are unknown.")
    elif without := sum(label is None for label in found.labels):
        notes.append(f"{without} photos have no label file.")
    if "DontCare" in classes.names:
        regions = pc.sum(pc.equal(annotations["class_id"], classes.index("DontCare"))).as_py()
        notes.append(f"{regions} DontCare regions are read as a class of that name.")
    return notes


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
