"""`vision data commit`, `log`, `diff`, `checkout`, `tag`, `verify` and `gc` on the command line."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

HOSTILE = "[/] [red]<script>\u202e\x1b[31m"
COMMANDS = ("commit", "log", "diff", "checkout", "tag", "verify", "gc")


@pytest.fixture
def project(tmp_path):
    """Two classes of four photos."""
    for at in range(8):
        path = tmp_path / "photos" / ("cat" if at % 2 else "dog") / f"{at}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (at, 0, 0)).save(path)
    (tmp_path / "vision.yaml").write_text("data: {sources: {photos: {path: photos}}}\n")
    return tmp_path


@pytest.fixture
def committed(vision, project):
    """The project with a first version, then another photo and a photo less."""
    assert vision("data", "commit", "-m", "first", "--tag", "v1").code == 0
    (project / "photos" / "cat" / "1.png").unlink()
    Image.new("RGB", (8, 8), (0, 0, 99)).save(project / "photos" / "dog" / "new.png")
    return project


def test_commit_tells_and_the_same_data_makes_nothing(vision, project):
    called = vision("data", "commit", "-m", "first", "--json")
    assert called.code == 0
    document = called.document
    assert (document["is_new"], document["new_files"], document["entry"]["photos"]) == (True, 8, 8)
    assert document["entry"]["of"] == "view:all"
    again = vision("data", "commit", "-m", "second")
    assert again.code == 0
    assert "the data is the same as in the last commit; nothing to do." in again.out
    assert vision("data", "commit", "-m", "third", "--json").document["is_new"] is False


def test_log_lists_the_newest_first_with_tags(vision, committed):
    vision("data", "commit", "-m", "second")
    lines = vision("data", "log").out.splitlines()
    assert [line.split()[-1] for line in lines] == ["message", "second", "first"]
    assert " v1 " in lines[2]
    document = vision("data", "log", "--json").document
    assert [entry["message"] for entry in document["entries"]] == ["second", "first"]
    assert document["tags"] == {"v1": document["entries"][1]["id"]}
    assert vision("data", "log", "all", "--json").document["entries"] == document["entries"]
    assert vision("data", "log", "nothing").code == 2


def test_log_without_a_version_says_how_to_make_one(vision, project):
    called = vision("data", "log")
    assert called.code == 0
    assert "vision data commit" in called.out


def test_diff_counts_and_writes_rows(vision, committed):
    called = vision("data", "diff", "v1", "--csv", "changes.csv", "--json")
    assert called.code == 0
    document = called.document
    assert (document["photos"]["added"], document["photos"]["removed"]) == (1, 1)
    assert document["summary"] == "1 photos added, 1 photos removed, 1 annotations added, 1 annotations removed"
    assert document["after"] is None
    assert document["classes"]["lines"][0]["name"] == "cat"
    with (committed / "changes.csv").open(newline="") as file:
        rows = [(row["what"], row["change"], row["path_before"] or row["path_after"]) for row in csv.DictReader(file)]
    assert rows == [
        ("photo", "removed", "cat/1.png"),
        ("photo", "added", "dog/new.png"),
        ("annotation", "removed", "cat/1.png"),
        ("annotation", "added", "dog/new.png"),
    ]
    drawn = vision("data", "diff", "v1").out
    assert "photos            8      8      1        1  -" in drawn
    vision("data", "commit", "-m", "second")
    assert vision("data", "diff", "HEAD~1", "HEAD", "--json").document["photos"] == document["photos"]
    assert "no difference." in vision("data", "diff").out


def test_checkout_gives_the_version_back(vision, committed):
    called = vision("data", "checkout", "v1", "old", "--json")
    assert called.code == 0, called.err
    assert called.document["written"] is True
    assert (committed / "old" / "photos" / "cat" / "1.png").is_file()
    assert not (committed / "old" / "photos" / "dog" / "new.png").exists()
    assert vision("data", "checkout", "v1", "old").code == 2
    assert vision("data", "checkout", "v1", "old", "--force").code == 0
    assert vision("data", "checkout", "v1", "other", "--dry-run").code == 0
    assert not (committed / "other").exists()


def test_checkout_in_a_format_that_loses_something_is_exit_4(vision, committed):
    called = vision("data", "checkout", "v1", "yolo", "--to", "yolo", "--json")
    assert called.code == 4
    assert called.document["written"] is False
    assert called.document["conversion"]["not_allowed"]
    assert not (committed / "yolo").exists()
    assert vision("data", "checkout", "v1", "out", "--to", "imagefolder", "--allow-loss", "all").code == 0
    assert len(list((committed / "out").rglob("*.png"))) == 8


def test_a_voc_source_comes_back_with_its_lists_and_bytes(vision, tmp_path):
    made = tmp_path / "voc"
    for folder in ("Annotations", "JPEGImages", "ImageSets/Main", "ImageSets/Layout"):
        (made / folder).mkdir(parents=True)
    box = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"
    for name in ("001", "002", "003"):
        Image.new("RGB", (32, 24)).save(made / "JPEGImages" / f"{name}.jpg")
        size = "<size><width>32</width><height>24</height><depth>3</depth></size>"
        text = f"<annotation><filename>{name}.jpg</filename>{size}<object><name>a</name>{box}</object></annotation>"
        (made / "Annotations" / f"{name}.xml").write_text(text)
    lists = {"train": "001", "val": "002", "trainval": "001\n002", "test": "003", "a_trainval": "001  1\n002 -1"}
    for name, lines in lists.items():
        (made / "ImageSets" / "Main" / f"{name}.txt").write_text(f"{lines}\n")
    (made / "ImageSets" / "Layout" / "train.txt").write_text("001\n")
    (tmp_path / "vision.yaml").write_text("data: {sources: {voc: {path: voc}}}\n")
    assert vision("data", "commit", "source:voc", "-m", "first").code == 0
    called = vision("data", "checkout", "HEAD", "out", "--to", "voc")
    assert called.code == 0, called.err
    before = {path.relative_to(made): path.read_bytes() for path in made.rglob("*") if path.is_file()}
    out = tmp_path / "out"
    assert {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert vision("data", "checkout", "HEAD", "kitti", "--to", "yolo", "--allow-loss", "all").code == 0
    assert not (tmp_path / "kitti" / "ImageSets").exists()


def test_a_view_shows_the_version_of_its_sources(vision, committed):
    (committed / "vision.yaml").write_text(
        "data: {sources: {photos: {path: photos}, old: {path: photos, version: v1}}}\n"
    )
    called = vision("data", "view", "--json")
    assert called.code == 0, called.err
    known = vision("data", "log", "--json").document["tags"]["v1"]
    lines = {line["name"]: (line["version"], line["version_id"]) for line in called.document["sources"]}
    assert lines == {"photos": (None, None), "old": ("v1", known)}
    assert f"v1 ({known[:12]})" in vision("data", "view").out


def test_diff_leaves_nothing_of_the_engine_on_stderr(vision, committed):
    words = [sys.executable, "-m", "vision_cli", "data", "diff", "v1", "-q"]
    done = subprocess.run(words, cwd=committed, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("diff", "nope"), 2, "no version is called 'nope'"),
        (("diff", "HAED"), 2, "Did you mean 'HEAD'?"),
        (("checkout", "HEAD~5", "out"), 2, "there are 0 versions of view:all before it"),
        (("checkout", "v1", "out", "--to", "yolox"), 2, "yolo"),
        (("checkout", "v1", "."), 2, "holds the source"),
        (("checkout", "v1", "photos"), 2, "not empty"),
        (("tag", "HEAD"), 2, "cannot be a tag"),
        (("tag", "../x"), 2, "cannot be a tag"),
        (("commit",), 2, "needs a message"),
        (("commit", "-m", "x", "--tag", "v1"), 2, "there is a tag 'v1' already"),
        (("commit", "nothing", "-m", "x"), 2, "no view or source is called 'nothing'"),
        (("verify", "nope"), 2, "no version is called"),
        (("diff", "v1", "--csv", "photos"), 2, "is a folder"),
        (("checkout", "v1", "/proc/x"), 6, "/proc/x: "),
    ],
)
def test_errors(vision, committed, words, code, message):
    called = vision("data", *words)
    assert called.code == code
    assert message in called.err
    assert "Traceback" not in called.err
    assert vision("data", *words, "--json").document["ok"] is False


def test_tags_are_moved_only_by_force(vision, committed):
    vision("data", "commit", "-m", "second")
    assert vision("data", "tag", "v1").code == 2
    assert vision("data", "tag", "v1", "--force", "--dry-run").out.startswith("v1 would be ")
    assert vision("data", "tag", "v1", "--force").code == 0
    assert "second" in vision("data", "tag", "v1").out


def test_verify_names_the_damaged_file_and_is_exit_4(vision, committed):
    assert vision("data", "verify").out == "1 versions, 8 files: all as committed.\n"
    victim = next(path for path in sorted((committed / ".vision/versions/objects").rglob("*")) if path.is_file())
    victim.chmod(0o644)
    victim.write_bytes(b"rot")
    called = vision("data", "verify", "--json")
    assert called.code == 4
    assert str(victim) in called.document["problems"][0]
    victim.unlink()
    assert "is missing" in vision("data", "verify").out
    assert vision("data", "checkout", "v1", "out").code == 3


def test_gc_tells_before_it_removes(vision, committed):
    stray = committed / ".vision/versions/objects/ab" / ("0" * 62)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"x" * 2_000_000)
    assert vision("data", "gc", "--dry-run").out == "would remove 1 files (2.0 MB).\n"
    assert vision("data", "gc", "--json").document["contents"] == 1
    assert not stray.exists()
    assert vision("data", "checkout", "v1", "out").code == 0


def test_messages_and_names_are_drawn_harmlessly(vision, project):
    (project / "photos" / "cat").rename(project / "photos" / HOSTILE.replace("/", ""))
    assert vision("data", "commit", "-m", f"{HOSTILE}\nsecond line").code == 0
    (project / "photos" / "dog" / "0.png").unlink()
    out = vision("data", "log").out + vision("data", "diff").out
    assert "[red]<script>" in out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert vision("data", "log", "--json").document["entries"][0]["message"] == f"{HOSTILE}\nsecond line"


def test_without_a_project_it_says_so(vision):
    called = vision("data", "commit", "-m", "x")
    assert called.code == 2
    assert "vision.yaml" in called.err
    assert vision("data", "diff").code == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples_and_imports_nothing_heavy(command):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "vision_cli", "data", command, "--help"],
        capture_output=True,
        text=True,
        env={**os.environ},
        check=False,
    )
    assert done.returncode == 0
    assert f"vision data {command}" in done.stdout.split("Examples:")[1]
    loaded = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert loaded & {"numpy", "pyarrow", "pydantic", "duckdb", "torch", "rich", "yaml", "PIL", "cv2"} == set()


def test_a_missing_version_is_named_and_stops_nothing_else(vision, committed):
    assert vision("data", "commit", "-m", "second").code == 0
    log = vision("data", "log", "--json").document
    gone = log["entries"][0]["id"]
    shutil.rmtree(Path(log["store"]) / "commits" / gone)
    listed = vision("data", "log")
    assert listed.code == 0
    assert f"missing: {gone[:12]}: bring " in listed.out
    assert vision("data", "log", "--json").document["missing"] == [gone]
    for words in (("diff", "HEAD"), ("checkout", "HEAD", "out")):
        called = vision("data", *words)
        assert called.code == 3
        assert f"the version {gone[:12]} is missing" in called.err
        assert "commit the same data again" in called.err
    objects = sorted((Path(log["store"]) / "objects").rglob("*"))
    swept = vision("data", "gc")
    assert (swept.code, f"the version {gone[:12]} is missing" in swept.out) == (4, True)
    assert sorted((Path(log["store"]) / "objects").rglob("*")) == objects
    assert vision("data", "commit", "-m", "again").code == 0
    assert vision("data", "verify").code == 0
    assert vision("data", "gc").code == 0


def test_a_torn_last_line_of_the_log_is_left_out_and_told(vision, committed):
    assert vision("data", "commit", "-m", "second").code == 0
    before = vision("data", "log", "--json").document
    path = Path(before["store"]) / "log.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    found = vision("data", "log", "--json").document
    assert found["entries"] == before["entries"][1:]
    assert "its last line is torn" in vision("data", "log").out
    assert (vision("data", "gc").code, "nothing was removed" in vision("data", "gc").err) == (3, True)
    assert vision("data", "commit", "-m", "again").code == 0
    again = vision("data", "log", "--json").document
    assert [each["id"] for each in again["entries"]] == [each["id"] for each in before["entries"]]
    assert again["notes"] == []
    assert vision("data", "gc").code == 0


def test_a_torn_line_in_the_middle_of_the_log_is_refused(vision, committed):
    path = Path(vision("data", "log", "--json").document["store"]) / "log.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0][:-40] + b"\n", *lines[1:]]))
    called = vision("data", "log")
    assert (called.code, "log.jsonl:1: no line of a log" in called.err) == (3, True)
