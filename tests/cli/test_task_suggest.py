"""`vision task suggest` as it is typed."""

import json
import os
import pty
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from vision_cli.core import project

WISH = "find our logo in customers' photos"
KEYS = {"task", "kpis", "approach", "models", "known_classes", "reasons", "confidence", "question"}
ENVELOPE = {"schema_version", "command", "ok"}


def photos(folder, names=("red", "blue"), number=6):
    rng = np.random.default_rng(0)
    for name in names:
        (folder / name).mkdir(parents=True)
        for row in range(number):
            Image.fromarray(rng.integers(0, 255, (40, 60, 3), dtype=np.uint8)).save(folder / name / f"{row}.png")
    return folder


def test_json_has_the_keys_that_are_promised(vision):
    said = vision("task", "suggest", WISH, "--deploy", "android", "--latency", "33ms", "--json")
    assert said.code == 0
    found = json.loads(said.out)
    assert set(found) == KEYS | ENVELOPE
    assert found["task"] == "detect"
    assert found["approach"]["trains_as"] == "detect"
    assert len(found["models"]) == 3
    assert found["kpis"][-1]["kpi"] == "latency_ms.p95 < 33 @ tflite"
    assert all(each["test_photos"] > 0 for each in found["kpis"])
    assert 0 < found["confidence"] <= 1


@pytest.mark.parametrize(
    ("wish", "task"),
    [
        ("predict next month's sales from order history", "not_vision"),
        ("read the serial number", "text_recognition"),
        ("help with my pictures", "unclear"),
    ],
)
def test_what_is_not_trained_here_has_no_kpis_and_no_models(vision, wish, task):
    found = json.loads(vision("task", "suggest", wish, "--json").out)
    assert set(found) == KEYS | ENVELOPE
    assert (found["task"], found["kpis"], found["models"]) == (task, [], [])
    assert (found["question"] is None) == (task != "unclear")
    assert bool(found["approach"]["instead"]) == (task != "unclear")


def test_a_hot_dog_is_known_already(vision):
    found = json.loads(vision("task", "suggest", "find hot dogs in photos", "--json").out)
    assert {"coco", "imagenet-1k"} <= {each["dataset"] for each in found["known_classes"]}
    assert found["approach"]["method"] == "pretrained first"
    assert any("hot dog" in each for each in found["approach"]["pretrained"])


def test_nothing_is_written_without_write(vision, tmp_path):
    assert vision("task", "suggest", WISH).code == 0
    assert vision("task", "suggest", WISH, "--write", "--dry-run").code == 0
    assert list(tmp_path.iterdir()) == []


def test_write_begins_a_project_file_that_is_valid(vision, tmp_path):
    data = photos(tmp_path / "shots")
    said = vision("task", "suggest", "is the ball red or blue", "--data", str(data), "--write")
    assert said.code == 0
    read = project.load(tmp_path / "vision.yaml").config
    assert read.task == "classify"
    assert read.data.sources["photos"].path == "shots"
    assert [item.confidence for item in read.kpis] == [0.95]
    assert (tmp_path / "vision.yaml").read_text().startswith("# vision task suggest: is the ball red or blue\n")
    assert vision("config", "check").code == 0


def test_write_leaves_what_the_user_wrote(vision, tmp_path):
    mine = "version: 1\r\ntask: classify  # mine\r\nkpis:\r\n  - top1 > 0.7\r\nname: ball"
    (tmp_path / "vision.yaml").write_bytes(mine.encode())
    said = vision("task", "suggest", "is the ball red or blue", "--write")
    assert said.code == 0
    now = (tmp_path / "vision.yaml").read_bytes().decode()
    assert now.startswith(mine)
    assert "\n" not in now.replace("\r\n", "")
    read = project.load(tmp_path / "vision.yaml").config
    assert [item.kpi for item in read.kpis] == ["top1 > 0.7"]
    assert read.model.family == "timm"
    assert "left as it is: version, name, task, kpis" in said.out
    vision("task", "suggest", "is the ball red or blue", "--write")
    assert (tmp_path / "vision.yaml").read_bytes().decode() == now


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("task: detect\n", "says task: detect"),
        ("{version: 1}\n", "nothing can be added"),
        ("version: 1\nversion: 1\n", "repeated keys"),
        ("- a\n", "expected keys and values"),
        ("nonsense: 1\n", "nothing can be added"),
    ],
)
def test_a_file_that_takes_no_more_is_left_alone(vision, tmp_path, text, told):
    (tmp_path / "vision.yaml").write_text(text)
    said = vision("task", "suggest", "is the ball red or blue", "--write")
    assert said.code == 2
    assert told in said.err
    assert (tmp_path / "vision.yaml").read_text() == text


def test_an_odd_description_makes_no_odd_file(vision, tmp_path):
    wish = "is it a cat?\n- injected: yes\x07 # : {"
    assert vision("task", "suggest", wish, "--task", "classify", "--write").code == 0
    assert project.load(tmp_path / "vision.yaml").config.task == "classify"


def test_a_look_at_photos(vision, tmp_path):
    data = photos(tmp_path / "shots")
    (data / "red" / "dark.png").write_bytes((data / "red" / "0.png").read_bytes())
    found = json.loads(vision("task", "suggest", "is the ball red or blue", "--data", str(data), "--json").out)
    seen = found["approach"]["data"]
    assert (seen["photos"], seen["labels"], seen["classes"]) == (13, "a class a photo", {"blue": 6, "red": 7})
    assert seen["sizes_px"]["median"] == [60, 40]
    assert any("teach image classification" in each for each in seen["fits"])
    assert any("their classes: " in each for each in seen["fits"])
    assert seen["findings"]
    assert found["approach"]["amount"] == "handful"


def test_labels_of_another_kind_do_not_fit(vision, tmp_path):
    data = photos(tmp_path / "shots")
    found = json.loads(vision("task", "suggest", "draw a box around each ball", "--data", str(data), "--json").out)
    assert any("not object detection" in each for each in found["approach"]["data"]["fits"])


def test_photos_without_labels(vision, tmp_path):
    data = photos(tmp_path / "shots", names=("all",)) / "all"
    found = json.loads(vision("task", "suggest", "find balls", "--data", str(data), "--json").out)
    seen = found["approach"]["data"]
    assert (seen["photos"], seen["labels"], seen["format"]) == (6, None, None)
    assert found["approach"]["amount"] == "none"


def test_real_boxes(vision, shared_data):
    wish = "find red and white blood cells and platelets"
    found = json.loads(vision("task", "suggest", wish, "--data", str(shared_data / "bccd_voc"), "--json").out)
    seen = found["approach"]["data"]
    assert (found["task"], seen["photos"], seen["objects"], seen["labels"]) == ("detect", 364, 4888, "boxes")
    assert any("2 boxes" in each for each in seen["findings"])


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((), 2, "in your own words"),
        (("",), 2, "DESCRIPTION is empty"),
        (("   ",), 2, "in your own words"),
        (("x" * 3000,), 2, "A sentence or two"),
        ((WISH, "--deploy", "toaster"), 2, "unknown target"),
        ((WISH, "--latency", "soon"), 2, "is no time"),
        ((WISH, "--task", "detekt"), 2, "unknown task"),
        ((WISH, "--kpi", "miou>0.5"), 2, "the task is detect"),
        ((WISH, "--kpi", "f1>7"), 2, "f1"),
        ((WISH, "--license", "mine"), 2, "permissive nor any"),
        ((WISH, "--data", "nowhere"), 3, "does not exist"),
        (("read the number plate", "--write"), 2, "no task that a project file"),
        (("read the number plate", "--kpi", "f1>0.5"), 2, "nothing is measured"),
    ],
)
def test_wrong_input(vision, words, code, told):
    said = vision("task", "suggest", *words)
    assert said.code == code
    assert told in said.err


def test_without_photos_nothing_heavy_is_imported(tmp_path):
    words = [sys.executable, "-X", "importtime", "-m", "vision_cli", "task", "suggest", WISH]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
    modules = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "numpy" in modules
    assert not {"torch", "sklearn", "scipy", "cv2", "PIL", "timm", "duckdb"} & modules


def test_questions_on_a_terminal(tmp_path):
    main, terminal = pty.openpty()
    command = [sys.executable, "-m", "vision_cli", "task", "suggest"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdin=terminal, stderr=terminal, stdout=subprocess.PIPE, text=True
    )
    os.close(terminal)
    seen = b""
    answers = [
        (b"What do you want to know", b"help with my pictures\n"),
        (b"nothing for none of them", b"99\n"),
        (b"nothing for none of them", b"3\n"),
        (b"nothing for none of them", b"1\n"),
        (b"How long", b"soon\n"),
        (b"How long", b"40ms\n"),
        (b"How many photos", b"120\n"),
    ]
    for question, answer in answers:
        while question not in seen:
            seen += os.read(main, 1000)
        seen = seen.split(question, 1)[1]
        os.write(main, answer)
    out, _ = process.communicate(timeout=60)
    os.close(main)
    assert process.returncode == 0
    assert out.startswith("object detection; task: detect (confidence 100%)")
    assert "Models for phone" in out
    assert "latency_ms.p95 < 40 @ tflite" in out
