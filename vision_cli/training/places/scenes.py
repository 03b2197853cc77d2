"""Photos with their objects, as a view gives them, brought to the size that a network sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vision_cli.core import rle
from vision_cli.core.decoding.placing import Placement, place
from vision_cli.core.detections import Truth
from vision_cli.core.errors import DataError
from vision_cli.core.place_targets import IGNORED
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.tiling import Tiles, Window, seen_whole_px, windows
from vision_cli.core.truth_maps import class_map, rows_of
from vision_cli.imaging.prepare import load_resized, part_of, resized
from vision_cli.imaging.read import read_photo
from vision_cli.training.cache import PhotoCache
from vision_cli.training.places.scene import Scene

Plane = TypeVar("Plane", bound=np.generic)
MASKED = ("instance", "panoptic")
"""Tasks that learn a mask of each object."""
PIXELWISE = ("semantic", "panoptic")
"""Tasks that learn a class of each pixel."""


@dataclass(frozen=True, slots=True)
class Scenes:
    """Photos, or parts of photos, and what is in them.

    Attributes:
        task: one of PLACE_TASKS.
        paths: P files.
        truth: their objects, with masks for every task but `detect`; each photo's stand together, in its order.
        things: bool (C,): classes that are objects; the others are stuff, which only pixels know.
        background: class of pixels without a label; IGNORED where they teach nothing.
        views: row of the photo and part of it, of each scene; none where each photo is a scene. See `tiled`.
    """

    task: str
    paths: Sequence[Path]
    truth: Truth
    things: NDArray[np.bool_]
    background: int = IGNORED
    views: tuple[tuple[int, Window], ...] = ()

    def __post_init__(self) -> None:
        if len(self.paths) != self.truth.n_photos:
            raise DataError(f"scenes: {len(self.paths)} photos, but the truth is of {self.truth.n_photos}.")
        if self.task != "detect" and self.truth.masks is None:
            raise DataError(f"scenes: {self.task} needs the outlines of objects.")

    def __len__(self) -> int:
        """Return the number of scenes."""
        return len(self.views) or len(self.paths)

    def view(self, index: int) -> tuple[int, Window]:
        """Return the row of the photo of a scene, and the part of the photo that the scene is."""
        if self.views:
            return self.views[index]
        width, height = self.truth.sizes[index].tolist()
        return index, (0, 0, width, height)

    def photos(self) -> NDArray[np.int64]:
        """Return int64 (scenes,): the row of the photo of each scene."""
        return np.array([row for row, _ in self.views]) if self.views else np.arange(len(self.paths))

    def rows(self, index: int) -> NDArray[np.int64]:
        """Return the rows of `truth` of a scene: its photo's objects, without those that lie beside its part of it."""
        photo, window = self.view(index)
        rows = rows_of(self.truth, photo)
        return rows[_inside(self.truth.xyxy()[rows], window)] if self.views else rows


class SceneReader:
    """Reads scenes in the size of a preprocessing; photos are decoded once while memory lasts."""

    def __init__(self, scenes: Scenes, preprocess: Preprocess) -> None:
        self._scenes, self._preprocess = scenes, preprocess
        width, height = preprocess.size_px
        self._cache = PhotoCache(len(scenes), width * height * preprocess.channels)
        self._photo_rows = scenes.photos()

    def __call__(self, index: int) -> Scene:
        """Return a scene with its objects.

        Raises:
            DataError: the photo is refused.
        """
        scenes, truth = self._scenes, self._scenes.truth
        photo, window = scenes.view(index)
        placement = place(window[2:], self._preprocess)
        rows = scenes.rows(index)
        objects = rows[scenes.things[truth.class_id[rows]]]
        masked, pixelwise = (truth.masks is not None and scenes.task in tasks for tasks in (MASKED, PIXELWISE))
        return Scene(
            self._photo(index),
            placement.to_input(truth.xyxy()[objects] - np.tile(window[:2], 2)).astype(np.float32),
            truth.class_id[objects],
            truth.ignored[objects] | self._left_to_tiles(photo, window, truth.boxes[objects, 2:]),
            _masks(truth, objects, window, placement) if masked else None,
            _seen(class_map(truth, photo, scenes.background, window), placement, IGNORED) if pixelwise else None,
        ).clipped()

    def _left_to_tiles(self, photo: int, window: Window, sides: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return bool (M,): in a view of the whole photo, objects that decoding takes from the tiles alone."""
        size, tiles = tuple(self._scenes.truth.sizes[photo].tolist()), self._preprocess.tiles
        if tiles is None or not self._scenes.views or window[2:] != size or len(windows(size, tiles)) == 1:
            return np.zeros(len(sides), dtype=np.bool_)
        return np.asarray((sides <= np.asarray(seen_whole_px(size, tiles))).all(axis=1))

    def _photo(self, index: int) -> NDArray[np.uint8]:
        seen = self._cache.get(index)
        if seen is None:
            seen = (
                self._tile(index) if self._scenes.views else load_resized(self._scenes.paths[index], self._preprocess)
            )
            self._cache.put(index, seen)
        return seen

    def _tile(self, index: int) -> NDArray[np.uint8]:
        """Return one tile; its neighbours are kept with it, so that a large photo is decoded once."""
        row, window = self._scenes.view(index)
        photo = read_photo(self._scenes.paths[row], channels=self._preprocess.channels)
        for other in np.flatnonzero(self._photo_rows == row).tolist():
            if other != index and self._cache.takes(other):
                self._cache.put(other, resized(part_of(photo, self._scenes.view(other)[1]), self._preprocess))
        return resized(part_of(photo, window), self._preprocess)


def tiled(scenes: Scenes, tiles: Tiles, *, negatives: float | None = None, seed: int = 0) -> Scenes:
    """Return scenes whose photos are cut into tiles.

    Args:
        scenes: whole photos.
        tiles: how to cut.
        negatives: largest share of the scenes that may be without an object, chosen by chance; None keeps all.
        seed: of that chance.
    """
    sizes = scenes.truth.sizes.tolist()
    found = [(row, window) for row, (width, height) in enumerate(sizes) for window in windows((width, height), tiles)]
    cut = replace(scenes, views=tuple(found))
    if negatives is None or not found:
        return cut
    empty = np.array([not len(cut.rows(index)) for index in range(len(found))])
    return replace(cut, views=tuple(found[index] for index in _balanced(empty, negatives, seed).tolist()))


def _balanced(empty: NDArray[np.bool_], share: float, seed: int) -> NDArray[np.int64]:
    """Return the rows to keep, in order: all that are not empty, and as many empty ones as the share allows."""
    full, none = np.flatnonzero(~empty), np.flatnonzero(empty)
    if share >= 1 or not len(full):
        return np.arange(len(empty))
    most = int(len(full) * share / (1 - share))
    chosen = np.random.default_rng((seed, len(empty))).permutation(none)[:most]
    return np.sort(np.concatenate([full, chosen]))


def _inside(xyxy: NDArray[np.float64], window: Window) -> NDArray[np.bool_]:
    left, top, width, height = window
    x, y = (xyxy[:, 0] < left + width) & (xyxy[:, 2] > left), (xyxy[:, 1] < top + height) & (xyxy[:, 3] > top)
    return np.asarray(x & y)


def _masks(truth: Truth, rows: NDArray[np.int64], window: Window, placement: Placement) -> NDArray[np.uint8]:
    found = np.zeros((len(rows), *placement.input_px[::-1]), dtype=np.uint8)
    if truth.masks is None:
        return found
    left, top, wide, high = window
    for index, row in enumerate(rows.tolist()):
        width, height = truth.sizes[truth.photo[row]].tolist()
        counts = rle.from_text(truth.masks[row].as_py())
        mask = rle.decode_columns(counts, (height, width), left, left + wide)[top : top + high]
        found[index] = _seen(mask.astype(np.uint8), placement, 0)
    return found


def _seen(plane: NDArray[Plane], placement: Placement, outside: int) -> NDArray[Plane]:
    """Return a plane (H, W) of the photo as the network's input shows it, nearest pixel; `outside` beyond the photo."""
    found = np.full(placement.input_px[::-1], outside, dtype=plane.dtype)
    columns, rows = (
        np.floor((np.arange(side) + 0.5 - offset) / scale).astype(np.int64)
        for side, offset, scale in zip(placement.input_px, placement.offset, placement.scale, strict=True)
    )
    here_x, here_y = (
        np.flatnonzero((at >= 0) & (at < side)) for at, side in zip((columns, rows), placement.photo_px, strict=True)
    )
    found[np.ix_(here_y, here_x)] = plane[np.ix_(rows[here_y], columns[here_x])]
    return found
