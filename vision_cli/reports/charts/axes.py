"""Scales, ticks and the frame of a chart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vision_cli.reports.elements import Markup, element, join
from vision_cli.reports.wording import cut, one_line, plain

WIDTH, HEIGHT = 360, 220
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 22, 36

_LABEL_LENGTH = 6


@dataclass(frozen=True, slots=True)
class Scale:
    """A range of values on a range of the drawing.

    Attributes:
        low: least value.
        high: greatest value, above `low`.
        start: where `low` is, in units of the drawing.
        end: where `high` is.
    """

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the place of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return round numbers (1, 2 or 5 times a power of ten apart) inside a range, at most `most + 1`."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def spread(values: Iterable[float], margin: float = 0.05) -> tuple[float, float]:
    """Return a range that holds all finite values with a margin; never empty, never of no width."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    room = (high - low) * margin or abs(high) * 0.1 or 1.0
    return low - room, high + room


def x_scale(low: float, high: float) -> Scale:
    """Return the scale from left to right."""
    return Scale(low, high, LEFT, WIDTH - RIGHT)


def y_scale(low: float, high: float) -> Scale:
    """Return the scale from the bottom up."""
    return Scale(low, high, HEIGHT - BOTTOM, TOP)


def frame(x: Scale, y: Scale, names: tuple[str, str], x_ticks: Sequence[float] | None = None) -> Markup:
    """Return grid lines, tick labels and the names of the (horizontal, vertical) axes."""
    across, up = ticks(x.low, x.high) if x_ticks is None else x_ticks, ticks(y.low, y.high)
    parts = [_line(x.start, y.at(value), x.end, y.at(value)) for value in up]
    parts += [_text(x.start - 6, y.at(value) + 4, _short(value), "end") for value in up]
    parts += [_text(x.at(value), y.start + 15, _short(value), "middle") for value in across]
    parts.append(_text((x.start + x.end) / 2, HEIGHT - 4, names[0], "middle", "axis"))
    parts.append(_text(2, 11, names[1], "start", "axis"))
    return join([element("g", *parts, class_="frame"), _line(x.start, y.start, x.end, y.start, "base")])


def _short(value: float) -> str:
    """Return a tick's label that fits beside an axis: `2.5e-4` for 0.00025."""
    text = plain(value)
    if len(text) <= _LABEL_LENGTH:
        return text
    digits, _, power = f"{value:.1e}".partition("e")
    return f"{digits.removesuffix('.0')}e{int(power)}"


def _line(x1: float, y1: float, x2: float, y2: float, kind: str = "grid") -> Markup:
    return element("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=kind)


def _text(x: float, y: float, text: str, anchor: str, kind: str | None = None) -> Markup:
    return element("text", text, x=float(x), y=float(y), text_anchor=anchor, class_=kind)


def svg(what: str, *children: str) -> Markup:
    """Return a drawing that says in words what it shows."""
    return element("svg", *children, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=cut(one_line(what), 300))


def legend(entries: Iterable[tuple[str, str]]) -> Markup:
    """Return names with a swatch of their CSS class."""
    items = (element("li", element("i", class_=f"swatch {kind}"), text) for text, kind in entries)
    return element("ul", *items, class_="legend")
