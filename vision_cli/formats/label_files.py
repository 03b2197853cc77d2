"""Many small label files, written with as few calls as the system allows."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from vision_cli.core.errors import ResourceError

Content = bytes | memoryview


def write_files(folder: Path, files: Iterable[tuple[str, Content]]) -> None:
    """Write files below a folder that is there; what stands under a name already is an error.

    Nothing is synced: a conversion writes into a folder of its own, which is published whole by one rename.

    Args:
        folder: where names are relative to.
        files: names with `/`, and contents.

    Raises:
        ResourceError: the disk is full or refuses.
    """
    made: set[str] = {""}
    base = os.fspath(folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    name = ""
    try:
        for name, content in files:
            parent = name.rpartition("/")[0]
            if parent not in made:
                Path(base, parent).mkdir(parents=True, exist_ok=True)
                made.add(parent)
            handle = os.open(f"{base}/{name}", flags, 0o666)
            try:
                _write_all(handle, content)
            finally:
                os.close(handle)
    except OSError as error:
        raise ResourceError(
            f"{folder / name}: cannot be written: {error.strerror}.", hint="Free some space."
        ) from error


def _write_all(handle: int, content: Content) -> None:
    written = os.write(handle, content)
    while written < len(content):
        written += os.write(handle, content[written:])
