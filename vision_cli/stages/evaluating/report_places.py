"""Example photos of detectors and segmenters for a report: what is there, beside what was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core import rle
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.detections import Truth
from vision_cli.core.errors import DataError, VisionError
from vision_cli.core.place_targets import IGNORED
from vision_cli.core.progress import Progress
from vision_cli.core.tasks import OBJECT_TASKS
from vision_cli.core.truth_maps import class_map, rows_of
from vision_cli.imaging import draw, overlay, read, write
from vision_cli.imaging.modes import with_channels
from vision_cli.reports.browse_errors import KINDS, judge
from vision_cli.reports.browse_labels import Layer
from vision_cli.reports.document import Example, Picture
from vision_cli.stages import data as view_data
from vision_cli.stages import place_truth
from vision_cli.stages.data import TaskData
from vision_cli.stages.running import loading, place_inference, place_predict
from vision_cli.stages.running.place_rows import row_of

MOST = 6
"""Photos on each side, worst and best."""
_SIDE_PX = 400
_GAP_PX = 8
_SAMPLE_PX = 240
_SAMPLES = 12
_KEYS = 10
_ABSENT = ("its labels are not at hand", "its model is not at hand")
"""What is said of a picture without tints."""
_FIGURES = {"miou": "mean IoU", "pq": "PQ"}

Photo = NDArray[np.uint8]
Painted = Callable[[Photo], Photo]


@dataclass(frozen=True, slots=True)
class Scored:
    """How a photo was answered.

    Attributes:
        row: of the file of predictions.
        figure: 0..1; higher is better.
        said: in words.
    """

    row: int
    figure: float
    said: str


def examples(
    table: Mapping[str, Sequence[Any]], result: Mapping[str, Any], data: TaskData | None, progress: Progress
) -> tuple[list[Example], list[Example]]:
    """Return the photos that were answered worst, and best; no photo is on both sides.

    Args:
        table: columns of a file of predictions.
        result: document of the evaluation; of masks and pixels its model is asked again about the photos that are
            shown, for they are not kept.
        data: the project's; without, nothing is known of the pixels' truth.
        progress: hears how far it is.
    """
    scored = sorted(_of_objects(table) if "boxes" in table else _of_pixels(table), key=lambda each: each.figure)
    half = min(MOST, (len(scored) + 1) // 2)
    worst, best = scored[:half], scored[half:][::-1][:MOST]
    shown = [each.row for each in (*worst, *best)]
    drawn: dict[int, tuple[Painted | None, Painted | None]] = {}
    if "boxes" not in table or result["model"]["task"] == "instance":
        drawn = _maps([Path(table["path"][row]) for row in shown], shown, result, data, progress)
    if "boxes" in table:
        # Of each photo both sides are of one kind: boxes where masks are not to be had of both.
        drawn = {row: _if_both(drawn.get(row)) or _objects(table, row, result["classes"]) for row in shown}
    made = [_made(side, table, drawn, result["classes"]) for side in (worst, best)]
    return made[0], made[1]


def _of_objects(table: Mapping[str, Sequence[Any]]) -> list[Scored]:
    """Return the F1 of each photo that has objects, true or found."""
    photos = len(table["path"])
    truth, said = (_layer(table, *names) for names in (("truth", "truth_boxes"), ("predicted", "boxes")))
    _, kinds = judge(truth, said, photos)
    right = np.bincount(said.rows[kinds == KINDS.index("right")], minlength=photos)
    there, found = (np.bincount(each.rows, minlength=photos) for each in (truth, said))
    return [
        Scored(row, 2 * right[row] / (there[row] + found[row]), _words(right[row], there[row], found[row]))
        for row in np.flatnonzero(there + found).tolist()
    ]


def _words(right: int, there: int, found: int) -> str:
    return f"{right:,} of {there:,} objects found, {found - right:,} found in excess"


def _layer(table: Mapping[str, Sequence[Any]], names: str, boxes: str) -> Layer:
    """Return a column of lists as annotations; without scores, so that none is unsure."""
    numbers: dict[str, int] = {}
    for each in (*table["truth"], *table["predicted"]):
        for name in each:
            numbers.setdefault(name, len(numbers))
    rows = np.repeat(np.arange(len(table[names])), [len(each) for each in table[names]])
    ids = np.array([numbers[name] for each in table[names] for name in each], dtype=np.int64)
    sides = np.array([box for each in table[boxes] for box in each], dtype=np.float64).reshape(-1, 4)
    return Layer(rows, ids, boxes=sides)


def _of_pixels(table: Mapping[str, Sequence[Any]]) -> list[Scored]:
    name = next(each for each in _FIGURES if each in table)
    known = [(row, float(value)) for row, value in enumerate(table[name]) if value is not None]
    return [Scored(row, value, f"{_FIGURES[name]} {value:.3f}") for row, value in known]


def _objects(table: Mapping[str, Sequence[Any]], row: int, classes: Sequence[str]) -> tuple[Painted, Painted]:
    """Return how to draw what is there, and what was found."""
    sure = [f" {score:.0%}" for score in table["confidence"][row]]
    truth = _marked(table["truth"][row], table["truth_boxes"][row], classes)
    found = _marked(table["predicted"][row], table["boxes"][row], classes, sure)
    return _boxed(truth), _boxed(found)


def _boxed(objects: Sequence[overlay.Marked], shown_px: int = _SIDE_PX) -> Painted:
    return lambda photo: overlay.with_objects(photo, objects, shown_px=shown_px)


def _marked(
    names: Sequence[str], boxes: Sequence[Sequence[float]], classes: Sequence[str], sure: Sequence[str] = ()
) -> list[overlay.Marked]:
    return [
        overlay.Marked((x, y, x + w, y + h), sure[at] if sure else "", classes.index(name))
        for at, (name, (x, y, w, h)) in enumerate(zip(names, boxes, strict=True))
    ]


def _if_both(painted: tuple[Painted | None, Painted | None] | None) -> tuple[Painted, Painted] | None:
    return None if painted is None or painted[0] is None or painted[1] is None else (painted[0], painted[1])


def _maps(
    paths: Sequence[Path], rows: Sequence[int], result: Mapping[str, Any], data: TaskData | None, progress: Progress
) -> dict[int, tuple[Painted | None, Painted | None]]:
    """Return how to tint photos with what is there, and with what the model says when it is asked again."""
    truths = _truths(paths, result, data)
    answers = _answers(paths, result, progress)
    return {row: (truths.get(path), answers.get(path)) for row, path in zip(rows, paths, strict=True)}


def _truths(paths: Sequence[Path], result: Mapping[str, Any], data: TaskData | None) -> dict[Path, Painted]:
    if data is None or (result.get("data") or {}).get("path"):
        return {}
    wanted = {str(path) for path in paths}
    try:
        part = data.dataset.select(np.array([str(path) in wanted for path in data.dataset.paths()], dtype=np.bool_))
        part = view_data.align(part, ClassMap(tuple(result["classes"])))
        painted = _labels(part, str(result["model"]["task"]), place_truth.background(part))
    except VisionError:  # the labels are others by now
        return {}
    return dict(zip(part.paths(), painted, strict=True))


def _tint(
    classes: NDArray[np.int16], names: Sequence[str], objects: Sequence[overlay.Marked], shown_px: int
) -> Painted:
    return lambda photo: overlay.with_objects(
        overlay.with_classes(photo, classes, names=names, shown_px=shown_px), objects, shown_px=shown_px
    )


def _answers(paths: Sequence[Path], result: Mapping[str, Any], progress: Progress) -> dict[Path, Painted]:
    found: dict[Path, Painted] = {}
    look = place_predict.Look(named=True, shown_px=_SIDE_PX)
    try:
        runner = loading.open_model(Path(result["model"]["path"]))
        for path, answer in place_inference.readable(runner, paths, progress, what="examples"):
            if not isinstance(answer, DataError):
                row = row_of(path, answer, runner.card)
                found[path] = partial(place_predict.marked, row=row, card=runner.card, look=look)
    except (VisionError, OSError):  # the model is gone by now
        return {}
    return found


def _made(
    side: Sequence[Scored], table: Mapping[str, Sequence[Any]], drawn: Mapping[int, Any], classes: Sequence[str]
) -> list[Example]:
    """Return examples; a photo that is gone or of another size by now is left out."""
    found = []
    for each in side:
        path = Path(table["path"][each.row])
        try:
            photo = with_channels(read.read_photo(path), 3)
            shown = [_small(paint(photo) if paint else photo) for paint in drawn[each.row]]
        except (VisionError, IndexError):
            continue
        names = dict.fromkeys((*table["truth"][each.row], *table["predicted"][each.row]))
        keys = [(name, overlay.colour_of(classes.index(name))) for name in list(names)[:_KEYS] if name in classes]
        said = "; ".join(
            [each.said, *(what for what, paint in zip(_ABSENT, drawn[each.row], strict=True) if not paint)]
        )
        found.append(Example(write.encode_jpeg(_beside(shown), quality=80), path.name, said, keys))
    return found


def _small(photo: Photo) -> Photo:
    return draw.thumbnail(photo, _SIDE_PX)


def _beside(photos: Sequence[Photo]) -> Photo:
    """Return photos of one size next to each other, with a gap."""
    height = photos[0].shape[0]
    gap = np.full((height, _GAP_PX, 3), 255, dtype=np.uint8)
    return np.concatenate([photos[0], *(part for each in photos[1:] for part in (gap, each))], axis=1)


def samples(data: TaskData, rows: Sequence[int]) -> list[Picture]:
    """Return labelled photos with their labels drawn in."""
    chosen = np.isin(np.arange(len(data.dataset)), rows[:_SAMPLES])
    part = data.dataset.select(chosen)
    found = [_sample(part, photo, paint) for photo, paint in enumerate(_labels(part, data.task, shown_px=_SAMPLE_PX))]
    return [picture for picture in found if picture is not None]


def _labels(part: Dataset, task: str, background: int = IGNORED, *, shown_px: int = _SIDE_PX) -> list[Painted]:
    """Return how to draw the labels of each photo: boxes, masks of objects, and classes of pixels."""
    truth, things = place_truth.truth(part, part.classes, task), place_truth.things(part)
    photos = range(len(part))
    if task == "semantic":
        return [_tint(class_map(truth, photo, background), part.classes.names, (), shown_px) for photo in photos]
    marked = [_true_objects(truth, photo, things, masks=task != "detect") for photo in photos]
    if task not in OBJECT_TASKS:
        names = part.classes.names
        return [
            _tint(class_map(truth, photo, background), names, each, shown_px)
            for photo, each in zip(photos, marked, strict=True)
        ]
    return [_boxed(each, shown_px) for each in marked]


def _true_objects(truth: Truth, photo: int, things: NDArray[np.bool_], *, masks: bool) -> list[overlay.Marked]:
    boxes, (width, height) = truth.xyxy(), truth.sizes[photo].tolist()
    found = []
    for row in rows_of(truth, photo).tolist():
        if things[truth.class_id[row]]:
            text = truth.masks[row].as_py() if masks and truth.masks is not None else None
            mask = None if text is None else rle.decode(rle.from_text(text), height, width)
            found.append(overlay.Marked(tuple(boxes[row].tolist()), "", int(truth.class_id[row]), mask))
    return found


def _sample(part: Dataset, photo: int, paint: Painted) -> Picture | None:
    path = part.paths()[photo]
    try:
        shown = paint(with_channels(read.read_photo(path), 3))
    except (VisionError, IndexError):
        return None
    names = [part.classes.names[row] for row in np.flatnonzero(part.class_matrix()[photo]).tolist()]
    jpeg = write.encode_jpeg(draw.thumbnail(shown, _SAMPLE_PX), quality=80)
    return Picture(jpeg, path.name, ", ".join(names))
