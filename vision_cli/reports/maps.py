"""Photos as points on a plane, alike ones side by side: a section of the report, or a page of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vision_cli.reports.document import Picture
from vision_cli.reports.elements import Markup, element, facts, join, name, note, section
from vision_cli.reports.page import page
from vision_cli.reports.sections.pictures import gallery
from vision_cli.reports.wording import count, cut, one_line

_WIDTH, _HEIGHT, _EDGE = 720, 480, 14
_RADIUS, _LARGE_RADIUS, _FEW = 3.2, 5.0, 200
# Ten colours that most eyes tell apart on light and dark paper (after Tableau's ten, Stone 2016), and grey.
_COLOURS = (
    "#4e79a7",
    "#f28e2b",
    "#e15759",
    "#76b7b2",
    "#59a14f",
    "#edc948",
    "#b07aa1",
    "#ff9da7",
    "#9c755f",
    "#17becf",
)
_OTHERS = "#8a929c"
CSS = (
    ".map svg { width: 100%; height: auto; } "
    ".map .legend svg { display: inline-block; width: .8rem; height: .8rem; "
    "margin-right: .4rem; vertical-align: -.08rem; }"
)

Point = tuple[float, float, str | None, str]
"""x, y, label, path."""


@dataclass(frozen=True, slots=True)
class Map:
    """Photos on a plane.

    Attributes:
        network: whose vectors they are.
        layer: of it.
        runtime: that computed them.
        how: they were laid flat.
        note: what the reader should know of it.
        photos: that have a vector; the points may be some of them.
        points: x, y, label and path of each that is shown.
    """

    network: str
    layer: str
    runtime: str
    how: str
    note: str
    photos: int
    points: Sequence[Point]


def read(document: Mapping[str, Any]) -> Map:
    """Return the map of the document that `vision embed` writes.

    Raises:
        KeyError, TypeError, ValueError: it is another one.
    """
    shown = document["map"]
    points = [(float(x), float(y), label, str(path)) for x, y, label, path in shown["points"]]
    network, layer, runtime = (str(document[key]) for key in ("network", "layer", "runtime"))
    return Map(network, layer, runtime, str(shown["how"]), str(shown["note"]), int(document["photos"]), points)


def render(title: str, shown: Map) -> str:
    """Return a page: no script, no request, everything inside."""
    head = element(
        "header",
        element("p", "vision embed", class_="eyebrow"),
        element("h1", name(title)),
        facts(
            [
                ("photos", str(shown.photos)),
                ("network", shown.network),
                ("layer", shown.layer),
                ("runtime", shown.runtime),
            ]
        ),
    )
    text = f"{cut(one_line(title), 80)}: map of the photos"
    return page(text, head, [map_section(shown)], more_css=CSS)


def render_pictures(title: str, pictures: Sequence[tuple[bytes, str, str]]) -> str:
    """Return a page of photos: (JPEG, name, what is said of it) each, in order."""
    head = element("header", element("p", "vision find", class_="eyebrow"), element("h1", name(title)))
    shown = gallery("The nearest first", [Picture(jpeg, path, text) for jpeg, path, text in pictures])
    return page(f"{cut(one_line(title), 80)}: vision find", head, [section("Photos", "photos", shown)])


def map_section(shown: Map) -> Markup:
    """Return the part about alike photos."""
    some = (
        f" {count(len(shown.points), 'photo')} of {shown.photos} are shown." if len(shown.points) < shown.photos else ""
    )
    labels = _labels(shown.points)
    return section(
        "Map of the photos",
        "map",
        note(f"Vectors of {shown.network}, layer {shown.layer}, laid flat by {shown.how}. {shown.note}{some}"),
        element("div", _drawing(shown, labels), _legend(labels, shown.points), class_="map"),
    )


def _labels(points: Sequence[Point]) -> dict[str, str]:
    """Return a colour for each of the labels that most points have; the others are grey."""
    counts = Counter(label for _, _, label, _ in points if label is not None)
    most = sorted(counts, key=lambda label: (-counts[label], label))[: len(_COLOURS)]
    return {label: _COLOURS[at] for at, label in enumerate(sorted(most))}


def _drawing(shown: Map, colours: Mapping[str, str]) -> Markup:
    xs, ys = [point[0] for point in shown.points], [point[1] for point in shown.points]
    spots = [
        element(
            "circle",
            element("title", f"{label or 'no label'}: {path}"),
            cx=_placed(x, xs, _WIDTH),
            cy=_HEIGHT - _placed(y, ys, _HEIGHT),
            r=_LARGE_RADIUS if len(shown.points) < _FEW else _RADIUS,
            fill=colours.get(label or "", _OTHERS),
            fill_opacity=0.75,
        )
        for x, y, label, path in shown.points
    ]
    what = f"{count(len(spots), 'photo')} as points; alike photos lie side by side"
    return element("svg", *spots, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", aria_label=what)


def _placed(value: float, values: Sequence[float], length: int) -> float:
    low, high = min(values), max(values)
    share = 0.5 if high == low else (value - low) / (high - low)
    return round(_EDGE + share * (length - 2 * _EDGE), 1)


def _legend(colours: Mapping[str, str], points: Sequence[Point]) -> Markup:
    others = any(label not in colours for _, _, label, _ in points)
    entries = [*colours.items(), *([("others", _OTHERS)] if others and colours else [])]
    return element("ul", *(element("li", _spot(colour), text) for text, colour in entries), class_="legend")


def _spot(colour: str) -> Markup:
    return join([element("svg", element("circle", cx=5, cy=5, r=4, fill=colour), viewBox="0 0 10 10")])
