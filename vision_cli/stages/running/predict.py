"""`vision predict`: files, folders or globs through any model."""

from __future__ import annotations

import csv
import glob
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli.core import files
from vision_cli.core.artefact import Card
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.formats.photos import PHOTO_SUFFIXES
from vision_cli.imaging import draw, read, sniff, write
from vision_cli.stages import places
from vision_cli.stages.running import answers, inference, loading

PICTURE_PX = 800
_TOP = 5
_SHOWN = 3
_HEAD_BYTES = 64


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
    """

    project: Project
    inputs: tuple[str, ...]
    model: Path | None = None
    output: Path | None = None
    pictures: Path | None = None
    threads: int | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said of one photo.

    Attributes:
        path: of the photo.
        answer: class name, names joined by `|`, or a value.
        confidence: 0..1; None for values.
        scores: by class name, highest first; empty for values.
        value: only for `regress`.
    """

    path: Path
    answer: str
    confidence: float | None
    scores: Mapping[str, float]
    value: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        row: dict[str, Any] = {"path": self.path, "answer": self.answer}
        if self.value is not None:
            return {**row, "value": self.value}
        return {**row, "confidence": self.confidence, "scores": dict(self.scores)}


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
    """

    model: Path
    runtime: str
    task: str
    answers: tuple[Answer, ...]
    refused: tuple[tuple[Path, str], ...] = ()
    output: Path | None = None
    pictures: tuple[Path, ...] = ()

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
        }


def predict(request: PredictRequest, progress: Progress) -> PredictResult:
    """Run a model on photos.

    A photo that cannot be read is listed under `refused`; the others are still answered.

    Raises:
        UsageError: the output's suffix is unknown, or an annotated copy would replace a photo.
        DataError: an input matches nothing, or the model is refused.
        ResourceError: the results cannot be written.
    """
    paths = find_photos(request.inputs)
    copies = _checked_targets(request, paths)
    model = loading.find_model(request.project, request.model)
    runner = loading.open_model(model, threads=request.threads)
    answered = inference.predict_readable(runner, paths, progress)
    rows = tuple(_answers(answered, runner.card))
    result = PredictResult(model, runner.runtime, runner.card.task, rows, answered.refused, request.output)
    if request.dry_run:
        return result
    if request.output is not None:
        text = _WRITERS[request.output.suffix](result)
        # a file name that is not UTF-8 has parts that no UTF-8 file can hold; JSON readers give them back
        files.write_bytes(request.output, text.encode("utf-8", "backslashreplace"))
    if request.pictures is None:
        return result
    return replace(result, pictures=tuple(_write_pictures(result, copies, progress)))


def _checked_targets(request: PredictRequest, paths: Sequence[Path]) -> dict[Path, Path]:
    """Return where the annotated copy of each photo goes, if any are wanted."""
    if request.output is not None:
        if request.output.suffix not in _WRITERS:
            raise UsageError(f"{request.output}: the suffix must be {' or '.join(_WRITERS)}.")
        places.check_file(request.output)
    if request.pictures is None:
        return {}
    places.check_folder(request.pictures)
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


def find_photos(inputs: tuple[str, ...]) -> list[Path]:
    """Return the photos that files, folders and globs name, each once, in order.

    Raises:
        DataError: one of them names nothing.
    """
    found: dict[Path, None] = {}
    for text in inputs:
        matches = list(_matches(text))
        if not matches:
            raise DataError(f"{text}: no photo there.", hint="Give files, folders, or a glob such as 'photos/*.jpg'.")
        found.update(dict.fromkeys(matches))
    return list(found)


def _matches(text: str) -> Iterator[Path]:
    path = Path(text)
    if path.is_dir():
        yield from sorted(each for each in path.rglob("*") if each.is_file() and _is_photo(each))
    elif path.exists():
        yield path
    else:
        matches = sorted(Path(each) for each in glob.glob(text, recursive=True))  # noqa: PTH207 - absolute globs too
        yield from (each for each in matches if each.is_file())


def _is_photo(path: Path) -> bool:
    """Return whether a file begins like a photo, or calls itself one and will be refused by name."""
    if path.suffix.lower() in PHOTO_SUFFIXES:
        return True
    with path.open("rb") as file:
        return sniff.photo_format(file.read(_HEAD_BYTES)) is not None


def _answers(answered: inference.Answered, card: Card) -> list[Answer]:
    words = answers.answers(answered.predictions, card)
    sure = answers.confidences(answered.predictions, card)
    rows = zip(answered.paths, words, sure, answered.predictions.scores, strict=True)
    if card.task == "regress":
        return [Answer(path, word, None, {}, float(scores[0])) for path, word, _, scores in rows]
    return [Answer(path, word, confidence, _top(scores, card)) for path, word, confidence, scores in rows]


def _top(scores: np.ndarray[Any, Any], card: Card) -> dict[str, float]:
    order = np.argsort(-scores, kind="stable")[:_TOP]
    return {card.classes.names[index]: float(scores[index]) for index in order}


def _json(result: PredictResult) -> str:
    return files.json_text(result.as_json()) + "\n"


def _csv(result: PredictResult) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["path", "answer", "confidence", "scores"])
    for row in result.answers:
        scores = answers.SEPARATOR.join(f"{name}={score:.6f}" for name, score in row.scores.items())
        writer.writerow([row.path, row.answer, "" if row.confidence is None else f"{row.confidence:.6f}", scores])
    return text.getvalue()


_WRITERS = {".json": _json, ".csv": _csv}


def _write_pictures(result: PredictResult, copies: Mapping[Path, Path], progress: Progress) -> list[Path]:
    """Write an annotated copy of each photo that was answered."""
    for done, row in enumerate(result.answers, start=1):
        write.write_photo(copies[row.path], _picture(row))
        progress.step("draw", done, len(result.answers))
    return [copies[row.path] for row in result.answers]


def _picture(row: Answer) -> np.ndarray[Any, np.dtype[np.uint8]]:
    photo = draw.thumbnail(read.read_photo(row.path, at_least=(PICTURE_PX, PICTURE_PX)), PICTURE_PX)
    if row.value is not None:
        return draw.caption(photo, [draw.Line(row.answer)])
    best = list(row.scores.items())[:_SHOWN]
    return draw.caption(photo, [draw.Line(name, score) for name, score in best])
