"""The logos of six brands that do not exist."""

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageChops

from drawing.plate import Colour, Plate, Point, arc

_WHITE = (255, 255, 255)


def draw_logos() -> Iterator[tuple[str, Image.Image]]:
    """Yield (brand__variant, picture with transparency); longest side 256 pixels."""
    for name, draw in _LOGOS.items():
        yield name, draw()


def _zorvane_mark(plate: Plate, x: float, y: float, size: float) -> None:
    """A hexagon cut by a Z like a bolt."""
    hexagon = [(x + size * np.sin(np.pi * k / 3), y - size * np.cos(np.pi * k / 3)) for k in range(6)]
    plate.fill(plate.polygon(hexagon), ((255, 140, 40), (214, 30, 64)))
    bolt = [
        (-0.52, -0.46),
        (0.56, -0.46),
        (0.02, 0.2),
        (0.52, 0.2),
        (0.52, 0.46),
        (-0.56, 0.46),
        (-0.02, -0.2),
        (-0.52, -0.2),
    ]
    plate.cut(plate.polygon([(x + a * size, y + b * size) for a, b in bolt]))


def _zorvane_icon() -> Image.Image:
    plate = Plate(256, 256)
    _zorvane_mark(plate, 128, 128, 122)
    return plate.finish()


def _zorvane_wide() -> Image.Image:
    plate = Plate(256, 80)
    _zorvane_mark(plate, 38, 40, 36)
    plate.fill(plate.text("zorvane", (166, 39), 43, bold=1.0, gap=1), (60, 22, 40))
    return plate.finish()


def _brindlo(ring: Colour, inner: Colour, ink: Colour) -> Image.Image:
    """A coffee roaster's round badge: cup, steam, name."""
    plate = Plate(256, 256)
    plate.fill(plate.disc(128, 128, 126), ring)
    plate.fill(plate.disc(128, 128, 116), inner)
    plate.fill(plate.disc(128, 128, 110), ring)
    plate.fill(plate.line(arc((166, 122), 17, -90, 90), 9), ink)
    bowl: list[Point] = [(76, 98), (168, 98), *arc((124, 112), 44, 0, 180), (76, 98)]
    plate.fill(plate.polygon(bowl), ink)
    plate.fill(plate.rounded((66, 160, 182, 168), 4), ink)
    for x in (100, 122, 144):
        steam = [(x + 7 * np.sin(t / 6), 84 - t) for t in range(0, 40, 2)]
        plate.fill(plate.line(steam, 6), ink)
    plate.fill(plate.text("BRINDLO", (128, 197), 30, bold=1.2, gap=3), ink)
    return plate.finish()


def _quellio() -> Image.Image:
    """A drop with waves; a palette picture with one transparent entry, so its edge is hard."""
    plate = Plate(256, 256)
    drop = [
        (128 + 1.35 * 84 * np.sin(t) * np.sin(t / 2) ** 1.5, 128 - 116 * np.cos(t))
        for t in np.linspace(0, 2 * np.pi, 120)
    ]
    body = plate.polygon(drop)
    plate.fill(body, ((64, 190, 240), (10, 86, 190)))
    for level, tint in ((146, (140, 220, 250)), (172, (255, 255, 255)), (198, (140, 220, 250))):
        wave = [(x, level + 8 * np.sin(x / 14)) for x in range(0, 257, 4)]
        plate.fill(ImageChops.multiply(plate.line(wave, 11), body), tint)
    rgba = plate.finish()
    palette = rgba.convert("RGB").quantize(63, dither=Image.Dither.NONE)
    pixels = np.asarray(palette).copy()
    pixels[np.asarray(rgba.getchannel("A")) < 128] = 63
    result = Image.fromarray(pixels)
    result.putpalette([*(palette.getpalette() or [])[: 63 * 3], 255, 255, 255])
    result.info["transparency"] = 63
    return result


def _tarkomo(ink: int) -> Image.Image:
    """A grey wordmark between two bars, a bolt in its last letter; luminance and alpha."""
    plate = Plate(256, 96)
    tone = (ink, ink, ink)
    plate.fill(plate.rounded((4, 6, 252, 14), 4), tone)
    plate.fill(plate.text("TARKOM", (102, 48), 44, bold=1.7, gap=2), tone)
    plate.fill(plate.disc(228, 48, 23), tone)
    bolt = [(233, 30), (216, 52), (227, 52), (222, 67), (240, 44), (229, 44)]
    plate.cut(plate.polygon(bolt))
    plate.fill(plate.rounded((4, 82, 252, 90), 4), tone)
    return plate.finish().convert("LA")


def _fennaru_mark(plate: Plate, x: float, y: float, size: float) -> None:
    """The sun over two peaks, in a rounded square."""
    box = (x - size, y - size, x + size, y + size)
    tile = plate.rounded(box, size * 0.42)
    plate.fill(tile, ((92, 48, 160), (46, 20, 96)))
    plate.fill(plate.disc(x, y - size * 0.12, size * 0.46), ((255, 220, 90), (255, 150, 50)))
    for points, tint in (
        ([(-1.1, 1.1), (-0.32, -0.05), (0.5, 1.1)], (40, 190, 170)),
        ([(-0.35, 1.1), (0.42, 0.2), (1.2, 1.1)], (20, 130, 140)),
    ):
        peak = plate.polygon([(x + a * size, y + b * size) for a, b in points])
        plate.fill(ImageChops.multiply(peak, tile), tint)


def _fennaru_tile() -> Image.Image:
    plate = Plate(256, 256)
    _fennaru_mark(plate, 128, 128, 122)
    return plate.finish()


def _fennaru_stacked() -> Image.Image:
    plate = Plate(224, 256)
    _fennaru_mark(plate, 112, 92, 88)
    plate.fill(plate.text("fennaru", (112, 224), 56, bold=1.2, gap=1), (62, 30, 118))
    return plate.finish()


def _obbisk() -> Image.Image:
    """A sports club's shield: stripes, star, name on a band."""
    plate = Plate(216, 256)
    edge: list[Point] = [(8, 22), (108, 4), (208, 22), (204, 132), (180, 190), (108, 252), (36, 190), (12, 132)]
    shield = plate.polygon(edge)
    plate.fill(shield, (18, 32, 74))
    inner = plate.polygon([(108 + (x - 108) * 0.91, 122 + (y - 122) * 0.92) for x, y in edge])
    plate.fill(inner, _WHITE)
    for x in (36, 84, 132, 180):
        plate.fill(
            ImageChops.multiply(inner, plate.polygon([(x - 12, 0), (x + 12, 0), (x + 12, 256), (x - 12, 256)])),
            (206, 32, 44),
        )
    star = [
        (108 + r * np.sin(np.pi * k / 5), 62 - r * np.cos(np.pi * k / 5)) for k in range(10) for r in ((40, 17)[k % 2],)
    ]
    plate.fill(plate.polygon([(108 + (x - 108) * 1.28, 62 + (y - 62) * 1.28) for x, y in star]), _WHITE)
    plate.fill(plate.polygon(star), (18, 32, 74))
    plate.fill(plate.polygon([(2, 112), (214, 112), (214, 166), (2, 166)]), (18, 32, 74))
    plate.fill(plate.polygon([(2, 117), (214, 117), (214, 161), (2, 161)]), (250, 200, 40))
    plate.fill(plate.text("OBBISK", (108, 139), 42, bold=2.0, gap=4), (18, 32, 74))
    return plate.finish()


_LOGOS: dict[str, Callable[[], Image.Image]] = {
    "brindlo__badge": lambda: _brindlo((24, 84, 60), (240, 226, 196), (240, 226, 196)),
    "brindlo__light": lambda: _brindlo((244, 234, 212), (24, 84, 60), (24, 84, 60)),
    "fennaru__stacked": _fennaru_stacked,
    "fennaru__tile": _fennaru_tile,
    "obbisk__shield": _obbisk,
    "quellio__drop": _quellio,
    "tarkomo__dark": lambda: _tarkomo(28),
    "tarkomo__light": lambda: _tarkomo(246),
    "zorvane__icon": _zorvane_icon,
    "zorvane__wide": _zorvane_wide,
}
