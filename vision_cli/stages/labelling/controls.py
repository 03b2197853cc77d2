"""What people are to give: classes of a photo, boxes, polygons ... and the set-up of the tool that asks for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from vision_cli.core.catalogue import suggestion
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import UsageError
from vision_cli.core.origin import Origin
from vision_cli.formats import conserving
from vision_cli.formats.labelstudio import config as studio
from vision_cli.formats.labelstudio.reading import LAYOUT, TASKS
from vision_cli.formats.labelstudio.rows import OTHER_RESULTS

ASKED = {
    "class": "choices",
    "classes": "choices",
    "value": "number",
    "boxes": "rectangle",
    "polygons": "polygon",
    "masks": "brush",
    "keypoints": "keypoint",
}
"""What `--ask` takes, and the control of Label Studio that gives it."""
_OF_TASK = {"classify": "class", "multilabel": "classes", "regress": "value"}
_SINGLE = b'choice="single"'
_MULTIPLE = b'choice="multiple"'


def asked(said: Sequence[str], whole: Dataset, task: str | None, has_model: bool) -> tuple[str, ...]:
    """Return what people are to give: what was said, else what the labels are, else what the task needs.

    Raises:
        UsageError: an unknown word.
    """
    for word in said:
        if word not in ASKED:
            guess = suggestion(word, list(ASKED))
            hint = f"Did you mean '{guess}'? " if guess else ""
            raise UsageError(f"--ask {word}: nothing is called so.", hint=f"{hint}Known: {', '.join(ASKED)}.")
    if said:
        return tuple(dict.fromkeys(said))
    kinds = conserving.shapes(whole.annotations)
    found = [
        name
        for name, rows in (
            ("boxes", kinds.box & ~kinds.polygons & ~kinds.mask & ~kinds.keypoints),
            ("polygons", kinds.polygons),
            ("masks", kinds.mask),
            ("keypoints", kinds.keypoints),
            ("value", kinds.value),
        )
        if rows.any()
    ]
    if kinds.label.any():
        found.append("classes" if int(whole.class_matrix().sum(axis=1).max(initial=0)) > 1 else "class")
    if not found and (task is not None or has_model):
        found.append(_OF_TASK[task or "classify"])
    return tuple(found) or ("boxes",)


def as_predictions(dataset: Dataset) -> Dataset:
    """Return the data set with a score for each annotation: Label Studio shows predictions to be corrected.

    What the data has already is as sure as can be.
    """
    dataset, table = _others_predicted(dataset), dataset.annotations
    if "score" not in table.column_names:
        return replace(dataset, annotations=table.append_column("score", pa.array(np.ones(table.num_rows))))
    at = table.schema.get_field_index("score")
    return replace(dataset, annotations=table.set_column(at, "score", table["score"].fill_null(1.0)))


def _others_predicted(dataset: Dataset) -> Dataset:
    """Put what Label Studio knows beside labels into predictions, too: no task of an export is answered."""
    images = dataset.images
    at = images.schema.get_field_index(OTHER_RESULTS)
    if at < 0:
        return dataset
    texts = [None if text is None else _predicted(text) for text in images[OTHER_RESULTS].to_pylist()]
    return replace(dataset, images=images.set_column(at, OTHER_RESULTS, pa.array(texts, pa.string())))


def _predicted(text: str) -> str:
    try:
        found = json.loads(text)
        return json.dumps([{"prediction_id": None, "result": each["result"]} for each in found], ensure_ascii=False)
    except (ValueError, TypeError, KeyError):  # a column of somebody else
        return text


def set_up(dataset: Dataset, words: Sequence[str]) -> Dataset:
    """Return the data set with an origin that carries Label Studio's set-up for what people are to give."""
    controls = list(dict.fromkeys(ASKED[word] for word in words))
    whole = {"choices", "number"}
    config = studio.config_of(
        dataset.classes.names,
        [control for control in controls if control not in whole],
        choices="choices" in controls,
        number="number" in controls,
    )
    if "class" in words and "classes" not in words:
        config = config.replace(_MULTIPLE, _SINGLE)
    header = {studio.CONFIG: config, LAYOUT: TASKS}
    return replace(dataset, origins={"tasks": Origin("labelstudio", header=header)})
