"""Every console block of docs/labelling.md is typed, in its order, and must print exactly what the page shows."""

import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "labelling.md"


@dataclass
class Step:
    line: int
    command: str
    given: str | None = None
    expected: list[str] = field(default_factory=list)


def console_lines(text: str) -> Iterator[tuple[int, str]]:
    inside = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("```"):
            inside = line == "```console"
        elif inside:
            yield number, line


def steps(text: str) -> list[Step]:
    """Return the commands with what is given to them (a here-document) and what is shown under them."""
    found: list[Step] = []
    open_document = False
    for number, line in console_lines(text):
        if open_document:
            open_document = line != "END"
            found[-1].given = f"{found[-1].given}{line}\n" if open_document else found[-1].given
        elif line.startswith("$ "):
            open_document = line.endswith(" << 'END'")
            found.append(Step(number, line[2:].removesuffix(" << 'END'"), "" if open_document else None))
        else:
            found[-1].expected.append(line)
    return found


def typed(step: Step, folder: Path) -> str:
    """Do what a shell would, and return what is printed."""
    words = shlex.split(step.command)
    if words[:2] == ["cat", ">"]:
        (folder / words[2]).write_text(step.given or "")
        return ""
    assert words[0] in ("vision", "python"), f"the page types {words[0]}: extend the test"
    words = [sys.executable, *(["-m", "vision_cli"] if words[0] == "vision" else []), *words[1:]]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in (0, 3, 4), f"{step.line}: {done.stderr}"
    return done.stdout or done.stderr


def without_ends(lines: list[str]) -> list[str]:
    return [line.rstrip() for line in "\n".join(lines).strip().splitlines()]


def test_the_page_prints_what_it_shows(tmp_path: Path) -> None:
    found = steps(PAGE.read_text())
    assert len(found) >= 8
    for step in found:
        printed = typed(step, tmp_path)
        assert without_ends(printed.splitlines()) == without_ends(step.expected), f"{PAGE.name}:{step.line}"


def test_the_page_names_every_figure_a_bound_may_name() -> None:
    from vision_cli.stages.labelling_gold import FIGURES

    text = PAGE.read_text()
    assert [name for name in FIGURES if f"`{name}`" not in text] == []
