"""Checks of classes: outside of the map, unused, rare, out of proportion, missing in a split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow.compute as pc

from vision_cli.checks.finding import NONE, Finding, Ids, at_annotations, counted, found
from vision_cli.checks.request import Request

_LISTED = 8
_CELLS = 1 << 24
"""Photos times classes up to which a table of them, a byte each, is quicker than sorting."""


def class_outside(request: Request) -> list[Finding]:
    """Find annotations whose class id is none of the map; a value of the whole photo needs none."""
    value = np.asarray(pc.is_valid(request.dataset.annotations["value"]).to_numpy(), dtype=np.bool_)
    ids = request.class_ids
    rows = np.flatnonzero(~value & ((ids < 0) | (ids >= len(request.dataset.classes))))
    reason = f"{counted(len(rows), 'annotation')} have no class of the class map's {len(request.dataset.classes)}."
    hint = "`vision data fix --repair drop-unclassed` removes them."
    where = at_annotations(rows, request.rows[rows])
    return found("class-outside", reason, where, hint=hint, fixable="drop-unclassed")


def class_unused(request: Request) -> list[Finding]:
    """Find classes without any annotation."""
    counts = _annotations(request)
    names = [name for name, count in zip(request.dataset.classes.names, counts, strict=True) if count == 0]
    if not names:
        return []
    reason = f"{len(names)} of {counted(len(counts), 'class')} have no annotation: {_listed(names)}."
    return _whole("class-unused", reason, len(names), hint="Drop them from the class map, or collect photos of them.")


def class_rare(request: Request) -> list[Finding]:
    """Find classes that stand on few photos."""
    counts, least = _photos(request), request.settings.rare
    order = np.argsort(counts, kind="stable")
    names = [f"{request.dataset.classes.names[at]} {counts[at]}" for at in order if 0 < counts[at] < least]
    if not names:
        return []
    few = np.flatnonzero((counts > 0) & (counts < least))
    rows = np.flatnonzero(np.isin(request.class_ids, few))
    reason = f"{counted(len(names), 'class')} stand on fewer than {least:g} photos: {_listed(names)}."
    where = at_annotations(rows, request.rows[rows])
    hint = "Neither learning nor judging works on so few: collect more, merge or drop them."
    return found("class-rare", reason, where, hint=hint, figure=len(names))


def class_imbalance(request: Request) -> list[Finding]:
    """Find out whether the largest class outnumbers others by far."""
    counts = _annotations(request)
    used = counts[counts > 0]
    if len(used) < 2:
        return []
    ratio = float(used.max() / used.min())
    if ratio < request.settings.imbalance:
        return []
    names = request.dataset.classes.names
    largest, smallest = int(counts.argmax()), int(np.where(counts > 0, counts, counts.max() + 1).argmin())
    many = int((used * request.settings.imbalance <= used.max()).sum())
    reason = (
        f"'{names[largest]}' has {ratio:,.0f} times the annotations of '{names[smallest]}' ({counts[largest]:,} and "
        f"{counts[smallest]:,}); {counted(many, 'class')} are outnumbered {request.settings.imbalance:g} times or more."
    )
    hint = "Judge by macro figures; see train.class_weights."
    return _whole("class-imbalance", reason, ratio, hint=hint)


def class_missing_in_split(request: Request) -> list[Finding]:
    """Find classes that one split has and another lacks."""
    if len(request.split_names) < 2 or not len(request.dataset.classes):
        return []
    counts = _annotations_by_split(request)
    lacks = [
        (name, np.flatnonzero((counts[at] == 0) & (counts.sum(axis=0) > 0)))
        for at, name in enumerate(request.split_names)
    ]
    names = request.dataset.classes.names
    told = [f"{split} has no {_listed([names[each] for each in rows])}" for split, rows in lacks if len(rows)]
    if not told:
        return []
    total = sum(len(rows) for _, rows in lacks)
    reason = f"Classes are missing in splits: {'; '.join(told)}."
    return _whole("class-missing-in-split", reason, total, hint="Split anew by class (data.split), or collect photos.")


def _whole(check: str, reason: str, figure: float, *, hint: str) -> list[Finding]:
    """Return a finding about the whole set."""
    return found(check, reason, at_annotations((), ()), hint=hint, figure=float(figure))


def _valid(request: Request) -> Ids:
    ids = request.class_ids
    return np.where((ids < 0) | (ids >= len(request.dataset.classes)), NONE, ids)


def _annotations(request: Request) -> Ids:
    ids = _valid(request)
    return np.bincount(ids[ids >= 0], minlength=len(request.dataset.classes)).astype(np.int64)


def _photos(request: Request) -> Ids:
    """Return on how many photos each class stands."""
    ids, number = _valid(request), len(request.dataset.classes)
    if not number:
        return np.empty(0, np.int64)
    there, cells = ids >= 0, len(request.dataset) * number
    pairs = request.rows[there] * number + ids[there]
    if cells > _CELLS:
        return np.bincount(np.unique(pairs) % number, minlength=number).astype(np.int64)
    has = np.zeros(cells, dtype=np.bool_)
    has[pairs] = True
    return np.asarray(has.reshape(-1, number).sum(axis=0), dtype=np.int64)


def _annotations_by_split(request: Request) -> Ids:
    ids, splits, number = _valid(request), request.splits[request.rows], len(request.dataset.classes)
    there = (ids >= 0) & (splits >= 0)
    shape = (len(request.split_names), number)
    return np.bincount(splits[there] * number + ids[there], minlength=shape[0] * number).reshape(shape).astype(np.int64)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
