"""`vision init` in several kinds of folders."""

import json
import os
import pty
import subprocess
import sys

import numpy as np
import pytest
import yaml
from PIL import Image

from vision_cli.cli.commands.init import FORMAT_HELP
from vision_cli.core import project
from vision_cli.formats import FORMATS
from vision_cli.stages.data import load_view
from vision_cli.stages.project.project_text import scalar

ODD = [
    "no",
    "007",
    "1e3",
    "null",
    "~",
    "a: b",
    "a, b",
    "[/]",
    "{x}",
    "#x",
    "-",
    "- a",
    "'",
    '"',
    "x\ny",
    " x",
    "é",
    "\u2028",
    "@a",
    "%",
    "?",
]


def photo(path, value=100):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((40, 48, 3), value, np.uint8)).save(path)


def class_folders(root, counts):
    for name, count in counts.items():
        for index in range(count):
            photo(root / name / f"{index}.jpg")


def test_class_folders(vision, tmp_path):
    class_folders(tmp_path / "photos", {"summer": 5, "winter": 4})
    called = vision("init", "--data", "photos", "--json")
    assert called.code == 0, called.err
    assert called.document["survey"]["classes"] == {"summer": 5, "winter": 4}
    read = project.load(tmp_path / "vision.yaml")
    assert read.config.task == "classify"
    assert read.config.data.sources["photos"].path == "photos"
    assert [str(kpi) for kpi in read.config.targets()] == ["top1 > 0.8"]
    assert "summer 5, winter 4" in (tmp_path / "vision.yaml").read_text()
    assert vision("config", "check").code == 0


def test_the_schema_it_links_is_there_and_accepts_it(vision, tmp_path):
    import jsonschema

    class_folders(tmp_path / "photos", {"a": 2, "b": 2})
    vision("init", "--data", "photos")
    text = (tmp_path / "vision.yaml").read_text()
    first = text.splitlines()[0]
    assert first == "# yaml-language-server: $schema=.vision/vision.schema.json"
    schema = json.loads((tmp_path / first.split("=")[1]).read_text())
    jsonschema.validate(yaml.safe_load(text), schema, cls=jsonschema.Draft7Validator)


def test_rare_classes_get_a_target_that_sees_them(vision, tmp_path):
    class_folders(tmp_path / "photos", {"common": 12, "rare": 3})
    vision("init", "--data", "photos")
    assert [str(kpi) for kpi in project.load(tmp_path / "vision.yaml").config.targets()] == ["balanced_accuracy > 0.8"]


def test_photos_with_a_split_of_their_own(vision, tmp_path):
    for split in ("train", "val", "test"):
        class_folders(tmp_path / "data" / split, {"a": 2, "b": 2})
    document = vision("init", "--json").document
    assert document["survey"]["splits"] == {"train": 4, "val": 4, "test": 4}
    assert "split:" not in document["text"]


def test_several_labels_a_photo(vision, tmp_path):
    for name in "abc":
        photo(tmp_path / f"{name}.jpg")
    (tmp_path / "labels.csv").write_text("path,label\na.jpg,beach|sunset\nb.jpg,beach\nc.jpg,sunset\n")
    assert vision("init", "--data", "labels.csv").code == 0
    read = project.load(tmp_path / "vision.yaml")
    assert read.config.task == "multilabel"
    assert [str(kpi) for kpi in read.config.targets()] == ["map > 0.8"]


def test_values(vision, tmp_path):
    for name in "abcd":
        photo(tmp_path / f"{name}.jpg")
    (tmp_path / "depth.csv").write_text("path,value\na.jpg,1\nb.jpg,3\nc.jpg,5\nd.jpg,7\n")
    assert vision("init", "--data", "depth.csv").code == 0
    read = project.load(tmp_path / "vision.yaml")
    assert read.config.task == "regress"
    assert [str(kpi) for kpi in read.config.targets()] == ["mae < 1"]


def test_given_answers_win(vision, tmp_path):
    class_folders(tmp_path / "photos", {"a": 2, "b": 2})
    words = (
        "init",
        "--data",
        "photos",
        "--name",
        "no",
        "--task",
        "multilabel",
        "--kpi",
        "f1[a]>0.9",
        "--kpi",
        "map>0.5",
    )
    assert vision(*words).code == 0
    read = project.load(tmp_path / "vision.yaml")
    assert (read.config.name, read.config.task) == ("no", "multilabel")
    assert [str(kpi) for kpi in read.config.targets()] == ["f1[a] > 0.9", "map > 0.5"]


def test_nothing_is_replaced_without_force(vision, tmp_path):
    class_folders(tmp_path / "photos", {"a": 2, "b": 2})
    (tmp_path / "vision.yaml").write_text("name: mine\n")
    called = vision("init", "--data", "photos")
    assert called.code == 2
    assert "is there already" in called.err
    assert (tmp_path / "vision.yaml").read_text() == "name: mine\n"
    assert not (tmp_path / ".vision").exists()
    assert vision("init", "--data", "photos", "--force").code == 0
    assert "task: classify" in (tmp_path / "vision.yaml").read_text()


def test_dry_run_prints_and_writes_nothing(vision, tmp_path):
    class_folders(tmp_path / "photos", {"a": 2, "b": 2})
    called = vision("init", "--data", "photos", "--dry-run")
    assert called.code == 0
    assert "task: classify" in called.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos"]


def test_data_outside_is_named_relative(vision, tmp_path):
    class_folders(tmp_path / "clothing", {"a": 2, "b": 2})
    (tmp_path / "p").mkdir()
    os.chdir(tmp_path / "p")
    assert vision("init", "--data", "../clothing").code == 0
    read = project.load(tmp_path / "p" / "vision.yaml")
    assert read.config.data.sources["photos"].path == "../clothing"
    assert read.config.name == "p"


def test_another_project_file(vision, tmp_path):
    class_folders(tmp_path / "photos", {"a": 2, "b": 2})
    (tmp_path / "shop").mkdir()
    assert vision("init", "--data", "photos", "--project", "shop/vision.yaml").code == 0
    assert project.load(tmp_path / "shop" / "vision.yaml").config.data.sources["photos"].path == "../photos"
    assert (tmp_path / "shop" / ".vision" / "vision.schema.json").is_file()


REFUSED = [
    (("--data", "nowhere"), 3, "nowhere"),
    ((), 2, "no labelled photos here"),
    (("--data", "photos", "--task", "clasify"), 2, "Did you mean 'classify'?"),
    (("--data", "photos", "--kpi", "f2>0.5"), 2, "f2"),
    (("--data", "photos", "--kpi", "f1[c]>0.5"), 2, "c"),
    (("--data", "photos", "--kpi", "f1"), 2, "expected"),
    (("--data", "photos", "--kpi", "f1>2"), 2, "between 0 and 1"),
    (("--data", "photos", "--kpi", "f1>1"), 2, "between 0 and 1"),
    (("--data", "photos", "--kpi", "ece<0"), 2, "between 0 and 1"),
    (("--data", "photos", "--format", "cvs"), 2, "Did you mean 'csv'?"),
    (("--data", "empty"), 3, "empty"),
]


@pytest.mark.parametrize(("words", "code", "message"), REFUSED, ids=[" ".join(each[0]) for each in REFUSED])
def test_refusals(vision, tmp_path, words, code, message):
    (tmp_path / "empty").mkdir()
    if words:
        class_folders(tmp_path / "photos", {"a": 2, "b": 2})
    called = vision("init", *words)
    assert called.code == code, called.err
    assert message in called.err
    assert not (tmp_path / "vision.yaml").exists()


def test_the_one_folder_that_holds_photos_is_found(vision, tmp_path):
    class_folders(tmp_path / "photos", {"a": 1, "b": 1})
    called = vision("init", "--dry-run", "--json")
    assert called.document["survey"]["classes"] == {"a": 1, "b": 1}
    assert f"photos found in {tmp_path / 'photos'}" in called.err


def test_several_folders_to_choose_from(vision, tmp_path):
    for name in ("one", "two"):
        class_folders(tmp_path / name, {"a": 1, "b": 1})
    called = vision("init")
    assert called.code == 2
    assert "2 folders here hold labelled photos: one, two" in called.err


def test_class_folders_right_here(vision, tmp_path):
    class_folders(tmp_path, {"a": 1, "b": 1})
    assert vision("init", "--json").document["survey"]["classes"] == {"a": 1, "b": 1}


def test_hostile_class_names_stay_comments(vision, tmp_path):
    names = {"[/]".replace("/", "_"): 2, "a: b #c": 2, "x\ntask: regress": 2, "no": 2}
    class_folders(tmp_path / "photos", names)
    assert vision("init", "--data", "photos").code == 0
    text = (tmp_path / "vision.yaml").read_text()
    assert yaml.safe_load(text)["task"] == "classify"
    assert project.load(tmp_path / "vision.yaml").config.task == "classify"


@pytest.mark.parametrize("text", ODD)
def test_every_reader_reads_a_scalar_back(text):
    from vision_cli.core import yaml_source

    for line in (f"a: {scalar(text)}\n", f"a: {{b: {scalar(text)}, c: d}}\n", f"a:\n  - {scalar(text)}\n"):
        ours, theirs = yaml_source.parse(line, "x").tree, yaml.safe_load(line)
        assert ours == theirs
        value = ours["a"]
        assert (value if isinstance(value, str) else value["b"] if isinstance(value, dict) else value[0]) == text


def test_real_data(vision, tmp_path, shared_data):
    assert vision("init", "--data", str(shared_data / "clothing_small")).code == 0
    read = project.load(tmp_path / "vision.yaml")
    assert read.path(read.config.data.sources["photos"].path).samefile(shared_data / "clothing_small")
    text = (tmp_path / "vision.yaml").read_text()
    assert "640 photos, 10 classes" in " ".join(text.replace("#", " ").split())


def test_questions_on_a_terminal(tmp_path):
    class_folders(tmp_path / "photos", {"a": 4, "b": 4})
    main, terminal = pty.openpty()
    command = [sys.executable, "-m", "vision_cli", "init", "--name", "asked"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdin=terminal, stderr=terminal, stdout=subprocess.PIPE, text=True
    )
    os.close(terminal)
    seen = b""
    answers = [
        (b"Folder of photos", b"photos\n"),
        (b"Task", b"multilabel\n"),
        (b"Target", b"f1\n"),
        (b"expected", b"f1>0.7\n"),
    ]
    for question, answer in answers:
        while question not in seen:
            seen += os.read(main, 1000)
        seen = seen.split(question, 1)[1]
        os.write(main, answer)
    out, _ = process.communicate(timeout=60)
    os.close(main)
    assert process.returncode == 0, out
    read = project.load(tmp_path / "vision.yaml")
    assert (read.config.task, [str(kpi) for kpi in read.config.targets()]) == ("multilabel", ["f1 > 0.7"])


def test_the_help_names_every_format():
    named = FORMAT_HELP.partition(" one of ")[2].rstrip(".").split(", ")
    assert set(named) == set(FORMATS) - {"mapping"}  # which needs a file of the user's


def coco_set(root, *, outlined):
    """Three photos with two boxes each; `outlined` of the six have an outline too."""
    for number in range(3):
        photo(root / f"{number}.jpg")
    boxes = [[4, 4, 10, 8], [20, 10, 12, 12]]
    annotations = []
    for row in range(6):
        x, y, w, h = boxes[row % 2]
        shape = [[x, y, x + w, y, x + w, y + h]] if row < outlined else []
        annotations.append(
            {"id": row + 1, "image_id": row // 2, "category_id": 1 + (row == 5), "bbox": boxes[row % 2],
             "area": w * h, "iscrowd": 0, "segmentation": shape}
        )  # fmt: skip
    images = [{"id": number, "file_name": f"{number}.jpg", "width": 48, "height": 40} for number in range(3)]
    categories = [{"id": 1, "name": "nut"}, {"id": 2, "name": "bolt"}]
    document = {"images": images, "annotations": annotations, "categories": categories}
    (root / "labels.json").write_text(json.dumps(document))


def mask_set(root):
    for number in range(3):
        photo(root / "images" / f"{number}.jpg")
        (root / "masks").mkdir(exist_ok=True)
        mask = np.zeros((40, 48), np.uint8)
        mask[10:20, 10:30] = 1 + number % 2
        Image.fromarray(mask).save(root / "masks" / f"{number}.png")
    (root / "classes.txt").write_text("ground\nroad\nroof\n")


@pytest.mark.parametrize(
    ("make", "task", "kpi", "objects"),
    [
        (lambda root: coco_set(root, outlined=0), "detect", "ap50 > 0.5", 6),
        (lambda root: coco_set(root, outlined=2), "detect", "ap50 > 0.5", 6),
        (lambda root: coco_set(root, outlined=6), "instance", "ap50 > 0.5", 6),
        (mask_set, "semantic", "miou > 0.5", None),
    ],
)
def test_labels_of_places(vision, tmp_path, make, task, kpi, objects):
    make(tmp_path / "parts")
    called = vision("init", "--data", "parts", "--json")
    assert called.code == 0, called.err
    assert called.document["survey"]["objects"] == objects
    if objects:
        assert called.document["survey"]["classes"] == {"nut": 5, "bolt": 1}
    read = project.load(tmp_path / "vision.yaml")
    assert read.config.task == task
    assert read.config.model.family == "auto"
    assert [str(each) for each in read.config.targets()] == [kpi]
    assert vision("config", "check").code == 0
    assert "vision train --overfit 8" in vision("init", "--data", "parts", "--force").out


@pytest.mark.parametrize("places", [("images", "labels"), ("train/images", "train/labels")])
@pytest.mark.parametrize("named", [True, False], ids=["data.yaml", "folders alone"])
def test_empty_label_files_are_a_detectors(vision, tmp_path, places, named):
    """Nothing is on these photos yet; the folders and the file say what they are to be labelled with."""
    images, labels = (tmp_path / "data" / each for each in places)
    for folder in (images, labels):
        folder.mkdir(parents=True)
    for number in range(3):
        Image.new("RGB", (40, 30)).save(images / f"{number}.png")
        (labels / f"{number}.txt").touch()
    if named:
        (tmp_path / "data" / "data.yaml").write_text(f"train: {places[0]}\nval: {places[0]}\nnames: [logo]\n")
    called = vision("init", "--data", "data", "--json")
    document = called.document
    assert called.code == 0, called.err
    assert (document["survey"]["format"], document["survey"]["task"]) == ("yolo", "detect")
    assert "no photo has a label yet" in " ".join(document["survey"]["notes"])
    if not named:
        (labels / "0.txt").write_text("a note\n")
        assert vision("init", "--data", "data", "--json", "--force").code != 0


def test_photos_without_places_are_no_detectors_data(vision, tmp_path):
    class_folders(tmp_path / "photos", {"a": 2, "b": 2})
    called = vision("init", "--data", "photos", "--task", "detect")
    assert called.code == 2
    assert "learns from boxes or masks" in called.err
    assert not (tmp_path / "vision.yaml").exists()


def coco_apart(root, photos):
    """Labels in one folder, their photos in another."""
    coco_set(root, outlined=0)
    photos.mkdir(parents=True)
    for number in range(3):
        (root / f"{number}.jpg").rename(photos / f"{number}.jpg")


def test_photos_beside_the_labels_are_found_and_named(vision, tmp_path):
    coco_apart(tmp_path / "all" / "labels", tmp_path / "all" / "pictures" / "raw")
    called = vision("init", "--data", "all/labels", "--json")
    assert called.code == 0, called.err
    assert "the photos were found in" in called.document["survey"]["notes"][0]
    read = project.load(tmp_path / "vision.yaml")
    source = read.config.data.sources["photos"]
    assert (source.path, source.images) == ("all/labels", "all/pictures/raw")
    assert all(path.is_file() for path in load_view(read, remember=False).dataset.paths())


def test_labels_whose_photos_are_nowhere_are_refused(vision, tmp_path, tmp_path_factory):
    far = tmp_path_factory.mktemp("far") / "photos"
    coco_apart(tmp_path / "labels", far)
    called = vision("init", "--data", "labels", "--quiet")
    assert called.code == 3
    assert "none of its 3 photos is there" in called.err
    assert "--images-root FOLDER" in called.err
    assert not (tmp_path / "vision.yaml").exists()
    assert vision("init", "--data", "labels", "--images-root", str(far)).code == 0
    (far / "0.jpg").unlink()
    called = vision("init", "--data", "labels", "--images-root", str(far), "--force", "--json")
    assert any("1 of 3 photos looked at are not there: 0.jpg" in note for note in called.document["survey"]["notes"])


@pytest.mark.parametrize("task", ["instance", "semantic", "panoptic"])
def test_boxes_alone_teach_no_masks(vision, tmp_path, task):
    coco_set(tmp_path / "boxes", outlined=0)
    called = vision("init", "--data", "boxes", "--task", task)
    assert called.code == 2
    assert f"{task} learns from outlines or masks, and the labels are boxes" in called.err
    assert not (tmp_path / "vision.yaml").exists()
    coco_set(tmp_path / "boxes", outlined=2)
    assert vision("init", "--data", "boxes", "--task", task).code == 0


def test_an_empty_folder_and_one_that_is_not_there_are_said_to_be_so(vision, tmp_path):
    (tmp_path / "nothing").mkdir()
    called = vision("init", "--data", "nothing")
    assert (called.code, "the folder is empty" in called.err) == (3, True)
    coco_set(tmp_path / "boxes", outlined=0)
    called = vision("init", "--data", "boxes", "--images-root", "nowhere")
    assert (called.code, "--images-root nowhere: there is no such folder" in called.err) == (3, True)


def yolo_labels(folder, stems, *, photos=True):
    (folder / "labels").mkdir(parents=True, exist_ok=True)
    for stem in stems:
        (folder / "labels" / f"{stem}.txt").write_text("0 0.5 0.5 0.3 0.3\n")
        if photos:
            photo(folder / "images" / f"{stem}.jpg")


def test_label_sets_that_were_not_taken_are_named_with_the_command_that_takes_them(vision, tmp_path):
    coco_set(tmp_path / "all", outlined=0)
    yolo_labels(tmp_path / "all" / "darknet", ("a", "b"))
    photo(tmp_path / "all" / "semantic" / "masks" / "a.png", 1)
    photo(tmp_path / "all" / "semantic" / "masks" / "b.png", 1)
    called = vision("init", "--data", "all", "--json", "--dry-run")
    assert called.document["survey"]["format"] == "coco"
    assert [(each["path"], each["format"]) for each in called.document["survey"]["others"]] == [
        ("all/darknet", "yolo"),
        ("all/semantic", "masks"),
    ]
    notes = [note for note in called.document["survey"]["notes"] if "not taken" in note]
    assert notes[0].endswith("vision init --data all/darknet")
    assert notes[1].endswith("--format masks --images-root FOLDER")
    assert "all/darknet --force" in vision("init", "--data", "all").out
    words = notes[0].rpartition("vision ")[2].split()
    assert vision(*words, "--force", "--json").document["survey"]["format"] == "yolo"


def test_photos_and_labels_of_the_set_itself_are_no_other_set(vision, tmp_path):
    for split in ("train", "val"):
        for name in ("a", "b"):
            photo(tmp_path / "set" / "images" / split / f"{name}.jpg")
            (tmp_path / "set" / "labels" / split).mkdir(parents=True, exist_ok=True)
            (tmp_path / "set" / "labels" / split / f"{name}.txt").write_text("0 0.5 0.5 0.3 0.3\n")
    assert vision("init", "--data", "set", "--json").document["survey"]["others"] == []
    class_folders(tmp_path / "photos", {"summer": 3, "winter": 3})
    assert vision("init", "--data", "photos", "--force", "--json").document["survey"]["others"] == []


def test_several_data_sets_are_named_with_their_formats(vision, tmp_path):
    yolo_labels(tmp_path / "boxes", ("a", "b"))
    class_folders(tmp_path / "kinds", {"summer": 2, "winter": 2})
    class_folders(tmp_path / "images", {"train2017": 2})  # photos of no class, beside labels
    called = vision("init")
    assert called.code == 2
    assert "2 folders here hold labelled photos" in called.err
    assert "boxes: yolo, " in called.err
    assert "kinds: imagefolder, " in called.err


@pytest.mark.parametrize("task", ["segment", "segmentation"])
def test_an_ambiguous_task_names_those_that_it_may_mean(vision, tmp_path, task):
    coco_set(tmp_path / "boxes", outlined=2)
    called = vision("init", "--data", "boxes", "--task", task)
    assert called.code == 2
    assert all(f"{name}: " in called.err for name in ("semantic", "instance", "panoptic"))
    assert vision("init", "--data", "boxes").code == 0
    called = vision("config", "check", f"task={task}")
    assert (called.code, "panoptic: " in called.err) == (2, True)
