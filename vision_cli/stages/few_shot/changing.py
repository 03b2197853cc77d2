"""`vision classes add | remove | merge | rename | set`: each reads the book, changes it, and writes it whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vision_cli.core import files
from vision_cli.core.catalogue import hint_for
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.few_shot import heads
from vision_cli.few_shot.book import Book, Example, check_name
from vision_cli.stages.few_shot import describing, fitted, imagenet, keeping


@dataclass(frozen=True, slots=True)
class Asked:
    """What every change needs to know.

    Attributes:
        project: beside whose file the book lies.
        offline: forbids downloads.
        dry_run: say what would be, write nothing.
    """

    project: Project
    offline: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """How a book answers; None leaves a setting as it is.

    Attributes:
        backbone: that describes photos.
        head: a line of `heads.HEADS`.
        none_below: likeness below which a photo is of none of the classes; -1 never says so.
        find_none: find that threshold from the examples again.
        own_classes: whether the backbone's own classes answer where none of these does.
    """

    backbone: str | None = None
    head: str | None = None
    none_below: float | None = None
    find_none: bool = False
    own_classes: bool | None = None

    @property
    def given(self) -> dict[str, Any]:
        """Return the settings that are to change."""
        values = {"backbone": self.backbone, "head": self.head, "none_below": self.none_below}
        values["own_classes"] = self.own_classes
        found: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
        return {**found, "none_below": None} if self.find_none else found


@dataclass(frozen=True, slots=True)
class Changed:
    """A book after a change.

    Attributes:
        path: of the book.
        classes: number of photos by class.
        done: what was done, one sentence.
        added: photos that became examples.
        known: photos that were examples of the class already.
        left_out: share of examples that are named rightly by the others; None where that cannot be told.
        written: whether the book was written; not in a dry run, nor where nothing changed.
        dry_run: nothing was written, whatever changed.
        notes: what a user should know.
    """

    path: Path
    classes: dict[str, int]
    done: str
    added: tuple[str, ...] = ()
    known: int = 0
    left_out: float | None = None
    written: bool = True
    dry_run: bool = False
    notes: tuple[str, ...] = field(default=())


def add(asked: Asked, name: str, inputs: Sequence[str], settings: Settings, progress: Progress) -> Changed:
    """Make photos examples of a class, which may be new.

    Raises:
        UsageError: the name cannot be one, or a setting is wrong.
        DataError: a photo cannot be read, or stands for another class; nothing is changed.
    """
    from vision_cli.stages.running.photo_paths import find_photos

    check_name(name)
    if not inputs:
        raise UsageError(f"'{name}': which photos?", hint=f"vision classes add {name} photo1.jpg photo2.jpg")
    path, photos = keeping.place(asked.project), find_photos(tuple(inputs))
    if asked.dry_run:
        book, new = _with(path, _settled(keeping.read(path), settings), name, photos)
        return replace(_changed(path, book, _said(name, new), new, len(photos)), dry_run=True)
    with keeping.alone(path):
        before = keeping.read(path)
        book, new = _with(path, _settled(before, settings), name, photos)
        describer = _describer(path, book, asked, progress)
        vectors = _read_all(describer, [path.parent / each.photo for each in new], progress)
        if new:
            keeping.keep(path, describer, [each.sha256 for each in new], vectors)
        fit = fitted.of_book(path, book, lambda: describer, describer.identity, progress)
        if book != before:
            keeping.write(path, book)
    right = None if fit.left_out != fit.left_out else fit.left_out
    result = _changed(path, book, _said(name, new), new, len(photos))
    return replace(result, left_out=right, written=book != before)


def remove(asked: Asked, name: str, inputs: Sequence[str]) -> Changed:
    """Take a class out, or some of its photos.

    Raises:
        UsageError: there is no such class.
        DataError: a photo is none of its examples.
    """

    def without(book: Book, path: Path) -> tuple[Book, str]:
        rows = book.examples(name)
        sums = _sums_of(path, rows, inputs, name)
        left = book.without(name, sums)
        if name not in left.classes:
            return left, f"'{name}' is no class any more, {_photos(len(rows))} less"
        return left, f"{_photos(len(sums))} of '{name}' taken out"

    return _change(asked, without)


def merge(asked: Asked, into: str, others: Sequence[str]) -> Changed:
    """Put classes together under one name.

    Raises:
        UsageError: one of them does not exist.
    """

    def merged(book: Book, path: Path) -> tuple[Book, str]:
        names = ", ".join(f"'{name}'" for name in dict.fromkeys(others))
        return book.merged(into, others), f"{names} went into '{into}'"

    return _change(asked, merged)


def rename(asked: Asked, old: str, new: str) -> Changed:
    """Give a class another name.

    Raises:
        UsageError: there is no such class, or the name is taken.
    """
    return _change(asked, lambda book, path: (book.renamed(old, new), f"'{old}' is called '{new}' now"))


def set_up(asked: Asked, settings: Settings, progress: Progress) -> Changed:
    """Change how a book answers; another backbone describes all examples again.

    Raises:
        UsageError: nothing is to be changed, or a setting is wrong.
        DataError: another backbone needs a photo that is gone.
    """
    if not settings.given:
        raise UsageError(
            "nothing to set.", hint="Give --backbone, --head, --none-below, --own-classes or --no-own-classes."
        )
    path = keeping.place(asked.project)
    with keeping.alone(path):
        before = keeping.filled(path)
        book = _settled(before, settings)
        if not asked.dry_run:
            describer = _describer(path, book, asked, progress)
            fitted.of_book(path, book, lambda: describer, describer.identity, progress)
            keeping.write(path, book)
    words = ", ".join(f"{key} {_value(value)}" for key, value in settings.given.items())
    return replace(_changed(path, book, f"set: {words}"), written=not asked.dry_run, dry_run=asked.dry_run)


def _value(value: object) -> str:
    if value is None:
        return "found from the examples"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _change(asked: Asked, how: Any) -> Changed:
    path = keeping.place(asked.project)
    with keeping.alone(path):
        book, done = how(keeping.filled(path), path)
        if not asked.dry_run:
            keeping.write(path, book)
    return replace(_changed(path, book, done), written=not asked.dry_run, dry_run=asked.dry_run)


def _changed(path: Path, book: Book, done: str, new: Sequence[Example] = (), given: int = 0) -> Changed:
    counts = {name: len(rows) for name, rows in book.classes.items()}
    known = given - len(new) if given else 0
    added = tuple(each.photo for each in new)
    return Changed(path, counts, done, added, known, written=False, notes=_notes(book))


def _notes(book: Book) -> tuple[str, ...]:
    alone = [name for name, rows in book.classes.items() if len(rows) == 1]
    if len(book.classes) == 1:
        return ("With one class the only question is whether a photo is like it; add another one.",)
    if alone:
        return (f"One photo each is little to go by: {', '.join(alone)}.",)
    return ()


def _said(name: str, new: Sequence[Example]) -> str:
    return f"{_photos(len(new))} added to '{name}'"


def _photos(number: int) -> str:
    return f"{number} photo{'' if number == 1 else 's'}"


def _settled(book: Book, settings: Settings) -> Book:
    """Return a book with other settings, once they are known to be right."""
    if settings.head is not None:
        heads.card(settings.head)
    given = dict(settings.given)
    if "backbone" in given:
        given["backbone"] = describing.named(given["backbone"])
    changed = replace(book, **given)
    if changed.own_classes and not imagenet.has_classes(changed.backbone):
        raise UsageError(
            f"--own-classes: the classes of '{changed.backbone}' are not known here.",
            hint=f"They are of the backbone {describing.DEFAULT}.",
        )
    return changed


def _with(path: Path, book: Book, name: str, photos: Sequence[Path]) -> tuple[Book, tuple[Example, ...]]:
    rows = []
    for photo in photos:
        try:
            rows.append(Example(keeping.seen_from(path, photo), files.file_sha256(photo)))
        except OSError as error:
            raise DataError(f"{photo}: cannot be read: {error.strerror}.", hint="Check its rights.") from error
    return book.added(name, rows)


def _describer(path: Path, book: Book, asked: Asked, progress: Progress) -> describing.Describer:
    return describing.open_describer(book.backbone, progress, offline=asked.offline, store=keeping.embeddings(path))


def _read_all(describer: describing.Describer, photos: Sequence[Path], progress: Progress) -> Any:
    found = describer.describe(photos, progress)
    if found.refused:
        raise DataError(
            f"{len(found.refused)} of {len(photos)} photos cannot be read; nothing was added.",
            hint="Leave them out, or replace them.",
            details=[reason for _, reason in found.refused[:10]],
        )
    return found.vectors


def _sums_of(path: Path, rows: Sequence[Example], inputs: Sequence[str], name: str) -> list[str]:
    """Return the contents of a class's examples that paths name: as they stand in the book, or by the photo's bytes."""
    found = []
    for text in inputs:
        at = keeping.seen_from(path, Path(text))
        sums = [each.sha256 for each in rows if each.photo in (at, text)]
        if not sums and Path(text).is_file():
            own = files.file_sha256(Path(text))
            sums = [each.sha256 for each in rows if each.sha256 == own]
        if not sums:
            guess = hint_for(at, [each.photo for each in rows], listing=f"vision classes show {name}")
            raise DataError(f"{text}: is no example of '{name}'.", hint=guess)
        found += sums
    return list(dict.fromkeys(found))
