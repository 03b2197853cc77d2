"""`vision data label`, `agreement`, `gold` and `cost` on the command line."""

from __future__ import annotations

import csv
import json

import pytest
from PIL import Image

HOSTILE = "[/] <script>\u202e car"


@pytest.fixture
def boxes(tmp_path):
    """Two photos with a box each, in a CSV."""
    rows = ["path,label,xmin,ymin,xmax,ymax"]
    for name in ("a.png", "b é.png"):
        (tmp_path / "photos").mkdir(exist_ok=True)
        Image.new("RGB", (50, 40), (9, 99, 9)).save(tmp_path / "photos" / name)
        rows.append(f'photos/{name},"{HOSTILE}",5,5,25,25')
    (tmp_path / "boxes.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def answered(folder, who):
    """Return tasks that somebody confirmed."""
    tasks = json.loads((folder / "tasks/tasks.json").read_text())
    for number, task in enumerate(tasks):
        shown = task["predictions"][0]["result"]
        task.update(id=number, annotations=[{"id": number, "completed_by": {"email": who}, "result": shown}])
    (folder / f"{who}.json").write_text(json.dumps(tasks))


EXPORT = ("data", "label", "export", "boxes.csv", "--to", "labelstudio", "--out", "tasks")


def test_a_dry_run_writes_nothing_and_says_what_would_be(vision, boxes):
    called = vision(*EXPORT, "--dry-run")
    assert called.code == 0
    assert "2 tasks for labelstudio" in called.out
    assert "would write: tasks" in called.out
    assert not (boxes / "tasks").exists()


def test_export_import_and_agreement_with_hostile_names(vision, boxes):
    document = vision(*EXPORT, "--json").document
    assert (document["ok"], document["photos"], document["written"]) == (True, 2, True)
    assert document["classes"] == [HOSTILE]
    for who in ("ann", "bob"):
        answered(boxes, who)
    called = vision("data", "label", "import", "ann.json", "--tasks", "tasks", "--into", "in", "--to", "coco", "--json")
    assert called.code == 0, called.err
    assert (called.document["kept"], called.document["by_annotator"]) == (2, {"ann": 2})
    assert sorted(path.name for path in (boxes / "in").rglob("*.png")) == ["a.png", "b é.png"]
    dry = vision(
        "data", "label", "import", "ann.json", "--tasks", "tasks", "--into", "in2", "--to", "coco", "--dry-run"
    )
    assert "would write: in2" in dry.out
    assert not (boxes / "in2").exists()
    called = vision("data", "agreement", "ann.json", "bob.json", "--json")
    assert called.document["objects"]["f1"]["value"] == 1
    assert called.document["people"][0]["name"] == "ann"
    text = vision("data", "agreement", "ann.json", "bob.json").out
    assert "\u202e" not in text
    assert "[/] <script>" in text


def test_an_import_that_would_lose_labels_ends_with_4(vision, boxes):
    vision(*EXPORT)
    answered(boxes, "ann")
    tasks = json.loads((boxes / "ann.json").read_text())
    shown = tasks[0]["annotations"][0]["result"]
    shown.append({**shown[0], "id": "more", "value": {**shown[0]["value"], "rectanglelabels": ["van"]}})
    (boxes / "ann.json").write_text(json.dumps(tasks))
    words = ("data", "label", "import", "ann.json", "--tasks", "tasks", "--into", "in", "--to", "imagefolder")
    called = vision(*words)
    assert called.code == 4
    assert "hint: --allow-loss" in called.out
    assert not (boxes / "in").exists()
    again = vision("data", "label", "import", "ann.json", "--into", "extra2", "--to", "coco")
    assert again.code == 3
    assert "--tasks" in again.err


def test_a_folder_that_is_not_empty_needs_force(vision, boxes):
    assert vision(*EXPORT).code == 0
    called = vision(*EXPORT)
    assert called.code == 2
    assert "is not empty" in called.err
    assert vision(*EXPORT, "--force").code == 0


def test_next_writes_a_list_that_its_seed_repeats(vision, boxes):
    words = ("data", "label", "next", "photos", "--plain", "--by", "random", "--pick", "2", "--out", "next.csv")
    called = vision(*words, "--json", "--dry-run")
    assert called.document["output"] is None
    assert not (boxes / "next.csv").exists()
    first = vision(*words, "--json").document["chosen"]
    assert first == vision(*words, "--json").document["chosen"] == called.document["chosen"]
    with (boxes / "next.csv").open(newline="") as stream:
        assert [row["id"] for row in csv.DictReader(stream)] == [each["id"] for each in first]
    called = vision("data", "label", "next", "boxes.csv", "--by", "random")
    assert called.code == 3
    assert "none of 2 photos is left to label" in called.err


def test_gold_accepts_and_rejects(vision, boxes):
    vision(*EXPORT)
    answered(boxes, "ann")
    words = ("data", "gold", "score", "ann.json", "--gold", "boxes.csv")
    called = vision(*words, "--bound", "f1>0.95", "--json")
    assert (called.code, called.document["ok"]) == (0, True)
    tasks = json.loads((boxes / "ann.json").read_text())
    tasks[0]["annotations"][0]["result"] = []
    (boxes / "ann.json").write_text(json.dumps(tasks))
    called = vision(*words, "--bound", "f1>0.95", "--json")
    assert (called.code, called.document["ok"]) == (4, False)
    found = called.document["deliveries"][0]
    assert (found["accepted"], found["values"]["recall"], found["values"]["precision"]) == (False, 0.5, 1.0)
    assert "rejected" in vision(*words, "--bound", "f1>0.95").out
    assert vision(*words).code == 0  # without a bound nothing is judged


def test_marking_gold_needs_a_project(vision, boxes):
    assert vision("data", "gold", "mark", "all").code == 2
    (boxes / "vision.yaml").write_text("data: {sources: {ours: {path: boxes.csv}}}\n")
    called = vision("data", "gold", "mark", "ours", "--dry-run")
    assert "would be written to vision.yaml" in called.out
    assert vision("data", "gold", "mark", "ours", "--json").document["photos"] == 2
    assert (boxes / "vision.yaml").read_text() == "data: {gold: ours, sources: {ours: {path: boxes.csv}}}\n"
    assert vision("data", "gold", "mark", "theirs").code == 2


def test_the_bill_of_fifty_thousand_photos(vision, boxes):
    bills = {each["way"]: each for each in vision("data", "cost", "--photos", "50000", "--json").document["bills"]}
    assert bills["in-house"]["dollars"] == 2500
    assert (bills["in-house"]["hours"], bills["in-house"]["days"]) == (416.67, 52.08)
    assert set(bills) == {"in-house", "crowd", "agency", "synthetic"}
    counted = vision(
        "data", "cost", "boxes.csv", "--unit", "box", "--way", "crowd", "--price", "0.5", "--json"
    ).document
    assert (counted["photos"], counted["objects_a_photo"], counted["bills"][0]["dollars"]) == (2, 1.0, 1.0)
    assert "$2,500.00" in vision("data", "cost", "--photos", "50000").out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("data", "cost"), "how many photos?"),
        (("data", "cost", "--photos", "5", "--unit", "box"), "how many boxes a photo?"),
        (("data", "cost", "--photos", "5", "--price", "1"), "of one way"),
        (("data", "cost", "--photos", "5", "--hours", "0"), "out of range"),
        (("data", "label", "exprt"), "did you mean 'export'?"),
        (("data", "label", "export", "nowhere", "--to", "cvat", "--out", "x"), "neither a view nor a file"),
        (("data", "gold", "score", "x.json"), "no gold standard"),
    ],
)
def test_refusals_of_the_command_line(vision, boxes, words, message):
    called = vision(*words)
    assert called.code == 2
    assert message in called.err


def test_help_of_every_command_has_examples(vision):
    for words in (
        ("label", "next"),
        ("label", "export"),
        ("label", "import"),
        ("agreement",),
        ("gold", "mark"),
        ("cost",),
    ):
        called = vision("data", *words, "--help")
        assert called.code == 0
        assert "Examples:" in called.out


def coco_without_photos(folder, boxes=12):
    """Write two people's answers about photos that lie elsewhere; they disagree about each."""
    for who, class_id in (("ann", 1), ("bob", 2)):
        images = [{"id": n, "file_name": f"{n}.png", "width": 90, "height": 90} for n in range(boxes)]
        rows = [
            {"id": n, "image_id": n, "category_id": class_id, "bbox": [9, 9, 20, 20], "area": 400, "iscrowd": 0}
            for n in range(boxes)
        ]
        classes = [{"id": 1, "name": "car"}, {"id": 2, "name": "van"}]
        (folder / f"{who}.json").write_text(json.dumps({"images": images, "annotations": rows, "categories": classes}))


def test_a_consensus_without_photos_is_refused_with_the_way_out(vision, tmp_path):
    from PIL import Image

    coco_without_photos(tmp_path)
    words = ("data", "agreement", "ann.json", "bob.json", "--votes", "1", "--consensus", "cons")
    for more in ((), ("--allow-loss", "all"), ("--allow-loss", "all", "--dry-run")):
        called = vision(*words, *more)
        assert called.code == 4
        assert "--images none" in called.out
        assert "--allow-loss no-image" not in called.out
        assert not (tmp_path / "cons").exists()
    (tmp_path / "photos").mkdir()
    for number in range(12):
        Image.new("RGB", (90, 90)).save(tmp_path / f"photos/{number}.png")
    called = vision(*words, "--images-root", "photos")
    assert called.code == 0, called.out + called.err
    assert len(list((tmp_path / "cons").rglob("*.png"))) == 12
    assert "and 2 more: --json" in called.out  # of 12 disputed photos
    assert vision(*words, "--images", "none", "--force").code == 0


@pytest.mark.parametrize(
    "words",
    [
        ("convert", "ann.json", "out", "--to", "voc"),
        ("fix", "ann.json", "out"),
        ("fix", "ann.json", "out", "--to", "voc"),
    ],
)
def test_a_copy_without_any_photo_is_refused_with_the_way_out(vision, tmp_path, words):
    coco_without_photos(tmp_path)
    called = vision("data", *words, "--allow-loss", "all")
    assert called.code == 4, called.out
    assert "--images none" in called.out
    assert not (tmp_path / "out").exists()


def test_tasks_without_any_photo_are_refused_with_the_way_out(vision, tmp_path):
    coco_without_photos(tmp_path)
    called = vision("data", "label", "export", "ann.json", "--to", "labelme", "--out", "out")
    assert called.code == 3
    assert "--images-root" in called.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("label", "export", "ann.json", "--to", "labelme", "--out", "out", "--assign", "0"),
            "nobody would get a task",
        ),
        (("cost", "--photos", "100", "--objects", "3"), "--unit box"),
        (("gold", "score", "ann.json", "--gold", "bob.json", "--bound", "f1>2"), "lies between 0 and 1"),
        (("gold", "score", "ann.json", "--gold", "bob.json", "--bound", "f1>95"), "is a share between 0 and 1"),
        (("gold", "score", "ann.json", "--gold", "bob.json", "--bound", "f1>=-1"), "lies between 0 and 1"),
    ],
)
def test_words_that_mean_nothing_are_refused(vision, tmp_path, words, message):
    coco_without_photos(tmp_path)
    called = vision("data", *words)
    assert (called.code, message in called.err) == (2, True), called.err
