"""Photos through any model: decoding runs ahead of computing, and every runtime gets the same input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli.core.contracts import Batch, Runner
from vision_cli.core.errors import DataError
from vision_cli.core.predictions import Predictions
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.progress import Progress
from vision_cli.imaging import prepare
from vision_cli.stages.running.reading import read_ahead, refusal

Loaded = Batch | DataError
Shares = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Answered:
    """Predictions with the photos that they are for.

    Attributes:
        paths: of the photos that could be read, in the order given.
        predictions: one a path.
        refused: path and reason of the others.
    """

    paths: tuple[Path, ...]
    predictions: Predictions
    refused: tuple[tuple[Path, str], ...]


def predict_paths(
    runner: Runner,
    paths: Sequence[Path],
    progress: Progress,
    *,
    what: str = "predict",
    shares: Shares | None = None,
) -> Predictions:
    """Return the predictions for photos, in their order; see `predict_readable`.

    Raises:
        DataError: a photo is refused, or the model gives values that are not numbers.
    """
    answered = predict_readable(runner, paths, progress, what=what, shares=shares)
    if answered.refused:
        raise refusal(answered.refused, len(paths))
    return answered.predictions


def predict_readable(
    runner: Runner,
    paths: Sequence[Path],
    progress: Progress,
    *,
    what: str = "predict",
    shares: Shares | None = None,
) -> Answered:
    """Return the predictions for the photos that can be read, and why the others cannot.

    Args:
        runner: of the model.
        paths: of the photos.
        progress: hears how many are done.
        what: it calls that.
        shares: what the photos' attributes add to the raw outputs, (N, C); see `core.attributes`.

    Raises:
        DataError: the model gives values that are not numbers.
    """
    outputs: list[Batch] = []
    read: list[int] = []
    done = 0
    refused: list[tuple[Path, str]] = []
    for items in read_ahead(paths, partial(_load, preprocess=runner.card.preprocess)):
        good = [(at, item) for at, (_, item) in enumerate(items, start=done) if not isinstance(item, DataError)]
        refused += [(path, item.message) for path, item in items if isinstance(item, DataError)]
        if good:
            outputs.append(runner.run(np.stack([item for _, item in good])))
            read += [at for at, _ in good]
        done += len(items)
        progress.step(what, done, len(paths))
    width = len(runner.card.classes) or 1
    raw = np.concatenate(outputs).astype(np.float64) if outputs else np.empty((0, width))
    if shares is not None:
        raw = raw + shares[read]
    return Answered(tuple(paths[at] for at in read), decode(runner, raw), tuple(refused))


def decode(runner: Runner, raw: np.ndarray[Any, np.dtype[np.float64]]) -> Predictions:
    """Return predictions of raw (N, C) outputs.

    Raises:
        DataError: an output is not a finite number.
    """
    if not np.isfinite(raw).all():
        row = int(np.flatnonzero(~np.isfinite(raw).all(axis=1))[0])
        raise DataError(
            f"the {runner.runtime} model gives values that are not numbers (first at photo {row + 1}).",
            hint="Its weights are broken: export or train it again.",
        )
    return Predictions(runner.card.photo_decode.scores(raw, runner.card.task), raw)


def _load(path: Path, preprocess: Preprocess) -> Loaded:
    try:
        return prepare.load(path, preprocess)
    except DataError as error:
        return error
