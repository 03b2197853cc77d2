"""How values are spread, over the range that was asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vision_cli.reports.charts.axes import frame, spread, svg, x_scale, y_scale
from vision_cli.reports.elements import Markup, element
from vision_cli.reports.wording import count, plain

_BINS = 24


def asked_chart(
    values: Sequence[float], asked: tuple[float, float] | None, names: tuple[str, str], what: str
) -> Markup:
    """Return counts of values as bars; behind them, shaded, the range that was asked for.

    Args:
        values: at least one.
        asked: lowest and highest; None where nothing was.
        names: of the axes.
        what: it shows, in words.
    """
    low, high = spread([*values, *(asked or ())], margin=0.0)
    edges = np.linspace(low, high, _BINS + 1)
    counts = np.histogram(values, edges)[0]
    x, y = x_scale(low, high), y_scale(0.0, float(counts.max()) * 1.08)
    parts = []
    if asked is not None:
        left, right = x.at(asked[0]), x.at(asked[1])
        parts.append(element("rect", element("title", f"asked for: {plain(asked[0])} to {plain(asked[1])}"), x=left,
                             y=float(y.end), width=max(right - left, 1.0), height=float(y.start - y.end),
                             class_="asked"))  # fmt: skip
    for place in np.flatnonzero(counts).tolist():
        left, right, top = x.at(edges[place]), x.at(edges[place + 1]), y.at(float(counts[place]))
        title = f"{plain(edges[place])} to {plain(edges[place + 1])}: {count(int(counts[place]), 'object')}"
        parts.append(element("rect", element("title", title), x=float(left) + 0.5, y=float(top),
                             width=max(float(right - left) - 1, 0.5), height=float(y.start - top),
                             class_="split0"))  # fmt: skip
    return svg(what, *parts[:1], frame(x, y, names), *parts[1:])
