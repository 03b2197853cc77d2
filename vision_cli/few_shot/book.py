"""`classes.json`: which photos are examples of which class, by the photos' content. Every change gives a new book."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from vision_cli.core.catalogue import hint_for
from vision_cli.core.errors import DataError, UsageError

FILE_NAME = "classes.json"
VERSION = 1
NONE_OF_THESE = "none of these"
"""The answer below the threshold; no class may be called so."""
_MAX_NAME = 200
_SHA256 = re.compile("[0-9a-f]{64}")
_MEMBERS = {"version", "backbone", "head", "none_below", "own_classes", "classes"}


@dataclass(frozen=True, slots=True)
class Example:
    """One photo.

    Attributes:
        photo: path as seen from the book's folder, with `/`; absolute where it lies outside.
        sha256: of its content, hex.
    """

    photo: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Book:
    """Classes and their examples.

    Attributes:
        backbone: name of the network that describes photos.
        head: a line of `heads.HEADS`.
        none_below: a photo less like the examples is of none of these; None finds it from them, -1 never says so.
        own_classes: the backbone's own classes answer where none of these does.
        classes: examples by class, in the order in which classes came.
    """

    backbone: str
    head: str
    none_below: float | None = None
    own_classes: bool = False
    classes: Mapping[str, tuple[Example, ...]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the class names in order."""
        return tuple(self.classes)

    @property
    def photos(self) -> list[tuple[str, Example]]:
        """Return (class, example) of all photos, class after class."""
        return [(name, example) for name, examples in self.classes.items() for example in examples]

    def of(self, sha256: str) -> str | None:
        """Return the class of a photo's content."""
        return next((name for name, example in self.photos if example.sha256 == sha256), None)

    def added(self, name: str, examples: Iterable[Example]) -> tuple[Book, tuple[Example, ...]]:
        """Return the book with more examples of a class, and those of them that were new.

        Raises:
            UsageError: the name cannot be one.
            DataError: a photo is an example of another class; all are named.
        """
        check_name(name)
        known = {example.sha256: owner for owner, example in self.photos}
        new: dict[str, Example] = {}
        clashes = []
        for example in examples:
            owner = known.get(example.sha256)
            if owner is not None and owner != name:
                clashes.append(f"{example.photo}: is an example of '{owner}'")
            elif owner is None:
                new.setdefault(example.sha256, example)
        if clashes:
            raise DataError(
                f"of these photos, {len(clashes)} stand for another class already.",
                hint="Remove it there first: vision classes remove CLASS PHOTO.",
                details=clashes,
            )
        rows = (*self.classes.get(name, ()), *new.values())
        if not rows:
            return self, ()
        return replace(self, classes={**self.classes, name: rows}), tuple(new.values())

    def without(self, name: str, sums: Sequence[str] = ()) -> Book:
        """Return the book without a class, or without some of its photos by content; a class without photos goes.

        Raises:
            UsageError: there is no such class.
            DataError: a photo is none of its examples.
        """
        rows = self.examples(name)
        missing = [each for each in sums if each not in {example.sha256 for example in rows}]
        if missing:
            raise DataError(f"'{name}' has no example with the content {missing[0][:12]}.")
        left = tuple(each for each in rows if sums and each.sha256 not in set(sums))
        others = {each: examples for each, examples in self.classes.items() if each != name or left}
        return replace(self, classes={**others, name: left} if left else others)

    def merged(self, into: str, others: Sequence[str]) -> Book:
        """Return the book with classes put together under one name, which may be new.

        Raises:
            UsageError: one of them does not exist, or the name cannot be one.
        """
        check_name(into)
        sources = [name for name in dict.fromkeys((into, *others)) if name != into or into in self.classes]
        rows = tuple(example for name in sources for example in self.examples(name))
        if len(sources) < 2 and into in self.classes:
            raise UsageError(f"'{into}' alone is nothing to merge.", hint="vision classes merge INTO CLASS...")
        first = next(index for index, name in enumerate(self.classes) if name in sources)
        left = [(name, examples) for name, examples in self.classes.items() if name not in sources]
        return replace(self, classes=dict([*left[:first], (into, rows), *left[first:]]))

    def renamed(self, old: str, new: str) -> Book:
        """Return the book with a class under another name.

        Raises:
            UsageError: there is no such class, or the name is taken.
        """
        self.examples(old)
        check_name(new)
        if new in self.classes and new != old:
            raise UsageError(f"there is a class '{new}' already.", hint=f"vision classes merge {new} {old}")
        return replace(self, classes={new if name == old else name: rows for name, rows in self.classes.items()})

    def examples(self, name: str) -> tuple[Example, ...]:
        """Return the examples of a class.

        Raises:
            UsageError: there is no such class; the hint guesses.
        """
        if name not in self.classes:
            raise UsageError(
                f"there is no class '{name}'.",
                hint=hint_for(name, self.names) if self.classes else "There is none yet.",
            )
        return self.classes[name]

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        rows = {
            name: [{"photo": each.photo, "sha256": each.sha256} for each in examples]
            for name, examples in self.classes.items()
        }
        return {
            "version": VERSION,
            "backbone": self.backbone,
            "head": self.head,
            "none_below": self.none_below,
            "own_classes": self.own_classes,
            "classes": rows,
        }


def check_name(name: str) -> None:
    """Refuse a name that cannot be a class.

    Raises:
        UsageError: empty, too long, of several lines, or the answer that is no class.
    """
    if not name.strip() or len(name) > _MAX_NAME or name != name.strip() or not name.isprintable():
        raise UsageError(f"{name!r} cannot be a class.", hint=f"One line of 1 to {_MAX_NAME} characters.")
    if name.casefold() == NONE_OF_THESE:
        raise UsageError(f"'{NONE_OF_THESE}' is what photos of no class get.", hint="Choose another name.")


def from_json(document: Any, *, where: str) -> Book:
    """Read what `Book.as_json` wrote.

    Raises:
        DataError: it is no such document; a photo is an example of two classes.
    """
    try:
        book = _book(document)
        for name in book.classes:
            check_name(name)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{where}: is no book of classes: {_words(error)}.", hint=_HINT) from error
    except UsageError as error:
        raise DataError(f"{where}: {error.message}", hint=error.hint) from error
    owners: dict[str, str] = {}
    for name, example in book.photos:
        if owners.setdefault(example.sha256, name) != name:
            first = owners[example.sha256]
            raise DataError(f"{where}: {example.photo} is an example of '{first}' and of '{name}'.", hint=_HINT)
    return book


_HINT = "Mend the file, or take it away and add the classes again."


def _book(document: Any) -> Book:
    unknown = sorted(set(document) - _MEMBERS)
    if unknown or document["version"] != VERSION:
        raise ValueError(f"unknown members {unknown}" if unknown else f"version {document['version']!r}")
    below = document.get("none_below")
    if below is not None and not (isinstance(below, int | float) and -1 <= below <= 1):
        raise ValueError("none_below must be between -1 and 1")
    classes = {
        str(name): tuple(dict.fromkeys(_example(row) for row in rows)) for name, rows in document["classes"].items()
    }
    if not all(classes.values()):
        raise ValueError("a class without a photo")
    own = document.get("own_classes", False)
    if not isinstance(own, bool):
        raise ValueError("own_classes must be true or false")
    return Book(
        _text(document["backbone"]), _text(document["head"]), None if below is None else float(below), own, classes
    )


def _example(row: Any) -> Example:
    if not _SHA256.fullmatch(_text(row["sha256"])):
        raise ValueError(f"{row['sha256']!r} is no SHA-256")
    return Example(_text(row["photo"]), row["sha256"])


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"expected a text, got {value!r}")
    return value


def _words(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)
