"""What a model says of frames, whatever its task: rows, and pictures of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core import files
from vision_cli.core.artefact import Card
from vision_cli.core.contracts import Runner
from vision_cli.core.tasks import PLACE_TASKS
from vision_cli.imaging import draw, prepare
from vision_cli.imaging.video import Frame
from vision_cli.stages.running import inference, place_inference, place_predict
from vision_cli.stages.running.photo_answers import rows_of
from vision_cli.stages.running.place_rows import read_row, row_of

Photo = NDArray[np.uint8]
_NOWHERE = Path()
_DIGITS = 3
_SHOWN = 3


def say(runner: Runner, frames: Sequence[Frame]) -> list[dict[str, Any]]:
    """Return a row a frame, with the members of `vision predict --json` but `frame` and `time_s` for the path.

    Raises:
        DataError: the model gives values that are not numbers.
    """
    photos = [frame.photo for frame in frames]
    said = _places(runner, photos) if runner.card.task in PLACE_TASKS else _answers(runner, photos)
    return [
        {"frame": frame.index, "time_s": round(frame.time_s, _DIGITS), **_without_path(row)}
        for frame, row in zip(frames, said, strict=True)
    ]


def _places(runner: Runner, photos: Sequence[Photo]) -> list[dict[str, Any]]:
    card = runner.card
    seen = [(prepare.views(photo, card.preprocess), (photo.shape[1], photo.shape[0])) for photo in photos]
    return [row_of(_NOWHERE, answer, card).as_json() for answer in place_inference.said(runner, seen)]


def _answers(runner: Runner, photos: Sequence[Photo]) -> list[dict[str, Any]]:
    inputs = np.stack([prepare.prepare(photo, runner.card.preprocess) for photo in photos])
    predictions = inference.decode(runner, runner.run(inputs).astype(np.float64))
    return [row.as_json() for row in rows_of([_NOWHERE] * len(photos), predictions, runner.card)]


def _without_path(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "path"}


def picture(photo: Photo, row: Mapping[str, Any], card: Card) -> Photo:
    """Return a frame uint8 (H, W, 3) with what was said of it; frames of one size give pictures of one size."""
    if card.task not in PLACE_TASKS:
        scores = row.get("scores", {row["answer"]: None})
        return _captioned(photo, scores, 1 if card.task == "regress" else len(card.classes))
    found = read_row(_NOWHERE, row, card)
    drawn = place_predict.marked(photo, found, card)
    return place_predict.with_legend(drawn, found, card, slots=len(card.classes))


def _captioned(photo: Photo, scores: Mapping[str, float | None], most: int) -> Photo:
    lines = [draw.Line(name, score) for name, score in scores.items()]
    empty = [draw.Line("")] * _SHOWN
    return draw.caption(photo, [*lines, *empty][: min(_SHOWN, most)])


def count(row: Mapping[str, Any], task: str, into: dict[str, int]) -> None:
    """Count what a frame shows: objects by class, the classes of its pixels, or its answer."""
    match task:
        case "regress":
            return
        case "semantic":
            names = list(row["shares"])
        case _:
            names = [each["class"] for each in row["objects"]] if task in PLACE_TASKS else [row["answer"]]
    for name in names:
        into[name] = into.get(name, 0) + 1


def _json(head: Mapping[str, Any], rows: Iterable[Mapping[str, Any]], _card: Card) -> Iterator[bytes]:
    """Yield one JSON document, a frame a line."""
    members = files.json_text({key: str(value) if isinstance(value, Path) else value for key, value in head.items()})
    yield _encoded(members.removesuffix("\n}") + ',\n  "predictions": [\n')
    for at, row in enumerate(rows):
        yield _encoded((",\n    " if at else "    ") + files.json_text(row, indent=None))
    yield b"\n  ]\n}\n"


def _csv(_head: Mapping[str, Any], rows: Iterable[Mapping[str, Any]], card: Card) -> Iterator[bytes]:
    """Yield one line an object, class of pixels or answer, with the frame that it is of."""
    yield _line(["frame", "time_s", *_columns(card)])
    for row in rows:
        for values in _lines(row, card):
            yield _line([row["frame"], row["time_s"], *values])


def _columns(card: Card) -> list[str]:
    if card.task not in PLACE_TASKS:
        return ["answer", "confidence"]
    if card.place_decode.layout == "pixels":
        return ["class", "share"]
    return ["class", "confidence", "x", "y", "width", "height"]


def _lines(row: Mapping[str, Any], card: Card) -> list[list[Any]]:
    if card.task not in PLACE_TASKS:
        sure = row.get("confidence")
        return [[row["answer"], "" if sure is None else f"{sure:.6f}"]]
    if card.place_decode.layout == "pixels":
        return [[name, f"{share:.6f}"] for name, share in row["shares"].items()]
    return [[each["class"], f"{each['confidence']:.6f}", *each["box"]] for each in row["objects"]]


def _line(values: list[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return _encoded(text.getvalue())


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


WRITERS = {".json": _json, ".csv": _csv}
