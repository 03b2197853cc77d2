"""Whether what was found is better than what the project file says, or only lucky."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from vision_cli.stages.searching.trial import BASE, DONE, Trial, best_of, searched

_FEWEST_AGAIN = 3
"""With three of each, all of the one above all of the other comes by luck once in 20 times."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a search.

    Attributes:
        base: the trial of the project file's settings.
        best: the best trial; None where no other one did better.
        before: scores of the project file's settings with fresh seeds.
        after: those of the best ones.
        better: they are better; None where nobody tried again.
        said: one or two sentences.
    """

    base: Trial
    best: Trial | None
    before: tuple[float, ...]
    after: tuple[float, ...]
    better: bool | None
    said: str


def verdict(trials: list[Trial], metric: str, confirm: int, *, up: bool = True) -> Verdict | None:
    """Return what the trials say so far; None while the project file's settings were not tried.

    Args:
        trials: all of the journal.
        metric: name of the score.
        confirm: trials with fresh seeds that were wanted of each.
        up: a higher score is better.
    """
    base = next((each for each in searched(trials) if each.origin == BASE and each.state == DONE), None)
    best = best_of(trials, up=up)
    if base is None or base.score is None or best is None:
        return None
    if best.number == base.number:
        said = f"No settings did better than those of the project file ({metric} {base.score:.3f})."
        return Verdict(base, None, (), (), False, said)
    before, after = again_of(trials, base), again_of(trials, best)
    better = _better(before, after, confirm, up=up)
    return Verdict(base, best, before, after, better, _said(better, (base, best), (before, after), metric))


def again_of(trials: Sequence[Trial], trial: Trial) -> tuple[float, ...]:
    """Return the scores of a trial's settings with fresh seeds."""
    return tuple(each.score for each in trials if each.number == trial.number and each.again and each.score is not None)


def _better(before: Sequence[float], after: Sequence[float], confirm: int, *, up: bool) -> bool | None:
    """Return whether every fresh score of the one is better than every one of the other."""
    if not confirm or len(before) < confirm or len(after) < confirm:
        return None
    return min(after) > max(before) if up else max(after) < min(before)


def _said(
    better: bool | None, pair: tuple[Trial, Trial], fresh: tuple[Sequence[float], Sequence[float]], metric: str
) -> str:
    base, best = pair
    first = f"The best of the search had {metric} {best.score:.3f}, the project file's settings {base.score:.3f}."
    if better is None:
        return f"{first} Not tried again with other seeds: that may be luck."
    before, after = fresh
    told = f"with fresh seeds {mean(after):.3f} against {mean(before):.3f} on average of {len(after)} each"
    if better:
        few = "" if len(after) >= _FEWEST_AGAIN else " (few: it may still be luck)"
        return f"{first} It holds: {told}, and each better than each{few}."
    return f"{first} It does not hold: {told}, not each better than each."
