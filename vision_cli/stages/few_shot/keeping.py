"""Where few-shot classes are kept: `classes.json` for people and git, and below `.vision/few_shot` what it is made of.

The book names photos by their content, and the vectors are kept by it, too: a photo that is moved, changed or deleted
later stays the example that it was. On another machine the vectors are computed again, from the photos.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core import files
from vision_cli.core.catalogue import listed
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.few_shot import book as books
from vision_cli.few_shot.book import FILE_NAME, Book, Example
from vision_cli.stages.few_shot.describing import DEFAULT, Describer
from vision_cli.training.store import EmbeddingStore

HEAD = "logistic"
"""Of a new book: the best of the three with 5 and with 10 photos a class; see docs/few_shot.md."""
_FOLDER = Path(".vision", "few_shot")
_MAX_BYTES = 100_000_000
_LAYOUT = "three looks 1"


def place(project: Project) -> Path:
    """Return where the book of a project lies or will lie: beside its file; without one the nearest at or above."""
    if project.file is None:
        for folder in (project.root, *project.root.parents):
            if (folder / FILE_NAME).is_file():
                return folder / FILE_NAME
    return project.root / FILE_NAME


def read(path: Path) -> Book:
    """Return a book; one without classes where there is no file.

    Raises:
        DataError: the file is no book.
    """
    if not os.path.lexists(path):
        return Book(DEFAULT, HEAD)
    content = files.read_limited(path, max_bytes=_MAX_BYTES, what="the book of classes")
    try:
        document = json.loads(files.utf8(content, where=str(path)), object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{path}: not JSON: {error}.", hint="Mend it, or take it away and add the classes again."
        ) from error
    return books.from_json(document, where=str(path))


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in it")
    return found


def filled(path: Path) -> Book:
    """Return a book with at least one class.

    Raises:
        UsageError: there is none.
    """
    book = read(path)
    if not book.classes:
        raise UsageError(
            f"{path.parent}: no classes there yet.", hint="Add one: vision classes add winter photo1.jpg photo2.jpg"
        )
    return book


def write(path: Path, book: Book) -> None:
    """Write a book whole.

    Raises:
        ResourceError: it cannot be written.
    """
    files.write_json(path, book.as_json())


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a book: a second writer waits until the first is done."""
    folder = path.parent / _FOLDER
    with files.disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a network file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def embeddings(path: Path) -> Path:
    """Return the folder for a book's vectors."""
    return path.parent / _FOLDER


def seen_from(path: Path, photo: Path) -> str:
    """Return a photo's path as seen from a book's folder, with `/`; absolute where it lies outside."""
    absolute = Path(os.path.normpath(photo.absolute()))
    root = path.parent.absolute()
    return absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else absolute.as_posix()


def vectors_of(
    path: Path, examples: Sequence[Example], describer: Describer, progress: Progress
) -> NDArray[np.float32]:
    """Return the vectors of examples, float32 (N, D); those that are not kept are computed from their photos.

    Raises:
        DataError: a photo is gone or was changed, and its vector is not kept here; all are named.
    """
    store, keys = _store(path, describer), [_key(example.sha256) for example in examples]
    missing = [at for at, key in enumerate(keys) if store.get(key) is None]
    if missing:
        _describe(path, [examples[at] for at in missing], describer, store, progress)
    rows = [store.get(key) for key in keys]
    return np.stack([row for row in rows if row is not None])


def keep(path: Path, describer: Describer, sums: Sequence[str], vectors: NDArray[np.float32]) -> None:
    """Keep vectors by the content of their photos."""
    store = _store(path, describer)
    new = [at for at, text in enumerate(sums) if store.get(_key(text)) is None]
    if new:
        store.put([_key(sums[at]) for at in new], vectors[new])


def _describe(
    path: Path, examples: Sequence[Example], describer: Describer, store: EmbeddingStore, progress: Progress
) -> None:
    photos = [path.parent / example.photo for example in examples]
    problems = [
        f"{example.photo}: {problem}"
        for example, photo in zip(examples, photos, strict=True)
        if (problem := _problem(example, photo)) is not None
    ]
    if not problems:
        found = describer.describe(photos, progress)
        problems = [reason for _, reason in found.refused]
        if not problems:
            store.put([_key(example.sha256) for example in examples], found.vectors)
            return
    raise DataError(
        f"{path}: {len(problems)} of its photos are needed again and cannot be had: {listed(problems, 1)}.",
        hint="Put them back, or take them out: vision classes remove CLASS PHOTO.",
        details=problems[:10],
    )


def _problem(example: Example, photo: Path) -> str | None:
    if not photo.is_file():
        return "there is no such file"
    return None if files.file_sha256(photo) == example.sha256 else "was changed since it became an example"


def _store(path: Path, describer: Describer) -> EmbeddingStore:
    features = describer.engines[0].n_features
    return EmbeddingStore(path.parent / _FOLDER / f"examples-{describer.identity[:16]}.bin", features)


def _key(sha256: str) -> bytes:
    return hashlib.sha256(f"{_LAYOUT} {sha256}".encode()).digest()


def with_settings(book: Book, **settings: Any) -> Book:
    """Return a book with other settings; None leaves one as it is."""
    return replace(book, **{name: value for name, value in settings.items() if value is not None})
