"""What is known of the photos of a run, on the disk: in memory are the places of the lines, not the lines."""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, overload

import numpy as np
from numpy.typing import NDArray

from vision_cli.stages.synth.making.maker import Record, name_of

Places = NDArray[np.int64]
"""A row a photo: its number, which log, offset and length of its line."""


class Records(Sequence[Record]):
    """Records in the order of the photos, read from their logs each time they are asked for."""

    def __init__(self, logs: Sequence[Path], places: Places) -> None:
        """Keep where the records are.

        Args:
            logs: files of JSON lines.
            places: int64 (N, 4).
        """
        self._logs = tuple(logs)
        self._places = places

    @property
    def numbers(self) -> list[int]:
        """Numbers of the photos, ascending."""
        found: list[int] = self._places[:, 0].tolist()
        return found

    def of(self, numbers: Collection[int]) -> Records:
        """Return the records of those of these photos that are there."""
        wanted = np.isin(self._places[:, 0], np.fromiter(numbers, np.int64, len(numbers)))
        return Records(self._logs, self._places[wanted])

    def lines(self) -> Iterator[bytes]:
        """Yield the lines as they are in the logs, without their ends."""
        with ExitStack() as stack:
            opened = [stack.enter_context(path.open("rb")) for path in self._logs]
            for _, which, offset, length in self._places.tolist():
                yield _line(opened[which], offset, length)

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Record]:
        return map(json.loads, self.lines())

    @overload
    def __getitem__(self, at: int) -> Record: ...
    @overload
    def __getitem__(self, at: slice) -> Records: ...
    def __getitem__(self, at: int | slice) -> Record | Records:
        if isinstance(at, slice):
            return Records(self._logs, self._places[at])
        _, which, offset, length = self._places[at].tolist()
        with self._logs[which].open("rb") as log:
            found: Record = json.loads(_line(log, offset, length))
        return found


def _line(log: IO[bytes], offset: int, length: int) -> bytes:
    log.seek(offset)
    return log.read(length)


def read(logs: Sequence[Path], photos: Path) -> Records:
    """Return the records of the photos that are there, whole.

    Args:
        logs: files of JSON lines; of two lines on a photo the later one counts.
        photos: folder of the photos.
    """
    sizes = {entry.name: entry.stat().st_size for entry in os.scandir(photos)}
    found = array("q")
    for which, path in enumerate(logs):
        for offset, line in _lines(path):
            number = _number(line, sizes)
            if number is not None:
                found.extend((number, which, offset, len(line)))
    places = np.array(found, np.int64).reshape(-1, 4)
    order = np.argsort(places[:, 0], kind="stable")
    places = places[order]
    last = np.append(places[1:, 0] != places[:-1, 0], True)[: len(places)]
    return Records(logs, places[last])


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    offset = 0
    with path.open("rb") as log:
        for line in log:
            yield offset, line.rstrip(b"\n")
            offset += len(line)


def _number(line: bytes, sizes: dict[str, int]) -> int | None:
    """Return the number of the photo that a line is on; None where the line is torn, or the photo not there, whole."""
    try:
        row: Any = json.loads(line)
    except ValueError:
        return None
    number = row.get("photo") if isinstance(row, dict) else None
    whole = isinstance(number, int) and sizes.get(name_of(number)) == row.get("bytes")
    return number if whole else None
