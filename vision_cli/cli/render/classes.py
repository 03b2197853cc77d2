"""`vision classes` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import place
from vision_cli.stages.few_shot.changing import Changed
from vision_cli.stages.few_shot.telling import Line, Listing, Shown
from vision_cli.stages.few_shot.writing import Written

_SHORT = 12
_SUMS = "found from the examples: 95 of 100 left out pass"


def changed(result: Changed, paper: Paper) -> None:
    """Draw what was done, then the classes in one line."""
    known = f" ({result.known} already there)" if result.known else ""
    paper.outcome(f"{'would be: ' if result.dry_run else ''}{result.done}{known}")
    counts = ", ".join(f"{name} {number}" for name, number in result.classes.items())
    paper.line(f"classes: {counts or 'none'}")
    if result.left_out is not None:
        paper.line(f"left out one by one, {result.left_out:.0%} of the examples are named rightly")
    for note in result.notes:
        paper.line(f"note: {note}")


def listing(result: Listing, paper: Paper) -> None:
    """Draw one line a class, then how answers come about."""
    if not result.classes:
        paper.line("no classes yet: vision classes add winter photo1.jpg photo2.jpg")
        return
    rows = [_line(each) for each in result.classes]
    paper.table(("class", "photos", "named rightly", "else taken for"), rows, right=(1, 2))
    total = sum(each.photos for each in result.classes)
    right = "" if result.left_out is None else f"; left out, {result.left_out:.0%} are named rightly"
    paper.line(f"{len(result.classes)} classes, {total} photos{right}")
    paper.line(f"{result.head} on {result.backbone}; {_none(result)}")


def _none(result: Listing) -> str:
    if result.none_below is None:
        return "every photo is given a class"
    then = "a class of ImageNet" if result.own_classes else "none of these"
    how = f" ({_SUMS})" if result.none_found else ""
    return f"{then} below a likeness of {result.none_below:.2f}{how}"


def _line(each: Line) -> tuple[object, ...]:
    return each.name, each.photos, "" if each.right is None else f"{each.right} of {each.photos}", each.taken_for or ""


def shown(result: Shown, paper: Paper) -> None:
    """Draw one line an example."""
    rows = [
        (each.photo, each.sha256[:_SHORT], each.taken_for or "", "" if each.file == "there" else each.file)
        for each in result.examples
    ]
    paper.table(("photo", "content", "left out it is", "file"), rows)
    wrong = sum(each.taken_for not in (None, result.name) for each in result.examples)
    paper.line(f"{result.name}: {len(result.examples)} photos, {wrong} taken for another class when left out")


def written(result: Written, paper: Paper) -> None:
    """Draw where the model is, and what it is."""
    paper.outcome(f"{'would write' if result.dry_run else 'model'}: {place(result.folder)}")
    paper.line(f"{result.classes} classes from {result.photos} photos, {result.head} on {result.backbone}")
    for note in result.notes:
        paper.line(f"note: {note}")
