"""From a photo to what a network takes: the one path for training, evaluation, export checks and the server."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.preprocess import Preprocess
from vision_cli.core.tiling import Window, windows
from vision_cli.imaging.header import read_header
from vision_cli.imaging.modes import with_channels
from vision_cli.imaging.read import read_photo, read_scaled
from vision_cli.imaging.resize import covering_px, fit_scaled

_WHITE = np.float32(255)
_GAP = 2
T = TypeVar("T", bound=np.generic)


def prepare(photo: NDArray[np.uint8], preprocess: Preprocess) -> NDArray[np.float32]:
    """Return a photo as a network's input.

    Args:
        photo: uint8 (H, W, C), upright RGB.
        preprocess: size, channels, mean and standard deviation.

    Returns:
        float32 (C, H, W), (value / 255 - mean) / std.
    """
    return normalise(resized(photo, preprocess), preprocess)


def resized(photo: NDArray[np.uint8], preprocess: Preprocess) -> NDArray[np.uint8]:
    """Return a photo in the size and channels of a network, still uint8 (H, W, C): what the network sees."""
    same = with_channels(photo, preprocess.channels)
    return fit_scaled(same, (float(photo.shape[1]), float(photo.shape[0])), preprocess)


def normalise(photo: NDArray[np.uint8], preprocess: Preprocess) -> NDArray[np.float32]:
    """Return uint8 (H, W, C) as float32 (C, H, W), (value / 255 - mean) / std."""
    mean = np.asarray(preprocess.mean, np.float32)[:, None, None]
    std = np.asarray(preprocess.std, np.float32)[:, None, None]
    scaled = photo.transpose(2, 0, 1).astype(np.float32, order="C")
    scaled /= _WHITE
    scaled -= mean
    scaled /= std
    return scaled


def needed_px(preprocess: Preprocess) -> tuple[int, int]:
    """Return the (width, height) below which a photo must not be shrunk while it is decoded.

    Twice what the resize needs: decoders shrink with a box filter, which then changes the result by under one grey
    level in the mean; at once the size it would be up to seven.
    """
    width_px, height_px = (
        covering_px(preprocess.size_px, preprocess.crop_pct) if preprocess.resize == "crop" else preprocess.size_px
    )
    return _GAP * width_px, _GAP * height_px


def load_resized(source: Path | bytes, preprocess: Preprocess, *, name: str = "photo") -> NDArray[np.uint8]:
    """Read a photo in the size and channels of a network, uint8 (H, W, C).

    Raises:
        DataError: the photo is refused.
    """
    photo, extent_px = read_scaled(source, channels=preprocess.channels, at_least=needed_px(preprocess), name=name)
    return fit_scaled(photo, extent_px, preprocess)


def load(source: Path | bytes, preprocess: Preprocess, *, name: str = "photo") -> NDArray[np.float32]:
    """Read a photo and prepare it, float32 (C, H, W); `prepare` of the whole photo, but faster.

    Raises:
        DataError: the photo is refused.
    """
    return normalise(load_resized(source, preprocess, name=name), preprocess)


def views(photo: NDArray[np.uint8], preprocess: Preprocess) -> list[NDArray[np.uint8]]:
    """Return what the network sees of a photo uint8 (H, W, C): its tiles in order, or the whole photo alone."""
    if preprocess.tiles is None:
        return [resized(photo, preprocess)]
    parts = windows((photo.shape[1], photo.shape[0]), preprocess.tiles)
    return [resized(part_of(photo, window), preprocess) for window in parts]


def load_views(source: Path, preprocess: Preprocess) -> tuple[list[NDArray[np.uint8]], tuple[int, int]]:
    """Read what the network sees of a photo, see `views`, and the photo's (width, height).

    Raises:
        DataError: the photo is refused.
    """
    if preprocess.tiles is None:
        header = read_header(source)
        return [load_resized(source, preprocess)], (header.width_px, header.height_px)
    photo = read_photo(source, channels=preprocess.channels)
    return views(photo, preprocess), (photo.shape[1], photo.shape[0])


def part_of(plane: NDArray[T], window: Window) -> NDArray[T]:
    """Return a part of a photo (H, W, C), a mask or a map (H, W); the memory is the same."""
    left, top, width, height = window
    return plane[top : top + height, left : left + width]
