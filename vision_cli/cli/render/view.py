"""`vision data view` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import place
from vision_cli.stages.querying.view import SourceLine, ViewResult

_COLUMNS = 12
_SHORT = 12


def draw(result: ViewResult, paper: Paper) -> None:
    """Draw what a view holds, then what was written."""
    paper.outcome(f"{result.name}: {result.photos} photos, {result.annotations} annotations", style="bold")
    paper.heading("Sources")
    _sources(result, paper)
    if result.where is not None:
        paper.heading("Condition")
        paper.line(" ".join(result.where.split()))
        paper.line(f"holds for {result.photos} of {result.before} photos")
    if result.classes:
        paper.heading("Classes")
        counts = [(line.name, line.annotations, line.photos) for line in result.classes]
        paper.table(("class", "annotations", "photos"), counts, right=(1, 2))
    if result.splits:
        paper.heading("Splits")
        paper.table((), [(name or "(none)", count) for name, count in result.splits.items()], right=(1,))
    _facts(result, paper)
    for note in result.notes:
        paper.line(f"note: {note}")
    _written(result, paper)


def _sources(result: ViewResult, paper: Paper) -> None:
    rows = [(line.name, line.format, line.path, line.photos, line.annotations) for line in result.sources]
    titles = ("source", "format", "path", "photos", "annotations")
    if all(line.version is None for line in result.sources):
        paper.table(titles, rows, right=(3, 4))
        return
    versions = [_version(line) for line in result.sources]
    paper.table((*titles, "version"), [(*row, text) for row, text in zip(rows, versions, strict=True)], right=(3, 4))


def _version(line: SourceLine) -> str:
    """Return the version's name, with the beginning of its id where that is something else."""
    if line.version is None or line.version_id is None:
        return "-"
    short = line.version_id[:_SHORT]
    return short if line.version_id.startswith(line.version) else f"{line.version} ({short})"


def _facts(result: ViewResult, paper: Paper) -> None:
    if result.columns:
        paper.heading("Columns for conditions")
        paper.table((), list(result.columns.items())[:_COLUMNS])
        if len(result.columns) > _COLUMNS:
            paper.line(f"and {len(result.columns) - _COLUMNS} more: vision data query 'DESCRIBE images'")
    if result.notes:
        paper.line()


def _written(result: ViewResult, paper: Paper) -> None:
    if result.file is None:
        if result.others:
            paper.line()
            paper.line(f"other views: {', '.join(result.others)}")
        return
    paper.line()
    verb = "written to" if result.written else "would be written to"
    paper.outcome(f"{verb} {place(result.file)}: view {result.name}", style="green")
    for line in result.text.splitlines():
        paper.line(f"    {line}")
