"""One writer a run: a training that still goes on is not resumed beside itself."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from vision_cli.core.errors import ResourceError
from vision_cli.core.run import Run


@contextmanager
def held(record: Run) -> Iterator[None]:
    """Hold a run's folder; the operating system lets go of it when the process ends, `kill -9` included.

    Raises:
        ResourceError: another process holds it.
    """
    descriptor = os.open(record.folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a network file system without locks
            _lock(descriptor, record)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, record: Run) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ResourceError(
            f"{record.folder}: is being trained by process {record.status.get('pid', 'unknown')}.",
            hint="Wait for it, or end it.",
        ) from error
