"""`vision models list --weights` and `vision models show` for people."""

from __future__ import annotations

from collections.abc import Sequence

from vision_cli.cli.paper import Paper
from vision_cli.cli.sizes import readable
from vision_cli.models.known import DATASETS, Known
from vision_cli.models.published import Published
from vision_cli.stages.project.published import Shown, Weights, Word

_METRICS = {"top1": "top-1", "box_ap": "box AP", "mask_ap": "mask AP", "miou": "mIoU"}
_MOST_CLASSES = 4


def listed(result: Weights, paper: Paper) -> None:
    """Draw what the words mean, one line a file of weights, and how many there are."""
    for word in result.words:
        _word(word, paper)
    if result.sets:
        _sets(result, paper)
    if result.words:
        paper.line()
    if not result.weights:
        hint = f"; {result.hint}" if result.hint else ""
        paper.line(f"none of {result.n_all} published weights meets this{hint}")
        return
    columns = ("weights", "task", "accuracy", "params", "MACs", "size", "licence", "classes of")
    paper.table(columns, [_row(row) for row in result.weights], right=(2, 3, 4, 5))
    paper.line()
    cut = f", the first {len(result.weights)} shown" if len(result.weights) < result.n_met else ""
    paper.line(
        f"{result.n_met} of {result.n_all} published weights{cut}; accuracy as their authors report it: "
        "`vision models show NAME` says where"
    )


def _row(row: Published) -> tuple[str, ...]:
    return (
        row.name,
        row.task,
        f"{row.accuracy:.1f} {_METRICS[row.metric]}",
        millions(row.params),
        multiply_adds(row.macs),
        readable(row.size_bytes),
        row.licence,
        f"{DATASETS[row.dataset].name} ({row.n_classes})",
    )


def millions(params: int) -> str:
    """Return a count of parameters in millions."""
    return f"{params / 1e6:.3g} M"


def multiply_adds(macs: int) -> str:
    """Return a count of multiply-adds in thousands of millions."""
    return f"{macs / 1e9:.3g} G" if macs else "-"


def _word(word: Word, paper: Paper) -> None:
    if not word.classes:
        paper.line(f"'{word.word}' is no class of {', '.join(DATASETS)}", style="yellow")
        return
    by_set: dict[str, list[Known]] = {}
    for found in word.classes:
        by_set.setdefault(found.dataset, []).append(found)
    meant = "; ".join(f"{DATASETS[name].name}: {_classes(found)}" for name, found in by_set.items())
    paper.line(f"'{word.word}' is {meant}")


def _sets(result: Weights, paper: Paper) -> None:
    """Draw the sets to train on, of which not all have published weights here."""
    rows = [(each.name, f"{each.n_photos:,}", ", ".join(each.labels), each.licence, each.url) for each in result.sets]
    paper.line()
    paper.table(("set", "photos", "labels", "licence", "from"), rows, right=(1,))


def _classes(found: Sequence[Known]) -> str:
    shown = ", ".join(each.label for each in found[:_MOST_CLASSES])
    more = len(found) - _MOST_CLASSES
    listed_classes = f"{shown} and {more} more" if more > 0 else shown
    kinds = "1 kind" if len(found) == 1 else f"{len(found)} kinds"
    return f"{kinds} of it ({listed_classes})" if found[0].how == "kind" else listed_classes


def shown(result: Shown, paper: Paper) -> None:
    """Draw one file of weights, a line a fact."""
    row = result.weights
    counted = " (counted from its tensors)" if row.size_from == "counted" else ""
    side = f"{row.size_px} px" if row.size_px != 800 else "photos of 800 px, the shorter side"
    free = "asks for a mention only" if result.permissive else "read it before you use them"
    paper.line(row.name, style="bold")
    paper.pairs(
        [
            ("task", row.task),
            ("classes", f"{row.n_classes} of {result.dataset.title} ({result.dataset.url})"),
            ("accuracy", f"{row.accuracy:g} %: {result.metric}, at {side}"),
            ("", f"as reported at {row.accuracy_from}"),
            ("parameters", f"{row.params:,}"),
            ("multiply-adds", f"{row.macs:,} a photo" if row.macs else "not known"),
            ("size", f"{readable(row.size_bytes)}{counted}"),
            ("licence", f"{row.licence}: {free}"),
            ("from", row.url),
            ("here", result.file or "no: `vision models pull` fetches it"),
            ("exports to", ", ".join(row.exports) or "nothing"),
            ("to train with", "vision train " + " ".join(result.trained_by)),
        ]
    )


def shown_with_classes(result: Shown, paper: Paper) -> None:
    """Draw one file of weights, and then the names of its classes."""
    shown(result, paper)
    paper.heading("Classes, in the order of its outputs")
    paper.table((), list(enumerate(result.classes)), right=(0,))
