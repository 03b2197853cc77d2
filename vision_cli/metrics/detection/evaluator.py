"""COCO's matching and arrays, by ultrafast-pycocotools: the same bits as pycocotools, in a hundredth of its time.

Why this library and not another: docs/metrics.md. It gives, beside the arrays, a verdict on each detection as columns;
every other figure of this room stands on those verdicts, so that none can contradict the AP beside it.
"""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from vision_cli.core.detections import Bools, Detections, Floats, Ints, Truth
from vision_cli.core.errors import DataError

Kind = Literal["boxes", "masks", "keypoints"]
PACKAGE = "ultrafast-pycocotools"
COCO_IOUS: tuple[float, ...] = tuple(np.linspace(0.5, 0.95, 10).tolist())
AREAS = ("all", "small", "medium", "large")
"""Square pixels: small is up to 32², medium up to 96²; the bounds belong to both."""
MAX_DETECTIONS = (1, 10, 100)
"""A class and photo."""
MAX_POSES = 20
IGNORED, HIT, FALSE = 0, 1, 2
KINDS = {"boxes": "bbox", "masks": "segm", "keypoints": "keypoints"}
COCO_SIGMAS = (0.26, 0.25, 0.25, 0.35, 0.35, 0.79, 0.79, 0.72, 0.72, 0.62, 0.62, 1.07, 1.07, 0.87, 0.87, 0.89, 0.89)
"""Tenths of COCO's 17 keypoints' standard deviations (nose, eyes … knees, ankles), as cocoeval.py has them."""


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """What became of each detection that the evaluator looked at, ordered by class, photo, falling score.

    Attributes:
        rows: int64 (D,), row of the detection.
        outcomes: uint8 (D, T): IGNORED, HIT or FALSE at each IoU.
    """

    rows: Ints
    outcomes: np.ndarray[Any, np.dtype[np.uint8]]

    def limited(self, judged: Judged, limit: int | None) -> Verdicts:
        """Return the verdicts on so many detections of a class and photo: the first are matched first."""
        if limit is None:
            return self
        said = judged.detections
        group = said.class_id[self.rows] * said.n_photos + said.photo[self.rows]
        starts = np.flatnonzero(np.diff(group, prepend=-1))
        place = np.arange(len(group)) - np.repeat(starts, np.diff(starts, append=len(group)))
        return Verdicts(self.rows[place < limit], self.outcomes[place < limit])


@dataclass(frozen=True, slots=True, eq=False)
class Matching:
    """What found what at IoU 0.5.

    Attributes:
        outcomes: uint8 (N,): IGNORED, HIT or FALSE of each detection; IGNORED where there were more than the limit.
        partners: int64 (N,): row of the object that a detection was matched with, ignored ones too; -1 for none.
    """

    outcomes: np.ndarray[Any, np.dtype[np.uint8]]
    partners: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One evaluation.

    Attributes:
        kind: what overlaps.
        truth: as it was judged.
        detections: likewise.
        n_classes: C.
        ious: float64 (T,); COCO's ten first.
        precision: float64 (T, 101, C, areas, limits), as pycocotools' `eval`; -1 where there is nothing to find.
        recall: float64 (T, C, areas, limits).
        scores: float64 (T, 101, C, areas, limits).
        evaluator: the library's own object.
    """

    kind: Kind
    truth: Truth
    detections: Detections
    n_classes: int
    ious: Floats
    precision: Floats
    recall: Floats
    scores: Floats
    evaluator: Any

    def order(self) -> tuple[Ints, Floats]:
        """Return rows and scores of the detections that were looked at, by class, photo, falling score."""
        found, _ = self.evaluator.per_instance(float(self.ious[0]))
        return found["dt_id"] - 1, found["score"]

    def verdicts(self, area: str, order: tuple[Ints, Floats]) -> Verdicts:
        """Return what became of each detection that was looked at; what is found of other sizes is ignored.

        The library keeps the outcomes at all IoUs to itself; its public columns are those of one IoU a call, in the
        same order, which the scores prove.
        """
        params = self.evaluator.params
        found = self.evaluator._engine.outcomes(params.areaRngLbl.index(area), params.maxDets[-1])
        if not np.array_equal(found["score"], order[1]):
            raise DataError(f"{PACKAGE} {version(PACKAGE)} orders its verdicts otherwise than this version of vision.")
        return Verdicts(order[0], found["outcome"])

    def matching(self) -> Matching:
        """Return what found what at IoU 0.5."""
        found, _ = self.evaluator.per_instance(float(self.ious[0]))
        rows, number = found["dt_id"] - 1, len(self.detections)
        partners, outcomes = np.full(number, -1, dtype=np.int64), np.full(number, IGNORED, dtype=np.uint8)
        partners[rows] = np.maximum(found["gt_id"] - 1, -1)
        outcomes[rows] = np.where(found["ignore"], IGNORED, np.where(found["gt_id"] > 0, HIT, FALSE))
        return Matching(outcomes, partners)

    def to_find(self, area: str = "all") -> Bools:
        """Return bool (M,): the objects of the truth that must be found."""
        low, high = self.evaluator.params.areaRng[self.evaluator.params.areaRngLbl.index(area)]
        wanted = ~self.truth.ignored & (self.truth.areas >= low) & (self.truth.areas <= high)
        if self.kind == "keypoints" and self.truth.keypoints is not None:
            wanted &= (self.truth.keypoints[:, :, 2] > 0).any(axis=1)
        return np.asarray(wanted, dtype=np.bool_)


def evaluate(  # noqa: PLR0913 - all but the first three are keywords
    truth: Truth,
    detections: Detections,
    n_classes: int,
    *,
    kind: Kind = "boxes",
    more_ious: tuple[float, ...] = (),
    sigmas: tuple[float, ...] | None = None,
) -> Judged:
    """Match detections with the truth as COCO does.

    Args:
        truth: crowds and difficult objects are ignored regions.
        detections: of the same photos.
        n_classes: of the class map.
        kind: what overlaps.
        more_ious: beside COCO's ten.
        sigmas: of `keypoints`, in pixels by the root of the object's area; COCO's 17 when None.

    Raises:
        DataError: numbers that nothing can have; see `Detections.check`.
    """
    import ultrafast_pycocotools

    check(truth, detections, n_classes, kind)
    ious = np.array(COCO_IOUS + tuple(sorted({each for each in more_ious if not np.isclose(each, COCO_IOUS).any()})))
    said = ultrafast_pycocotools.COCO(verbose=False)
    true = ultrafast_pycocotools.COCO(document(truth, n_classes, kind), verbose=False)
    with redirect_stdout(io.StringIO()):  # loadRes prints how far it is
        if kind == "boxes":
            said = true.loadRes(table(detections))
        else:
            said = ultrafast_pycocotools.COCO(results(truth, detections, n_classes, kind), verbose=False)
    judge = ultrafast_pycocotools.COCOeval(true, said, KINDS[kind], print_function=lambda _: None)
    set_params(judge, ious, kind, sigmas)
    judge.evaluate()
    judge.accumulate()
    found = judge.eval
    arrays = (found["precision"], found["recall"], found["scores"])
    return Judged(kind, truth, detections, n_classes, ious, *arrays, judge)


def set_params(judge: Any, ious: Floats, kind: Kind, sigmas: tuple[float, ...] | None) -> None:
    """Set what is not an evaluator's default; pycocotools' has the same names."""
    judge.params.iouThrs = ious
    if kind == "keypoints":
        judge.params.kpt_oks_sigmas = np.array(COCO_SIGMAS if sigmas is None else sigmas) / (
            10 if sigmas is None else 1
        )


def about() -> dict[str, str]:
    """Return name and version of the evaluator."""
    return {"evaluator": PACKAGE, "version": version(PACKAGE)}


def check(truth: Truth, detections: Detections, n_classes: int, kind: Kind) -> None:
    """Refuse what the evaluators were not made for, before they see it: pycocotools ends the process on some of it.

    Raises:
        DataError: naming the objects.
    """
    if not np.array_equal(truth.sizes, detections.sizes):
        raise DataError(f"labels of {truth.n_photos} photos and detections in {detections.n_photos} do not fit.")
    for objects in (truth, detections):
        places = {"boxes": objects.boxes, "masks": objects.masks, "keypoints": objects.keypoints}[kind]
        if places is None and len(objects):
            raise DataError(f"labels and detections both need {kind}.")
    truth.check(n_classes)
    detections.check(n_classes)


def document(truth: Truth, n_classes: int, kind: Kind) -> dict[str, Any]:
    """Return the truth as COCO's JSON document; ids are rows and classes plus one."""
    ids = zip(truth.photo.tolist(), truth.class_id.tolist(), truth.ignored.tolist(), truth.areas.tolist(), strict=True)
    annotations: list[dict[str, Any]] = [
        {"id": row, "image_id": photo + 1, "category_id": kind_id + 1, "iscrowd": int(crowd), "area": area}
        for row, (photo, kind_id, crowd, area) in enumerate(ids, start=1)
    ]
    _add_places(annotations, truth, kind)
    images = [{"id": row, "width": w, "height": h} for row, (w, h) in enumerate(truth.sizes.tolist(), start=1)]
    categories = [{"id": row, "name": str(row)} for row in range(1, n_classes + 1)]
    return {"images": images, "annotations": annotations, "categories": categories}


def table(detections: Detections) -> Floats:
    """Return float64 (N, 7): photo, x, y, width, height, score, class; ids are rows and classes plus one."""
    columns = (detections.photo + 1, detections.boxes, detections.scores, detections.class_id + 1)
    return np.column_stack(columns).astype(np.float64)


def results(truth: Truth, detections: Detections, n_classes: int, kind: Kind) -> dict[str, Any]:
    """Return detections as a COCO document, with the areas that pycocotools' `loadRes` gives them."""
    columns = (detections.photo.tolist(), detections.class_id.tolist(), detections.scores.tolist())
    annotations: list[dict[str, Any]] = [
        {"id": row, "image_id": photo + 1, "category_id": name + 1, "score": score, "iscrowd": 0}
        for row, (photo, name, score) in enumerate(zip(*columns, strict=True), start=1)
    ]
    _add_places(annotations, detections, kind)
    for row, area in zip(annotations, _areas(annotations, detections, kind), strict=True):
        row["area"] = area
    return {**document(truth.select(np.zeros(len(truth), np.bool_)), n_classes, kind), "annotations": annotations}


def _areas(annotations: list[dict[str, Any]], detections: Detections, kind: Kind) -> list[float]:
    from ultrafast_pycocotools import mask

    if kind == "masks":
        return list(np.asarray(mask.area([row["segmentation"] for row in annotations]), dtype=np.float64).tolist())
    if kind == "keypoints" and detections.keypoints is not None:
        return list(np.prod(np.ptp(detections.keypoints[:, :, :2], axis=1), axis=1).tolist())
    return list((detections.boxes[:, 2] * detections.boxes[:, 3]).tolist())


def _add_places(annotations: list[dict[str, Any]], objects: Truth | Detections, kind: Kind) -> None:
    if kind == "masks":
        for row, mask in zip(annotations, runs(objects), strict=True):
            row["segmentation"] = mask
        return
    for row, box in zip(annotations, objects.boxes.tolist(), strict=True):
        row["bbox"] = box
    if kind == "keypoints" and objects.keypoints is not None:
        for row, points in zip(annotations, objects.keypoints.tolist(), strict=True):
            row["keypoints"] = [number for point in points for number in point]
            row["num_keypoints"] = sum(seen > 0 for _, _, seen in points)


def runs(objects: Truth | Detections, rows: Ints | None = None) -> list[dict[str, Any]]:
    """Return masks as COCO's `size` and `counts`, of some rows or all; those of one photo share their size."""
    texts = pa.array([], pa.large_binary()) if objects.masks is None else objects.masks
    if rows is not None:
        sides = objects.sizes[objects.photo[rows], ::-1].tolist()
        counts = texts.take(pa.array(rows)).to_pylist()
        return [{"size": size, "counts": text} for size, text in zip(sides, counts, strict=True)]
    sizes = objects.sizes[:, ::-1].tolist()
    places = zip(objects.photo.tolist(), texts.to_pylist(), strict=True)
    return [{"size": sizes[photo], "counts": text} for photo, text in places]
