"""Something to paint, what it covers, and what is laid over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision_cli.synth.bend import Bend
from vision_cli.synth.labels import difference, visible
from vision_cli.synth.shadow import Shade
from vision_cli.synth.warp import Layer, Lens, coverage

PIECE = "piece"
"""The look of what was photographed with the scene already."""

HALF = 128

Window = tuple[slice, slice]
WHOLE: Window = (slice(None), slice(None))


@dataclass(slots=True, eq=False)
class Thing:
    """Something to paint: an object, a distractor, or a piece of the scene.

    Attributes:
        layer: its picture in the photo.
        cover: float32 (h, w), 0 to 1, what it covers of each pixel, nearer regions of the scene taken off.
        look: name in `LOOKS`, or PIECE.
        labelled: whether it is of a class.
        bend: of its surface.
        lens: of the camera.
        number: its own, for its random numbers.
        hidden: float32 (h, w), what was laid over it since; None for nothing.
        without: uint8 (h, w, 3), its part of the photo with all that was painted but it; None for what has no label,
            and as long as it has not been painted.
        contrast: average change where it covers.
    """

    layer: Layer
    cover: NDArray[np.float32]
    look: str
    labelled: bool
    bend: Bend | None
    lens: Lens
    number: int
    hidden: NDArray[np.float32] | None = None
    without: NDArray[np.uint8] | None = None
    contrast: float = 0.0

    @property
    def seen(self) -> NDArray[np.float32]:
        """Return float32 (h, w), 0 to 1: what can be seen of it in each pixel."""
        return self.cover if self.hidden is None else np.asarray(self.cover * (1 - self.hidden), np.float32)

    @property
    def within_px(self) -> int:
        """How many pixels it would have in the photo, with nothing before it."""
        return int(np.count_nonzero(self.layer.rgba[..., 3] >= HALF))

    @property
    def seen_px(self) -> int:
        """How many of its pixels are seen."""
        return int(np.count_nonzero(self.seen >= 0.5))

    @property
    def visibility(self) -> float:
        """Share of it that is seen, 0 to 1."""
        whole = float(self.within_px)
        if self.layer.truncated:
            whole = max(whole, self.layer.full_px)
        return min(1.0, self.seen_px / max(whole, 1.0))

    def shares(self, other: Window) -> tuple[Window, Window] | None:
        """Return where its window meets another one: as rows and columns of its own, and of the other's."""
        (rows, columns), (others, along) = self.layer.window, other
        top, bottom = max(rows.start, others.start), min(rows.stop, others.stop)
        left, right = max(columns.start, along.start), min(columns.stop, along.stop)
        if top >= bottom or left >= right:
            return None
        own = slice(top - rows.start, bottom - rows.start), slice(left - columns.start, right - columns.start)
        return own, (slice(top - others.start, bottom - others.start), slice(left - along.start, right - along.start))

    def cover_up(self, part: Window, by: NDArray[np.float32]) -> None:
        """Note that something was laid over a part of it."""
        if self.hidden is None:
            self.hidden = np.zeros_like(self.cover)
        self.hidden[part] = 1 - (1 - self.hidden[part]) * (1 - by)

    def dim(self, shade: Shade) -> None:
        """Let the shadow of something else fall on what is seen without it."""
        part = self.shares(shade.window)
        if part is not None and self.without is not None:
            shade.fall_on(self.without[part[0]], part[1])

    def seen_in(self, photo: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], tuple[int, int, int, int]] | None:
        """Return its pixels in a finished photo and their bounds in its window; see `labels.visible`."""
        if self.without is None:
            return None
        return visible(difference(photo[self.layer.window], self.without), self.seen)


def cover_of(layer: Layer, open_share: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """Return what a layer covers where nothing nearer hides it."""
    cover = coverage(layer.rgba)
    return cover if open_share is None else cover * open_share
