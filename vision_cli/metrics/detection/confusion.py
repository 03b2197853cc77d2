"""Which class is taken for which, with background: at the declared confidences and IoU 0.5."""

from __future__ import annotations

import numpy as np

from vision_cli.core.detections import Ints
from vision_cli.metrics.detection.confidence import IOU, Decisions
from vision_cli.metrics.detection.evaluator import Judged
from vision_cli.metrics.detection.pairs import Pairs


def confusion(judged: Judged, decisions: Decisions, overlaps: Pairs) -> Ints:
    """Return int64 (C + 1, C + 1): rows are the truth, columns what was said, the last of each is background.

    The diagonal is the hits that recall and precision count. What is left over on both sides is paired by overlap,
    the largest first: those are the objects taken for another class. The rest are false alarms (last row) and misses
    (last column).
    """
    truth, said, nothing = judged.truth.class_id, judged.detections.class_id, judged.n_classes
    matrix = np.zeros((nothing + 1, nothing + 1), dtype=np.int64)
    np.add.at(matrix, (said[decisions.hits], said[decisions.hits]), 1)
    false, missed = (np.zeros(len(each), dtype=np.bool_) for each in (said, truth))
    false[decisions.false], missed[decisions.missed] = True, True
    left = overlaps.where((overlaps.iou >= IOU) & false[overlaps.said] & missed[overlaps.true])
    taken = _paired(left)
    np.add.at(matrix, (truth[taken.true], said[taken.said]), 1)
    false[taken.said], missed[taken.true] = False, False
    np.add.at(matrix, (np.full(int(false.sum()), nothing), said[false]), 1)
    np.add.at(matrix, (truth[missed], np.full(int(missed.sum()), nothing)), 1)
    return matrix


def _paired(left: Pairs) -> Pairs:
    """Return pairs in which nothing occurs twice, the largest overlaps first."""
    left = left.where(np.lexsort((left.true, left.said, -left.iou)))
    taken = []
    while len(left.said):
        # A pair that is the first of both its sides comes before every other pair of theirs.
        place = np.arange(len(left.said))
        firsts = np.zeros(len(place), dtype=np.bool_)
        _, said = np.unique(left.said, return_index=True)
        _, true = np.unique(left.true, return_index=True)
        firsts[np.intersect1d(said, true)] = True
        chosen = left.where(firsts)
        taken.append(chosen)
        left = left.where(~np.isin(left.said, chosen.said) & ~np.isin(left.true, chosen.true))
    if not taken:
        return left
    return Pairs(*(np.concatenate([getattr(each, name) for each in taken]) for name in ("said", "true", "iou")))
