"""Every console block of docs/scoping.md is typed, in its order, and must print exactly what the page shows."""

from pathlib import Path

from typed_pages import check_page


def test_the_page_prints_what_it_shows(tmp_path: Path) -> None:
    typed = check_page("scoping.md", tmp_path)
    assert len(typed) >= 5
    assert {code for _, code in typed} <= {0}
