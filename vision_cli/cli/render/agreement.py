"""`vision data agreement` for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vision_cli.cli.paper import Paper
from vision_cli.cli.render import outcome
from vision_cli.cli.text import number
from vision_cli.stages.labelling.agreement import AgreementResult, Figure, Pair

_SHOWN = 10
_NAMES = {
    "pairwise": "pairs of people who agree",
    "fleiss_kappa": "Fleiss' kappa",
    "cohen_kappa": "Cohen's kappa",
    "krippendorff_alpha": "Krippendorff's alpha",
    "krippendorff_alpha_ordinal": "Krippendorff's alpha, ordinal",
    "krippendorff_alpha_interval": "Krippendorff's alpha, interval",
    "f1": "F1 of objects with class",
    "found": "objects that both drew",
    "mean_iou": "mean IoU of those",
    "class_agreement": "same class of those",
    "class_kappa": "Cohen's kappa of their class",
}


def draw(result: AgreementResult, paper: Paper) -> None:
    """Draw how far people agree, then who does not and about what."""
    paper.line(f"{len(result.annotators)} people, {result.shared} of {result.photos} photos shared", style="bold")
    _figures("Classes of photos", result.labels, paper)
    _figures("Values", result.values, paper)
    _figures(f"Objects (IoU {number(result.iou)})", result.objects, paper)
    _classes(result, paper)
    _people(result, paper)
    if result.disputes:
        paper.heading(f"Disputed photos ({len(result.disputes)})")
        rows = [
            (each.photo, f"{each.agreement:.2f}", "; ".join(f"{who}: {what}" for who, what in each.said.items()))
            for each in result.disputes[:_SHOWN]
        ]
        paper.table(("photo", "agreement", "said"), rows, right=(1,))
        _more(len(result.disputes), paper)
    _consensus(result, paper)
    for note in result.notes:
        paper.line(f"note: {note}")
    if result.outcome is not None:
        outcome.draw(result.outcome, paper)


def _figures(title: str, figures: Mapping[str, Figure], paper: Paper) -> None:
    if not figures:
        return
    paper.heading(title)
    rows = [(_NAMES[name], _three(each.value), _ends(each)) for name, each in figures.items()]
    paper.table(("", "", "95 %"), rows, right=(1,))


def _ends(each: Figure) -> str:
    return "" if each.interval is None else f"[{_three(each.interval[0])}, {_three(each.interval[1])}]"


def _three(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _classes(result: AgreementResult, paper: Paper) -> None:
    if not result.classes:
        return
    paper.heading("By class")
    columns = list(dict.fromkeys(key for figures in result.classes.values() for key in figures))
    rows = [(name, *(_cell(figures.get(key)) for key in columns)) for name, figures in result.classes.items()]
    heads = [_NAMES.get(key, key).replace("F1 of objects with class", "F1") for key in columns]
    paper.table(("class", *heads), rows, right=range(1, len(columns) + 1))


def _cell(value: float | int | None) -> str:
    return str(value) if isinstance(value, int) else _three(value)


def _people(result: AgreementResult, paper: Paper) -> None:
    paper.heading("Against the others")
    rows = [(each.name, each.photos, each.differs, each.f1) for each in result.people]
    _measured(("annotator", "photos", "classes that differ", "F1 of objects"), rows, paper)
    if len(result.pairs) > 1:
        paper.heading("Pairs")
        pairs = [(f"{each.one} / {each.other}", each.photos, each.cohen_kappa, _f1(each)) for each in result.pairs]
        _measured(("", "photos", "Cohen's kappa", "F1 of objects"), pairs, paper)


def _measured(heads: Sequence[str], rows: Sequence[tuple[str, int, float | None, float | None]], paper: Paper) -> None:
    """Draw a name, photos and two figures a row, without a figure that nobody has."""
    kept = [0, 1, *(at for at in (2, 3) if any(row[at] is not None for row in rows))]
    cells = [(row[0], row[1], _three(row[2]), _three(row[3])) for row in rows]
    paper.table([heads[at] for at in kept], [[row[at] for at in kept] for row in cells], right=(1, 2, 3))


def _f1(pair: Pair) -> float | None:
    return None if pair.objects is None else pair.objects.f1


def _consensus(result: AgreementResult, paper: Paper) -> None:
    counts = result.consensus
    paper.heading("Consensus")
    paper.line(
        f"{counts['labels']} labels, {counts['objects']} objects; {counts['objects_of_too_few']} objects of too few "
        f"people, {counts['ties']} ties left open"
    )
    for photo, what in result.ties[:_SHOWN]:
        paper.line(f"tie: {photo}: {what}")
    _more(len(result.ties), paper)


def _more(rows: int, paper: Paper) -> None:
    if rows > _SHOWN:
        paper.line(f"and {rows - _SHOWN} more: --json")
