"""KPI verdicts, as every command shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import number
from vision_cli.core.kpi import Interval, Judgement
from vision_cli.core.measurement import Measurement
from vision_cli.metrics import MAIN

_STYLES = {"pass": "green", "fail": "red", "not enough evidence": "yellow", "not measured": "yellow"}

_FEW_MORE = 2
"""So many figures are drawn rather than counted."""
_MOST_COLUMNS = 8
_FIRST = ("ap50", "ap", "ap75", "precision", "recall", "f1", "count_mae", "iou", "dice", "pq")
"""Of more columns than a terminal is wide, those that are looked at first."""


def draw_kpis(
    judgements: Sequence[Judgement], paper: Paper, *, heading: str = "KPIs", photos: str = "test photos"
) -> None:
    """Draw one line a KPI: target, value, interval, verdict and what would settle it.

    Args:
        judgements: to draw.
        paper: to draw on.
        heading: of the table.
        photos: what the figures stand on.
    """
    if not judgements:
        return
    paper.heading(heading)
    paper.table(
        ("target", "value", "95 % interval", "verdict", ""),
        [
            (each.kpi, number(each.value), span(each.interval), _verdict(each), _remark(each, photos))
            for each in judgements
        ],
        right=(1,),
        style_of=[_STYLES.get(each.verdict, "") for each in judgements],
    )


def main_figures(
    values: Mapping[str, float | None], task: str, judgements: Sequence[Judgement] = ()
) -> tuple[dict[str, float | None], int]:
    """Return the figures that are looked at first, those of KPIs among them, and how many more there are.

    Args:
        values: by metric, and by `metric[class]`.
        task: whose main metrics to take; all are taken of one that has none.
        judgements: of KPIs, whose metrics are always taken.
    """
    whole = {key: value for key, value in values.items() if "[" not in key}
    names = dict.fromkeys([*MAIN.get(task, whole), *(each.kpi.metric for each in judgements)])
    shown = {name: whole[name] for name in names if name in whole}
    if len(whole) - len(shown) <= _FEW_MORE:
        return whole, 0
    return shown, len(whole) - len(shown)


def draw_more(left: int, paper: Paper) -> None:
    """Say where the figures are that were not drawn."""
    if left:
        paper.line(f"and {left} more figures: result.json of the run has them", style="dim")


def draw_values(
    measured: Measurement, paper: Paper, *, heading: str, task: str = "", judgements: Sequence[Judgement] = ()
) -> None:
    """Draw figures with their intervals; those of single classes stand in a table of their own.

    Args:
        measured: values and intervals.
        paper: to draw on.
        heading: of the table.
        task: whose main metrics are drawn; without one all are.
        judgements: of KPIs, whose metrics are drawn, too.
    """
    shown, left = main_figures(measured.values, task, judgements)
    paper.heading(heading)
    paper.table(
        ("metric", "value", "95 % interval"),
        [(key, number(value), span(measured.intervals.get(key))) for key, value in shown.items()],
        right=(1,),
    )
    draw_more(left, paper)
    draw_classes(measured.values, paper)


def draw_classes(values: Mapping[str, float | None], paper: Paper) -> None:
    """Draw `f1[winter]` and its like: one row a class, one column a metric."""
    rows: dict[str, dict[str, float | None]] = {}
    for key, value in values.items():
        if key.endswith("]") and "[" in key:
            metric, label = key[:-1].split("[", 1)
            rows.setdefault(label, {})[metric] = value
    if not rows:
        return
    measured = list(dict.fromkeys(metric for row in rows.values() for metric in row))
    metrics = measured if len(measured) <= _MOST_COLUMNS else [name for name in _FIRST if name in measured]
    paper.line()
    cells = [(label, *(number(row.get(metric)) for metric in metrics)) for label, row in rows.items()]
    paper.table(("class", *metrics), cells, right=range(1, len(metrics) + 1))
    if len(metrics) < len(measured):
        paper.line(
            f"and {len(measured) - len(metrics)} more figures a class: result.json of the run has them", style="dim"
        )


def span(interval: Interval | None) -> str:
    """Return an interval as `0.91 to 0.97`, or nothing."""
    return "" if interval is None else f"{number(interval.low, 3)} to {number(interval.high, 3)}"


def _verdict(judgement: Judgement) -> str:
    if not judgement.gates:
        return "NOT JUDGED"
    return judgement.verdict.upper() if judgement.verdict in ("pass", "fail") else judgement.verdict


def _remark(judgement: Judgement, photos: str) -> str:
    if judgement.more_photos is not None:
        return f"about {judgement.more_photos} more {photos} would settle it"
    return judgement.reason or ""
