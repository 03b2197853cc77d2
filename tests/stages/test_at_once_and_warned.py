"""Commands beside each other, data that changed, data that cannot support the plan, and the shell's redirect."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import stage_projects as small

Copy = Callable[[Path], Path]


def test_two_evaluations_at_once_are_two_whole_runs(seasons: Path, copy: Copy) -> None:
    folder = copy(seasons)
    shutil.rmtree(folder / "runs/eval", ignore_errors=True)
    (folder / "splits.json").unlink()
    both = [small.started(folder, "eval", "--model", "exports/tiny.onnx", "--json") for _ in range(2)]
    ended = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    first, second = (json.loads(out) for out, _ in ended)
    assert first["run"] != second["run"]
    assert first["metrics"]["log_loss"] == second["metrics"]["log_loss"]
    for document in (first, second):
        result = json.loads((Path(document["run"]) / "result.json").read_text())
        assert result["metrics"] == document["metrics"]
    latest = (folder / "runs/eval/latest").resolve()
    assert str(latest) in (first["run"], second["run"])


def test_eval_says_that_the_data_changed_since_training(seasons: Path, copy: Copy) -> None:
    folder = copy(seasons)
    told = "the data changed since this model was trained"
    assert told not in str(small.done(folder, "eval", "--json").document["warnings"])
    shutil.copy(folder / "photos/winter/00.jpg", folder / "photos/winter/new.jpg")
    assert told in str(small.done(folder, "eval", "--json").document["warnings"])
    called = small.done(folder, "eval")
    assert told in called.out + called.err


def test_photos_of_both_sides_are_counted(seasons: Path, copy: Copy) -> None:
    folder = copy(seasons)
    splits = json.loads((folder / "splits.json").read_text())["photos"]
    learned = next(key for key, split in splits.items() if split == "train" and "/winter/" in key)
    tested = [key for key, split in splits.items() if split == "test" and "/winter/" in key][:2]
    for key in tested:
        shutil.copy(folder / learned, folder / key)
    called = small.done(folder, "train", "--dry-run", "--json")
    (finding,) = [row for row in called.document["findings"] if row["code"] == "same-photo-in-train-and-test"]
    assert finding["figure"] == 2
    assert f"2 of {sum(split == 'test' for split in splits.values())} test photos are also in train" in called.err
    assert "byte for byte" in called.err


def test_few_test_photos_are_counted(seasons: Path) -> None:
    called = small.done(seasons, "train", "--dry-run", "--json")
    (finding,) = [row for row in called.document["findings"] if row["code"] == "few-test-photos"]
    assert "6 classes have fewer than 12 test photos" in finding["message"]
    assert finding["message"] in called.err


def test_a_class_without_photos_is_told(seasons: Path) -> None:
    names = json.dumps([*small.COLOURS, "spring"], ensure_ascii=False)
    called = small.done(seasons, "train", "--dry-run", f"classes={names}", "--json")
    codes = {row["code"] for row in called.document["findings"]}
    assert "class-missing-in-test" in codes
    assert "spring" in called.err


@pytest.mark.parametrize(("bound", "code", "verdict"), [("0.05", 0, "PASS"), ("0.9999", 4, "FAIL")])
def test_an_unquoted_redirect_is_judged_all_the_same(
    seasons: Path, copy: Copy, bound: str, code: int, verdict: str
) -> None:
    folder = copy(seasons)
    program = f"'{sys.executable}' -m vision_cli eval --model exports/tiny.onnx --kpi f1>{bound}"
    called = subprocess.run(["bash", "-c", program], cwd=folder, capture_output=True, text=True, timeout=120)
    assert called.returncode == code, called.stderr
    assert called.stdout == ""
    assert (folder / bound).read_bytes() == b""
    assert f"f1 > {bound}" in called.stderr
    assert verdict in called.stderr
    assert f"quote the KPI: --kpi 'f1>{bound}'" in called.stderr
    assert f"it made the file {folder / bound}" in called.stderr


def test_stdout_is_the_document_alone_in_a_process_of_its_own(seasons: Path, copy: Copy) -> None:
    folder = copy(seasons)
    process = small.started(folder, "predict", "photos/winter/00.jpg", "--model", "exports/tiny.tflite", "--json")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert json.loads(out)["predictions"][0]["path"] == "photos/winter/00.jpg"
    failed = small.started(folder, "predict", "gone", "--json")
    out, _ = failed.communicate(timeout=120)
    assert failed.returncode == 3
    assert json.loads(out)["error"]["kind"] == "data"
