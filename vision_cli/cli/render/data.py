"""`vision data` for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import place
from vision_cli.core.conservation import ClassLine, Conservation, Tally
from vision_cli.formats.conserving import ONE_PIXEL

if TYPE_CHECKING:
    from vision_cli.stages.converting.convert import Conversion
    from vision_cli.stages.converting.verify_copy import Verification
    from vision_cli.stages.detecting import Detection

_PIXELS = {
    "exclusive": "edges: 0 is the photo's left edge, the right edge is exclusive",
    "inclusive-0": "pixels from 0, the last one inclusive",
    "inclusive-1": "pixels from 1, the last one inclusive",
}

_NO_PHOTO = "no such image"
PHOTOS_HINT = "hint: --images none writes labels only; --images-root FOLDER says where the photos are."


def detection(result: Detection, paper: Paper) -> None:
    """Draw the format and what speaks for it."""
    paper.pairs([("format", result.format), ("evidence", result.evidence), ("what", result.summary)])


def conversion(result: Conversion, paper: Paper) -> None:
    """Draw the conservation report, then what was written or why nothing was."""
    report = result.report
    paper.line(f"{report.source_format} -> {report.target_format}", style="bold")
    paper.heading("Photos and annotations")
    unlabelled = f"{report.unlabelled} without annotation" if report.unlabelled else ""
    paper.table(
        ("", "in", "out", "dropped", "changed", ""),
        [("photos", *_cells(report.images), unlabelled), ("annotations", *_cells(report.annotations), "")],
        right=(1, 2),
    )
    if report.classes:
        paper.heading("Classes")
        _classes(report.classes, paper)
    paper.heading("Boxes")
    paper.line(_boxes(report))
    if report.source_pixels == report.target_pixels != "exclusive":
        paper.line("hint: --pixels target counts as the target's readers do.")
    for note in report.notes:
        paper.line(f"note: {note}")
    if result.verification is not None:
        _verification(result.verification, paper)
    paper.line()
    _verdict(result, paper)


def _cells(tally: Tally) -> tuple[object, ...]:
    return tally.before, tally.after, _reasons(tally.dropped), _reasons(tally.changed)


def _reasons(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {reason}" for reason, number in counts.items()) or "-"


def _classes(lines: Sequence[ClassLine], paper: Paper) -> None:
    rows = [(line.name, _id(line.source_id), _id(line.target_id), *_cells(line.annotations)) for line in lines]
    paper.table(("class", "id in", "id out", "in", "out", "dropped", "changed"), rows, right=(1, 2, 3, 4))


def _id(number: int | None) -> str:
    return "-" if number is None else str(number)


def _boxes(report: Conservation) -> str:
    source, target = _PIXELS[report.source_pixels], _PIXELS[report.target_pixels]
    if report.source_pixels == report.target_pixels:
        return f"The source's numbers are kept. They count {source}."
    return f"The source counts {source}; the target counts {target}. Numbers were shifted."


def _verification(found: Verification, paper: Paper) -> None:
    paper.heading("Read back")
    paper.line(
        f"{found.images} photos, {found.annotations} annotations, {found.boxes} boxes "
        f"({found.exact_boxes} to the last bit, the others within {found.largest_difference_px:.2g} px), "
        f"{found.outlines} outlines (lowest IoU {found.lowest_iou:.4f})"
    )
    for line in found.differences:
        paper.line(f"differs: {line}", style="red")


def loss_hints(report: Conservation, paper: Paper, photos_hint: str = PHOTOS_HINT) -> None:
    """Say how to avoid losses where that can be, then how to allow them, but for one that leaves no photo at all."""
    names, images = list(report.not_allowed), report.images
    if "no-image" in names or (_NO_PHOTO in images.dropped and not images.after):
        paper.line(photos_hint)
    if "no-image" in names and images.dropped.get(_NO_PHOTO) == images.before:
        names.remove("no-image")
    if ONE_PIXEL in report.annotations.dropped:
        paper.line("hint: --pixels target keeps boxes that are one pixel wide or high.")
    if names:
        paper.line("hint: " + " ".join(f"--allow-loss {name}" for name in names))


def _verdict(result: Conversion, paper: Paper) -> None:
    target, dropped = place(result.target), result.report.images.dropped
    hopeless = result.nothing_left and _NO_PHOTO not in dropped  # allowing losses would not help
    if result.report.not_allowed and not hopeless:
        paper.line("Nothing was written: these losses are not allowed.", style="red")
        loss_hints(result.report, paper)
    elif result.nothing_left:
        paper.line(f"Nothing was written: {result.report.target_format} can hold none of these photos.", style="red")
        if not hopeless:
            loss_hints(result.report, paper)
    elif not result.ok:
        paper.line("Nothing was written: what was read back is not what went in.", style="red")
    elif result.written:
        paper.outcome(f"written: {target} (photos: {result.images})", style="green")
    else:
        paper.outcome(f"would write: {target} (photos: {result.images})")
