"""Photos through a detector or segmenter, one batch in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.contracts import Runner
from vision_cli.core.decoding.answers import PlaceAnswer
from vision_cli.core.decoding.photos import decode_batch
from vision_cli.core.errors import DataError
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.progress import Progress
from vision_cli.imaging import prepare
from vision_cli.stages.running.reading import BATCH_SIZE, read_ahead, refusal

Seen = tuple[list[NDArray[np.uint8]], tuple[int, int]]
"""What a network sees of a photo, uint8 (H, W, C) each, and the photo's (width, height)."""


def answers(runner: Runner, paths: Sequence[Path], progress: Progress, *, what: str) -> Iterator[PlaceAnswer]:
    """Yield what the model says of each photo, in their order.

    Raises:
        DataError: photos are refused, all of them are named, or the model gives values that are not numbers.
    """
    refused: list[tuple[Path, str]] = []
    for path, answer in readable(runner, paths, progress, what=what):
        if isinstance(answer, DataError):
            refused.append((path, answer.message))
        else:
            yield answer
    if refused:
        raise refusal(refused, len(paths))


def readable(
    runner: Runner, paths: Sequence[Path], progress: Progress, *, what: str
) -> Iterator[tuple[Path, PlaceAnswer | DataError]]:
    """Yield each photo with what the model says of it, or why it cannot be read.

    Raises:
        DataError: the model gives values that are not numbers.
    """
    done, preprocess = 0, runner.card.preprocess
    at_once = BATCH_SIZE if preprocess.tiles is None else 1  # a large photo is a batch or more by itself
    for items in read_ahead(paths, partial(_load, preprocess=preprocess), at_once):
        found = iter(said(runner, [item for _, item in items if not isinstance(item, DataError)]))
        for path, item in items:
            yield path, item if isinstance(item, DataError) else next(found)
        done += len(items)
        progress.step(what, done, len(paths))


def said(runner: Runner, photos: Sequence[Seen]) -> list[PlaceAnswer]:
    """Return what the model says of photos, given what it sees of them and their sizes.

    Raises:
        DataError: the model gives values that are not numbers.
    """
    if not photos:
        return []
    card = runner.card
    inputs = [view for views, _ in photos for view in views]
    return decode_batch(_raw(runner, inputs), card.place_decode, card.preprocess, [size for _, size in photos])


def _raw(runner: Runner, inputs: Sequence[NDArray[np.uint8]]) -> tuple[NDArray[np.float32], ...]:
    """Return the raw outputs of all inputs, computed in batches."""
    found = []
    for start in range(0, len(inputs), BATCH_SIZE):
        batch = [prepare.normalise(view, runner.card.preprocess) for view in inputs[start : start + BATCH_SIZE]]
        found.append(runner.run_all(np.stack(batch)))
    return found[0] if len(found) == 1 else tuple(np.concatenate(parts) for parts in zip(*found, strict=True))


def _load(path: Path, preprocess: Preprocess) -> Seen | DataError:
    try:
        return prepare.load_views(path, preprocess)
    except DataError as error:
        return error
