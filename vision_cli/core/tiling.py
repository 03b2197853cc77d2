"""Large photos as overlapping tiles: which parts of a photo a network sees, one after the other."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from vision_cli.core.errors import DataError

Window = tuple[int, int, int, int]
"""Left, top, width and height of a part of a photo, in pixels."""
MAX_OVERLAP = 0.9


@dataclass(frozen=True, slots=True)
class Tiles:
    """How photos are cut.

    Attributes:
        size_px: (width, height) of a tile, in pixels of the photo.
        overlap: least share of a tile's side that it has in common with its neighbour, 0 to MAX_OVERLAP.
        whole: the whole photo is one more view, for objects that are larger than the overlap; smaller ones are the
            tiles' own, see `seen_whole_px`.
    """

    size_px: tuple[int, int]
    overlap: float = 0.2
    whole: bool = True

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "size_px": list(self.size_px)}

    @classmethod
    def from_json(cls, document: Any) -> Tiles:
        """Read what `as_json` wrote.

        Raises:
            DataError: a key is missing, unknown or out of range.
        """
        try:
            width, height = document["size_px"]
            found = cls(**{**document, "size_px": (int(width), int(height))})
            if min(found.size_px) < 1 or not 0 <= found.overlap <= MAX_OVERLAP or not isinstance(found.whole, bool):
                raise ValueError("out of range")
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"tiles: {error!r}.", hint="The model file was not written by vision.") from error
        return found


def windows(photo_px: tuple[int, int], tiles: Tiles) -> list[Window]:
    """Return the tiles of a photo of (width, height), row by row, the whole photo last if it is wanted.

    Tiles are as far apart as they can be with the declared overlap, evenly, and end at the photo's edges. A side that
    is shorter than a tile has one, of its own length; a photo of a single tile is not seen twice.
    """
    sides = zip(photo_px, tiles.size_px, strict=True)
    columns, rows = (_spans(photo, tile, tiles.overlap) for photo, tile in sides)
    found = [(left, top, width, height) for top, height in rows for left, width in columns]
    return [*found, (0, 0, *photo_px)] if tiles.whole and len(found) > 1 else found


def seen_whole_px(photo_px: tuple[int, int], tiles: Tiles) -> tuple[float, float]:
    """Return the (width, height) up to which every object of a photo lies in whole in one of its tiles."""
    width, height = (
        float(photo) if photo <= tile else tiles.overlap * tile
        for photo, tile in zip(photo_px, tiles.size_px, strict=True)
    )
    return width, height


def _spans(photo: int, tile: int, overlap: float) -> list[tuple[int, int]]:
    """Return first pixel and length of each tile along a side."""
    if photo <= tile:
        return [(0, photo)]
    step = max(1, math.floor(round(tile * (1 - overlap), 6)))
    more = math.ceil((photo - tile) / step)
    return [(round(index * (photo - tile) / more), tile) for index in range(more + 1)]
