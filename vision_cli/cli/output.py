"""Who hears what: the result goes to stdout, everything else to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from vision_cli.cli.paper import Paper
from vision_cli.core.errors import VisionError
from vision_cli.core.progress import Progress


class Terminated(KeyboardInterrupt):
    """SIGTERM came: end as an interrupt does, runs closed and files whole."""

    exit_code = 143


class Output:
    """The mouth of one command.

    Attributes:
        as_json: stdout gets exactly one JSON document, whatever happens.
        command: name that the document carries.
        quiet: stderr gets warnings and errors only, stdout the one line that says what came of it: see `Brief`. An
            answer that is no is told in full.
        verbose: stderr gets the libraries' own messages too.
        exit_code: of the answer.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.command = ""
        self.quiet = False
        self.verbose = False
        self.exit_code = 0
        self._asides: set[str] = set()
        self._answered = False
        self._stdout: TextIO | None = None
        self._progress: Any = None

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Keep stdout for the result: what anything else writes there, native libraries included, goes to stderr."""
        if self._stdout is not None:
            yield
            return
        with ExitStack() as stack:
            self._stdout = stack.enter_context(_kept_stdout())
            try:
                yield
            finally:
                self.close()
                self._stdout = None

    @property
    def stdout(self) -> TextIO:
        """Return the stream of the result."""
        return self._stdout or sys.stdout

    @property
    def progress(self) -> Progress:
        """Return what draws a stage's progress on stderr."""
        from vision_cli.cli.progress import drawer

        if self._progress is None:
            self._progress = drawer(sys.stderr, quiet=self.quiet)
        progress: Progress = self._progress
        return progress

    def answer(
        self, result: Any, draw: Callable[[Any, Paper], None], *, exit_code: int = 0, aside: bool = False
    ) -> None:
        """Give the result: drawn for people, or as JSON.

        Args:
            result: frozen dataclass or mapping; its members become those of the document.
            draw: draws it.
            exit_code: 0, or 4 when the answer is no.
            aside: draw on stderr, because stdout is a file that the user never meant.
        """
        self.close()
        self.exit_code = exit_code
        if self.as_json:
            self._document(exit_code == 0, result)
        else:
            self._draw(result, draw, sys.stderr if aside else self.stdout, brief=self.quiet and exit_code == 0)

    @staticmethod
    def _draw(result: Any, draw: Callable[[Any, Paper], None], stream: TextIO, *, brief: bool) -> None:
        if not brief:
            draw(result, Paper(stream))
            return
        from vision_cli.cli.brief import Brief

        page = Brief(stream)
        draw(result, page)
        page.close()

    def fail(self, error: VisionError) -> None:
        """Give an error: where and what, all findings, and what to do about it."""
        self.close()
        self.exit_code = error.exit_code
        if self.as_json and not self._answered:
            self._document(False, {"error": error.as_json()})
        with suppress(OSError, ValueError):
            paper = Paper(sys.stderr)
            paper.line(f"error: {error.message}", style="red")
            for detail in error.details:
                paper.line(f"  {detail}")
            if error.hint:
                paper.line(f"hint: {error.hint}")

    def aside(self, text: str) -> None:
        """Tell people something beside the result, once; programs do not hear it."""
        if self.as_json or self.quiet or text in self._asides:
            return
        self._asides.add(text)
        with suppress(OSError, ValueError):
            Paper(sys.stderr).line(text, style="dim")

    def finish(self) -> None:
        """Close the document of a command that had nothing to answer."""
        self.close()
        if self.as_json and not self._answered:
            self._document(True, {})

    def close(self) -> None:
        """Take a live table off the terminal."""
        if self._progress is not None:
            self._progress.close()
            self._progress = None

    def _document(self, ok: bool, members: Any) -> None:
        from vision_cli.cli.document import document, plain
        from vision_cli.core.files import json_text

        found = plain(members)
        text = json_text(document(self.command, ok, found if isinstance(found, Mapping) else {"result": found}))
        self._answered = True
        Paper(self.stdout).raw(text.encode("utf-8", "backslashreplace").decode())


@contextmanager
def _kept_stdout() -> Iterator[TextIO]:
    """Yield the real stdout while descriptor 1 and `sys.stdout` lead to stderr."""
    python_stdout = sys.stdout
    if python_stdout is None:  # started with stdout closed
        with Path(os.devnull).open("w") as nowhere:
            yield nowhere
        return
    if not _is_descriptor(python_stdout, 1) or not _is_descriptor(sys.stderr, 2):  # a test's capture
        sys.stdout = sys.stderr
        try:
            yield python_stdout
        finally:
            sys.stdout = python_stdout
        return
    python_stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    stream = open(kept, "w", encoding=python_stdout.encoding, errors="backslashreplace")  # noqa: PTH123, SIM115
    try:
        yield stream
    finally:
        os.dup2(kept, 1)
        sys.stdout = python_stdout
        with suppress(BrokenPipeError):
            stream.close()


def _is_descriptor(stream: TextIO | None, number: int) -> bool:
    try:
        return stream is not None and stream.fileno() == number
    except (OSError, ValueError):
        return False
