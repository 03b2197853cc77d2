"""`vision doctor` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.stages.project.doctor import DoctorResult

_MARKS = {"ok": "ok", "note": "note", "warning": "WARNING", "error": "ERROR"}
_STYLES = {"ok": "", "note": "cyan", "warning": "yellow", "error": "red"}


def draw(result: DoctorResult, paper: Paper) -> None:
    """Draw one line a finding, then what to do, then the count."""
    rows = [(_MARKS[line.level], line.check, line.message) for line in result.lines]
    paper.table((), rows, style_of=[_STYLES[line.level] for line in result.lines])
    hints = [line for line in result.lines if line.hint]
    if hints:
        paper.heading("What to do")
        paper.pairs([(line.check, line.hint) for line in hints])
    paper.line()
    paper.line(f"{result.count('error')} errors, {result.count('warning')} warnings")
