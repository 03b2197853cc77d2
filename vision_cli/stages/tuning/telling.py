"""The page of a search."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from vision_cli.reports import tuned
from vision_cli.reports.tuned import Against, Tried, TunedPage
from vision_cli.stages.searching.trial import Trial, best_of, facts, searched
from vision_cli.stages.tuning.request import RangeFound, TuneResult
from vision_cli.stages.tuning.space import Setting

_FEWEST_DRAWN = 4
CAUTION = "The validation photos chose these settings, so that they flatter them: judge on the test split, once."


def page(result: TuneResult, settings: Sequence[Setting], base: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        result: of the search.
        settings: that were searched.
        base: values of the project file.
    """
    found, trials = result.found, list(result.trials)
    again = []
    if found is not None and found.best is not None and found.after:
        again = [("as the project file says", found.before), (f"of trial {found.best.number}", found.after)]
    return tuned.render(
        TunedPage(
            title="Settings of model and training",
            metric=result.metric,
            facts=facts(f"{result.validation} validation photos", trials, result.task),
            said="" if found is None else found.said,
            good=None if found is None else found.better,
            diff=result.diff,
            names=[each.key.rpartition(".")[2] for each in settings],
            tried=_tried(result, trials, settings, base),
            again=again,
            against=_against(trials, settings),
            notes=[*(each for each in result.notes if each != CAUTION), *([result.open] if result.open else [])],
            command="vision tune",
            caution=CAUTION,
            words=_words(trials, settings),
            up=result.up,
            no_gain="no worse" if result.settings else "no gain",
            range_test=_drawn(result.range_test),
            importance=[(key.rpartition(".")[2], share) for key, share in result.importance.items()],
        )
    )


def range_said(found: RangeFound) -> str:
    """Return what a range test says, in a sentence."""
    end = f"The loss ran away at {found.rates[-1]:.2g}." if found.ran_away else f"It went to {found.rates[-1]:.2g}."
    if found.suggestion is None or found.steepest is None:
        return f"No rate from {found.rates[0]:.2g} on brought the loss down. {end}"
    return (
        f"A learning rate of about {found.suggestion:.2g} is suggested, a tenth of the one with the least loss; "
        f"it fell fastest at {found.steepest:.2g}. {end}"
    )


def _drawn(found: RangeFound | None) -> tuple[str, str] | None:
    return None if found is None else (range_said(found), found.plot.read_text(encoding="utf-8"))


def _tried(
    result: TuneResult, trials: list[Trial], settings: Sequence[Setting], base: Mapping[str, Any]
) -> list[Tried]:
    best = best_of(trials, up=result.up)
    return [
        Tried(
            each.number,
            each.origin,
            each.state,
            each.score,
            each.seconds,
            [text(each.settings.get(setting.key, base.get(setting.key))) for setting in settings],
            best is not None and each.number == best.number,
        )
        for each in searched(trials)
    ]


def text(value: Any) -> str:
    """Return a setting's value for people."""
    if value is None:
        return "its own"
    if isinstance(value, list | tuple):
        return " x ".join(map(str, value))
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _against(trials: list[Trial], settings: Sequence[Setting]) -> list[Against]:
    """Return each number of the space against the score, where enough trials have one."""
    done = [each for each in searched(trials) if each.score is not None]
    drawn = []
    for setting in settings:
        axis = setting.axis
        points = (
            [(_number(each.place[axis.name], axis.log), each.score or 0.0) for each in done if axis.name in each.place]
            if not axis.words
            else []
        )
        if len(points) >= _FEWEST_DRAWN:
            name = setting.key.rpartition(".")[2]
            drawn.append(Against(f"{name}{', log10' if axis.log else ''}", points))
    return drawn


def _words(trials: list[Trial], settings: Sequence[Setting]) -> list[tuple[str, list[tuple[str, list[float]]]]]:
    """Return the scores of each word of each setting that is drawn from words."""
    done = [each for each in searched(trials) if each.score is not None]
    found = []
    for setting in settings:
        scores = {
            word: [each.score or 0.0 for each in done if each.place.get(setting.key) == word]
            for word in setting.axis.words
        }
        if any(scores.values()):
            found.append((setting.key.rpartition(".")[2], list(scores.items())))
    return found


def _number(value: Any, log: bool) -> float:
    return math.log10(float(value)) if log else float(value)
