"""`vision doctor`: each check can fail, and says so."""

import json
import os
import subprocess
import sys

import pytest
from filelock import FileLock

from vision_cli.core import policy
from vision_cli.stages.project import doctor as stage
from vision_cli.stages.project import installation, machine
from vision_cli.stages.project.checkline import CheckLine


@pytest.fixture
def quick(monkeypatch):
    """Without the check that imports torch."""
    monkeypatch.setattr(machine, "_gpu", lambda: CheckLine("gpu", "note", "none"))


def lines_of(called, check):
    return [line for line in called.document["lines"] if line["check"] == check]


def test_a_sound_machine_ends_with_0(vision, quick):
    called = vision("doctor", "--json")
    assert called.code == 0, called.out
    assert called.document["ok"] is True
    checks = {line["check"] for line in called.document["lines"]}
    assert {"python", "vision", "numpy", "extra train", "opencv", "cpu", "disk for project", "project"} <= checks


def test_drawn_for_people(vision, quick):
    text = vision("doctor").out
    assert "0 errors" in text
    assert "ORT_DISABLE_TELEMETRY=1" in text


@pytest.mark.parametrize("name", stage.CHECKS)
def test_a_crashed_check_is_an_error(vision, quick, monkeypatch, name):
    def crash(request):
        raise RuntimeError("boom [/]")

    monkeypatch.setattr(stage, "CHECKS", {name: crash})
    called = vision("doctor", "--json")
    assert called.code == 4
    assert called.document["lines"] == [
        {"check": name, "level": "error", "message": "the check itself failed: RuntimeError: boom [/]", "hint": None}
    ]
    assert "ERROR" in vision("doctor").out


def test_two_opencvs_of_different_versions(monkeypatch):
    there = {"opencv-python": "4.14.0.94", "opencv-python-headless": "5.0.0.1"}
    monkeypatch.setattr(installation, "installed", there.get)
    (line,) = installation.opencvs()
    assert line.level == "warning"
    assert "opencv-python 4.14.0.94, opencv-python-headless 5.0.0.1" in line.message
    assert "opencv-python==5.0.0.1" in line.hint
    there["opencv-python"] = "5.0.0.1"
    assert [each.level for each in installation.opencvs()] == ["ok"]
    there.clear()
    assert [each.level for each in installation.opencvs()] == ["error"]


def test_an_absent_extra_gives_its_pip_line(monkeypatch):
    real = installation.installed
    monkeypatch.setattr(installation, "installed", lambda name: None if name == "onnxruntime" else real(name))
    line = next(each for each in installation.extras() if each.check == "extra onnx")
    assert (line.level, line.message) == ("note", "onnxruntime is not installed")
    assert line.hint == "pip install 'vision-cli[onnx]'"
    assert next(each for each in installation.extras() if each.check == "extra all").level == "note"
    assert next(each for each in installation.extras() if each.check == "extra tflite").level == "ok"


def test_a_wrong_version_is_told(monkeypatch):
    real = installation.installed
    monkeypatch.setattr(installation, "installed", lambda name: "0.1" if name in ("numpy", "timm") else real(name))
    core = next(each for each in installation.versions() if each.check == "numpy")
    assert core.level == "error"
    assert core.message.startswith("0.1, needs numpy")
    extra = next(each for each in installation.extras() if each.check == "extra train")
    assert extra.level == "warning"
    assert "timm 0.1 (needs >=" in extra.message


def test_another_python(monkeypatch):
    monkeypatch.setattr(installation, "PYTHONS", ((3, 99), (3, 99)))
    assert next(installation.versions()).level == "error"


@pytest.mark.parametrize(("free", "level"), [(50, "error"), (1000, "warning"), (90_000, "ok")])
def test_disk(monkeypatch, tmp_path, free, level):
    monkeypatch.setattr("vision_cli.core.files.free_mb", lambda path: free)
    assert {line.level for line in machine.disk(tmp_path)} == {level}


def test_a_folder_that_cannot_be_written(monkeypatch, tmp_path):
    def refuse(**settings):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    lines = list(machine.rights(tmp_path))
    assert {line.level for line in lines} == {"error"}
    assert "Permission denied" in lines[0].message


def test_the_users_own_switch_wins(vision, quick, monkeypatch):
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "0")
    called = vision("doctor", "--json")
    message = {line["message"]: line["level"] for line in lines_of(called, "switch")}
    assert message["HF_HUB_DISABLE_TELEMETRY=0, your own setting"] == "note"
    assert message["ORT_DISABLE_TELEMETRY=1"] == "ok"


def test_policy_sets_only_what_the_user_has_not_set():
    environment = {"ORT_DISABLE_TELEMETRY": "0"}
    policy.apply(environment)
    assert environment["ORT_DISABLE_TELEMETRY"] == "0"
    assert environment["NO_ALBUMENTATIONS_UPDATE"] == "1"
    assert "HF_HUB_OFFLINE" not in environment


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("true", True), ("0", False), ("", False), ("no", False)])
def test_offline_variable(value, expected):
    environment = {"VISION_OFFLINE": value}
    assert policy.offline(environment) is expected
    policy.apply(environment)
    assert ("HF_HUB_OFFLINE" in environment) is expected


def test_a_broken_project_file_is_an_error_a_line(vision, quick, tmp_path):
    (tmp_path / "vision.yaml").write_text("train:\n  epoch: 1\n  seed: x\n")
    called = vision("doctor", "--json")
    assert called.code == 4
    messages = [line["message"] for line in lines_of(called, "project")]
    assert any(message.startswith("vision.yaml:2: train.epoch: unknown key") for message in messages)
    assert any(message.startswith("vision.yaml:3: train.seed:") for message in messages)


def test_a_run_whose_process_is_gone(vision, quick, tmp_path):
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    for name, pid in (("dead", int(gone.stdout)), ("alive", os.getpid())):
        folder = tmp_path / "runs" / "train" / name
        folder.mkdir(parents=True)
        (folder / "status.json").write_text(json.dumps({"state": "running", "pid": pid}))
    broken = tmp_path / "runs" / "train" / "broken"
    broken.mkdir()
    (broken / "status.json").write_text("{")
    levels = {line["message"].split("/")[-1]: line["level"] for line in lines_of(vision("doctor", "--json"), "run")}
    assert levels["dead is not finished, and its process is gone"] == "warning"
    assert levels["alive is running"] == "note"
    assert sum("status.json" in message for message in levels) == 1


def test_a_held_lock_and_half_a_file(vision, quick, tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / ".vision.yaml.x.part").write_text("half")
    with FileLock(tmp_path / "runs" / "train.lock"):
        code = "import sys; from vision_cli.__main__ import main; sys.exit(main())"
        done = subprocess.run(
            [sys.executable, "-c", code, "doctor", "--json"], capture_output=True, text=True, cwd=tmp_path, check=False
        )
    found = {line["check"]: line["message"] for line in json.loads(done.stdout)["lines"]}
    assert "train.lock is held" in found["lock"]
    assert ".vision.yaml.x.part" in found["half-written"]
