"""Every console block of docs/views.md is typed, in its order, and must print exactly what the page shows."""

from pathlib import Path

from typed_pages import ROOT, check_page

PAGE = ROOT / "docs" / "views.md"


def test_the_page_prints_what_it_shows(tmp_path: Path) -> None:
    typed = check_page(PAGE.name, tmp_path)
    assert len(typed) >= 8
    assert {code for _, code in typed} <= {0, 2}


def test_the_page_names_every_helper() -> None:
    from vision_cli.views.conditions import HELPERS

    text = PAGE.read_text()
    for helper in HELPERS.values():
        assert f"| `{helper.usage}` | {helper.meaning} |" in text
