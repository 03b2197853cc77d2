"""Answers about frames as they come: JSON lines that only grow, so that a run that was killed goes on where it was.

The first line says what the answers are about; each other one is a frame. A torn last line is the frame that was being
written, and is answered again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from vision_cli.core import files
from vision_cli.core.errors import DataError

SUFFIX = ".part"


class FrameLog:
    """The log beside a result that is not there yet; a context manager that keeps the file open.

    Args:
        path: of the log.
        about: what the answers are about: video, model, choices.

    Raises:
        DataError: the log holds answers about something else.
    """

    def __init__(self, path: Path, about: Mapping[str, Any]) -> None:
        self.path = path
        self._about = json.loads(files.json_text(dict(about), indent=None))
        head = next(_lines(path), None)
        if head is not None and head != self._about:
            raise DataError(
                f"{path}: holds answers about another video or model, or with other options.",
                hint="Delete it, or choose another --output.",
            )
        self.is_new = head is None

    def __enter__(self) -> FrameLog:
        with files.disk_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("wb" if self.is_new else "r+b")
        if self.is_new:
            self.add(self._about)
        else:
            self._cut_torn_line()
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _cut_torn_line(self) -> None:
        whole = 0
        for line in self._file:
            if _parsed(line) is None:
                break
            whole += len(line)
        self._file.seek(whole)
        self._file.truncate()

    def add(self, row: Mapping[str, Any]) -> None:
        """Append a line; it is on its way to the disk when this returns."""
        with files.disk_errors(self.path):
            self._file.write(files.json_text(dict(row), indent=None).encode("utf-8", "backslashreplace") + b"\n")
            self._file.flush()

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the frames that were answered, in their order."""
        found = _lines(self.path)
        next(found, None)
        yield from found

    def last(self) -> int | None:
        """Return the number of the last frame that was answered; None without any."""
        last = None
        for row in self.rows():
            last = int(row["frame"])
        return last

    def remove(self) -> None:
        """Delete the log, once its answers are elsewhere."""
        with suppress(FileNotFoundError):
            os.unlink(self.path)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the whole lines of a log, up to the first that is torn."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        for line in file:
            row = _parsed(line)
            if row is None:
                return
            yield row


def _parsed(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None
