"""CVAT XML 1.1, "CVAT for images" and "CVAT for video". See https://docs.cvat.ai/docs/dataset_management/formats/xml_format/.

A set is one XML file, or a folder that holds one. Photos lie where `name` says, in `images/`, or in a folder of their
subset there, as in CVAT's exports; frames of a video are called `frame_000010` as CVAT exports them. Each frame in
which a track's object is inside is an annotation; frames in which it is `outside` are kept for writing back only.
"""

from __future__ import annotations

from pathlib import Path

from vision_cli.core.conservation import Loss
from vision_cli.core.dataset import Dataset
from vision_cli.core.origin import Pixels
from vision_cli.formats import ReadOptions, WriteOptions, Written, conserving
from vision_cli.formats.cvat import reading as cvat_read
from vision_cli.formats.cvat import writing as cvat_write
from vision_cli.formats.labelling_rows import reshaped

CARRIES = frozenset(
    (
        *("class", "classes", "box", "polygon", "polygons", "mask", "crowd", "keypoints", "rotation", "truncated"),
        *("occluded", "difficult", "score", "track", "annotator", "attributes", "area", "ids", "unlabelled"),
        *("split", "order", "no-class", "no-area", "out-of-frame", "no-image"),
    )
)
PIXELS: Pixels = "exclusive"

_HEAD_BYTES = 1 << 16


def detect(path: Path) -> str | None:
    """Return the evidence that a file, or a file in a folder, is CVAT's XML."""
    found = [file for file in cvat_read.candidates(path) if _is_cvat(file)]
    return f"{found[0].name} has <annotations> with <image>, <track> or <meta> in it" if found else None


def _is_cvat(file: Path) -> bool:
    with file.open("rb") as stream:
        head = stream.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf")
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        head = head.decode("utf-16", "ignore").encode()
    inside = head.partition(b"<annotations")[2]
    return b"<!DOCTYPE" not in head.partition(b"<annotations")[0] and any(
        tag in inside for tag in (b"<image ", b"<track ", b"<meta>", b"<version>1.")
    )


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read one XML file, or the only one of a folder.

    Raises:
        DataError: no such file, not CVAT's, or bad shapes: all at once, by line.
    """
    return cvat_read.read(path, options)


def write(dataset: Dataset, folder: Path, options: WriteOptions) -> Written:
    """Write `annotations.xml`; photos belong below `images/`."""
    return cvat_write.write(dataset, folder)


def losses(dataset: Dataset) -> list[Loss]:
    """Return what CVAT cannot say beyond what `CARRIES` tells."""
    table = dataset.annotations
    shapes = conserving.shapes(table)
    levels = conserving.numbers(table, "occluded", 0) > 1
    posed = shapes.keypoints & (shapes.polygons | shapes.mask)
    turned = (conserving.numbers(table, "rotation_deg", 0) != 0) & (shapes.polygons | shapes.mask)
    found = [
        reshaped(dataset, keypoints=True),
        Loss("occluded", "detail", "a level of occlusion -> a flag", levels),
        Loss("keypoints", "detail", "keypoints beside an outline", posed),
        Loss("rotation", "detail", "rotation beside an outline", turned),
    ]
    return [loss for loss in found if loss.rows.any()]
