"""`vision data gold`: mark a gold standard, and score deliveries against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli import metrics
from vision_cli.core import files, kpi
from vision_cli.core.catalogue import suggestion
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.kpi import Judgement, Kpi
from vision_cli.core.measurement import Measurement, Spread
from vision_cli.core.project import Project
from vision_cli.labelling import gathering, gold
from vision_cli.labelling.answers import Answers
from vision_cli.labelling.gathering import Part
from vision_cli.labelling.gold import Score
from vision_cli.metrics.bootstrap import Sums
from vision_cli.metrics.card import SHARE
from vision_cli.metrics.intervals import Floats, Share, effective_size
from vision_cli.stages import data
from vision_cli.stages.labelling import answer_sets, gold_text

GOLD = "(gold)"
FIGURES = ("precision", "recall", "f1", "class_accuracy", "mean_iou", "label_accuracy", "mae", "coverage")
"""Shares between 0 and 1, but for `mae`. What a bound may name; precision, recall and f1 also of a class: `f1[car]`."""
_ERROR = "mae"
OF_A_CLASS = ("precision", "recall", "f1")
_SHOWN = 20
_RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class MarkResult:
    """What was marked.

    Attributes:
        name: of the view or source.
        photos: of the gold standard.
        annotations: of those.
        file: project file.
        written: it says so now.
    """

    name: str
    photos: int
    annotations: int
    file: Path
    written: bool


@dataclass(frozen=True, slots=True)
class GoldRequest:
    """What to score.

    Attributes:
        project: its `data.gold` is the gold standard where `gold` is None.
        deliveries: paths, or NAME=PATH.
        gold: a view or a path.
        source_format: of the deliveries; found by themselves when None.
        iou: smallest overlap of the same object.
        bounds: such as `f1>0.95`.
        confidence: that the interval itself must keep the bound with; None judges the figure.
        seed: of the intervals' resamples.
    """

    project: Project
    deliveries: tuple[str, ...]
    gold: str | None = None
    source_format: str | None = None
    iou: float = 0.5
    bounds: tuple[str, ...] = ()
    confidence: float | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Scored:
    """One delivery, or one person of it.

    Attributes:
        name: as the labels or the path say.
        photos: gold photos that were answered.
        missing: gold photos that were not.
        values: by name of the figure.
        intervals: 95 %, by the same names.
        judgements: of the bounds.
    """

    name: str
    photos: int
    missing: int
    values: Mapping[str, float | None]
    intervals: Mapping[str, tuple[float, float]]
    judgements: tuple[Judgement, ...]

    @property
    def accepted(self) -> bool:
        """Tell whether every bound is kept."""
        return all(each.met for each in self.judgements)

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {
            "name": self.name,
            "accepted": self.accepted if self.judgements else None,
            "photos": self.photos,
            "missing": self.missing,
            "values": dict(self.values),
            "intervals": {name: list(ends) for name, ends in self.intervals.items()},
            "bounds": [each.as_json() for each in self.judgements],
        }


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one path holds.

    Attributes:
        whole: all of its answers together.
        people: one by one, where there are several.
    """

    whole: Scored
    people: tuple[Scored, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {**self.whole.as_json(), "annotators": [each.as_json() for each in self.people]}


@dataclass(frozen=True, slots=True)
class GoldResult:
    """How good deliveries are.

    Attributes:
        gold: view or path of the gold standard.
        photos: it has.
        known_by: what photos were known by.
        iou: smallest overlap of the same object.
        deliveries: in their order.
        notes: what else a reader must know.
    """

    gold: str
    photos: int
    known_by: str
    iou: float
    deliveries: tuple[Delivery, ...]
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether every delivery is accepted: of its answers together every bound is kept."""
        return all(each.whole.accepted for each in self.deliveries)


def mark(project: Project, name: str, *, dry_run: bool = False) -> MarkResult:
    """Say in the project file which view or source is the gold standard.

    Raises:
        UsageError: there is no project file, no such view or source, or no place in the file.
        DataError: the photos are refused, or have no labels.
    """
    if project.file is None:
        raise UsageError("there is no vision.yaml here or above.", hint="Write one with `vision init --data FOLDER`.")
    dataset = _gold_set(project, name)
    path = project.file.resolve()
    content = files.read_limited(path, max_bytes=1 << 20, what="the project file")
    text = files.utf8(content, where=str(project.file))
    new = gold_text.marked(text, name, file=project.file.name)
    if not dry_run:
        bom = b"\xef\xbb\xbf" if content.startswith(b"\xef\xbb\xbf") else b""
        files.write_bytes(path, bom + new.encode())
    return MarkResult(name, len(dataset), dataset.annotations.num_rows, project.file, not dry_run)


def score(request: GoldRequest) -> GoldResult:
    """Score deliveries against the gold standard.

    Raises:
        UsageError: no gold standard is named, or a bound or an IoU is none.
        DataError: gold or deliveries are refused, or a delivery answers no gold photo.
    """
    if not 0 < request.iou <= 1:
        raise UsageError(f"--iou {request.iou}: an overlap lies above 0 and is at most 1.")
    if request.confidence is not None and not request.bounds:
        raise UsageError("--confidence is of a bound.", hint="Add one: --bound 'f1>0.95'.")
    bounds = [_bound(text, request.confidence) for text in request.bounds]
    name = request.gold or request.project.config.data.gold
    if name is None:
        raise UsageError(
            "no gold standard is named.", hint="Mark one with `vision data gold mark VIEW`, or say --gold VIEW|PATH."
        )
    first = Part(GOLD, _nameless(_gold_set(request.project, name)), [])
    known_by, parts, notes = answer_sets.parts(request.deliveries, request.source_format, first=first)
    classes = dict.fromkeys(name for part in parts for name in part.dataset.classes.names)
    for bound in bounds:
        _check_class(bound, list(classes))
    found = tuple(_delivery(parts[0], part, request, bounds) for part in parts[1:])
    return GoldResult(name, len(parts[0].keys), known_by, request.iou, found, notes)


def _gold_set(project: Project, name: str) -> Dataset:
    sources = project.config.data.sources
    if name in sources and name not in project.config.data.views and name != data.ALL:
        dataset = answer_sets.in_edges(data.load_source(project, name))
    else:
        dataset = answer_sets.find(project, name)
    if not dataset.annotations.num_rows:
        raise DataError(f"{name}: has no labels.", hint="A gold standard is photos with labels that are right.")
    return dataset


def _nameless(dataset: Dataset) -> Dataset:
    """Leave out who labelled gold: it is one answer, and every photo of it is answered."""
    images, annotations = (
        table.drop_columns([name for name in names if name in table.column_names])
        for table, names in (
            (dataset.images, ("labelling", "label_file", "annotators")),
            (dataset.annotations, ("annotator",)),
        )
    )
    return replace(dataset, images=images, annotations=annotations)


def _bound(text: str, confidence: float | None) -> Kpi:
    found = kpi.parse(text, confidence=confidence)
    if found.metric not in FIGURES:
        raise UsageError(f"--bound {text}: nothing is called '{found.metric}'.", hint=f"Known: {', '.join(FIGURES)}.")
    metrics.check_range(found, "value" if found.metric == _ERROR else SHARE)
    return found


def _check_class(bound: Kpi, classes: list[str]) -> None:
    if bound.label is None:
        return
    if bound.metric not in OF_A_CLASS:
        raise UsageError(f"--bound {bound}: '{bound.metric}' is not measured a class.", hint="Leave the [class] away.")
    if bound.label not in classes:
        guess = suggestion(bound.label, classes)
        hint = f"Did you mean '{guess}'?" if guess else f"Classes: {', '.join(classes[:_SHOWN]) or 'none'}."
        raise UsageError(f"--bound {bound}: no class is called '{bound.label}'.", hint=hint)


def _delivery(first: Part, part: Part, request: GoldRequest, bounds: Sequence[Kpi]) -> Delivery:
    answers = gathering.gather([first, part])
    both = answers.seen & answers.seen[:, [gold.GOLD]]
    people = [who for who in range(len(answers.annotators)) if who != gold.GOLD and both[:, who].any()]
    if not people:
        raise DataError(
            f"{part.name}: answers none of {len(first.keys)} gold photos.",
            details=list(part.keys[:5]),
            hint="Photos meet by path, by the id of an export, or by file name.",
        )
    scores = {answers.annotators[who]: gold.score(answers, who, request.iou) for who in people}
    judge = _Judge(answers, request, bounds)
    each = tuple(judge.scored(name, found) for name, found in scores.items())
    return Delivery(judge.scored(part.name, gold.pooled(list(scores.values()))), each if len(each) > 1 else ())


@dataclass(frozen=True, slots=True)
class _Judge:
    """Turns tallies into figures and verdicts."""

    answers: Answers
    request: GoldRequest
    bounds: Sequence[Kpi]

    def scored(self, name: str, found: Score) -> Scored:
        """Return the figures of one person, or of all together."""
        gold_photos = int(self.answers.seen[:, gold.GOLD].sum())
        measured = _measure(found, self.answers.classes.names, gold_photos, self.request.seed)
        ends = {key: measured.interval_at(key) for key in measured.spreads}
        intervals = {key: (each.low, each.high) for key, each in ends.items() if each is not None}
        judgements = tuple(measured.judge(each, runtime="people") for each in self.bounds)
        photos = len(np.unique(found.photos))
        return Scored(name, photos, gold_photos - photos, measured.values, intervals, judgements)


def _measure(found: Score, names: Sequence[str], gold_photos: int, seed: int) -> Measurement:
    """Return the figures with their spreads: objects of one photo vary together, so photos are resampled."""
    figures: dict[str, tuple[Floats, Floats]] = {
        "precision": (found.hits, found.drawn),
        "recall": (found.hits, found.gold),
        "f1": (2 * found.hits, found.drawn + found.gold),
        "class_accuracy": (found.hits, found.matched),
        "mean_iou": (found.iou, found.matched),
    }
    for index, name in enumerate(names):
        hits, drawn, true = (each[:, index] for each in (found.hits_of, found.drawn_of, found.gold_of))
        figures |= {f"precision[{name}]": (hits, drawn), f"recall[{name}]": (hits, true)}
        figures[f"f1[{name}]"] = (2 * hits, drawn + true)
    says = ~np.isnan(found.right)
    figures["label_accuracy"] = (found.right[says], np.ones(int(says.sum())))
    values: dict[str, float | None] = {}
    spreads: dict[str, Spread] = {}
    for key, (above, below) in figures.items():
        if below.sum() <= 0:
            continue
        values[key] = float(above.sum() / below.sum())
        spreads[key] = _share(above, below, seed)
    values["coverage"] = len(np.unique(found.photos)) / gold_photos if gold_photos else None
    errors = found.errors[~np.isnan(found.errors)]
    if errors.size:
        values["mae"] = float(np.abs(errors).mean())
        spread = Sums(np.stack([np.abs(errors), np.ones(len(errors))], axis=1), _ratio).spreads(
            _RESAMPLES, np.random.default_rng(seed)
        )[0]
        spreads |= {} if spread is None else {"mae": spread}
    return Measurement(values, {}, len(found.photos), spreads=spreads)


def _ratio(sums: Floats) -> Floats:
    below = sums[:, 1:]
    return np.divide(sums[:, :1], below, out=np.full_like(below, np.nan), where=below > 0)


def _share(above: Floats, below: Floats, seed: int) -> Share:
    """Return a ratio of sums over photos as a share of as many trials as its bootstrap error speaks for."""
    value, trials = float(above.sum() / below.sum()), float(below.sum())
    if (below == 1).all() and np.isin(above, (0, 1)).all():  # a plain proportion of photos
        return Share(value, trials)
    sums = Sums(np.stack([above, below], axis=1), _ratio)
    error = float(sums.standard_errors(_RESAMPLES, np.random.default_rng(seed))[0])
    return Share(value, min(trials, effective_size(value, error, trials)))
