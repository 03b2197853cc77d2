"""A trial of a search: settings, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vision_cli.stages.searching.axis import Place

BASE, LABELS, SEARCH = "as the project file says", "as the real labels are", "search"
"""What a trial's settings come from."""
DONE, PRUNED, FAILED = "done", "hopeless", "failed"
"""What became of a trial; hopeless ones were ended early."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A training under some settings, and its score.

    Attributes:
        number: in the order they were begun; those of the same settings with another seed share it.
        origin: one of BASE, LABELS and SEARCH.
        again: 0, or from 1 for what is tried once more with another seed.
        settings: that were searched.
        place: the point of the space that they are, or are nearest to.
        scores: after each epoch, where it was judged.
        score: of the trained model; None where it did not come to that.
        state: one of DONE, PRUNED and FAILED.
        seconds: that it took.
        said: why it failed.
    """

    number: int
    origin: str
    again: int
    settings: Mapping[str, Any]
    place: Place
    scores: tuple[float | None, ...] = ()
    score: float | None = None
    state: str = DONE
    seconds: float = 0.0
    said: str = ""


def searched(trials: Iterable[Trial]) -> list[Trial]:
    """Return the trials of the search, each number once."""
    return [each for each in trials if not each.again]


def facts(judged_on: str, trials: Sequence[Trial], task: str) -> list[tuple[str, str]]:
    """Return what the head of a search's report says, by name."""
    return [
        ("judged on", judged_on),
        ("trials", f"{len(searched(trials))}"),
        ("with fresh seeds", f"{sum(each.again > 0 for each in trials)}"),
        ("minutes of all", f"{sum(each.seconds for each in trials) / 60:.1f}"),
        ("task", task),
    ]


def best_of(trials: Sequence[Trial], *, up: bool = True) -> Trial | None:
    """Return the trial of the search with the best score; of equal ones the first.

    Args:
        trials: of a journal.
        up: a higher score is better.
    """
    done = [each for each in searched(trials) if each.state == DONE and each.score is not None]
    sign = 1 if up else -1
    return max(done, key=lambda each: (sign * (each.score or 0.0), -each.number)) if done else None
