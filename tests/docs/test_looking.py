"""Every console block of docs/looking.md is typed, in its order, and must print exactly what the page shows."""

from pathlib import Path

from test_views import steps, typed, without_ends

PAGE = Path(__file__).parents[2] / "docs" / "looking.md"


def test_the_page_prints_what_it_shows(tmp_path: Path) -> None:
    found = steps(PAGE.read_text())
    assert len(found) >= 5
    for step in found:
        printed = typed(step, tmp_path)
        assert without_ends(printed.splitlines()) == without_ends(step.expected), f"{PAGE.name}:{step.line}"
    assert (tmp_path / "page" / "index.html").is_file()


def test_the_page_names_every_kind() -> None:
    from vision_cli.reports.browse_errors import KINDS

    text = PAGE.read_text()
    for kind in KINDS:
        assert f"| {kind} |" in text
