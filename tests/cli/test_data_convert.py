"""`vision data detect` and `vision data convert` on the command line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

HOSTILE = "[/] [red]<script>‮\x1b[31m"


@pytest.fixture
def kitti(tmp_path):
    """A KITTI folder: three objects, one of them hidden and cut off."""
    root = tmp_path / "kitti"
    for name, text in {
        "1": "Car 0.00 0 -1.57 10.50 4.25 30.50 14.25 1.5 1.6 3.9 -2.1 1.7 12.0 -1.7\n"
        "Van 0.30 2 0.20 40.00 10.00 52.00 40.00 1.7 0.6 0.8 1.2 1.6 9.0 0.3\n",
        "2": "Car 0.00 0 1.57 5.00 5.00 25.00 25.00 1.5 1.6 3.9 2.1 1.7 20.0 1.6\n",
    }.items():
        for folder, suffix in (("image_2", "jpg"), ("label_2", "txt")):
            (root / "training" / folder).mkdir(parents=True, exist_ok=True)
            path = root / "training" / folder / f"{name}.{suffix}"
            if suffix == "txt":
                path.write_text(text)
            else:
                Image.new("RGB", (64, 48)).save(path)
    return root


CONVERT = ("data", "convert", "kitti", "out", "--from", "kitti", "--to", "yolo")
ALLOW = ("--allow-loss", "truncated", "--allow-loss", "occluded", "--allow-loss", "3d")


def test_detect_names_format_and_evidence(vision, kitti):
    called = vision("data", "detect", "kitti", "--json")
    assert called.code == 0
    assert called.document["format"] == "kitti"
    assert "training/label_2/1.txt" in called.document["evidence"]
    assert "kitti" in vision("data", "detect", "kitti").out


def test_detect_of_two_formats_is_an_error_that_lists_them(vision, tmp_path):
    (tmp_path / "both" / "cat").mkdir(parents=True)
    Image.new("RGB", (4, 4)).save(tmp_path / "both" / "cat" / "a.jpg")
    (tmp_path / "both" / "labels.csv").write_text("path,label\ncat/a.jpg,cat\n")
    called = vision("data", "detect", "both", "--json")
    assert called.code == 3
    assert called.document["ok"] is False
    assert called.document["error"]["details"] == [
        "imagefolder: photos in class folders such as cat",
        "csv: labels.csv with the columns path, label",
    ]
    assert "--from imagefolder or --from csv" in called.document["error"]["hint"]


def test_detect_of_nothing_says_what_was_looked_for(vision, tmp_path):
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "notes.doc").write_text("x")
    called = vision("data", "detect", "odd", "--json")
    assert called.code == 3
    assert "it holds notes.doc" in called.document["error"]["message"]
    assert any(line.startswith("imagefolder: ") for line in called.document["error"]["details"])
    assert vision("data", "detect", "nowhere").code == 3


def test_a_loss_that_is_not_allowed_is_exit_4_with_the_whole_report(vision, kitti, tmp_path):
    called = vision(*CONVERT, "--json")
    assert called.code == 4
    document = called.document
    assert document["ok"] is False
    assert document["written"] is False
    assert document["images"] == {"in": 2, "out": 2, "dropped": {}, "changed": {}}
    assert document["annotations"]["in"] == document["annotations"]["out"] == 3
    assert document["annotations"]["changed"] == {
        "truncated left out": 1,
        "occluded left out": 1,
        "box in 3D left out": 3,
    }
    assert document["not_allowed"] == ["truncated", "occluded", "3d"]
    assert not (tmp_path / "out").exists()
    drawn = vision(*CONVERT)
    assert drawn.code == 4
    assert "--allow-loss truncated --allow-loss occluded --allow-loss 3d" in drawn.out


def test_the_report_for_people(vision, kitti):
    called = vision(*CONVERT, *ALLOW, "--verify")
    assert called.code == 0, called.err
    lines = [" ".join(line.split()) for line in called.out.splitlines()]
    assert "photos 2 2 - -" in lines
    assert "annotations 3 3 - 1 truncated left out, 1 occluded left out, 3 box in 3D left out" in lines
    assert "Car - 0 2 2 - 2 box in 3D left out" in lines
    assert "The source's numbers are kept. They count pixels from 0, the last one inclusive." in lines
    assert "2 photos, 3 annotations, 3 boxes" in called.out
    assert "written: out (photos: copy)" in lines


def test_the_document_of_a_conversion(vision, kitti, tmp_path):
    called = vision(*CONVERT, *ALLOW, "--verify", "--images", "hardlink", "--workers", "3", "--json")
    assert called.code == 0
    document = called.document
    assert (document["from"], document["to"], document["written"], document["photos"]) == (
        "kitti",
        "yolo",
        True,
        "hardlink",
    )
    assert document["pixels"] == {"in": "inclusive-0", "out": "inclusive-0"}
    assert [(line["name"], line["in_id"], line["out_id"], line["in"]) for line in document["classes"]] == [
        ("Car", None, 0, 2),
        ("Van", None, 1, 1),
    ]
    assert document["verification"]["boxes"] == 3
    assert document["verification"]["differences"] == []
    assert (tmp_path / "out" / "data.yaml").is_file()


def test_a_dry_run_writes_nothing(vision, kitti, tmp_path):
    called = vision(*CONVERT, *ALLOW, "--dry-run")
    assert called.code == 0
    assert "would write: out" in called.out
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--to", "yolox"), 2, "did you mean 'yolo'"),
        (("--allow-loss", "truncate"), 2, "did you mean 'truncated'"),
        (("--images", "move"), 2, "--images"),
        (("--workers", "0"), 2, "--workers"),
        (("--pixels", "shift"), 2, "--pixels"),
        (("--source-pixels", "2"), 2, "--source-pixels"),
        (("--images-root", "nowhere"), 3, "nowhere"),
    ],
)
def test_wrong_options(vision, kitti, words, code, message):
    called = vision(*CONVERT, *ALLOW, *words)
    assert called.code == code
    assert message in called.err.replace("Did", "did")
    assert "Traceback" not in called.err


def test_targets_that_are_refused(vision, kitti, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x").write_text("x")
    called = vision(*CONVERT, *ALLOW)
    assert called.code == 2
    assert "--force" in called.err
    assert vision(*CONVERT, *ALLOW, "--force").code == 0
    assert vision("data", "convert", "kitti", "kitti/new", "--from", "kitti", "--to", "yolo").code == 2
    assert vision("data", "convert", "kitti", "/proc/new", "--from", "kitti", "--to", "yolo", *ALLOW).code == 6


def test_names_are_drawn_harmlessly(vision, kitti, tmp_path):
    label = kitti / "training" / "label_2" / "1.txt"
    name = HOSTILE.replace(" ", "%20").replace("\x1b", "%1B")
    label.write_text(label.read_text().replace("Van", name))
    called = vision(*CONVERT, *ALLOW)
    assert called.code == 0, called.err
    assert "[/] [red]<script>" in called.out
    assert "\x1b" not in called.out
    assert "‮" not in called.out
    document = vision(*CONVERT, *ALLOW, "--force", "--json").document
    assert HOSTILE in [line["name"] for line in document["classes"]]


def test_unknown_commands_of_the_group_are_guessed(vision):
    called = vision("data", "covnert")
    assert called.code == 2
    assert "did you mean 'convert'?" in called.err


def test_the_groups_help_lists_its_commands():
    done = subprocess.run([sys.executable, "-m", "vision_cli", "data", "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "detect" in done.stdout
    assert "convert" in done.stdout
    assert "Examples:\n  vision data detect" in done.stdout


HEAVY = {"torch", "cv2", "pandas", "sklearn", "pydantic", "scipy", "PIL", "yaml", "duckdb"}


@pytest.mark.parametrize("words", [("--help",), ("detect", "--help"), ("convert", "--help")])
def test_help_imports_nothing_heavy(words):
    assert imported("data", *words) & (HEAVY | {"numpy", "pyarrow", "rich"}) == set()


def imported(*words: str, cwd: Path | None = None) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "vision_cli", *words],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-500:]
    lines = (line for line in done.stderr.splitlines() if line.startswith("import time:"))
    return {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in lines}


def test_neither_detecting_nor_converting_imports_torch(kitti, tmp_path):
    assert imported("data", "detect", "kitti", cwd=tmp_path) & {"torch", "sklearn", "scipy"} == set()
    words = ("data", "convert", "kitti", "out", "--from", "kitti", "--to", "yolo", "--allow-loss", "all")
    assert imported(*words, cwd=tmp_path) & {"torch", "sklearn", "scipy", "pydantic"} == set()


def test_links_are_followed_when_it_is_said(vision, kitti, tmp_path):
    assert vision(*CONVERT, *ALLOW, "--images", "symlink").code == 0
    for words in (("data", "convert", "out", "back", "--to", "voc"), ("data", "stats", "out")):
        called = vision(*words, "--json")
        assert called.code == 3, words
        assert vision(*words, "--follow-links", "--json").code == 0, words
    assert len(list((tmp_path / "back").rglob("*.jpg")) + list((tmp_path / "back").rglob("*.png"))) == 2
    assert vision("data", "detect", "out", "--follow-links").code == 0
    queried = ("data", "query", "SELECT count(*) FROM images", "--data", "out")
    for words in (("data", "show", "out"), ("data", "check", "out"), queried):
        assert vision(*words, "--follow-links", "--json").code == 0, words
    assert vision(*queried[:3], "--follow-links").code == 2
    assert vision("data", "stats", "all", "--follow-links").code == 2


@pytest.mark.parametrize("to", ["voc", "yolo", "kitti"])
def test_photos_that_lie_elsewhere_are_not_to_be_lost(vision, tmp_path, to):
    """Labels alone or the photos' folder come first; to allow that every photo is lost is no advice."""
    text = (
        '{"images": [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 48}],'
        ' "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "iscrowd": 0}],'
        ' "categories": [{"id": 1, "name": "cat"}]}'
    )
    (tmp_path / "a.json").write_text(text)
    command = ("data", "convert", "a.json", "out", "--to", to)
    called = vision(*command)
    assert called.code == 4
    assert "--images none" in called.out
    assert "--images-root" in called.out
    assert "--allow-loss no-image" not in called.out
    called = vision(*command, "--allow-loss", "no-image")
    assert called.code == 4
    assert f"{to} can hold none of these photos" in called.out
    assert "--images none" in called.out
    assert vision(*command, "--images", "none").code == 0
    (tmp_path / "elsewhere").mkdir()
    Image.new("RGB", (64, 48)).save(tmp_path / "elsewhere" / "a.jpg")
    assert vision(*command, "--force", "--images-root", "elsewhere").code == 0


def test_some_photos_that_are_not_there_may_be_left_out(vision, tmp_path):
    text = (
        '{"images": [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 48},'
        ' {"id": 2, "file_name": "b.jpg", "width": 64, "height": 48}], "annotations": [], "categories": []}'
    )
    (tmp_path / "a.json").write_text(text)
    Image.new("RGB", (64, 48)).save(tmp_path / "a.jpg")
    out = vision("data", "convert", "a.json", "out", "--from", "coco", "--to", "voc").out
    assert 0 < out.index("--images none") < out.index("--allow-loss no-image")


def test_boxes_of_one_pixel_are_kept_by_another_count(vision, tmp_path):
    box = "<bndbox><xmin>5</xmin><ymin>6</ymin><xmax>5</xmax><ymax>9</ymax></bndbox>"
    (tmp_path / "voc").mkdir()
    (tmp_path / "voc" / "a.xml").write_text(
        f"<annotation><filename>a.jpg</filename><object><name>cat</name>{box}</object></annotation>"
    )
    Image.new("RGB", (64, 48)).save(tmp_path / "voc" / "a.jpg")
    called = vision("data", "convert", "voc", "out", "--to", "yolo")
    assert called.code == 4
    assert called.out.index("--pixels target") < called.out.index("--allow-loss no-area")
    assert vision("data", "convert", "voc", "out", "--to", "yolo", "--pixels", "target").code == 0
