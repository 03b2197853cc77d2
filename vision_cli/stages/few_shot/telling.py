"""`vision classes list | show`: what a book holds, and how well its examples are told apart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vision_cli.core.progress import Progress
from vision_cli.few_shot import left_out
from vision_cli.few_shot.book import Book, Example
from vision_cli.stages.few_shot import describing, fitted, keeping
from vision_cli.stages.few_shot.changing import Asked


@dataclass(frozen=True, slots=True)
class Line:
    """One class.

    Attributes:
        name: of the class.
        photos: number of examples.
        right: of them, named rightly by a head that had not seen them; None where a class has one photo.
        taken_for: the class that most of the others were taken for; None where all are right.
    """

    name: str
    photos: int
    right: int | None = None
    taken_for: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """The classes of a book.

    Attributes:
        path: of the book.
        backbone: that describes photos.
        head: that tells classes apart.
        classes: one line each.
        left_out: share of left-out examples named rightly; None where that cannot be told.
        none_below: likeness below which a photo is of none of these; None where nothing is.
        none_found: whether that was found from the examples.
        own_classes: whether the backbone's own classes answer there.
    """

    path: Path
    backbone: str
    head: str
    classes: tuple[Line, ...]
    left_out: float | None
    none_below: float | None
    none_found: bool
    own_classes: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One example.

    Attributes:
        photo: as it stands in the book.
        sha256: of its content.
        taken_for: what a head that had not seen it says; None where it cannot be judged.
        file: `there`, `changed` or `gone`; its vector is kept all the same.
    """

    photo: str
    sha256: str
    taken_for: str | None
    file: str


@dataclass(frozen=True, slots=True)
class Shown:
    """The examples of one class."""

    path: Path
    name: str
    examples: tuple[Row, ...]


def list_classes(asked: Asked, progress: Progress) -> Listing:
    """Return the classes of a book; where there is none, an empty list.

    Raises:
        DataError: the book is refused, or a photo is gone whose vector is not kept.
    """
    path = keeping.place(asked.project)
    book = keeping.read(path)
    if not book.classes:
        return Listing(path, book.backbone, book.head, (), None, None, False, book.own_classes)
    said = _said(path, book, asked, progress)
    describer = _opened(path, book, asked, progress)
    fit = fitted.of_book(path, book, lambda: describer, describer.identity, progress)
    below = fit.none_below if book.none_below is None else book.none_below
    rows, at = [], 0
    for name, examples in book.classes.items():
        rows.append(_line(name, said[at : at + len(examples)]))
        at += len(examples)
    right = None if np.isnan(fit.left_out) else fit.left_out
    limit = None if below <= -1 else below
    return Listing(path, book.backbone, book.head, tuple(rows), right, limit, book.none_below is None, book.own_classes)


def show_class(asked: Asked, name: str, progress: Progress) -> Shown:
    """Return the examples of a class, with what the others say of each.

    Raises:
        UsageError: there is no such class.
        DataError: the book is refused, or a photo is gone whose vector is not kept.
    """
    path = keeping.place(asked.project)
    book = keeping.filled(path)
    examples = book.examples(name)
    said = _said(path, book, asked, progress)
    own = [text for (owner, _), text in zip(book.photos, said, strict=True) if owner == name]
    rows = tuple(
        Row(each.photo, each.sha256, text, _state(path, each)) for each, text in zip(examples, own, strict=True)
    )
    return Shown(path, name, rows)


def _said(path: Path, book: Book, asked: Asked, progress: Progress) -> list[str | None]:
    """Return what is said of each example by a head that has not seen it; None where its class has no other."""
    vectors, classes = fitted.examples_of(path, book, _opened(path, book, asked, progress), progress)
    if len(book.classes) < 2:
        return [None] * len(classes)
    logits = left_out.logits(book.head, vectors, classes, len(book.classes))
    counts = left_out.judged(classes)
    return [book.names[at] if counted else None for at, counted in zip(logits.argmax(axis=1), counts, strict=True)]


def _opened(path: Path, book: Book, asked: Asked, progress: Progress) -> describing.Describer:
    return describing.open_describer(book.backbone, progress, offline=asked.offline, store=keeping.embeddings(path))


def _line(name: str, said: list[str | None]) -> Line:
    judged = [text for text in said if text is not None]
    wrong = [text for text in judged if text != name]
    most = max(sorted(set(wrong)), key=wrong.count) if wrong else None
    return Line(name, len(said), len(judged) - len(wrong) if judged else None, most)


def _state(path: Path, example: Example) -> str:
    from vision_cli.core import files

    photo = path.parent / example.photo
    if not photo.is_file():
        return "gone"
    return "there" if files.file_sha256(photo) == example.sha256 else "changed"
