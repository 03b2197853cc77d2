"""Checks of what stands on both sides of a split: photos, lookalikes, groups, frames of one video.

Whoever is judged on photos that it has learnt is judged too well. Of a pair the side that judges is the offender.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.checks.finding import NOWHERE, Finding, Floats, Ids, Offenders, at_images, counted, found
from vision_cli.checks.request import Across, Mask, Request
from vision_cli.core.columns import from_numpy

if TYPE_CHECKING:  # OpenCV, for those who decode photos
    from vision_cli.checks.photo_facts import PhotoFacts

GROUP_NAMES = frozenset(
    (
        *("group", "video", "video_id", "sequence", "sequence_id", "seq", "clip", "clip_id", "drive", "scene_token"),
        *("scene_id", "patient", "patient_id", "subject", "subject_id", "episode", "session", "session_id"),
        *("burst", "burst_id", "tile_of"),
    )
)
"""Columns whose equal values belong on one side."""

_HINT = "`vision data fix --repair leaks-to-one-split` moves them to one side; or split by a group (data.split.group)."
_LISTED = 5
_FRAME = re.compile(r"(\d+)(?=\D*$)")
_MIN_CORRELATION = 0.9
_RANDOM_PAIRS = 20_000
_CHANCE = 0.9


def leak_same(request: Request) -> list[Finding]:
    """Find photos with the bytes of a photo of another split."""
    told = request.same_across
    return [each for name, pairs in told for each in _pairs(request, "leak-same", pairs, name, "byte for byte")]


def same_across(request: Request) -> Across:
    """Return the pairs of photos of two splits with the same bytes."""
    facts = request.photos
    if facts is None:
        return []
    from vision_cli.imaging.lookalikes import same_pairs

    digests = facts.column("sha256").tolist()
    return [
        (name, same_pairs(digests, _with_bytes(facts, left), _with_bytes(facts, right)))
        for left, right, name in _sides(request)
    ]


def leak_alike(request: Request) -> list[Finding]:
    """Find photos that look like a photo of another split and are another file."""
    how, told = "nearly, by their looks", request.alike_across
    return [each for name, pairs in told for each in _pairs(request, "leak-alike", pairs, name, how)]


def alike_across(request: Request) -> Across:
    """Return the pairs of photos of two splits that look alike, but for photos with the bytes of one there."""
    facts = request.photos
    if request.thumbnail is None or facts is None:
        return []
    from vision_cli.imaging.lookalikes import Looks, alike_pairs

    good, looks, found = facts.good, Looks.of(facts.column("looks")), []
    for (left, right, name), (_, pairs) in zip(_sides(request), request.same_across, strict=True):
        same = {row for _, row in pairs}
        others = [row for row in right.tolist() if good[row] and row not in same]
        lefts = [row for row in left.tolist() if good[row]]
        found.append((name, alike_pairs(looks, lefts, others, request.thumbnail)))
    return found


def leak_group(request: Request) -> list[Finding]:
    """Find values of a group column that stand in several splits."""
    images = request.dataset.images
    columns = [name for name in images.column_names if name.lower() in GROUP_NAMES]
    return [finding for name in columns for finding in _group(request, name)]


def leak_sequence(request: Request) -> list[Finding]:
    """Find neighbouring frames, or photos of one burst, in different splits, that no other check of leaks tells of."""
    every = sequences(request)
    told = request.leaking(alike=True) if len(every) else frozenset()
    left = np.array([row not in told for row in every.images.tolist()], dtype=np.bool_)
    where = at_images(every.images[left], every.values[left], partners=every.partners[left])
    least = where.values.min(initial=1.0)
    more = f" {len(every) - len(where):,} more are told as leak-same or leak-alike." if len(where) < len(every) else ""
    reason = (
        f"{counted(len(where), 'photo')} are a neighbouring frame, by name or time, of a photo of another split and "
        f"look like it (correlation {least:.2f} or more): frames of one video belong on one side.{more}"
    )
    return found("leak-sequence", reason, where, hint=_HINT, fixable="leaks-to-one-split", measure="correlation")


def sequences(request: Request) -> Offenders:
    """Return neighbouring frames by name, or photos of one burst by time, in different splits, that look alike, too.

    Small copies must correlate by 0.9, and by more than nine of ten pairs of the set taken at random: what one fixed
    camera sees always looks alike. No false alarm in the 1,275 pairs of neighbouring numbers of 759 real photos that
    are no frames (BCCD, raccoons, COCO, cards).
    """
    facts = request.photos
    if facts is None:
        return NOWHERE
    usable = facts.good & (request.splits >= 0)
    if len(request.split_names) < 2 or not usable.any():
        return NOWHERE
    least = max(_MIN_CORRELATION, _by_chance(facts, np.flatnonzero(usable)))
    one, two = (np.concatenate(sides) for sides in zip(*_neighbours(request, usable), strict=True))
    likeness = _correlation(facts, one, two)
    near = likeness >= least
    one, two, likeness = one[near], two[near], likeness[near]
    return _once(request, one, two, likeness)


def _sides(request: Request) -> Iterator[tuple[Ids, Ids, tuple[str, str]]]:
    """Yield rows of one split, rows of another, and their names; the one that is learnt comes first."""
    for left, right in combinations(range(len(request.split_names)), 2):
        names = request.split_names[left], request.split_names[right]
        yield np.flatnonzero(request.splits == left), np.flatnonzero(request.splits == right), names


def _pairs(
    request: Request, check: str, pairs: Sequence[tuple[int, int]], name: tuple[str, str], how: str
) -> list[Finding]:
    rows = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    total = int((request.splits == request.split_names.index(name[1])).sum())
    number = f"{len(pairs):,} of {counted(total, f'{name[1]} photo')}"
    reason = f"{number} are also in {name[0]}, {how}: figures come out too good."
    where = at_images(rows[:, 1], partners=rows[:, 0])
    return found(check, reason, where, hint=_HINT, fixable="leaks-to-one-split")


def _group(request: Request, name: str) -> list[Finding]:
    column = request.dataset.images[name]
    if not (
        pa.types.is_string(column.type) or pa.types.is_integer(column.type) or pa.types.is_large_string(column.type)
    ):
        return []
    encoded = pc.dictionary_encode(column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column)
    codes = np.asarray(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)
    usable = (codes >= 0) & (request.splits >= 0)
    pairs = np.unique(np.stack([codes[usable], request.splits[usable]], axis=1), axis=0)
    several = np.flatnonzero(np.bincount(pairs[:, 0], minlength=1) > 1)
    rows = np.flatnonzero(usable & np.isin(codes, several))
    values = [str(value) for value in encoded.dictionary.take(from_numpy(several[:_LISTED])).to_pylist()]
    more = f" and {len(several) - _LISTED} more" if len(several) > _LISTED else ""
    listed = f"{', '.join(values)}{more}"
    reason = (
        f"{counted(len(several), 'value')} of `{name}` on both sides of a split ({listed}), with {len(rows):,} photos."
    )
    return found(
        "leak-group",
        reason,
        at_images(rows),
        hint=f"Split with data.split.group: {name}.",
        fixable="leaks-to-one-split",
    )


def _neighbours(request: Request, usable: Mask) -> list[tuple[Ids, Ids]]:
    """Return pairs of rows of different splits that follow on one another by name, and by time."""
    found = [_by_name(request, usable)]
    if "captured_at" in request.dataset.images.column_names:
        found.append(_by_time(request, usable))
    return found


def _by_name(request: Request, usable: Mask) -> tuple[Ids, Ids]:
    """Pair photos whose names differ in their last number alone, and by little; folders do not count."""
    stems: dict[str, int] = {}
    rows, kinds, numbers = [], [], []
    for row, path in enumerate(request.dataset.images["path"].to_pylist()):
        name = path.rpartition("/")[2].rpartition(".")[0]
        last = _FRAME.search(name)
        if last and usable[row] and len(last[0]) < 16:
            rows.append(row)
            kinds.append(stems.setdefault(f"{name[: last.start()]}#{name[last.end() :]}", len(stems)))
            numbers.append(int(last[0]))
    return _near(
        request,
        np.array(rows, np.int64),
        np.array(kinds, np.int64),
        np.array(numbers, np.float64),
        request.settings.frames,
    )


def _by_time(request: Request, usable: Mask) -> tuple[Ids, Ids]:
    images = request.dataset.images
    column = images["captured_at"]
    if not pa.types.is_timestamp(column.type):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    moments = column.cast(pa.timestamp("us", tz=column.type.tz)).cast(pa.int64())
    seconds = np.asarray(moments.fill_null(-1).to_numpy(), dtype=np.float64) / 1e6
    rows = np.flatnonzero(usable & np.asarray(pc.is_valid(column).to_numpy(), dtype=np.bool_))
    cameras = images["camera"].to_pylist() if "camera" in images.column_names else [""] * len(images)
    known = {name: at for at, name in enumerate(dict.fromkeys(cameras))}
    kinds = np.array([known[cameras[row]] for row in rows.tolist()], dtype=np.int64)
    return _near(request, rows, kinds, seconds[rows], request.settings.burst_s)


def _near(request: Request, rows: Ids, kinds: Ids, numbers: Floats, most: float) -> tuple[Ids, Ids]:
    """Pair rows of one kind whose numbers differ by no more than `most` and whose splits differ."""
    order = np.lexsort((numbers, kinds))
    rows, kinds, numbers = rows[order], kinds[order], numbers[order]
    ones, twos = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    at = np.arange(len(rows))
    for lag in range(1, max(1, int(most)) + 1):
        at = at[at + lag < len(rows)]
        at = at[(kinds[at] == kinds[at + lag]) & (numbers[at + lag] - numbers[at] <= most)]
        one, two = rows[at], rows[at + lag]
        apart = request.splits[one] != request.splits[two]
        ones.append(one[apart])
        twos.append(two[apart])
    return np.concatenate(ones), np.concatenate(twos)


def _by_chance(facts: PhotoFacts, rows: Ids) -> float:
    """Return the correlation that one in ten pairs of photos taken at random reaches."""
    rng = np.random.default_rng(0)
    picks = rng.integers(0, len(rows), (2, _RANDOM_PAIRS))
    one, two = rows[picks[:, picks[0] != picks[1]]]
    return float(np.quantile(_correlation(facts, one, two), _CHANCE)) if len(one) else 1.0


def _correlation(facts: PhotoFacts, one: Ids, two: Ids) -> Floats:
    block = 4096
    parts = [
        (facts.smalls(one[at : at + block]) * facts.smalls(two[at : at + block])).sum(axis=1)
        for at in range(0, len(one), block)
    ]
    return np.concatenate([np.empty(0), *parts]).astype(np.float64)


def _once(request: Request, one: Ids, two: Ids, likeness: Floats) -> Offenders:
    """Return the photo of the later split of each pair, once, with the other that is most like it."""
    swap = request.splits[one] > request.splits[two]
    first, second = np.where(swap, two, one), np.where(swap, one, two)
    order = np.lexsort((-likeness, second))
    _, once = np.unique(second[order], return_index=True)
    kept = order[once]
    kept = kept[np.argsort(-likeness[kept], kind="stable")]
    return at_images(second[kept], likeness[kept], partners=first[kept])


def _with_bytes(facts: PhotoFacts, rows: Ids) -> list[int]:
    return [row for row in rows.tolist() if facts.records[row].sha256]
