"""`vision data show` for people."""

from __future__ import annotations

from pathlib import Path

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import place
from vision_cli.stages.showing.show import Shown


def draw(result: Shown, paper: Paper) -> None:
    """Draw what is on the page, then where it is."""
    _what(result, paper)
    page = place(Path(result.page))
    if result.written:
        size = f"{result.size_mb:.1f} MB" if result.size_mb >= 1 else f"{1000 * result.size_mb:.0f} kB"
        paper.outcome(f"written: {page} (photos: {size})", style="green")
    else:
        paper.outcome(f"would write: {page}")


def served(result: Shown, paper: Paper) -> None:
    """Draw what is on the page, then its address."""
    _what(result, paper)
    paper.outcome(f"open {result.page}", style="green")
    paper.line("Ctrl-C ends it, with exit code 130.")


def _what(result: Shown, paper: Paper) -> None:
    chosen = "" if result.photos == result.before else f" of {result.before:,}"
    line = f"{result.name}: {result.photos:,}{chosen} photos, {result.annotations:,} annotations"
    paper.line(line, style="bold")
    if result.model is not None:
        counts = ", ".join(f"{count:,} {name}" for name, count in result.kinds.items() if count)
        paper.line(f"predictions of {result.model}: {counts or 'none'}")
    for note in result.notes:
        paper.line(f"note: {note}")
