"""Share photos out into train, val and test: by seed, by group, each class alike, and stable when photos are added.

Each class meets the shares to the photo (see `dealing`), which takes a look at all photos; so what was dealt once has
to be remembered for later. Photos that come with a split keep it, photos whose split is remembered keep that, and a
photo that joins a group follows the group. The rest is dealt so that old and new photos together meet the shares. The
split follows from seed, paths, labels and what is remembered; the order of the photos does not matter.

A class with at least as many photos (or groups) as there are splits has one in each, if unremembered photos allow it.

When all photos come with a split, and a split with a share has no photo, it is carved out of train.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from vision_cli.core.catalogue import suggestion
from vision_cli.core.config import SplitConfig
from vision_cli.core.dataset import SPLITS, Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.views.balance import Sharing, Strata, strata_of, strata_of_values
from vision_cli.views.dealing import deal, shuffled

_SHOWN = 10
_NOTHING: Mapping[str, str] = MappingProxyType({})

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Names = np.ndarray[Any, np.dtype[np.str_]]


@dataclass(frozen=True, slots=True)
class _Units:
    """Photos that stay together.

    Attributes:
        keys: (U,), a photo's source and path, or a group.
        of_photo: int64 (N,), the unit of each photo.
        names: (U,), what the order of dealing follows from: path or group, without the source.
    """

    keys: Sequence[str]
    of_photo: Ints
    names: Sequence[str]

    def any(self, mask: Mask) -> Mask:
        """Return bool (U,): which units hold a photo of a bool (N,) mask."""
        found = np.zeros(len(self.keys), dtype=np.bool_)
        found[self.of_photo[mask]] = True
        return found


@dataclass(frozen=True, slots=True)
class _Task:
    """What is to be shared out.

    Attributes:
        shares: of the splits that photos are dealt to, in the order of SPLITS.
        pool: bool (N,), the photos that are dealt or remembered.
        given: (N,), the split that each other photo comes with; empty in the pool.
        missing: the splits that are carved out of train; empty when nothing is carved.
    """

    shares: Mapping[str, float]
    pool: Mask
    given: Names
    missing: Sequence[str]


def photo_keys(dataset: Dataset) -> list[str]:
    """Return `source/path` of each photo; a slash in a source's name is written %2F."""
    columns = (dataset.images["source"].to_pylist(), dataset.images["path"].to_pylist())
    return [f"{name.replace('%', '%25').replace('/', '%2F')}/{path}" for name, path in zip(*columns, strict=True)]


def dealt_photos(dataset: Dataset, config: SplitConfig) -> Mask:
    """Return bool (N,): the photos whose split `split` decides, because they come with none or val is carved out."""
    return _task(dataset, config).pool


def split(dataset: Dataset, config: SplitConfig, task: str, remembered: Mapping[str, str] = _NOTHING) -> Dataset:
    """Return the photos with a split each.

    Args:
        dataset: photos with or without a split of their own.
        config: shares, seed, and the column whose equal values stay together; without one, `group` if the data has it.
        task: `classify`, `multilabel` or `regress`; values are balanced by quantile.
        remembered: split by `photo_keys`, of earlier calls; names that the data set does not have do not matter.

    Raises:
        UsageError: the group column does not exist.
        DataError: the splits that the photos come with part a group.
    """
    given, work = dataset.splits(), _task(dataset, config)
    units = _units(dataset, config.group)
    _check_groups(units, given)
    if not work.pool.any():
        return dataset
    before = _before(dataset, work, remembered)
    assigned = _assigned(units, work, before)
    order = [unit for unit in shuffled(units.names, units.keys, config.seed) if assigned[unit] < 0]
    sharing = Sharing(_shares(work), _strata(dataset, task, units), assigned, assigned < 0, order)
    deal(sharing)
    sharing.mend()
    names = np.array(_names(work))[sharing.assigned][units.of_photo]
    notes = [*_given_notes(work, names), *_parted_notes(before, names)]
    result = np.where(work.pool, names, given)
    return replace(dataset.with_splits(result.tolist()), notes=(*dataset.notes, *notes))


def _task(dataset: Dataset, config: SplitConfig) -> _Task:
    wanted = {"train": config.train, "val": config.val, "test": config.test}
    shares = {name: wanted[name] for name in SPLITS if wanted[name] > 0}
    given = dataset.splits()
    pool = given == ""
    missing = [name for name in shares if name not in given]
    if pool.any() or not missing or "train" not in given or "train" not in shares:
        return _Task(shares, pool, given, ())
    shares = {name: share for name, share in shares.items() if name == "train" or name in missing}
    pool = given == "train"
    return _Task(shares, pool, np.where(pool, "", given), missing)


def _names(work: _Task) -> list[str]:
    """Return the splits by index; those with a share come first."""
    return [*work.shares, *(name for name in SPLITS if name not in work.shares)]


def _before(dataset: Dataset, work: _Task, remembered: Mapping[str, str]) -> Names:
    """Return (N,): the remembered split of each photo of the pool; empty without one."""
    allowed = work.shares if work.missing else SPLITS
    found = [name if (name := remembered.get(key, "")) in allowed else "" for key in photo_keys(dataset)]
    return np.where(work.pool, np.array(found, dtype=np.str_), "")


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


def _check_groups(units: _Units, given: Names) -> None:
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


def _assigned(units: _Units, work: _Task, before: Names) -> Ints:
    """Return int64 (U,): the split where one of a unit's photos is already; -1 for units that are new.

    Where groups changed and the memory has one on several sides, train comes before val and val before test: a photo
    that a model may have learnt from must not judge one.
    """
    assigned = np.full(len(units.keys), -1, dtype=np.int64)
    for known in (before, work.given):
        for name in reversed(SPLITS):
            assigned[units.any(known == name)] = _names(work).index(name)
    return assigned


def _shares(work: _Task) -> Floats:
    shares = np.array([*work.shares.values()], dtype=np.float64)
    return np.asarray(shares / shares.sum())


def _strata(dataset: Dataset, task: str, units: _Units) -> Strata:
    photos = strata_of_values(dataset.values()) if task == "regress" else dataset.class_matrix()
    return strata_of(photos, units.of_photo)


def _given_notes(work: _Task, names: Names) -> list[str]:
    if work.missing:
        counts = ", ".join(f"{int((names == name).sum())} go to {name}" for name in work.missing)
        return [f"No photo comes as {' or '.join(work.missing)}: of {int(work.pool.sum())} train photos {counts}."]
    kept = int((work.given != "").sum())
    return [f"{kept} photos keep the split that they come with."] if kept else []


def _parted_notes(before: Names, names: Names) -> list[str]:
    moved = int(((before != "") & (before != names)).sum())
    reason = "their group stands in another"
    return [f"{moved} photos left the split that is remembered for them: {reason}."] if moved else []
