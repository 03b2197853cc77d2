"""Names of the colours of a picture, under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vision_cli.imaging.draw import GAP_PX, INK, MIN_WIDTH_PX, PAPER, comfortable, per_cent
from vision_cli.imaging.lettering import font_for, one_line, shortened
from vision_cli.imaging.modes import with_channels
from vision_cli.imaging.palette import Colour

MOST = 10
"""Names a legend has at most; the rest is summed up in one line."""
_COLUMN_LETTERS = 13
_LEAST = 0.0005
_EDGE, _FAINT = (150, 152, 156), (96, 100, 108)


@dataclass(frozen=True, slots=True)
class Key:
    """A colour and what it means.

    Attributes:
        name: any string; shortened to fit.
        colour: in the picture; None for what has none.
        share: of the picture's pixels, 0..1.
    """

    name: str
    colour: Colour | None
    share: float


def under(photo: NDArray[np.uint8], keys: Sequence[Key], *, slots: int | None = None) -> NDArray[np.uint8]:
    """Return a photo with a legend below it; nothing of the photo is covered.

    Args:
        photo: uint8 (H, W, C); shrunk when a side exceeds 1,600 px, enlarged when it is tiny.
        keys: most important first.
        slots: the number of keys that there is room for, so that pictures of a series are of one size; of these keys
            when None.

    Returns:
        uint8 (height, width, 3), width at least 240.
    """
    shown = comfortable(with_channels(photo, 3))
    width_px = max(shown.shape[1], MIN_WIDTH_PX)
    letter_px = int(np.clip(width_px / 38, 14, 34))
    named, rest = summed(keys)
    columns = max(1, min(4, int((width_px - GAP_PX) // (_COLUMN_LETTERS * letter_px))))
    # In a series every picture has the same rows, however long the names of one are.
    if slots is None and columns > 2 and any(_needs_px(key, letter_px) > _wide(width_px, columns) for key in named):
        columns -= 1
    rows, more = _rows(len(keys) if slots is None else slots, columns)
    row_px = round(letter_px * 1.6)
    canvas = Image.new("RGB", (width_px, shown.shape[0] + (rows + more) * row_px + GAP_PX), PAPER)
    pen = ImageDraw.Draw(canvas)
    wide = _wide(width_px, columns)
    for index, key in enumerate(named):
        column, row = divmod(index, max(1, rows))
        place = (GAP_PX + column * (wide + GAP_PX), shown.shape[0] + GAP_PX // 2 + row * row_px)
        _draw(pen, key, place, (wide, row_px, letter_px))
    if rest is not None:
        place = (GAP_PX, shown.shape[0] + GAP_PX // 2 + rows * row_px)
        _draw(pen, rest, place, (width_px - 2 * GAP_PX, row_px, letter_px))
    canvas.paste(Image.fromarray(shown), ((width_px - shown.shape[1]) // 2, 0))
    return np.array(canvas)


def summed(keys: Sequence[Key]) -> tuple[Sequence[Key], Key | None]:
    """Return the first keys, and one that sums up the others; one more than the most is named, too."""
    if len(keys) <= MOST + 1:
        return keys, None
    rest = keys[MOST:]
    names = ", ".join(each.name for each in rest)
    return keys[:MOST], Key(f"{len(rest)} more: {names}", None, sum(each.share for each in rest))


def _rows(keys: int, columns: int) -> tuple[int, int]:
    """Return rows of named keys, and of the sum of the others."""
    if keys <= MOST + 1:
        return -(-keys // columns), 0
    return -(-MOST // columns), 1


def _wide(width_px: int, columns: int) -> int:
    """Return the width of a key."""
    return (width_px - GAP_PX) // columns - GAP_PX


def _needs_px(key: Key, letter_px: int) -> int:
    words = one_line(f"{key.name}{_share(key.share)}")
    return round(1.5 * letter_px + font_for(words, letter_px).getlength(words)) + GAP_PX


def _draw(pen: ImageDraw.ImageDraw, key: Key, place: tuple[int, int], sizes: tuple[int, int, int]) -> None:
    """Draw one key at (left, top), with (width, height of its row, height of a letter), in pixels."""
    (left, top), (width_px, row_px, letter_px) = place, sizes
    middle, room_px = top + row_px / 2, width_px
    if key.colour is not None:
        box = (left, round(middle - letter_px / 2), left + letter_px, round(middle + letter_px / 2))
        pen.rectangle(box, fill=key.colour, outline=_EDGE)
        left, room_px = left + round(letter_px * 1.5), room_px - round(letter_px * 1.5)
    figure, font = shortened(_share(key.share), letter_px, room_px)
    room_px -= round(font.getlength(figure)) + GAP_PX
    text, letters = shortened(key.name, letter_px, max(room_px, letter_px))
    pen.text((left, middle), text, fill=INK, font=letters, anchor="lm")
    pen.text((left + letters.getlength(text) + GAP_PX, middle), figure, fill=_FAINT, font=font, anchor="lm")


def _share(share: float) -> str:
    """Return a share in per cent; little is not nothing."""
    return "<0.1%" if 0 < share < _LEAST else per_cent(share)
