"""COCO's summary numbers from the evaluator's arrays, whole and a class, as pycocotools' `summarize` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vision_cli.core.detections import Floats
from vision_cli.metrics.detection import is_ap_at
from vision_cli.metrics.detection.evaluator import COCO_IOUS, Judged

TWELVE = (
    *("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large"),
    *("ar_1", "ar_10", "ar_100", "ar_small", "ar_medium", "ar_large"),
)
"""COCO's twelve numbers, in its order."""
POSES = (
    *("oks_ap", "oks_ap50", "oks_ap75", "oks_ap_medium", "oks_ap_large"),
    *("oks_ar", "oks_ar50", "oks_ar75", "oks_ar_medium", "oks_ar_large"),
)
"""COCO's ten numbers of keypoints, in its order."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What of an evaluation a number is the mean of.

    Attributes:
        recalls: of recall instead of precision.
        area: of the objects.
        limit: detections a class and photo; the evaluation's largest when None.
        iou: one only; COCO's ten when None.
    """

    recalls: bool = False
    area: str = "all"
    limit: int | None = None
    iou: float | None = None

    def ious(self, judged: Judged) -> list[int]:
        """Return the columns of its IoUs."""
        if self.iou is None:
            return list(range(len(COCO_IOUS)))
        return [int(np.flatnonzero(np.isclose(judged.ious, self.iou))[0])]


def cell(name: str) -> Cell:
    """Return what a metric is the mean of: `ap`, any `apNN`, `ap_small`, `ar_10`, `oks_ap75` and the like."""
    plain = name.removeprefix("oks_")
    recalls, rest = plain.startswith("ar"), plain[2:].removeprefix("_")
    if rest.isdigit() and "_" in plain:
        return Cell(recalls, limit=int(rest))
    if rest.isdigit():
        return Cell(recalls, iou=int(rest) / 100)
    return Cell(recalls, area=rest or "all")


def by_class(judged: Judged, name: str) -> Floats:
    """Return float64 (C,): one number of each class; NaN where nothing is to find."""
    return np.array([_mean(each) for each in np.moveaxis(_values(judged, name), -1, 0)])


def whole(judged: Judged, name: str) -> float | None:
    """Return one number over all classes; None where nothing is to find."""
    found = _mean(_values(judged, name))
    return None if np.isnan(found) else found


def _values(judged: Judged, name: str) -> Floats:
    """Return the values behind a number, classes last."""
    asked, params = cell(name), judged.evaluator.params
    area = params.areaRngLbl.index(asked.area)
    limit = -1 if asked.limit is None else list(params.maxDets).index(asked.limit)
    array = judged.recall if asked.recalls else judged.precision
    return np.asarray(array[asked.ious(judged)][..., area, limit])


def _mean(values: Floats) -> float:
    known = values[values > -1]
    # pycocotools adds 2e-16 to what it divides by: perfect detections would have 0.9999999999999998.
    return round(float(known.mean()), 12) if known.size else float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Precision over recall at IoU 0.5.

    Attributes:
        recall: float64 (101,): 0, 0.01 … 1.
        precision: float64 (C, 101), the best at this recall or a higher one; NaN where nothing is to find.
        confidence: float64 (C, 101), at which it is reached; 0 where the recall is not reached.
    """

    recall: Floats
    precision: Floats
    confidence: Floats

    def as_json(self, names: tuple[str, ...]) -> dict[str, Mapping[str, list[float]]]:
        """Return `recall`, `precision` and `confidence` of each class that has objects."""
        known = [row for row in range(len(names)) if not np.isnan(self.precision[row, 0])]
        recall = self.recall.tolist()
        return {
            names[row]: {
                "recall": recall,
                "precision": self.precision[row].tolist(),
                "confidence": self.confidence[row].tolist(),
            }
            for row in known
        }


def curves(judged: Judged) -> Curves:
    """Return the curves that AP at IoU 0.5 is the area below."""
    precision, scores = (each[0, :, :, 0, -1].T for each in (judged.precision, judged.scores))
    known = precision > -1
    recall = np.asarray(judged.evaluator.params.recThrs)
    return Curves(recall, np.where(known, precision, np.nan), np.where(known, scores, 0.0))


def is_coco(name: str) -> bool:
    """Tell whether a number is one of the arrays' means."""
    return name in TWELVE or name in POSES or is_ap_at(name)
