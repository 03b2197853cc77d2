"""The same evaluation by pycocotools, the reference: slow, and only on what passed the range check."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from typing import Any

import numpy as np

from vision_cli.core.catalogue import require
from vision_cli.core.errors import AnswerIsNo
from vision_cli.metrics.detection.evaluator import KINDS, PACKAGE, Judged, document, results, set_params

MOST = 1e-6
"""How far a number of precision, recall or scores may be off."""


def crosscheck(judged: Judged, sigmas: tuple[float, ...] | None = None) -> dict[str, float]:
    """Return the largest difference to pycocotools in `precision`, `recall` and `scores`.

    Raises:
        MissingPartError: pycocotools is not installed.
        AnswerIsNo: a difference is above 1e-6.
    """
    require(("pycocotools",), extra="crosscheck", what="--crosscheck")
    reference = _reference(judged, sigmas)
    own = {"precision": judged.precision, "recall": judged.recall, "scores": judged.scores}
    found = {name: float(np.abs(each - reference[name]).max(initial=0.0)) for name, each in own.items()}
    wrong = {name: each for name, each in found.items() if not each <= MOST}
    if wrong:
        listed = ", ".join(f"{name} by {each:.2g}" for name, each in wrong.items())
        raise AnswerIsNo(
            f"{PACKAGE} and pycocotools differ: {listed}.",
            hint="Neither is to be trusted here: please report the data.",
        )
    return found


def _reference(judged: Judged, sigmas: tuple[float, ...] | None) -> dict[str, Any]:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with redirect_stdout(io.StringIO()):
        true, said = COCO(), COCO()
        true.dataset = document(judged.truth, judged.n_classes, judged.kind)
        said.dataset = results(judged.truth, judged.detections, judged.n_classes, judged.kind)
        true.createIndex()
        said.createIndex()
        judge = COCOeval(true, said, KINDS[judged.kind])
        set_params(judge, judged.ious, judged.kind, sigmas)
        judge.evaluate()
        judge.accumulate()
    return dict(judge.eval)
