"""A view of the project or a data set on the disk, by one word of the command line."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vision_cli import formats
from vision_cli.core.catalogue import suggestion
from vision_cli.core.containment import Links
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.stages.detecting import detect

if TYPE_CHECKING:
    from vision_cli.core.project import Project

_PROJECT = "vision.yaml"

SOURCE = "data"
"""Name of the source of a data set that is given by its path."""


@dataclass(frozen=True, slots=True)
class DataRequest:
    """Which photos.

    Attributes:
        name: a view, or the path of a data set; None is the training's view.
        project: reads the project file; asked only where a view may be meant, because that costs more than most labels.
        format: of a path; found by itself when None.
        images: folder that a path's photo paths start from.
        need: names of `formats.CARRIED` that will be used; None is all.
        where: keep the photos for which this condition of views holds.
        links: where links in a path's folder may lead.
    """

    name: str | None
    project: Callable[[], Project]
    format: str | None = None
    images: Path | None = None
    need: frozenset[str] | None = None
    where: str | None = None
    links: Links = "stay"


@dataclass(frozen=True, slots=True)
class Found:
    """The photos that were meant.

    Attributes:
        title: what to call them.
        format: of a path; empty for a view.
        dataset: the photos; those of a view with the splits that training sees.
        before: photos before the condition.
    """

    title: str
    format: str
    dataset: Dataset
    before: int


def find(request: DataRequest) -> Found:
    """Read a view or a path.

    Raises:
        UsageError: no view of that name, a name that is both, or options that only a path takes.
        DataError: the data is refused.
    """
    found = _path(request) if is_path(request) else _view(request)
    if request.where is None:
        return found
    from vision_cli.views.where import holds  # DuckDB, for those who ask for it

    kept = found.dataset.select(holds(found.dataset, request.where, mapped={}, place="--where"))
    return Found(found.title, found.format, kept, found.before)


def reads(request: DataRequest) -> list[Path]:
    """Return what is read where a path is meant; what a view reads, its project file names."""
    return [Path(request.name)] if request.name is not None and is_path(request) else []


def is_path(request: DataRequest) -> bool:
    """Tell whether a word means a path: what is no plain name, or lies on the disk.

    Raises:
        UsageError: it is empty, or the project has a view of the name of a file here.
    """
    name = request.name
    if name is None:
        return False
    if not name:
        raise UsageError("the name of a view or path is empty.", hint="The folder you are in is '.'")
    if os.sep in name or name in (".", ".."):
        return True
    if not Path(name).exists():
        return False
    here = Path.cwd()
    # Reading a project takes as long as many a label file: only where there is one.
    there = any((folder / _PROJECT).is_file() for folder in (here, *here.parents))
    if there and name in request.project().config.data.views:
        raise UsageError(f"'{name}' is a view and a path.", hint=f"Write ./{name} for the path, or rename the view.")
    return True


def _path(request: DataRequest) -> Found:
    path = Path(request.name or ".")
    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder.", hint="Check the path.")
    form = request.format or detect(path, request.links).format
    options = formats.ReadOptions(SOURCE, images=request.images, need=request.need, links=request.links)
    dataset = formats.read_as(form, path, options)
    return Found(os.fspath(path), form, dataset, len(dataset))


def _view(request: DataRequest) -> Found:
    if request.format or request.images or request.links == "follow":
        raise UsageError(
            "--from, --images-root and --follow-links describe a path.", hint="Give the path of a data set."
        )
    from vision_cli.stages import data

    project = request.project()
    name = request.name or project.config.train.view
    if request.name is not None and name not in (data.ALL, *project.config.data.views):
        views = (data.ALL, *project.config.data.views)
        guess = suggestion(name, views)
        hint = f"{f'Did you mean {guess!r}? ' if guess else ''}Views: {', '.join(views)}."
        raise UsageError(f"'{name}' is no path here and no view of the project.", hint=hint)
    dataset = data.with_splits(project, name, data.load_photos(project, name))
    return Found(name, "", dataset, len(dataset))
