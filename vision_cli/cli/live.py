"""A live table of epochs with curves, and a bar for every other piece of work."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TextIO

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from vision_cli.cli.paper import console
from vision_cli.cli.text import clean, number, sparkline

ROWS = 8
"""Epochs that stay visible."""
SECONDS_A_FRAME = 0.15


class LiveProgress:
    """Draws on a terminal, without a thread of its own: training forks workers."""

    def __init__(self, stream: TextIO) -> None:
        self._console = console(stream)
        self._live: Live | None = None
        self._rows: dict[str, list[tuple[int, int, dict[str, float]]]] = {}
        self._bars: dict[str, tuple[int, int]] = {}
        self._next = 0.0

    def say(self, text: str) -> None:
        """Write a line above the table."""
        self._print(Text(clean(text)))

    def warn(self, text: str) -> None:
        """Write a warning above the table."""
        self._print(Text(f"warning: {clean(text)}", style="yellow"))

    def step(self, name: str, done: int, total: int, values: Mapping[str, float] | None = None) -> None:
        """Add a row when there are figures, else move a bar."""
        if values:
            self._rows.setdefault(name, []).append((done, total, dict(values)))
        else:
            self._bars[name] = (done, total)
        now = time.monotonic()
        if now >= self._next or done >= total:
            self._next = now + SECONDS_A_FRAME
            self._draw()
        if not values and done >= total:
            del self._bars[name]

    def close(self) -> None:
        """Leave the last table standing and the cursor below it."""
        live, self._live = self._live, None
        if live is not None:
            with suppress(OSError):
                live.update(self._picture(), refresh=True)
                live.stop()

    def _print(self, text: Text) -> None:
        with suppress(OSError):  # the terminal was closed: work goes on
            self._console.print(text)

    def _draw(self) -> None:
        with suppress(OSError):
            if self._live is None:
                self._live = Live(
                    console=self._console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
                )
                self._live.start()
            self._live.update(self._picture(), refresh=True)

    def _picture(self) -> Group:
        parts: list[Any] = [_epochs(name, rows) for name, rows in self._rows.items()]
        parts += [_bar(name, done, total) for name, (done, total) in self._bars.items()]
        return Group(*parts)


def _epochs(name: str, rows: list[tuple[int, int, dict[str, float]]]) -> Table:
    keys = list(dict.fromkeys(key for _, _, values in rows for key in values))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in (name, *keys):
        table.add_column(Text(clean(heading)), justify="right")
    for done, total, values in rows[-ROWS:]:
        table.add_row(f"{done}/{total}", *(number(values.get(key)) for key in keys))
    curves = (sparkline([values[key] for _, _, values in rows if key in values], width=12) for key in keys)
    table.add_row("", *curves, style="cyan")
    return table


def _bar(name: str, done: int, total: int) -> Table:
    row = Table.grid(padding=(0, 1))
    row.add_row(Text(clean(name)), ProgressBar(total=max(total, 1), completed=done, width=30), f"{done}/{total}")
    return row
