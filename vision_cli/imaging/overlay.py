"""A photo with what was found in it: boxes, masks, classes of pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vision_cli.imaging.lettering import Font, shortened
from vision_cli.imaging.modes import with_channels
from vision_cli.imaging.palette import Colour
from vision_cli.imaging.palette import colour_of as colour_of
from vision_cli.imaging.regions import Middle, middles

_MASK_SHARE = 0.45
_DARK = 120
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


@dataclass(frozen=True, slots=True)
class Marked:
    """One object to draw.

    Attributes:
        box: left, top, right, bottom in pixels of the photo.
        text: beside the box; empty draws none.
        colour: red, green and blue of 0..255, or the index of a colour, such as a class id.
        mask: bool (H, W); None draws the box alone.
    """

    box: tuple[float, float, float, float]
    text: str
    colour: int | Colour
    mask: NDArray[np.bool_] | None = None


def with_objects(
    photo: NDArray[np.uint8], objects: Sequence[Marked], *, shown_px: int | None = None
) -> NDArray[np.uint8]:
    """Return a photo uint8 (H, W, 3) with objects; the first is drawn last, on top.

    Args:
        photo: uint8 (H, W, C).
        objects: best first.
        shown_px: side that the picture is shrunk to: lines and letters are readable then. None where it is not.
    """
    shown = with_channels(photo, 3).copy()
    scale = _scale(shown.shape, shown_px)
    thick = _line_px(shown.shape[:2], scale)
    for each in reversed(objects):
        if each.mask is not None:
            _tint(shown, each.mask, _colour(each))
            shown[_rim(each.mask, thick)] = _colour(each)
    picture = Image.fromarray(shown)
    pen = ImageDraw.Draw(picture)
    for each in reversed(objects):
        pen.rectangle(_edges(each, picture.size), outline=_colour(each), width=thick)
    # After all edges, or the edge of one would strike through the text of another.
    for each in reversed(objects):
        if each.text:
            _label(pen, each, picture.size, scale)
    return np.asarray(picture)


def _colour(each: Marked) -> Colour:
    return colour_of(each.colour) if isinstance(each.colour, int) else each.colour


def with_classes(
    photo: NDArray[np.uint8],
    classes: NDArray[np.integer],
    *,
    colours: Mapping[int, Colour] | None = None,
    names: Sequence[str] = (),
    shown_px: int | None = None,
) -> NDArray[np.uint8]:
    """Return a photo uint8 (H, W, 3) tinted by a class a pixel; pixels of a class below 0 stay as they are.

    Args:
        photo: uint8 (H, W, C); what is tinted loses its own colours, so that the tint's is seen.
        classes: (H, W).
        colours: by class; its own where there is none.
        names: by class, written into regions that are wide enough; empty writes none.
        shown_px: side that the picture is shrunk to: lines and letters are readable then. None where it is not.
    """
    shown = with_channels(photo, 3).copy()
    there = {index: (colours or {}).get(index, colour_of(index)) for index in np.unique(classes[classes >= 0]).tolist()}
    shown[classes >= 0] = np.round(shown[classes >= 0] @ np.array(_LUMA))[:, None].astype(np.uint8)
    scale = _scale(shown.shape, shown_px)
    thick = _line_px(shown.shape[:2], scale)
    for index, colour in there.items():
        mask = classes == index
        _tint(shown, mask, colour)
        shown[_rim(mask, thick)] = colour
    written = {names[index]: (middle, there[index]) for index, middle in _widest(classes)} if names else {}
    return _named(shown, written, scale)


def _widest(classes: NDArray[np.integer]) -> list[tuple[int, Middle]]:
    return sorted(middles(classes).items(), key=lambda pair: -pair[1].room_px)


def _named(photo: NDArray[np.uint8], names: Mapping[str, tuple[Middle, Colour]], scale: float) -> NDArray[np.uint8]:
    """Write names where they have room, the first ones first; none covers another."""
    picture = Image.fromarray(photo)
    pen, taken = ImageDraw.Draw(picture), list[tuple[float, float, float, float]]()
    for name, (middle, colour) in names.items():
        text, letters = shortened(name, _letter_px(picture.size, scale), picture.size[0] - 8)
        width, height = pen.textbbox((0, 0), text, font=letters)[2:]
        left = max(0.0, min(middle.x - width / 2, picture.size[0] - width - 4))
        top = max(0.0, min(middle.y - height / 2, picture.size[1] - height - 4))
        place = (left, top, left + width + 4, top + height + 4)
        if middle.room_px >= height / 2 and not any(_meet(place, each) for each in taken):
            taken.append(place)
            _write(pen, (left, top), (text, letters), colour)
    return np.asarray(picture)


def _meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _tint(photo: NDArray[np.uint8], mask: NDArray[np.bool_], colour: tuple[int, int, int]) -> None:
    tinted = photo[mask] * (1 - _MASK_SHARE) + np.array(colour) * _MASK_SHARE
    photo[mask] = np.round(tinted).astype(np.uint8)


def _scale(sides: tuple[int, ...], shown_px: int | None) -> float:
    """Return by how much a picture is shrunk when it is shown."""
    return 1.0 if shown_px is None else max(1.0, max(sides) / shown_px)


def _line_px(sides: tuple[int, ...], scale: float) -> int:
    return round(scale * max(2, round(max(sides) / scale / 500)))


def _rim(mask: NDArray[np.bool_], thick: int) -> NDArray[np.bool_]:
    """Return the pixels of a mask that lie within so many of its edge, so that neighbours of a class show apart.

    The edge of the photo is none of the mask.
    """
    inner = np.pad(mask, 1, mode="edge")
    for _ in range(max(1, thick // 2)):
        inner[1:-1, 1:-1] &= inner[:-2, 1:-1] & inner[2:, 1:-1] & inner[1:-1, :-2] & inner[1:-1, 2:]
    return mask & ~inner[1:-1, 1:-1]


def _letter_px(size: tuple[int, int], scale: float) -> int:
    return round(scale * float(np.clip(max(size) / scale / 50, 11, 28)))


def _edges(each: Marked, size: tuple[int, int]) -> tuple[int, int, int, int]:
    left, top, right, bottom = (round(value) for value in each.box)
    return left, top, max(left, min(right, size[0]) - 1), max(top, min(bottom, size[1]) - 1)


def _label(pen: ImageDraw.ImageDraw, each: Marked, size: tuple[int, int], scale: float) -> None:
    """Write an object's text above its box, or inside at the top where there is no room above."""
    left, top, _, _ = _edges(each, size)
    text, letters = shortened(each.text, _letter_px(size, scale), size[0] - 8)
    width, height = pen.textbbox((0, 0), text, font=letters)[2:]
    x = max(0, min(left, size[0] - width - 4))
    _write(pen, (x, top - height - 4 if top >= height + 4 else top), (text, letters), _colour(each))


def _write(pen: ImageDraw.ImageDraw, place: tuple[float, float], words: tuple[str, Font], colour: Colour) -> None:
    """Write a text and its font on a ground of a colour."""
    (x, y), (text, letters) = place, words
    width, height = pen.textbbox((0, 0), text, font=letters)[2:]
    pen.rectangle((x, y, x + width + 4, y + height + 4), fill=colour)
    ink = (0, 0, 0) if np.dot(colour, _LUMA) > _DARK else (255, 255, 255)
    pen.text((x + 2, y + 1), text, fill=ink, font=letters)
