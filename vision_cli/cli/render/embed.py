"""`vision embed` for people."""

from __future__ import annotations

from collections.abc import Mapping

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import place
from vision_cli.stages.embedding.embed import EmbedResult


def draw(result: EmbedResult, paper: Paper) -> None:
    """Draw what was computed by what, what was refused, and where it is."""
    paper.line(_outcome(result))
    known = result.photos - result.computed
    rows: list[tuple[str, object]] = [
        ("network", f"{result.network}, layer {result.layer} ({result.licence})"),
        ("runtime", f"{result.runtime}{measured(result.ms)}"),
        ("computed", f"{result.computed} in {result.seconds:.1f} s; {known} were known by their content"),
    ]
    if result.page is not None:
        rows.append(("map", f"{place(result.page)} ({result.map['how']})"))
    paper.pairs(rows)
    draw_refused(result.refused, paper)


def draw_brief(result: EmbedResult, paper: Paper) -> None:
    """Draw what was refused, and where the vectors are."""
    draw_refused(result.refused, paper)
    paper.line(_outcome(result))


def _outcome(result: EmbedResult) -> str:
    where = f": {place(result.output)}" if result.output is not None else ""
    planned = "" if result.written else " (not written: --dry-run)"
    return f"{result.photos} photos, {result.length} numbers each{where}{planned}"


def measured(ms: Mapping[str, float]) -> str:
    """Return what a photo took by runtime, in words."""
    times = sorted(ms.items(), key=lambda item: item[1])
    return f" (a photo with one thread: {', '.join(f'{name} {value:.1f} ms' for name, value in times)})" if ms else ""


def draw_refused(refused: tuple[tuple[str, str], ...], paper: Paper) -> None:
    """Draw the photos that cannot be read, one a line."""
    for path, reason in refused:
        paper.line(f"refused: {reason if path in reason else f'{path}: {reason}'}", style="yellow")
