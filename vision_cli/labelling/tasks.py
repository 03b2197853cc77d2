"""`labelling.json`: what an export asked, so that answers find their photos and their pre-annotations again."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from vision_cli.core import files
from vision_cli.core.errors import DataError

NAME = "labelling.json"
VERSION = 1
_MAX_BYTES = 2 << 30


class Photo(msgspec.Struct, frozen=True, omit_defaults=True):
    """One photo.

    Attributes:
        id: its source and its path.
        source: name of the source.
        path: relative to the source's root.
        file: relative to each folder of tasks.
        width: in pixels; 0 where unknown.
        height: likewise.
        split: as the source says.
        group: likewise.
        source_id: id of the photo in its source; None where it has none.
        people: folders of tasks that it is in; empty where there is one for all.
    """

    id: str
    source: str
    path: str
    file: str
    width: int = 0
    height: int = 0
    split: str | None = None
    group: str | None = None
    source_id: str | None = None
    people: list[str] = []


class Suggestion(msgspec.Struct, frozen=True, omit_defaults=True):
    """One annotation that people were shown.

    Attributes:
        id: that the task carries.
        photo: index into the photos.
        label: class name.
        value: of a value.
        box: x, y, w, h in pixels, edges; None for what is said of the whole photo.
        source_id: of the annotation in its source; None where it has none, or a model made it.
        score: of a model.
        by: who suggested it.
    """

    id: str
    photo: int
    label: str | None = None
    value: float | None = None
    box: tuple[float, float, float, float] | None = None
    source_id: str | None = None
    score: float | None = None
    by: str | None = None


class Tasks(msgspec.Struct, frozen=True):
    """What an export asked.

    Attributes:
        schema_version: of this file.
        format: of the tasks.
        roots: folder of each source, relative to this file's folder.
        classes: names in order.
        photos: in the order of the tasks.
        suggestions: by photo.
    """

    schema_version: int
    format: str
    roots: dict[str, str]
    classes: list[str]
    photos: list[Photo]
    suggestions: list[Suggestion]


def annotation_id(photo: str, number: int) -> str:
    """Return an id for an annotation that has none of its own: the same in each export of the same data.

    Args:
        photo: id of its photo.
        number: its place among the photo's annotations.
    """
    return f"{hashlib.sha256(photo.encode()).hexdigest()[:10]}-{number}"


def content(tasks: Tasks) -> bytes:
    """Return the file's bytes."""
    return msgspec.json.format(msgspec.json.encode(tasks), indent=1) + b"\n"


def load(folder: Path) -> Tasks:
    """Read the file of a folder.

    Raises:
        DataError: there is none, or it is none of ours.
    """
    file = folder / NAME
    data = files.read_limited(file, max_bytes=_MAX_BYTES, what="the list of tasks")
    try:
        found = msgspec.json.decode(data, type=Tasks)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: is no list of tasks: {error}.", hint="Export the tasks again.") from error
    if found.schema_version != VERSION:
        raise DataError(f"{file}: version {found.schema_version} is not known here.", hint="Update vision.")
    lost = sorted({photo.source for photo in found.photos} - set(found.roots))
    if lost:
        raise DataError(
            f"{file}: {len(lost)} sources have no folder.", details=lost[:10], hint="Export the tasks again."
        )
    wrong = [each.id for each in found.suggestions if not 0 <= each.photo < len(found.photos)]
    if wrong:
        raise DataError(
            f"{file}: {len(wrong)} annotations are of no photo.", details=wrong[:10], hint="Export the tasks again."
        )
    return found
