"""`vision init` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import place
from vision_cli.core.tasks import PLACE_TASKS
from vision_cli.stages.project.init import InitResult


def draw(result: InitResult, paper: Paper) -> None:
    """Draw what was found, then the file, or what to do next."""
    found = result.survey
    splits = ", ".join(f"{count} {split}" for split, count in found.splits.items()) or "none; vision makes one"
    rows: list[tuple[str, object]] = [("data", f"{place(found.data)} ({found.format})"), ("photos", found.photos)]
    rows += [("objects", found.objects)] if found.objects is not None else []
    rows += [("their split", splits), ("task", result.task)]
    if found.values is not None:
        rows.append(("values", f"{found.values[0]:g} to {found.values[1]:g}"))
    else:
        counts = ", ".join(f"{name} {count}" for name, count in found.classes[:12])
        rows.append(("classes", f"{len(found.classes)}: {counts}{', …' if len(found.classes) > 12 else ''}"))
    paper.pairs(rows)
    for note in found.notes:
        paper.line(f"note: {note}", style="yellow")
    paper.line()
    if not result.written:
        paper.outcome(f"would write {result.file} and {place(result.schema)}:")
        for line in result.text.splitlines():
            paper.line(f"  {line}")
        return
    paper.outcome(f"wrote {result.file}")
    if result.task in PLACE_TASKS:
        paper.line("next: vision train --overfit 8, which shows whether labels and settings can be learned at all")
        paper.line("then: vision train && vision eval")
    else:
        paper.line("next: vision train && vision eval")
