"""`vision data agreement`: how far several people agree, who does not, and what they agree on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np

from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Progress, Silent
from vision_cli.labelling import gathering, labels, places
from vision_cli.labelling.answers import Answers, Ints
from vision_cli.labelling.consensus import Consensus, consensus
from vision_cli.metrics import agreement, alpha
from vision_cli.metrics.bootstrap import Sums
from vision_cli.stages.labelling import answer_sets, task_writing
from vision_cli.stages.labelling.consensus import as_dataset
from vision_cli.stages.labelling.task_writing import Outcome, Target

Level = Literal["nominal", "ordinal", "interval"]
_RESAMPLES = 1000
_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class AgreementRequest:
    """What to compare.

    Attributes:
        answers: paths, or NAME=PATH.
        source_format: of all of them; found by itself when None.
        iou: smallest overlap of the same object.
        level: what differences between classes mean; values are always compared as intervals, too.
        votes: people who must have drawn an object of the consensus; more than half when None.
        target: where the consensus goes; None writes none.
        seed: of the intervals' resamples.
        images: folder that the answers' photo paths start from; their formats' own when None.
    """

    answers: tuple[str, ...]
    source_format: str | None = None
    iou: float = 0.5
    level: Level = "nominal"
    votes: int | None = None
    target: Target | None = None
    seed: int = 0
    images: Path | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A coefficient with its interval over photos.

    Attributes:
        value: None where it is not defined.
        interval: 95 %; None where it cannot be told.
    """

    value: float | None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people.

    Attributes:
        one: name.
        other: name.
        photos: that both answered.
        cohen_kappa: of the photos' classes; None without.
        objects: their objects; None without.
    """

    one: str
    other: str
    photos: int
    cohen_kappa: float | None
    objects: places.Tally | None


@dataclass(frozen=True, slots=True)
class Person:
    """One person against the others.

    Attributes:
        name: as the labels or the path say.
        photos: that this person and another answered.
        differs: share of comparisons of whole-photo classes with others that differ; None without.
        f1: agreement with the others on objects; None without.
    """

    name: str
    photos: int
    differs: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A photo that people disagree about.

    Attributes:
        photo: its id.
        agreement: 0 to 1: the share of pairs of people who agree, or F1 of their objects.
        said: what each person said.
    """

    photo: str
    agreement: float
    said: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AgreementResult:
    """How far people agree.

    Attributes:
        photos: in all.
        shared: that two or more people answered.
        known_by: what photos were known by: path, id or file name.
        annotators: names.
        iou: smallest overlap of the same object.
        labels: coefficients of whole-photo classes, by name; empty without such.
        values: coefficients of values.
        objects: coefficients of boxes and masks.
        classes: figures a class.
        pairs: of two people each.
        people: one against the others.
        disputes: photos, worst first.
        consensus: what they agree on; rows, ties and objects of too few people.
        ties: photo and what was said, where nobody has the most votes.
        outcome: of writing the consensus.
        notes: what else a reader must know.
    """

    photos: int
    shared: int
    known_by: str
    annotators: tuple[str, ...]
    iou: float
    labels: Mapping[str, Figure]
    values: Mapping[str, Figure]
    objects: Mapping[str, Figure]
    classes: Mapping[str, Mapping[str, float | int | None]]
    pairs: tuple[Pair, ...]
    people: tuple[Person, ...]
    disputes: tuple[Dispute, ...]
    consensus: Mapping[str, int]
    ties: tuple[tuple[str, str], ...]
    outcome: Outcome | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Tell whether the consensus could be written, if it was wanted."""
        return self.outcome is None or self.outcome.ok


def agree(request: AgreementRequest, progress: Progress | None = None) -> AgreementResult:
    """Compare what several people said.

    Raises:
        UsageError: an IoU or a number of votes that is none.
        DataError: answers are refused, or nobody shares a photo with another.
    """
    _check(request)
    known_by, parts, notes = answer_sets.parts(request.answers, request.source_format, images=request.images)
    answers = gathering.gather(parts)
    shared = int((answers.seen.sum(axis=1) > 1).sum())
    if not shared:
        raise DataError(
            f"no photo has answers of two people; {len(answers.photos)} photos, "
            f"{len(answers.annotators)} people: {', '.join(answers.annotators[:10])}.",
            hint="Give each person's answers as a path: NAME=PATH. Photos meet by path, id or file name.",
        )
    met = places.meetings(answers, request.iou)
    found = consensus(answers, request.iou, request.votes)
    outcome = None
    if request.target is not None:
        if not request.target.dry_run:
            task_writing.check(request.target)
        made = as_dataset(answers, found, parts)
        outcome = task_writing.publish(task_writing.draft(made, request.target), progress or Silent())
    return AgreementResult(
        photos=len(answers.photos),
        shared=shared,
        known_by=known_by,
        annotators=tuple(answers.annotators),
        iou=request.iou,
        labels=_labels(answers, request),
        values=_values(answers, request),
        objects=_objects(answers, met, request),
        classes=_classes(answers, met),
        pairs=tuple(_pairs(answers, met)),
        people=tuple(_people(answers, met)),
        disputes=tuple(_disputes(answers, met)),
        consensus=_counts(found),
        ties=tuple((answers.photos[tie.photo], tie.what) for tie in found.ties),
        outcome=outcome,
        notes=notes,
    )


def _check(request: AgreementRequest) -> None:
    if not 0 < request.iou <= 1:
        raise UsageError(f"--iou {request.iou}: an overlap lies above 0 and is at most 1.")
    if request.votes is not None and request.votes < 1:
        raise UsageError(f"--votes {request.votes}: at least one person must have drawn an object.")


def _figure(sums: Sums | None, seed: int) -> Figure:
    if sums is None or not np.isfinite(value := float(sums.values()[0])):
        return Figure(None)
    spread = sums.spreads(_RESAMPLES, np.random.default_rng(seed))[0]
    interval = None if spread is None else spread.at(_CONFIDENCE)
    return Figure(value, None if interval is None else (interval.low, interval.high))


def _labels(answers: Answers, request: AgreementRequest) -> dict[str, Figure]:
    """Return the coefficients of whole-photo classes."""
    found = labels.labels(answers)
    if found is None:
        return {}
    counts = found.counts()
    several = counts[counts.sum(axis=1) > 1]
    sums: dict[str, Sums | None] = {
        "pairwise": agreement.pairwise_agreement(counts),
        "fleiss_kappa": agreement.fleiss_kappa(several) if len(several) else None,
        "krippendorff_alpha": agreement.krippendorff_alpha(counts),
    }
    if len(answers.annotators) == 2:
        sums["cohen_kappa"] = _cohen(found.chosen, len(found.categories))
    if request.level != "nominal":
        places_of = labels.class_order(answers)
        of_level = alpha.ordinal_alpha if request.level == "ordinal" else alpha.interval_alpha
        sums[f"krippendorff_alpha_{request.level}"] = of_level(places_of)
    return {name: _figure(each, request.seed) for name, each in sums.items()}


def _cohen(chosen: Ints, categories: int) -> Sums | None:
    both = chosen[(chosen >= 0).all(axis=1)]
    return agreement.cohen_kappa(both[:, 0], both[:, 1], categories) if len(both) else None


def _values(answers: Answers, request: AgreementRequest) -> dict[str, Figure]:
    """Return the coefficients of values."""
    said = labels.values(answers)
    if said is None:
        return {}
    return {
        "krippendorff_alpha_ordinal": _figure(alpha.ordinal_alpha(said), request.seed),
        "krippendorff_alpha_interval": _figure(alpha.interval_alpha(said), request.seed),
    }


def _objects(answers: Answers, met: Sequence[places.Meeting], request: AgreementRequest) -> dict[str, Figure]:
    """Return the coefficients of boxes and masks."""
    if not answers.placed.any():
        return {}
    tally = places.tally(answers, met)
    by_photo = places.by_photo(answers, met)
    shared = by_photo[by_photo[:, 1] > 0]
    f1 = Sums(shared, lambda sums: (sums[:, 0] / np.maximum(sums[:, 1], 1e-300))[:, None]) if len(shared) else None
    classes = places.matched_classes(answers, met)
    kappa = agreement.cohen_kappa(classes[:, 0] + 1, classes[:, 1] + 1, len(answers.classes) + 1)
    return {
        "f1": _figure(f1, request.seed),
        "found": Figure(tally.found),
        "mean_iou": Figure(tally.mean_iou),
        "class_agreement": Figure(tally.class_agreement),
        "class_kappa": _figure(kappa if len(classes) else None, request.seed),
    }


def _classes(answers: Answers, met: Sequence[places.Meeting]) -> dict[str, dict[str, float | int | None]]:
    """Return figures a class: alpha of yes and no for whole photos, F1 for objects."""
    found: dict[str, dict[str, float | int | None]] = {}
    for class_id, name in enumerate(answers.classes.names):
        figures: dict[str, float | int | None] = {}
        said = labels.has_class(answers, class_id)
        if (said == 1).any():
            counts = np.stack([(said == 0).sum(axis=1), (said == 1).sum(axis=1)], axis=1)
            figures["photos"] = int((counts[:, 1] > 0).sum())
            figures["krippendorff_alpha"] = _figure_value(agreement.krippendorff_alpha(counts))
        tally = places.of_class(answers, met, class_id)
        if tally.objects:
            figures |= {"objects": tally.objects, "f1": tally.f1, "mean_iou": tally.mean_iou}
        if figures:
            found[name] = figures
    return found


def _figure_value(sums: Sums | None) -> float | None:
    value = float(sums.values()[0]) if sums is not None else float("nan")
    return value if np.isfinite(value) else None


def _pairs(answers: Answers, met: Sequence[places.Meeting]) -> list[Pair]:
    said, drawn = labels.labels(answers), answers.placed.any()
    found = []
    for one, other in combinations(range(len(answers.annotators)), 2):
        photos = int((answers.seen[:, one] & answers.seen[:, other]).sum())
        if not photos:
            continue
        kappa = None
        if said is not None:
            kappa = _figure_value(_cohen(said.chosen[:, [one, other]], len(said.categories)))
        mine = [each for each in met if (each.one, each.other) == (one, other)]
        tally = places.tally(answers, mine) if drawn else None
        found.append(Pair(answers.annotators[one], answers.annotators[other], photos, kappa, tally))
    return found


def _people(answers: Answers, met: Sequence[places.Meeting]) -> list[Person]:
    said = labels.labels(answers)
    shared = answers.seen.sum(axis=1) > 1
    found = []
    for who, name in enumerate(answers.annotators):
        mine = [each for each in met if who in (each.one, each.other)]
        photos = int((answers.seen[:, who] & shared).sum())
        differs = None if said is None else _differs(said.chosen, who)
        f1 = places.tally(answers, mine).f1 if answers.placed.any() else None
        found.append(Person(name, photos, differs, f1))
    return found


def _differs(chosen: Ints, who: int) -> float | None:
    others = np.delete(chosen, who, axis=1)
    compared = (others >= 0) & (chosen[:, [who]] >= 0)
    return float((compared & (others != chosen[:, [who]])).sum() / compared.sum()) if compared.any() else None


def _disputes(answers: Answers, met: Sequence[places.Meeting]) -> list[Dispute]:
    """Return the photos that people disagree about, worst first."""
    found = [*_label_disputes(answers), *_object_disputes(answers, met)]
    return sorted(found, key=lambda each: (each.agreement, each.photo))


def _label_disputes(answers: Answers) -> list[Dispute]:
    said = labels.labels(answers)
    if said is None:
        return []
    found = []
    for photo, row in enumerate(said.counts()):
        people = int(row.sum())
        if people > 1 and row.max() < people:
            share = float((row * (row - 1)).sum() / (people * (people - 1)))
            who = np.flatnonzero(said.chosen[photo] >= 0).tolist()
            told = {answers.annotators[each]: said.categories[said.chosen[photo, each]] for each in who}
            found.append(Dispute(answers.photos[photo], share, told))
    return found


def _object_disputes(answers: Answers, met: Sequence[places.Meeting]) -> list[Dispute]:
    sums = places.by_photo(answers, met)
    of_photo: dict[int, list[places.Meeting]] = {}
    for each in met:
        of_photo.setdefault(each.photo, []).append(each)
    found = []
    for photo in np.flatnonzero(sums[:, 0] < sums[:, 1]).tolist():
        mine = of_photo[photo]
        told = {}
        for who in sorted({person for each in mine for person in (each.one, each.other)}):
            own = places.tally(answers, [each for each in mine if who in (each.one, each.other)])
            told[answers.annotators[who]] = f"{len(answers.objects(photo, who))} objects, F1 {own.f1 or 0:.2f}"
        found.append(Dispute(answers.photos[photo], float(sums[photo, 0] / sums[photo, 1]), told))
    return found


def _counts(found: Consensus) -> dict[str, int]:
    whole = sum(each.box is None for each in found.rows)
    return {
        "labels": whole,
        "objects": len(found.rows) - whole,
        "ties": len(found.ties),
        "objects_of_too_few": int(sum(found.outvoted.values())),
    }
