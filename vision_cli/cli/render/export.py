"""`vision export` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import number, place
from vision_cli.stages.running.export import Exported, ExportResult


def draw(result: ExportResult, paper: Paper) -> None:
    """Draw one line a file with its agreement, or what would be written."""
    paper.pairs([("model", place(result.model))])
    paper.line()
    if any(each.parity is None for each in result.files):
        paper.table(("would write", "precision"), [(place(each.path), each.precision) for each in result.files])
        return
    columns = ("file", "size MB", "precision", "photos compared", "same decision", "largest difference")
    paper.table(columns, [_row(each) for each in result.files], right=(1, 3, 4, 5))


def draw_brief(result: ExportResult, paper: Paper) -> None:
    """Draw the path of each file, one a line."""
    for each in result.files:
        paper.line(place(each.path))


def _row(exported: Exported) -> tuple[object, ...]:
    parity = exported.parity
    agreement = "" if parity is None else f"{parity.agreement:.2%}"
    difference = "" if parity is None or parity.max_score_difference is None else number(parity.max_score_difference, 2)
    size = f"{exported.size_mb:.2f}"
    return place(exported.path), size, exported.precision, exported.photos, agreement, difference
