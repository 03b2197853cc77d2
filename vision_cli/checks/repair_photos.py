"""Repairs of whole photos: dropped, moved to another split, renamed, stored upright."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

import numpy as np

from vision_cli.checks import find
from vision_cli.checks.finding import Ids, Offenders
from vision_cli.checks.leakage import GROUP_NAMES, sequences
from vision_cli.checks.repair import Repaired, Work, of_photos

_LEAKS = ("leak-same", "leak-alike")
_SUFFIXES = {"jpeg": ".jpg", "tiff": ".tif"}
_ENCODABLE = frozenset({"jpeg", "png", "webp"})


def drop_missing(work: Work) -> Repaired:
    """Drop the labels of photos that are not there."""
    files = work.request.files
    rows = [] if files is None or files.missing.all() else np.flatnonzero(files.missing).tolist()
    return _drop(work, "drop-missing-photos", rows, "no photo")


def drop_broken(work: Work) -> Repaired:
    """Drop photos of 0 bytes and those that the decoder refuses."""
    return _drop(work, "drop-broken-photos", _found(work, ("photo-empty", "photo-broken")), "cannot be decoded")


def drop_twins(work: Work) -> Repaired:
    """Drop photos that are an earlier one of their split, byte for byte; where labels differ somebody has to decide."""
    differ = set(_found(work, ("photo-twice-labels-differ",)))
    return _drop(
        work, "drop-twin-photos", [row for row in _found(work, ("photo-twice",)) if row not in differ], "stands twice"
    )


def leaks_to_one_split(work: Work) -> Repaired:
    """Move photos that belong together to one split: the first of train, val, test that one of them is in."""
    request = work.request
    told = [finding.where for check in _LEAKS for finding in find(check, request)]
    pairs = [pair for where in (*told, sequences(request)) for pair in _pairs(where)]
    together = _together(len(work.dataset), [*pairs, *_grouped(work)])
    splits = request.splits
    best = np.full(len(splits), np.iinfo(np.int64).max)
    usable = (splits >= 0) & ~work.gone
    np.minimum.at(best, together[usable], splits[usable])
    target = np.where(usable, best[together], splits)
    rows = np.flatnonzero(target != splits)
    if not len(rows):
        return Repaired(work.dataset)
    names = [request.split_names[each] if each >= 0 else None for each in target.tolist()]
    before = [request.split_names[each] for each in splits[rows].tolist()]
    after = [str(names[row]) for row in rows.tolist()]
    changes = of_photos("leaks-to-one-split", rows.tolist(), before, after)
    return Repaired(work.dataset.with_splits(names), changes)


def right_suffix(work: Work) -> Repaired:
    """Give photos the suffix of their content; a name that is taken gets a number."""
    rows = [row for row in _found(work, ("photo-suffix",)) if not work.gone[row]]
    paths = work.dataset.images["path"].to_pylist()
    kinds = work.request.photos.column("format").tolist() if work.request.photos else []
    taken, names = set(paths), dict[int, str]()
    for row in rows:
        suffix = _SUFFIXES.get(kinds[row], f".{kinds[row]}")
        names[row] = _free(PurePosixPath(paths[row]).with_suffix(suffix), taken)
        taken.add(names[row])
    changes = of_photos("right-suffix", rows, [paths[row] for row in rows], [names[row] for row in rows])
    return Repaired(work.dataset, changes, names=names)


def upright(work: Work) -> Repaired:
    """Store JPEG, PNG and WebP photos upright, without an EXIF turn; JPEG and WebP are encoded anew."""
    photos = work.request.photos
    if photos is None:
        return Repaired(work.dataset)
    turned = photos.good & (photos.column("orientation") != 1) & ~work.gone
    rows = [row for row in np.flatnonzero(turned).tolist() if photos.records[row].format in _ENCODABLE]
    before = [f"EXIF orientation {photos.records[row].orientation}" for row in rows]
    changes = of_photos("upright-photos", rows, before, ["upright"] * len(rows))
    return Repaired(work.dataset, changes, upright=rows)


def _drop(work: Work, repair: str, rows: Iterable[int], why: str) -> Repaired:
    left = [row for row in rows if not work.gone[row]]
    numbers = work.request.per_photo
    before = [f"{numbers[row]} annotations" for row in left]
    return Repaired(work.dataset, of_photos(repair, left, before, [f"dropped: {why}"] * len(left)), drop=left)


def _found(work: Work, checks: Iterable[str]) -> list[int]:
    rows = [each.where.images for check in checks for each in find(check, work.request)]
    return [int(row) for row in np.unique(np.concatenate([np.empty(0, np.int64), *rows])) if row >= 0]


def _pairs(where: Offenders) -> list[tuple[int, int]]:
    return list(zip(where.images.tolist(), where.partners.tolist(), strict=True))


def _grouped(work: Work) -> list[tuple[int, int]]:
    """Return photos of one group as pairs with the group's first."""
    pairs = []
    for name in work.dataset.images.column_names:
        if name.lower() in GROUP_NAMES:
            first: dict[object, int] = {}
            values = work.dataset.images[name].to_pylist()
            pairs += [(first.setdefault(value, row), row) for row, value in enumerate(values) if value is not None]
    return pairs


def _together(number: int, pairs: Iterable[tuple[int, int]]) -> Ids:
    """Return the lowest row that each row is connected to."""
    parent = np.arange(number)

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = int(parent[row])
        return row

    for one, two in pairs:
        first, second = sorted((root(one), root(two)))
        parent[second] = first
    return np.array([root(row) for row in range(number)], dtype=np.int64)


def _free(path: PurePosixPath, taken: set[str]) -> str:
    name, number = str(path), 1
    while name in taken:
        number += 1
        name = str(path.with_name(f"{path.stem}-{number}{path.suffix}"))
    return name
