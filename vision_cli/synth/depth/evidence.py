"""What each region tells of where it stands: its place, its lines, its texture, its haze."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.synth.depth.frame import Frame, Lines, horizon
from vision_cli.synth.segments import Members

Floats = NDArray[np.float64]

_BESIDE_PX = 4.0
_STRIP_SHARE = 0.12  # of the diagonal
_DARK_PX = 15
_SMOOTH = 2.5  # grey levels of texture
_SKY_BELOW, _SKY_USUAL, _SKY_STEPS = 0.1, 0.7, 4  # shares of the height
_CLOUD, _BLUE_LIGHT = 235, 120  # grey levels


@dataclass(frozen=True, slots=True)
class Contacts:
    """Where one region ends and another begins below it.

    Attributes:
        pairs: int64 (K, 2), the region above and the one below, sorted; a region below itself is the photo's bottom.
        lengths: int64 (K,), pixels.
        middles: float64 (K, 2), (x, y).
    """

    pairs: NDArray[np.int64]
    lengths: NDArray[np.int64]
    middles: Floats


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of R regions.

    Attributes:
        areas: float64 (R,), pixels.
        boxes: int64 (R, 4), left, top, right, bottom; the last two exclusive.
        feet: float64 (R, 2), (x, y): the middle of its border with what is under it.
        lines: float64 (R, 3), length of segments along each axis of the frame, over the root of the area.
        finer_up: float64 (R,), by how much texture gets finer from its bottom to its top (natural logarithm).
        haze: float64 (R,), 0 clear, larger is hazier.
        is_sky: bool (R,).
        colours: float64 (R, 3), mean RGB.
        under: int64 (R,), the region below most of its lower border; itself at the photo's bottom.
        contacts: all such borders.
        beside: int64 (E, 2), regions that touch, both ways round, longest common border first.
        is_strip: bool (R,), thin for its length: a rail, a picture's frame, a shadow's edge.
    """

    areas: Floats
    boxes: NDArray[np.int64]
    feet: Floats
    lines: Floats
    finer_up: Floats
    haze: Floats
    is_sky: NDArray[np.bool_]
    colours: Floats
    under: NDArray[np.int64]
    contacts: Contacts
    beside: NDArray[np.int64]
    is_strip: NDArray[np.bool_]


def gather(
    photo: NDArray[np.uint8], regions: NDArray[np.int32], pixels: Members, frame: tuple[Lines, Frame], focal_px: float
) -> Evidence:
    """Look at all regions of a photo uint8 (H, W, 3)."""
    flat, count = regions.ravel(), len(pixels)
    areas = pixels.areas.astype(np.float64)
    boxes = _boxes(pixels, regions.shape[1])
    contacts = _contacts(regions, count)
    under, feet = _under(contacts, count)
    beside = _beside(regions, count)
    level = horizon(frame[1].gravity, (regions.shape[0], regions.shape[1]), focal_px)
    limit = _sky_limit(boxes, level, regions.shape) if frame[1].support else np.full(count, _SKY_USUAL * len(regions))
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine, finer_up = _texture(grey, flat, areas, boxes, regions.shape)
    means = np.column_stack([_mean(flat, photo[..., k], areas) for k in range(3)])
    return Evidence(
        areas=areas,
        boxes=boxes,
        feet=feet,
        lines=_line_support(regions, count, *frame) / np.sqrt(areas)[:, None],
        finer_up=finer_up,
        haze=_haze(photo, flat, areas),
        is_sky=_sky(_sky_like(means, fine), boxes, beside, limit),
        colours=means,
        under=under,
        contacts=contacts,
        beside=beside,
        is_strip=_strips(regions, areas, boxes),
    )


def _boxes(pixels: Members, width: int) -> NDArray[np.int64]:
    boxes = np.zeros((len(pixels), 4), np.int64)
    for region in range(len(pixels)):
        rows, columns = np.divmod(pixels.of(region), width)
        boxes[region] = columns.min(), rows[0], columns.max() + 1, rows[-1] + 1
    return boxes


def _strips(regions: NDArray[np.int32], areas: Floats, boxes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell regions that are thin, twice their area over the length of their border, for how far they reach."""
    border = np.ones(regions.shape, bool)
    inner = regions[1:-1, 1:-1]
    around = (regions[:-2, 1:-1], regions[2:, 1:-1], regions[1:-1, :-2], regions[1:-1, 2:])
    border[1:-1, 1:-1] = np.logical_or.reduce([inner != each for each in around])
    thick = 2 * areas / np.maximum(np.bincount(regions[border], minlength=len(areas)), 1)
    return np.asarray(thick < _STRIP_SHARE * np.hypot(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]))


def _mean(flat: NDArray[np.int32], values: NDArray[np.generic], areas: Floats) -> Floats:
    return np.bincount(flat, values.ravel(), minlength=len(areas)) / areas


def _line_support(regions: NDArray[np.int32], count: int, lines: Lines, frame: Frame) -> Floats:
    """Return float64 (R, 3): length of segments along each axis that lie in a region or on its border."""
    support = np.zeros((count, 3))
    kept = frame.classes >= 0
    ends, lengths, classes = lines.ends[kept], lines.lengths[kept], frame.classes[kept]
    along = (ends[:, 2:] - ends[:, :2]) / np.maximum(lengths, 1e-9)[:, None]
    beside = np.column_stack((-along[:, 1], along[:, 0])) * _BESIDE_PX
    height, width = regions.shape
    for share in (0.2, 0.5, 0.8):
        for side in (-1, 1):
            at = np.rint(ends[:, :2] + share * (ends[:, 2:] - ends[:, :2]) + side * beside).astype(int)
            label = regions[at[:, 1].clip(0, height - 1), at[:, 0].clip(0, width - 1)]
            np.add.at(support, (label, classes), lengths / 3)
    return support


def _texture(
    grey: NDArray[np.float32], flat: NDArray[np.int32], areas: Floats, boxes: NDArray[np.int64], shape: tuple[int, ...]
) -> tuple[Floats, Floats]:
    """Return mean fine texture in grey levels, and how much finer texture is at a region's top than at its bottom.

    Fineness is the energy at one pixel's scale over that at four pixels' scale; its slope down the rows is a least
    squares fit a region.
    """
    blurred = [grey, *(cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in (1.0, 2.0, 4.0))]
    fine, coarse = (cv2.blur(np.abs(blurred[k] - blurred[k + 1]), (9, 9)) for k in (0, 2))
    ratio = np.log((fine + 0.5) / (coarse + 0.5)).ravel()
    rows = np.repeat(np.arange(shape[0], dtype=np.float64), shape[1])
    row, level = _mean(flat, rows, areas), _mean(flat, ratio, areas)
    spread = _mean(flat, rows * rows, areas) - row * row
    slope = (_mean(flat, rows * ratio, areas) - row * level) / np.maximum(spread, 1.0)
    return _mean(flat, fine, areas), -slope * (boxes[:, 3] - boxes[:, 1])


def _haze(photo: NDArray[np.uint8], flat: NDArray[np.int32], areas: Floats) -> Floats:
    """Return minus the logarithm of the air's transmission (dark channel prior, He, Sun and Tang, 2009)."""
    dark = cv2.erode(photo.min(axis=2), np.ones((_DARK_PX, _DARK_PX), np.uint8)).astype(np.float64)
    air = max(float(np.percentile(dark, 99.9)), 1.0)
    return -np.log(np.maximum(1 - 0.95 * _mean(flat, dark, areas) / air, 0.05))


def _sky_like(means: Floats, fine: Floats) -> NDArray[np.bool_]:
    """Tell what could be sky by its look: smooth, and white or blue."""
    blue = (means[:, 2] > means[:, 0] + 8) & (means[:, 2] >= means[:, 1]) & (means[:, 2] > _BLUE_LIGHT)
    return np.asarray((fine < _SMOOTH) & (blue | (means.min(axis=1) > _CLOUD)))


def _sky_limit(boxes: NDArray[np.int64], level: tuple[float, float], shape: tuple[int, ...]) -> Floats:
    """Return the row that no sky reaches below, for each region: a little under the horizon."""
    at = level[0] + level[1] * ((boxes[:, 0] + boxes[:, 2]) / 2 - (shape[1] - 1) / 2)
    return np.maximum(at, 0) + _SKY_BELOW * shape[0]


def _sky(
    like: NDArray[np.bool_], boxes: NDArray[np.int64], beside: NDArray[np.int64], limit: Floats
) -> NDArray[np.bool_]:
    """Tell the sky: what looks like it and reaches the photo's top, and what looks like it beside that."""
    like = like & (boxes[:, 3] < limit)
    sky = like & (boxes[:, 1] <= 1)
    for _ in range(_SKY_STEPS):
        sky[beside[sky[beside[:, 0]], 1]] = True
        sky &= like
    return sky


def _contacts(regions: NDArray[np.int32], count: int) -> Contacts:
    padded = np.vstack((regions, regions[-1:])).astype(np.int64)  # the photo's bottom lies below itself
    border = padded[:-1] != padded[1:]
    border[-1] = True
    rows, columns = np.nonzero(border)
    pairs = padded[rows, columns] * count + padded[rows + 1, columns]
    key, place, lengths = np.unique(pairs, return_inverse=True, return_counts=True)
    middles = np.column_stack([np.bincount(place, each) / lengths for each in (columns, rows)])
    return Contacts(np.column_stack(np.divmod(key, count)), lengths, middles)


def _under(contacts: Contacts, count: int) -> tuple[NDArray[np.int64], Floats]:
    """Return which region lies below most of each one's lower border, and the middle (x, y) of that border."""
    order = np.argsort(contacts.lengths, kind="stable")  # the last assignment stands
    under, feet = np.arange(count), np.zeros((count, 2))
    above, below = contacts.pairs[order].T
    under[above] = below
    feet[above] = contacts.middles[order]
    return under, feet


def _beside(regions: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    keys = []
    for one, other in ((regions[:, :-1], regions[:, 1:]), (regions[:-1], regions[1:])):
        border = one != other
        a, b = one[border].astype(np.int64), other[border].astype(np.int64)
        keys += [a * count + b, b * count + a]
    key, times = np.unique(np.concatenate(keys), return_counts=True)
    return np.column_stack(np.divmod(key[np.lexsort((key, -times))], count))
