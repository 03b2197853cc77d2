"""A view's photos as a data set that Ultralytics reads: our own YOLO writer, and photos as the network will see them.

Photos are written anew, at the size of the network's input: Ultralytics rewrites damaged JPEGs where they lie, and one
loader and one resize serve training and prediction.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from vision_cli import formats
from vision_cli.core import files, outline
from vision_cli.core.dataset import Dataset
from vision_cli.core.decoding.placing import place
from vision_cli.core.errors import DataError
from vision_cli.core.outline import Polygons
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.progress import Progress
from vision_cli.formats import WriteOptions
from vision_cli.imaging import contours, prepare, read, write
from vision_cli.stages.running.reading import refusal

DATA_NAME = "data.yaml"
_COLUMNS = ("id", "image_id", "class_id", "value", "x", "y", "w", "h", "outline", "outline_parts")
_BY_SPLIT = ("train", "val")
_THREADS = 4


def write_data(parts: dict[str, Dataset], folder: Path, preprocess: Preprocess, progress: Progress) -> Path:
    """Write photos and labels; return the file that names them.

    Args:
        parts: `train` and `val`, prepared for `detect` or `instance`; without photos to validate on, those of `train`
            are read twice.
        folder: does not exist yet.
        preprocess: letterboxed.
        progress: hears of what cannot be said in this format.

    Raises:
        DataError: photos are refused.
    """
    for split in _BY_SPLIT:
        if len(parts[split]):
            _write_part(_plain(parts[split], split, progress), parts[split].paths(), folder / split, preprocess)
    names = {str(index): f"class{index}" for index in range(len(parts["train"].classes))}
    there = {split: split if len(parts[split]) else "train" for split in _BY_SPLIT}
    places = {split: f"{name}/images/{name}" for split, name in there.items()}
    # JSON is YAML; real names may be anything, and Ultralytics fetches fonts for some of them.
    files.write_json(folder / DATA_NAME, {"path": str(folder.absolute()), **places, "names": names})
    return folder / DATA_NAME


def _write_part(dataset: Dataset, sources: Sequence[Path], folder: Path, preprocess: Preprocess) -> None:
    written = formats.FORMATS.load("yolo").write(dataset, folder, WriteOptions())
    targets = [folder / str(name) for name in written.photos]
    with ThreadPoolExecutor(_THREADS) as pool:
        results = list(pool.map(partial(_write_photo, preprocess=preprocess), sources, targets))
    refused = [(path, why) for path, why in zip(sources, results, strict=True) if why is not None]
    if refused:
        raise refusal(refused, len(sources))


def _write_photo(source: Path, target: Path, preprocess: Preprocess) -> str | None:
    """Write what the network sees of a photo, without its border; return why it is refused."""
    try:
        header = read.read_header(source)
        seen = prepare.load_resized(source, preprocess)
    except DataError as error:
        return error.message
    placed = place((header.width_px, header.height_px), preprocess).to_input(
        np.array([[0.0, 0.0, header.width_px, header.height_px]])
    )
    left, top, right, bottom = np.rint(placed[0]).astype(int).tolist()
    write.write_photo(target, seen[top:bottom, left:right])
    return None


def _plain(dataset: Dataset, split: str, progress: Progress) -> Dataset:
    """Return a data set of what Ultralytics learns from: no crowds, one polygon an object, names that are numbers."""
    table = dataset.annotations
    crowd = np.zeros(len(table), dtype=np.bool_)
    if "iscrowd" in table.column_names:
        crowd = table["iscrowd"].fill_null(False).to_numpy()
    if crowd.any():
        progress.say(f"{split}: {int(crowd.sum())} crowd regions are left out: YOLO has no way to ignore a place")
    table = table.filter(pa.array(~crowd)).select([name for name in _COLUMNS if name in table.column_names])
    images = dataset.images.select([name for name in dataset.images.column_names if name not in ("record", "mask")])
    names = pa.array([f"{row:07d}.png" for row in range(len(images))])
    images = images.set_column(images.schema.get_field_index("path"), "path", names)
    images = images.set_column(
        images.schema.get_field_index("split"), "split", pa.array([split] * len(images), pa.string())
    )
    return _one_polygon_each(replace(dataset, images=images, annotations=table, origins={}))


def _one_polygon_each(dataset: Dataset) -> Dataset:
    """Join the parts of each outline by lines without area: a row of YOLO is one polygon."""
    table = dataset.annotations
    if "outline" not in table.column_names:
        return dataset
    counts = table["outline_parts"].fill_null(0).to_numpy()
    outlines = table["outline"].to_pylist()
    for row in np.flatnonzero((counts != 1) & table["outline"].is_valid().to_numpy()).tolist():
        outlines[row] = _joined(outlines[row])
    single = pa.array([0 if each is None else 1 for each in outlines], pa.int16())
    table = table.set_column(table.schema.get_field_index("outline"), "outline", pa.array(outlines, pa.binary()))
    table = table.set_column(table.schema.get_field_index("outline_parts"), "outline_parts", single)
    return replace(dataset, annotations=table)


def _joined(data: bytes) -> bytes | None:
    shape = outline.parse(data)
    if isinstance(shape, Polygons):
        rings: list[Any] = [np.asarray(ring) for ring in shape.rings]
    else:
        traced = contours.polygons(outline.mask(shape, shape.width, shape.height))
        rings = [np.asarray(ring).reshape(-1, 2) for ring in traced.rings]
    if not rings:
        return None
    # There and back again: from the last point of each part to the first of the first, which closes the whole.
    first = rings[0][:1]
    line = np.concatenate([rings[0], *(np.concatenate([first, ring, ring[:1], first]) for ring in rings[1:])])
    return outline.of_polygons([line])
