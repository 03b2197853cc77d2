"""`vision explain` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import place
from vision_cli.core.tasks import PLACE_TASKS
from vision_cli.stages.explaining.asked import ExplainResult, Explanation, LayersResult, Part


def draw(result: ExplainResult, paper: Paper) -> None:
    """Draw one line a map, then what was refused and written."""
    rows = [row for each in result.explanations for row in _rows(each, truths=result.chosen)]
    known = "judged" if result.task in PLACE_TASKS else "is"
    columns = (_COLUMNS[0], known, *_COLUMNS[1:]) if result.chosen else _COLUMNS
    paper.table(columns, rows)
    for each in result.explanations:
        for note in each.notes:
            paper.line(f"note: {place(each.path)}: {note}")
    _draw_refused(result, paper)
    for note in result.notes:
        paper.line(f"note: {note}")
    if result.folder is not None:
        paper.line(f"pictures and explain.json: {place(result.folder)}")


_COLUMNS = ("photo", "answer", "explained", "where", "by")


def draw_brief(result: ExplainResult, paper: Paper) -> None:
    """Draw what was refused, and where the pictures are."""
    _draw_refused(result, paper)
    if result.folder is None:
        paper.line(f"would explain {len(result.explanations)} photos")
    else:
        paper.line(f"pictures: {place(result.folder)}")


def draw_layers(result: LayersResult, paper: Paper) -> None:
    """Draw one line a layer."""
    rows = [
        (name, channels, f"{height} x {width}", stride, "the default" if name == result.default else "")
        for name, channels, height, width, stride in result.layers
    ]
    paper.table(("layer", "channels", "map", "stride", ""), rows, right=(1, 3))


def _rows(each: Explanation, *, truths: bool) -> list[tuple[object, ...]]:
    sure = "" if each.confidence is None else f" {each.confidence:.1%}"
    about = (place(each.path), *((each.truth or "",) if truths else ()), f"{each.answer}{sure}")
    blank = ("",) * len(about)
    rows: list[tuple[object, ...]] = []
    for part in each.parts:
        rows.append((*(blank if rows else about), _what(part), _where(part), f"{part.method}, {part.layer}"))
    return rows or [(*about, "", "", "")]


def _what(part: Part) -> str:
    if part.confidence is not None:
        return f"{part.label} {part.confidence:.1%}"
    return part.label or "the value"


def _where(part: Part) -> str:
    return "nowhere" if part.peak is None else f"most at {part.peak[0]}, {part.peak[1]}"


def _draw_refused(result: ExplainResult, paper: Paper) -> None:
    for path, reason in result.refused:
        named = reason if path.name in reason else f"{place(path)}: {reason}"
        paper.line(f"refused: {named}", style="yellow")
