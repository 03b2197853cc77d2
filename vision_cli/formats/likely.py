"""Which formats a file is worth being asked for: by its suffix and by words at its ends, before any format is loaded.

This spares time and decides nothing: a format that is not here is always asked, and all are where none of these fits.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_END_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Signs:
    """What files of a format have.

    Attributes:
        suffixes: one of these, in small letters; none where the format is one of folders.
        words: one of these within the first or last 64 kB; no matter which without.
        lacks: or else none of these there, where a kind of file is told by what it has not.
    """

    suffixes: frozenset[str]
    words: tuple[bytes, ...] = ()
    lacks: tuple[bytes, ...] = ()


_JSON, _XML, _TABLE = frozenset({".json"}), frozenset({".xml"}), frozenset({".csv", ".tsv"})
_FOLDER = Signs(frozenset())

SIGNS: dict[str, Signs] = {
    "imagefolder": _FOLDER,
    "cvat": Signs(_XML),
    "labelstudio": Signs(_JSON, (b'"data"', b'"annotation_id"')),
    "labelme": Signs(_JSON, (b'"shapes"', b'"imagePath"')),
    "csv": Signs(_TABLE),
    "coco": Signs(_JSON, (b'"annotations"', b'"images"', b'"categories"', b'"image_id"')),
    "lvis": Signs(_JSON, (b'"annotations"', b'"images"', b'"categories"')),
    "yolo": Signs(frozenset({".yaml", ".yml", ".data"})),
    "openimages": Signs(_TABLE),
    "voc": Signs(_XML),
    "voc-segmentation": _FOLDER,
    "kitti": _FOLDER,
    "vision": Signs(_JSON, (b'"format"',)),
    "huggingface": Signs(frozenset({".csv", ".jsonl", ".parquet"})),
    "mapping": _FOLDER,
    "panoptic": Signs(_JSON, (b'"segments_info"',), (b'"annotations"', b'"image_id"', b'"data"', b'"shapes"')),
    "cityscapes": _FOLDER,
    "masks": _FOLDER,
}


def likely(path: Path, names: Iterable[str]) -> list[str]:
    """Return those of some formats that a path may be of; all of them for a folder, or a suffix that none has.

    Raises:
        OSError: the file cannot be read.
    """
    suffix = path.suffix.lower()
    if path.is_dir() or not any(suffix in signs.suffixes for signs in SIGNS.values()):
        return list(names)
    ends = _ends(path)
    return [name for name in names if _fits(SIGNS.get(name), suffix, ends)]


def _fits(signs: Signs | None, suffix: str, ends: bytes) -> bool:
    if signs is None:
        return True
    has = not signs.words or any(word in ends for word in signs.words)
    return suffix in signs.suffixes and (has or (bool(signs.lacks) and not any(word in ends for word in signs.lacks)))


def _ends(path: Path) -> bytes:
    with path.open("rb") as file:
        head = file.read(_END_BYTES)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(len(head), size - _END_BYTES))
        return head + file.read()
