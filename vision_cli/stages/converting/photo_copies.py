"""The photos of a converted data set: copied, linked, or left where they are."""

from __future__ import annotations

import os
import shutil
import struct
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

import numpy as np

from vision_cli.core import containment
from vision_cli.core.conservation import Mask
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError, ResourceError
from vision_cli.core.files import disk_errors
from vision_cli.core.progress import Progress

Images = Literal["copy", "hardlink", "symlink", "none"]
Pair = tuple[str, str]

_SHOWN = 10
_BATCH = 64
_PNG = b"\x89PNG\r\n\x1a\n"


def missing(dataset: Dataset) -> Mask:
    """Return which photos are not there, bool (N,); each folder is listed once."""
    listed: dict[str, frozenset[str]] = {}
    absent = np.zeros(len(dataset), dtype=np.bool_)
    for row, path in enumerate(_places(dataset)):
        folder, _, name = path.rpartition("/")
        if folder not in listed:
            listed[folder] = _names(folder)
        absent[row] = name not in listed[folder]
    return absent


def _names(folder: str) -> frozenset[str]:
    with suppress(OSError), os.scandir(folder or "/") as entries:
        return frozenset(entry.name for entry in entries if _is_file(entry))
    return frozenset()


def _is_file(entry: os.DirEntry[str]) -> bool:
    with suppress(OSError):  # a loop of links
        return entry.is_file()
    return False


def check_contained(dataset: Dataset) -> None:
    """Refuse photos that lie outside of their source's root, links followed.

    Raises:
        DataError: naming the first ten.
    """
    fences = dataset.fences()
    columns = (dataset.images["source"].to_pylist(), dataset.images["path"].to_pylist())
    out = [path for source, path in zip(*columns, strict=True) if not fences[source].holds(path)]
    if out:
        roots = ", ".join(str(root) for root in dataset.roots.values())
        more = [f"and {len(out) - _SHOWN} more"] if len(out) > _SHOWN else []
        raise DataError(
            f"{roots}: {len(out)} photos lie outside of it.",
            details=[*out[:_SHOWN], *more],
            hint=f"Photo paths stay below their source's folder; --images none writes labels only. {containment.HINT}",
        )


def pairs(dataset: Dataset, photos: Sequence[str | None]) -> list[Pair]:
    """Return where each photo is and, relative to the new folder, where it goes."""
    return [(place, name) for place, name in zip(_places(dataset), photos, strict=True) if name is not None]


def bytes_of(dataset: Dataset) -> int:
    """Return how many bytes copies of the photos take."""
    total = 0
    for path in _places(dataset):
        with suppress(OSError):
            total += os.stat(path).st_size
    return total


def place(found: Sequence[Pair], folder: Path, images: Images, workers: int, progress: Progress) -> None:
    """Put photos below a folder.

    Raises:
        ResourceError: the disk refuses, or links are not possible there.
    """
    from concurrent.futures import ThreadPoolExecutor

    act = {"copy": _copy, "hardlink": _hardlink, "symlink": _symlink}[images]
    make_parents(folder, (name for _, name in found))
    base = os.fspath(folder)
    batches = [found[start : start + _BATCH] for start in range(0, len(found), _BATCH)]

    def work(batch: Sequence[Pair]) -> int:
        for place, name in batch:
            act(place, f"{base}/{name}")
        return len(batch)

    done = 0
    with disk_errors(folder), ThreadPoolExecutor(workers) as pool:
        for number in pool.map(work, batches):
            done += number
            progress.step("photos", done, len(found))


def place_companions(dataset: Dataset, folder: Path) -> None:
    """Copy the files that a same-format copy takes along; what the writer wrote stays.

    Raises:
        DataError: one leads out of its root.
        ResourceError: the disk refuses.
    """
    fences = dataset.fences()
    for source, origin in dataset.origins.items():
        fence = fences[source]
        for name in origin.companions:
            place, target = fence.path(name), folder / name
            if place.is_file() and not target.exists():
                with disk_errors(target):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(place, target)


def make_parents(folder: Path, names: Iterable[str]) -> list[Path]:
    """Make the folders that names with `/` stand in, and return those that were not there, upper ones first."""
    made = []
    for parent in sorted({name.rpartition("/")[0] for name in names}):
        place = folder / parent
        made += [each for each in (*reversed(place.parents), place) if not each.exists()]
        place.mkdir(parents=True, exist_ok=True)
    return made


def _copy(place: str, target: str) -> None:
    shutil.copyfile(place, target)


def _hardlink(place: str, target: str) -> None:
    try:
        os.link(os.path.realpath(place), target)
    except OSError as error:
        raise ResourceError(
            f"{target}: cannot be a hard link to {place}: {error.strerror}.",
            hint="Hard links stay on one file system; use --images copy.",
        ) from error


def _symlink(place: str, target: str) -> None:
    Path(target).symlink_to(os.path.realpath(place))


def stand_ins(dataset: Dataset, photos: Sequence[str | None], folder: Path) -> list[Path]:
    """Write files that announce each photo's size and nothing else, for a reader that needs sizes.

    Returns the folders that had to be made for them, upper ones first, and the files.
    """
    names = [name for name in photos if name is not None]
    made = make_parents(folder, names)
    sizes = zip(dataset.images["width"].to_pylist(), dataset.images["height"].to_pylist(), strict=True)
    for name, (width_px, height_px) in zip(photos, sizes, strict=True):
        if name is not None and width_px and height_px:
            path = folder / name
            path.write_bytes(_png(width_px, height_px))
            made.append(path)
    return made


def take_away(made: Sequence[Path]) -> None:
    """Remove what `stand_ins` made."""
    for path in reversed(made):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()


def _png(width_px: int, height_px: int) -> bytes:
    """Return the head of a grey PNG of that size; its pixels are missing."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width_px, height_px, 8, 0, 0, 0, 0)
    return _PNG + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head)) + b"\0\0\0\0IEND\xaeB`\x82"


def _places(dataset: Dataset) -> list[str]:
    roots = {source: os.fspath(root.absolute()) for source, root in dataset.roots.items()}
    columns = (dataset.images["source"].to_pylist(), dataset.images["path"].to_pylist())
    return [f"{roots[source]}/{path}" for source, path in zip(*columns, strict=True)]
