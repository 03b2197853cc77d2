"""The processes of this machine that make the photos of a run."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from vision_cli.core.errors import ResourceError
from vision_cli.stages.synth.asking.asked import Asked
from vision_cli.stages.synth.making.maker import Maker, Record

_AHEAD = 3


def make(maker: Maker, groups: Sequence[Sequence[int]], workers: int) -> Iterator[list[Record]]:
    """Yield the records of each group of photos in the order of the groups, whoever makes them.

    Raises:
        DataError: a background cannot be read.
        ResourceError: the disk refuses, or the system ended a process.
    """
    if workers == 1 or len(groups) < 2:
        for group in groups:
            yield maker.make(group)
        return
    try:
        yield from _shared_out(maker, groups, min(workers, len(groups)))
    except BrokenProcessPool as error:
        raise ResourceError(
            "a process that made photos was ended, perhaps for want of memory.",
            hint="Call the command again with fewer --workers; what is made stays.",
        ) from error


def _shared_out(maker: Maker, groups: Sequence[Sequence[int]], workers: int) -> Iterator[list[Record]]:
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    pool = ProcessPoolExecutor(workers, context, _begin, (maker.asked, maker.folder))
    waiting: deque[Future[list[Record]]] = deque()
    try:
        for group in groups:
            waiting.append(pool.submit(_make, group))
            if len(waiting) >= workers * _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_makers: list[Maker] = []


def _begin(asked: Asked, folder: Path | None) -> None:
    """Set a process up: an interrupt is the first process's business, and without that one there is nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _makers.append(Maker(asked, folder))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _make(group: Sequence[int]) -> list[Record]:
    return _makers[0].make(group)
