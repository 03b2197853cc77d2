"""What YOLO rows cannot say, beyond what `CARRIES` names."""

from __future__ import annotations

import numpy as np

from vision_cli.core.conservation import Loss, Mask
from vision_cli.core.dataset import Dataset
from vision_cli.formats.conserving import shapes
from vision_cli.formats.yolo.shares import Objects, changes, objects
from vision_cli.formats.yolo.template import class_ids_of, source_of, templates
from vision_cli.formats.yolo.text import batches

_NO_FLAGS = (np.zeros(0, dtype=np.bool_),) * 4


def losses(dataset: Dataset) -> list[Loss]:
    """Return objects out of the photo, photos without a size, and details that share one row with another.

    Names: `out-of-frame` (clipped or dropped), `size` (no photo size, so no shares), `polygons` (fewer than three
    points, or keypoints in the same data set), `score` (not every object has one); allowed anyway: `bounds` (the box of
    a polygon row is the one around its points).
    """
    source = source_of(dataset)
    found = objects(dataset, source.shape)
    ids = np.array([*class_ids_of(dataset).values(), 0], dtype=np.int64)
    class_ids = ids[dataset.annotations["class_id"].fill_null(-1).to_numpy()]
    own = templates(dataset, found, source, class_ids)
    kept = np.array([text is not None for text in own], dtype=np.bool_) if own else np.zeros(len(found), dtype=np.bool_)
    return [loss for loss in _of_rows(dataset, found, kept) if loss.rows.any()]


def _of_rows(dataset: Dataset, found: Objects, kept: Mask) -> list[Loss]:
    parts = [changes(found, first, stop) for first, stop in batches(found.weights())]
    sized = np.asarray((found.sizes > 0).all(axis=1))
    clipped, outside, reshaped, broken = (np.concatenate(columns) for columns in zip(_NO_FLAGS, *parts, strict=True))
    negative = np.asarray(sized & (found.boxes[:, 2:] < 0).any(axis=1))
    alive = sized & ~negative & ~kept
    kinds = shapes(dataset.annotations)
    bare = kinds.keypoints & ~(kinds.box | kinds.polygons | kinds.mask)
    hidden = (kinds.polygons | kinds.mask) & alive & (found.keypoints is not None)
    return [
        Loss("keypoints", "annotation", "keypoints without a box", bare),
        Loss("size", "annotation", "photo of unknown size", ~sized),
        Loss("out-of-frame", "annotation", "out of frame", alive & outside),
        Loss("out-of-frame", "detail", "partly out of frame, clipped", alive & clipped & ~outside),
        Loss("polygons", "detail", "polygon -> box, fewer than 3 points", alive & broken),
        Loss("polygons", "detail", "polygon -> box, beside keypoints", hidden),
        Loss("bounds", "detail", "box -> the one around the polygon", alive & reshaped & ~outside, allowed=True),
        Loss("score", "detail", "not every object has one", _lonely_scores(dataset, found) & alive),
    ]


def _valid(dataset: Dataset, name: str) -> Mask:
    table = dataset.annotations
    if name not in table.column_names:
        return np.zeros(len(table), dtype=np.bool_)
    return np.asarray(table[name].is_valid().to_numpy(), dtype=np.bool_)


def _lonely_scores(dataset: Dataset, found: Objects) -> Mask:
    """Return the scores that cannot be written, for all rows have one or none has."""
    scores = _valid(dataset, "score")
    return scores if found.scores is None else np.zeros_like(scores)
