"""Places where a logo may be: by features where it is large, by correlation of a bank of small templates elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from vision_cli.synth.spotting.judging import Matrix
from vision_cli.synth.spotting.prints import JUDGED_PX, Floats, Print, features_of, slopes_of

_FEATURES = 2000
_ALIKE = 0.85
"""A feature's best match must be so much nearer than its second best (D. Lowe, IJCV 2004, there 0.8)."""
_NEAR_PX = 3.0
_FEWEST = 5

_CELLS = 16
"""Longer side of a logo in the bank."""
_MARGIN = 2
_WINDOW = _CELLS + 2 * _MARGIN
_STRIDE = 2
_STEP = 1.22
_TURNS_DEG = (-36.0, -18.0, 0.0, 18.0, 36.0)
_SQUEEZES = ((1.0, 1.0), (0.68, 1.0), (1.0, 0.68))
"""Of width and height: turned away from the camera, about either axis."""
_POSES = len(_TURNS_DEG) * len(_SQUEEZES)
_RANK = 128
_FLAT = 0.12
"""Average squared slope below which a place counts as this: nothing is found in what is flat."""
_A_LOGO = 3


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """A place to judge.

    Attributes:
        which: of the prints.
        pose: float64 (3, 3), from the logo's frame to the photo.
        rank: orders proposals of one kind, the best have most.
    """

    which: int
    pose: Matrix
    rank: float


def by_features(prints: Sequence[Print], grey: NDArray[np.uint8]) -> Iterator[Proposal]:
    """Yield poses at which several features of a logo lie where they do in the photo uint8 (H, W)."""
    places, found = features_of(grey, _FEATURES)
    if len(places) < _FEWEST:
        return
    for which, look in enumerate(prints):
        if len(look.points) < _FEWEST:
            continue
        alike = look.features @ found.T
        first = alike.argmax(axis=1)
        rows = np.arange(len(first))
        best = alike[rows, first]
        alike[rows, first] = -1
        distance, second = np.sqrt(np.maximum(2 - 2 * best, 0)), np.sqrt(np.maximum(2 - 2 * alike.max(axis=1), 1e-9))
        good = np.flatnonzero(distance < _ALIKE * second)
        yield from _fitted(which, look.points[good], places[first[good]])


def _fitted(which: int, frame: Floats, photo: Floats) -> Iterator[Proposal]:
    if len(frame) < _FEWEST:
        return
    pose, kept = cv2.findHomography(frame.astype(np.float64), photo.astype(np.float64), cv2.RANSAC, _NEAR_PX)
    if pose is not None and int(kept.sum()) >= _FEWEST:
        yield Proposal(which, np.asarray(pose, np.float64), float(kept.sum()))
    affine, kept = cv2.estimateAffinePartial2D(frame, photo, method=cv2.RANSAC, ransacReprojThreshold=2 * _NEAR_PX)
    if affine is not None and int(kept.sum()) >= _FEWEST - 1:
        yield Proposal(which, np.vstack([affine, [0, 0, 1]]), float(kept.sum()))


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """Small templates of all logos in several poses, as products of few basis pictures.

    Attributes:
        of: int64 (T,), which print each template is of.
        frames: float64 (T, 3, 3), from the print's frame to the template's window.
        basis: float32 (R, W * W * 2), and
        shares: float32 (T, R): their product is the templates, each of length 1.
        mask_basis: float32 (Q, W * W), and
        mask_shares: float32 (T, Q): likewise where each is looked at.
        looked: float32 (T,), number of pixels that are.
    """

    of: NDArray[np.int64]
    frames: NDArray[np.float64]
    basis: Floats
    shares: Floats
    mask_basis: Floats
    mask_shares: Floats
    looked: Floats


def bank_of(prints: Sequence[Print]) -> Bank:
    """Make the templates of all logos."""
    every = [(which, *_template(look, turn, squeeze))
             for which, look in enumerate(prints) for turn in _TURNS_DEG for squeeze in _SQUEEZES]  # fmt: skip
    slopes = np.stack([each[1].ravel() for each in every])
    masks = np.stack([each[2].ravel() for each in every]).astype(np.float32)
    slopes /= np.maximum(np.linalg.norm(slopes, axis=1, keepdims=True), 1e-6)
    basis, shares = _few(slopes)
    mask_basis, mask_shares = _few(masks)
    frames = np.stack([each[3] for each in every])
    which = np.array([each[0] for each in every], np.int64)
    return Bank(which, frames, basis, shares, mask_basis, mask_shares, masks.sum(axis=1))


def _few(rows: Floats) -> tuple[Floats, Floats]:
    """Return at most `_RANK` rows and the shares that make up the given ones of them, nearly."""
    if len(rows) <= _RANK:
        return rows, np.eye(len(rows), dtype=np.float32)
    values, vectors = np.linalg.eigh((rows.T @ rows).astype(np.float64))
    basis = np.asarray(vectors[:, np.argsort(-values)[:_RANK]].T, np.float32)
    return basis, np.asarray(rows @ basis.T, np.float32)


def _template(look: Print, turn_deg: float, squeeze: tuple[float, float]) -> tuple[Floats, NDArray[np.bool_], Matrix]:
    """Return slopes (W, W, 2), where they are looked at, and the matrix from the print's frame."""
    height, width = look.rgb.shape[:2]
    turn, scale = np.deg2rad(turn_deg), _CELLS / JUDGED_PX
    cos, sin, middle = np.cos(turn) * scale, np.sin(turn) * scale, (_WINDOW - 1) / 2
    linear = np.array([[squeeze[0], 0], [0, squeeze[1]]]) @ np.array([[cos, -sin], [sin, cos]])
    shift = middle - linear @ ((width - 1) / 2, (height - 1) / 2)
    frame = np.vstack([np.column_stack([linear, shift]), [0, 0, 1]])
    blurred = cv2.GaussianBlur(look.rgb, (0, 0), 0.5 * JUDGED_PX / _CELLS)
    size = (_WINDOW, _WINDOW)
    grey = cv2.cvtColor(cv2.warpAffine(blurred, frame[:2], size, borderMode=cv2.BORDER_REPLICATE), cv2.COLOR_RGB2GRAY)
    around = cv2.warpAffine(look.around.astype(np.float32), frame[:2], size) >= 0.5
    slopes = cv2.GaussianBlur(slopes_of(np.asarray(grey, np.float32)), (0, 0), 0.7)
    return np.asarray(slopes * around[..., None], np.float32), around, frame


def by_correlation(bank: Bank, photo: Floats, sizes_px: tuple[float, float], most: int) -> list[Proposal]:
    """Return the places that correlate best with any template.

    Args:
        bank: of templates.
        photo: float32 (H, W, 3).
        sizes_px: least and largest longer side of a logo in the photo.
        most: places in all.
    """
    grey, found, size = np.asarray(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), np.float32), [], sizes_px[0]
    while size <= sizes_px[1]:
        found += _at_size(bank, grey, size)
        size *= _STEP
    return _best(found, bank, most)


Place = tuple[float, int, float, float, float, float]
"""Correlation, template, left and top of its window in the photo, and the photo's pixels a pixel of the window."""


def _at_size(bank: Bank, grey: Floats, size_px: float) -> list[Place]:
    scale = _CELLS / size_px
    height, width = round(grey.shape[0] * scale), round(grey.shape[1] * scale)
    if min(height, width) < _CELLS // 2:
        return []
    small = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    slopes = cv2.GaussianBlur(slopes_of(np.asarray(small, np.float32)), (0, 0), 0.7)
    edge = _MARGIN + _CELLS // 4
    slopes = cv2.copyMakeBorder(slopes, *(edge,) * 4, cv2.BORDER_CONSTANT, value=0)
    if min(slopes.shape[:2]) < _WINDOW:
        return []
    flat, columns = _windows(slopes)
    power, _ = _windows((slopes**2).sum(axis=2, keepdims=True))
    score = (flat @ bank.basis.T) @ bank.shares.T
    seen = np.maximum((power @ bank.mask_basis.T) @ bank.mask_shares.T, _FLAT * bank.looked)
    relative = np.asarray(score / np.sqrt(seen), np.float32)
    return _peaks(relative, bank, (columns, edge), (grey.shape[1] / width, grey.shape[0] / height))


def _windows(picture: Floats) -> tuple[Floats, int]:
    """Return all windows of a picture (h, w, C), a row of values each, and how many stand side by side."""
    windows = sliding_window_view(picture, (_WINDOW, _WINDOW), axis=(0, 1))[::_STRIDE, ::_STRIDE]
    rows, columns = windows.shape[:2]
    return np.ascontiguousarray(windows.transpose(0, 1, 3, 4, 2)).reshape(rows * columns, -1), columns


def _peaks(score: Floats, bank: Bank, grid: tuple[int, int], scale: tuple[float, float]) -> list[Place]:
    """Return the best places of each logo; its templates stand side by side in the scores (windows, T)."""
    by_logo = score.reshape(len(score), -1, _POSES)
    template = by_logo.argmax(axis=2)
    best = np.take_along_axis(by_logo, template[..., None], axis=2)[..., 0]
    most = min(4 * _A_LOGO, len(best))
    top = np.argpartition(-best, most - 1, axis=0)[:most]
    columns, edge = grid
    return [
        (
            float(best[place, which]),
            which * _POSES + int(template[place, which]),
            (place % columns * _STRIDE - edge) * scale[0],
            (place // columns * _STRIDE - edge) * scale[1],
            *scale,
        )
        for which in range(best.shape[1])
        for place in np.sort(top[:, which]).tolist()
    ]


def _best(found: list[Place], bank: Bank, most: int) -> list[Proposal]:
    """Return the best places, a few a logo, none twice."""
    kept: list[Proposal] = []
    taken: dict[int, list[tuple[float, float, float]]] = {}
    for score, template, left, top, across, down in sorted(found, key=lambda each: (-each[0], each[1:])):
        which = int(bank.of[template])
        mine, span = taken.setdefault(which, []), _WINDOW * across
        near = any(np.hypot(left + span / 2 - x, top + span / 2 - y) < 0.35 * max(span, s) for x, y, s in mine)
        if near or len(mine) >= _A_LOGO:
            continue
        mine.append((left + span / 2, top + span / 2, span))
        window = np.array([[across, 0, left + (across - 1) / 2], [0, down, top + (down - 1) / 2], [0, 0, 1]])
        kept.append(Proposal(which, window @ bank.frames[template], score))
        if len(kept) >= most:
            break
    return kept
