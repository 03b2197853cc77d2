"""A photo with heat over it, and what the colours mean."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vision_cli.imaging.draw import GAP_PX, MIN_WIDTH_PX, PAPER, Line, draw_line
from vision_cli.imaging.lettering import shortened
from vision_cli.imaging.modes import with_channels

Heat = NDArray[np.float32]
"""(H, W), 0 to 1; NaN where the network saw nothing."""
_LEAST_SHARE, _MORE_SHARE = 0.4, 0.28
"""Of the colour: where there is no heat the photo is seen well, where there is most the colour."""
_UNSEEN_SHARE = 0.75
_UNSEEN = (200, 200, 198)
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_FAINT, _EDGE = (96, 100, 108), (150, 152, 156)
_SHEET_LETTER_PX = 13
_UNSEEN_WORDS = "pale: not seen by the network"


def coloured(heat: Heat) -> NDArray[np.uint8]:
    """Return colours uint8 (H, W, 3) of 0 to 1, black over red to pale yellow, evenly apart; of NaN a pale grey."""
    levels = np.rint(np.clip(np.nan_to_num(heat), 0, 1) * 255).astype(np.uint8)
    shown = np.ascontiguousarray(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1])
    shown[np.isnan(heat)] = _UNSEEN
    return shown


def over(photo: NDArray[np.uint8], heat: Heat) -> NDArray[np.uint8]:
    """Return a photo uint8 (H, W, 3) in grey under the colours of heat; what was not seen is pale.

    Args:
        photo: uint8 (H, W, C).
        heat: of its size.
    """
    grey = with_channels(photo, 3).astype(np.float32) @ np.array(_LUMA, np.float32)
    unseen = np.isnan(heat)
    share = (_LEAST_SHARE + _MORE_SHARE * np.clip(np.nan_to_num(heat), 0, 1))[..., None].astype(np.float32)
    shown = grey[..., None] * (1 - share) + coloured(heat).astype(np.float32) * share
    if unseen.any():
        shown[unseen] = grey[unseen, None] * (1 - _UNSEEN_SHARE) + np.array(_UNSEEN, np.float32) * _UNSEEN_SHARE
    return np.rint(shown).astype(np.uint8)


def with_scale(
    picture: NDArray[np.uint8], lines: Sequence[Line], *, meaning: str, unseen: bool = False
) -> NDArray[np.uint8]:
    """Return a picture in its own size with lines, bars and the scale of heat under it; nothing of it is covered.

    Args:
        picture: uint8 (H, W, 3).
        lines: with bars where they have shares; none under a sheet, which has letters of its own.
        meaning: of the scale, in words.
        unseen: whether a part of the photo is pale.

    Returns:
        uint8 (height, width, 3), width at least 240.
    """
    width_px = max(picture.shape[1], MIN_WIDTH_PX)
    letter_px = int(np.clip(width_px / 30, 13, 34)) if lines else _SHEET_LETTER_PX
    row_px = round(letter_px * 1.7)
    rows = len(lines) + 2 + unseen
    canvas = Image.new("RGB", (width_px, picture.shape[0] + rows * row_px + GAP_PX), PAPER)
    pen, top = ImageDraw.Draw(canvas), picture.shape[0] + GAP_PX // 2
    for index, line in enumerate(lines):
        draw_line(pen, line, (top, row_px, letter_px), best=index == 0)
        top += row_px
    canvas.paste(Image.fromarray(_bar(width_px - 2 * GAP_PX, row_px // 2)), (GAP_PX, top + row_px // 4))
    pen.rectangle(
        (GAP_PX, top + row_px // 4, width_px - GAP_PX - 1, top + row_px // 4 + row_px // 2 - 1), outline=_EDGE
    )
    _draw_ends(pen, meaning, (top + row_px, row_px, letter_px), width_px)
    if unseen:
        text, font = shortened(_UNSEEN_WORDS, letter_px, width_px - 2 * GAP_PX)
        pen.text((GAP_PX, top + 2 * row_px + row_px / 2), text, fill=_FAINT, font=font, anchor="lm")
    canvas.paste(Image.fromarray(picture), ((width_px - picture.shape[1]) // 2, 0))
    return np.array(canvas)


def _bar(width_px: int, height_px: int) -> NDArray[np.uint8]:
    return coloured(np.tile(np.linspace(0, 1, width_px, dtype=np.float32), (max(1, height_px), 1)))


def _draw_ends(pen: ImageDraw.ImageDraw, meaning: str, place: tuple[int, int, int], width_px: int) -> None:
    """Write `none`, what the scale means, and `most` under the scale."""
    top, row_px, letter_px = place
    middle, room = top + row_px / 2, width_px - 2 * GAP_PX
    left, font = shortened("none", letter_px, room)
    pen.text((GAP_PX, middle), left, fill=_FAINT, font=font, anchor="lm")
    right, font = shortened("most", letter_px, room)
    pen.text((width_px - GAP_PX, middle), right, fill=_FAINT, font=font, anchor="rm")
    taken = 2 * max(font.getlength(left), font.getlength(right)) + 2 * GAP_PX
    text, font = shortened(meaning, letter_px, max(room - taken, letter_px))
    pen.text((width_px / 2, middle), text, fill=_FAINT, font=font, anchor="mm")


def outlined(
    picture: NDArray[np.uint8], mask: NDArray[np.bool_], colour: tuple[int, int, int], thick_px: int
) -> NDArray[np.uint8]:
    """Return a picture uint8 (H, W, 3) with a line around a mask, half of it on either side."""
    shown = picture.copy()
    kernel = np.ones((thick_px + 1, thick_px + 1), np.uint8)
    shown[cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, kernel) > 0] = colour
    return shown
