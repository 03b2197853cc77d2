"""Progress on stderr: plain lines in a log, a live table with curves on a terminal."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol, TextIO

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import clean, number
from vision_cli.core.progress import Progress

SECONDS_A_LINE = 1.0


class Drawer(Progress, Protocol):
    """A progress that must be taken off the screen before the result."""

    def close(self) -> None:
        """Leave the terminal as it was."""


def drawer(stream: TextIO, *, quiet: bool) -> Drawer:
    """Return what fits a stream."""
    if not quiet and stream.isatty() and os.environ.get("TERM") != "dumb":
        from vision_cli.cli.live import LiveProgress

        return LiveProgress(stream)
    return PlainProgress(stream, quiet=quiet)


def figures(values: Mapping[str, float] | None) -> str:
    """Return figures in one line: `train_loss 0.41  val_loss 0.52`."""
    return "  ".join(f"{name} {number(value)}" for name, value in (values or {}).items())


class PlainProgress:
    """One line a second at most for steps; the last step of a piece of work is always told."""

    def __init__(self, stream: TextIO, *, quiet: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._quiet = quiet
        self._clock = clock
        self._next = 0.0

    def say(self, text: str) -> None:
        """Write a line unless quiet."""
        if not self._quiet:
            self._write(clean(text))

    def warn(self, text: str) -> None:
        """Write a warning."""
        self._write(f"warning: {clean(text)}")

    def step(self, name: str, done: int, total: int, values: Mapping[str, float] | None = None) -> None:
        """Write a line if the last is a second old."""
        now = self._clock()
        if self._quiet or (now < self._next and done < total):
            return
        self._next = now + SECONDS_A_LINE
        self._write(clean(f"{name} {done}/{total}  {figures(values)}".rstrip()))

    def close(self) -> None:
        """Do nothing."""

    def _write(self, line: str) -> None:
        with suppress(OSError, ValueError):  # nobody listens on stderr: work goes on
            Paper(self._stream).raw(line)
