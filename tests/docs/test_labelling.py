"""Every console block of docs/labelling.md is typed, in its order, and must print exactly what the page shows."""

from pathlib import Path

from typed_pages import ROOT, check_page

PAGE = ROOT / "docs" / "labelling.md"


def test_the_page_prints_what_it_shows(tmp_path: Path) -> None:
    typed = check_page(PAGE.name, tmp_path)
    assert len(typed) >= 8
    assert {code for _, code in typed} <= {0, 3, 4}


def test_the_page_names_every_figure_a_bound_may_name() -> None:
    from vision_cli.stages.labelling.gold import FIGURES

    text = PAGE.read_text()
    assert [name for name in FIGURES if f"`{name}`" not in text] == []
