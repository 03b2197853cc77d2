"""`vision eval --kpi f1>0.98` without quotes: the shell kept `>0.98` and sent stdout to a file of that name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TextIO

from vision_cli.cli.output import Output
from vision_cli.core import kpi, redirect
from vision_cli.core.kpi import Kpi
from vision_cli.core.progress import Progress


@dataclass(frozen=True, slots=True)
class ReadKpis:
    """The KPIs of a command line.

    Attributes:
        kpis: parsed, in order.
        meant: the one whose comparison the shell took; None when nothing is amiss.
        stray: file that the shell made for it.
    """

    kpis: tuple[Kpi, ...]
    meant: Kpi | None = None
    stray: str | None = None

    @property
    def caught(self) -> bool:
        """Return whether stdout is a file that the user never meant."""
        return self.meant is not None

    def explain(self, progress: Progress) -> None:
        """Say how to write it next time."""
        if self.meant is None:
            return
        text = str(self.meant).replace(" ", "")
        progress.warn(f"the shell took '{self.meant.op}' for a redirection; quote the KPI: --kpi '{text}'")
        if self.stray:
            progress.warn(f"it made the file {self.stray}, which you can delete.")


def read_kpis(texts: tuple[str, ...], output: Output) -> ReadKpis:
    """Parse KPIs; one that lost its comparison to the shell is put together again.

    Raises:
        UsageError: not of the grammar.
    """
    stray = _file_behind(output.stdout)
    words = [word for text in texts for word in ("--kpi", text)]
    meant = redirect.unquoted_redirect(words, stray, redirect.file_of(0))
    parsed = tuple(meant if meant and text == meant.key else kpi.parse(text) for text in texts)
    return ReadKpis(parsed, meant, stray if meant and ">" in meant.op else None)


def _file_behind(stream: TextIO) -> str | None:
    try:
        return redirect.file_of(stream.fileno())
    except (OSError, ValueError):  # a test's capture has no descriptor
        return None
