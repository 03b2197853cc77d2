"""What people give to `vision embed` and `vision find`: views, folders, archives, photos, addresses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vision_cli import formats
from vision_cli.core.config import SourceConfig
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.project import Project
from vision_cli.formats import archives, imagefolder
from vision_cli.stages import data
from vision_cli.stages.embedding import web
from vision_cli.stages.embedding.reading import Held, Photo
from vision_cli.stages.running.photo_paths import find_photos

SEPARATOR = "|"
_FOLDERS = "imagefolder"
_HELD_BYTES = 64_000_000
"""Of photos of an archive that are in memory at once."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A photo with what its place says of it.

    Attributes:
        path: as it is written down: of the file, or of the archive and the member, or the address.
        label: class, classes joined by `|`, or value; None where there is none.
        photo: to be read.
    """

    path: str
    label: str | None
    photo: Photo


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look at.

    Attributes:
        project: names views.
        inputs: view, folder, archive, photos or addresses; the training's view when empty.
        hosts: that may be asked for photos.
        offline: nothing may be fetched.
    """

    project: Project
    inputs: Sequence[str] = ()
    hosts: Sequence[str] = ()
    offline: bool = False


def check(wanted: Wanted) -> None:
    """Refuse addresses that may not be fetched, before any work.

    Raises:
        UsageError: as `web.check_address`.
    """
    for text in wanted.inputs:
        if web.is_address(text):
            web.check_address(text, wanted.hosts, offline=wanted.offline)


def chunks(wanted: Wanted) -> Iterator[list[Entry]]:
    """Yield the photos in order; those of an archive a few at a time, for they lie in memory.

    Raises:
        UsageError: an input is neither a view nor a file.
        DataError: data or an archive is refused.
    """
    check(wanted)
    for text in wanted.inputs or (wanted.project.config.train.view,):
        yield from _of_input(wanted, text)


def _of_input(wanted: Wanted, text: str) -> Iterator[list[Entry]]:
    path = Path(text)
    if web.is_address(text):
        yield [Entry(text, None, web.fetch(text, wanted.hosts, offline=wanted.offline))]
    elif _is_view(wanted, text):
        yield entries(data.load_photos(wanted.project, text))
    elif path.is_dir():
        yield _folder(wanted.project, path)
    elif path.is_file() and archives.kind_of(path) is not None:
        yield from _archive(path)
    else:
        yield [Entry(str(each), None, each) for each in _photos(wanted.project, text)]


def _is_view(wanted: Wanted, text: str) -> bool:
    config = wanted.project.config.data
    return text in config.views or (bool(config.sources) and text == data.ALL) or not wanted.inputs


def _photos(project: Project, text: str) -> list[Path]:
    try:
        return find_photos((text,))
    except DataError as error:
        views = [data.ALL, *project.config.data.views] if project.config.data.sources else []
        known = f"Views: {', '.join(views)}. " if views else ""
        raise UsageError(
            f"'{text}' is no view, folder, archive or photo.", hint=f"{known}Or give a path, or a glob in quotes."
        ) from error


def _folder(project: Project, path: Path) -> list[Entry]:
    """Return the photos of a folder with their labels, where it is a data set of a known format."""
    kinds = [name for name, _ in formats.detect(path)]
    if not kinds:
        return [Entry(str(each), None, each) for each in _photos(project, str(path))]
    if kinds == [_FOLDERS]:  # a photo that is broken is refused by itself
        return [Entry(str(path / name), label, path / name) for name, label in imagefolder.labelled(path)]
    config = SourceConfig(path=str(path))
    return entries(data.described(project, config, formats.read("data", config, path)))


def entries(dataset: Dataset) -> list[Entry]:
    """Return the photos of a data set with their labels."""
    labels = labels_of(dataset)
    return [Entry(str(path), label, path) for path, label in zip(dataset.paths(), labels, strict=True)]


def labels_of(dataset: Dataset) -> list[str | None]:
    """Return the label of each photo: its classes joined by `|`, or its value; None where it has none."""
    matrix, names = dataset.class_matrix(), dataset.classes.names
    found: list[str | None] = [
        SEPARATOR.join(names[index] for index in np.flatnonzero(row)) or None for row in matrix
    ] or [None] * len(dataset)
    if dataset.annotations["value"].null_count < dataset.annotations.num_rows:
        return [f"{value:.6g}" for value in dataset.values()]
    return found


def _archive(path: Path) -> Iterator[list[Entry]]:
    names = archives.names(path)
    folders = {_folder_of(name) for name in names}
    waiting: list[Entry] = []
    size = 0
    for name, content in archives.photos(path):
        label = _folder_of(name) or None if len(folders) > 1 else None
        waiting.append(Entry(f"{path}/{name}", label, Held(f"{path}/{name}", content)))
        size += len(content)
        if size > _HELD_BYTES:
            yield waiting
            waiting, size = [], 0
    if waiting:
        yield waiting


def _folder_of(name: str) -> str:
    """Return the name of the folder that a member lies in."""
    return name.rpartition("/")[0].rpartition("/")[2]
