"""Type the console blocks of a page in a shell, in an empty folder, and compare what is printed with what is shown.

A block that begins with ```` ```yaml file=ours.yaml ```` is a file of the reader's, written before anything is typed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FILE = re.compile(r"^```\w+ file=(\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_PROGRESS = re.compile(r"^\w+ \d+/\d+$")


@dataclass
class Step:
    """One command, with the here-document that follows it.

    Attributes:
        line: of the page.
        command: as it stands after the prompt.
        shown: lines under it.
    """

    line: int
    command: str
    shown: list[str] = field(default_factory=list)


def console_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of the console blocks with their numbers."""
    inside = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("```"):
            inside = line == "```console"
        elif inside:
            yield number, line


def steps(text: str) -> list[Step]:
    """Return the commands of a page in their order."""
    found: list[Step] = []
    is_open = False
    for number, line in console_lines(text):
        if is_open:
            found[-1].command += f"\n{line}"
            is_open = line != "END"
        elif line.startswith("$ "):
            found.append(Step(number, line[2:]))
            is_open = line.endswith("<< 'END'")
        else:
            found[-1].shown.append(line)
    return found


def write_files(text: str, folder: Path) -> list[str]:
    """Write the files that a page shows."""
    found = _FILE.findall(text)
    for name, content in found:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return [name for name, _ in found]


class Shell:
    """A folder in which commands are typed one after the other; `$?` is the exit code of the one before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.code = 0
        programs = folder / ".programs"
        programs.mkdir()
        for name, words in (("vision", "-m vision_cli "), ("python", "")):
            (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words}"$@"\n')
            (programs / name).chmod(0o755)
        self._environment = {
            **os.environ,
            **{"PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
            **{"COLUMNS": "120", "VISION_OFFLINE": "1", "LC_ALL": "C.UTF-8"},
        }

    def type(self, command: str) -> list[str]:
        """Return the lines that a command prints, on stdout or, where nothing comes there, on stderr."""
        done = subprocess.run(
            ["bash", "-c", f"(exit {self.code})\n{command}"],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        self.code = done.returncode
        text = done.stdout if done.stdout.strip() else done.stderr
        return without_ends([line for line in text.splitlines() if not _PROGRESS.match(line)])


def without_ends(lines: list[str]) -> list[str]:
    """Return lines without spaces at their ends, and without empty ones before and after them."""
    return [line.rstrip() for line in "\n".join(lines).strip("\n").splitlines()]


def check_page(name: str, folder: Path) -> list[tuple[Step, int]]:
    """Type a page and compare; return the commands with their exit codes."""
    text = (ROOT / "docs" / name).read_text()
    write_files(text, folder)
    shell = Shell(folder)
    found: list[tuple[Step, int]] = []
    for step in steps(text):
        assert matches(without_ends(step.shown), shell.type(step.command)), f"docs/{name}:{step.line}: {step.command}"
        found.append((step, shell.code))
    return found


def matches(shown: list[str], printed: list[str]) -> bool:
    """Return whether the printed lines are the shown ones; `...` stands for lines left out."""
    if "..." not in shown:
        return shown == printed
    at = shown.index("...")
    rest = shown[at + 1 :]
    return shown[:at] == printed[:at] and any(matches(rest, printed[start:]) for start in range(at, len(printed) + 1))
