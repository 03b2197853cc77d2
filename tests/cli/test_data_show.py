"""`vision data show` on the command line."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from PIL import Image


@pytest.fixture
def photos(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        Image.new("RGB", (40, 30)).save(tmp_path / "photos" / name / "a.png")
    return tmp_path / "photos"


def test_a_page_is_written_into_show(vision, photos, tmp_path):
    called = vision("data", "show", "photos")
    assert called.code == 0
    assert "photos: 2 photos, 2 annotations" in called.out
    assert "written: show/index.html" in called.out
    assert (tmp_path / "show" / "index.html").is_file()
    assert vision("data", "show", "photos").code == 2
    assert vision("data", "show", "photos", "--force").code == 0


def test_json(vision, photos):
    document = vision("data", "show", "photos", "--out", "page", "--photos", "none", "--json").document
    assert (document["photos"], document["written"], document["page"]) == (2, True, "page/index.html")


def test_a_dry_run(vision, photos, tmp_path):
    called = vision("data", "show", "photos", "--dry-run")
    assert "would write: show/index.html" in called.out
    assert not (tmp_path / "show").exists()


def test_predictions_of_coco_results(vision, photos, tmp_path):
    image = {"id": 1, "file_name": "cat/a.png", "width": 40, "height": 30}
    label = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 9, 9], "area": 81, "iscrowd": 0}
    (tmp_path / "labels").mkdir()
    document = {"images": [image], "annotations": [label], "categories": [{"id": 1, "name": "x"}]}
    (tmp_path / "labels" / "l.json").write_text(json.dumps(document))
    (tmp_path / "said.json").write_text(
        json.dumps([{"image_id": 1, "category_id": 1, "bbox": [1, 1, 9, 9], "score": 0.9}])
    )
    words = ("labels/l.json", "--images-root", "photos", "--predictions", "said.json")
    called = vision("data", "show", *words)
    assert called.code == 0
    assert "predictions of said.json: 1 right" in called.out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--serve", "--out", "x"), 2, "writes nothing"),
        (("--port", "80"), 2, "are of --serve"),
        (("--where", "has('owl')"), 2, "owl"),
        (("--predictions", "yesterday"), 3, "no such predictions"),
        (("--out", "photos"), 2, "photos"),
        (("--max-mb", "0"), 2, "max-mb"),
    ],
)
def test_refusals(vision, photos, words, code, message):
    called = vision("data", "show", "photos", *words)
    assert called.code == code
    assert message in called.err
    assert sorted(path.name for path in Path("photos").iterdir()) == ["cat", "dog"]


def test_serving_ends_with_ctrl_c(photos, tmp_path):
    command = [sys.executable, "-m", "vision_cli", "data", "show", "photos", "--serve", "--json"]
    # A shell that starts it in the background would let it ignore the interrupt.
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        text = ""
        while not text.endswith("}\n") or text.count("{") != text.count("}"):
            text += process.stdout.readline()
        address = json.loads(text)["page"]
        assert address.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(f"{address}data/start.js", timeout=10) as answer:  # noqa: S310
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert "interrupted" in err
    assert sorted(os.listdir(tmp_path)) == ["photos"]  # noqa: PTH208
