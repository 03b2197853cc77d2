"""`vision train` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.render.kpis import draw_kpis, draw_more, main_figures
from vision_cli.cli.text import duration, number, place
from vision_cli.stages.training.train import Fit, TrainResult
from vision_cli.stages.training.trial import ByHeart, Estimate

_SHOWN_CLASSES = 12
_PREVIEW = "KPIs on the validation split: a preview; vision eval judges"


def draw(result: TrainResult, paper: Paper) -> None:
    """Draw what was learned from, how, how well, and where it lies."""
    photos = ", ".join(f"{count} {split}" for split, count in result.photos.items())
    rows = [("task", result.task), ("photos", photos)]
    if result.classes:
        more = ", …" if len(result.classes) > _SHOWN_CLASSES else ""
        rows.append(("classes", f"{len(result.classes)}: {', '.join(result.classes[:_SHOWN_CLASSES])}{more}"))
    rows += [("how" if index == 0 else "", line) for index, line in enumerate(result.how)]
    if result.run is not None:
        rows += [("time", f"{duration(result.seconds)} in all"), ("run", str(place(result.run)))]
    if result.model is not None:
        rows.append(("model", str(place(result.model))))
    paper.pairs(rows)
    if result.measurement is not None:
        shown, left = main_figures(result.measurement.values, result.task, result.judgements)
        paper.heading(f"Validation split, {result.measurement.n_photos} photos")
        paper.pairs([(key, number(value)) for key, value in shown.items()])
        draw_more(left, paper)
    if result.fit is not None:
        _draw_fit(result.fit, paper)
    if result.by_heart is not None:
        _draw_by_heart(result.by_heart, paper)
    if result.estimate is not None:
        _draw_estimate(result.estimate, paper)
    draw_kpis(result.judgements, paper, heading=_PREVIEW, photos="validation photos")


def draw_brief(result: TrainResult, paper: Paper) -> None:
    """Draw where the run lies, or what would be trained; and what could not be learned by heart."""
    if result.by_heart is not None and not result.by_heart.learned:
        _draw_by_heart(result.by_heart, paper)
    paper.line(f"run: {place(result.run)}" if result.run is not None else result.how[-1])


def _draw_fit(fit: Fit, paper: Paper) -> None:
    """Draw whether it overfits, by its curves, and what to try."""
    paper.heading(f"Learned or learned by heart: {fit.verdict}")
    paper.line(fit.reason)
    for index, line in enumerate(fit.tries):
        paper.line(f"{'or  ' if index else 'try '} {line}", style="yellow")


def _draw_by_heart(found: ByHeart, paper: Paper) -> None:
    verdict = "learned by heart" if found.learned else "NOT learned by heart"
    paper.heading(f"{found.photos} photos: {verdict}")
    paper.pairs(
        [
            ("loss", f"{number(found.first_loss)} -> {number(found.last_loss)}"),
            (found.metric, f"{number(found.value)} on the same photos (needed {found.bound:g})"),
        ]
    )
    if not found.learned:
        paper.line("Look at labels and classes first (vision data show), then at train.learning_rate.", style="yellow")


def _draw_estimate(told: Estimate, paper: Paper) -> None:
    paper.heading("The whole training on this machine, by what the sample took")
    paper.pairs(
        [
            ("photos", f"{told.photos} to learn from, at most {told.epochs} epochs"),
            *([("tiles", f"{told.scenes:,} an epoch, those of validation photos included")] if told.scenes else []),
            ("time", duration(told.seconds)),
            ("memory", f"{told.memory_mb:.0f} MB"),
            ("disk", f"{told.disk_mb:.0f} MB"),
        ]
    )
