"""Where the photos of labels are, when they do not lie where the labels say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from vision_cli import formats
from vision_cli.core.config import SourceConfig
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError, VisionError

_LOOKED_AT = 500
_MOST_FOLDERS, _DEPTH = 500, 3
_LISTED = 3


def missing(dataset: Dataset) -> list[str]:
    """Return the paths of photos that are not there; of very many, some are looked at, evenly spread."""
    names, paths = dataset.images["path"].to_pylist(), dataset.paths()
    picked = np.unique(np.linspace(0, len(paths) - 1, min(len(paths), _LOOKED_AT)).astype(np.int64)).tolist()
    return [names[row] for row in picked if not paths[row].is_file()]


def read_with_photos(source: SourceConfig, data: Path) -> tuple[Dataset, Path | None]:
    """Read labels with the folder of their photos, looked for beside the labels where nobody says it.

    Returns the data set, and the folder where it had to be found.

    Raises:
        DataError: the data is refused, or not one photo is found.
    """
    dataset = formats.read("data", source, data)
    gone = missing(dataset)
    if not gone or not _all_gone(dataset, gone):
        return dataset, None
    for folder in _holding(Path(gone[0]).name, data) if source.images is None else ():
        again = _read_at(source, data, folder)
        if again is not None:
            return again, folder
    raise DataError(
        f"{data}: none of its {len(dataset):,} photos is there.",
        details=[f"{name}: not found" for name in gone[:_LISTED]],
        hint="Say where they are: --images-root FOLDER (`images` of the source in vision.yaml).",
    )


def partly_missing(dataset: Dataset) -> list[str]:
    """Return a note where some photos are not there."""
    gone = missing(dataset)
    if not gone:
        return []
    listed = ", ".join(gone[:_LISTED]) + (", …" if len(gone) > _LISTED else "")
    return [f"{len(gone):,} of {min(len(dataset), _LOOKED_AT):,} photos looked at are not there: {listed}"]


def _all_gone(dataset: Dataset, gone: list[str]) -> bool:
    return len(gone) == min(len(dataset), _LOOKED_AT)


def _read_at(source: SourceConfig, data: Path, folder: Path) -> Dataset | None:
    try:
        dataset = formats.read("data", source.model_copy(update={"images": str(folder.absolute())}), data)
    except VisionError:  # not the folder of these labels
        return None
    return dataset if len(dataset) and not missing(dataset) else None


def _holding(name: str, data: Path) -> Iterator[Path]:
    """Yield folders beside the data that hold a photo of this name, the nearest first, and those above them."""
    start = data.absolute().parent
    for folder in islice(_folders(start), _MOST_FOLDERS):
        if (folder / name).is_file():
            yield from (each for each in (folder, *folder.parents) if each == start or start in each.parents)


def _folders(start: Path) -> Iterator[Path]:
    waiting = [(start, 0)]
    while waiting:
        folder, depth = waiting.pop(0)
        yield folder
        if depth < _DEPTH:
            try:
                with os.scandir(folder) as found:
                    below = sorted(each.name for each in found if each.is_dir(follow_symlinks=False))
            except OSError:
                continue
            waiting += [(folder / each, depth + 1) for each in below if not each.startswith(".")]
