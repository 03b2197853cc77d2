"""Answers of the user's own model, cross-validated, for the check of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vision_cli.checks.request import Request
from vision_cli.core import run
from vision_cli.core.errors import DataError

CHECK = "label-doubtful"
_RESULT, _PREDICTIONS = "result.json", "predictions.parquet"
_HINT = "Give a run of `vision crossval`, such as runs/crossval/latest."


def with_check(names: Sequence[str]) -> list[str]:
    """Return the checks with the one that reads answers."""
    return [*names] if CHECK in names else [*names, CHECK]


def with_answers(asked: Request, folder: Path) -> Request:
    """Return a request with the probabilities of its photos' classes, by source and path.

    Raises:
        DataError: no run of cross-validation of classes, other classes, or none of the photos.
    """
    result = _result(folder)
    own, names = result["classes"], asked.dataset.classes.names
    if set(own) != set(names):
        raise DataError(f"{folder}: its classes are not those of the data.", hint=f"They are: {', '.join(own)}.")
    try:
        table = pq.read_table(folder / _PREDICTIONS, columns=["source", "path", "scores"])
    except (OSError, pa.ArrowInvalid, KeyError) as error:
        raise DataError(f"{folder / _PREDICTIONS}: cannot be read: {error}.", hint=_HINT) from error
    scores = np.array(table["scores"].to_pylist(), dtype=np.float64)[:, [own.index(name) for name in names]]
    row_of = {path: row for row, path in enumerate(table["path"].to_pylist())}
    rows = [row_of.get(str(path), -1) for path in asked.dataset.paths()]
    answers = np.full((len(rows), len(names)), np.nan)
    known = np.array(rows) >= 0
    answers[known] = scores[np.array(rows)[known]]
    if not known.any():
        raise DataError(f"{folder}: judged none of these photos.", hint="Check the view, or cross-validate it again.")
    return replace(asked, answers=answers)


def _result(folder: Path) -> dict[str, list[str]]:
    if not (folder / _RESULT).is_file():
        raise DataError(f"{folder}: is no finished run.", hint=_HINT)
    result = run.read_json(folder / _RESULT)
    if "folds" not in result or result.get("task") != "classify":
        raise DataError(f"{folder}: holds no cross-validated classes of photos.", hint=_HINT)
    return result
