"""`vision data label` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.render import outcome
from vision_cli.cli.text import place
from vision_cli.stages.labelling.choice import NextResult
from vision_cli.stages.labelling.exporting import ExportResult
from vision_cli.stages.labelling.importing import ImportResult

_PHOTOS_HINT = "hint: --images none writes labels only; --tasks FOLDER names an export whose photos are there."
_SHOWN = 10
_CLASSES = 20


def chosen(result: NextResult, paper: Paper) -> None:
    """Draw the photos to label next."""
    paper.line(f"{len(result.chosen)} photos by {result.by} ({result.measure})", style="bold")
    left = [f"{result.labelled} are labelled"] + ([f"{result.asked} are asked about"] if result.asked else [])
    paper.line(f"of {result.photos} photos, of which {', '.join(left)}")
    paper.line()
    rows = [
        (rank, place(each.path), "" if each.score is None else f"{each.score:.4f}")
        for rank, each in enumerate(result.chosen, start=1)
    ]
    shown = rows if result.output is None else rows[:_SHOWN]
    paper.table(("", "photo", "" if result.by == "random" else "score"), shown, right=(0, 2))
    _notes(result.notes, paper)
    if result.output is not None:
        paper.line()
        paper.outcome(f"written: {place(result.output)}", style="green")


def exported(result: ExportResult, paper: Paper) -> None:
    """Draw what is asked."""
    paper.line(f"{result.photos} tasks for {result.to}", style="bold")
    more = f" and {len(result.classes) - _CLASSES} more" if len(result.classes) > _CLASSES else ""
    paper.line(f"classes: {', '.join(result.classes[:_CLASSES]) or 'none yet'}{more}")
    if result.suggestions:
        paper.heading("Suggestions")
        paper.table(("by", "annotations"), list(result.suggestions.items()), right=(1,))
    if result.silent:
        paper.line(f"{result.silent} photos have none: the model is too unsure.")
    if result.people:
        paper.heading("Annotators")
        paper.table(("name", "tasks"), list(result.people.items()), right=(1,))
    for reason, number in result.report.annotations.dropped.items():
        paper.line(f"note: {number} suggestions cannot be shown: {reason}.")
    for reason, number in result.report.annotations.changed.items():
        paper.line(f"note: {number} suggestions are shown, not as they are: {reason}.")
    _notes(result.notes, paper)
    paper.line()
    paper.outcome(f"{'written' if result.written else 'would write'}: {place(result.target)}", style="green")


def imported(result: ImportResult, paper: Paper) -> None:
    """Draw what came back."""
    paper.line(f"{result.answered} of {result.asked} photos are answered", style="bold")
    paper.heading("Annotators")
    paper.table(("name", "photos"), list(result.annotators.items()), right=(1,))
    paper.heading("Annotations")
    rows = [(name, getattr(result, name)) for name in ("kept", "corrected", "removed", "added")]
    paper.table((), rows, right=(1,))
    _names("open", result.open, paper)
    _names("never asked about", result.unmatched, paper)
    _notes(result.notes, paper)
    outcome.draw(result.outcome, paper, _PHOTOS_HINT)


def _names(what: str, names: tuple[str, ...], paper: Paper) -> None:
    if names:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        paper.line(f"{what}: {len(names)}: {', '.join(names[:3])}{more}")


def _notes(notes: tuple[str, ...], paper: Paper) -> None:
    for note in notes:
        paper.line(f"note: {note}")
