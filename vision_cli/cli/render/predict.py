"""`vision predict` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import place
from vision_cli.core.tasks import OBJECT_TASKS, PLACE_TASKS
from vision_cli.stages.running.photo_answers import Answer
from vision_cli.stages.running.predict import PredictResult
from vision_cli.stages.running.video_predict import VideoResult


def draw(result: PredictResult, paper: Paper) -> None:
    """Draw one line a photo, then what was refused and written."""
    if result.task in PLACE_TASKS:
        paper.table(("photo", "found"), [(place(row.path), row.answer) for row in result.answers])
    else:
        _draw_answers(result, paper)
    _draw_refused(result, paper)
    if result.output is not None:
        paper.line(f"output: {place(result.output)}")
    for note in result.notes:
        paper.line(f"note: {note}")
    if result.pictures:
        paper.line(f"pictures: {len(result.pictures)} in {place(result.pictures[0].parent)}")


def draw_brief(result: PredictResult, paper: Paper) -> None:
    """Draw what was refused and where the answers are; where they went nowhere, the answers."""
    if result.output is None and not result.pictures:
        draw(result, paper)
        return
    _draw_refused(result, paper)
    if result.output is not None:
        paper.line(f"output: {place(result.output)}")
    else:
        paper.line(f"pictures: {len(result.pictures)} in {place(result.pictures[0].parent)}")


def _draw_refused(result: PredictResult, paper: Paper) -> None:
    for path, reason in result.refused:
        named = reason if path.name in reason else f"{place(path)}: {reason}"
        paper.line(f"refused: {named}", style="yellow")


def draw_video(result: VideoResult, paper: Paper) -> None:
    """Draw what was found, most first, then what was written."""
    if result.found:
        what = "objects" if result.task in OBJECT_TASKS or result.task == "panoptic" else "frames"
        paper.table(("found", what), list(result.found.items()), right=(1,))
    before = f", {result.resumed_at} of them by an earlier run" if result.resumed_at else ""
    paper.line(f"{result.source}: {result.frames} frames{before}")
    if result.output is not None:
        paper.outcome(f"output: {place(result.output)}")
    if result.video is not None:
        paper.outcome(f"video: {place(result.video)}")


def _draw_answers(result: PredictResult, paper: Paper) -> None:
    valued = result.task == "regress"
    columns = ("photo", "value") if valued else ("photo", "answer", "confidence", "next")
    rows = [_row(answer, valued=valued) for answer in result.answers if isinstance(answer, Answer)]
    paper.table(columns, rows, right=(1,) if valued else (2,))


def _row(answer: Answer, *, valued: bool) -> tuple[object, ...]:
    if valued:
        return place(answer.path), answer.answer
    others = [(name, score) for name, score in answer.scores.items() if name not in answer.answer.split("|")]
    following = ", ".join(f"{name} {score:.0%}" for name, score in others[:2])
    confidence = "" if answer.confidence is None else f"{answer.confidence:.1%}"
    return place(answer.path), answer.answer or "(none)", confidence, following
