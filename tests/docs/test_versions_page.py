"""Every console block of docs/versions.md is typed, in its order, and must print exactly what the page shows."""

from pathlib import Path

from typed_pages import ROOT, check_page

PAGE = ROOT / "docs" / "versions.md"


def test_the_page_prints_what_it_shows(tmp_path: Path) -> None:
    typed = check_page(PAGE.name, tmp_path)
    assert len(typed) >= 12
    assert {code for _, code in typed} <= {0}
