"""Checks of photos that stand twice within a split, or in a set without splits."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from vision_cli.checks.boxes import iou
from vision_cli.checks.finding import Finding, Offenders, at_images, counted, found
from vision_cli.checks.request import Request
from vision_cli.imaging.lookalikes import Looks, Pairs, earlier_pairs

_SAME_IOU = 0.5


def photo_twice(request: Request) -> list[Finding]:
    """Find photos with the bytes of an earlier one of the same split."""
    pairs = [pair for rows in _parts(request) for pair in _same(request, rows)]
    number = f"{counted(len(pairs), 'photo')} of {len(request.dataset):,}"
    leak = _also(pairs, request.leaking(alike=False), "leak-same")
    reason = f"{number} are the same file as another of their split, byte for byte.{leak}"
    hint = "`vision data fix --repair drop-twin-photos` keeps the first of each, if their labels agree."
    return found("photo-twice", reason, _where(pairs), hint=hint, fixable="drop-twin-photos")


def photo_alike(request: Request) -> list[Finding]:
    """Find photos that look like an earlier one of the same split and are another file."""
    if request.photos is None or request.thumbnail is None:
        return []
    good, pairs = request.photos.good, []
    looks = Looks.of(request.photos.column("looks"))
    for rows in _parts(request):
        again = {row for _, row in _same(request, rows)}
        pairs += earlier_pairs(looks, [row for row in rows if good[row] and row not in again], request.thumbnail)
    number = f"{counted(len(pairs), 'photo')} of {len(request.dataset):,}"
    leak = _also(pairs, request.leaking(alike=True) if pairs else frozenset(), "leak-same or leak-alike")
    reason = f"{number} are nearly the same as another of their split, by their looks: they add little.{leak}"
    hint = "Keep them together when you split (a group column); thin them out where labelling costs."
    return found("photo-alike", reason, _where(pairs), hint=hint)


def photo_twice_labels_differ(request: Request) -> list[Finding]:
    """Find photos with the bytes of another that carry other classes, or a box without a partner of IoU 0.5 there."""
    pairs = _same(request, range(len(request.dataset)))
    if not pairs:
        return []
    labels = _labels(request, {row for pair in pairs for row in pair})
    differ = [(one, two) for one, two in pairs if not _agree(request, labels.get(one, []), labels.get(two, []))]
    again = {row for rows in _parts(request) for _, row in _same(request, rows)}
    told = _also(differ, request.leaking(alike=False) | again, "photo-twice or leak-same")
    reason = (
        f"{counted(len(differ), 'photo')} have the bytes of another photo and other labels: one of the two is wrong."
        f"{told}"
    )
    return found("photo-twice-labels-differ", reason, _where(differ), hint="Decide which labels are right.")


def _also(pairs: Pairs, rows: Collection[int], check: str) -> str:
    """Return a sentence about those photos that another check tells of, too."""
    number = sum(row in rows for _, row in pairs)
    which = "It is" if number == len(pairs) == 1 else f"{number:,} of them {'is' if number == 1 else 'are'}"
    return f" {which} told as {check}, too." if number else ""


def _parts(request: Request) -> list[list[int]]:
    """Return the rows of each split, then those without one."""
    return [np.flatnonzero(request.splits == part).tolist() for part in range(-1, len(request.split_names))]


def _same(request: Request, rows: Sequence[int]) -> Pairs:
    """Return (first, later) of every row whose bytes an earlier row has."""
    first: dict[str, int] = {}
    pairs = []
    records = request.photos.records if request.photos else ()
    for row in rows:
        digest = records[row].sha256
        if digest and first.setdefault(digest, row) != row:
            pairs.append((first[digest], row))
    return pairs


def _labels(request: Request, rows: set[int]) -> dict[int, list[int]]:
    """Return the annotations of some photos."""
    found: dict[int, list[int]] = {}
    for at in np.flatnonzero(np.isin(request.rows, list(rows))).tolist():
        found.setdefault(int(request.rows[at]), []).append(at)
    return found


def _agree(request: Request, ones: list[int], others: list[int]) -> bool:
    """Tell whether each annotation has one of its own on the other photo, of its class and about its place."""
    left = list(others)
    for one in ones:
        match = next((two for two in left if _same_object(request, one, two)), None)
        if match is None:
            return False
        left.remove(match)
    return not left


def _same_object(request: Request, one: int, two: int) -> bool:
    if request.class_ids[one] != request.class_ids[two]:
        return False
    edges = request.boxes
    if not (edges.there[one] and edges.there[two]):
        return bool(edges.there[one] == edges.there[two])
    exactly = all(side[one] == side[two] for side in (edges.left, edges.top, edges.right, edges.bottom))
    return exactly or bool(iou(edges, np.array([one]), np.array([two]))[0] >= _SAME_IOU)


def _where(pairs: Pairs) -> Offenders:
    rows = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return at_images(rows[:, 1], partners=rows[:, 0])
