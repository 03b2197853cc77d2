"""Share photos out into train, val and test: by seed, by group, each class alike, and stable when photos are added.

A photo's place between 0 and 1 follows from its own path (or its group) and the seed alone, and the shares cut that
line into test, val and train. So a photo that is added, removed or relabelled moves no other, the order of the photos
does not matter, and a larger test share only adds photos to the test split.

The price: shares are met on average in each class, not to the photo. Nothing that looks at the other photos could be
stable. Of 40 photos of a class and a share of 0.15 come out 6 with a standard deviation of 0.7 where the names are
numbered in sequence, and of 2.3 where they are not (2,000 classes each; see `dealing.places`).

One exception keeps small classes whole: a class with at least as many photos (or groups) as there are splits has one
in each. Where chance left a split without, the photo nearest to it on the line is moved there; it may move back when
photos of its class are added. The notes count such photos: at 40 photos a class it happens to 1 class in 300.

Photos that come with a split keep it. When all have one, and a split with a share has no photo, it is carved out of
train.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vision_cli.core.catalogue import suggestion
from vision_cli.core.config import SplitConfig
from vision_cli.core.dataset import SPLITS, Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.views.balance import Sharing, strata_of_values, whole_strata
from vision_cli.views.dealing import places

_SHOWN = 10
# From the start of the line on, so that a larger test share takes photos of val, and never the other way round.
_ORDER = ("test", "val", "train")

Ints = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class _Units:
    """Photos that stay together.

    Attributes:
        keys: (U,), a photo's source and path, or a group.
        of_photo: int64 (N,), the unit of each photo.
        names: (U,), what the place on the line follows from: path or group, without the source.
    """

    keys: Sequence[str]
    of_photo: Ints
    names: Sequence[str]

    def any(self, mask: Mask) -> Mask:
        """Return bool (U,): which units hold a photo of a bool (N,) mask."""
        found = np.zeros(len(self.keys), dtype=np.bool_)
        found[self.of_photo[mask]] = True
        return found


def split(dataset: Dataset, config: SplitConfig, task: str) -> Dataset:
    """Return the photos with a split each.

    Args:
        dataset: photos with or without a split of their own.
        config: shares, seed, and the column whose equal values stay together; without one, `group` if the data has it.
        task: `classify`, `multilabel` or `regress`; values are balanced by quantile.

    Raises:
        UsageError: the group column does not exist.
        DataError: the splits that the photos come with part a group.
    """
    given = dataset.splits()
    units = _units(dataset, config.group)
    _check_groups(units, given)
    shares, pool = _shares(config), given == ""
    missing = [name for name in shares if name not in given]
    carve = bool(len(given)) and not pool.any() and "train" in given and "train" in shares and bool(missing)
    if carve:
        shares = {name: share for name, share in shares.items() if name == "train" or name in missing}
        pool = given == "train"
    if not pool.any():
        return dataset
    sharing = _sharing(dataset, task, units, np.where(pool, "", given), (shares, config.seed))
    moved = sharing.mend()
    names = np.array(sharing.names)[sharing.assigned][units.of_photo]
    notes = _carve_notes(names, missing, len(names[pool])) if carve else _given_notes(given)
    notes += [_moved_note(moved)] if moved else []
    result = np.where(pool, names, given)
    return replace(dataset.with_splits(result.tolist()), notes=(*dataset.notes, *notes))


def _shares(config: SplitConfig) -> dict[str, float]:
    shares = {"test": config.test, "val": config.val, "train": config.train}
    return {name: shares[name] for name in _ORDER if shares[name] > 0}


def _units(dataset: Dataset, column: str | None) -> _Units:
    """Bring photos of equal group together; a photo without one stands alone."""
    columns = [name for name in dataset.images.column_names if name not in ("id", "width", "height", "split")]
    if column is not None and column not in columns:
        guess = suggestion(column, columns)
        raise UsageError(
            f"data.split.group: the photos have no column '{column}'.",
            hint=f"Did you mean '{guess}'?" if guess else f"Columns: {', '.join(columns)}.",
        )
    groups = dataset.images[column or "group"].to_pylist()
    sources, paths = dataset.images["source"].to_pylist(), dataset.images["path"].to_pylist()
    where: dict[str, int] = {}
    names: list[str] = []
    of_photo = np.empty(len(groups), dtype=np.int64)
    for row, (group, source, path) in enumerate(zip(groups, sources, paths, strict=True)):
        key = f"photo\0{path}\0{source}" if group is None else f"group\0{group}"
        of_photo[row] = where.setdefault(key, len(where))
        if len(where) > len(names):
            names.append(path if group is None else f"group\0{group}")
    return _Units(list(where), of_photo, names)


def _check_groups(units: _Units, given: np.ndarray[Any, np.dtype[np.str_]]) -> None:
    sides = np.stack([units.any(given == name) for name in SPLITS])
    parted = np.flatnonzero(sides.sum(axis=0) > 1)
    if parted.size:
        shown = [
            f"{units.keys[unit].split(chr(0))[1]}: {', '.join(np.array(SPLITS)[sides[:, unit]])}"
            for unit in parted[:_SHOWN]
        ]
        raise DataError(
            f"{parted.size} groups stand on several sides of the split that the photos come with.",
            details=shown,
            hint="Take the split out of the data, or name another column in data.split.group.",
        )


def _sharing(
    dataset: Dataset,
    task: str,
    units: _Units,
    given: np.ndarray[Any, np.dtype[np.str_]],
    how: tuple[Mapping[str, float], int],
) -> Sharing:
    """Put every unit where its place says, or where one of its photos is already."""
    shares, seed = how
    names = [*shares, *(name for name in SPLITS if name not in shares)]
    edges = np.cumsum(np.array([*shares.values()]) / sum(shares.values()))
    place = places(units.names, seed)
    assigned = np.searchsorted(edges[:-1], place, side="right")
    free = np.ones(len(units.keys), dtype=np.bool_)
    for index, name in enumerate(names):
        fixed = units.any(given == name)
        assigned[fixed], free[fixed] = index, False
    photos = strata_of_values(dataset.values()) if task == "regress" else dataset.class_matrix()
    return Sharing(names, edges, assigned, free, place, units.keys, whole_strata(photos, units.of_photo))


def _carve_notes(names: np.ndarray[Any, np.dtype[np.str_]], missing: Sequence[str], pool: int) -> list[str]:
    counts = ", ".join(f"{int((names == name).sum())} go to {name}" for name in missing)
    return [f"No photo comes as {' or '.join(missing)}: of {pool} train photos {counts}."]


def _given_notes(given: np.ndarray[Any, np.dtype[np.str_]]) -> list[str]:
    kept = int((given != "").sum())
    return [f"{kept} photos keep the split that they come with."] if kept else []


def _moved_note(moved: int) -> str:
    return f"{moved} photos or groups were moved so that every class stands in every split."
