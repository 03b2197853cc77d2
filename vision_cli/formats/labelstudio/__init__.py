"""Label Studio's JSON and JSON-MIN exports, and tasks to import. See https://labelstud.io/guide/task_format.

A set is one JSON file, or a folder that holds one; `label_config.xml` beside it orders the classes. Each annotator's
annotations of a task are rows with `annotator` and the attribute `annotation_id`; of a task without any its predictions
are, with `prediction_id` and `score`. What was skipped is not read. Written are tasks that can be imported as they
are, their photos by `/data/local-files/?d=images/...` (LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT is the written folder).
"""

from __future__ import annotations

import re
from pathlib import Path

from vision_cli.core.conservation import Loss
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.origin import Pixels
from vision_cli.formats import ReadOptions, WriteOptions, Written, conserving
from vision_cli.formats.labelling_rows import reshaped
from vision_cli.formats.labelstudio import reading as labelstudio_read
from vision_cli.formats.labelstudio import writing as labelstudio_write
from vision_cli.formats.labelstudio.paths import candidates

CARRIES = frozenset(
    (
        *("class", "classes", "value", "box", "polygon", "polygons", "mask", "crowd", "keypoints", "rotation"),
        *("truncated", "occluded", "difficult", "score", "track", "annotator", "attributes", "area", "ids"),
        *("unlabelled", "split", "group", "metadata", "order", "no-class", "no-area", "out-of-frame", "no-image"),
    )
)
PIXELS: Pixels = "exclusive"

_HEAD_BYTES = 1 << 16
_LIST = re.compile(rb"\s*\[\s*(\{|\])")
_TASK = re.compile(rb'"data"\s*:\s*\{')
_MIN = re.compile(rb'"(annotation_id|annotator)"\s*:')
_EVIDENCE = re.compile(rb'"(annotations|predictions|from_name|completed_by|was_cancelled|image)"\s*:')


def detect(path: Path) -> str | None:
    """Return the evidence that a file, or a file in a folder, holds Label Studio's tasks."""
    for file in candidates(path):
        with file.open("rb") as stream:
            head = stream.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf")
        if not _LIST.match(head):
            continue
        if _TASK.search(head) and _EVIDENCE.search(head):
            return f"{file.name} is a list of tasks with `data` and annotations"
        if b'"annotation_id"' in head and _MIN.search(head):
            return f"{file.name} is a list of JSON-MIN objects with `annotation_id`"
    return None


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read one JSON file, or the only one of a folder that fits.

    Raises:
        DataError: no such file, not Label Studio's, tasks without one photo, or bad results: all at once, by task.
    """
    if path.is_file():
        return labelstudio_read.read(path, options)
    found = [file for file in candidates(path) if detect(file)]
    if len(found) != 1:
        names = ", ".join(file.name for file in found[:10]) or "none"
        raise DataError(
            f"{path}: one Label Studio JSON file was expected, found {len(found)}: {names}.",
            hint="Give the file itself as the source's path; several files are several sources.",
        )
    return labelstudio_read.read(found[0], options)


def write(dataset: Dataset, folder: Path, options: WriteOptions) -> Written:
    """Write `tasks.json` and `label_config.xml`; photos belong below `images/`."""
    return labelstudio_write.write(dataset, folder)


def losses(dataset: Dataset) -> list[Loss]:
    """Return what Label Studio cannot say beyond what `CARRIES` tells."""
    kinds = conserving.shapes(dataset.annotations)
    outlined = kinds.polygons | kinds.mask
    turned = conserving.numbers(dataset.annotations, "rotation_deg", 0) != 0
    found = [
        reshaped(dataset),
        Loss("keypoints", "detail", "keypoints beside an outline", kinds.keypoints & outlined),
        Loss("rotation", "detail", "rotation beside an outline", turned & outlined),
    ]
    return [loss for loss in found if loss.rows.any()]
