"""Pictures for people: a photo with what was predicted, contact sheets, thumbnails."""

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

PAPER = (250, 250, 248)
INK = (28, 30, 34)
_BEST_BAR = (150, 198, 235)
_BAR = (218, 226, 233)
MIN_WIDTH_PX = 240
_MAX_SIDE_PX = 1600
GAP_PX = 8


@dataclass(frozen=True, slots=True)
class Line:
    """A line under a photo.

    Attributes:
        text: any string; shortened to fit.
        share: 0..1, drawn as a bar with its per cent; None draws the text alone.
    """

    text: str
    share: float | None = None


def thumbnail(photo: NDArray[np.uint8], max_px: int) -> NDArray[np.uint8]:
    """Return a photo uint8 (H, W, C) shrunk so that no side exceeds `max_px`; a smaller one is returned as it is."""
    height_px, width_px = photo.shape[:2]
    if max(height_px, width_px) <= max_px:
        return photo
    return fit(photo, letterbox_px((width_px, height_px), (max_px, max_px)), "stretch", interpolation="area")


def caption(photo: NDArray[np.uint8], lines: Sequence[Line]) -> NDArray[np.uint8]:
    """Return a photo with lines of text and bars under it; nothing of the photo is covered.

    Args:
        photo: uint8 (H, W, C); shrunk when a side exceeds 1,600 px, enlarged when it is tiny.
        lines: best first; the first bar is drawn stronger.

    Returns:
        uint8 (height, width, 3), width at least 240.
    """
    shown = comfortable(with_channels(photo, 3))
    height_px, width_px = shown.shape[0], max(shown.shape[1], MIN_WIDTH_PX)
    letter_px = int(np.clip(width_px / 26, 14, 40))
    row_px = round(letter_px * 1.7)
    canvas = Image.new("RGB", (width_px, height_px + row_px * len(lines)), PAPER)
    draw = ImageDraw.Draw(canvas)
    for index, line in enumerate(lines):
        draw_line(draw, line, (height_px + index * row_px, row_px, letter_px), best=index == 0)
    # Last, so that no tall letter reaches into the photo.
    canvas.paste(Image.fromarray(shown), ((width_px - shown.shape[1]) // 2, 0))
    return np.array(canvas)


def comfortable(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a photo that people can see: shrunk when a side exceeds 1,600 px, enlarged when it is tiny."""
    height_px, width_px = photo.shape[:2]
    factor = MIN_WIDTH_PX // max(height_px, width_px)
    if factor > 1:
        return fit(photo, (width_px * factor, height_px * factor), "stretch", interpolation="bicubic")
    return thumbnail(photo, _MAX_SIDE_PX)


def draw_line(draw: ImageDraw.ImageDraw, line: Line, place: tuple[int, int, int], *, best: bool) -> None:
    """Draw one line at (top, row height, letter height), in pixels."""
    (top, row_px, letter_px), width_px = place, draw.im.size[0]
    middle, room_px = top + row_px / 2, width_px - 2 * GAP_PX
    if line.share is not None:
        bar_px = round(width_px * _length(line.share))
        if bar_px > 0:
            draw.rectangle((0, top, bar_px - 1, top + row_px - 2), fill=_BEST_BAR if best else _BAR)
        figure, figure_font = shortened(per_cent(line.share), letter_px, room_px)
        draw.text((width_px - GAP_PX, middle), figure, fill=INK, font=figure_font, anchor="rm")
        room_px -= round(figure_font.getlength(figure)) + GAP_PX
    text, font = shortened(line.text, letter_px, room_px)
    draw.text((GAP_PX, middle), text, fill=INK, font=font, anchor="lm")


def _length(share: float) -> float:
    return min(max(share, 0.0), 1.0) if np.isfinite(share) else 0.0


def per_cent(share: float) -> str:
    """Return a share in per cent with one decimal; what is no number is a dash."""
    return f"{share:.1%}" if np.isfinite(share) else "-"


def contact_sheet(
    photos: Sequence[NDArray[np.uint8]], captions: Sequence[str], columns: int = 4, tile_px: int = 160
) -> NDArray[np.uint8]:
    """Return photos in rows and columns, each with one line of text under it.

    Args:
        photos: uint8 (H, W, C) each, at least one.
        captions: one a photo.
        columns: at most so many in a row.
        tile_px: side of the square that each photo is fitted into.

    Returns:
        uint8 (height, width, 3).

    Raises:
        UsageError: no photos, or not one caption each.
    """
    if not photos or len(photos) != len(captions) or columns < 1:
        raise UsageError(f"contact sheet: {len(photos)} photos, {len(captions)} captions, {columns} columns.")
    columns = min(columns, len(photos))
    letter_px = max(11, tile_px // 12)
    step_x, step_y = tile_px + GAP_PX, tile_px + 2 * letter_px + GAP_PX
    rows = -(-len(photos) // columns)
    canvas = Image.new("RGB", (columns * step_x + GAP_PX, rows * step_y + GAP_PX), PAPER)
    draw = ImageDraw.Draw(canvas)
    for index, (photo, words) in enumerate(zip(photos, captions, strict=True)):
        left, top = GAP_PX + index % columns * step_x, GAP_PX + index // columns * step_y
        shown = _tile(photo, tile_px)
        canvas.paste(shown, (left + (tile_px - shown.width) // 2, top + (tile_px - shown.height) // 2))
        text, font = shortened(words, letter_px, tile_px)
        draw.text((left, top + tile_px + letter_px), text, fill=INK, font=font, anchor="lm")
    return np.array(canvas)


def _tile(photo: NDArray[np.uint8], tile_px: int) -> Image.Image:
    size_px = letterbox_px((photo.shape[1], photo.shape[0]), (tile_px, tile_px))
    return Image.fromarray(fit(with_channels(photo, 3), size_px, "stretch", interpolation="bicubic"))
