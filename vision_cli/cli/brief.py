"""What `--quiet` leaves of a result: its one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TextIO

from vision_cli.cli.paper import Paper


class Brief(Paper):
    """Draws a result as the one line that says what came of it.

    A result without such a line (the rows of a query, a price list, CSV, YAML) is the answer itself and drawn whole.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._page = Paper(stream)
        self._all: list[Callable[[], None]] = []
        self._outcome: Callable[[], None] | None = None

    def line(self, text: object = "", style: str = "") -> None:
        """Keep one line."""
        self._all.append(lambda: self._page.line(text, style))

    def outcome(self, text: object, style: str = "") -> None:
        """Keep the line that says it; of several the last."""
        self._outcome = lambda: self._page.line(text, style)

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        right: Sequence[int] = (),
        style_of: Sequence[str] = (),
    ) -> None:
        """Keep a table."""
        kept = [tuple(row) for row in rows]
        self._all.append(lambda: self._page.table(columns, kept, right=right, style_of=style_of))

    def raw(self, text: str) -> None:
        """Keep text that is drawn as it is."""
        self._all.append(lambda: self._page.raw(text))

    def close(self) -> None:
        """Draw what is left."""
        for draw in [self._outcome] if self._outcome else self._all:
            draw()
