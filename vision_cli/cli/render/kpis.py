"""KPI verdicts, as every command shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import number
from vision_cli.core.kpi import Interval, Judgement

_STYLES = {"pass": "green", "fail": "red", "not enough evidence": "yellow", "not measured": "yellow"}

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


def draw_values(
    values: Mapping[str, float | None], intervals: Mapping[str, Interval], paper: Paper, *, heading: str
) -> None:
    """Draw figures with their intervals; those of single classes stand in a table of their own."""
    whole = {key: value for key, value in values.items() if "[" not in key}
    paper.heading(heading)
    paper.table(
        ("metric", "value", "95 % interval"),
        [(key, number(value), span(intervals.get(key))) for key, value in whole.items()],
        right=(1,),
    )
    draw_classes(values, paper)


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
        paper.line(f"and {len(measured) - len(metrics)} more figures a class: --json has them", style="dim")


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
