"""Every console block of the README is typed, in its order, and must print what the README shows.

Figures depend on the machine and are compared as figures: every number is masked. `...` stands for lines left out.
"""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ["README.md"]


@dataclass(frozen=True)
class Step:
    line: int
    command: str
    expected: list[str]


def steps(page: str) -> list[Step]:
    """Return the commands of the console blocks of a page with the output that is shown under them."""
    found: list[Step] = []
    inside = False
    for number, line in enumerate((ROOT / page).read_text().splitlines(), start=1):
        if line.startswith("```"):
            inside = line == "```console"
        elif inside and line.startswith("$ "):
            found.append(Step(number, line[2:], []))
        elif inside:
            found[-1].expected.append(line)
    return found


def masked(text: str) -> list[str]:
    """Return the lines of an output without what differs from machine to machine: numbers and widths."""
    lines = [re.sub(r"\d[\d.,e+-]*", "#", line) for line in text.splitlines()]
    lines = [re.sub(r"\s+", " ", line).strip() for line in lines]
    return [line for line in lines if line]


def matches(expected: list[str], printed: list[str]) -> bool:
    """Return whether the printed lines are the expected ones; `...` stands for any number of lines."""
    if not expected:
        return not printed
    if expected[0] == "...":
        return any(matches(expected[1:], printed[start:]) for start in range(len(printed) + 1))
    return bool(printed) and expected[0] == printed[0] and matches(expected[1:], printed[1:])


def run(command: str, folder: Path) -> tuple[int, str]:
    """Type a command as the README's reader would, and return its exit code and what it prints on stdout."""
    words = shlex.split(command)
    assert words[0] in ("vision", "cat", "mkdir"), f"the README types {words[0]}: extend the test"
    if words[0] == "vision":
        words[:1] = [sys.executable, "-m", "vision_cli"]
    environment = {**os.environ, "COLUMNS": "120", "VISION_OFFLINE": "1"}
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, env=environment, timeout=900, check=False)
    return done.returncode, done.stdout if done.stdout.strip() else done.stderr


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_console_blocks_print_what_they_show(page: str, tmp_path: Path) -> None:
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    found = steps(page)
    assert found, f"{page} has no console block"
    for step in found:
        code, printed = run(step.command, tmp_path)
        wanted = masked("\n".join(step.expected))
        assert code in (0, 4), f"{page}:{step.line}: $ {step.command} ended with {code}:\n{printed}"
        assert matches(wanted, masked(printed)), f"{page}:{step.line}: $ {step.command} printed:\n{printed}"


def test_the_readme_shows_its_parts_in_order() -> None:
    text = (ROOT / "README.md").read_text()
    parts = ["make demo", "make test", "## A five-minute tour", "## Commands", "## Licences"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_every_command_is_in_the_readmes_table() -> None:
    from vision_cli.cli.table import COMMANDS

    text = (ROOT / "README.md").read_text()
    assert [name for name in COMMANDS if f"`vision {name}" not in text] == []
