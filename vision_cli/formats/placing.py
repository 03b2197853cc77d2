"""Names of photos in a data set that is written: their own where they are distinct, and never out of the folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from vision_cli.core.dataset import Dataset


def photo_names(dataset: Dataset) -> list[str]:
    """Return a distinct file name for each photo, in row order.

    It is the photo's own name where no other photo has it, compared without case; else its path with `__` for `/`, with
    the source's name before it where several sources meet.
    """
    paths: list[str] = dataset.images["path"].to_pylist()
    names = [_visible(path.rpartition("/")[2]) for path in paths]
    if _are_distinct(names):
        return names
    sources: list[str] = dataset.images["source"].to_pylist()
    return _distinct(
        names,
        [_visible(path.replace("/", "__")) for path in paths],
        [f"{source}__{path.replace('/', '__')}" for source, path in zip(sources, paths, strict=True)],
    )


def _visible(name: str) -> str:
    """Return a name that no reader takes for a hidden file."""
    return f"_{name}" if name.startswith(".") else name


def stems(names: Sequence[str]) -> list[str]:
    """Return distinct names without suffix for label files; a suffix stays where two photos differ in nothing else."""
    short = [_stem(name) for name in names]
    return short if _are_distinct(short) else _distinct(short, list(names))


def named_by(stems: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return the names that photos need where labels are found by their stems: these stems, with their own suffixes."""
    return [f"{stem}{name[len(_stem(name)) :]}" for stem, name in zip(stems, names, strict=True)]


def _stem(name: str) -> str:
    """Return a file name without suffix, a tenth as long as pathlib; a dot at either end is part of the name."""
    head, _, tail = name.rpartition(".")
    return head if tail and head.strip(".") else name


def _are_distinct(names: Sequence[str]) -> bool:
    return len(set(map(str.casefold, names))) == len(names)


def _distinct(*choices: list[str]) -> list[str]:
    """Return for each row its first distinct choice, compared without case; else the last one with its row."""
    counts = [Counter(name.casefold() for name in names) for names in choices]
    result: list[str] = []
    used: set[str] = set()
    for row, names in enumerate(zip(*choices, strict=True)):
        fitting = (name for name, count in zip(names, counts, strict=True) if count[name.casefold()] == 1)
        name = next((name for name in fitting if name.casefold() not in used), f"{row}__{names[-1]}")
        used.add(name.casefold())
        result.append(name)
    return result
