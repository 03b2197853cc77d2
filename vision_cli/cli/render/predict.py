"""`vision predict` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import place
from vision_cli.stages.running.predict import Answer, PredictResult


def draw(result: PredictResult, paper: Paper) -> None:
    """Draw one line a photo, then what was refused and written."""
    valued = result.task == "regress"
    columns = ("photo", "value") if valued else ("photo", "answer", "confidence", "next")
    paper.table(columns, [_row(answer, valued=valued) for answer in result.answers], right=(1,) if valued else (2,))
    for path, reason in result.refused:
        named = reason if path.name in reason else f"{place(path)}: {reason}"
        paper.line(f"refused: {named}", style="yellow")
    if result.output is not None:
        paper.line(f"output: {place(result.output)}")
    if result.pictures:
        paper.line(f"pictures: {len(result.pictures)} in {place(result.pictures[0].parent)}")


def _row(answer: Answer, *, valued: bool) -> tuple[object, ...]:
    if valued:
        return place(answer.path), answer.answer
    others = [(name, score) for name, score in answer.scores.items() if name not in answer.answer.split("|")]
    following = ", ".join(f"{name} {score:.0%}" for name, score in others[:2])
    confidence = "" if answer.confidence is None else f"{answer.confidence:.1%}"
    return place(answer.path), answer.answer or "(none)", confidence, following
