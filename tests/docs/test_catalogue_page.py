"""Every console block of docs/catalogue.md is typed, in its order, and must print exactly what the page shows."""

from pathlib import Path

import pytest
from typed_pages import ROOT, check_page

PAGE = ROOT / "docs" / "catalogue.md"


def test_the_page_prints_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISION_CACHE", str(tmp_path / "cache"))
    typed = check_page(PAGE.name, tmp_path)
    assert len(typed) >= 3
    assert {code for _, code in typed} <= {0}
