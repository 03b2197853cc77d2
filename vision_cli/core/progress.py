"""How a stage tells what it is doing; the command line draws it, a library user ignores it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Progress(Protocol):
    """Receives what happens, while it happens."""

    def say(self, text: str) -> None:
        """Tell one line that a person wants to read."""

    def warn(self, text: str) -> None:
        """Tell one line that a person must read."""

    def step(self, name: str, done: int, total: int, values: Mapping[str, float] | None = None) -> None:
        """Tell that `done` of `total` units of a named piece of work are finished, with figures if any."""


class Silent:
    """Ignores everything."""

    def say(self, text: str) -> None:
        """Ignore a line."""

    def warn(self, text: str) -> None:
        """Ignore a warning."""

    def step(self, name: str, done: int, total: int, values: Mapping[str, float] | None = None) -> None:
        """Ignore a step."""
