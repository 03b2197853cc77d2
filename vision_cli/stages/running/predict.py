"""`vision predict`: files, folders or globs through any model."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vision_cli.core import attributes, files
from vision_cli.core.artefact import Card
from vision_cli.core.contracts import Runner
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.core.tasks import PLACE_TASKS
from vision_cli.imaging import draw, read, write
from vision_cli.stages import data, places
from vision_cli.stages.converting.photo_copies import Images
from vision_cli.stages.data import ALL
from vision_cli.stages.few_shot import answering, imagenet
from vision_cli.stages.running import confidence, inference, loading, photo_answers, prediction_sets
from vision_cli.stages.running.photo_answers import Answer
from vision_cli.stages.running.photo_paths import find_photos
from vision_cli.stages.running.place_rows import PlaceRow

PICTURE_PX = 800
_SUFFIXES = (".json", ".csv")


class _Photos(NamedTuple):
    """Paths, where annotated copies of them go, and their own columns where they are of a data set."""

    paths: Sequence[Path]
    copies: Mapping[Path, Path]
    dataset: Dataset | None


"""Photos, and where the annotated copy of each goes."""


@dataclass(frozen=True, slots=True)
class PredictRequest:
    """What to look at.

    Attributes:
        project: where the last model is.
        inputs: files, folders (searched through) and globs.
        model: an artefact or run folder, an .onnx or a .tflite file; the last training's when None.
        output: `.json` or `.csv` file to write.
        pictures: folder for annotated copies of the photos.
        threads: of the runtime; all cores when None.
        dry_run: say what would be written, write nothing.
        view: photos of a view of the project in place of `inputs`.
        split: of the view: `train`, `val`, `test` or `all`.
        to: write a data set of this format to `output`, a folder, or `coco-results`, a file.
        images: how photos get into that folder.
        confidence: from which score on objects count; None is the model's own, and for `coco-results` its floor.
        scores: write scores to it; None writes them where they are no part of the labels.
        classes: that a network known by its name answers with; the project's when empty, all its own for `all`.
        offline: forbids downloads.
    """

    project: Project
    inputs: tuple[str, ...] = ()
    model: Path | None = None
    output: Path | None = None
    pictures: Path | None = None
    threads: int | None = None
    dry_run: bool = False
    view: str | None = None
    split: str = ALL
    to: str | None = None
    images: Images = "copy"
    confidence: float | None = None
    scores: bool | None = None
    classes: tuple[str, ...] = ()
    offline: bool = False

    @property
    def wanted(self) -> prediction_sets.Wanted | None:
        """Return the data set that is to be written, if one is."""
        if self.to is None or self.output is None:
            return None
        return prediction_sets.Wanted(self.to, self.output, self.images, self.dry_run, self.scores)

    @property
    def unsure(self) -> bool:
        """Return whether objects below the model's confidence are to be written, too: AP is made of all of them."""
        return self.to == prediction_sets.RESULTS and self.confidence is None


@dataclass(frozen=True, slots=True)
class PredictResult:
    """What the model said.

    Attributes:
        model: path of the model.
        runtime: `torch`, `onnx` or `tflite`.
        task: of the model.
        answers: one a photo that could be read.
        refused: path and reason of the others.
        output: file that was written.
        pictures: annotated copies that were written.
        notes: what the written data set does not hold, one sentence each.
        unsure: as `answers`, with all objects down to the model's floor; empty where they are not wanted.
    """

    model: Path
    runtime: str
    task: str
    answers: tuple[Answer, ...] | tuple[PlaceRow, ...]
    refused: tuple[tuple[Path, str], ...] = ()
    output: Path | None = None
    pictures: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    unsure: tuple[PlaceRow, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {
            "model": self.model,
            "runtime": self.runtime,
            "task": self.task,
            "predictions": [answer.as_json() for answer in self.answers],
            "refused": [{"path": path, "reason": reason} for path, reason in self.refused],
            "output": self.output,
            "pictures": list(self.pictures),
            "notes": list(self.notes),
        }


def predict(request: PredictRequest, progress: Progress) -> PredictResult:
    """Run a model on photos.

    A photo that cannot be read is listed under `refused`; the others are still answered.

    Raises:
        UsageError: the output's suffix is unknown, an annotated copy would replace a photo, or the model has no such
            confidence.
        DataError: an input matches nothing, or the model is refused.
        ResourceError: the results cannot be written.
    """
    photos, paths = _photos(request)
    copies = _checked_targets(request, paths)
    model, runner, said = _opened(request, progress)
    if request.wanted is not None:
        prediction_sets.check_task(request.wanted, runner.card.task)
    seen = _Photos(paths, {} if request.dry_run else copies, photos)
    if isinstance(runner, answering.Opened):
        result = _few(request, runner, seen, progress)
    else:
        if runner.card.task not in PLACE_TASKS:
            said = (*said, *_unknown_attributes(runner.card, photos))
        looked = _places if runner.card.task in PLACE_TASKS else _wholes
        result = replace(looked(request, model, runner, seen, progress), notes=said)
    if request.wanted is not None:
        rows = result.unsure if request.unsure else result.answers
        if result.refused and not rows:
            nothing = f"no photo could be answered: {request.wanted.target} is not written."
            return replace(result, notes=(*said, nothing))
        notes = prediction_sets.write(request.wanted, rows, runner.card, photos, progress)
        return replace(result, notes=(*said, *_unsure_note(request, runner.card), *notes))
    if request.output is not None and not request.dry_run:
        text = _json(result) if request.output.suffix == ".json" else _csv(result, runner.card)
        # a file name that is not UTF-8 has parts that no UTF-8 file can hold; JSON readers give them back
        files.write_bytes(request.output, text.encode("utf-8", "backslashreplace"))
    return result


def _opened(request: PredictRequest, progress: Progress) -> tuple[Path, Runner | answering.Opened, tuple[str, ...]]:
    """Return what answers, where it is, and what a reader of its answers should know."""
    book = answering.book_meant(request.project, request.model)
    by_name = imagenet.is_known(request.model)
    if request.classes and not by_name:
        raise UsageError("--classes: is for a network known by its name.", hint=f"--model {imagenet.NAMES[0]}")
    if book is not None:
        if request.confidence is not None:
            raise UsageError("--confidence: is for objects.", hint="vision classes set --none-below LIKENESS")
        opened = answering.open_classes(book, progress, offline=request.offline, threads=request.threads)
        return book, opened, ()
    said: tuple[str, ...] = ()
    if by_name:
        model, said = imagenet.opened(request.classes or tuple(request.project.config.classes or ()))
    else:
        model = loading.find_model(request.project, request.model)
    runner = loading.open_model(model, threads=request.threads)
    confidence.choose(runner, request.confidence)
    if request.confidence is None and not request.unsure:
        said = (*said, *confidence.silent(runner.card))
    return model, runner, said


def _few(request: PredictRequest, opened: answering.Opened, photos: _Photos, progress: Progress) -> PredictResult:
    rows, refused = opened.look(photos.paths, progress)
    pictures = tuple(_write_pictures(rows, photos.copies, progress)) if photos.copies else ()
    return PredictResult(opened.path, opened.runtime, opened.card.task, rows, refused, request.output, pictures)


def _unsure_note(request: PredictRequest, card: Card) -> tuple[str, ...]:
    if not request.unsure:
        return ()
    floor = card.place_decode.score_floor
    return (f"All objects from a score of {floor:g} on, as AP is measured on them; --confidence writes fewer.",)


def _photos(request: PredictRequest) -> tuple[Dataset | None, list[Path]]:
    """Return the photos to look at, with what their view says of them."""
    if request.view is None:
        if not request.inputs:
            raise UsageError("there is nothing to look at.", hint="Give photos, folders or globs, or --data VIEW.")
        return None, find_photos(request.inputs)
    if request.inputs:
        raise UsageError("--data names the photos itself.", hint="Give either paths or --data VIEW.")
    dataset = data.load_photos(request.project, request.view)
    if request.split != ALL:
        remember = not request.dry_run
        dataset = data.load_view(request.project, request.view, remember=remember).dataset.split(request.split)
    if not len(dataset):
        raise DataError(f"the view '{request.view}' has no photo in the split '{request.split}'.")
    return dataset, dataset.paths()


def _unknown_attributes(card: Card, dataset: Dataset | None) -> tuple[str, ...]:
    """Return a note on attributes that a model was fitted with and that are not known of the photos."""
    known = [] if dataset is None else dataset.images.column_names
    missing = [name for name in attributes.names_of(card.model) if name not in known]
    if not missing:
        return ()
    return (f"The model takes {', '.join(missing)} into account; here the average stands in. --data VIEW knows more.",)


def _wholes(request: PredictRequest, model: Path, runner: Runner, photos: _Photos, progress: Progress) -> PredictResult:
    paths, copies, dataset = photos
    shares = None if dataset is None else attributes.shares(runner.card.model, dataset.images)
    answered = inference.predict_readable(runner, paths, progress, shares=shares)
    rows = tuple(photo_answers.rows_of(answered.paths, answered.predictions, runner.card))
    pictures = tuple(_write_pictures(rows, copies, progress)) if copies else ()
    return PredictResult(model, runner.runtime, runner.card.task, rows, answered.refused, request.output, pictures)


def _places(request: PredictRequest, model: Path, runner: Runner, photos: _Photos, progress: Progress) -> PredictResult:
    from vision_cli.stages.running import place_predict

    found = place_predict.look(runner, photos.paths, photos.copies, progress, unsure=request.unsure)
    rows, refused, pictures = tuple(found.rows), tuple(found.refused), tuple(found.pictures)
    result = PredictResult(model, runner.runtime, runner.card.task, rows, refused, request.output, pictures)
    return replace(result, unsure=tuple(found.unsure))


def _checked_targets(request: PredictRequest, paths: Sequence[Path]) -> dict[Path, Path]:
    """Return where the annotated copy of each photo goes, if any are wanted."""
    if request.scores is not None and request.to is None:
        raise UsageError("--scores and --no-scores are for the data set of --to.", hint="Leave them out.")
    if request.to is not None and request.output is None:
        raise UsageError(f"--to {request.to}: where to?", hint="Give --output FOLDER, or FILE for coco-results.")
    if request.wanted is not None:
        prediction_sets.check(request.wanted, paths[0])
    elif request.output is not None:
        if request.output.suffix not in _SUFFIXES:
            raise UsageError(f"{request.output}: the suffix must be {' or '.join(_SUFFIXES)}.")
        places.check_file(request.output, project=request.project)
    if request.pictures is None:
        return {}
    places.check_additions(request.pictures, project=request.project)
    photos = {os.path.realpath(path) for path in paths}
    copies = dict(zip(paths, _targets(paths, request.pictures), strict=True))
    for target in copies.values():
        if os.path.realpath(target) in photos:
            raise UsageError(f"{target}: the annotated copy would replace the photo.", hint="Choose another folder.")
    return copies


def _targets(paths: Sequence[Path], folder: Path) -> list[Path]:
    """Return where each photo's annotated copy goes; equal names of different folders get a number."""
    taken: set[str] = set()
    found = []
    for path in paths:
        names = (f"{path.stem}{mark}.jpg" for mark in chain([""], (f"-{number}" for number in count(2))))
        name = next(name for name in names if name not in taken)
        taken.add(name)
        found.append(folder / name)
    return found


def _json(result: PredictResult) -> str:
    return files.json_text(result.as_json()) + "\n"


def _csv(result: PredictResult, card: Card) -> str:
    """Return one line a photo, or, where the model says what is where, one line an object."""
    if card.task not in PLACE_TASKS:
        return photo_answers.csv_text(each for each in result.answers if isinstance(each, Answer))
    from vision_cli.stages.running import place_predict

    return place_predict.csv_text([each for each in result.answers if isinstance(each, PlaceRow)], card)


def _write_pictures(rows: Sequence[Answer], copies: Mapping[Path, Path], progress: Progress) -> list[Path]:
    """Write an annotated copy of each photo that was answered."""
    for done, row in enumerate(rows, start=1):
        write.write_photo(copies[row.path], _picture(row))
        progress.step("draw", done, len(rows))
    return [copies[row.path] for row in rows]


def _picture(row: Answer) -> NDArray[np.uint8]:
    photo = draw.thumbnail(read.read_photo(row.path, at_least=(PICTURE_PX, PICTURE_PX)), PICTURE_PX)
    return photo_answers.picture(photo, row)
