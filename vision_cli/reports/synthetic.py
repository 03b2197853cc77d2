"""One self-contained page of photos that nobody took: what was asked for, what came, and how far from real it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vision_cli.reports.charts.asked import asked_chart
from vision_cli.reports.charts.spans import share_bar
from vision_cli.reports.document import Picture
from vision_cli.reports.elements import Markup, element, facts, figure, join, name, note, photo, row, section, table
from vision_cli.reports.page import page
from vision_cli.reports.sections.pictures import gallery
from vision_cli.reports.wording import count, cut, one_line, per_cent, plain

_SURE = 0.05
_CSS = """
.asked { fill: var(--good-tint); stroke: var(--good); stroke-width: 1; stroke-dasharray: 3 3; }
.aside-sheet { overflow-x: auto; }
.aside-sheet img { display: block; border-radius: .5rem; }
header .facts { margin-bottom: 1.25rem; }
#photos .gallery.samples { grid-template-columns: repeat(auto-fill, minmax(min(100%, 9rem), 1fr)); }
"""


@dataclass(frozen=True, slots=True)
class Spread:
    """A number of the objects.

    Attributes:
        name: of it.
        axis: with its unit.
        values: one an object.
        asked: lowest and highest; None where nothing was asked.
        said: what else to know of it.
    """

    name: str
    axis: str
    values: Sequence[float]
    asked: tuple[float, float] | None = None
    said: str = ""


@dataclass(frozen=True, slots=True)
class Shares:
    """A choice: how often each name came, against how often it was to.

    Attributes:
        caption: of the table.
        rows: name, number, and the share that was asked for; None where none was.
    """

    caption: str
    rows: Sequence[tuple[str, int, float | None]]


@dataclass(frozen=True, slots=True)
class Group:
    """Photos with alike values of a parameter.

    Attributes:
        name: of them.
        photos: number.
        distance: from the real ones.
    """

    name: str
    photos: int
    distance: float


@dataclass(frozen=True, slots=True)
class Apart:
    """How far from real it is.

    Attributes:
        verdict: one sentence.
        facts: names and values.
        drivers: parameter, chance of such a difference, and its groups.
        least: photos that look least real.
        most: photos that look most real.
    """

    verdict: str
    facts: Sequence[tuple[str, str]]
    drivers: Sequence[tuple[str, float, Sequence[Group]]] = ()
    least: Sequence[Picture] = ()
    most: Sequence[Picture] = ()


@dataclass(frozen=True, slots=True)
class SyntheticRun:
    """The whole page.

    Attributes:
        title: of the run.
        facts: names and values.
        spreads: numbers of the objects.
        choices: of names.
        rejects: reason and number of what was tried in vain.
        samples: photos with their boxes.
        apart: from real photos; None where nobody asked.
        aside: sentence on backgrounds that were set aside, and a picture of them; None where nobody looked.
        notes: one sentence each.
    """

    title: str
    facts: Sequence[tuple[str, str]]
    spreads: Sequence[Spread]
    choices: Sequence[Shares]
    rejects: Sequence[tuple[str, int]]
    samples: Sequence[Picture] = ()
    apart: Apart | None = None
    aside: tuple[str, bytes | None] | None = None
    notes: Sequence[str] = ()


def render(run: SyntheticRun) -> str:
    """Return the page: no script, no request, everything inside."""
    head = element(
        "header",
        element("p", "vision synth", class_="eyebrow"),
        element("h1", name(run.title)),
        facts(run.facts),
    )
    parts = [_samples(run), _apart(run.apart), _asked(run), _rejects(run), _aside(run), _end(run)]
    title = f"{cut(one_line(run.title), 80)}: synthetic photos"
    return page(title, head, [part for part in parts if part is not None], more_css=_CSS)


def _samples(run: SyntheticRun) -> Markup | None:
    return section("Photos", "photos", gallery("Some of them", run.samples)) if run.samples else None


def _asked(run: SyntheticRun) -> Markup:
    drawn = [_spread(each) for each in run.spreads if len(each.values)]
    charts = element("div", *drawn, class_="charts") if drawn else note("There is no object.")
    return section("What was asked for, and what came", "asked", charts, *map(_shares, run.choices))


def _spread(each: Spread) -> Markup:
    least, most = min(each.values), max(each.values)
    what = f"{each.name}: {count(len(each.values), 'object')} from {plain(least)} to {plain(most)}"
    told = f"Asked for: {plain(each.asked[0])} to {plain(each.asked[1])} (shaded)." if each.asked else ""
    chart = asked_chart(each.values, each.asked, (each.axis, "objects"), what)
    return figure(each.name, chart, note(" ".join((f"{what}.", told, each.said)).strip()))


def _shares(each: Shares) -> Markup:
    total = max(sum(number for _, number, _ in each.rows), 1)
    rows = [
        row(
            name(label),
            f"{number:,}",
            per_cent(number / total),
            "–" if asked is None else per_cent(asked),
            share_bar(number / total, None if asked is None else (asked, asked)),
        )
        for label, number, asked in each.rows
    ]
    long = " long" if len(rows) > 20 else ""
    return table(each.caption, ("", "number", "share", "asked", ""), rows, "figures counts" + long)


def _rejects(run: SyntheticRun) -> Markup | None:
    if not run.rejects:
        return None
    rows = [row(reason, f"{number:,}") for reason, number in run.rejects]
    told = note("Each is a place, pose or look that was drawn and did not do; another was drawn instead.")
    return section("Tried in vain", "rejects", told, table("Reasons", ("reason", "number"), rows, "figures"))


def _apart(found: Apart | None) -> Markup | None:
    if found is None:
        return None
    sure = [each for each in found.drivers if each[1] < _SURE]
    said = (
        "Parameters that drive it, the surest first. Make more of what lies near the real photos, and less of what is "
        "far; a distance below 0 is no distance."
        if sure
        else "No parameter of the objects drives it beyond chance: look at the backgrounds first."
    )
    drivers = table("Distance from real by parameter", ("parameter", "photos", "distance", "chance"),
                    [each for driver in found.drivers for each in _driver(*driver)], "figures")  # fmt: skip
    return section(
        "How far from real",
        "real",
        element("p", found.verdict),
        facts(found.facts),
        note(said) if found.drivers else None,
        drivers if found.drivers else None,
        gallery("Least like the real photos", found.least),
        gallery("Most like them", found.most),
    )


def _driver(parameter: str, chance: float, groups: Sequence[Group]) -> list[Markup]:
    nearest = min(groups, key=lambda each: each.distance)
    rows = []
    for at, each in enumerate(groups):
        label = join((f"{parameter}: ", element("b", each.name)))
        mark = " nearest" if each is nearest and chance < _SURE else ""
        rows.append(row(label, f"{each.photos:,}", f"{each.distance:.4g}{mark}", f"{chance:.3f}" if not at else ""))
    return rows


def _aside(run: SyntheticRun) -> Markup | None:
    if run.aside is None:
        return None
    said, picture = run.aside
    drawn = None
    if picture is not None:
        image = photo(picture, "backgrounds that were set aside, with the place of what they seem to show")
        drawn = element(
            "div", image, class_="aside-sheet", tabindex=0, role="region", aria_label="Backgrounds that were set aside"
        )
    return section("Backgrounds", "backgrounds", element("p", said), drawn)


def _end(run: SyntheticRun) -> Markup:
    return element("footer", *(note(f"Note: {each}") for each in run.notes), note("Made by vision synth."))
