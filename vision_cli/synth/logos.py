"""Read logos: a folder a class with a file a variant, `class__variant.png`, or just `class.png`; SVG as well."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.core.errors import DataError
from vision_cli.core.files import read_limited
from vision_cli.imaging.read import read_photo

SUFFIXES = frozenset({".png", ".webp", ".gif", ".tif", ".tiff", ".svg"})
_OPAQUE_SUFFIXES = frozenset({".jpg", ".jpeg", ".bmp"})
"""Formats without transparency: named among the refused, rather than passed over."""

LEAST_SIDE_PX = 16
MOST_SIDE_PX = 640
_SVG_SIDE_PX = 512
_MAX_SVG_BYTES = 1 << 24
_SEEN = 8
"""Alpha below this, of 255, is nothing that anybody sees."""

_HALF = 128


@dataclass(frozen=True, slots=True, eq=False)
class Logo:
    """One picture of an object, cut out.

    Attributes:
        class_name: what its label says.
        variant: which of the class's pictures it is; may be empty.
        rgba: uint8 (h, w, 4), trimmed to what is seen; what is transparent has the colour of the nearest that is not.
        hull: float32 (K, 2), corners of the convex hull of what is seen, as shares of width and height.
        fill: 0 to 1, share of the rectangle that is seen.
    """

    class_name: str
    variant: str
    rgba: NDArray[np.uint8]
    hull: NDArray[np.float32]
    fill: float

    @property
    def aspect(self) -> float:
        """Width divided by height."""
        height, width = self.rgba.shape[:2]
        return float(width / height)

    def mirrored(self) -> Logo:
        """Return it as a mirror shows it."""
        hull = self.hull * np.array([-1, 1], np.float32) + np.array([1, 0], np.float32)
        return Logo(self.class_name, self.variant, np.ascontiguousarray(self.rgba[:, ::-1]), hull, self.fill)


@dataclass(frozen=True, eq=False)
class LogoBook:
    """The objects of a run.

    Attributes:
        logos: ordered by class and variant.
        refused: file name and reason of each that is of no use.
        distractors: pictures that get no label.
    """

    logos: tuple[Logo, ...]
    refused: tuple[tuple[str, str], ...] = ()
    distractors: tuple[Logo, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in order."""
        return tuple(dict.fromkeys(logo.class_name for logo in self.logos))

    @functools.cached_property
    def variants(self) -> tuple[tuple[Logo, ...], ...]:
        """The logos of each class, in the order of `classes`."""
        grouped: dict[str, list[Logo]] = {}
        for logo in self.logos:
            grouped.setdefault(logo.class_name, []).append(logo)
        return tuple(tuple(logos) for logos in grouped.values())


def load(folder: Path, *, distractors: Path | None = None) -> LogoBook:
    """Read all logos of a folder, and those of another that only distract.

    Raises:
        DataError: there is no such folder, or no logo of use in it; the message counts the reasons.
    """
    logos, refused = _read_all(folder)
    if not logos:
        named = [f"{name}: {reason}" for name, reason in refused[:10]]
        raise DataError(
            f"{folder}: no logo can be used.",
            hint="Put PNG files with a transparent background there: <class>/<variant>.png or <class>.png.",
            details=named,
        )
    others, refused_others = _read_all(distractors) if distractors else ([], [])
    return LogoBook(tuple(logos), tuple(refused + refused_others), tuple(others))


def _read_all(folder: Path) -> tuple[list[Logo], list[tuple[str, str]]]:
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder.", hint="Name the folder that holds the logos.")
    logos: list[Logo] = []
    refused: list[tuple[str, str]] = []
    for path in _files(folder):
        class_name, variant = name_of(path.relative_to(folder))
        try:
            if not class_name:
                raise DataError("its name says no class: call it <class>__<variant>.")
            logos.append(of_pixels(read_pixels(path), class_name, variant))
        except DataError as error:
            refused.append((str(path.relative_to(folder)), error.message.removeprefix(f"{path}: ")))
    return sorted(logos, key=lambda logo: (logo.class_name, logo.variant)), refused


def _files(folder: Path) -> Iterator[Path]:
    wanted = SUFFIXES | _OPAQUE_SUFFIXES
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in wanted and not hidden and path.is_file():
            yield path


def name_of(path: Path) -> tuple[str, str]:
    """Return class and variant of a logo's path in its folder."""
    if len(path.parts) > 1:
        return path.parts[0], "/".join((*path.parts[1:-1], path.stem))
    class_name, _, variant = path.stem.partition("__")
    return class_name, variant


def read_pixels(path: Path) -> NDArray[np.uint8]:
    """Return a logo's file as uint8 (h, w, 4).

    Raises:
        DataError: damaged, too large, a drawing that nothing here can draw, or a format without transparency.
    """
    if path.suffix.lower() in _OPAQUE_SUFFIXES:
        raise DataError(f"{path}: the format knows no transparency, so its background would come along.")
    if path.suffix.lower() == ".svg":
        from vision_cli.synth import svg  # the library behind it is an extra

        return svg.draw(read_limited(path, max_bytes=_MAX_SVG_BYTES, what="the drawing"), _SVG_SIDE_PX, str(path))
    return read_photo(path, channels=4)


def of_pixels(rgba: NDArray[np.uint8], class_name: str, variant: str = "") -> Logo:
    """Make a logo of a picture uint8 (h, w, 4): trim it, shrink it where it is huge, fill its colours outwards.

    Raises:
        DataError: nothing is transparent, nothing is seen, or too little is left.
    """
    seen = rgba[..., 3] >= _SEEN
    if not seen.any():
        raise DataError("it is empty: every pixel is transparent.")
    if rgba[..., 3].min() >= _HALF:
        raise DataError("it is opaque: nothing is transparent, so its background would come along.")
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    trimmed = rgba[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = trimmed.shape[:2]
    if min(height, width) < LEAST_SIDE_PX:
        raise DataError(f"it is tiny: {width} x {height} pixels are seen, {LEAST_SIDE_PX} a side are needed.")
    filled = shrunk(spread(trimmed), MOST_SIDE_PX)
    return Logo(class_name, variant, filled, _hull(filled), float((filled[..., 3] >= _HALF).mean()))


def spread(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give transparent pixels the colour of the nearest that is not, so that interpolation mixes no foreign one in."""
    clear = np.ascontiguousarray(rgba[..., 3] < _HALF)
    if not clear.any() or clear.all():
        return np.ascontiguousarray(rgba)
    _, nearest = cv2.distanceTransformWithLabels(clear.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    colours = np.zeros((int(nearest.max()) + 1, 3), np.uint8)
    colours[nearest[~clear]] = rgba[~clear, :3]
    return np.ascontiguousarray(np.dstack([colours[nearest], rgba[..., 3]]))


def shrunk(rgba: NDArray[np.uint8], most_px: int) -> NDArray[np.uint8]:
    """Return a picture whose longer side is at most so long."""
    height, width = rgba.shape[:2]
    scale = most_px / max(height, width)
    if scale >= 1:
        return rgba
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(rgba, size, interpolation=cv2.INTER_AREA), np.uint8)


def _hull(rgba: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the hull of the pixels, not of their centres."""
    height, width = rgba.shape[:2]
    rows, columns = np.nonzero(rgba[..., 3] >= _HALF)
    if not len(rows):
        return np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    corners = np.concatenate([np.stack([columns + dx, rows + dy], 1) for dx in (0, 1) for dy in (0, 1)])
    hull = cv2.convexHull(corners.astype(np.float32))[:, 0]
    return np.asarray(hull / np.array([width, height]), np.float32)
