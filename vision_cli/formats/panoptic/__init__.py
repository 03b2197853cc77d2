"""COCO panoptic segmentation: a JSON of segments, and an RGB PNG a photo whose colours are the segments' ids.

Specification: https://cocodataset.org/#format-data (4. Panoptic Segmentation), and `panopticapi`. An id is
R + 256 G + 65536 B; 0 is no segment. The PNGs lie in the folder that is called as the JSON. In panopticapi's
two-channel variant, a folder with `2ch` in its name beside a JSON of photos and categories, red is the category and
green a number.

In a data set each segment is an annotation: its id is `source_id`, its pixels are the run-length `outline`; box, area
and crowd flag are those of the JSON, further members of a segment are `attributes`. The photo's `mask` is the path of
the PNG. A reader that is not asked for masks leaves the PNGs closed and `outline` away; `outline_parts` says -1 all the
same. `isthing`, colours and super-categories stay in `Origin.class_records`.

Written are `annotations/panoptic_train.json`, `annotations/panoptic_train/*.png` and photos in `train/`; those without
split in `panoptic.json`, `panoptic/` and `images/`. Objects are painted in row order. Where nothing covers an object
its area is the stated one, and so is a panoptic source's box; else both are those of the pixels that show.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vision_cli.core.conservation import Loss
from vision_cli.core.dataset import Dataset
from vision_cli.formats import ReadOptions, WriteOptions, Written
from vision_cli.formats.panoptic.files import evidence

if TYPE_CHECKING:
    from vision_cli.core.origin import Pixels

CARRIES = frozenset(
    {"mask", "crowd", "ids", "area", "split", "metadata", "order", "unlabelled", "attributes", "no-area"}
)
PIXELS: Pixels = "exclusive"


def detect(path: Path) -> str | None:
    """Return the evidence of a JSON with `segments_info`, from the beginning and the end of the files."""
    return evidence(path)


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read a JSON, or all panoptic JSONs of a folder, each a split if its name says so.

    Raises:
        DataError: see `panoptic_read.read`.
    """
    from vision_cli.formats.panoptic import reading as panoptic_read

    return panoptic_read.read(path, options)


def write(dataset: Dataset, folder: Path, options: WriteOptions) -> Written:
    """Write JSONs and PNGs.

    Raises:
        DataError: an outline cannot be filled, or a photo's size is not known.
        ResourceError: the disk refuses.
    """
    from vision_cli.formats.panoptic import writing as panoptic_write

    return panoptic_write.write(dataset, folder, options)


def losses(dataset: Dataset) -> list[Loss]:
    """Return objects that others cover, and ids that the colours cannot hold."""
    from vision_cli.formats import painting
    from vision_cli.formats.panoptic import writing as panoptic_write

    kept = panoptic_write.kept_ids(dataset)
    found = painting.overlap_losses(dataset)
    if "source_id" in dataset.annotations.column_names:
        stated = np.asarray(dataset.annotations["source_id"].is_valid().to_numpy(), dtype=np.bool_)
        found.append(Loss("ids", "detail", "ids that 24 bits cannot hold", stated & (kept == 0), allowed=True))
    return [loss for loss in found if loss.rows.any()]
