"""Predictions as a data set: in any format that is written, or as a list of COCO results."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from vision_cli import formats
from vision_cli.core import files, rle
from vision_cli.core.artefact import Card
from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS, MORE_ANNOTATION_COLUMNS
from vision_cli.core.conservation import Conservation
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.origin import Origin
from vision_cli.core.progress import Progress
from vision_cli.imaging.header import read_header
from vision_cli.stages import places, target_folder
from vision_cli.stages.converting.convert import ALL, ConvertRequest, convert
from vision_cli.stages.converting.photo_copies import Images
from vision_cli.stages.running.answers import SEPARATOR
from vision_cli.stages.running.photo_answers import Answer
from vision_cli.stages.running.place_rows import PlaceRow

RESULTS = "coco-results"
"""A list of COCO results: no data set, but what its evaluators read."""
_SOURCE = "photos"
_NEEDED = {
    "detect": frozenset({"box"}),
    "instance": frozenset({"box", "polygon", "polygons", "mask"}),
    "semantic": frozenset({"mask"}),
    "panoptic": frozenset({"mask"}),
    "classify": frozenset({"class", "classes"}),
    "multilabel": frozenset({"classes"}),
    "regress": frozenset({"value"}),
}
"""One of these has a format to hold, by task."""
_SCORES_ASKED = frozenset({"yolo"})
"""A score is a sixth value of a row there: Ultralytics writes it with save_conf alone, and refuses to learn from it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The data set that is to be written.

    Attributes:
        to: a line of the table of formats, or RESULTS.
        target: folder; a file for RESULTS.
        images: how photos get there.
        dry_run: write nothing.
        scores: write scores; None writes them where they are no part of the labels.
    """

    to: str
    target: Path
    images: Images = "copy"
    dry_run: bool = False
    scores: bool | None = None

    @property
    def with_scores(self) -> bool:
        """Return whether scores are written."""
        return self.to not in _SCORES_ASKED if self.scores is None else self.scores


def check(wanted: Wanted, photo: Path) -> None:
    """Refuse before the work what cannot be written.

    Raises:
        UsageError: an unknown format, one that is only read, or a target that cannot be one.
        ResourceError: nothing can be written there.
    """
    if wanted.to == RESULTS:
        if wanted.target.suffix != ".json":
            raise UsageError(f"{wanted.target}: COCO results are a .json file.", hint="--output results.json")
        if not wanted.with_scores:
            raise UsageError("--no-scores: COCO results are ranked by their scores.", hint="Leave it out.")
        places.check_file(wanted.target)
        return
    if not hasattr(formats.FORMATS.load(wanted.to), "write"):
        raise UsageError(f"the format '{wanted.to}' is only read.", hint="`vision data convert --help` lists formats.")
    target_folder.check_target(wanted.target, photo, force=False)


def check_task(wanted: Wanted, task: str) -> None:
    """Refuse a format that holds nothing of what the task answers.

    Raises:
        UsageError: it does not.
    """
    held = formats.FORMATS.load("coco" if wanted.to == RESULTS else wanted.to).CARRIES
    if not held & _NEEDED[task] or (wanted.to == RESULTS and task not in ("detect", "instance")):
        raise UsageError(
            f"'{wanted.to}' holds nothing of what a model of the task '{task}' answers.",
            hint=f"It would have to hold {' or '.join(sorted(_NEEDED[task]))}; see docs/formats.md.",
        )


def write(
    wanted: Wanted, rows: Sequence[PlaceRow | Answer], card: Card, photos: Dataset | None, progress: Progress
) -> tuple[str, ...]:
    """Write predictions, and return what the reader of the result should know, one sentence each.

    Args:
        wanted: format and place.
        rows: one a photo that was answered.
        card: of the model.
        photos: the view that the photos are of; None where paths were given.
        progress: hears how far it is.

    Raises:
        DataError: a photo's name or place cannot stand in a data set.
        ResourceError: the disk refuses.
    """
    check_task(wanted, card.task)
    dataset = dataset_of(rows, card, photos)
    if wanted.to == RESULTS:
        from vision_cli.formats.coco import results

        written = results.written(dataset)
        if not wanted.dry_run:
            files.write_bytes(wanted.target, written.content)
        return written.notes
    dataset, said = _held(dataset, wanted)
    request = ConvertRequest(
        rows[0].path if rows else wanted.target.parent / "none",
        wanted.target,
        wanted.to,
        source_format="vision",
        pixels="target",
        allowed=frozenset({ALL}),
        images=wanted.images,
        dry_run=wanted.dry_run,
        given=lambda: dataset,
    )
    return (*_notes(convert(request, progress).report), *said)


def _held(dataset: Dataset, wanted: Wanted) -> tuple[Dataset, tuple[str, ...]]:
    """Return predictions without what the format leaves out, and what a reader misses of it.

    An area follows from its box or mask, so nobody misses it.
    """
    held, there = formats.FORMATS.load(wanted.to).CARRIES, dataset.annotations.column_names
    scored = wanted.with_scores and "score" in held
    left_out = [name for name, stays in (("area", "area" in held), ("score", scored)) if name in there and not stays]
    dataset = replace(dataset, annotations=dataset.annotations.drop_columns(left_out))
    if "score" not in left_out or wanted.scores is False:
        return dataset, ()
    why = "they would be part of the labels; --scores writes them" if "score" in held else "it has no place for them"
    return dataset, (f"no scores in '{wanted.to}': {why}.",)


def _notes(report: Conservation) -> tuple[str, ...]:
    """Return what the format does not hold of the predictions."""
    found = []
    for what, tally in (("photos", report.images), ("predictions", report.annotations)):
        for verb, reasons in (("dropped", tally.dropped), ("changed", tally.changed)):
            found += [f"{number} {what} {verb}: {reason}." for reason, number in reasons.items() if number]
    return (*found, *report.notes)


def dataset_of(rows: Sequence[PlaceRow | Answer], card: Card, photos: Dataset | None) -> Dataset:
    """Return predictions as a data set: boxes that count edges, masks, classes or values, with scores."""
    base = _photos(rows) if photos is None else _answered(rows, photos)
    lines = [
        line
        for image, row in zip(base.images["id"].to_pylist(), rows, strict=True)
        for line in _lines(image, row, card)
    ]
    names = [name for name in (*ANNOTATION_COLUMNS.names, *MORE_ANNOTATION_COLUMNS.names) if name in _COLUMNS]
    schema = pa.schema([pa.unify_schemas([ANNOTATION_COLUMNS, MORE_ANNOTATION_COLUMNS]).field(name) for name in names])
    table = pa.Table.from_pylist([{**line, "id": number} for number, line in enumerate(lines)], schema)
    kept = [name for name in names if name in ANNOTATION_COLUMNS.names or table[name].null_count < len(table)]
    return replace(base, annotations=table.select(kept), classes=card.classes)


_COLUMNS = frozenset(
    {*ANNOTATION_COLUMNS.names, "x", "y", "w", "h", "area", "outline", "outline_parts", "iscrowd", "score"}
)


def _lines(image: int, row: PlaceRow | Answer, card: Card) -> list[dict[str, Any]]:
    """Return the annotations of one photo."""
    if isinstance(row, Answer):
        if row.value is not None:
            return [{"image_id": image, "value": row.value}]
        if card.task == "multilabel":
            names = [name for name in row.answer.split(SEPARATOR) if name]
        else:  # a photo of none of the classes has no label
            names = [row.answer] if row.answer in card.classes.names else []
        return [{"image_id": image, "class_id": card.classes.index(n), "score": row.scores.get(n)} for n in names]
    found = [
        {"image_id": image, "class_id": each.class_id, "score": each.confidence, **_place(each.box, each.mask, row)}
        for each in row.objects
    ]
    for name, text in (row.regions or {}).items():
        box = rle.box(rle.from_text(text), row.size_px[1])
        found.append({"image_id": image, "class_id": card.classes.index(name), **_place(box, text, row)})
    return found


def _place(box: Sequence[float], mask: str | None, row: PlaceRow) -> dict[str, Any]:
    place: dict[str, Any] = dict(zip("xywh", map(float, box), strict=True))
    if mask is None:
        return {**place, "area": place["w"] * place["h"], "outline_parts": 0}
    outline = files.json_text({"size": [row.size_px[1], row.size_px[0]], "counts": mask}, indent=None)
    area = float(rle.area(rle.from_text(mask)))
    return {**place, "area": area, "outline": outline.encode(), "outline_parts": -1}


def _photos(rows: Sequence[PlaceRow | Answer]) -> Dataset:
    """Return photos that were named one by one, below the deepest folder that holds them all."""
    absolute = [os.path.abspath(row.path) for row in rows]  # noqa: PTH100 - links stay as the user wrote them
    root = os.path.commonpath([os.path.dirname(path) for path in absolute]) if rows else os.getcwd()  # noqa: PTH109, PTH120
    names = [os.path.relpath(path, root).replace(os.sep, "/") for path in absolute]
    _check_names(names)
    sizes = [_size(row) for row in rows]
    columns: Mapping[str, Any] = {
        "id": list(range(len(rows))),
        "source": [_SOURCE] * len(rows),
        "path": names,
        "width": [size[0] for size in sizes],
        "height": [size[1] for size in sizes],
        "split": [None] * len(rows),
        "group": [None] * len(rows),
    }
    images, empty = pa.table(columns, schema=IMAGE_COLUMNS), ANNOTATION_COLUMNS.empty_table()
    origins = {_SOURCE: Origin("vision")}
    return Dataset(images, empty, ClassMap(), {_SOURCE: Path(root)}, (), origins, frozenset({_SOURCE}))


def _size(row: PlaceRow | Answer) -> tuple[int, int]:
    if isinstance(row, PlaceRow):
        return row.size_px
    header = read_header(row.path)
    return header.width_px, header.height_px


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise DataError(
                f"{name!r}: no data set can name this photo: its name is not UTF-8.", hint="Rename it."
            ) from error


def _answered(rows: Sequence[PlaceRow | Answer], photos: Dataset) -> Dataset:
    """Return the photos of a view that were answered, in the order of their answers."""
    wanted = {row.path for row in rows}
    part = photos.select(np.array([path in wanted for path in photos.paths()], dtype=np.bool_))
    origins = {name: replace(origin, pixels="exclusive") for name, origin in part.origins.items()}
    return replace(part, origins=origins or {name: Origin("vision") for name in part.roots}, notes=())
