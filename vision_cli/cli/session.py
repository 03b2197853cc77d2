"""What every command gets besides its own options."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from vision_cli.cli.output import Output
from vision_cli.core.errors import AnswerIsNo

if TYPE_CHECKING:
    from vision_cli.cli.paper import Paper
    from vision_cli.core.progress import Progress
    from vision_cli.core.project import Project


@dataclass(frozen=True, slots=True)
class Session:
    """The common options of one call.

    Attributes:
        output: where its words go.
        project_file: of `--project`; None looks upwards from the working directory.
        overrides: the `key=value` words of the command line.
        offline: nothing may be downloaded.
        dry_run: tell what would be written, write nothing.
    """

    output: Output
    project_file: Path | None = None
    overrides: tuple[str, ...] = ()
    offline: bool = False
    dry_run: bool = False

    @staticmethod
    def of(context: typer.Context) -> Session:
        """Return the session of a command that runs."""
        session: Session = context.obj
        return session

    def project(self) -> Project:
        """Read the project; where its file lies above the working directory, say so.

        Raises:
            UsageError: the file or an override is wrong.
        """
        from vision_cli.core import project

        file = self.project_file or project.find(Path.cwd())
        if self.project_file is None and file is not None and file.parent != Path.cwd():
            self.output.aside(f"project file: {os.path.relpath(file)} (there is none in this folder)")
        return project.load(file, self.overrides)

    @property
    def progress(self) -> Progress:
        """Return what a stage tells its progress to."""
        return self.output.progress

    def answer(
        self,
        result: Any,
        draw: Callable[[Any, Paper], None],
        *,
        ok: bool = True,
        exit_code: int = 0,
        aside: bool = False,
    ) -> None:
        """Give the command's result; `ok` False ends with exit code 4, `aside` draws on stderr."""
        self.output.answer(result, draw, exit_code=exit_code if ok else AnswerIsNo.exit_code, aside=aside)

    def unless_quiet(self, draw: Callable[[Any, Paper], None], brief: Callable[[Any, Paper], None]) -> Any:
        """Return what draws a result, and with --quiet what draws the little that a script needs of it."""
        return brief if self.output.quiet else draw
