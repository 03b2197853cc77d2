"""Every console block of docs/checks.md is typed, in its order, and must print exactly what the page shows."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from test_views import Step, steps, without_ends

from vision_cli.checks import CHECKS
from vision_cli.checks.repairs import REPAIRS

PAGE = Path(__file__).parents[2] / "docs" / "checks.md"


def typed(step: Step, folder: Path) -> str:
    """Do what a shell would, and return what is printed on stdout."""
    words = shlex.split(step.command)
    if words[0] == "cat":
        (folder / words[2]).write_text(step.given or "")
        return ""
    assert words[0] in ("vision", "python"), f"the page types {words[0]}: extend the test"
    words = [sys.executable, *(["-m", "vision_cli"] if words[0] == "vision" else []), *words[1:]]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    errors = any(line.startswith("error: ") for line in step.expected)
    assert done.returncode == (4 if errors and "--strict" in words else 0), f"{step.line}: {done.stderr}"
    return done.stdout


def test_the_page_prints_what_it_shows(tmp_path: Path) -> None:
    found = steps(PAGE.read_text())
    assert len(found) >= 5
    for step in found:
        printed = typed(step, tmp_path)
        assert without_ends(printed.splitlines()) == without_ends(step.expected), f"{PAGE.name}:{step.line}"


def test_the_page_names_every_repair_and_no_check_that_is_not_there() -> None:
    text = PAGE.read_text()
    for name, repair in REPAIRS.items():
        assert f"| `{name}` | {repair.summary} |" in text
    shown = {
        line.split("`")[1] for line in text.splitlines() if line.startswith("| `leak-") or line.startswith("| `photo-")
    }
    assert shown
    assert shown <= set(CHECKS)
