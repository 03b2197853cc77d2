"""Everything of an evaluation that resampled photos are weighted in: who found what, matched once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from vision_cli.core.detections import Floats
from vision_cli.metrics.bootstrap import draws
from vision_cli.metrics.detection import ranked
from vision_cli.metrics.detection.arrays import cell
from vision_cli.metrics.detection.confidence import Decisions
from vision_cli.metrics.detection.evaluator import FALSE, HIT, Judged
from vision_cli.metrics.detection.ranked import Ranked, Weights, rank

_COLUMNS = 200
"""Resamples at once: so many keep the sums of a class within the processor's cache."""
_MOST_WORK = 6e9
"""Sums; some ten seconds. Beyond it fewer resamples are drawn, down to the next figure."""
_FEWEST_RESAMPLES = 200
_WORK_A_VERDICT = 12

ByClass = Mapping[str, Weights]
"""Figures of classes under weights, (C, R) each; NaN where not defined."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One ranking and the numbers that are read from it.

    Attributes:
        table: the ranking; one column of outcomes for each IoU.
        names: of the numbers, each the mean of some columns.
        columns: of each number.
        recalls: whether they are recalls; else average precisions.
        points: recalls at which precision is read.
    """

    table: Ranked
    names: tuple[str, ...]
    columns: tuple[tuple[int, ...], ...]
    recalls: bool = False
    points: int = ranked.COCO_POINTS

    def figures(self, weights: Weights) -> ByClass:
        """Return the numbers under weights of photos, (P, R)."""
        if self.recalls:
            found = ranked.recalls(self.table, weights)
        else:
            found = ranked.average_precisions(self.table, weights, self.points)
        pairs = zip(self.names, self.columns, strict=True)
        return {name: found[:, list(columns)].mean(axis=1) for name, columns in pairs}

    @property
    def work(self) -> float:
        """Return how many sums one resample takes."""
        outcomes = self.table.outcomes
        varying = (outcomes == HIT).any(axis=1).sum() * outcomes.shape[1] * _WORK_A_VERDICT
        return float(varying + (0 if self.recalls else (outcomes == FALSE).all(axis=1).sum()))


@dataclass(frozen=True, slots=True, eq=False)
class Tallies:
    """Decisions at the declared confidences: the sums that precision, recall and F1 are made of."""

    table: Ranked
    names: tuple[str, ...] = ("hits", "said", "wanted")

    def figures(self, weights: Weights) -> ByClass:
        """Return `hits`, `said` and `wanted` under weights of photos, (C, R) each."""
        said = np.zeros((self.table.n_classes, weights.shape[1]), dtype=weights.dtype)
        for name in range(self.table.n_classes):
            said[name] = weights[self.table.of_class(name)[0]].sum(axis=0)
        return {
            "hits": ranked.hits(self.table, weights)[:, 0],
            "said": said,
            "wanted": ranked.totals(self.table, weights),
        }

    @property
    def work(self) -> float:
        """Return how many sums one resample takes."""
        return float(len(self.table.photo) + len(self.table.wanted_photo))


Table = Question | Tallies


def coco_questions(judged: Judged, names: Iterable[str]) -> list[Question]:
    """Return the rankings behind COCO's numbers, one for each size of objects and limit of detections."""
    groups: dict[tuple[str, int | None, bool], list[str]] = {}
    for name in names:
        asked = cell(name)
        limit = asked.limit if asked.limit != judged.evaluator.params.maxDets[-1] else None
        groups.setdefault((asked.area, limit, asked.recalls), []).append(name)
    order, tables = judged.order(), {}
    for area, limit in dict.fromkeys((area, limit) for area, limit, _ in groups):
        tables[area, limit] = ranked.ranked(judged, judged.verdicts(area, order).limited(judged, limit), area)
    return [
        Question(
            tables[area, limit],
            tuple(members),
            tuple(tuple(cell(name).ious(judged)) for name in members),
            recalls,
        )
        for (area, limit, recalls), members in groups.items()
    ]


def tallies(judged: Judged, decisions: Decisions) -> Tallies:
    """Return the decisions at the declared confidences."""
    rows = np.concatenate([decisions.hits, decisions.false])
    outcomes = np.repeat([HIT, FALSE], [len(decisions.hits), len(decisions.false)]).astype(np.uint8)
    said, truth = judged.detections, judged.truth
    return Tallies(
        rank(
            judged.n_classes,
            (said.class_id[rows], said.photo[rows], said.scores[rows], outcomes[:, None]),
            (truth.class_id[decisions.wanted], truth.photo[decisions.wanted]),
        )
    )


def observed(tables: Iterable[Table], n_photos: int) -> dict[str, Floats]:
    """Return the figures of the photos themselves, (C,)."""
    once = np.ones((n_photos, 1))
    return {name: np.asarray(each[:, 0]) for table in tables for name, each in table.figures(once).items()}


def lifts(tables: Iterable[Table], n_photos: int) -> dict[str, Floats]:
    """Return by how much chance lifts average precisions of few photos, (C,) by name.

    Of very many photos precision falls with recall all the way; of few it goes up and down by chance, its best values
    count, and each hit counts itself. In simulations with 67 objects a class AP50 lay 0.04 too high by that, as much as
    its standard error (tests/metrics/test_detection_coverage.py).
    """
    once = np.ones((n_photos, 1))
    found: dict[str, Floats] = {}
    for table in tables:
        if isinstance(table, Question) and not table.recalls:
            plain = ranked.average_precisions(table.table, once, ranked.OF_OTHERS)
            read = ranked.average_precisions(table.table, once, table.points)
            lift = (read - plain).clip(0)[:, :, 0]
            pairs = zip(table.names, table.columns, strict=True)
            found.update({name: lift[:, list(columns)].mean(axis=1) for name, columns in pairs})
    return found


def number_of_resamples(tables: Iterable[Table], wanted: int) -> int:
    """Return how many resamples are drawn: as many as wanted, or 200 and more where they would take long."""
    work = sum(table.work for table in tables)
    return min(wanted, max(_FEWEST_RESAMPLES, int(_MOST_WORK / max(work, 1.0))))


def resampled(tables: list[Table], n_photos: int, resamples: int, rng: np.random.Generator) -> Iterator[ByClass]:
    """Yield the figures of resampled photos, (C, r), in parts that add up to the resamples."""
    for counts in draws(np.ones(n_photos, dtype=np.int64), resamples, rng):
        for first in range(0, len(counts), _COLUMNS):
            weights = np.ascontiguousarray(counts[first : first + _COLUMNS].T, dtype=np.float32)
            yield {name: each for table in tables for name, each in table.figures(weights).items()}
