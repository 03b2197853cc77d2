"""The shipped tables of classes, read once a process and indexed by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from vision_cli.models.known.words import plain, singular, stem

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Entry:
    """One class of one set: its id in the set's files, its name, other names."""

    id: int
    label: str
    synonyms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A class behind a name: its set, its index there, and whether the name is its own or a synonym."""

    dataset: str
    index: int
    is_label: bool


@cache
def classes() -> dict[str, list[Entry]]:
    """Return every class by set, in the set's order."""
    found: dict[str, list[Entry]] = {}
    for line in _lines("classes.tsv"):
        dataset, _, number, label, synonyms = line.split("\t")
        others = tuple(synonyms.split("|")) if synonyms else ()
        found.setdefault(dataset, []).append(Entry(int(number), label, others))
    return found


@cache
def names() -> dict[str, list[Hit]]:
    """Return classes by plain name, as written and in the singular."""
    found: dict[str, list[Hit]] = {}
    for dataset, entries in classes().items():
        for index, entry in enumerate(entries):
            for at, name in enumerate((entry.label, *entry.synonyms)):
                hit, key = Hit(dataset, index, at == 0), plain(name)
                for each in {key, singular(key)}:
                    found.setdefault(each, []).append(hit)
    return found


@cache
def stems() -> dict[str, list[Hit]]:
    """Return classes by stem."""
    found: dict[str, list[Hit]] = {}
    for name, hits in names().items():
        found.setdefault(stem(name), []).extend(hits)
    return found


@cache
def kinds() -> dict[str, list[tuple[str, tuple[int, ...]]]]:
    """Return, by the plain name of a kind, the classes of each set that are of it."""
    found: dict[str, list[tuple[str, tuple[int, ...]]]] = {}
    for line in _lines("kinds.tsv"):
        dataset, words, ranges = line.split("\t")
        members = _indices(ranges)
        for word in words.split("|"):
            found.setdefault(plain(word), []).append((dataset, members))
    return found


def _indices(ranges: str) -> tuple[int, ...]:
    found: list[int] = []
    for part in ranges.split(","):
        first, _, last = part.partition("-")
        found.extend(range(int(first), int(last or first) + 1))
    return tuple(found)


def _lines(name: str) -> list[str]:
    return (_HERE / name).read_text(encoding="utf-8").splitlines()[1:]
