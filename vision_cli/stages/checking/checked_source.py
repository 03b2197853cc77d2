"""What `vision data check` looks at: a view, or a path whose labels may be refused while its photos are still there."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from vision_cli import formats
from vision_cli.core import containment
from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import folder_walk, photos
from vision_cli.stages import named_source
from vision_cli.stages.detecting import detect
from vision_cli.stages.named_source import DataRequest

_SHOWN = 10
_SAY_SIZES = frozenset({"voc"})
"""Formats whose labels say sizes, which are checked against the photos, while a reader would believe the photos."""

NEED = frozenset(("class", "classes", "value", "box", "crowd", "rotation", "split", "group", "metadata"))
OUTLINES = frozenset(("polygon", "polygons", "mask"))


@dataclass(frozen=True, slots=True)
class Source:
    """What was found.

    Attributes:
        title: view or path, as the user gave it.
        format: of a path; empty for a view.
        dataset: photos and labels; of refused labels the photos alone.
        path: of a path; None for a view.
        refusal: message and details of a reader that refused the labels.
    """

    title: str
    format: str
    dataset: Dataset
    path: Path | None = None
    refusal: tuple[str, ...] = ()


def find(request: DataRequest) -> Source:
    """Read a view or a path.

    Raises:
        UsageError: no view of that name, or options that only a path takes.
        DataError: nothing is there, no format fits, or a view's sources are refused.
    """
    if named_source.is_path(request):
        return _path(request)
    found = named_source.find(request)
    return Source(found.title, "", found.dataset)


def _path(request: DataRequest) -> Source:
    path = Path(request.name or ".")
    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder.", hint="Check the path.")
    form = request.format or detect(path, request.links).format
    try:
        options = formats.ReadOptions(
            named_source.SOURCE,
            images=request.images,
            need=request.need,
            sizes=form not in _SAY_SIZES,
            links=request.links,
        )
        dataset = formats.read_as(form, path, options)
    except DataError as error:
        with containment.links(request.links):
            alone = _photos_alone(path)
        if not len(alone):
            raise
        alone = replace(alone, followed=frozenset(alone.roots if request.links == "follow" else ()))
        return Source(os.fspath(path), form, alone, path, (error.message, *error.details[:_SHOWN]))
    return Source(os.fspath(path), form, dataset, path)


def _photos_alone(path: Path) -> Dataset:
    """Return the photo files below a folder, with the split that a folder's name says, and no labels."""
    root = path if path.is_dir() else path.parent
    names = sorted(folder_walk.walk(root).photos)
    number = len(names)
    columns = [range(number), [named_source.SOURCE] * number, names, [0] * number, [0] * number]
    splits = [
        next((photos.split_of(part) for part in name.split("/")[:-1] if photos.split_of(part)), None) for name in names
    ]
    images = dict(zip(IMAGE_COLUMNS.names, [*columns, splits, [None] * number], strict=True))
    roots = {named_source.SOURCE: root}
    import pyarrow as pa

    table = pa.table({name: pa.array(values, IMAGE_COLUMNS.field(name).type) for name, values in images.items()})
    return Dataset(table, ANNOTATION_COLUMNS.empty_table(), ClassMap(), roots)
