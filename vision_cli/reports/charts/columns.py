"""Upright bars: a histogram of values, and how often a confidence is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vision_cli.reports.charts.axes import Scale, frame, legend, spread, svg, x_scale, y_scale
from vision_cli.reports.elements import Markup, element, join
from vision_cli.reports.wording import count, plain

_BINS = 20
_CONFIDENCE_BINS = 10
_HEADROOM = 1.1


def histogram(values: Mapping[str, Sequence[float]], names: tuple[str, str], what: str) -> Markup:
    """Return stacked counts of values by group, in the colours of the splits; at least one value must be finite."""
    finite = {name: [value for value in group if np.isfinite(value)] for name, group in values.items()}
    low, high = spread([value for group in finite.values() for value in group], margin=0.0)
    edges = np.linspace(low, high, _BINS + 1)
    counts = np.array([np.histogram(group, edges)[0] for group in finite.values()])
    x, y = x_scale(low, high), y_scale(0.0, float(counts.sum(axis=0).max()) * 1.05)
    tops = np.vstack([np.zeros(_BINS, dtype=np.int64), counts.cumsum(axis=0)])
    bars = [
        _bar(
            (x, y), (edges[column], edges[column + 1]), (tops[group, column], tops[group + 1, column]), f"split{group}"
        )
        for group in range(len(finite))
        for column in np.flatnonzero(counts[group])
    ]
    key = legend([(name, f"split{group}") for group, name in enumerate(finite)])
    return join([svg(what, frame(x, y, names), *bars), key])


def _bar(scales: tuple[Scale, Scale], sides: tuple[float, float], ends: tuple[float, float], kind: str) -> Markup:
    x, y = scales
    left, right, bottom, top = x.at(sides[0]), x.at(sides[1]), y.at(ends[0]), y.at(ends[1])
    title = element("title", f"{plain(sides[0])} to {plain(sides[1])}: {count(int(ends[1] - ends[0]), 'photo')}")
    return element("rect", title, x=float(left) + 0.5, y=float(top), width=max(float(right - left) - 1, 0.5),
                   height=float(bottom - top), class_=kind)  # fmt: skip


def reliability(certainties: Sequence[tuple[float, bool]], what: str) -> Markup:
    """Return the share of right answers by confidence in ten bins, against the line where both agree.

    Args:
        certainties: (confidence 0..1, whether the answer was right) of every photo.
        what: it shows, in words.
    """
    confidence = np.array([each for each, _ in certainties], dtype=np.float64)
    right = np.array([each for _, each in certainties], dtype=bool)
    bins = np.clip((confidence * _CONFIDENCE_BINS).astype(int), 0, _CONFIDENCE_BINS - 1)
    x, y = x_scale(0.0, 1.0), y_scale(0.0, _HEADROOM)
    bars = [_confidence_bar(right[bins == each], int(each), (x, y)) for each in np.unique(bins)]
    line = element("line", x1=x.start, y1=y.start, x2=float(x.end), y2=y.at(1.0), class_="ideal")
    return svg(what, frame(x, y, ("confidence", "share right")), *bars, line)


def _confidence_bar(
    right: np.ndarray[tuple[int], np.dtype[np.bool_]], number: int, scales: tuple[Scale, Scale]
) -> Markup:
    x, y = scales
    share, width = float(right.mean()), 1 / _CONFIDENCE_BINS
    title = (
        f"confidence {number * width:.1f} to {(number + 1) * width:.1f}: {share:.0%} of {count(len(right), 'photo')}"
    )
    left, top = x.at(number * width) + 2, y.at(share)
    bar = element("rect", element("title", title), x=left, y=top, width=x.at(width) - x.start - 4,
                  height=max(y.start - top, 1.0), class_="certain")  # fmt: skip
    text = element("text", str(len(right)), x=left + (x.at(width) - x.start - 4) / 2, y=top - 4,
                   text_anchor="middle", class_="count")  # fmt: skip
    return join([bar, text])
