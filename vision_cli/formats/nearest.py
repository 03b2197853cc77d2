"""The format that a data set which no format takes is most like, by outer signs, and why it does not read as that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vision_cli.core.errors import DataError, VisionError
from vision_cli.formats import FORMATS, ReadOptions, read_as
from vision_cli.formats.folder_walk import entries, is_file
from vision_cli.formats.photos import is_photo_name

_HEAD_BYTES = 1 << 16
_LOOKED_AT = 200
_DEPTH = 4
_YOLO_COLUMNS, _KITTI_NUMBERS = 5, 6
_ANY_TABLE = "csv"  # a table may be anything: it tells only where no other file does
_NUMBER = re.compile(rb"[+-]?[\d.]+")
_NO_LABELS = frozenset({"classes.txt", "readme.txt", "notes.txt", "labels.txt", "train.txt", "val.txt", "test.txt"})

_WORDS: dict[str, tuple[tuple[str, tuple[bytes, ...]], ...]] = {
    ".json": (
        ("panoptic", (b'"segments_info"',)),
        ("labelme", (b'"shapes"',)),
        ("labelstudio", (b'"data"', b'"annotations"')),
        ("coco", (b'"images"', b'"file_name"')),
        ("coco", (b'"annotations"', b'"image_id"')),
        ("coco", (b'"categories"', b'"supercategory"')),
        ("coco", (b'"info"', b'"licenses"')),
    ),
    ".xml": (("cvat", (b"<annotations",)), ("voc", (b"<annotation",))),
    ".jsonl": (("huggingface", (b'"file_name"',)),),
    ".csv": (("openimages", (b"ImageID", b"LabelName")), ("huggingface", (b"file_name",)), ("csv", ())),
    ".tsv": (("csv", ()),),
    ".yaml": (("yolo", (b"names", b"train")),),
    ".yml": (("yolo", (b"names", b"train")),),
    ".data": (("yolo", (b"names", b"train")),),
    ".tfrecord": (("tfrecord", ()),),
    ".record": (("tfrecord", ()),),
    ".tar": (("webdataset", ()),),
    ".parquet": (("huggingface", ()),),
}
"""By suffix: formats, and words that are all within the first 64 kB of a file of theirs."""


_OF_OBJECTS = frozenset({"coco", "labelme", "panoptic", "cvat", "voc"})
"""Formats whose files no folder of photos has by chance."""


@dataclass(frozen=True, slots=True)
class Near:
    """What a data set is most like.

    Attributes:
        format: of the table of formats.
        sign: what speaks for it.
        refusal: of its reader; None where it reads once it is named.
    """

    format: str
    sign: str
    refusal: VisionError | None


def nearest(path: Path) -> Near | None:
    """Return the format whose outer signs the first telling file has; None where no file has any.

    Its reader is asked, so this takes as long as reading; it is for data that is refused anyway.
    """
    told = ((file, name) for file in _label_files(path) if (name := _format_of(file)) is not None)
    first: dict[bool, tuple[Path, str]] = {}
    for file, name in told:
        first.setdefault(name == _ANY_TABLE, (file, name))
        if False in first:
            break
    if not first:
        return None
    file, name = first.get(False) or first[True]
    return Near(name, str(file.relative_to(path)) if path.is_dir() else file.name, _refusal(name, path))


def has_labels(path: Path) -> bool:
    """Return whether a file in a folder, or in one right below, is of a format of objects by its outer signs."""
    near = (file for file in _label_files(path) if file.parent == path or file.parent.parent == path)
    return any(_format_of(file) in _OF_OBJECTS for file in near)


def refusal(path: Path, near: Near) -> DataError:
    """Return the error of a path that no format takes, with the reason of the nearest one."""
    start, formats = f"{path}: no format fits. By {near.sign} it is nearest to {near.format}", ", ".join(FORMATS)
    known = f"Formats: {formats}."
    if near.refusal is None:
        hint = f"Name the format: --from {near.format}, or `format` of the source. {known}"
        return DataError(f"{start}, which reads it if you say so.", hint=hint)
    hint = f"{near.refusal.hint} {known}" if near.refusal.hint else known
    return DataError(f"{start}, which refuses it: {near.refusal.message}", details=near.refusal.details, hint=hint)


def _refusal(name: str, path: Path) -> VisionError | None:
    try:
        read_as(name, path, ReadOptions("data"))
    except VisionError as error:
        return error
    return None


def _label_files(path: Path) -> Iterator[Path]:
    """Yield the first files that are no photos, those of upper folders first; links to folders are not followed."""
    waiting, left = ([path] if path.is_dir() else []), _LOOKED_AT
    if not waiting:
        yield path
    for _ in range(_DEPTH):
        deeper: list[Path] = []
        for folder in waiting[:_LOOKED_AT]:
            with suppress(OSError):
                found = entries(folder)
                deeper += [Path(entry.path) for entry in found if entry.is_dir(follow_symlinks=False)]
                files = [Path(entry.path) for entry in found if not is_photo_name(entry.name) and is_file(entry)]
                yield from files[: max(left, 0)]
                left -= len(files)
        waiting = deeper


def _format_of(file: Path) -> str | None:
    """Return the format that a file's name and beginning are of."""
    try:
        with file.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError:
        return None
    if file.suffix.lower() == ".txt":
        return None if file.name.lower() in _NO_LABELS else _of_text(file, head)
    candidates = _WORDS.get(file.suffix.lower(), ())
    return next((name for name, words in candidates if all(word in head for word in words)), None)


def _of_text(file: Path, head: bytes) -> str | None:
    """Tell label files by their first line: YOLO's begins with a number, KITTI's with a word, and is longer."""
    if file.parent.name.lower().startswith("label_"):
        return "kitti"
    words = next((line.split() for line in head.splitlines() if line.strip()), [])
    numbers = [_NUMBER.fullmatch(word) is not None for word in words]
    if numbers and numbers[0]:
        return "yolo" if len(words) >= _YOLO_COLUMNS else None
    return "kitti" if sum(numbers) >= _KITTI_NUMBERS else None
