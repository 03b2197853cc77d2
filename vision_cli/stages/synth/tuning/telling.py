"""The page of a search."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision_cli.core.progress import Silent
from vision_cli.reports import tuned
from vision_cli.reports.tuned import Against, Tried, TunedPage
from vision_cli.stages.searching.trial import Trial, best_of, facts, searched
from vision_cli.stages.synth.asking.asked import Asked
from vision_cli.stages.synth.telling import preview
from vision_cli.stages.synth.tuning.space import Knob, axes_of

if TYPE_CHECKING:
    from vision_cli.stages.synth.tuning.request import TuneResult

_PHOTOS = 8
_FEWEST_DRAWN = 5


def page(result: TuneResult, shown: Sequence[tuple[str, Asked]], knobs: Sequence[Knob]) -> str:
    """Return the page.

    Args:
        result: of the search.
        shown: captions, and what photos beside them are made of.
        knobs: what was searched.
    """
    found, trials = result.found, list(result.trials)
    again = []
    if found is not None and found.best is not None and found.after:
        again = [("as the project file says", found.before), (f"of trial {found.best.number}", found.after)]
    return tuned.render(
        TunedPage(
            title=f"Settings of vision synth {result.command}",
            metric=result.metric,
            facts=facts(f"{result.real}, {result.photos} photos", trials, result.task),
            said="" if found is None else found.said,
            good=None if found is None else found.better,
            diff=result.diff,
            names=result.searched,
            tried=_tried(trials, result.searched),
            again=again,
            against=_against(trials, knobs),
            sheets=[(caption, _sheet(asked)) for caption, asked in shown],
            notes=[*result.notes, *([result.open] if result.open else [])],
        )
    )


def _tried(trials: list[Trial], names: Sequence[str]) -> list[Tried]:
    best = best_of(trials)
    return [
        Tried(
            each.number,
            each.origin,
            each.state,
            each.score,
            each.seconds,
            [_text(each.settings.get(name)) for name in names],
            best is not None and each.number == best.number,
        )
        for each in searched(trials)
    ]


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        between = " to " if len(value) == 2 and not any(isinstance(each, str) for each in value) else ", "
        return between.join(map(_text, value))
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _against(trials: list[Trial], knobs: Sequence[Knob]) -> list[Against]:
    """Return each number of the space against the score, where enough trials have one."""
    done = [each for each in searched(trials) if each.score is not None]
    if len(done) < _FEWEST_DRAWN:
        return []
    drawn = []
    for axis in axes_of(knobs):
        if axis.words:
            continue
        points = [(_number(each.place[axis.name], axis.log), each.score or 0.0) for each in done]
        drawn.append(Against(f"{axis.name}{', log10' if axis.log else ''}", points))
    return drawn


def _number(value: Any, log: bool) -> float:
    return math.log10(float(value)) if log else float(value)


def _sheet(asked: Asked) -> bytes:
    """Return the first photos of some settings with their boxes."""
    with tempfile.TemporaryDirectory() as folder:
        first, _ = preview.write(asked, _PHOTOS, Path(folder), Silent())
        return first.read_bytes()
