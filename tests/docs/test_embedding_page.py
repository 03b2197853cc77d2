"""Every console block of docs/embedding.md is typed, in its order, and must print exactly what the page shows."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typed_pages import check_page


@pytest.mark.slow
def test_the_page_prints_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("VISION_CACHE", str(tmp_path / "cache"))
    typed = check_page("embedding.md", tmp_path)
    assert len(typed) >= 7
    assert {code for _, code in typed} == {0}
    assert pq.read_table(tmp_path / "vectors.parquet").num_rows == 24
    assert (tmp_path / "map.html").read_text().count("<circle") == 26
    assert (tmp_path / "alike.png").stat().st_size > 1000
