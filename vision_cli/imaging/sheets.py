"""Sheets of photos for people: each with lines of text under it, and a key of colours at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vision_cli.core.errors import UsageError
from vision_cli.imaging.lettering import shortened
from vision_cli.imaging.modes import with_channels
from vision_cli.imaging.resize import fit, letterbox_px

_PAPER, _INK, _WRONG = (250, 250, 248), (28, 30, 34), (192, 28, 40)
_GAP_PX, _LETTER_PX, _LINE_PX, _TITLE_PX = 10, 13, 19, 30
Key = tuple[str, tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class Words:
    """A line under a photo.

    Attributes:
        text: any string; shortened to fit.
        wrong: stands out.
    """

    text: str
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class Tile:
    """A photo, or the same photo drawn in several ways.

    Attributes:
        photos: uint8 (H, W, C), all of one size, shown side by side; at least one.
        lines: under it.
        keys: names with the colour that they have in the photos.
    """

    photos: Sequence[NDArray[np.uint8]]
    lines: Sequence[Words] = ()
    keys: Sequence[Key] = ()


@dataclass(frozen=True, slots=True)
class Style:
    """How a sheet is laid out.

    Attributes:
        columns: at most so many tiles in a row.
        photo_px: side of the square that each photo is fitted into.
    """

    columns: int = 4
    photo_px: int = 160


def sheet(title: str, tiles: Sequence[Tile], style: Style) -> NDArray[np.uint8]:
    """Return a sheet, uint8 (height, width, 3), with a key of the colours of all its tiles, by name.

    Args:
        title: above all of it.
        tiles: at least one; all with as many photos.
        style: of the sheet.

    Raises:
        UsageError: no tiles.
    """
    if not tiles:
        raise UsageError("sheet: there is no photo to show.")
    columns = min(style.columns, len(tiles))
    keys = sorted({key for tile in tiles for key in tile.keys})
    wide, high = _tile_px(tiles, style)
    rows = -(-len(tiles) // columns)
    width = columns * (wide + _GAP_PX) + _GAP_PX
    places = _key_places(keys, width)
    under = _LINE_PX * (1 + places[-1][1]) + _GAP_PX if places else 0
    canvas = Image.new("RGB", (width, _TITLE_PX + rows * (high + _GAP_PX) + under), _PAPER)
    pen = ImageDraw.Draw(canvas)
    _write(pen, Words(title), (_GAP_PX, _TITLE_PX // 2), width - 2 * _GAP_PX)
    for index, tile in enumerate(tiles):
        row, column = divmod(index, columns)
        _draw(canvas, tile, (_GAP_PX + column * (wide + _GAP_PX), _TITLE_PX + row * (high + _GAP_PX)), style.photo_px)
    for (name, colour), (left, line) in zip(keys, places, strict=True):
        top = _TITLE_PX + rows * (high + _GAP_PX) + line * _LINE_PX
        pen.rectangle((left, top + 3, left + 11, top + 14), fill=colour)
        _write(pen, Words(name), (left + 17, top + _LINE_PX // 2), width - left - 17 - _GAP_PX)
    return np.array(canvas)


def fitted(photo: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    """Return a photo uint8 (H, W, 3) whose longer side has so many pixels: what is drawn on it then is sharp."""
    size_px = letterbox_px((photo.shape[1], photo.shape[0]), (side_px, side_px))
    return fit(with_channels(photo, 3), size_px, "stretch", interpolation="bicubic")


def _tile_px(tiles: Sequence[Tile], style: Style) -> tuple[int, int]:
    photos, lines = max(len(tile.photos) for tile in tiles), max(len(tile.lines) for tile in tiles)
    tallest = max(fitted_px(photo, style.photo_px)[1] for tile in tiles for photo in tile.photos)
    return photos * style.photo_px + (photos - 1) * 2, tallest + lines * _LINE_PX


def fitted_px(photo: NDArray[np.uint8], side_px: int) -> tuple[int, int]:
    """Return (width, height) of what `fitted` returns."""
    return letterbox_px((photo.shape[1], photo.shape[0]), (side_px, side_px))


def _draw(canvas: Image.Image, tile: Tile, place: tuple[int, int], side_px: int) -> None:
    left, top = place
    bottom = top
    for index, photo in enumerate(tile.photos):
        shown = Image.fromarray(fitted(photo, side_px))
        canvas.paste(shown, (left + index * (side_px + 2) + (side_px - shown.width) // 2, top))
        bottom = max(bottom, top + shown.height)
    pen = ImageDraw.Draw(canvas)
    for index, line in enumerate(tile.lines):
        _write(pen, line, (left, bottom + index * _LINE_PX + _LINE_PX // 2), side_px * len(tile.photos))


def _write(pen: ImageDraw.ImageDraw, line: Words, place: tuple[int, int], room_px: int) -> None:
    text, font = shortened(line.text, _LETTER_PX, room_px)
    pen.text(place, text, fill=_WRONG if line.wrong else _INK, font=font, anchor="lm")


def _key_places(keys: Sequence[Key], width: int) -> list[tuple[int, int]]:
    """Return left edge and line of each name of the key."""
    places: list[tuple[int, int]] = []
    left, line = _GAP_PX, 0
    for name, _ in keys:
        text, font = shortened(name, _LETTER_PX, width - 2 * _GAP_PX - 17)
        needed = 17 + round(font.getlength(text)) + 14
        if left + needed > width and left > _GAP_PX:
            left, line = _GAP_PX, line + 1
        places.append((left, line))
        left += needed
    return places
