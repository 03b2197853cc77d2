"""Is A better than B on this test set: yes, no, or not enough evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

from vision_cli.core.kpi import Interval, photos_to_settle
from vision_cli.metrics.paired import Difference, McNemar, differences, mcnemar
from vision_cli.stages.comparing.judged import Judged
from vision_cli.stages.comparing.rows import sign

Answer = Literal["yes", "no", "not enough evidence"]
_RIGHT_OR_WRONG = {"classify": ("top1", "accuracy", "top1_error"), "multilabel": ("exact_match",)}
"""Metrics that are shares of right photos, by task: McNemar's test has to agree."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two contenders on the same photos.

    Attributes:
        first: A's name.
        second: B's name.
        key: the metric that decides.
        confidence: of the intervals: with several pairs above 0.95, so that 0.95 holds of all of them together.
        differences: A - B of each metric.
        test: McNemar's, of the photos that each got right; None where that is no yes or no.
        answer: whether A is better than B.
        sentence: the same in words, with its figures.
        more_photos: about how many more test photos would tell; None where it is told, or cannot be estimated.
    """

    first: str
    second: str
    key: str
    confidence: float
    differences: Mapping[str, Difference]
    test: McNemar | None
    answer: Answer
    sentence: str
    more_photos: int | None

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        intervals = {key: each.at(self.confidence) for key, each in self.differences.items()}
        test = self.test and {
            "only_first": self.test.only_first,
            "only_second": self.test.only_second,
            "p": self.test.p,
        }
        return {
            "first": self.first,
            "second": self.second,
            "metric": self.key,
            "confidence": self.confidence,
            "answer": self.answer,
            "sentence": self.sentence,
            "more_photos": self.more_photos,
            "mcnemar": test,
            "differences": {
                key: {
                    "first": each.first,
                    "second": each.second,
                    "difference": each.value,
                    "interval": [intervals[key].low, intervals[key].high],
                }
                for key, each in self.differences.items()
            },
        }


def all_pairs(judged: Sequence[Judged], key: str, task: str, resamples: int, confidence: float) -> tuple[Pair, ...]:
    """Return every two contenders, the one named first as A.

    With several pairs each interval has a higher confidence (Bonferroni): of all the answers together at most 1 -
    `confidence` of such comparisons hold a wrong yes or no.
    """
    number = len(judged) * (len(judged) - 1) // 2
    level = 1 - (1 - confidence) / number
    return tuple(_pair(one, other, key, task, (resamples, level)) for one, other in combinations(judged, 2))


def _pair(one: Judged, other: Judged, key: str, task: str, how: tuple[int, float]) -> Pair:
    resamples, level = how
    found = differences(one.parts, other.parts, one.n_photos, resamples=resamples)
    test = mcnemar(one.right, other.right) if one.right is not None and other.right is not None else None
    names = (one.row.name, other.row.name)
    if key not in found:
        sentence = f"Is {names[0]} better than {names[1]} on this test set? Cannot tell: '{key}' has no such interval."
        return Pair(*names, key, level, found, test, "not enough evidence", sentence, None)
    interval, value = found[key].at(level), found[key].value
    answer = _answer(sign(key, task), interval)
    if test is not None and key in _RIGHT_OR_WRONG.get(task, ()) and test.p > 1 - level:
        answer = "not enough evidence"
    more = photos_to_settle(value, interval, 0.0, one.n_photos) if answer == "not enough evidence" else None
    return Pair(*names, key, level, found, test, answer, _sentence(names, key, found[key], interval, answer), more)


def _answer(better: int, interval: Interval) -> Answer:
    low, high = sorted((better * interval.low, better * interval.high))
    if low > 0:
        return "yes"
    return "no" if high < 0 else "not enough evidence"


def _sentence(names: tuple[str, str], key: str, found: Difference, interval: Interval, answer: Answer) -> str:
    first, second = names
    said = {"yes": "Yes", "no": f"No, {second} is better", "not enough evidence": "Not enough evidence"}[answer]
    told = (
        f"{key} {found.first:.4g} against {found.second:.4g}, difference {found.value:+.3g} "
        f"[{interval.low:+.3g}, {interval.high:+.3g}] at {100 * interval.confidence:.4g} % on {found.n_photos} photos"
    )
    alike = "; they answer alike on every photo" if not found.deciding and not found.value else ""
    return f"Is {first} better than {second} on this test set? {said}: {told}{alike}."
