"""Write photos into a folder a class, below folders of splits if photos have any."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np

from vision_cli.core.conservation import Loss
from vision_cli.core.dataset import SPLITS, Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import WriteOptions, Written
from vision_cli.formats.folder_walk import is_ignored
from vision_cli.formats.photos import split_of
from vision_cli.formats.placing import photo_names

_MAX_NAME_BYTES = 200
# Windows: https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(\..*)?", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')


def losses(dataset: Dataset) -> list[Loss]:
    """Return the labels whose class cannot be a folder's name (`names`), and the photos that these leave without one.

    Where some photos have a split and some none, the latter have no folder to lie in (`split`).
    """
    ids = dataset.annotations["class_id"].fill_null(-1).to_numpy()
    why = folder_problems(dataset.classes.names)
    found = []
    for reason in sorted({text for text in why if text is not None}):
        bad = np.flatnonzero([text == reason for text in why])
        rows = np.isin(ids, bad)
        found.append(Loss("names", "annotation", f"the class {reason}", rows))
        photos = np.zeros(len(dataset), dtype=np.bool_)
        photos[dataset.rows_of(dataset.annotations["image_id"])[rows]] = True
        found.append(Loss("names", "image", f"the class {reason}", photos))
    without = np.asarray(dataset.images["split"].is_null().to_numpy(), dtype=np.bool_)
    if not without.all():
        found.append(Loss("split", "image", "no split, where others have one", without))
    return [loss for loss in found if loss.rows.any()]


def folder_problems(names: tuple[str, ...]) -> list[str | None]:
    """Return why each class name cannot be a folder on every system that a data set may be copied to, or None."""
    folded = Counter(name.casefold() for name in names)
    return [_problem(name) or ("differs only in case" if folded[name.casefold()] > 1 else None) for name in names]


def _problem(name: str) -> str | None:
    if _FORBIDDEN.search(name):
        return "has a character that no folder may have"
    if is_ignored(name):
        return "is a hidden folder's name"
    if name != name.strip() or name.endswith("."):
        return "begins or ends with a space or ends with a point"
    if _RESERVED.fullmatch(name):
        return "is a device on Windows"
    if len(name.encode()) > _MAX_NAME_BYTES:
        return "is too long for a folder"
    return "would be taken for a split" if split_of(name) else None


def write(dataset: Dataset, folder: Path, options: WriteOptions) -> Written:
    """Make the folders, and say where each photo belongs.

    Raises:
        DataError: a class cannot be a folder; see `losses`.
    """
    names = dataset.classes.names
    used = sorted(set(dataset.annotations["class_id"].to_pylist()) - {None})
    why = folder_problems(names)
    if bad := [f"{names[index]!r} {why[index]}" for index in used if why[index] is not None]:
        raise DataError(f"{len(bad)} classes cannot be folders.", details=bad[:10], hint="Rename them.")
    splits = [split if split in SPLITS else None for split in dataset.images["split"].to_pylist()]
    photos: list[str | None] = []
    for split, index, name in zip(splits, dataset.class_ids().tolist(), photo_names(dataset), strict=True):
        photos.append("/".join([*([split] if split else []), names[index], name]))
    for place in {photo.rpartition("/")[0] for photo in photos if photo is not None}:
        (folder / place).mkdir(parents=True, exist_ok=True)
    return Written(photos, {})
