"""Pages and files for people and machines: HTML, Markdown, JUnit XML. Knows figures, not models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vision_cli.core.errors import UsageError


def write(junit: Path | None, markdown: Path | None, result: Mapping[str, Any]) -> None:
    """Write an evaluation's files, each where a path is given.

    Args:
        junit: of the JUnit XML file.
        markdown: of the Markdown file.
        result: the document that `vision eval --json` prints.

    Raises:
        UsageError: a path is a folder or goes through a file.
        ResourceError: disk full, read-only or an I/O error.
    """
    check_targets(junit, markdown)
    if junit is None and markdown is None:
        return
    from vision_cli.core import files
    from vision_cli.reports.junit import render as junit_xml
    from vision_cli.reports.markdown import render as markdown_text

    if junit is not None:
        files.write_text(junit, junit_xml(result))
    if markdown is not None:
        files.write_text(markdown, markdown_text(result))


def check_targets(*paths: Path | None) -> None:
    """Refuse paths that no file can be written to, before any work.

    Raises:
        UsageError: a path is a folder or goes through a file.
    """
    for path in paths:
        if path is None:
            continue
        blocking = next((parent for parent in path.absolute().parents if parent.exists() and not parent.is_dir()), None)
        if path.is_dir() or blocking is not None:
            problem = "is a folder" if blocking is None else f"cannot be written: {blocking} is a file"
            raise UsageError(f"{path}: {problem}.", hint="Give the path of a file.")
