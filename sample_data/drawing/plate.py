"""A transparent plate to draw clean shapes on: four times too large, then shrunk."""

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Point = tuple[float, float]

_SCALE = 4


class Plate:
    """An RGBA picture in units of the final pixel; every shape has a soft edge once finished."""

    def __init__(self, width: int, height: int) -> None:
        self.size = width, height
        self._image = Image.new("RGBA", (width * _SCALE, height * _SCALE))

    def fill(self, shape: Image.Image, colour: Colour | Sequence[Colour]) -> None:
        """Pour one colour, or a gradient of two from top left to bottom right of the shape, into a mask."""
        colours = [colour] if isinstance(colour[0], int) else list(colour)
        layer = Image.new("RGB", shape.size, colours[0])  # type: ignore[arg-type]
        box = shape.getbbox()
        if len(colours) == 2 and box:
            layer.paste(_gradient((box[2] - box[0], box[3] - box[1]), colours), box[:2])  # type: ignore[arg-type]
        self._image.paste(layer, (0, 0), shape)

    def cut(self, shape: Image.Image) -> None:
        """Make a mask's inside transparent again."""
        alpha = ImageChops.subtract(self._image.getchannel("A"), shape)
        self._image.putalpha(alpha)

    def mask(self, draw: Callable[[ImageDraw.ImageDraw, int], None]) -> Image.Image:
        """Return a mask painted by `draw(context, scale)`; white is inside."""
        mask = Image.new("L", self._image.size)
        draw(ImageDraw.Draw(mask), _SCALE)
        return mask

    def polygon(self, points: Sequence[Point]) -> Image.Image:
        """Return the inside of a polygon."""
        return self.mask(lambda d, s: d.polygon([(x * s, y * s) for x, y in points], fill=255))

    def disc(self, x: float, y: float, radius: float) -> Image.Image:
        """Return the inside of a circle."""
        box = (x - radius, y - radius, x + radius, y + radius)
        return self.mask(lambda d, s: d.ellipse([v * s for v in box], fill=255))

    def rounded(self, box: tuple[float, float, float, float], radius: float) -> Image.Image:
        """Return the inside of a rectangle with round corners; (left, top, right, bottom)."""
        return self.mask(lambda d, s: d.rounded_rectangle([v * s for v in box], radius * s, fill=255))

    def line(self, points: Sequence[Point], width: float) -> Image.Image:
        """Return a thick line with round joints and ends."""

        def draw(context: ImageDraw.ImageDraw, scale: int) -> None:
            path, half = [(x * scale, y * scale) for x, y in points], width * scale / 2
            context.line(path, fill=255, width=round(width * scale), joint="curve")
            for x, y in (path[0], path[-1]):
                context.ellipse((x - half, y - half, x + half, y + half), fill=255)

        return self.mask(draw)

    def text(self, words: str, centre: Point, size: float, *, bold: float = 0, gap: float = 0) -> Image.Image:
        """Return words in the font that Pillow carries; `bold` and `gap` between letters in pixels."""
        font = ImageFont.load_default(size * _SCALE)
        advances = [font.getlength(letter) + gap * _SCALE for letter in words]

        def draw(context: ImageDraw.ImageDraw, scale: int) -> None:
            x = centre[0] * scale - (sum(advances) - gap * scale) / 2
            for letter, advance in zip(words, advances, strict=True):
                context.text((x, centre[1] * scale), letter, 255, font, anchor="lm", stroke_width=round(bold * scale))
                x += advance

        return self.mask(draw)

    def finish(self) -> Image.Image:
        """Return the picture at its final size, RGBA."""
        return self._image.resize(self.size, Image.Resampling.BOX)


def _gradient(size: tuple[int, int], colours: list[Colour]) -> Image.Image:
    rows, columns = np.mgrid[0 : 1 : size[1] * 1j, 0 : 1 : size[0] * 1j]
    share = ((rows + columns) / 2)[..., None]
    return Image.fromarray((np.array(colours[0]) * (1 - share) + np.array(colours[1]) * share).astype(np.uint8))


def arc(centre: Point, radius: float, start: float, end: float) -> list[Point]:
    """Return points of an arc, degrees clockwise from the right."""
    angles = np.radians(np.linspace(start, end, 40))
    return [(float(centre[0] + radius * np.cos(a)), float(centre[1] + radius * np.sin(a))) for a in angles]
