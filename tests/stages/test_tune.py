"""`vision tune`: what it tries, goes on with and proposes; and that no test photo is looked at."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import stage_projects as small
import yaml
from tune_made import FEATURES, THREE, asked, features_project, scores

from vision_cli.core import project as projects
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Silent
from vision_cli.stages.searching.trial import BASE, SEARCH
from vision_cli.stages.tuning import applied
from vision_cli.stages.tuning.request import TuneResult
from vision_cli.stages.tuning.tune import tune

optuna = pytest.importorskip("optuna")

CLOTHING = Path(__file__).parents[3] / "shared/data/clothing_small"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return features_project(tmp_path_factory.mktemp("tune"))


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return small.copied(made, tmp_path / "project")


def spoil_test(root: Path, how: str) -> None:
    for photo in sorted((root / "photos/test").rglob("*.jpg")):
        if how == "gone":
            photo.unlink()
        elif how == "cut":  # its header is there, its pixels are not
            photo.write_bytes(photo.read_bytes()[:700])
        else:
            photo.rename(root / "photos/test" / THREE[0] / f"{photo.parent.name}-{photo.name}")


@pytest.fixture(scope="module")
def whole(made: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TuneResult]:
    """A search of six trials, with two fresh seeds."""
    root = small.copied(made, tmp_path_factory.mktemp("whole") / "project")
    return root, tune(asked(root, trials=6, confirm=2), Silent())


def test_trial_0_is_the_project_file_and_the_best_is_at_least_as_good(whole):
    _, found = whole
    first = found.trials[0]
    assert (first.number, first.origin, dict(first.settings)) == (0, BASE, {})
    assert first.score is not None
    assert [each.number for each in found.trials if not each.again] == list(range(7))
    assert found.metric == "top1"
    assert found.up
    assert found.found is not None
    best = found.found.best or found.found.base
    assert best.score == max(each.score for each in found.trials if not each.again and each.score is not None)


def test_the_score_is_that_of_the_validation_photos_by_another_evaluation(whole):
    """`vision eval --split val` with a trial's settings, trained by `vision train`, has the same figure."""
    root, found = whole
    trial = next(each for each in found.trials if each.origin == SEARCH and each.score is not None)
    words = [f"{key}={value}" for key, value in trial.settings.items()]
    small.done(root, "train", "--json", *words)
    measured = small.call(root, "eval", "--split", "val", "--json", *words).document
    assert measured["metrics"]["top1"] == pytest.approx(trial.score)


def test_files_of_the_run(whole):
    root, found = whole
    assert found.run == root / "runs/tune" / (root / "runs/tune/latest").readlink()
    assert json.loads((found.run / "status.json").read_text())["state"] == "done"
    result = json.loads((found.run / "result.json").read_text())
    assert [each["score"] for each in result["trials"]] == [each.score for each in found.trials]
    page = (found.run / "report.html").read_text()
    assert "classifier" in page
    assert "Trials" in page
    assert "<script" not in page
    assert not (found.run / "trials").exists()
    assert {path.name for path in (found.run / "models").iterdir()} <= {"0", *(str(n) for n in range(7))}
    assert len(list((found.run / "models").iterdir())) <= 2
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(found.run / "journal.log")))
    study = optuna.load_study(study_name="vision tune", storage=storage)
    assert len(study.trials) == len(found.trials)
    assert study.best_value == max(each.score for each in found.trials if each.score is not None)


def test_runs_of_trainings_are_left_alone(root):
    small.done(root, "train", "--json")
    before = small.listing(root / "runs/train")
    tune(asked(root, trials=2, confirm=0), Silent())
    assert small.listing(root / "runs/train") == before
    assert sorted(path.name for path in (root / "runs").iterdir()) == ["train", "tune"]


@pytest.mark.parametrize("how", ["gone", "cut", "labelled otherwise"])
def test_the_test_split_is_never_looked_at(root, whole, how):
    _, wanted = whole
    spoil_test(root, how)
    found = tune(asked(root, trials=6, confirm=2), Silent())
    assert [each.said for each in found.trials] == [each.said for each in wanted.trials]
    assert scores(found) == scores(wanted)
    assert found.diff == wanted.diff


def test_a_validation_photo_that_is_broken_is_told(root):
    next((root / "photos/val").rglob("*.jpg")).write_bytes(b"no photo at all")
    with pytest.raises(DataError):
        tune(asked(root, trials=6), Silent())


def test_without_validation_photos_nothing_is_searched(root):
    shutil.rmtree(root / "photos/val")
    with pytest.raises(DataError, match="no validation photos"):
        tune(asked(root, "data.split={train: 1, val: 0, test: 0}"), Silent())


def test_a_search_that_goes_on_ends_as_one_that_never_stopped(root, whole):
    _, wanted = whole
    tune(asked(root, trials=2, confirm=0), Silent())
    found = tune(asked(root, trials=6, confirm=2, resume=True), Silent())
    assert scores(found) == scores(wanted)
    assert len(list((root / "runs/tune").glob("2*"))) == 1


@pytest.mark.parametrize(
    ("more", "options", "match"),
    [
        (("train.seed=9",), {}, "train"),
        ((), {"seed": 5}, "tune.seed"),
        ((), {"search": ("C",)}, "tune.search"),
        (("kpis=['f1>0.5']",), {}, "metric"),
    ],
)
def test_another_search_is_not_gone_on_with(whole, more, options, match):
    root, _ = whole
    with pytest.raises(UsageError, match="other settings") as refused:
        tune(asked(root, *more, resume=True, **options), Silent())
    assert any(match in line for line in refused.value.details)


def test_there_is_nothing_to_resume_at_first(root):
    with pytest.raises(UsageError, match="nothing to resume"):
        tune(asked(root, resume=True), Silent())


def test_a_budget_of_time_ends_after_the_first_trial_at_the_latest(root):
    found = tune(asked(root, seconds=0.01), Silent())
    assert [each.number for each in found.trials] == [0]


def test_the_diff_applies_and_comments_stay(root):
    file = root / "vision.yaml"
    file.write_text(file.read_text().replace("kpis:", "# what must hold\nkpis:"))
    found = tune(asked(root, trials=6, confirm=0), Silent())
    assert found.settings
    assert not found.applied
    before = file.read_text()
    assert found.diff_file is not None
    other = root / "other"
    other.mkdir()
    shutil.copy(file, other)
    subprocess.run(["patch", "-p1", "-i", found.diff_file], cwd=other, check=True, capture_output=True)
    assert file.read_text() == before
    taken = tune(asked(root, trials=6, confirm=0, resume=True, apply=True), Silent())
    assert taken.applied
    assert file.read_text() == (other / "vision.yaml").read_text()
    assert "# what must hold" in file.read_text()
    config = projects.load(file).config
    for key, value in found.settings.items():
        assert str(applied.value_of(config, key)) == str(value)


@pytest.mark.parametrize(
    ("search", "key"),
    [("{learning_rate: null}", "train.learning_rate"), ("{dropout: [0, 0.5]}", "model.dropout")],
)
def test_settings_without_effect_are_refused(root, search, key):
    with pytest.raises(UsageError, match=f"{key} has no effect"):
        tune(asked(root, f"tune.search={search}"), Silent())


def test_the_command_line(root):
    found = small.done(root, "tune", "--trials", "2", "--confirm", "0", "--json", "--offline").document
    assert len(found["trials"]) == 3
    assert found["metric"] == "top1"
    quiet = small.done(root, "tune", "--resume", "--trials", "2", "--confirm", "0", "--quiet", "--offline")
    assert quiet.out.count("\n") == 1
    assert all(line.startswith("warning: ") for line in quiet.err.splitlines())
    assert small.call(root, "tune", "--time", "soon").code == 2
    assert small.call(root, "tune", "--search", "speed").code == 2
    assert small.call(root, "tune", "--range-only", "--offline").code == 2  # features have no learning rate


def test_a_dry_run_writes_nothing(root):
    before = small.listing(root)
    found = small.done(root, "tune", "--dry-run", "--json").document
    assert found["run"] is None
    assert list(found["searched"]) == ["model.features.classifier", "model.features.C"]
    assert {name for name in small.listing(root) if not name.startswith("logs")} == set(before)


def test_values_are_searched_by_their_error_downwards(tmp_path):
    model = FEATURES.replace("36", "30")  # so many photos learn
    root = small.write_project(tmp_path / "values", "values.csv", kpis="['mae < 5']", model=model)
    small.value_csv(root / "values.csv", 60)
    found = tune(asked(root, trials=5, confirm=1), Silent())
    assert (found.metric, found.up) == ("mae", False)
    errors = [each.score for each in found.trials if not each.again and each.score is not None]
    assert found.found is not None
    assert found.found.best is not None
    assert found.found.best.score == min(errors) < errors[0]
    assert found.found.interval is not None
    assert found.found.interval.low <= (found.found.difference or 0) <= found.found.interval.high


@pytest.mark.slow
@pytest.mark.skipif(not CLOTHING.is_dir(), reason="the real photos are not here")
def test_on_a_real_set_the_best_is_at_least_as_good_as_the_default(tmp_path):
    (tmp_path / "vision.yaml").write_text(
        yaml.safe_dump(
            {
                "name": "clothing",
                "task": "classify",
                "data": {"sources": {"photos": {"path": str(CLOTHING)}}},
                "model": {"family": "features"},
                "kpis": ["top1 > 0.8"],
            }
        )
    )
    found = tune(asked(tmp_path, trials=8, confirm=1), Silent())
    assert found.found is not None
    assert found.found.base.score is not None
    best = found.found.best or found.found.base
    assert best.score is not None
    assert best.score >= found.found.base.score > 0.7
    assert (found.run / "report.html").is_file()
