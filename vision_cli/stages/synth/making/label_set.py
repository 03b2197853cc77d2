"""The labels of a run as a data set, in any format that is written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vision_cli import formats
from vision_cli.core import files, outline, rle
from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS, MORE_ANNOTATION_COLUMNS
from vision_cli.core.conservation import Conservation
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import UsageError
from vision_cli.core.origin import Origin
from vision_cli.core.progress import Progress
from vision_cli.formats import imagefolder_write
from vision_cli.stages import place_truth
from vision_cli.stages.converting.convert import ALL, ConvertRequest, convert
from vision_cli.stages.converting.photo_copies import Images
from vision_cli.stages.synth.making.maker import PHOTOS, Record

_SOURCE = "synth"
_STUFF = b'{"isthing": 0}'
_EVERY_PIXEL_TASKS = frozenset({"semantic", "panoptic"})
_COLUMNS = (
    *("id", "image_id", "class_id", "value", "x", "y", "w", "h", "area"),
    *("outline", "outline_parts", "iscrowd", "truncated", "occluded", "attributes"),
)
_SHOWN = 10
_AT_A_TIME = 1000
"""Records in memory as Python objects, which are ten times as large as the columns."""
_MORE = ("background", "blend")
"""Columns of photos beyond those that every set has: `data.split.group: background` keeps scenes on one side."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What is labelled, and how.

    Attributes:
        objects: names of the objects' classes.
        task: that the labels are for.
        format: of the data set.
        sides: of the split, by background; empty for no split.
        negative: class of photos without any object, where the task is classify; None for no label.
    """

    objects: tuple[str, ...]
    task: str
    format: str
    sides: Mapping[str, str] = field(default_factory=dict)
    negative: str | None = None

    @property
    def every_pixel(self) -> bool:
        """Whether the format speaks of every pixel: what is no object is a class of its own then.

        One without a label would count as unknown, and nothing would teach what an object is not.
        """
        return self.task in _EVERY_PIXEL_TASKS and self.format in place_truth.EVERY_PIXEL

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of all classes, in order."""
        more = [self.negative] if self.negative is not None else []
        return (*self.objects, *more, *([place_truth.BACKGROUND] if self.every_pixel else []))

    def check(self) -> None:
        """Refuse classes that the labels cannot have.

        Raises:
            UsageError: an object has the background's name, or one that cannot be a folder's.
        """
        if self.every_pixel and place_truth.BACKGROUND in self.objects:
            text = f"a class of objects is called '{place_truth.BACKGROUND}', as all that is no object."
            raise UsageError(text, hint="Rename it.")
        if self.format == "imagefolder":
            faults = zip(self.classes, imagefolder_write.folder_problems(self.classes), strict=True)
            told = [f"'{name}' {fault}" for name, fault in faults if fault is not None]
            if told:
                text = f"{len(told)} classes cannot be folders."
                raise UsageError(text, details=told[:_SHOWN], hint="Rename them, or take --format csv.")


def dataset_of(records: Iterable[Record], labels: Labels, folder: Path) -> Dataset:
    """Return photos that were made as a data set whose boxes count edges.

    Args:
        records: in the order of the photos.
        labels: what is labelled.
        folder: of the photos.
    """
    add = _add_class if labels.task == "classify" else _add_places
    parts = []
    numbered = enumerate(records)
    while some := list(islice(numbered, _AT_A_TIME)):
        photos: dict[str, list[Any]] = {name: [] for name in (*IMAGE_COLUMNS.names, *_MORE)}
        rows: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
        for number, record in some:
            _add_photo(photos, record, number, labels.sides.get(record["background"]))
            add(rows, record, number, labels)
        parts.append(_tables(photos, rows, labels))
    images, annotations = (pa.concat_tables(tables).combine_chunks() for tables in zip(*parts, strict=True))
    ids = annotations.schema.get_field_index("id")  # each part counts from 0
    annotations = annotations.set_column(ids, "id", pa.array(np.arange(len(annotations))))
    origin = Origin("vision", class_records={place_truth.BACKGROUND: _STUFF} if labels.every_pixel else {})
    return Dataset(images, annotations, ClassMap(labels.classes), {_SOURCE: folder}, (), {_SOURCE: origin})


def _tables(photos: dict[str, list[Any]], rows: dict[str, list[Any]], labels: Labels) -> tuple[pa.Table, pa.Table]:
    names = ANNOTATION_COLUMNS.names if labels.task == "classify" else _COLUMNS
    carries = formats.FORMATS.load(labels.format).CARRIES
    images = pa.schema([*IMAGE_COLUMNS, *((name, pa.string()) for name in _MORE)])
    every = pa.unify_schemas([ANNOTATION_COLUMNS, MORE_ANNOTATION_COLUMNS])
    columns = pa.schema([every.field(name) for name in names])
    if "metadata" in carries:  # the background need not be a group as well
        photos["group"] = [None] * len(photos["id"])
    return pa.table(photos, schema=images), pa.table({name: rows[name] for name in names}, schema=columns)


def _add_class(rows: dict[str, list[Any]], record: Record, number: int, labels: Labels) -> None:
    """Add the class of a photo; one where no object found a place has that of negatives, or none."""
    name = record["objects"][0]["class"] if record["objects"] else labels.negative
    if name is not None:
        values = {"id": len(rows["id"]), "image_id": number, "class_id": labels.classes.index(name), "value": None}
        for column, value in values.items():
            rows[column].append(value)


def _add_places(rows: dict[str, list[Any]], record: Record, number: int, labels: Labels) -> None:
    """Add what is in a photo, from far to near, after all that is no object where every pixel has a class."""
    if labels.every_pixel:
        _add_rest(rows, record, number, labels)
    for each in record["objects"]:
        _add_object(rows, each, record, (len(rows["id"]), number, labels.classes.index(each["class"])))


def _add_rest(rows: dict[str, list[Any]], record: Record, number: int, labels: Labels) -> None:
    height, width = record["height"], record["width"]
    masks = [rle.from_text(each["mask"]) for each in record["objects"]]
    counts = _rest(masks, height * width)
    if not rle.area(counts):
        return
    values = {
        **{"class_id": labels.classes.index(place_truth.BACKGROUND), "id": len(rows["id"]), "image_id": number},
        **dict(zip("xywh", map(float, rle.box(counts, height)), strict=True)),
        **{"value": None, "area": float(rle.area(counts)), "outline": outline.of_counts(counts, height, width)},
        **{"outline_parts": -1, "iscrowd": False, "truncated": None, "occluded": None, "attributes": None},
    }
    for name, value in values.items():
        rows[name].append(value)


def _rest(masks: Sequence[rle.Counts], pixels: int) -> NDArray[np.int64]:
    """Return the run lengths of the pixels that no mask has."""
    spans = [rle.spans(counts) for counts in masks]
    starts = np.concatenate([np.zeros(0, np.int64), *(first for first, _ in spans)])
    ends = np.concatenate([np.zeros(0, np.int64), *(last for _, last in spans)])
    order = np.argsort(starts, kind="stable")
    begins = np.concatenate([[0], np.maximum.accumulate(ends[order])])
    stops = np.concatenate([starts[order], [pixels]])
    left = begins < stops
    return rle.of_spans(begins[left], stops[left], pixels)


def _add_photo(photos: dict[str, list[Any]], record: Record, number: int, side: str | None) -> None:
    values = {
        **{"id": number, "source": _SOURCE, "path": record["file"], "width": record["width"]},
        **{"height": record["height"], "split": side, "group": record["background"]},
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
