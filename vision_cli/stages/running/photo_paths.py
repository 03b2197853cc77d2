"""Which photos files, folders and globs name."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path

from vision_cli.core.errors import DataError
from vision_cli.formats.photos import PHOTO_SUFFIXES
from vision_cli.imaging import sniff

_HEAD_BYTES = 64


def find_photos(inputs: tuple[str, ...]) -> list[Path]:
    """Return the photos that files, folders and globs name, each once, in order.

    Raises:
        DataError: one of them names nothing.
    """
    found: dict[Path, None] = {}
    for text in inputs:
        matches = list(_matches(text))
        if not matches:
            raise DataError(f"{text}: no photo there.", hint="Give files, folders, or a glob such as 'photos/*.jpg'.")
        found.update(dict.fromkeys(matches))
    return list(found)


def _matches(text: str) -> Iterator[Path]:
    path = Path(text)
    if path.is_dir():
        yield from sorted(each for each in path.rglob("*") if each.is_file() and _is_photo(each))
    elif path.exists():
        yield path
    else:
        matches = sorted(Path(each) for each in glob.glob(text, recursive=True))  # noqa: PTH207 - absolute globs too
        yield from (each for each in matches if each.is_file())


def _is_photo(path: Path) -> bool:
    """Return whether a file begins like a photo, or calls itself one and will be refused by name."""
    if path.suffix.lower() in PHOTO_SUFFIXES:
        return True
    with path.open("rb") as file:
        return sniff.photo_format(file.read(_HEAD_BYTES)) is not None
