"""`vision tune`: which trials are hopeless, what the verdict weighs, and the journal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from vision_cli.core.kpi import Interval
from vision_cli.core.search_config import seconds_of
from vision_cli.stages.searching.axis import Axis
from vision_cli.stages.searching.pruning import Pruner
from vision_cli.stages.searching.trial import BASE, DONE, FAILED, PRUNED, SEARCH, Trial
from vision_cli.stages.tuning import journal, verdict

pytest.importorskip("optuna")


def trial(number: int, score: float, *epochs: float, state: str = DONE) -> Trial:
    return Trial(number, SEARCH if number else BASE, 0, {}, {}, epochs, score if state == DONE else None, state)


def test_the_median_rule_ends_what_is_below_half_of_the_others_at_the_same_epoch():
    done = [trial(n, 0.5 + n / 10, 0.1 + n / 10, 0.5 + n / 10) for n in range(5)]  # medians 0.3 and 0.7
    pruner = Pruner("median", 4)
    assert pruner.hopeless(done, 9, [0.29])
    assert not pruner.hopeless(done, 9, [0.31])
    assert pruner.hopeless(done, 9, [0.4, 0.69])
    assert not pruner.hopeless(done, 9, [0.2, 0.71])
    assert not pruner.hopeless(done[:3], 9, [0.0])  # too few to judge by
    assert not pruner.hopeless(done, 9, [0.1, 0.1, 0.1, 0.1])  # it is over anyway
    assert not Pruner("none", 4).hopeless(done, 9, [0.0])


def test_hyperband_ends_most_of_the_bad_ones_and_none_that_leads():
    pruner, over, ended = Pruner("hyperband", 9, seed=1), [], 0
    for number in range(30):
        quality = 1.0 if number == 20 else (number * 7 % 30) / 60
        seen: list[float | None] = []
        for epoch in range(9):
            seen.append(quality + epoch / 1000)
            if pruner.hopeless(over, number, seen):
                assert number != 20
                ended += 1
                break
        over.append(trial(number, quality, *[each for each in seen if each is not None]))
    assert ended >= 10


def test_hyperband_goes_on_after_a_resume_as_without():
    one, other, over = Pruner("hyperband", 9, seed=1), Pruner("hyperband", 9, seed=1), []
    for number in range(12):
        seen = [(number * 7 % 12) / 12 + epoch / 100 for epoch in range(3)]
        answers = [one.hopeless(over, number, seen[: epoch + 1]) for epoch in range(3)]
        assert answers is not None
        over.append(trial(number, seen[-1], *seen))
    late = [0.01, 0.02, 0.03]
    assert [one.hopeless(over, 12, late[:n]) for n in (1, 2, 3)] == [
        other.hopeless(over, 12, late[:n]) for n in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("1h30m", 5400), ("1.5 h", 5400), ("2d", 172800)]
)
def test_times(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "m", "30x", "-5m", "0m"])
def test_no_times(text):
    with pytest.raises(ValueError, match="30m"):
        seconds_of(text)


def judged(best: list[float], base: list[float], *, up: bool = True, confirm: int = 3, measured: Any = None) -> Any:
    first = Trial(0, BASE, 0, {}, {}, (), base[0])
    other = Trial(1, SEARCH, 0, {"train.mixup": 0.1}, {}, (), best[0])
    again = [replace(first, again=n, score=score) for n, score in enumerate(base[1:], 1)]
    again += [replace(other, again=n, score=score) for n, score in enumerate(best[1:], 1)]
    return verdict.verdict([first, other, *again], verdict.Judging("f1", up, confirm), measured)


class Difference:
    n_photos = 50

    def __init__(self, value: float, low: float, high: float) -> None:
        self.value, self._ends = value, (low, high)

    def at(self) -> Interval:
        return Interval(*self._ends)


def test_better_beyond_seeds_and_photos():
    found = judged([0.9, 0.9, 0.91, 0.92], [0.7, 0.71, 0.72, 0.7], measured=Difference(0.2, 0.1, 0.3))
    assert (found.better, found.propose) == (True, True)
    assert "within noise" not in found.said


def test_seeds_that_overlap_or_photos_that_do_not_tell_are_no_proof():
    overlap = judged([0.9, 0.7, 0.91, 0.92], [0.7, 0.71, 0.72, 0.7], measured=Difference(0.2, 0.1, 0.3))
    photos = judged([0.9, 0.9, 0.91, 0.92], [0.7, 0.71, 0.72, 0.7], measured=Difference(0.2, -0.1, 0.3))
    assert (overlap.better, overlap.propose) == (False, True)
    assert (photos.better, photos.propose) == (False, True)
    assert "within noise" in photos.said


def test_what_is_worse_with_other_seeds_is_not_proposed():
    found = judged([0.9, 0.5, 0.5, 0.5], [0.7, 0.71, 0.72, 0.7])
    assert (found.better, found.propose) == (False, False)
    assert "nothing is proposed" in found.said


def test_lower_is_better_of_errors():
    found = judged([2.0, 2.1, 2.0, 2.2], [3.0, 3.1, 3.2, 3.0], up=False, measured=Difference(-1.0, -1.4, -0.6))
    assert (found.best.number, found.better, found.propose) == (1, True, True)


def test_without_fresh_seeds_it_stays_open():
    found = judged([0.9], [0.7], measured=Difference(0.2, 0.1, 0.3))
    assert (found.better, found.propose) == (None, True)
    assert "may be luck" in found.said


def test_a_project_whose_own_settings_fail_gets_the_best_of_the_others():
    first = Trial(0, BASE, 0, {}, {}, (), None, FAILED, 1.0, "the loss is not finite")
    found = verdict.verdict([first, Trial(1, SEARCH, 0, {}, {}, (), 0.6)], verdict.Judging("f1", True, 3), None)
    assert found is not None
    assert found.propose
    assert "not finite" in found.said


def test_a_journal_holds_what_was_tried_and_mends_its_end(tmp_path):
    axes = (Axis("a", 0.1, 1.0, log=True), Axis("b", words=("x", "y")))
    first = Trial(0, BASE, 0, {}, {"a": 0.3}, (0.1, None, 0.3), 0.4)
    second = Trial(1, SEARCH, 0, {"a": 0.2}, {"a": 0.2, "b": "y"}, (0.1,), None, PRUNED, 1.5)
    held = journal.opened(tmp_path, axes, up=True)
    held.add(first)
    held.add(second)
    with (tmp_path / journal.LOG).open("ab") as file:
        file.write(b'{"torn')
    again = journal.opened(tmp_path, axes, up=True)
    again.add(replace(first, number=2))
    assert journal.opened(tmp_path, axes, up=True).trials() == [first, second, replace(first, number=2)]
