"""Photos that are renamed or stored anew on their way into a mended copy."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from vision_cli.core.containment import Containment
from vision_cli.core.dataset import Dataset
from vision_cli.core.files import disk_errors
from vision_cli.imaging import read, write

_QUALITY = 95
_FORMATS = {".jpg", ".jpeg", ".png", ".webp"}


def staged(dataset: Dataset, folder: Path, names: Mapping[int, str], upright: frozenset[int]) -> Dataset:
    """Return a data set whose photos lie below another folder under their new names; links where the disk allows them.

    Args:
        dataset: the photos.
        folder: empty, on the disk of the copy.
        names: new path by row.
        upright: rows of photos that are stored without an EXIF turn.
    """
    paths = dataset.images["path"].to_pylist()
    sources = dataset.images["source"].to_pylist()
    roots = {name: folder / str(number) for number, name in enumerate(dataset.roots)}
    for row, place in enumerate(dataset.paths()):
        paths[row] = names.get(row, paths[row])
        target = roots[sources[row]] / paths[row]
        with disk_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            if row in upright:
                _store_upright(place, target)
            elif place.is_file() and not target.exists():
                _link(place, target)
    _companions(dataset, roots)
    index = dataset.images.schema.get_field_index("path")
    images = dataset.images.set_column(index, "path", pa.array(paths, pa.string()))
    return replace(dataset, images=images, roots=roots)


def _store_upright(place: Path, target: Path) -> None:
    photo = read.read_photo(place, channels=_channels(place))
    write.write_photo(target, photo, quality=_QUALITY)


def _channels(place: Path) -> int:
    mode = read.read_header(place).mode
    return 1 if mode in ("1", "L") else 4 if mode in ("RGBA", "LA", "PA") else 3


def _link(place: Path, target: Path) -> None:
    try:
        os.link(os.path.realpath(place), target)
    except OSError:
        shutil.copyfile(place, target)


def _companions(dataset: Dataset, roots: Mapping[str, Path]) -> None:
    for name, origin in dataset.origins.items():
        fence = Containment(dataset.roots[name])
        for each in origin.companions:
            place, target = fence.path(each), roots[name] / each
            if place.is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                _link(place, target)
