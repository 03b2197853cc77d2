"""Every console block of docs/checks.md is typed, in its order, and must print exactly what the page shows."""

from pathlib import Path

from typed_pages import ROOT, check_page

from vision_cli.checks import CHECKS
from vision_cli.checks.repairs import REPAIRS

PAGE = ROOT / "docs" / "checks.md"


def test_the_page_prints_what_it_shows(tmp_path: Path) -> None:
    typed = check_page(PAGE.name, tmp_path)
    assert len(typed) >= 5
    assert {code for _, code in typed} <= {0, 4}
    for step, code in typed:
        errors = any(line.startswith("error: ") for line in step.shown)
        assert code == (4 if errors and "--strict" in step.command else 0), f"{PAGE.name}:{step.line}"


def test_the_page_names_every_repair_and_no_check_that_is_not_there() -> None:
    text = PAGE.read_text()
    for name, repair in REPAIRS.items():
        assert f"| `{name}` | {repair.summary} |" in text
    shown = {
        line.split("`")[1] for line in text.splitlines() if line.startswith("| `leak-") or line.startswith("| `photo-")
    }
    assert shown
    assert shown <= set(CHECKS)
