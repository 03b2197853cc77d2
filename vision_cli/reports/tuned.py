"""One self-contained page of a search for settings: what was tried, what it says, and what to change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from vision_cli.reports.charts.lines import Series, line_chart
from vision_cli.reports.charts.points import cloud
from vision_cli.reports.charts.spans import share_bar
from vision_cli.reports.elements import (
    Markup,
    badge,
    drawing,
    element,
    facts,
    figure,
    join,
    name,
    note,
    photo,
    row,
    section,
    table,
)
from vision_cli.reports.page import page
from vision_cli.reports.wording import cut, one_line

_CSS = """
.sheet { overflow-x: auto; }
.sheet img { display: block; max-width: 100%; border-radius: .5rem; }
pre.diff { overflow-x: auto; padding: .75rem 1rem; border-radius: .5rem; background: var(--none-tint); }
pre.diff span { display: block; }
pre.diff .more { color: var(--good); }
pre.diff .less { color: var(--bad); }
header .facts { margin-bottom: 1.25rem; }
img.drawing { display: block; max-width: 100%; height: auto; border-radius: .5rem; }
"""
_MOST_ROWS = 20


@dataclass(frozen=True, slots=True)
class Tried:
    """One trial.

    Attributes:
        number: from 1.
        origin: what its settings come from.
        state: what became of it.
        score: None where it was not trained to its end.
        seconds: that it took.
        values: its settings as text, in the order of the page's names.
        best: it is the best one.
    """

    number: int
    origin: str
    state: str
    score: float | None
    seconds: float
    values: Sequence[str]
    best: bool = False


@dataclass(frozen=True, slots=True)
class Against:
    """A setting against the score.

    Attributes:
        name: of the setting.
        points: value and score, a trial each.
    """

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class TunedPage:
    """The whole page.

    Attributes:
        title: of it.
        metric: name of the score.
        facts: names and values.
        said: the verdict, a sentence or two.
        good: the verdict is that something is better; None where it is open.
        diff: of the project file; empty where nothing is proposed.
        names: of the settings.
        tried: the trials in order.
        again: scores with fresh seeds: whose, and what.
        against: settings against the score.
        sheets: photos before and after: caption and JPEG.
        notes: one sentence each.
        command: that searched.
        caution: what not to believe of the scores.
        range_test: what a learning-rate range test says, and its drawing as SVG; None without one.
        importance: of the settings, 1 in all.
        words: settings that are words: name, then each word with the scores of its trials.
        up: a higher score is better.
        no_gain: a word where nothing was shown to be better.
    """

    title: str
    metric: str
    facts: Sequence[tuple[str, str]]
    said: str
    good: bool | None
    diff: str
    names: Sequence[str]
    tried: Sequence[Tried]
    again: Sequence[tuple[str, Sequence[float]]] = ()
    against: Sequence[Against] = ()
    sheets: Sequence[tuple[str, bytes]] = ()
    notes: Sequence[str] = ()
    command: str = "vision synth tune"
    caution: str = "The real photos chose these settings, so that they flatter them: judge on other photos, once."
    range_test: tuple[str, str] | None = None
    importance: Sequence[tuple[str, float]] = ()
    words: Sequence[tuple[str, Sequence[tuple[str, Sequence[float]]]]] = ()
    up: bool = True
    no_gain: str = "no gain"


def render(tuned: TunedPage) -> str:
    """Return the page: no script, no request, everything inside."""
    head = element(
        "header",
        element("p", tuned.command, class_="eyebrow"),
        element("h1", name(tuned.title)),
        facts(tuned.facts),
    )
    parts = [_verdict(tuned), _rates(tuned), _trials(tuned), _settings(tuned), _photos(tuned), _end(tuned)]
    title = f"{cut(one_line(tuned.title), 80)}: search for settings"
    return page(title, head, [part for part in parts if part is not None], more_css=_CSS)


def _verdict(tuned: TunedPage) -> Markup:
    kind, word = {True: ("pass", "better"), False: ("none", tuned.no_gain), None: ("unsure", "open")}[tuned.good]
    rows = [row(who, ", ".join(f"{score:.3f}" for score in scores)) for who, scores in tuned.again]
    change = _diff(tuned.diff) if tuned.diff else note("Nothing in the project file needs to change.")
    return section(
        "What came of it",
        "verdict",
        element("p", badge(word, kind), " ", tuned.said),
        table(f"{tuned.metric} with fresh seeds", ("settings", tuned.metric), rows, "figures") if rows else None,
        change,
        note(tuned.caution),
    )


def _diff(text: str) -> Markup:
    kinds = {"+": "more", "-": "less"}
    lines = [element("span", line or " ", class_=kinds.get(line[:1])) for line in text.splitlines()]
    return element("pre", join(lines), class_="diff", tabindex=0)


def _rates(tuned: TunedPage) -> Markup | None:
    if tuned.range_test is None:
        return None
    said, svg = tuned.range_test
    return section("Learning-rate range test", "range-test", element("p", said), drawing(svg, said))


def _trials(tuned: TunedPage) -> Markup:
    done = [(float(each.number), each.score) for each in tuned.tried if each.score is not None]
    best: list[tuple[float, float | None]] = []
    for at, score in done:
        best.append((at, (max if tuned.up else min)(score, best[-1][1] or 0.0) if best else score))
    series = [Series("each trial", "train", done), Series("best so far", "val", best)]
    what = f"{tuned.metric} of {len(done)} trials"
    chart = figure("Scores", line_chart(series, ("trial", tuned.metric), what)) if len(done) > 1 else None
    sign = -1 if tuned.up else 1
    shown = sorted(tuned.tried, key=lambda each: (each.score is None, sign * (each.score or 0.0), each.number))
    rows = [_row(each) for each in shown[:_MOST_ROWS]]
    more = note(f"and {len(shown) - _MOST_ROWS} more, in the journal.") if len(shown) > _MOST_ROWS else None
    head = ("trial", "", tuned.metric, "seconds", *tuned.names)
    return section("Trials", "trials", chart, table("Trials, the best first", head, rows, "figures"), more)


def _row(each: Tried) -> Markup:
    score = each.state if each.score is None else f"{each.score:.3f}{' best' if each.best else ''}"
    return row(str(each.number), each.origin, score, f"{each.seconds:.0f}", *each.values)


def _settings(tuned: TunedPage) -> Markup | None:
    drawn = [
        figure(each.name, cloud(each.points, (each.name, tuned.metric), f"{each.name} against {tuned.metric}", "trial"))
        for each in tuned.against
    ]
    rows = [row(key, share_bar(share, None), f"{share:.0%}") for key, share in tuned.importance]
    what = "Share of the scores' variance that each explains (fANOVA)"
    weighed = table(what, ("setting", "", "share"), rows, "figures") if rows else None
    tables = [_by_word(key, found, tuned) for key, found in tuned.words]
    if not drawn and not tables and weighed is None:
        return None
    told = note("Few trials, and other settings differ as well: a slope is a hint, no proof.")
    return section(
        "Settings against scores", "settings", told, weighed, *tables, element("div", *drawn, class_="charts")
    )


def _by_word(key: str, found: Sequence[tuple[str, Sequence[float]]], tuned: TunedPage) -> Markup:
    best = max if tuned.up else min
    rows = [
        row(word, str(len(scores)), f"{best(scores):.3f}", f"{median(scores):.3f}") for word, scores in found if scores
    ]
    return table(f"{key}: {tuned.metric} of its trials", (key, "trials", "best", "median"), rows, "figures")


def _photos(tuned: TunedPage) -> Markup | None:
    if not tuned.sheets:
        return None
    drawn = [
        element("div", element("h3", caption), element("div", photo(jpeg, caption), class_="sheet"))
        for caption, jpeg in tuned.sheets
    ]
    return section("Photos", "photos", *drawn)


def _end(tuned: TunedPage) -> Markup:
    return element("footer", *(note(f"Note: {each}") for each in tuned.notes), note(f"Made by {tuned.command}."))
