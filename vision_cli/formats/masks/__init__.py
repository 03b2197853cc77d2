"""Folders of semantic masks beside photos: each pixel a class, as palette index, grey level or colour.

There is no one specification; read is what CamVid, CVAT, Datumaro, Kaggle and others lay out: `images/` and `masks/`,
also below or above folders of splits, `train/` and `trainannot/`, or `x.jpg` and `x_mask.png` side by side.
`mask_classes` says which files name the classes. Without one they are called by values or colours (`7`, `#804020`).

255 (65535 of 16 bits), and 0 where the classes are named, mean unlabelled unless the file of classes names them; of
colours so do unnamed black, white and Pascal VOC's border. Masks of nothing but 0 and 255, without names, have one
class, 255. Any other value or colour that no class has is refused, with its pixels.

In a data set each class on a photo is an annotation: its pixels are the run-length `outline`, `area` counts them, and
the photo's `mask` is the path of the file. Photos without mask stay, without annotations. `Origin.class_ids` are the
values, `Origin.class_records` hold the colours, `Origin.header` says how labels were stored.

Written are `images/`, `masks/` (below them the splits) and `classes.json`: 8-bit grey with the source's own values,
with its palette if it had one, or in its colours. Values of other sources are their class ids if those are 1 to 254,
else 1, 2, 3 ...; 0 is then what no object covers. Objects of one class join.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vision_cli.core.conservation import Loss
from vision_cli.core.dataset import Dataset
from vision_cli.core.origin import Pixels
from vision_cli.formats import ReadOptions, WriteOptions, Written, mask_folders
from vision_cli.formats.painting import overlap_losses

CARRIES = frozenset({"mask", "crowd", "split", "order", "unlabelled", "no-area", "out-of-frame"})
PIXELS: Pixels = "exclusive"

_LOOKED_AT = 300
_FOREIGN = frozenset({"ImageSets", "Annotations", "SegmentationObject", "gtFine", "gtCoarse"})


def detect(path: Path) -> str | None:
    """Return the evidence of photos that have a mask, from the first entries of each folder."""
    if not path.is_dir() or any((path / name).is_dir() for name in _FOREIGN):
        return None
    found = mask_folders.pairs(path, most=_LOOKED_AT)
    first = next(iter(sorted(found.masks.items())), None)
    return f"masks beside photos, such as {first[1]} of {first[0]}" if first else None


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read a folder of photos and masks.

    Args:
        path: the folder that holds both, or the masks alone.
        options: `images` is the folder of the photos where they lie elsewhere.

    Raises:
        DataError: see `masks_read.read`.
    """
    from vision_cli.formats.masks import reading as masks_read

    return masks_read.read(path, options)


def write(dataset: Dataset, folder: Path, options: WriteOptions) -> Written:
    """Write a mask a photo, and the classes.

    Raises:
        DataError: an outline cannot be filled, or a photo's size is not known.
        ResourceError: the disk refuses.
    """
    from vision_cli.formats.masks import writing as masks_write

    return masks_write.write(dataset, folder, options)


def losses(dataset: Dataset) -> list[Loss]:
    """Return what others cover, objects that join others of their class, and crowd flags."""
    table = dataset.annotations
    rows = dataset.rows_of(table["image_id"]) * (len(dataset.classes) + 1) + table["class_id"].fill_null(-1).to_numpy()
    _, places, numbers = np.unique(rows, return_inverse=True, return_counts=True)
    placed = np.zeros(table.num_rows, dtype=np.bool_)
    if "outline" in table.column_names:
        placed = np.asarray(table["outline"].is_valid().to_numpy(), dtype=np.bool_)
    found = [*overlap_losses(dataset)]
    found.append(Loss("instances", "detail", "objects of one class join", (numbers[places] > 1) & placed))
    if "iscrowd" in table.column_names:
        crowd = np.asarray(table["iscrowd"].fill_null(False).to_numpy(), dtype=np.bool_)
        found.append(Loss("crowd", "detail", "crowd flag left out", crowd))
    return [loss for loss in found if loss.rows.any()]
