"""One page of k-shot curves: accuracy by photos a class, with its spread over draws."""

from __future__ import annotations

from collections.abc import Sequence

from vision_cli.reports import page as pages
from vision_cli.reports.charts.axes import frame, spread, svg, x_scale, y_scale
from vision_cli.reports.elements import Markup, element
from vision_cli.reports.wording import plain

Points = Sequence[tuple[int, float, float]]
"""Photos a class, mean accuracy, and its standard deviation over draws."""


def page(title: str, curves: Sequence[tuple[str, Points]], caption: str) -> str:
    """Return a whole HTML page.

    Args:
        title: of the page.
        curves: name and points of each, the best first.
        caption: what was tried, in a sentence.
    """
    header = element("header", element("h1", title), element("p", caption, class_="note"))
    ends = [end for _, points in curves for _, mean, deviation in points for end in _ends(mean, deviation)]
    return pages.page(title, header, [_section(name, points, spread(ends)) for name, points in curves])


def _section(name: str, points: Points, reach: tuple[float, float]) -> Markup:
    head = element("tr", *(element("th", text) for text in ("photos a class", "accuracy", "spread")))
    rows = [
        element("tr", element("td", str(shots)), element("td", f"{mean:.3f}"), element("td", f"± {deviation:.3f}"))
        for shots, mean, deviation in points
    ]
    table = element("table", element("thead", head), element("tbody", *rows))
    pair = element("div", element("div", chart(name, points, reach)), element("div", table), class_="charts")
    return element("section", element("h2", name), pair)


def chart(name: str, points: Points, reach: tuple[float, float]) -> Markup:
    """Return one curve with a band of one standard deviation on either side.

    Args:
        name: of the curve.
        points: by photos a class.
        reach: of the accuracies of all curves of a page.
    """
    shots = [float(each) for each, *_ in points]
    x = x_scale(0.0, 1.05 * max(shots))
    y = y_scale(*reach)
    up = [(x.at(k), y.at(_ends(mean, deviation)[1])) for k, mean, deviation in points]
    back = [(x.at(k), y.at(_ends(mean, deviation)[0])) for k, mean, deviation in reversed(points)]
    band = element("path", d=f"{_path([*up, *back])} Z", class_="fill")
    curve = element("path", d=_path([(x.at(k), y.at(mean)) for k, mean, _ in points]), class_="curve")
    dots = (
        element(
            "circle",
            element("title", f"{k} photos a class: {plain(mean)}"),
            cx=float(x.at(k)),
            cy=float(y.at(mean)),
            r=3.0,
            class_="dot",
        )
        for k, mean, _ in points
    )
    names = ("photos a class", "accuracy")
    return svg(f"{name}: accuracy by photos a class", frame(x, y, names, shots), band,
               element("g", curve, *dots, class_="val"))  # fmt: skip


def _ends(mean: float, deviation: float) -> tuple[float, float]:
    """Return one standard deviation below and above, within what an accuracy can be."""
    return max(0.0, mean - deviation), min(1.0, mean + deviation)


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{'L' if at else 'M'}{across:.1f} {up:.1f}" for at, (across, up) in enumerate(points))
