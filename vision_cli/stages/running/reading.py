"""Photos read ahead of what computes with them."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from vision_cli.core.errors import DataError

BATCH_SIZE = 16
_AHEAD = 4
_SHOWN = 10
T = TypeVar("T")


def read_ahead(
    paths: Sequence[Path], load: Callable[[Path], T], at_once: int = BATCH_SIZE
) -> Iterator[list[tuple[Path, T]]]:
    """Yield what `load` makes of up to `at_once` photos at a time; at most a few such chunks are loaded ahead."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        waiting: deque[list[tuple[Path, Future[T]]]] = deque()
        for start in range(0, len(paths), at_once):
            waiting.append([(path, pool.submit(load, path)) for path in paths[start : start + at_once]])
            if len(waiting) > _AHEAD:
                yield [(path, future.result()) for path, future in waiting.popleft()]
        while waiting:
            yield [(path, future.result()) for path, future in waiting.popleft()]


def refusal(refused: Sequence[tuple[Path, str]], photos: int) -> DataError:
    """Return the error that names photos that cannot be read, with the reason of each."""
    return DataError(
        f"{len(refused)} of {photos} photos cannot be read.",
        details=[reason for _, reason in refused[:_SHOWN]],
        hint="Replace or delete them.",
    )
