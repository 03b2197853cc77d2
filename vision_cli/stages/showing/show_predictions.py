"""Predictions for a page: of an evaluation, of `vision predict`, a list of COCO results, or a data set with scores."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vision_cli import formats
from vision_cli.core import files
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.reports.browse_labels import Layer
from vision_cli.stages.detecting import detect
from vision_cli.stages.showing import kept_places, layers, results_files

PARQUET = "predictions.parquet"
LEAST = 0.3
_RUNS = "runs"
_MAX_BYTES = 1 << 30
_SEPARATOR = "|"

Flags = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Said:
    """What a model said of the photos of a data set.

    Attributes:
        title: what to call the predictions.
        layer: class ids index `classes`.
        classes: of the data set, then those that only the model knows.
        covered: bool (N,), photos that the predictions are about, though nothing may be found there.
        notes: what was left out.
    """

    title: str
    layer: Layer
    classes: tuple[str, ...]
    covered: Flags
    notes: tuple[str, ...] = ()


def load(dataset: Dataset, given: Path, root: Path, least: float | None) -> Said:
    """Read predictions.

    Args:
        dataset: photos and classes that they are about.
        given: a run's folder or its name below `runs/`, or a file.
        root: of the project.
        least: predictions of boxes below this score are left out; when None, those below LEAST, and of an evaluation
            none: it kept what the model is sure enough of.

    Raises:
        DataError: they are not there, cannot be read, or are about other photos.
    """
    path = _found(given, root)
    if path.is_dir() and kept_places.is_kept(path / PARQUET):
        return Said(_title(path), *kept_places.read(dataset, path / PARQUET, least or 0.0))
    least = LEAST if least is None else least
    if path.is_dir() and (path / PARQUET).is_file():
        return _labels(dataset, _parquet(path / PARQUET), _title(path))
    if path.suffix == ".csv" and _is_ours(path):
        return _labels(dataset, _csv(path), path.name)
    if path.suffix == ".json" and path.is_file():
        text = files.read_limited(path, max_bytes=_MAX_BYTES, what="the predictions").lstrip()
        if text[:1] == b"[" and "source_id" in dataset.images.column_names:
            found, asked, notes = results_files.read(dataset, text, path, least)
            return Said(path.name, found, dataset.classes.names, _splits_of(dataset, asked), notes)
        if text[:1] == b"{" and b'"predictions"' in text[:4096]:
            return _labels(dataset, _json(text, path), path.name)
    return _data_set(dataset, path, least)


def _found(given: Path, root: Path) -> Path:
    runs = sorted(root.joinpath(_RUNS).glob(f"*/{given.name}")) if given.name == os.fspath(given) else []
    for path in (given, *(run for run in runs if (run / PARQUET).is_file())):
        if path.exists():
            return path
    raise DataError(f"{given}: there are no such predictions.", hint="Give a run's folder, its name, or a file.")


def _title(run: Path) -> str:
    real = run.resolve()
    return f"{real.parent.name} {real.name}"


Row = tuple[str, str, float]
"""Path of a photo, what was said of it, and how sure; NaN where nobody said how."""


def _parquet(path: Path) -> list[Row]:
    try:
        table = pq.read_table(path, columns=["path", "predicted", "confidence"])
        texts = table["predicted"].cast(pa.string()).to_pylist()
        sure = np.asarray(table["confidence"].cast(pa.float64()).to_numpy(), dtype=np.float64).tolist()
        return list(zip(table["path"].to_pylist(), texts, sure, strict=True))
    except (pa.ArrowException, OSError, KeyError) as error:
        raise DataError(f"{path}: is no file of predictions: {error}.", hint="Evaluate again.") from error


class _Answer(msgspec.Struct):
    path: str
    answer: str
    confidence: float | None = None


class _Answers(msgspec.Struct):
    predictions: list[_Answer]


def _json(text: bytes, path: Path) -> list[Row]:
    try:
        found = msgspec.json.decode(text, type=_Answers)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: is no answer of `vision predict`: {error}.", hint="Predict again.") from error
    return [(each.path, each.answer, _sure(each.confidence)) for each in found.predictions]


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(64).startswith(b"path,answer,confidence")


def _csv(path: Path) -> list[Row]:
    content = files.read_limited(path, max_bytes=_MAX_BYTES, what="the predictions")
    rows = []
    for number, row in enumerate(csv.DictReader(io.StringIO(files.utf8(content, where=str(path)))), start=2):
        try:
            rows.append((row["path"], row["answer"], float(row["confidence"] or "nan")))
        except (TypeError, ValueError) as error:
            raise DataError(f"{path}:{number}: is no answer of `vision predict`.", hint="Predict again.") from error
    return rows


def _sure(confidence: float | None) -> float:
    return float("nan") if confidence is None else confidence


def _labels(dataset: Dataset, said: Sequence[Row], title: str) -> Said:
    """Return predictions of whole photos; photos are known by their path."""
    known = {os.path.realpath(path): row for row, path in enumerate(dataset.paths())}
    numbers = {name: at for at, name in enumerate(dataset.classes.names)}
    is_value = not numbers
    rows, ids, scores, values, others = [], [], [], [], 0
    covered = np.zeros(len(dataset), dtype=np.bool_)
    for path, answer, score in said:
        row = known.get(os.path.realpath(path))
        if row is None:
            others += 1
            continue
        covered[row] = True
        names = [answer] if is_value or answer in numbers or _SEPARATOR not in answer else answer.split(_SEPARATOR)
        for name in names if answer else []:
            rows.append(row)
            ids.append(-1 if is_value else numbers.setdefault(name, len(numbers)))
            scores.append(score)
            values.append(answer if is_value else None)
    if not rows:
        raise DataError(
            f"{title}: none of its {len(said)} predictions is of these photos.", hint="Is it the right run?"
        )
    more: Mapping[str, Any] = {"value": pa.chunked_array([pa.array(values, pa.string())])} if is_value else {}
    layer = Layer(np.array(rows, np.int64), np.array(ids, np.int64), scores=np.array(scores), more=more)
    return Said(title, layer, tuple(numbers), covered, _notes(others, "of other photos"))


def _splits_of(dataset: Dataset, rows: Sequence[int]) -> Flags:
    """Return the photos of the splits that a list of results is about: it does not name photos without a result."""
    splits = dataset.images["split"].to_pylist()
    asked = {splits[row] for row in rows}
    return np.array([not rows or split in asked for split in splits], dtype=np.bool_)


def _data_set(dataset: Dataset, path: Path, least: float) -> Said:
    """Read predictions that are a data set of their own; photos meet by path or file name, classes by name."""
    name = detect(path).format
    found: Dataset = formats.FORMATS.load(name).read(path, formats.ReadOptions("predictions", sizes=False))
    layer = layers.layer(found)
    if layer.scores is None:
        raise DataError(f"{path}: its annotations have no scores.", hint="Predictions have a score each, 0 to 1.")
    numbers = {each: at for at, each in enumerate(dataset.classes.names)}
    ids = np.array([*(numbers.setdefault(each, len(numbers)) for each in found.classes.names), -1], dtype=np.int64)
    places = _rows(dataset, found)
    covered = np.isin(np.arange(len(dataset)), places)
    rows = places[layer.rows]
    there, sure = rows >= 0, ~(layer.scores < least)
    if not there.any():
        raise DataError(f"{path}: none of its photos is one of these.", hint="Photos meet by their path or file name.")
    keep = there & sure
    notes = (*_notes(int((~there).sum()), "of other photos"), *_notes(int((there & ~sure).sum()), f"below {least:g}"))
    return Said(path.name, part(layer, keep, rows, ids[layer.class_ids]), tuple(numbers), covered, notes)


def part(layer: Layer, keep: Any, rows: Any, ids: Any) -> Layer:
    """Return some annotations of a layer, with other rows and class ids."""
    mask = pa.array(keep)

    def column(values: pa.ChunkedArray | None) -> pa.ChunkedArray | None:
        return None if values is None else values.filter(mask)

    return Layer(
        rows=rows[keep],
        class_ids=ids[keep],
        boxes=None if layer.boxes is None else layer.boxes[keep],
        scores=None if layer.scores is None else layer.scores[keep],
        outlines=column(layer.outlines),
        keypoints=column(layer.keypoints),
        more={name: values.filter(mask) for name, values in layer.more.items()},
    )


def _rows(dataset: Dataset, found: Dataset) -> Any:
    """Return the row of each of the other set's photos, by path or by a name that is unique; -1 where there is none."""
    paths: list[str] = dataset.images["path"].to_pylist()
    by_path = {path: row for row, path in enumerate(paths)}
    by_name: dict[str, int] = {}
    for row, path in enumerate(paths):
        name = path.rpartition("/")[2]
        by_name[name] = -1 if name in by_name else row
    others = found.images["path"].to_pylist()
    return np.array([by_path.get(path, by_name.get(path.rpartition("/")[2], -1)) for path in others], dtype=np.int64)


def _notes(count: int, what: str) -> tuple[str, ...]:
    return (f"Predictions {what}, left out: {count:,}.",) if count else ()
