"""Every metric of objects with its interval over photos, from one evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_cli.core.detections import Floats
from vision_cli.core.measurement import Measurement, Spread
from vision_cli.metrics.detection import ObjectsMeasured, ObjectsRequest, arrays, is_ap_at, keypoints
from vision_cli.metrics.detection import confusion as confusing
from vision_cli.metrics.detection import counts as counting
from vision_cli.metrics.detection import decisions as deciding
from vision_cli.metrics.detection import errors as telling
from vision_cli.metrics.detection.confidence import Decisions, decide, thresholds_of
from vision_cli.metrics.detection.crosscheck import crosscheck
from vision_cli.metrics.detection.evaluator import AREAS, COCO_IOUS, HIT, MAX_DETECTIONS, Judged, about, evaluate
from vision_cli.metrics.detection.pairs import Pairs, pairs
from vision_cli.metrics.detection.ranked import EVERY_POINT, VOC2007_POINTS, Ranked, Weights
from vision_cli.metrics.detection.spreads import Moments, share
from vision_cli.metrics.detection.tables import (
    Question,
    Table,
    coco_questions,
    lifts,
    number_of_resamples,
    observed,
    resampled,
    tallies,
)
from vision_cli.metrics.detection.voc import ranking as voc_ranking
from vision_cli.metrics.intervals import Macro
from vision_cli.metrics.subject import Figures, combined

_VOC = {"voc2007_ap": VOC2007_POINTS, "voc2012_ap": EVERY_POINT}
_MOST_NAMES = 10


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """One evaluation and what was found in it."""

    request: ObjectsRequest
    judged: Judged
    decisions: Decisions
    tables: list[Table]
    resamples: int

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the classes."""
        return self.request.classes.names


def measure(request: ObjectsRequest) -> ObjectsMeasured:
    """Measure every metric of objects; see `detection.measure`."""
    truth, said, n_classes = request.truth, request.detections, len(request.classes)
    asked = tuple(name for name in dict.fromkeys(request.names) if is_ap_at(name))
    more = tuple(int(name[2:]) / 100 for name in asked)
    thresholds = thresholds_of(request.confidences, n_classes)
    judged = evaluate(truth, said, n_classes, kind=request.kind, more_ious=more)
    checked = {"crosscheck": crosscheck(judged)} if request.crosscheck else {}
    matching = judged.matching()
    overlaps = pairs(truth, said, request.kind, telling.BACKGROUND_IOU)
    decisions, found = decide(judged, matching, thresholds), telling.errors(judged, matching, overlaps)
    fixed = {f"error_{kind}": table for kind, table in telling.rankings(judged, matching, found).items()}
    tables: list[Table] = [
        *coco_questions(judged, dict.fromkeys((*arrays.TWELVE, *asked))),
        *_voc_questions(judged, overlaps),
        *(Question(table, (name,), ((0,),)) for name, table in fixed.items()),
        tallies(judged, decisions),
    ]
    resamples = number_of_resamples(tables, request.resamples)
    work = _Work(request, judged, decisions, tables, resamples)
    poses = keypoints.measure(request) if truth.n_photos and _posed(request) else None
    return ObjectsMeasured(
        _measurement(work, tuple(fixed), poses),
        arrays.curves(judged),
        confusing.confusion(judged, decisions, overlaps),
        found.counts(),
        _with_poses({**_settings(work), **checked}, poses),
    )


def _posed(request: ObjectsRequest) -> bool:
    return request.truth.keypoints is not None and request.detections.keypoints is not None


def _with_poses(settings: dict[str, Any], poses: keypoints.PoseFigures | None) -> dict[str, Any]:
    """Return the settings with those of keypoints, whose differences stand beside those of the objects."""
    if poses is None:
        return settings
    checked = {f"oks_{name}": each for name, each in poses.settings.get("crosscheck", {}).items()}
    found = {**settings, **{name: each for name, each in poses.settings.items() if name != "crosscheck"}}
    return {**found, "crosscheck": {**found["crosscheck"], **checked}} if checked else found


def _voc_questions(judged: Judged, overlaps: Pairs) -> list[Question]:
    table = voc_ranking(judged, overlaps)
    return [Question(table, (name,), ((0,),), points=points) for name, points in _VOC.items()]


def _settings(work: _Work) -> dict[str, Any]:
    confidences = sorted(set(work.decisions.thresholds.tolist()))
    return {
        **about(),
        "kind": work.request.kind,
        "ious": list(COCO_IOUS),
        "areas": list(AREAS),
        "most_detections": list(MAX_DETECTIONS),
        "confidence": confidences[0] if len(confidences) == 1 else work.decisions.thresholds.tolist(),
        "confidence_iou": 0.5,
        "resamples": work.resamples,
    }


def _measurement(work: _Work, fixed: tuple[str, ...], poses: Figures | None) -> Measurement:
    photos = work.judged.truth.n_photos
    if not photos:
        return Measurement({}, {}, 0, warnings=("there were no photos: nothing was measured.",))
    rng = np.random.default_rng(work.request.seed)
    figures, wholes = _observed(work, fixed)
    moments = Moments({**figures, **{f"whole {name}": np.array([value]) for name, value in wholes.items()}})
    for sums in resampled(work.tables, photos, work.resamples, rng):
        samples, means = _read(sums, fixed)
        moments.add({**samples, **{f"whole {name}": each for name, each in means.items()}})
    parts = [Figures(*_with_spreads(work, figures, wholes, moments), _warnings(work))]
    parts.append(Figures(*counting.measure(work.judged, work.decisions, work.names, work.resamples, rng)))
    parts += [poses] if poses is not None else []
    return combined(parts, photos)


def _observed(work: _Work, fixed: tuple[str, ...]) -> tuple[dict[str, Floats], dict[str, float]]:
    """Return the figures of classes, (C,), and those of the whole; COCO's are the evaluator's own."""
    sums = {name: each[:, None] for name, each in observed(work.tables, work.judged.truth.n_photos).items()}
    samples, means = _read(sums, fixed)
    figures: dict[str, Floats] = {name: each[:, 0].astype(np.float64) for name, each in samples.items()}
    wholes = {name: float(each[0, 0]) for name, each in means.items()}
    for name in (name for name in figures if arrays.is_coco(name)):
        figures[name] = arrays.by_class(work.judged, name)
        whole = arrays.whole(work.judged, name)
        wholes[name] = float("nan") if whole is None else whole
    return figures, wholes


def _read(sums: Mapping[str, Weights], fixed: tuple[str, ...]) -> tuple[dict[str, Weights], dict[str, Weights]]:
    """Return figures of classes, (C, R), and of the whole, (1, R), from what the tables gave."""
    tally = {name: sums[name] for name in ("hits", "said", "wanted")}
    samples = {name: each for name, each in sums.items() if name not in tally and name not in fixed}
    samples.update(deciding.by_class(tally))
    means = {name: deciding.mean(each) for name, each in samples.items()}
    means.update(deciding.micro(tally))
    means.update({name: _cost(sums[name], samples["ap50"]) for name in fixed})
    return samples, means


def _cost(fixed: Weights, now: Weights) -> Weights:
    """Return by how much mean AP rises; a class that has nothing left to find stays at 0, and in the mean."""
    return (deciding.mean(np.where(np.isnan(fixed) & ~np.isnan(now), 0, fixed)) - deciding.mean(now)).clip(0)


def _with_spreads(
    work: _Work, figures: dict[str, Floats], wholes: dict[str, float], moments: Moments
) -> tuple[dict[str, float | None], dict[str, Spread]]:
    values: dict[str, float | None] = {}
    spreads: dict[str, Spread] = {}
    supports, raised = _supports(work.tables), lifts(work.tables, work.judged.truth.n_photos)
    for name, value in wholes.items():
        support = supports.get(name, supports["hits"])
        # What an error costs is a difference of two average precisions, both of which chance lifts.
        lift = raised.get(name, np.zeros(len(work.names))) if name in figures else np.zeros(len(work.names))
        values[name] = value if np.isfinite(value) else None
        if name in figures:
            errors = moments.standard_errors(name)
            own = {f"{name}[{label}]": float(each) for label, each in zip(work.names, figures[name], strict=True)}
            values.update({key: each if np.isfinite(each) else None for key, each in own.items()})
            known = [(row, key) for row, key in enumerate(own) if values[key] is not None]
            spreads |= {
                key: share(own[key], float(errors[row]), support.of_class(row), float(lift[row])) for row, key in known
            }
        if np.isfinite(value):
            error, mean = float(moments.standard_errors(f"whole {name}")[0]), lift[np.isfinite(lift)]
            whole = share(value, error, support.whole(), float(mean.mean()) if mean.size else 0.0)
            parts = [(own[key], spreads[key]) for _, key in known] if name in figures else []
            spreads[name] = Macro(whole, tuple(parts)) if parts else whole
    return values, spreads


@dataclass(frozen=True, slots=True)
class _Support:
    """What figures stand on: photos with objects to find, and those objects."""

    table: Ranked

    def of_class(self, row: int) -> tuple[int, int]:
        return self.table.photos_with(row), int(self.table.wanted[row])

    def whole(self) -> tuple[int, int]:
        return len(np.unique(self.table.wanted_photo)), len(self.table.wanted_photo)


def _supports(tables: list[Table]) -> dict[str, _Support]:
    return {name: _Support(table.table) for table in tables for name in table.names}


def _silent(work: _Work) -> list[str]:
    """Return a warning where nothing is answered of classes that are there and that lower scores would find."""
    decisions, said = work.decisions, work.judged.detections
    answered = np.concatenate([decisions.hits, decisions.false])
    hits = np.flatnonzero(work.judged.matching().outcomes == HIT)
    counted = [np.bincount(said.class_id[rows], minlength=len(work.names)) for rows in (answered, hits)]
    told = []
    for row in np.flatnonzero((counted[0] == 0) & (counted[1] > 0)).tolist():
        surest = float(said.scores[hits][said.class_id[hits] == row].max())
        told.append(f"'{work.names[row]}' (surest {surest:.3g}, needed {decisions.thresholds[row]:.3g})")
    if not told:
        return []
    more = f" and of {len(told) - _MOST_NAMES} more classes" if len(told) > _MOST_NAMES else ""
    return [
        f"no answer is sure enough to count of {', '.join(told[:_MOST_NAMES])}{more}: "
        "precision, recall and F1 of it are 0 or unknown, and lower the means; AP, which takes every score, is not."
    ]


def _warnings(work: _Work) -> tuple[str, ...]:
    truth, said = work.request.truth, list(work.request.truth.notes)
    wanted = np.bincount(truth.class_id[work.decisions.wanted], minlength=len(work.names))
    absent = [name for name, number in zip(work.names, wanted, strict=True) if not number]
    if absent:
        shown = ", ".join(f"'{name}'" for name in absent[:_MOST_NAMES])
        more = f" and {len(absent) - _MOST_NAMES} more" if len(absent) > _MOST_NAMES else ""
        said.append(
            f"no object of {shown}{more}: nothing is measured for it, and the means stand on "
            f"{len(work.names) - len(absent)} of {len(work.names)} classes."
        )
    said += _silent(work)
    if not work.request.confidences:
        said.append("no confidence was chosen on validation photos: precision, recall, F1 and counts are those at 0.5.")
    if work.resamples < work.request.resamples:
        said.append(f"{work.resamples} bootstrap resamples instead of {work.request.resamples}: more would take long.")
    return tuple(said)
