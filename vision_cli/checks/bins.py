"""How evenly photos or boxes fill the range of a property: size, place, brightness, colour, time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.checks.intervals import Floats, Ids

OUTSIDE = -1

SIZES_PX = (0.0, 8.0, 16.0, 32.0, 64.0, 96.0, 192.0, 384.0, np.inf)
"""Square root of a box's area at the training size; 32 and 96 are COCO's borders of small, medium and large."""
GRID = 4
LUMA = (0.0, 32.0, 64.0, 96.0, 128.0, 160.0, 192.0, 224.0, 256.0)
HUES = ("red", "yellow", "green", "cyan", "blue", "magenta")
GREY_SATURATION = 0.12
"""Below it a photo counts as grey: its hue is chance."""
PLACE_DEGREES = 0.01
"""About 1.1 km from south to north."""


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """What falls where.

    Attributes:
        names: (B,) of the bins.
        of: int64 (N,), bin of each; -1 where the value is not known.
        ordinary: whether an empty bin is a gap worth telling; False where bins are only those that occur.
    """

    names: tuple[str, ...]
    of: Ids
    ordinary: bool = True

    @property
    def counts(self) -> Ids:
        """Return how many are in each bin, int64 (B,)."""
        return np.bincount(self.of[self.of >= 0], minlength=len(self.names)).astype(np.int64)

    @property
    def known(self) -> int:
        """Return how many have a value."""
        return int((self.of >= 0).sum())

    @property
    def effective(self) -> float:
        """Return the number of equally full bins that are as varied: the exponential of the entropy, 1 .. B."""
        shares = self.counts[self.counts > 0] / max(self.known, 1)
        return float(np.exp(-(shares * np.log(shares)).sum()))

    @property
    def evenness(self) -> float:
        """Return the entropy by its largest possible value, 0 one bin only .. 1 all alike (Pielou 1966)."""
        return float(np.log(self.effective) / np.log(len(self.names))) if len(self.names) > 1 else 1.0

    @property
    def empty(self) -> tuple[str, ...]:
        """Return the names of the bins with nothing in them."""
        return tuple(name for name, count in zip(self.names, self.counts, strict=True) if not count)

    @property
    def fullest(self) -> tuple[str, float]:
        """Return the name and the share of the fullest bin."""
        counts = self.counts
        best = int(counts.argmax())
        return self.names[best], float(counts[best] / max(self.known, 1))

    def rare(self, share: float) -> Ids:
        """Return the rows in bins that hold less than a share of all, rarest first."""
        counts = self.counts
        scarce = (counts > 0) & (counts < share * self.known)
        rows = np.flatnonzero((self.of >= 0) & scarce[self.of])
        return rows[np.lexsort((rows, counts[self.of[rows]]))]


def between(values: Floats, edges: Sequence[float], unit: str) -> Bins:
    """Sort values float64 (N,) into bins between ascending edges; NaN and what lies outside stay out."""
    found = np.searchsorted(np.asarray(edges), values, side="right") - 1
    inside = (values >= edges[0]) & (values < edges[-1])
    names = [f"{low:g} to {high:g} {unit}" for low, high in pairwise(edges)]
    if np.isinf(edges[-1]):
        names[-1] = f"{edges[-2]:g} {unit} and more"
    return Bins(tuple(name.strip() for name in names), np.where(inside, found, OUTSIDE).astype(np.int64))


def positions(across: Floats, down: Floats) -> Bins:
    """Sort places, shares 0..1 of the photo's width and height, into a grid of 4 x 4 cells."""
    inside = (across >= 0) & (across <= 1) & (down >= 0) & (down <= 1)
    column, row = (np.clip(np.nan_to_num(each) * GRID, 0, GRID - 1).astype(np.int64) for each in (across, down))
    names = tuple(f"row {y + 1}, column {x + 1} of {GRID}" for y in range(GRID) for x in range(GRID))
    return Bins(names, np.where(inside, row * GRID + column, OUTSIDE))


def hues(degrees: Floats, saturation: Floats) -> Bins:
    """Sort mean colours into six hues and grey.

    Args:
        degrees: float64 (N,), 0 red, 120 green, 240 blue; NaN where not known.
        saturation: float64 (N,), 0..1.
    """
    number = np.floor((np.nan_to_num(degrees) + 30) / 60).astype(np.int64) % len(HUES)
    found = np.where(saturation < GREY_SATURATION, len(HUES), number)
    return Bins((*HUES, "grey"), np.where(np.isnan(degrees + saturation), OUTSIDE, found))


def hours(times: pa.ChunkedArray) -> Bins:
    """Sort timestamps into the hours of the day, as they are written."""
    return Bins(tuple(f"{hour:02d}:00" for hour in range(24)), _whole(pc.hour(times)))


def months(times: pa.ChunkedArray) -> Bins:
    """Sort timestamps into the months of the year."""
    names = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
             "November", "December")  # fmt: skip
    found = _whole(pc.month(times))
    return Bins(names, np.where(found > 0, found - 1, OUTSIDE))


def places(latitude: Floats, longitude: Floats) -> Bins:
    """Sort degrees into cells of 0.01; only cells with a photo are bins."""
    known = np.isfinite(latitude) & np.isfinite(longitude) & (np.abs(latitude) <= 90) & (np.abs(longitude) <= 180)
    cells = np.stack([np.floor(np.where(known, each, 0.0) / PLACE_DEGREES) for each in (latitude, longitude)], axis=1)
    names, member = np.unique(cells[known], axis=0, return_inverse=True)
    found = np.full(len(latitude), OUTSIDE, dtype=np.int64)
    found[known] = member.ravel()
    labels = tuple(f"{lat * PLACE_DEGREES:.2f}, {lon * PLACE_DEGREES:.2f}" for lat, lon in names)
    return Bins(labels, found, ordinary=False)


def _whole(column: pa.ChunkedArray) -> Ids:
    return np.asarray(column.fill_null(OUTSIDE).to_numpy(), dtype=np.int64)
