"""The labels of a run as a data set, in any format that is written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from vision_cli.core import files, rle
from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS, MORE_ANNOTATION_COLUMNS
from vision_cli.core.conservation import Conservation
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.origin import Origin
from vision_cli.core.progress import Progress
from vision_cli.stages.converting.convert import ALL, ConvertRequest, convert
from vision_cli.stages.converting.photo_copies import Images
from vision_cli.stages.synth.making import PHOTOS, Record

_SOURCE = "synth"
_COLUMNS = (
    *("id", "image_id", "class_id", "value", "x", "y", "w", "h", "area"),
    *("outline", "outline_parts", "iscrowd", "truncated", "occluded", "attributes"),
)
_MORE = ("background", "blend")
"""Columns of photos beyond those that every set has: `data.split.group: background` keeps scenes on one side."""


def dataset_of(
    records: Iterable[Record], classes: Sequence[str], folder: Path, carries: frozenset[str] = frozenset({"metadata"})
) -> Dataset:
    """Return photos that were made as a data set whose boxes count edges.

    Args:
        records: in the order of the photos.
        classes: names in order.
        folder: of the photos.
        carries: what the target holds: where that is metadata, the background need not be a group as well.
    """
    photos: dict[str, list[Any]] = {name: [] for name in (*IMAGE_COLUMNS.names, *_MORE)}
    rows: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    ids = {name: number for number, name in enumerate(classes)}
    for number, record in enumerate(records):
        _add_photo(photos, record, number)
        for each in record["objects"]:
            _add_object(rows, each, record, (len(rows["id"]), number, ids[each["class"]]))
    images = pa.schema([*IMAGE_COLUMNS, *((name, pa.string()) for name in _MORE)])
    every = pa.unify_schemas([ANNOTATION_COLUMNS, MORE_ANNOTATION_COLUMNS])
    labels = pa.schema([every.field(name) for name in _COLUMNS])
    if "metadata" in carries:
        photos["group"] = [None] * len(photos["id"])
    tables = pa.table(photos, schema=images), pa.table(rows, schema=labels)
    return Dataset(*tables, ClassMap(tuple(classes)), {_SOURCE: folder}, (), {_SOURCE: Origin("vision")})


def _add_photo(photos: dict[str, list[Any]], record: Record, number: int) -> None:
    values = {
        **{"id": number, "source": _SOURCE, "path": record["file"], "width": record["width"]},
        **{"height": record["height"], "split": None, "group": record["background"]},
        **{name: record[name] for name in _MORE},
    }
    for name, value in values.items():
        photos[name].append(value)


def _add_object(rows: dict[str, list[Any]], each: Record, record: Record, numbers: tuple[int, int, int]) -> None:
    """Add a row; numbers are those of the annotation, the photo and the class."""
    outline = {"size": [record["height"], record["width"]], "counts": each["mask"]}
    said = {name: each[name] for name in ("variant", "visibility", "look") if each[name] != ""}
    values = {
        **dict(zip(("id", "image_id", "class_id"), numbers, strict=True)),
        **dict(zip("xywh", each["box"], strict=True)),
        "value": None,
        "area": float(rle.area(rle.from_text(each["mask"]))),
        "outline": files.json_text(outline, indent=None).encode(),
        "outline_parts": -1,
        "iscrowd": False,
        "truncated": float(each["truncated"]),
        "occluded": int(each["occluded"]),
        "attributes": files.json_text(said, indent=None),
    }
    for name, value in values.items():
        rows[name].append(value)


def write(dataset: Dataset, to: str, folder: Path, progress: Progress) -> tuple[str, ...]:
    """Write a data set into `folder / to`, in place of what this command wrote there before.

    Its photos are further names (hard links) of those in the folder `photos`, or copies where there are no such.

    Returns:
        What the format does not hold, a sentence each.

    Raises:
        DataError: the format refuses.
        ResourceError: the disk refuses.
    """
    target, fresh = folder / to, folder / f".{to}"
    shutil.rmtree(fresh, ignore_errors=True)  # of a run that was killed
    request = ConvertRequest(
        folder / PHOTOS,
        fresh,
        to,
        source_format="vision",
        pixels="target",
        allowed=frozenset({ALL}),
        images=_images(folder),
        given=lambda: dataset,
    )
    report = convert(request, progress).report
    with files.disk_errors(target):
        if target.exists():
            shutil.rmtree(target)
        os.replace(fresh, target)
    return _notes(report)


def _images(folder: Path) -> Images:
    """Return how photos can get into the set."""
    probe, other = folder / ".link.part", folder / ".linked.part"
    try:
        probe.touch()
        os.link(probe, other)
    except OSError:
        return "copy"
    finally:
        for path in (probe, other):
            path.unlink(missing_ok=True)
    return "hardlink"


def _notes(report: Conservation) -> tuple[str, ...]:
    found = []
    for what, tally in (("photos", report.images), ("objects", report.annotations)):
        for verb, reasons in (("dropped", tally.dropped), ("changed", tally.changed)):
            found += [f"{number} {what} {verb}: {reason}." for reason, number in reasons.items() if number]
    return (*found, *report.notes)
