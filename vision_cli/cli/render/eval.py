"""`vision eval` for people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vision_cli.cli.paper import Paper
from vision_cli.cli.render.kpis import draw_kpis, draw_values
from vision_cli.cli.text import number, place
from vision_cli.stages.evaluating.eval_plan import EvalPlan
from vision_cli.stages.evaluating.evaluate import EvalResult
from vision_cli.stages.evaluating.ratings import RatingsResult

_MOST_CLASSES = 20
"""A wider confusion matrix fits no terminal; the report has it."""
_POSES = ["keypoints"]
"""What results hold that have keypoints alone."""


def draw(result: EvalResult, paper: Paper) -> None:
    """Draw what was judged, its figures, the confusion matrix and the verdicts."""
    rows = [_subject(result.model), ("data", f"{result.data['photos']} photos, split {result.data['split']}")]
    paper.pairs(rows + _runtime(result.runtime))
    task = "" if result.model.get("holds") == _POSES else str(result.model.get("task", ""))
    draw_values(result.measurement, paper, heading="Quality", task=task, judgements=result.judgements)
    if result.speed:
        paper.heading("Speed and size")
        paper.pairs([(key, number(value)) for key, value in result.speed.items()])
    _confusion(result, paper)
    _objects(result.more, result.classes, paper)
    draw_kpis(result.judgements, paper)
    _warnings(result.warnings, paper)
    paper.line()
    paper.outcome(f"run: {place(result.run)}")


def draw_brief(result: EvalResult, paper: Paper) -> None:
    """Draw the KPIs if one is not met, and where the run lies."""
    if not result.passed:
        draw_kpis(result.judgements, paper)
    paper.line(f"run: {place(result.run)}")


def draw_ratings(result: RatingsResult, paper: Paper) -> None:
    """Draw what people say."""
    rows = [("ratings", result.path), ("photos", result.measurement.n_photos), ("raters", result.raters)]
    paper.pairs(rows)
    draw_values(result.measurement, paper, heading="Ratings")
    draw_kpis(result.judgements, paper)
    _warnings(result.measurement.warnings, paper)


def draw_plan(plan: EvalPlan, paper: Paper) -> None:
    """Draw what would be judged and written."""
    rows = [_subject(plan.model)] if plan.model else []
    rows.append(("data" if plan.model else "ratings", _data(plan.data)))
    rows += _runtime(plan.runtime)
    kpis = [str(kpi) for kpi in plan.kpis] or ["none: figures only"]
    rows += [("KPIs" if index == 0 else "", kpi) for index, kpi in enumerate(kpis)]
    paper.pairs(rows)
    paper.line()
    paper.table(("would write",), [(place(path),) for path in plan.writes] or [("nothing",)])


def _data(data: Mapping[str, Any]) -> str:
    where = f"view {data['view']}" if "view" in data else str(place(Path(data["path"])))
    if "raters" in data:
        return f"{where}, {data['photos']} photos, {data['raters']} raters"
    return f"{data['photos']} photos, {where}, split {data['split']}"


def _subject(model: Mapping[str, Any]) -> tuple[str, str]:
    """Return what is judged: a model, or another tool's results."""
    path = str(place(Path(model["path"])))
    if "holds" not in model:
        return "model", f"{path} ({model['family']})"
    return "results", f"{path} ({model['results']:,} results: {' and '.join(model['holds'])})"


def _runtime(runtime: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return how a model ran; nothing of results, which nobody ran here."""
    if "threads" not in runtime:
        return []
    return [("runtime", f"{runtime['name']}, {runtime['threads']} threads, {runtime['precision']}")]


def _confusion(result: EvalResult, paper: Paper) -> None:
    confusion, names = result.measurement.confusion, result.classes
    if confusion is None or not 1 < len(names) <= _MOST_CLASSES:
        return
    paper.heading("Confusion: rows are the truth, columns the answer")
    rows = [
        (name, *(str(count) if count else "·" for count in row)) for name, row in zip(names, confusion, strict=True)
    ]
    paper.table(("", *names), rows, right=range(1, len(names) + 1))


def _objects(more: Mapping[str, Any], names: tuple[str, ...], paper: Paper) -> None:
    """Draw what was mistaken for what, the last row and column being the background, and who evaluated how."""
    table = more.get("confusion")
    if table and len(names) <= _MOST_CLASSES:
        paper.heading("Confusion: rows are the truth, columns what was found")
        whole = (*names, "(background)")
        rows = [
            (name, *(str(count) if count else "·" for count in row)) for name, row in zip(whole, table, strict=True)
        ]
        paper.table(("", *whole), rows, right=range(1, len(whole) + 1))
    settings = more.get("settings", {})
    if "evaluator" in settings:
        used = f"{settings['evaluator']} {settings.get('version', '')}".strip()
        sure = _confidence(settings.get("confidence"), names)
        paper.line()
        paper.pairs([("evaluator", used), *([("confidence", sure)] if sure else [])])
    if "crosscheck" in settings:
        paper.line(f"pycocotools agrees: largest difference {max(settings['crosscheck'].values()):.1e}")


def _confidence(value: object, names: tuple[str, ...]) -> str:
    """Return the confidence of all classes, or that of each with its name."""
    if isinstance(value, list):
        return ", ".join(f"{number(each)} {name}" for name, each in zip(names, value, strict=True))
    return number(value) if isinstance(value, float) else ""


def _warnings(warnings: tuple[str, ...], paper: Paper) -> None:
    if warnings:
        paper.line()
    for warning in warnings:
        paper.line(f"note: {warning}", style="yellow")
