"""Every console block of docs/looking.md is typed, in its order, and must print exactly what the page shows."""

from pathlib import Path

from typed_pages import ROOT, check_page

PAGE = ROOT / "docs" / "looking.md"


def test_the_page_prints_what_it_shows(tmp_path: Path) -> None:
    typed = check_page(PAGE.name, tmp_path)
    assert len(typed) >= 5
    assert {code for _, code in typed} <= {0, 2}
    assert (tmp_path / "page" / "index.html").is_file()


def test_the_page_names_every_kind() -> None:
    from vision_cli.reports.browse_errors import KINDS

    text = PAGE.read_text()
    for kind in KINDS:
        assert f"| {kind} |" in text
