"""No output option of any command replaces the project, what it names as sources, or what the command reads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from stages import street_project as streets

RATINGS = "photo,rater,rating\na.jpg,ann,5\na.jpg,bob,4\nb.jpg,ann,5\n"
WRITE = {
    "query": ("data", "query", "SELECT 1 AS n", "--format", "csv", "--out"),
    "check-csv": ("data", "check", "kitti", "--fast", "--csv"),
    "check-html": ("data", "check", "kitti", "--fast", "--html"),
    "fix": ("data", "fix", "kitti", "mended", "--csv"),
    "next": ("data", "label", "next", "kitti", "--plain", "--pick", "1", "--by", "random", "--out"),
    "diff": ("data", "diff", "HEAD", "HEAD", "--csv"),
    "report": ("report", "--output"),
    "schema": ("config", "schema", "--output"),
    "eval-junit": ("eval", "--ratings", "ratings.csv", "--kpi", "acceptance>0.1", "--junit"),
    "eval-markdown": ("eval", "--ratings", "ratings.csv", "--kpi", "acceptance>0.1", "--markdown"),
    "predict": ("predict", "photo.png", "--output"),
    "embed": ("embed", "photo.png", "--to"),
    "embed-map": ("embed", "photo.png", "--to", "vectors.parquet", "--map"),
    "find": ("find", "--like", "photo.png", "photo.png", "--to"),
}
REPLACE = {
    "convert": ("data", "convert", "more", "TARGET", "--to", "coco", "--allow-loss", "all", "--force"),
    "fix": ("data", "fix", "more", "TARGET", "--force"),
    "checkout": ("data", "checkout", "HEAD", "TARGET", "--force"),
    "show": ("data", "show", "more", "--out", "TARGET", "--force"),
    "label-export": ("data", "label", "export", "more", "--to", "labelme", "--out", "TARGET", "--force"),
    "agreement": ("data", "agreement", "a=a.json", "b=b.json", "--images", "none", "--force", "--consensus", "TARGET"),
    "label-import": ("data", "label", "import", "answers", "--into", "TARGET", "--to", "coco", "--force"),
    "synth": ("synth", "logos", "--logos", "marks", "--backgrounds", "walls", "-n", "2", "--out", "TARGET"),
    "paste": ("synth", "paste", "--objects", "marks", "--backgrounds", "walls", "-n", "2", "--out", "TARGET"),
    "tune": ("synth", "tune", "--logos", "marks", "--backgrounds", "walls", "--real", "more", "--out", "TARGET"),
    "classify": ("synth", "classify", "--objects", "marks", "--backgrounds", "walls", "-n", "2", "--out", "TARGET"),
}
KEPT = ("vision.yaml", "splits.json", "kitti/drives.json", "reader.py", "photo.png", "facts.json")


@pytest.fixture
def project(tmp_path: Path, vision: Callable) -> Path:
    """A project with versions, files of one's own beside it, and other people's answers."""
    from PIL import Image

    folder = streets.project(tmp_path)
    file = folder / "vision.yaml"
    file.write_text(file.read_text().replace("more: {path: more}", "more: {path: more, metadata: [facts.json]}"))
    (folder / "facts.json").write_text('[{"path": "JPEGImages/a.jpg", "scene": "x"}]')
    (folder / "splits.json").write_text("not for a command to replace")
    (folder / "kitti/drives.json").write_text("[]")
    (folder / "reader.py").write_text("print(1)\n")
    (folder / "ratings.csv").write_text(RATINGS)
    Image.new("RGB", (8, 8)).save(folder / "photo.png")
    for name, mode in (("marks", "RGBA"), ("walls", "RGB")):
        (folder / name).mkdir()
        picture = Image.new(mode, (80, 60))
        picture.paste((9, 200, 90) + (255,) * (mode == "RGBA"), (10, 10, 50, 50))
        picture.save(folder / name / "kiwi.png")
    for name in "ab":
        image = {"id": 1, "file_name": "x.jpg", "width": 9, "height": 9}
        box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5], "area": 25, "iscrowd": 0}
        document = {"images": [image], "annotations": [box], "categories": [{"id": 1, "name": "car"}]}
        (folder / f"{name}.json").write_text(json.dumps(document))
    return folder


def fingerprints(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and ".vision" not in path.parts)
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("target", KEPT)
@pytest.mark.parametrize("command", WRITE)
def test_a_file_that_matters_stays(vision: Callable, project: Path, command: str, target: str) -> None:
    before = fingerprints(project)
    called = vision(*WRITE[command], target)
    assert called.code == 2, called.out
    suffix_first = command in ("predict", "next")  # which tell of a suffix that they do not write
    assert suffix_first or f"{target}: " in called.err
    assert fingerprints(project) == before


@pytest.mark.parametrize("target", [".", "kitti", "kitti/training/label_2", "other"])
@pytest.mark.parametrize("command", REPLACE)
def test_a_folder_that_matters_stays(vision: Callable, project: Path, command: str, target: str) -> None:
    (project / "splits.json").unlink()
    assert command != "checkout" or vision("data", "commit", "source:more", "-m", "first").code == 0
    (project / "other").mkdir()
    (project / "other/vision.yaml").write_text("version: 1\n")
    before = fingerprints(project)
    called = vision(*(target if word == "TARGET" else word for word in REPLACE[command]))
    assert called.code == 2, called.out
    assert fingerprints(project) == before


def test_what_a_command_reads_stays(vision: Callable, project: Path) -> None:
    (project / "labels.csv").write_text("path,label\nphoto.png,x\n")
    for words in (
        ("data", "check", "labels.csv", "--fast", "--csv", "labels.csv"),
        ("data", "query", "SELECT 1 AS n", "--data", "labels.csv", "--out", "labels.csv"),
        ("eval", "--ratings", "ratings.csv", "--kpi", "acceptance>0.1", "--junit", "ratings.csv"),
    ):
        before = fingerprints(project)
        called = vision(*words)
        assert (called.code, "is what this command reads" in called.err) == (2, True), called.err
        assert fingerprints(project) == before


def test_two_results_need_two_files(vision: Callable, project: Path) -> None:
    called = vision("data", "check", "kitti", "--fast", "--csv", "x.csv", "--html", "./x.csv")
    assert called.code == 2
    assert "two results for one file" in called.err
    assert not (project / "x.csv").exists()


def test_an_earlier_result_is_replaced(vision: Callable, project: Path) -> None:
    (project / "splits.json").unlink()
    for name in ("list.csv", "kitti/page.html"):
        (project / name).write_text("old")
    assert vision("data", "check", "kitti", "--fast", "--csv", "list.csv", "--html", "kitti/page.html").code == 0
    assert (project / "list.csv").read_text() != "old" != (project / "kitti/page.html").read_text()


def test_no_pictures_go_into_a_source(vision: Callable, project: Path) -> None:
    before = fingerprints(project)
    called = vision("predict", "photo.png", "--pictures", "kitti/training")
    assert (called.code, "lies in the project's source 'street'" in called.err) == (2, True), called.err
    assert fingerprints(project) == before


def test_a_project_that_is_a_source_itself_keeps_its_labels_and_writes_beside_them(
    vision: Callable, project: Path
) -> None:
    (project / "splits.json").unlink()
    (project / "vision.yaml").write_text("version: 1\nname: x\ndata: {sources: {all: {path: ., format: kitti}}}\n")
    (project / "list.csv").write_text("old")
    assert vision("data", "check", "kitti", "--fast", "--csv", "list.csv").code == 0
    label = "kitti/training/label_2/drive_1/000000.txt"
    before = fingerprints(project)
    assert vision("data", "check", "more", "--fast", "--csv", label).code == 2
    assert fingerprints(project) == before
