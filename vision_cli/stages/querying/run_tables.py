"""A project's runs as tables: `runs`, `predictions` and `embeddings`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vision_cli.core import artefact, files, run
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.stages.querying import prediction_rows
from vision_cli.training.store import row_key

RUNS = pa.schema(
    [
        ("stage", pa.string()),
        ("id", pa.string()),
        ("status", pa.string()),
        ("started", pa.timestamp("us")),  # UTC
        ("ended", pa.timestamp("us")),
        ("command", pa.string()),
        ("data_digest", pa.string()),  # of the labels
        ("data_version", pa.string()),  # id of the commit that the data equalled
        ("metrics", pa.string()),  # JSON object
        ("config", pa.string()),  # JSON object
    ]
)
PREDICTIONS = pa.schema([("run", pa.string()), ("image_id", pa.int64()), *prediction_rows.ROWS])
EMBEDDINGS = pa.schema([("run", pa.string()), ("image_id", pa.int64()), ("embedding", pa.list_(pa.float32()))])

_RESULT, _PREDICTIONS, _EMBEDDINGS, _MODEL = "result.json", "predictions.parquet", "embeddings", "model"
_VECTORS = "embeddings.parquet"
_KEY_BYTES = 32
_MAX_HEADER_BYTES = 100_000_000


def runs(root: Path) -> pa.Table:
    """Return one row a run, oldest first within its stage; broken ones have nulls."""
    rows = [_run_row(record) for record in _records(root)]
    return pa.Table.from_pylist(rows, RUNS)


def _records(root: Path) -> Iterator[run.Run]:
    for manifest in sorted((root / run.RUNS).glob(f"*/*/{run.MANIFEST}")):
        if not manifest.parent.is_symlink():
            yield run.Run(manifest.parent)


def _run_row(record: run.Run) -> dict[str, Any]:
    manifest, status = _document(record.folder / run.MANIFEST), _document(record.folder / run.STATUS)
    ended = None if status.get("state") == "running" else _time(status.get("at"), "%Y-%m-%dT%H:%M:%S%z")
    argv = manifest.get("argv")
    return {
        "stage": record.folder.parent.name,
        "id": record.folder.name,
        "status": status.get("state"),
        "started": _time(record.folder.name[:15], "%Y%m%d-%H%M%S"),
        "ended": ended,
        "command": None if argv is None else record.command,
        "data_digest": _text(manifest.get("data_digest")),
        "data_version": _text(manifest.get("data_version")),
        "metrics": _json(_metrics(record)),
        "config": _json(manifest.get("config")),
    }


def _document(path: Path) -> dict[str, Any]:
    with suppress(DataError):
        return run.read_json(path)
    return {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _time(text: Any, form: str) -> datetime | None:
    with suppress(ValueError, TypeError):
        return datetime.strptime(text, form).replace(tzinfo=None)  # all are UTC
    return None


def _metrics(record: run.Run) -> Any:
    """Return the figures of a run's result, else those of its last epoch."""
    found = _document(record.folder / _RESULT).get("metrics")
    if found is not None:
        return found
    rows = record.metrics()
    return rows[-1] if rows else None


def _json(value: Any) -> str | None:
    return None if value is None else files.json_text(value, indent=None)


def predictions(root: Path, dataset: Dataset | None) -> pa.Table:
    """Return what runs that kept their predictions said: one row a photo, of detectors one an object that they found.

    `image_id` is null for photos of other data.
    """
    parts = [PREDICTIONS.empty_table()]
    known = {} if dataset is None else {str(path): row for row, path in enumerate(dataset.paths())}
    for record in _records(root):
        path = record.folder / _PREDICTIONS
        if path.is_file():
            parts.append(_predictions(prediction_rows.read(path), record, dataset, known))
    return pa.concat_tables(parts)


def _predictions(table: pa.Table, record: run.Run, dataset: Dataset | None, known: dict[str, int]) -> pa.Table:
    ids = pa.nulls(len(table), pa.int64())
    if dataset is not None:
        rows = [known.get(text) for text in table["path"].to_pylist()]
        ids = dataset.images["id"].combine_chunks().take(pa.array(rows, pa.int64())).cast(pa.int64())
    run_id = pa.array([record.folder.name] * len(table), pa.string())
    return pa.table([run_id, ids, *table.columns], schema=PREDICTIONS)


def embeddings(root: Path, dataset: Dataset) -> tuple[pa.Table, list[str]]:
    """Return one row a photo of each run that kept embeddings, and why others have none.

    Photos are known by the hash of their bytes.
    """
    stores = [
        (record, path) for record in _records(root) for path in sorted(record.folder.glob(f"{_EMBEDDINGS}/*.bin"))
    ]
    written, notes = _written(root, dataset)
    if not stores:
        return written, notes
    hashes = [_hash(path) for path in dataset.paths()]
    ids = dataset.images["id"].to_pylist()
    parts = [written]
    for record, path in stores:
        try:
            parts.append(_embeddings(record, path, hashes, ids))
        except DataError as error:
            notes.append(f"The embeddings of {record.folder.name} are left out: {error.message}")
    return pa.concat_tables(parts), notes


def _written(root: Path, dataset: Dataset) -> tuple[pa.Table, list[str]]:
    """Return what runs of `vision embed` wrote of the data set's photos, and why some are left out."""
    parts, notes = [EMBEDDINGS.empty_table()], []
    ids = dict(zip(map(str, dataset.paths()), dataset.images["id"].to_pylist(), strict=True))
    for record in _records(root):
        path = record.folder / _VECTORS
        if not path.is_file():
            continue
        try:
            table = pq.read_table(path, columns=["path", "vector"])
        except (pa.ArrowException, OSError, KeyError) as error:
            notes.append(f"The embeddings of {record.folder.name} are left out: {error}")
            continue
        found = [ids.get(text) for text in table["path"].to_pylist()]
        kept = table.filter(pa.array([each is not None for each in found]))
        names = pa.array([record.folder.name] * len(kept), pa.string())
        vectors = kept["vector"].cast(pa.list_(pa.float32()))
        images = pa.array([each for each in found if each is not None], pa.int64())
        parts.append(pa.table([names, images, vectors], schema=EMBEDDINGS))
    return pa.concat_tables(parts), notes


def _hash(path: Path) -> str | None:
    try:
        return files.file_sha256(path)
    except OSError:
        return None


def _embeddings(record: run.Run, path: Path, hashes: Sequence[str | None], ids: Sequence[int]) -> pa.Table:
    """Return the rows of one store: records of a key and float32 (D,); see `training.store`."""
    folder = record.folder / _MODEL
    if not (folder / artefact.CARD_NAME).is_file():
        raise DataError("the run has no model, and only its preprocessing tells them apart.")
    card = artefact.load_card(folder)
    content = np.fromfile(path, np.uint8)
    keys = [b"" if each is None else row_key(each, card.preprocess) for each in hashes]
    for size in _lengths(folder / card.weights_file):
        records = content[: len(content) // (_KEY_BYTES + 4 * size) * (_KEY_BYTES + 4 * size)]
        records = records.reshape(-1, _KEY_BYTES + 4 * size)
        places = {bytes(key): row for row, key in enumerate(records[:, :_KEY_BYTES])}
        found = [(image, places[key]) for image, key in zip(ids, keys, strict=True) if key in places]
        if found:
            values = np.ascontiguousarray(records[[row for _, row in found], _KEY_BYTES:]).view(np.float32)
            offsets = pa.array(np.arange(len(found) + 1) * size, pa.int32())
            lists = pa.ListArray.from_arrays(offsets, pa.array(values.ravel()))
            names = pa.array([record.folder.name] * len(found))
            return pa.table([names, pa.array([image for image, _ in found], pa.int64()), lists], schema=EMBEDDINGS)
    return EMBEDDINGS.empty_table()


def _lengths(weights: Path) -> list[int]:
    """Return the widths of a model's matrices, the last layers first: one of them is an embedding's length.

    A safetensors file begins with the length of its JSON header: https://github.com/huggingface/safetensors#format
    """
    try:
        with weights.open("rb") as stream:
            header = stream.read(min(int.from_bytes(stream.read(8), "little"), _MAX_HEADER_BYTES))
        shapes = [each["shape"] for each in json.loads(header).values() if "shape" in each]
    except (OSError, ValueError, AttributeError, TypeError):
        return []
    return list(dict.fromkeys(shape[1] for shape in reversed(shapes) if len(shape) == 2 and shape[1] > 0))


def column_names() -> dict[str, list[str]]:
    """Return the columns of the tables of this module."""
    return {"runs": RUNS.names, "predictions": PREDICTIONS.names, "embeddings": EMBEDDINGS.names}
