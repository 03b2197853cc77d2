"""Photos that lie in files or in memory: their hashes, their pixels, read ahead of what computes with them."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from vision_cli.core.contracts import Batch
from vision_cli.core.errors import DataError
from vision_cli.core.files import file_sha256
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.progress import Progress
from vision_cli.imaging import prepare
from vision_cli.versions.photo_index import PhotoIndex

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Held:
    """A photo that lies in no file: a member of an archive, or a download.

    Attributes:
        name: as messages call it.
        content: the bytes of the photo's file.
    """

    name: str
    content: bytes = field(repr=False)


Photo = Path | Held


def name_of(photo: Photo) -> str:
    """Return what a message calls a photo."""
    return photo.name if isinstance(photo, Held) else str(photo)


def hashes(photos: Sequence[Photo], index: PhotoIndex | None, progress: Progress) -> list[str | None]:
    """Return the SHA-256 of each photo's bytes in hex; None where there is no file.

    Raises:
        DataError: a file is there and cannot be read.
    """
    places = [(at, photo) for at, photo in enumerate(photos) if isinstance(photo, Path)]
    found: list[str | None] = [
        hashlib.sha256(photo.content).hexdigest() if isinstance(photo, Held) else None for photo in photos
    ]
    if index is not None:
        sums = index.hashes([str(photo.absolute()) for _, photo in places], progress).sha256
    else:
        sums = [file_sha256(photo) if photo.is_file() else None for _, photo in places]
    for (at, _), text in zip(places, sums, strict=True):
        found[at] = text
    return found


def load(photo: Photo, preprocess: Preprocess) -> Batch | str:
    """Return a photo as a network takes it, float32 (C, H, W), or why it is refused."""
    source = photo.content if isinstance(photo, Held) else photo
    try:
        return prepare.load(source, preprocess, name=name_of(photo))
    except DataError as error:
        return error.message


def two_steps(
    items: Sequence[A], first: tuple[Executor, Callable[[A], B]], then: tuple[Executor, Callable[[B], C]], *, ahead: int
) -> Iterator[C]:
    """Yield what two steps make of each item, in order; each step has threads of its own, so that they overlap.

    Args:
        items: to go through.
        first: threads and function of the first step.
        then: threads and function of the second.
        ahead: items under way at most.
    """
    waiting: deque[Future[C]] = deque()
    for item in items:
        begun = first[0].submit(first[1], item)
        waiting.append(then[0].submit(lambda begun: then[1](begun.result()), begun))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
