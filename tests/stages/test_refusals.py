"""Everything that a command refuses: exit code, message, one JSON document, and nothing half done."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import stage_projects as small

Copy = Callable[[Path], Path]
GUEST = 65534
"""User id that owns nothing: root may write everywhere."""


@pytest.fixture(scope="module")
def project(seasons: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trained classifier with inputs beside it that are to be refused."""
    folder = small.copied(seasons, tmp_path_factory.mktemp("refusals") / "project")
    whole = {suffix: (folder / f"exports/tiny.{suffix}").read_bytes() for suffix in ("onnx", "tflite")}
    for suffix, content in whole.items():
        (folder / f"cut.{suffix}").write_bytes(content[: len(content) // 2])
        (folder / f"changed.{suffix}").write_bytes(flipped(content))
    (folder / "notes.txt").write_text("these are notes, and no model\n")
    (folder / "empty").mkdir()
    foreign_onnx(folder / "foreign.onnx")
    small.class_folders(folder / "other", 2, ("winter",))
    (folder / "other/winter").rename(folder / "other/autumn")
    (folder / "values.csv").write_text("path,value\nphotos/winter/00.jpg,3\nphotos/winter/01.jpg,4\n")
    (folder / "ratings.csv").write_text("photo,rater,rating\na.jpg,ann,yes\nb.jpg,ann,maybe\n,bob,yes\nc.jpg,,no\n")
    rows = [f"{n}.jpg,{rater},{'no' if n % 10 == 0 else 'yes'}" for n in range(40) for rater in ("ann", "bob")]
    (folder / "rated.csv").write_text("\n".join(["photo,rater,rating", *rows, ""]))
    return folder


def flipped(content: bytes) -> bytes:
    """Return bytes with one of them changed, in the middle of the weights."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0x55]) + content[middle + 1 :]


def foreign_onnx(path: Path) -> None:
    """Write an ONNX file as another tool would."""
    import onnx
    from onnx import TensorProto, helper

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", ends[:1], ends[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


OFFLINE = ("train", "--offline", "model.weights=imagenet", "model.backbone=resnet18")
CASES: dict[str, tuple[tuple[str, ...], int, tuple[str, ...]]] = {
    # what: command line, exit code, what the message must hold
    "no data": (("train", "data.sources={}"), 2, ("names no data", "vision init")),
    "unknown view": (("train", "train.view=evenings"), 2, ("no view is called 'evenings'", "all")),
    "unknown format": (("train", "data.sources.photos.format=cvs"), 2, ("unknown dataset format 'cvs'", "'csv'")),
    "missing folder": (("train", "data.sources.photos.path=gone"), 3, ("gone", "no such file or folder")),
    "empty folder": (("train", "data.sources.photos.path=empty"), 3, ("empty",)),
    "undeclared classes": (("train", "classes=[winter]"), 3, ("does not declare", "summer")),
    "unknown family": (("train", "model.family=tim"), 2, ("unknown model family 'tim'", "'timm'")),
    "unknown backbone": (("train", "model.backbone=test_resnett"), 2, ("'test_resnett'", "'test_resnet'")),
    "unknown torchvision": (("train", "model.family=torchvision", "model.backbone=resnet81"), 2, ("'resnet18'",)),
    "weights offline": (OFFLINE, 5, ("resnet18", "model.safetensors", "put it at", "--offline")),
    "weights gone": (("train", "model.weights=gone.safetensors"), 3, ("gone.safetensors", "does not exist")),
    "weights of text": (("train", "model.weights=notes.txt"), 3, ("notes.txt", "no weights file")),
    "values wanted": (("train", "task=regress", "kpis=[]"), 3, ("needs one each",)),
    "unknown key": (("train", "train.epoch=3"), 2, ("train.epoch", "'epochs'")),
    "kpi of the project": (("train", "kpis=[topp1 > 0.5]"), 2, ("unknown metric 'topp1'", "'top1'")),
    "nothing to resume": (("train", "--resume"), 2, ("is complete", "nothing to resume")),
    "unknown metric": (("eval", "--kpi", "balanced_acuracy>0.5"), 2, ("'balanced_acuracy'", "'balanced_accuracy'")),
    "unknown class": (("eval", "--kpi", "f1[wintr]>0.5"), 2, ("no class is called 'wintr'", "'winter'")),
    "metric of another task": (("eval", "--kpi", "mae<3"), 2, ("'mae' is measured for regress", "classify")),
    "percent as a share": (("eval", "--kpi", "f1>98"), 2, ("share between 0 and 1", "0.98")),
    "unknown runtime": (("eval", "--kpi", "f1>0.9 @ tfilte"), 2, ("tfilte", "tflite")),
    "no kpi": (("eval", "--kpi", "good"), 2, ("metric[class] op value",)),
    "missed kpi": (("eval", "--kpi", "top1>0.9999"), 4, ()),
    "unknown split": (("eval", "--split", "tset"), 2, ("no split is called 'tset'", "'test'")),
    "model gone": (("eval", "--model", "gone.onnx"), 3, ("gone.onnx: does not exist",)),
    "model of text": (("eval", "--model", "notes.txt"), 3, ("notes.txt: not a model",)),
    "folder without model": (("eval", "--model", "empty"), 3, ("empty",)),
    "cut onnx": (("eval", "--model", "cut.onnx"), 3, ("cut.onnx: not a whole ONNX file",)),
    "cut tflite": (("eval", "--model", "cut.tflite"), 3, ("cut.tflite: not a whole TFLite file",)),
    "changed onnx": (("eval", "--model", "changed.onnx"), 3, ("changed.onnx",)),
    "changed tflite": (("eval", "--model", "changed.tflite"), 3, ("changed.tflite",)),
    "foreign onnx": (("eval", "--model", "foreign.onnx"), 3, ("no metadata of vision", "foreign.onnx.json")),
    "data gone": (("eval", "--data", "gone"), 3, ("gone: there is no such file",)),
    "data without photos": (("eval", "--data", "empty"), 3, ("empty",)),
    "classes of others": (("eval", "--data", "other"), 3, ("does not know: autumn", "winter")),
    "values for a classifier": (("eval", "--data", "values.csv"), 3, ("no class or several",)),
    "junit to a folder": (("eval", "--junit", "photos"), 2, ("photos: is a folder",)),
    "junit through a file": (("eval", "--junit", "notes.txt/j.xml"), 2, ("notes.txt is a file",)),
    "bad ratings": (
        ("eval", "--ratings", "ratings.csv"),
        3,
        ("3 of 4 ratings", "ratings.csv:3", "'maybe'", "ratings.csv:4: no photo", "ratings.csv:5"),
    ),
    "ratings gone": (("eval", "--ratings", "gone.csv"), 3, ("gone.csv", "does not exist")),
    "ratings and f1": (("eval", "--ratings", "rated.csv", "--kpi", "f1>0.8"), 2, ("do not measure 'f1'", "acceptance")),
    "ratings missed": (("eval", "--ratings", "rated.csv", "--kpi", "acceptance>0.95"), 4, ()),
    "export unknown format": (("export", "--format", "onx"), 2, ("unknown export format 'onx'", "'onnx'")),
    "export precision": (("export", "--precision", "int8"), 2, ("no precision 'int8'", "float16")),
    "export of an export": (("export", "--model", "exports/tiny.onnx"), 3, ("tiny.onnx: is a file", "folder of a run")),
    "export photos gone": (("export", "--photos", "gone"), 3, ("gone: no photo there",)),
    "export through a file": (("export", "--output", "notes.txt/x"), 6, ("notes.txt is not a folder",)),
    "predict gone": (("predict", "gone"), 3, ("gone: no photo there", "photos/*.jpg")),
    "predict glob": (("predict", "gone/*.jpg"), 3, ("gone/*.jpg: no photo there",)),
    "predict empty folder": (("predict", "empty"), 3, ("empty: no photo there",)),
    "predict nothing": (("predict",), 2, ("nothing to look at", "photos, folders or globs")),
    "predict text": (("predict", "notes.txt"), 3, ()),
    "output suffix": (("predict", "photos/no", "-o", "a.txt"), 2, ("a.txt", ".json or .csv")),
    "output folder": (("predict", "photos/no", "-o", "notes.txt/a.csv"), 6, ("notes.txt is not a folder",)),
    "pictures in a file": (("predict", "photos/no", "--pictures", "notes.txt"), 6, ("notes.txt is not a folder",)),
    "report to a folder": (("report", "--output", "photos"), 2, ("photos: is a folder",)),
    "report through a file": (("report", "--output", "notes.txt/r.html"), 2, ("notes.txt is a file",)),
    "init without data": (("init", "--force", "--data", "gone"), 3, ("gone: does not exist",)),
    "init again": (("init", "--data", "photos"), 2, ("vision.yaml: is there already", "--force")),
}


@pytest.mark.parametrize("name", CASES)
def test_refusals_name_the_place_and_end_with_their_code(project: Path, name: str) -> None:
    words, code, told = CASES[name]
    called = small.call(project, *words, "--json")
    assert called.code == code, called.err
    document = called.document
    assert document["ok"] is False
    if code not in (3, 4) or told:
        error = document["error"]
        assert error["exit_code"] == code
        text = "\n".join([error["message"], *error["details"], error["hint"] or ""])
        for part in told:
            assert part in text
            assert part in called.err
    assert "Traceback" not in called.err


def test_no_refusal_left_an_output_or_touched_the_model(project: Path, seasons: Path) -> None:
    for name in ("a.txt", "a.csv", "j.xml", "r.html"):
        assert not list(project.rglob(name))
    for file in ("vision.yaml", "exports/tiny.onnx", "exports/tiny.tflite"):
        assert (project / file).read_bytes() == (seasons / file).read_bytes()
    assert not [path for path in project.rglob(".*") if path.name.endswith(".part") or path.name.startswith(".export")]


def test_missing_weights_are_told_at_once(project: Path) -> None:
    import time

    started = time.perf_counter()
    assert small.call(project, *OFFLINE).code == 5
    assert time.perf_counter() - started < 5


def test_an_empty_split_never_passes(project: Path) -> None:
    called = small.call(project, "eval", "data.split={train: 0.8, val: 0.2, test: 0}", "--kpi", "top1>0")
    assert called.code == 3
    assert "the split 'test' has no photo" in called.err


def test_acceptance_is_judged_with_the_agreement_of_the_raters(project: Path) -> None:
    called = small.done(project, "eval", "--ratings", "rated.csv", "--kpi", "acceptance>0.8", "--json")
    document = called.document
    assert document["metrics"]["acceptance"] == pytest.approx(36 / 40)
    assert document["metrics"]["rater_agreement"] == pytest.approx(1)
    assert document["data"]["raters"] == 2
    assert document["kpis"][0]["verdict"] == "pass"
    assert document["passed"] is True


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("train.freeze=99 stages", "99 stages, but the backbone has 5"),
        ("train.device=mps", "there is no mps device"),
        ("train.precision=16", "16 needs a GPU"),
    ],
)
def test_a_training_that_cannot_begin_hides_no_earlier_model(
    seasons: Path, copy: Copy, setting: str, told: str
) -> None:
    folder = copy(seasons)
    before = small.listing(folder / "runs")
    called = small.call(folder, "train", setting)
    assert called.code == 2
    assert told in called.err
    assert small.listing(folder / "runs") == before
    small.done(folder, "eval")


@pytest.mark.parametrize("command", ["eval", "export", "predict"])
def test_nothing_trained_yet(tmp_path: Path, command: str) -> None:
    small.class_folders(small.write_project(tmp_path, "photos") / "photos", 2)
    called = small.call(tmp_path, command, *(["photos"] if command == "predict" else []))
    assert called.code == 3
    assert "no run yet" in called.err
    assert "vision train" in called.err
    assert not (tmp_path / "runs").exists()


def test_nothing_to_resume_yet(tmp_path: Path) -> None:
    small.class_folders(small.write_project(tmp_path, "photos") / "photos", 4)
    called = small.call(tmp_path, "train", "--resume")
    assert called.code == 2
    assert "nothing to resume" in called.err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("family", ["timm", "features"])
def test_one_class_is_nothing_to_learn(tmp_path: Path, family: str) -> None:
    small.class_folders(small.write_project(tmp_path, "photos") / "photos", 8, ("winter",))
    called = small.call(tmp_path, "train", f"model.family={family}")
    assert called.code == 3
    assert "every photo is of the one class 'winter'" in called.err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("content", [b"<html>not a photo</html>", b"", b"\xff\xd8\xff\xe0 cut"])
def test_a_photo_that_is_none_is_named_before_training(tmp_path: Path, content: bytes) -> None:
    folder = small.class_folders(small.write_project(tmp_path, "photos") / "photos", 4)
    (folder / "winter/foreign.jpg").write_bytes(content)
    called = small.call(tmp_path, "train")
    assert called.code == 3
    assert "winter/foreign.jpg" in called.err
    assert not (tmp_path / "runs").exists()


def test_a_photo_cut_in_its_pixels_is_named_before_training(tmp_path: Path) -> None:
    folder = small.class_folders(small.write_project(tmp_path, "photos") / "photos", 4)
    whole = (folder / "winter/00.jpg").read_bytes()
    (folder / "winter/half.jpg").write_bytes(whole[: len(whole) // 2])
    called = small.call(tmp_path, "train")
    assert called.code == 3
    assert "winter/half.jpg" in called.err
    assert not (tmp_path / "runs").exists()


def test_a_photo_that_broke_since_training_is_named_by_eval(seasons: Path, copy: Copy) -> None:
    folder = copy(seasons)
    (folder / "photos/winter/00.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut")
    called = small.call(folder, "eval", "--split", "all")
    assert called.code == 3
    assert "winter/00.jpg" in called.err


@pytest.mark.parametrize("name", ["model.safetensors", "golden.npz"])
def test_changed_bytes_of_a_model_are_found(seasons: Path, copy: Copy, name: str) -> None:
    folder = copy(seasons)
    path = folder / "runs/train/latest/model" / name
    path.write_bytes(flipped(path.read_bytes()))
    for words in (("eval",), ("export",), ("predict", "photos/winter/00.jpg")):
        called = small.call(folder, *words)
        assert called.code == 3
        assert name in called.err


@pytest.mark.parametrize("name", ["model.safetensors", "golden.npz", "artefact.json"])
def test_missing_parts_of_a_model_are_found(seasons: Path, copy: Copy, name: str) -> None:
    folder = copy(seasons)
    (folder / "runs/train/latest/model" / name).unlink()
    called = small.call(folder, "export")
    assert called.code == 3
    assert "runs/train" in called.err


def test_class_names_changed_by_hand_are_found(seasons: Path, copy: Copy) -> None:
    folder = copy(seasons)
    path = folder / "runs/train/latest/model/artefact.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"winter"', '"printer"'), encoding="utf-8")
    called = small.call(folder, "eval")
    assert called.code == 3
    assert "class names do not match their hash" in called.err


@pytest.mark.parametrize(("name", "output"), [("onnx", "exports"), ("tflite", "fresh")])
def test_a_file_that_does_not_answer_alike_is_not_published(seasons: Path, copy: Copy, name: str, output: str) -> None:
    folder = copy(seasons)
    before = small.listing(folder / "exports")
    words = ("export", "--format", name, "export.tolerance=1e-12", "--output", output)
    called = small.call(folder, *words, "--json")
    assert called.code == 4
    message = called.document["error"]["message"]
    assert f"tiny.{name}: does not answer as the torch model does on 144 photos" in message
    assert "scores differ by at most" in message
    assert small.listing(folder / "exports") == before
    assert output == "exports" or list((folder / output).iterdir()) == []
    status = json.loads((folder / "runs/export/latest/status.json").read_text())
    assert status["state"] == "failed"


@contextmanager
def guest() -> Iterator[None]:
    """Be a user who may not write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(GUEST)
    try:
        yield
    finally:
        os.seteuid(0)


def read_only(folder: Path) -> None:
    """Leave reading and entering of folders to everybody, and writing to nobody."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o555 if path.is_dir() else 0o444)
    if os.geteuid() == 0:
        for parent in folder.parents[:3]:  # pytest's own folders are root's alone
            parent.chmod(parent.stat().st_mode | 0o055)


@pytest.mark.parametrize(
    "words",
    [
        ("train",),
        ("eval",),
        ("export", "--format", "onnx"),
        ("report",),
        ("predict", "photos/no", "-o", "new/a.csv"),
        ("predict", "photos/no", "--pictures", "new"),
    ],
    ids=lambda words: "-".join(words[:3:2]),
)
def test_a_project_that_is_read_only(seasons: Path, copy: Copy, words: tuple[str, ...]) -> None:
    folder = copy(seasons)
    before = small.listing(folder)
    read_only(folder)
    try:
        with guest():
            called = small.call(folder, *words, "--json")
    finally:
        for path in (folder, *folder.rglob("*")):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
    assert called.code == 6, called.err
    assert any(place in called.document["error"]["message"] for place in (str(folder), "new"))
    assert small.listing(folder) == before
    shutil.rmtree(folder)
