"""Where a result is drawn: lines and tables on a stream, with colours only on a terminal that wants them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from io import StringIO
from typing import TYPE_CHECKING, Any, TextIO

from vision_cli.cli.text import clean

if TYPE_CHECKING:
    from rich.console import Console

_COLOUR_SWITCHES = ("FORCE_COLOR", "TTY_COMPATIBLE")  # with which rich takes any stream for a terminal
_UNLIMITED = 100_000
"""Columns of a stream that is no terminal: nothing is wrapped or cut there."""


def console(stream: TextIO, *, file: TextIO | None = None) -> Console:
    """Return rich's console in the style of a stream, without markup, emoji codes or highlighting.

    Args:
        stream: decides about colours and width.
        file: where it writes; the stream itself when None.
    """
    from rich.console import Console

    terminal = stream.isatty()
    width = None if terminal else _UNLIMITED
    return Console(
        file=file or stream,
        force_terminal=True if terminal else None,
        width=width,
        markup=False,
        emoji=False,
        highlight=False,
        soft_wrap=True,
    )


def plain_table(grid: Sequence[Sequence[str]], right: Sequence[int]) -> list[str] | None:
    """Return the lines of a table as rich would draw it on a stream that is no terminal.

    It is for ASCII only, a column a letter: other writing is None, and rich's to measure. Rich alone takes longer to
    import and to draw a hundred classes than some commands take for their work.
    """
    if not grid or len({len(row) for row in grid}) > 1 or not all(cell.isascii() for row in grid for cell in row):
        return None
    widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
    if sum(widths) + 2 * len(widths) > _UNLIMITED:
        return None
    sides = [str.rjust if index in right else str.ljust for index in range(len(widths))]
    cells = ([side(cell.rstrip(), width) for side, cell, width in zip(sides, row, widths, strict=True)] for row in grid)
    return ["  ".join(row).rstrip() for row in cells]


class Paper:
    """Draws on a stream. Everything that comes in is cleaned of control characters first.

    A reader that has left (`vision eval | head -1`) is no error: drawing goes on into nothing.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._plain = not stream.isatty() and not any(os.environ.get(name) for name in _COLOUR_SWITCHES)

    def line(self, text: object = "", style: str = "") -> None:
        """Draw one line."""
        if not style or self._plain:
            self.raw(clean(text).rstrip() if style else clean(text))
            return
        from rich.text import Text

        self._print(Text(clean(text), style=style))

    def outcome(self, text: object, style: str = "") -> None:
        """Draw the line that says what came of it: with --quiet the only one."""
        self.line(text, style)

    def heading(self, text: object) -> None:
        """Draw a line that names what follows, after an empty one."""
        self.line()
        self.line(text, style="bold")

    def pairs(self, rows: Iterable[tuple[str, object]]) -> None:
        """Draw names with their values, aligned."""
        self.table((), [(name, value) for name, value in rows])

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        right: Sequence[int] = (),
        style_of: Sequence[str] = (),
    ) -> None:
        """Draw a table.

        Args:
            columns: headings; none draws no heading.
            rows: cells.
            right: indices of the columns that are aligned to the right.
            style_of: one rich style a row; none is plain.
        """
        grid = [[clean(cell) for cell in row] for row in rows]
        headings = [clean(name) for name in columns]
        if self._plain and (lines := plain_table([headings, *grid] if headings else grid, right)) is not None:
            self.raw("\n".join(lines))
            return
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=bool(columns), header_style="bold")
        for index in range(max((len(row) for row in grid), default=len(columns))):
            heading = Text(headings[index]) if columns else ""
            table.add_column(heading, justify="right" if index in right else "left", overflow="fold")
        for index, row in enumerate(grid):
            table.add_row(*map(Text, row), style=style_of[index] if style_of else None)
        self._print(table)

    def raw(self, text: str) -> None:
        """Write text as it is: JSON, YAML, a schema."""
        with suppress(BrokenPipeError):
            self._stream.write(text if text.endswith("\n") else f"{text}\n")
            self._stream.flush()

    def _print(self, item: Any) -> None:
        page = StringIO()
        console(self._stream, file=page).print(item, soft_wrap=hasattr(item, "plain"))
        self.raw("\n".join(line.rstrip() for line in page.getvalue().splitlines()))
