"""Draws what came of `vision synth tune`."""

from __future__ import annotations

from typing import Any

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import duration, place
from vision_cli.stages.searching.trial import Trial
from vision_cli.stages.synth.tuning.request import TuneResult

_SHOWN = 8


def draw(result: TuneResult, paper: Paper) -> None:
    """Draw the best trials, the verdict, and what to change."""
    if result.dry_run:
        _draw_plan(result, paper)
        return
    _draw_trials(result, paper)
    for each in result.notes:
        paper.line(f"note: {each}")
    if result.found is not None:
        paper.line(result.found.said, style="bold")
    if result.diff:
        paper.line()
        paper.raw(result.diff)
        if result.diff_file is not None:
            paper.line(f"to take it: patch -p1 < {place(result.diff_file)}")
    if result.open:
        paper.line(result.open)
    if result.page is not None:
        paper.line(f"report: {place(result.page)}")
    paper.outcome(_outcome(result))


def _draw_plan(result: TuneResult, paper: Paper) -> None:
    paper.line(f"judged on {result.real}: {result.photos} photos, by {result.metric} of {result.task}")
    paper.line(f"searched: {', '.join(result.searched)}")
    paper.outcome(f"would try {result.wanted:,} settings in {place(result.folder)}, {len(result.trials)} are there")


def _draw_trials(result: TuneResult, paper: Paper) -> None:
    tried = [each for each in result.trials if not each.again]
    done = sorted((each for each in tried if each.score is not None), key=lambda each: -(each.score or 0.0))
    rows = [(str(each.number), each.origin, f"{each.score:.3f}", duration(each.seconds)) for each in done[:_SHOWN]]
    paper.table(("trial", "settings", result.metric, "took"), rows, right=(0, 2, 3))
    more = len(done) - _SHOWN
    early = sum(each.state != "done" for each in tried)
    told = [f"and {more} more" if more > 0 else "", f"{early} ended early or failed" if early else ""]
    if any(told):
        paper.line("; ".join(each for each in told if each))


def _outcome(result: TuneResult) -> str:
    found = result.found
    if found is None or found.best is None:
        return f"{len(result.trials)} trials; nothing to change"
    settings = ", ".join(f"{name} {_text(value)}" for name, value in result.settings.items())
    score = _score(found.best)
    return f"trial {found.best.number}, {result.metric} {score}: {settings or 'nothing to change'}"


def _score(trial: Trial) -> str:
    return "–" if trial.score is None else f"{trial.score:.3f}"


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_text(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_text, value)) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)
