"""`vision crossval`: scikit-learn's folds and its cross-validated predictions are the reference."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import stage_projects as small
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.svm import LinearSVC

from vision_cli.core import project as projects
from vision_cli.core.errors import UsageError
from vision_cli.stages.crossvalidating import summary
from vision_cli.stages.crossvalidating.folds import deal
from vision_cli.stages.data import load_view

FEATURES = (
    "{family: features, backbone: test_resnet, weights: none, input: {size: 64}, features: {classifier: logistic}}"
)
THREE = ("winter", "summer", "no")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of three classes over random features."""
    folder = small.write_project(
        tmp_path_factory.mktemp("cv"), "photos", kpis="[top1 > 0.4, size_mb < 100]", model=FEATURES
    )
    small.class_folders(folder / "photos", 20, THREE)
    return folder


def features_of(folder: Path, result: dict[str, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], pa.Table]:
    """Return embeddings and classes of the photos, in the order of the predictions."""
    from vision_cli.core.progress import Silent
    from vision_cli.stages.training import fitting, planning
    from vision_cli.training.embed import PLAIN, EmbedOptions, embed_views

    opened = projects.load(folder / "vision.yaml")
    data = load_view(opened)
    network = fitting.build(planning.resolved(opened, data), data, Silent(), offline=True)
    table = pq.read_table(result["predictions"])
    paths = [Path(path) for path in table["path"].to_pylist()]
    rows = embed_views(network, paths, (network.preprocess, (PLAIN,)), EmbedOptions(workers=0), Silent())[0]
    names = result["classes"]
    return rows, np.array([names.index(word) for word in table["truth"].to_pylist()]), table


class OneScale(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Centre, and divide all by one number, to a total variance of 1."""

    def fit(self, rows: Any, classes: Any = None) -> OneScale:
        self.mean_ = rows.mean(axis=0)
        self.scale_ = np.sqrt(rows.var(axis=0).sum())
        return self

    def transform(self, rows: Any) -> Any:
        return (rows - self.mean_) / self.scale_


def estimator(classifier: str) -> Any:
    if classifier == "logistic":
        return make_pipeline(Normalizer(), OneScale(), LogisticRegression(C=25.0, max_iter=5000))
    inner = make_pipeline(Normalizer(), OneScale(), LinearSVC(C=1.0, max_iter=5000, random_state=1))
    return CalibratedClassifierCV(inner, cv=StratifiedKFold(5, shuffle=True, random_state=1), ensemble=False)


@pytest.mark.parametrize("classifier", ["logistic", "svm"])
def test_features_give_what_scikit_learn_gives(photos: Path, classifier: str) -> None:
    words = ("crossval", "-k", "4", "--seed", "3", "--json", f"model.features.classifier={classifier}")
    result = small.done(photos, *words).document
    rows, classes, table = features_of(photos, result)
    folds = StratifiedKFold(4, shuffle=True, random_state=3)
    held = np.empty(len(classes), dtype=int)
    for number, (_, test) in enumerate(folds.split(rows, classes)):
        held[test] = number + 1
    assert table["fold"].to_pylist() == held.tolist()
    expected = cross_val_predict(
        estimator(classifier), rows.astype(np.float64), classes, cv=folds, method="predict_proba"
    )
    assert np.array(table["scores"].to_pylist()) == pytest.approx(expected, abs=2e-3)
    said = expected.argmax(axis=1)
    assert result["metrics"]["top1"]["value"] == pytest.approx(accuracy_score(classes, said))
    assert result["metrics"]["f1"]["value"] == pytest.approx(f1_score(classes, said, average="macro"))
    of_folds = [accuracy_score(classes[held == each], said[held == each]) for each in range(1, 5)]
    assert result["metrics"]["top1"]["folds"] == pytest.approx(of_folds)
    assert result["metrics"]["top1"]["mean"] == pytest.approx(np.mean(of_folds))
    assert result["metrics"]["top1"]["deviation"] == pytest.approx(np.std(of_folds, ddof=1))


def test_the_test_split_is_left_alone(photos: Path) -> None:
    data = load_view(projects.load(photos / "vision.yaml")).dataset
    some = small.done(photos, "crossval", "-k", "2", "--json").document
    every = small.done(photos, "crossval", "-k", "2", "--all", "--json").document
    test = {str(path) for path in data.split("test").paths()}
    assert test
    assert not test & set(pq.read_table(some["predictions"])["path"].to_pylist())
    assert len(pq.read_table(every["predictions"])) == every["photos"] == 60
    assert [each["kpi"] for each in some["kpis"]] == ["top1 > 0.4"]
    assert "size_mb" in some["warnings"][-1]


def test_groups_stay_together_as_in_scikit_learn(photos: Path) -> None:
    data = load_view(projects.load(photos / "vision.yaml")).dataset
    names = [f"g{row // 3}" for row in range(len(data))]
    places = data.images.column_names.index("group")
    grouped = replace(data, images=data.images.set_column(places, "group", pa.array(names)))
    found = deal(grouped, "classify", 4, 11)
    classes, groups = grouped.class_ids(), np.arange(len(data)) // 3
    splitter = StratifiedGroupKFold(4, shuffle=True, random_state=11)
    for number, (_, test) in enumerate(splitter.split(classes, classes, groups)):
        assert np.flatnonzero(found.fold == number).tolist() == test.tolist()
    assert found.rule == "StratifiedGroupKFold"
    assert all(len(set(found.fold[groups == each].tolist())) == 1 for each in range(20))


@pytest.mark.parametrize(("k", "told"), [(1, "2 to"), (61, "2 to 60 folds")])
def test_folds_that_cannot_be(photos: Path, k: int, told: str) -> None:
    data = load_view(projects.load(photos / "vision.yaml")).dataset
    with pytest.raises(UsageError, match=told):
        deal(data, "classify", k, 0)


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    folder = small.write_project(tmp_path, "photos", model=FEATURES)
    small.class_folders(folder / "photos", 6, THREE)
    before = small.listing(folder)
    result = small.done(folder, "crossval", "-k", "3", "--dry-run", "--json").document
    assert result["folds"]["k"] == 3
    after = {name: each for name, each in small.listing(folder).items() if not name.startswith("logs")}
    assert after == before


def test_several_labels_and_values(tmp_path: Path) -> None:
    for name, write in (("labels.csv", small.label_csv), ("values.csv", small.value_csv)):
        folder = small.write_project(tmp_path / name[:-4], name, model=FEATURES.replace("logistic", "svm"))
        write(folder / name, 60)
        result = small.done(folder, "crossval", "-k", "3", "--all", "--json").document
        table = pq.read_table(result["predictions"])
        assert len(table) == 60
        assert sorted(set(table["fold"].to_pylist())) == [1, 2, 3]
        key = "map" if name == "labels.csv" else "mae"
        figure = result["metrics"][key]
        assert figure["interval"][0] <= figure["value"] <= figure["interval"][1]
        if key == "mae":
            off = [
                abs(float(a) - float(b))
                for a, b in zip(table["truth"].to_pylist(), table["predicted"].to_pylist(), strict=True)
            ]
            assert figure["value"] == pytest.approx(np.mean(off), rel=1e-4)


def test_a_networks_folds_are_trainings_that_resume(tmp_path: Path) -> None:
    folder = small.write_project(tmp_path, "photos", train=small.QUICK.replace("epochs: 6", "epochs: 2"))
    small.class_folders(folder / "photos", 16, THREE)
    result = small.done(folder, "crossval", "-k", "2", "--json").document
    run = Path(result["run"])
    table = pq.read_table(result["predictions"])
    kept = (run / "fold-1/model/model.safetensors").stat().st_mtime_ns
    (run / "result.json").unlink()
    (run / "predictions.parquet").unlink()
    (run / "fold-2/values.json").unlink()
    again = small.done(folder, "crossval", "-k", "2", "--resume", "--json").document
    assert Path(again["run"]) == run
    assert (run / "fold-1/model/model.safetensors").stat().st_mtime_ns == kept
    assert pq.read_table(again["predictions"]).equals(table)
    assert again["metrics"] == result["metrics"]
    assert json.loads((run / "result.json").read_text())["photos"] == again["photos"]
    assert "complete" in small.call(folder, "crossval", "-k", "2", "--resume").err
    (run / "result.json").unlink()
    changed = small.call(folder, "crossval", "-k", "3", "--resume")
    assert changed.code == 2
    assert "folds" in changed.err


def test_nothing_to_resume(tmp_path: Path) -> None:
    folder = small.write_project(tmp_path, "photos", model=FEATURES)
    small.class_folders(folder / "photos", 6, THREE)
    called = small.call(folder, "crossval", "--resume", "-k", "2")
    assert called.code == 2
    assert "nothing to resume" in called.err


def test_thresholds_of_folds_agree_on_one_scale() -> None:
    """Answers stay what they are, and so does the order of the scores of a fold."""
    scores = np.random.default_rng(0).random((50, 2))
    for limits in ((0.3, 0.8), (0.5, 0.5), (0.01, 0.99)):
        moved = summary.on_one_scale(scores, limits)
        assert ((moved >= 0.5) == (scores >= np.array(limits))).all()
        assert (np.argsort(moved, axis=0) == np.argsort(scores, axis=0)).all()


def test_places_are_means_over_folds() -> None:
    request = summary.TogetherRequest("detect", 100)

    class Photos(list[int]):
        """So many."""

    found = summary.together([{"ap50": 0.5}, {"ap50": 0.7}, {"ap50": None}], None, Photos([1] * 30), request)  # type: ignore[arg-type]
    assert found.values["ap50"] == pytest.approx(0.6)
    # Student's interval of two folds is wide, and a share stays one.
    assert (found.intervals["ap50"].low, found.intervals["ap50"].high) == (0.0, 1.0)
    same = summary.together([{"ap50": 1.0}, {"ap50": 1.0}], None, Photos([1] * 30), request)  # type: ignore[arg-type]
    assert same.values["ap50"] == 1.0
    assert "ap50" not in same.intervals
    figures = summary.figures([{"ap50": 0.5}, {"ap50": 0.7}, {"ap50": None}], found)
    assert figures["ap50"].folds == (0.5, 0.7, None)


def test_the_search_for_wrong_labels_reads_the_answers(tmp_path: Path) -> None:
    """Two photos lie in the folder of another class: they are found, by the answers alone."""
    folder = small.write_project(tmp_path, "photos", model=FEATURES)
    small.class_folders(folder / "photos", 24, THREE)
    for number in (3, 7):
        (folder / f"photos/winter/{number:02}.jpg").rename(folder / f"photos/no/moved{number}.jpg")
    run = small.done(folder, "crossval", "-k", "4", "--all", "--json").document["run"]
    words = ("data", "check", "--only", "label-doubtful", "--answers", run, "--json")
    found = small.done(folder, *words).document
    assert found["checks"] == ["label-doubtful"]
    first = found["findings"][0]["places"][:2]
    assert sorted(Path(each["file"]).name for each in first) == ["moved3.jpg", "moved7.jpg"]
    assert not (folder / ".vision/checks").exists()
    other = small.call(folder, "data", "check", "--answers", "photos")
    assert other.code == 3
    assert "no finished run" in other.err


def test_detectors_are_trained_a_fold_each(tmp_path: Path) -> None:
    """A fold in which nothing is found joins the others."""
    import detectors_made

    lines = ["path,label,xmin,ymin,xmax,ymax"]
    for at, photo in enumerate(detectors_made.draw_photos(tmp_path / "photos", 12)):
        name = photo.relative_to(tmp_path)
        lines += [f"{name},{label},{5 + at},10,{70 + at},90" for label in detectors_made.CLASSES]
    (tmp_path / "boxes.csv").write_text("\n".join(lines) + "\n")
    model = "{family: ssdlite, backbone: test_resnet, weights: none, input: {size: 96}}"
    folder = small.write_project(
        tmp_path, "boxes.csv", kpis="['ap50 > 0.9']", model=model, train="{epochs: 1, workers: 0}"
    )
    called = small.call(folder, "crossval", "-k", "2", "--all", "--json")
    assert called.code == 4, called.err
    result = called.document
    assert result["task"] == "detect"
    assert len(result["metrics"]["ap50"]["folds"]) == 2
    assert len(pq.read_table(result["predictions"])) == 12
