"""Every console block of docs/predict.md is typed, in its order, and must print exactly what the page shows."""

import json
from pathlib import Path

import cv2
import pytest
from typed_pages import ROOT, check_page

from vision_cli.imaging.video import SUFFIXES

PAGE = ROOT / "docs" / "predict.md"


@pytest.mark.slow
def test_the_page_prints_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    typed = check_page(PAGE.name, tmp_path)
    assert len(typed) >= 10
    codes = {step.command: code for step, code in typed}
    assert {command for command, code in codes.items() if code} == {
        "vision predict cups/photos --to tfrecord --output records/",
        "vision predict --camera 63 --output seen.json",
    }
    rows = json.loads((tmp_path / "answers.json").read_text())["predictions"]
    assert sum(each["class"] == "cup" for row in rows for each in row["objects"]) >= 4
    capture = cv2.VideoCapture(str(tmp_path / "marked" / "clip.mp4"))
    assert (capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FPS)) == (10, 5)
    capture.release()


def test_the_page_names_every_suffix_of_videos() -> None:
    text = PAGE.read_text()
    assert [suffix for suffix in SUFFIXES if f"`{suffix}`" not in text] == []


def test_the_page_counts_tiles_rightly() -> None:
    from vision_cli.core.tiling import Tiles, windows

    assert len(windows((4000, 3000), Tiles((640, 640)))) == 48 + 1
    assert "has 48 of 640 pixels, and the whole" in PAGE.read_text()
