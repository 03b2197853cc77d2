"""`vision find` for people."""

from __future__ import annotations

from pathlib import Path

from vision_cli.cli.paper import Paper
from vision_cli.cli.render.embed import draw_refused
from vision_cli.cli.text import place
from vision_cli.stages.embedding.find import FindResult


def draw(result: FindResult, paper: Paper) -> None:
    """Draw the nearest photos with their distances."""
    rows = [(f"{each.distance:.4f}", each.label or "", place(Path(each.path))) for each in result.neighbours]
    paper.table(("distance", "label", "photo"), rows, right=(0,))
    looked = f"nearest of {result.photos} photos by {result.network}, layer {result.layer} ({result.runtime})"
    planned = "" if result.written else " (not written: --dry-run)"
    paper.line(looked if result.output is None else f"{looked}: {place(result.output)}{planned}")
    draw_refused(result.refused, paper)


def draw_brief(result: FindResult, paper: Paper) -> None:
    """Draw where the sheet is; without one, all of it."""
    if result.output is None:
        draw(result, paper)
        return
    draw_refused(result.refused, paper)
    paper.line(f"{'written' if result.written else 'would write'}: {place(result.output)}")
