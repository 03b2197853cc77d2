"""`vision compare` and `vision models bench` for people."""

from __future__ import annotations

from collections.abc import Sequence

from vision_cli.cli.paper import Paper
from vision_cli.cli.render.kpis import span
from vision_cli.cli.text import number, place
from vision_cli.core.kpi import Interval
from vision_cli.metrics import MAIN
from vision_cli.stages.comparing.compare import CompareResult
from vision_cli.stages.comparing.pairs import Pair
from vision_cli.stages.comparing.rows import Row, Standing

_SPEED = (
    ("latency_ms.p50", "p50 ms"),
    ("latency_ms.p95", "p95 ms"),
    ("images_per_s", "photos/s"),
    ("memory_mb", "memory MB"),
    ("size_mb", "size MB"),
)
_STYLES = {"yes": "green", "no": "green", "not enough evidence": "yellow"}


def draw(result: CompareResult, paper: Paper) -> None:
    """Draw the models beside each other, then every two of them."""
    if not result.rows or result.standing is None:
        paper.pairs(
            [
                ("task", result.task),
                *(("would compare" if not at else "", name) for at, name in enumerate(result.notes)),
            ]
        )
        return
    data = result.data
    paper.pairs(
        [("task", result.task), ("data", f"{data['photos']} photos, split {data['split']}, data {data['digest']}")]
    )
    paper.heading("Models")
    draw_rows(result.rows, result.standing, paper)
    for pair in result.pairs:
        _pair(pair, result.task, paper)
    draw_standing(result.standing, paper, judged=any(row.judgements for row in result.rows))
    draw_notes(result.notes, paper)
    paper.line()
    if result.plot is not None:
        paper.line(f"plot: {place(result.plot)}")
    if result.run is not None:
        paper.line(f"run: {place(result.run)}")


def draw_brief(result: CompareResult, paper: Paper) -> None:
    """Draw the answers alone."""
    for pair in result.pairs:
        paper.line(pair.sentence)
    if not result.pairs:
        paper.line(f"would compare {', '.join(result.notes)}")


def draw_rows(rows: Sequence[Row], standing: Standing, paper: Paper) -> None:
    """Draw one line a model and runtime: quality with its interval, speed, size, and how many KPIs it meets."""
    judged = any(row.judgements for row in rows)
    columns = ["model", "runtime", standing.key, "95 % interval", *(name for _, name in _SPEED)]
    lines = []
    for at, row in enumerate(rows):
        quality, interval = row.value(standing.key), row.measurement.interval_at(standing.key)
        mark = " *" if at in standing.frontier else ""
        cells = [row.name + mark, row.runtime, number(quality), span(interval)]
        cells += [number(row.speed.get(key), 3) for key, _ in _SPEED]
        lines.append([*cells, _met(row)] if judged else cells)
    styles = ["green" if at == standing.chosen else "" for at in range(len(rows))]
    paper.table([*columns, "KPIs met"] if judged else columns, lines, right=(2, 4, 5, 6, 7, 8), style_of=styles)
    paper.line(f"* none is both better and cheaper (by {standing.cost})", style="dim")


def _met(row: Row) -> str:
    gates = [each for each in row.judgements if each.gates]
    return f"{sum(each.met for each in gates)} of {len(gates)}" if gates else "-"


def draw_standing(standing: Standing, paper: Paper, *, judged: bool) -> None:
    """Draw who meets the KPIs at the least cost."""
    if judged or standing.chosen is not None:
        paper.line()
        paper.line(standing.why, style="green" if standing.chosen is not None else "yellow")


def draw_notes(notes: Sequence[str], paper: Paper) -> None:
    """Draw what a reader must know."""
    for at, note in enumerate(notes):
        if not at:
            paper.line()
        paper.line(f"note: {note}", style="yellow")


def _pair(pair: Pair, task: str, paper: Paper) -> None:
    paper.heading(f"A = {pair.first}, B = {pair.second}")
    keys = [key for key in dict.fromkeys((pair.key, *MAIN.get(task, ()))) if key in pair.differences]
    rows = []
    for key in keys:
        each = pair.differences[key]
        interval = each.at(pair.confidence)
        rows.append((key, number(each.first), number(each.second), f"{each.value:+.3g}", _signed(interval)))
    paper.table(("metric", "A", "B", "A - B", f"{100 * pair.confidence:.4g} % interval"), rows, right=(1, 2, 3))
    if pair.test is not None:
        paper.line(
            f"right on A alone {pair.test.only_first} photos, on B alone {pair.test.only_second}; "
            f"McNemar's exact test: p = {number(pair.test.p, 2)}"
        )
    paper.line(pair.sentence, style=_STYLES[pair.answer])
    if pair.more_photos is not None:
        paper.line(f"about {pair.more_photos} more test photos would tell, if the difference stays", style="dim")


def _signed(interval: Interval) -> str:
    return f"{interval.low:+.3g} to {interval.high:+.3g}"
