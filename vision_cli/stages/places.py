"""Where results go: refused before the work when nothing can be written there."""

from __future__ import annotations

import os
from pathlib import Path

from vision_cli.core.errors import ResourceError, UsageError


def check_folder(folder: Path) -> None:
    """Refuse a folder in which no file can be made; it need not exist yet.

    Raises:
        ResourceError: it is a file, leads through one, or is read-only.
    """
    nearest = next(place for place in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(place))
    if not nearest.is_dir():
        raise ResourceError(f"{folder}: cannot be written: {nearest} is not a folder.", hint="Choose another folder.")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ResourceError(f"{folder}: cannot be written: {nearest} is read-only.", hint="Choose another folder.")


def check_file(path: Path) -> None:
    """Refuse a file that cannot be made.

    Raises:
        UsageError: there is a folder of that name.
        ResourceError: its folder is none or read-only.
    """
    if path.is_dir():
        raise UsageError(f"{path}: is a folder.", hint="Give the path of a file.")
    check_folder(path.parent)
