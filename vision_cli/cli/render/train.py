"""`vision train` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.render.kpis import draw_kpis
from vision_cli.cli.text import number, place
from vision_cli.stages.training.train import TrainResult

_PREVIEW = "KPIs on the validation split: a preview; vision eval judges"


def draw(result: TrainResult, paper: Paper) -> None:
    """Draw what was learned from, how, how well, and where it lies."""
    photos = ", ".join(f"{count} {split}" for split, count in result.photos.items())
    rows = [("task", result.task), ("photos", photos)]
    if result.classes:
        rows.append(("classes", f"{len(result.classes)}: {', '.join(result.classes[:12])}"))
    rows += [("how" if index == 0 else "", line) for index, line in enumerate(result.how)]
    if result.run is not None:
        rows += [("time", f"{result.seconds:.0f} s"), ("run", str(place(result.run)))]
    if result.model is not None:
        rows.append(("model", str(place(result.model))))
    paper.pairs(rows)
    for finding in result.findings:
        paper.line(f"note: {finding.message}", style="yellow")
    if result.measurement is not None:
        whole = [(key, number(value)) for key, value in result.measurement.values.items() if "[" not in key]
        paper.heading(f"Validation split, {result.measurement.n_photos} photos")
        paper.pairs(whole)
    draw_kpis(result.judgements, paper, heading=_PREVIEW, photos="validation photos")
