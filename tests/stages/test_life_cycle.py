"""init, train, eval, export, eval of the exports, predict, report: each task through the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import stage_projects as small
from sklearn import metrics as sk

RUNTIMES = ("torch", "onnx", "tflite")


def judged(project: Path, runtime: str, *words: str) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """Evaluate a project's model in a runtime; return the document and the written rows."""
    model = () if runtime == "torch" else ("--model", f"exports/tiny.{runtime}")
    document = small.done(project, "eval", *model, *words, "--json").document
    return document, pq.read_table(Path(document["run"]) / "predictions.parquet").to_pydict()


def same_share(project: Path, runtime: str) -> float:
    """Return the share of all photos on which an exported file decides as torch does."""
    expected, found = (judged(project, name, "--split", "all")[1] for name in ("torch", runtime))
    assert expected["path"] == found["path"]
    assert len(expected["path"]) >= 100
    return float(np.mean([a == b for a, b in zip(expected["predicted"], found["predicted"], strict=True)]))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_classify_figures_are_those_of_scikit_learn(seasons: Path, runtime: str) -> None:
    document, rows = judged(seasons, runtime)
    found, names = document["metrics"], document["classes"]
    truth, answer, scores = rows["truth"], rows["predicted"], np.array(rows["scores"])
    ids = np.array([names.index(name) for name in truth])
    assert names == sorted(small.COLOURS)
    assert found["top1"] == pytest.approx(sk.accuracy_score(truth, answer))
    assert 0.4 < found["top1"] < 1, "a figure that a wrong formula would also give"
    assert found["top5_error"] == pytest.approx(1 - sk.top_k_accuracy_score(ids, scores, k=5, labels=range(len(names))))
    for name in ("f1", "precision", "recall"):
        formula = getattr(sk, f"{name}_score")
        assert found[name] == pytest.approx(formula(truth, answer, average="macro", zero_division=0))
        each = formula(truth, answer, average=None, labels=names, zero_division=0)
        assert [found[f"{name}[{label}]"] for label in names] == pytest.approx(list(each))
    assert found["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(truth, answer))
    assert found["auc"] == pytest.approx(sk.roc_auc_score(ids, scores, multi_class="ovr"))
    assert found["log_loss"] == pytest.approx(sk.log_loss(ids, scores), rel=1e-6)
    assert document["confusion"] == sk.confusion_matrix(truth, answer, labels=names).tolist()
    assert rows["confidence"] == pytest.approx(scores.max(axis=1))
    assert [names[index] for index in scores.argmax(axis=1)] == answer


def test_truth_in_the_rows_is_the_folder_of_the_photo(seasons: Path) -> None:
    document, rows = judged(seasons, "torch")
    assert [Path(path).parent.name for path in rows["path"]] == rows["truth"]
    assert document["data"]["photos"] == len(rows["path"]) == len(set(rows["path"]))
    splits = json.loads((seasons / "splits.json").read_text())["photos"]
    tested = {key for key, split in splits.items() if split == "test"}
    assert {f"photos/{'/'.join(Path(path).parts[-2:])}" for path in rows["path"]} == tested


def test_the_document_has_the_members_that_scripts_read(seasons: Path, real_memory: None) -> None:
    kpis = ("--kpi", "top1>0.3", "--kpi", "f1[summer]>0.999999", "--kpi", "top5_error.max=0.9")
    called = small.call(seasons, "eval", *kpis, "--json")
    document = called.document
    assert called.code == 4
    assert document["schema_version"] == 1
    assert document["command"] == "eval"
    assert document["ok"] is False
    assert document["passed"] is False
    assert [row["kpi"] for row in document["kpis"]] == ["top1 > 0.3", "f1[summer] > 0.999999", "top5_error <= 0.9"]
    assert [row["verdict"] for row in document["kpis"]] == ["pass", "fail", "pass"]
    assert document["kpis"][0]["value"] == document["metrics"]["top1"]
    assert document["model"]["task"] == "classify"
    assert document["model"]["family"] == "timm"
    assert document["data"]["split"] == "test"
    assert document["runtime"]["name"] == "torch"
    low, high = document["intervals"]["f1"]
    assert low < document["metrics"]["f1"] < high
    speed = [document["metrics"][key] for key in ("latency_ms.p50", "latency_ms.p95", "images_per_s", "memory_mb")]
    assert all(value > 0 for value in speed)
    weights = Path(document["model"]["path"]) / "model.safetensors"
    assert document["metrics"]["size_mb"] == pytest.approx(weights.stat().st_size / 1e6)
    assert json.loads((Path(document["run"]) / "result.json").read_text())["metrics"] == document["metrics"]


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_multilabel_figures_are_those_of_scikit_learn(labels: Path, runtime: str) -> None:
    document, rows = judged(labels, runtime)
    found, names = document["metrics"], document["classes"]
    assert names == sorted(small.PARTS)
    truth, answer = (
        np.array([[name in text.split("|") for name in names] for text in rows[column]])
        for column in ("truth", "predicted")
    )
    assert not truth.all(axis=1).all()
    for name in ("f1", "precision", "recall"):
        formula = getattr(sk, f"{name}_score")
        assert found[name] == pytest.approx(formula(truth, answer, average="macro", zero_division=0))
        assert found[f"{name}_micro"] == pytest.approx(formula(truth, answer, average="micro", zero_division=0))
    assert found["map"] == pytest.approx(sk.average_precision_score(truth, np.array(rows["scores"]), average="macro"))
    assert found["map"] > 0.5, "nothing was learnt, so nothing is compared"
    card = json.loads((labels / "runs/train/latest/model/artefact.json").read_text())
    assert ((np.array(rows["scores"]) >= card["decode"]["thresholds"]) == answer).all()


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_value_figures_are_those_of_scikit_learn(values: Path, runtime: str) -> None:
    document, rows = judged(values, runtime)
    found, answer = document["metrics"], np.array(rows["scores"])[:, 0]
    lines = (values / "values.csv").read_text().splitlines()[1:]
    declared = {line.split(",")[0]: float(line.split(",")[1]) for line in lines}
    truth = [declared["/".join(Path(path).parts[-2:])] for path in rows["path"]]
    assert np.array(rows["truth"], dtype=float) == pytest.approx(truth, abs=1e-3)
    assert found["mae"] == pytest.approx(sk.mean_absolute_error(truth, answer), rel=1e-6)
    assert found["rmse"] == pytest.approx(sk.root_mean_squared_error(truth, answer), rel=1e-6)
    assert found["r2"] == pytest.approx(sk.r2_score(truth, answer), rel=1e-6)
    assert found["mae"] < 20, "answers are not in the unit of the values"
    assert document["classes"] == []


@pytest.mark.parametrize("runtime", ["onnx", "tflite"])
@pytest.mark.parametrize("project", ["seasons", "labels"])
def test_exported_files_decide_as_the_torch_model(project: str, runtime: str, request: pytest.FixtureRequest) -> None:
    assert same_share(request.getfixturevalue(project), runtime) >= 0.995


@pytest.mark.parametrize("runtime", ["onnx", "tflite"])
def test_exported_files_give_the_values_of_the_torch_model(values: Path, runtime: str) -> None:
    expected, found = (judged(values, name, "--split", "all")[1]["scores"] for name in ("torch", runtime))
    assert np.array(found) == pytest.approx(np.array(expected), abs=0.01)


def test_the_export_says_what_it_compared(seasons: Path) -> None:
    first = min(seasons.glob("runs/export/2*"))
    rows = json.loads((first / "result.json").read_text())["files"]
    assert [row["format"] for row in rows] == ["onnx", "tflite"]
    for row in rows:
        assert row["photos"] == 144
        assert row["parity"]["passed"] is True
        assert Path(row["path"]).stat().st_size / 1e6 == pytest.approx(row["size_mb"], abs=1e-3)


def test_half_precision_is_half_the_file_and_decides_alike(seasons: Path) -> None:
    words = ("--format", "onnx", "--precision", "float16", "--output", "half")
    (row,) = small.done(seasons, "export", *words, "--json").document["files"]
    assert row["size_mb"] < 0.6 * (seasons / "exports/tiny.onnx").stat().st_size / 1e6
    document = small.done(seasons, "eval", "--model", row["path"], "--json").document
    assert document["runtime"]["precision"] == "float16"


def test_export_compares_on_photos_without_labels(seasons: Path) -> None:
    loose = seasons / "photos" / "winter"
    words = ("export", "--format", "onnx", "--output", "loose", "--photos", str(loose), "--json")
    assert small.done(seasons, *words).document["files"][0]["photos"] == 24


@pytest.mark.parametrize(
    ("project", "data", "task"),
    [("seasons", "photos", "classify"), ("labels", "labels.csv", "multilabel"), ("values", "values.csv", "regress")],
)
def test_init_writes_a_project_that_trains(
    project: str, data: str, task: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    source = request.getfixturevalue(project) / data
    document = small.done(tmp_path, "init", "--data", str(source), "--json").document
    assert document["task"] == task
    found = small.done(tmp_path, "train", "model.weights=none", "model.backbone=test_resnet", "--dry-run", "--json")
    assert found.document["task"] == task
    assert sum(found.document["photos"].values()) == document["survey"]["photos"]


@pytest.mark.parametrize("project", ["seasons", "labels", "values"])
def test_the_report_shows_every_part(project: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(project)
    small.done(folder, "eval")
    document = small.done(folder, "report", "--output", str(tmp_path / "page.html"), "--json").document
    assert document["sections"] == ["data", "training", "evaluation", "export"]
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<b>[x]" not in page
    assert "tiny.onnx" in page


def test_a_run_folder_says_what_ran(seasons: Path) -> None:
    run = seasons / "runs/train/latest"
    manifest = json.loads((run / "run.json").read_text())
    assert json.loads((run / "status.json").read_text())["state"] == "done"
    assert manifest["classes"] == sorted(small.COLOURS)
    assert manifest["config"]["train"]["epochs"] == 6
    assert len((run / "metrics.jsonl").read_text().splitlines()) == 6
    assert {"numpy", "torch", "timm"} <= set(manifest["versions"])


def test_kpis_of_another_runtime_are_told_and_do_not_gate(seasons: Path) -> None:
    called = small.done(seasons, "eval", "--kpi", "top1>0.99 @ tflite", "--kpi", "top1>=0", "--json")
    assert called.document["kpis"][0]["verdict"] == "not measured"
    assert "declared for another runtime and not judged here: top1 > 0.99 @ tflite." in called.document["warnings"]


def test_kpis_that_nothing_measured_never_pass(seasons: Path) -> None:
    called = small.call(seasons, "eval", "--kpi", "top1>0.99 @ tflite", "--json")
    assert called.code == 4
    assert called.document["passed"] is False
    assert "no KPI was judged, so none is met" in called.document["warnings"][-1]
    assert "no KPI was judged, so none is met" in called.err


def test_targets_of_the_project_for_another_runtime_are_no_pass(seasons: Path, tmp_path: Path) -> None:
    markdown = tmp_path / "m.md"
    called = small.call(seasons, "eval", "kpis=[top1 > 0 @ tflite]", "--markdown", str(markdown))
    assert called.code == 4
    assert "NOT JUDGED" in called.out
    assert "no KPI was judged, so none is met" in called.err
    assert markdown.read_text().startswith("## ❌ ")


def test_kpis_after_training_are_a_preview(tmp_path: Path) -> None:
    folder = small.write_project(tmp_path, "photos", kpis="[top1 > 0.7]")
    small.class_folders(folder / "photos", 12)
    told = small.done(folder, "train").out
    assert "KPIs on the validation split: a preview; vision eval judges" in told
    assert "more test photos" not in told
    assert "more validation photos would settle it" in told


def test_an_interval_that_must_hold_says_how_many_photos_are_missing(seasons: Path) -> None:
    value = judged(seasons, "torch")[0]["metrics"]["top1"]
    bound = round(value - 0.01, 4)
    row = small.done(seasons, "eval", "--kpi", f"top1>{bound}", "--json").document["kpis"][0]
    assert row["verdict"] == "pass"
    assert row["interval"][0] < bound < row["interval"][1]
    assert row["more_photos"] > 100
    demanded = f"kpis=[{{kpi: top1 > {bound}, confidence: 0.95}}]"
    called = small.call(seasons, "eval", demanded, "--json")
    assert called.code == 4
    assert called.document["kpis"][0]["verdict"] == "not enough evidence"


def test_an_evaluation_is_written_for_machines_and_people(seasons: Path, tmp_path: Path) -> None:
    from xml.etree import ElementTree

    words = ("--kpi", "top1>0.3", "--kpi", "f1>0.9999", "--junit", str(tmp_path / "j.xml"))
    assert small.call(seasons, "eval", *words, "--markdown", str(tmp_path / "m.md")).code == 4
    suite = next(ElementTree.parse(tmp_path / "j.xml").iter("testsuite"))  # noqa: S314  # ours
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert "f1 > 0.9999" in (tmp_path / "m.md").read_text().replace("\\", "").replace("&gt;", ">")
