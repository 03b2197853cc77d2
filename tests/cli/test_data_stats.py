"""`vision data stats` on the command line."""

import csv
import io
import json
import subprocess
import sys

import pytest
from PIL import Image

HOSTILE = "[/] [red]<script>\x1b[31m\u202eevil"


@pytest.fixture
def folders(tmp_path):
    """Photos in folders of splits and classes."""
    for split, name, count in (("train", "cat", 3), ("train", "dog", 1), ("val", "cat", 1)):
        (tmp_path / "photos" / split / name).mkdir(parents=True)
        for at in range(count):
            Image.new("RGB", (40, 30)).save(tmp_path / "photos" / split / name / f"{at}.png")
    return tmp_path / "photos"


def test_what_people_read(vision, folders):
    called = vision("data", "stats", "photos")
    assert called.code == 0
    assert called.out.splitlines()[0] == "photos (imagefolder): 5 photos, 5 annotations, 2 classes"
    lines = [line.split() for line in called.out.splitlines()]
    assert ["cat", "4", "4", "80", "%", "3", "/", "3", "1", "/", "1"] in lines
    assert ["dog", "1", "1", "20", "%", "1", "/", "1", "0", "/", "0"] in lines
    assert "\x1b" not in called.out


def test_json(vision, folders):
    document = vision("data", "stats", "photos", "--json").document
    assert document["ok"] is True
    assert (document["photos"], document["splits"]["val"]) == (5, {"photos": 1, "annotations": 1})
    assert document["by_class"][0]["splits"]["train"] == {"photos": 3, "annotations": 3}
    assert document["sizes"]["common"] == [{"width_px": 40, "height_px": 30, "photos": 5}]


def test_csv(vision, folders):
    called = vision("data", "stats", "photos", "--csv")
    rows = list(csv.reader(io.StringIO(called.out)))
    assert rows[0] == ["class", "split", "photos", "annotations"]
    assert ["cat", "*", "4", "4"] in rows
    assert vision("data", "stats", "photos", "--csv", "--json").code == 2


def test_a_view(vision, folders, tmp_path):
    (tmp_path / "vision.yaml").write_text(
        "version: 1\nname: x\ndata: {sources: {a: {path: photos}}, views: {cats: {from: [a], map: {dog: null}}}}\n"
    )
    assert vision("data", "stats", "cats", "--json").document["photos"] == 4
    assert vision("data", "stats", "--json").document["photos"] == 5
    called = vision("data", "stats", "cat")
    assert called.code == 2
    assert "Did you mean 'cats'?" in called.err


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("detect", ""), "PATH"),
        (("stats", ""), "VIEW|PATH"),
        (("check", "", "--fast"), "VIEW|PATH"),
        (("convert", "", "out", "--to", "coco"), "SOURCE"),
        (("convert", "photos", "", "--to", "coco"), "TARGET"),
        (("fix", "", "out"), "VIEW|PATH"),
        (("show", ""), "VIEW|PATH"),
        (("cost", ""), "VIEW|PATH"),
        (("agreement", "photos", ""), "PATH"),
        (("label", "export", "", "out", "--to", "cvat"), "VIEW|PATH"),
        (("query", "SELECT 1", "--data", ""), "--data"),
        (("query", "SELECT 1", "--data="), "--data"),
        (("stats", "photos", "--images-root", ""), "--images-root"),
    ],
)
def test_an_empty_path_is_not_the_folder_we_are_in(vision, folders, words, what):
    called = vision("data", *words, "--json")
    assert called.code == 2
    assert called.document["error"]["message"] == f"{what} is empty."


def test_hostile_names_are_shown_and_move_nothing(vision, tmp_path):
    photo = {"id": 1, "file_name": "a.jpg", "width": 9, "height": 9, HOSTILE: HOSTILE}
    label = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "area": 1, "iscrowd": 0}
    document = {"images": [photo], "annotations": [label], "categories": [{"id": 1, "name": HOSTILE}]}
    (tmp_path / "l.json").write_text(json.dumps(document))
    called = vision("data", "stats", "l.json")
    assert called.code == 0
    assert "\x1b" not in called.out
    assert "\u202e" not in called.out
    assert "[/] [red]<script>\\x1b[31m" in called.out
    assert vision("data", "stats", "l.json", "--json").document["by_class"][0]["name"] == HOSTILE


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("nowhere/at/all",), 3, "no such file"),
        (("photos", "--from", "cocoa"), 2, "cocoa"),
        (("photos", "--from", "voc"), 3, ""),
    ],
)
def test_refusals(vision, folders, words, code, message):
    called = vision("data", "stats", *words)
    assert called.code == code
    assert message in called.err


def test_a_path_imports_little(folders):
    """A data set that is given by its path needs no project file, and figures need no photo library but for sizes."""
    words = ["data", "stats", "l.json", "--from", "coco"]
    code = f"import sys; from vision_cli.cli.boundary import run; run({words}); print(*sys.modules)"
    photo = {"id": 1, "file_name": "a.jpg", "width": 9, "height": 9}
    (folders.parent / "l.json").write_text(json.dumps({"images": [photo], "annotations": [], "categories": []}))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folders.parent, capture_output=True, text=True, check=True, timeout=60
    )
    modules = set(done.stdout.split())
    assert "vision_cli.views.statistics" in modules
    assert not set(modules) & {"torch", "cv2", "pydantic", "duckdb", "PIL.Image", "pandas", "sklearn"}
