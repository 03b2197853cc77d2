"""`vision data gold` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import number, place
from vision_cli.stages.labelling.gold import Delivery, GoldResult, MarkResult, Scored

_FIGURES = ("precision", "recall", "f1", "class_accuracy", "mean_iou", "label_accuracy", "mae")


def marked(result: MarkResult, paper: Paper) -> None:
    """Draw what is gold now."""
    paper.line(f"{result.name}: {result.photos} photos, {result.annotations} annotations are gold", style="bold")
    verb = "written to" if result.written else "would be written to"
    paper.outcome(f"{verb} {place(result.file)}: data.gold", style="green")


def scored(result: GoldResult, paper: Paper) -> None:
    """Draw each delivery against gold, and whether it is accepted."""
    paper.line(f"{result.photos} gold photos ({result.gold}), IoU {number(result.iou)}", style="bold")
    for delivery in result.deliveries:
        _delivery(delivery, paper)
    for note in result.notes:
        paper.line(f"note: {note}")


def _delivery(delivery: Delivery, paper: Paper) -> None:
    whole = delivery.whole
    paper.heading(f"{whole.name}: {whole.photos} gold photos answered, {whole.missing} not")
    everyone = [whole, *delivery.people]
    keys = [key for key in _FIGURES if any(each.values.get(key) is not None for each in everyone)]
    names = ["all", *(each.name for each in delivery.people)]
    rows = [
        (name, each.photos, *(_cell(each, key) for key in keys)) for name, each in zip(names, everyone, strict=True)
    ]
    paper.table(("annotator", "photos", *(key.replace("_", " ") for key in keys)), rows, right=(1,))
    for judgement in whole.judgements:
        why = f"; {judgement.reason}" if judgement.reason else ""
        style = "green" if judgement.met else "red"
        paper.line(f"{judgement.kpi}: {judgement.verdict} ({number(judgement.value)}){why}", style=style)
    for person in delivery.people:
        broken = [str(each.kpi) for each in person.judgements if not each.met]
        if broken:
            paper.line(f"{person.name} breaks {', '.join(broken)}", style="red")
    if whole.judgements:
        paper.line("accepted" if whole.accepted else "rejected", style="green" if whole.accepted else "red")


def _cell(each: Scored, key: str) -> str:
    value = each.values.get(key)
    if value is None:
        return "-"
    ends = each.intervals.get(key)
    return f"{value:.3f}" if ends is None else f"{value:.3f} [{ends[0]:.3f}, {ends[1]:.3f}]"
