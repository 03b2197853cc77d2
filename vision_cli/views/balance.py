"""Give every class a photo in every split, with the fewest moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_BIN_PHOTOS = 40
_MAX_BINS = 5

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


def strata_of_values(values: Floats) -> Mask:
    """Return bool (N, B): the quantile bin of each value; one bin for every 40 photos, at most 5."""
    bins = int(np.clip(len(values) // _BIN_PHOTOS, 1, _MAX_BINS))
    edges = np.quantile(values, np.arange(1, bins) / bins)
    strata: Mask = np.searchsorted(edges, values, side="right")[:, None] == np.arange(bins)
    return strata


def whole_strata(photos: Mask, unit_of_photo: Ints) -> Mask:
    """Return bool (U, K + 1): the strata of each unit's photos, and a last one that holds every unit.

    Args:
        photos: bool (N, K).
        unit_of_photo: int64 (N,), every unit 0..U-1 at least once.
    """
    units = np.zeros((int(unit_of_photo.max()) + 1, photos.shape[1] + 1), dtype=np.bool_)
    rows, columns = np.nonzero(photos)
    units[unit_of_photo[rows], columns] = True
    units[:, -1] = True
    return units


@dataclass(slots=True)
class Sharing:
    """Units on their way into splits.

    Attributes:
        names: of the splits; the first S have a share.
        edges: float64 (S,), where each share ends on the line from 0 to 1.
        assigned: int64 (U,), index into `names`; `mend` changes it.
        free: bool (U,), units that may be moved.
        place: float64 (U,), 0..1.
        keys: (U,), to tell units of equal place apart.
        strata: bool (U, K), classes or bins of each unit.
    """

    names: Sequence[str]
    edges: Floats
    assigned: Ints
    free: Mask
    place: Floats
    keys: Sequence[str]
    strata: Mask

    def mend(self) -> int:
        """Move units until each stratum that has enough of them has one in each share; return how many moved.

        The rarest stratum is served first. A unit leaves only a split that keeps another of each of its strata.
        """
        shares = len(self.edges)
        counts = np.stack([self.strata[self.assigned == index].sum(axis=0) for index in range(len(self.names))])
        totals = self.strata[np.isin(self.assigned, np.arange(shares))].sum(axis=0)
        enough = totals >= shares
        lacking = np.argwhere((counts[:shares] == 0) & enough)
        moved = 0
        for share, stratum in sorted(lacking.tolist(), key=lambda pair: (totals[pair[1]], pair[1], pair[0])):
            unit = self._spare(share, stratum, counts, enough) if counts[share, stratum] == 0 else None
            if unit is not None:
                counts[self.assigned[unit]] -= self.strata[unit]
                counts[share] += self.strata[unit]
                self.assigned[unit], self.free[unit] = share, False
                moved += 1
        return moved

    def _spare(self, share: int, stratum: int, counts: Ints, enough: Mask) -> int | None:
        """Return the unit of a stratum that stands nearest to a share and whose own split can spare it."""
        units = np.flatnonzero(self.free & self.strata[:, stratum])
        last = (counts[self.assigned[units]] < 2) & self.strata[units] & enough
        units = units[~last.any(axis=1)]
        start, end = (self.edges[share - 1] if share else 0.0), self.edges[share]
        distance = np.maximum(start - self.place[units], self.place[units] - end)
        order = sorted(
            (away, self.keys[unit], unit) for away, unit in zip(distance.tolist(), units.tolist(), strict=True)
        )
        return order[0][2] if order else None
