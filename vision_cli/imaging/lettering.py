"""Write any class name into a picture: emoji, right-to-left, line breaks or 10,000 characters, never a crash."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_ELLIPSIS = "…"
_NAMELESS = "(no name)"
# No picture has room for more, and measuring text takes time.
_MAX_CHARACTERS = 300
# Living scripts stack at most three marks on a letter; more would climb over the photo.
_MAX_MARKS = 3
# Pillow's built-in font covers ASCII and is the same everywhere; other letters need one of the system's fonts.
_WIDER_FONTS = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "Arial Unicode.ttf",
    "arial.ttf",
    "LiberationSans-Regular.ttf",
)


def one_line(text: str) -> str:
    """Return text on one line, without control, formatting or unassigned characters, without towers of accents."""
    seen = (" " if char.isspace() else char for char in unicodedata.normalize("NFC", text[: _MAX_CHARACTERS + 1]))
    kept, marks = [], 0
    for char in seen:
        kind = unicodedata.category(char)[0]
        marks = marks + 1 if kind == "M" else 0
        if kind != "C" and marks <= _MAX_MARKS:
            kept.append(char)
    return " ".join("".join(kept).split()) or _NAMELESS


@lru_cache(maxsize=64)
def _built_in(size_px: int) -> Font:
    return ImageFont.load_default(size_px)


@lru_cache(maxsize=64)
def _wider(size_px: int) -> Font:
    for name in _WIDER_FONTS:
        try:
            return ImageFont.truetype(name, size_px)
        except OSError:
            continue
    return _built_in(size_px)


def font_for(text: str, size_px: int) -> Font:
    """Return a font for a text: the built-in one where it suffices."""
    return _built_in(size_px) if text.isascii() else _wider(size_px)


def shortened(text: str, size_px: int, width_px: float) -> tuple[str, Font]:
    """Return the longest beginning of a text that fits, with an ellipsis when it was cut, and its font."""
    line = one_line(text)
    font = font_for(line, size_px)
    if font.getlength(line) <= width_px:
        return line, font
    fits, over = 0, len(line)
    while over - fits > 1:
        middle = (fits + over) // 2
        if font.getlength(line[:middle].rstrip() + _ELLIPSIS) <= width_px:
            fits = middle
        else:
            over = middle
    return line[:fits].rstrip() + _ELLIPSIS, font
