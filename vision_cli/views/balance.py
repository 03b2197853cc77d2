"""Which classes the photos that stay together have, and the last moves that bring every class into every split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_BIN_PHOTOS = 20
_MAX_BINS = 10

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


def strata_of_values(values: Floats) -> Mask:
    """Return bool (N, B): the quantile bin of each value; one bin for every 20 photos, at most 10."""
    bins = int(np.clip(len(values) // _BIN_PHOTOS, 1, _MAX_BINS))
    edges = np.quantile(values, np.arange(1, bins) / bins)
    strata: Mask = np.searchsorted(edges, values, side="right")[:, None] == np.arange(bins)
    return strata


@dataclass(frozen=True, slots=True)
class Strata:
    """How many photos of which stratum each unit holds; a unit is a photo, or a group of photos that stay together.

    Attributes:
        number: of strata, K + 1; the last one holds every photo.
        starts: int64 (U + 1,), the pairs of unit u are `starts[u]:starts[u + 1]`.
        unit: int64 (P,), of each pair.
        stratum: int64 (P,), of each pair.
        photos: int64 (P,), of each pair, at least 1.
    """

    number: int
    starts: Ints
    unit: Ints
    stratum: Ints
    photos: Ints

    def of(self, unit: int) -> slice:
        """Return where a unit's pairs stand."""
        return slice(int(self.starts[unit]), int(self.starts[unit + 1]))

    def sums(self, chosen: Mask, *, photos: bool) -> Ints:
        """Return int64 (K + 1,): the photos, or else the units, of each stratum among a bool (U,) choice of units."""
        pairs = chosen[self.unit]
        weights = self.photos[pairs] if photos else None
        return np.bincount(self.stratum[pairs], weights=weights, minlength=self.number).astype(np.int64)


def strata_of(photos: Mask, unit_of_photo: Ints) -> Strata:
    """Count the strata of each unit.

    Args:
        photos: bool (N, K).
        unit_of_photo: int64 (N,), every unit 0..U-1 at least once.
    """
    rows, columns = np.nonzero(photos)
    number = photos.shape[1] + 1
    units = np.concatenate([unit_of_photo[rows], unit_of_photo])
    strata = np.concatenate([columns, np.full(len(photos), number - 1)])
    pairs, counts = np.unique(units * number + strata, return_counts=True)
    unit, stratum = np.divmod(pairs, number)
    starts = np.searchsorted(unit, np.arange(int(unit_of_photo.max()) + 2))
    return Strata(number, starts.astype(np.int64), unit, stratum, counts.astype(np.int64))


@dataclass(slots=True)
class Sharing:
    """Units on their way into splits.

    Attributes:
        shares: float64 (S,), adding up to 1.
        strata: of the units.
        assigned: int64 (U,), the index of a split; -1 before it is dealt, S or more where a split has no share.
        free: bool (U,), units that may be dealt and moved.
        order: the free units in the order in which they are dealt.
    """

    shares: Floats
    strata: Strata
    assigned: Ints
    free: Mask
    order: Sequence[int]

    def missing(self) -> Floats:
        """Return float64 (S, K + 1): by how many photos each split falls short of its share of each stratum."""
        wanted = self.shares[:, None] * self.strata.sums(self.assigned < len(self.shares), photos=True)
        return np.asarray(wanted - self._table(photos=True), dtype=np.float64)

    def mend(self) -> None:
        """Move free units until each stratum that has enough of them has one in each split.

        The rarest stratum is served first. A unit leaves only a split that keeps another of each of its strata.
        """
        units = self._table(photos=False)
        totals = units.sum(axis=0)
        enough = totals >= len(self.shares)
        lacking = np.argwhere((units == 0) & enough).tolist()
        rank = {unit: index for index, unit in enumerate(self.order)}
        for split, stratum in sorted(lacking, key=lambda pair: (totals[pair[1]], pair[1], pair[0])):
            unit = self._spare(stratum, units, enough, rank) if units[split, stratum] == 0 else None
            if unit is not None:
                strata = self.strata.stratum[self.strata.of(unit)]
                units[self.assigned[unit], strata] -= 1
                units[split, strata] += 1
                self.assigned[unit], self.free[unit] = split, False

    def _table(self, *, photos: bool) -> Ints:
        """Return int64 (S, K + 1): photos or units of each stratum in each split."""
        splits = range(len(self.shares))
        return np.stack([self.strata.sums(self.assigned == split, photos=photos) for split in splits])

    def _spare(self, stratum: int, units: Ints, enough: Mask, rank: dict[int, int]) -> int | None:
        """Return the smallest unit of a stratum, out of the split that has most beyond its share and can spare it."""
        here = self.strata.stratum == stratum
        members, shares = self.strata.unit[here], len(self.shares)
        held = np.bincount(self.assigned[members], weights=self.strata.photos[here], minlength=shares)[:shares]
        excess = held - self.shares * held.sum()
        candidates = []
        for unit in members[self.free[members]].tolist():
            pairs, split = self.strata.of(unit), self.assigned[unit]
            kept = self.strata.stratum[pairs]
            if not ((units[split, kept] < 2) & enough[kept]).any():
                candidates.append((-excess[split], self.strata.photos[pairs.stop - 1], rank[unit], unit))
        return min(candidates)[3] if candidates else None
