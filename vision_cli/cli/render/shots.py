"""`vision eval --shots` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import place
from vision_cli.stages.few_shot.shots import Curve, Point, ShotsResult


def draw(result: ShotsResult, paper: Paper) -> None:
    """Draw one line a backbone, head and number of photos, then what more photos would bring."""
    for curve in result.curves:
        paper.heading(f"{curve.head} on {curve.backbone}")
        rows = [_row(point) for point in curve.points]
        paper.table(("photos a class", "accuracy", "spread", "of the draws", "gain"), rows, right=(0, 1, 2, 3, 4))
        paper.line(f"weakest class: {curve.weakest[0]}, recall {curve.weakest[1]:.2f}; {_ahead(curve)}")
    paper.line()
    _draw_rest(result, paper)


def draw_brief(result: ShotsResult, paper: Paper) -> None:
    """Draw the best curve's last point and where the page is."""
    _draw_rest(result, paper)


def _draw_rest(result: ShotsResult, paper: Paper) -> None:
    best = result.curves[0]
    last = best.points[-1]
    paper.outcome(
        f"{best.head} on {best.backbone}: {last.accuracy:.3f} ± {last.spread:.3f} with {last.shots} photos a class"
    )
    paper.line(
        f"{result.draws} draws (seed {result.seed}) from {result.learned} photos of {len(result.classes)} classes, "
        f"judged on {result.judged} ({result.judged_of})"
    )
    for note in result.notes:
        paper.line(f"note: {note}")
    if result.output is not None:
        paper.outcome(f"output: {place(result.output)}")


def _row(point: Point) -> tuple[object, ...]:
    gain = "" if point.gain is None else f"{point.gain:+.3f} ± {point.gain_spread or 0.0:.3f}"
    return point.shots, f"{point.accuracy:.3f}", f"± {point.spread:.3f}", f"{point.low:.3f}-{point.high:.3f}", gain


def _ahead(curve: Curve) -> str:
    if curve.expected is None:
        return f"what {curve.doubled} would bring cannot be told from these"
    return f"with {curve.doubled} photos a class about {curve.expected:.2f} is to be expected"
