"""Objects, true and found, as columns of one row a photo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vision_cli.core.detections import Detections, Objects, Truth


def columns(names: Sequence[str], truth: Truth, answers: Detections) -> dict[str, list[Any]]:
    """Return classes and boxes of the objects that are there, and classes, boxes and scores of those that were found.

    Args:
        names: of the classes.
        truth: of all photos.
        answers: that count, of the same photos.
    """
    there, found = _by_photo(truth), _by_photo(answers)
    texts = np.array(names, dtype=object)
    return {
        "truth": [texts[truth.class_id[rows]].tolist() for rows in there],
        "truth_boxes": [truth.boxes[rows].tolist() for rows in there],
        "predicted": [texts[answers.class_id[rows]].tolist() for rows in found],
        "boxes": [answers.boxes[rows].tolist() for rows in found],
        "confidence": [answers.scores[rows].tolist() for rows in found],
    }


def _by_photo(objects: Objects) -> list[Any]:
    """Return the rows of each photo's objects, in their order."""
    order = np.argsort(objects.photo, kind="stable")
    return np.split(order, np.searchsorted(objects.photo[order], np.arange(1, objects.n_photos)))
