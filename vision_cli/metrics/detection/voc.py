"""Average precision as Pascal VOC's development kit has it (Everingham et al. 2010, IJCV 88:303; VOCevaldet.m).

A detection is compared with the one object of its class that it overlaps most, at 0.5 or more; the first of those that
choose an object is right, the others are false. A difficult object need not be found, and what finds it counts neither
way. The kit's boxes count pixels, so it adds 1 to widths: on boxes that count edges that is the plain overlap.
Precision is read at 11 recalls (until 2009) or wherever recall rises (from 2010 on). All detections count.
"""

from __future__ import annotations

import numpy as np

from vision_cli.core.detections import Ints
from vision_cli.metrics.detection.evaluator import FALSE, HIT, IGNORED, Judged
from vision_cli.metrics.detection.pairs import Pairs
from vision_cli.metrics.detection.ranked import Ranked, rank

IOU = 0.5


def ranking(judged: Judged, overlaps: Pairs) -> Ranked:
    """Rank the detections by the kit's rules."""
    truth, said = judged.truth, judged.detections
    outcomes = _outcomes(judged, overlaps)
    wanted = ~truth.ignored
    return rank(
        judged.n_classes,
        (said.class_id, said.photo, said.scores, outcomes[:, None].astype(np.uint8)),
        (truth.class_id[wanted], truth.photo[wanted]),
    )


def _outcomes(judged: Judged, overlaps: Pairs) -> Ints:
    truth, said = judged.truth, judged.detections
    own = overlaps.where(said.class_id[overlaps.said] == truth.class_id[overlaps.true])
    iou, true = own.best(len(said))
    near = np.flatnonzero(iou >= IOU)
    outcomes = np.full(len(said), FALSE, dtype=np.int64)
    outcomes[near[truth.ignored[true[near]]]] = IGNORED
    counted = near[~truth.ignored[true[near]]]
    ordered = counted[np.lexsort((counted, -said.scores[counted], true[counted]))]
    outcomes[ordered[np.flatnonzero(np.diff(true[ordered], prepend=-1))]] = HIT
    return outcomes
