"""What the tests of embeddings share: a cache of their own and who hears what is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path


class Heard:
    """Keeps what a stage tells."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def warn(self, text: str) -> None:
        self.said.append(text)

    def step(self, name: str, done: int, total: int, values: Mapping[str, float] | None = None) -> None:
        """Ignore it."""


def clothes(shared_data: Path, each: int, classes: Sequence[str] = ("dress", "hat", "shoes")) -> list[Path]:
    """Return real photos, as many of each class."""
    folder = shared_data / "clothing_small" / "test"
    return [path for name in classes for path in sorted((folder / name).glob("*.jpg"))[:each]]
