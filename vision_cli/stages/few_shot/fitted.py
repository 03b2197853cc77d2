"""The classifier of a book: fitted at once, calibrated on left-out examples, kept until it changes."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vision_cli.core import files
from vision_cli.core.errors import DataError, ResourceError
from vision_cli.core.progress import Progress
from vision_cli.few_shot import heads, left_out, likeness
from vision_cli.few_shot import model as models
from vision_cli.few_shot.book import Book
from vision_cli.few_shot.heads import Ids, Rows
from vision_cli.few_shot.model import NEVER, FewShot
from vision_cli.metrics import calibration
from vision_cli.stages.few_shot import keeping
from vision_cli.stages.few_shot.describing import Describer

_VERSION = 2
_MAX_BYTES = 1_000_000_000


def fit(names: tuple[str, ...], head: str, vectors: Rows, classes: Ids) -> FewShot:
    """Fit a head to examples, and calibrate it on examples that are left out.

    Args:
        names: of the classes.
        head: a line of `heads.HEADS`.
        vectors: float32 (N, D).
        classes: int64 (N,), index into `names`; each has a row.
    """
    size = len(names)
    fitted, where = heads.fit(head, vectors, classes, size), likeness.fit(vectors, classes, size)
    limit = likeness.threshold(likeness.left_out(vectors, classes, size))
    counted = left_out.judged(classes)
    temperature, right = 1.0, float("nan")
    if size > 1 and counted.any():
        logits, truth = left_out.logits(head, vectors, classes, size)[counted], classes[counted]
        temperature = calibration.fit_temperature(np.maximum(logits, _LOWEST), truth, "classify")
        right = float((logits.argmax(axis=1) == truth).mean())
    judged = int(counted.sum())
    return FewShot(names, fitted, temperature, where, NEVER if limit is None else limit, judged > 0, right, judged)


_LOWEST = -1e3
"""Of a logit that a temperature is fitted to."""


def examples_of(path: Path, book: Book, describer: Describer, progress: Progress) -> tuple[NDArray[np.float32], Ids]:
    """Return the vectors of a book's examples, float32 (N, D), and their classes, int64 (N,).

    Raises:
        DataError: a photo is gone and its vector is not kept here.
    """
    rows = book.photos
    index = {name: at for at, name in enumerate(book.names)}
    vectors = keeping.vectors_of(path, [example for _, example in rows], describer, progress)
    return vectors, np.array([index[name] for name, _ in rows], np.int64)


def of_book(path: Path, book: Book, describer: Callable[[], Describer], identity: str, progress: Progress) -> FewShot:
    """Return the classifier of a book, fitted anew only when the book changed.

    Args:
        path: of the book.
        book: with at least one class.
        describer: opened only where an example's vector is not kept.
        identity: of what describes photos.
        progress: hears of photos that are described again.

    Raises:
        DataError: a photo is gone and its vector is not kept here.
    """
    heads.card(book.head)
    document = files.json_text([_VERSION, identity, book.as_json()["classes"], book.head], indent=None)
    target = keeping.embeddings(path) / f"fitted-{hashlib.sha256(document.encode()).hexdigest()[:24]}.npz"
    found = _kept(target)
    if found is None:
        found = fit(book.names, book.head, *examples_of(path, book, describer(), progress))
        _keep(target, found)
    return found


def _kept(path: Path) -> FewShot | None:
    if not path.is_file():
        return None
    try:
        content = files.read_limited(path, max_bytes=_MAX_BYTES, what="the classifier")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return models.from_arrays(dict(arrays))
    except (DataError, ValueError, OSError, EOFError, KeyError):
        return None


def _keep(path: Path, fitted: FewShot) -> None:
    """Keep a classifier in place of that of an earlier book, where the disk allows it."""
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **fitted.arrays())
    try:
        files.write_bytes(path, stream.getvalue())
        for old in path.parent.glob("fitted-*.npz"):
            if old != path:
                old.unlink(missing_ok=True)
    except (ResourceError, OSError):
        return
