"""Sizes of photos that the labels do not say, or why there are none."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from vision_cli.core.errors import DataError
from vision_cli.formats import photos
from vision_cli.formats.problems import Problems


def sizes_of(root: Path, paths: Sequence[str], problems: Problems) -> dict[int, photos.Size]:
    """Return (width, height) by position of the path; photos that are missing or unreadable go to the problems.

    Args:
        root: folder of the paths, which stay below it.
        paths: relative to it.
        problems: counts what is wrong.
    """
    found = {}
    for row, size in enumerate(photos.sizes([root / path for path in paths])):
        if not isinstance(size, DataError):
            found[row] = size
            continue
        missing = not os.path.exists(root / paths[row])  # noqa: PTH110 - Path.exists raises on names too long
        kind = "missing photos" if missing else "unreadable photos"
        text = f"{paths[row]} is not in {root}" if missing else size.message.removeprefix(f"{root}{os.sep}")
        hint = "The labels do not say the sizes of these photos: fetch them, too." if missing else None
        problems.add(kind, text, hint=hint)
    return found
