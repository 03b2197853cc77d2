"""Sources of COCO and LVIS files: found, read, and joined to one data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np

from vision_cli.core.containment import Containment
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import CARRIED, ReadOptions
from vision_cli.formats.coco import file as coco_file
from vision_cli.formats.coco import layout as coco_layout
from vision_cli.formats.coco import results as coco_results
from vision_cli.formats.coco import tables as coco_tables
from vision_cli.formats.coco.file import CocoFile, Keep
from vision_cli.formats.coco.flags import out_of_attributes
from vision_cli.formats.coco.layout import Kind, Labels
from vision_cli.formats.coco.tables import Part, Source
from vision_cli.formats.conserving import OUTLINES
from vision_cli.formats.problems import Problems

_LOOKED_AT = 5
_NAMED = 5


def read(path: Path, options: ReadOptions, name: str, kinds: frozenset[Kind]) -> Dataset:
    """Read a file or folder.

    Args:
        path: the file or folder.
        options: see `ReadOptions`.
        name: of the format.
        kinds: of files that are of this format.

    Raises:
        DataError: no such file, or something in one is wrong.
    """
    files, others = _files(path, kinds)
    notes = _notes(others)
    root = options.images or coco_layout.root_of(path)
    parts = []
    for labels in files:
        found = _read(labels, keep(options))
        prefix = _prefix(root, labels, found, alone=len(files) == 1, notes=notes)
        found = _with_sizes(found, root / prefix) if options.sizes else found
        parts.append(Part(found, labels.split, prefix))
    return out_of_attributes(coco_tables.dataset(Source(options.source, root, name), parts, notes))


def keep(options: ReadOptions) -> Keep:
    """Return what is needed of a file beyond plain columns."""
    need = options.need
    return Keep(_outlines(need), need is None or need >= frozenset(CARRIED))


def _outlines(need: frozenset[str] | None) -> frozenset[str]:
    """Return which outlines are needed; those that a target does not hold may become masks, unless it holds none."""
    if need is None or "mask" in need or ("box" not in need and need & OUTLINES):
        return OUTLINES
    return need & OUTLINES


def _files(path: Path, kinds: frozenset[Kind]) -> tuple[list[Labels], list[Path]]:
    try:
        if path.is_file():  # read whatever it is, so that the refusal names the place in it
            return [coco_layout.labels(path)], []
        files, others = coco_layout.find(path, kinds)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.", hint="Check the path.") from error
    if not files:
        _refuse(path)
    return files, others


def _refuse(path: Path) -> NoReturn:
    """Refuse a folder without a label file of this kind.

    Raises:
        DataError: of the only JSON file, what its reader says; else that there are others, or none.
    """
    there = coco_layout.json_files(path)
    if len(there) == 1:
        _read(coco_layout.labels(there[0]), Keep(frozenset(), False))
    if there:
        told = [f"{file.relative_to(path)}: {coco_layout.sniff(file) or 'no file of COCO'}" for file in there[:_NAMED]]
        more = [f"and {len(there) - _NAMED} more"] if len(there) > _NAMED else []
        raise DataError(
            f"{path}: no label file was found among {len(there)} JSON files.",
            details=[*told, *more],
            hint="Give a file itself, and its reader says what is wrong with it.",
        )
    raise DataError(
        f"{path}: no label file was found.",
        hint="Looked for: annotations/*.json, *.json, and _annotations.coco.json in folders of splits.",
    )


def _read(labels: Labels, kept: Keep) -> CocoFile:
    if coco_results.is_list(labels.path):
        return coco_results.read(labels.path, kept)
    return coco_file.read(labels.path, kept)


def _notes(others: Sequence[Path]) -> list[str]:
    if not others:
        return []
    names = ", ".join(file.name for file in others[:_NAMED])
    more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
    return [f"{len(others)} label files of another kind are left out: {names}{more}; give one itself to read it."]


def _prefix(root: Path, labels: Labels, found: CocoFile, *, alone: bool, notes: list[str]) -> str:
    """Return the folder of a file's photos, relative to the root; links that lead out of it are refused."""
    names: list[str] = found.photos.names[:_LOOKED_AT].to_pylist()
    prefix, seen = coco_layout.prefix(root, labels, names, alone=alone)
    if names and not seen:
        notes.append(f"{labels.path.name}: its photos, such as {names[0]!r}, are not below {root.name or root}.")
    fence, problems = Containment(root), Problems(labels.path)
    folders = {name.rpartition("/")[0] for name in found.photos.names.to_pylist() if "/" in name}
    for folder in sorted(folders):
        if not fence.holds("/".join(filter(None, (prefix, folder, "x")))):
            problems.add("folders out of the root", f"{folder!r} leads out of {root}", hint="Links stay inside of it.")
    problems.refuse("folders of photos")
    return prefix


def _with_sizes(found: CocoFile, folder: Path) -> CocoFile:
    """Take sizes that the file does not say from the photos."""
    rows = np.flatnonzero((found.photos.sizes < 1).any(axis=1)).tolist()
    if not rows:
        return found
    from vision_cli.formats import photos

    problems, sizes = Problems(found.path), found.photos.sizes.copy()
    names = [found.photos.names[row].as_py() for row in rows]
    fence = Containment(folder)
    for row, size in zip(rows, photos.sizes([fence.path(name) for name in names]), strict=True):
        if isinstance(size, DataError):
            text = f"images[{row}]: no width and height, and {size.message}"
            problems.add("photos without size", text, hint="Write width and height, or put the photos there.")
        else:
            sizes[row] = size
    problems.refuse(f"photos of {len(found.photos.ids)}")
    return replace(found, photos=replace(found.photos, sizes=sizes))
