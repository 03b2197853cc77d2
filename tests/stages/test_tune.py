"""`vision tune`: what it draws, ends early, survives, confirms and proposes; and that no test photo is looked at."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import stage_projects as small
import yaml

from vision_cli.core import project as projects
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.kpi import Interval
from vision_cli.core.progress import Silent
from vision_cli.core.search_config import seconds_of
from vision_cli.stages.searching.axis import Axis
from vision_cli.stages.searching.pruning import Pruner
from vision_cli.stages.searching.trial import BASE, DONE, FAILED, PRUNED, SEARCH, Trial
from vision_cli.stages.tuning import applied, journal, space, verdict
from vision_cli.stages.tuning.hands import Processes
from vision_cli.stages.tuning.request import TuneRequest, TuneResult
from vision_cli.stages.tuning.space import Facts
from vision_cli.stages.tuning.trying import Trying
from vision_cli.stages.tuning.tune import tune

optuna = pytest.importorskip("optuna")

FEATURES = (
    "{family: features, backbone: test_resnet, weights: none, input: {size: 64}, "
    "features: {classifier: knn, neighbours: 36}}"
)
"""All training photos vote on each: a project that anything else does better than."""
THREE = ("winter", "summer", "no")
CLOTHING = Path(__file__).parents[3] / "shared/data/clothing_small"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of three classes with sides of their own, learned from random features."""
    folder = small.write_project(tmp_path_factory.mktemp("tune"), "photos", kpis="[top1 > 0.4]", model=FEATURES)
    file = folder / "vision.yaml"  # no share for a test side: where it is gone, none is dealt from the others
    file.write_text(file.read_text().replace("train: 0.5, val: 0.2, test: 0.3", "train: 0.8, val: 0.2, test: 0"))
    for side, photos, seed in (("train", 12, 1), ("val", 10, 2), ("test", 6, 3)):
        small.class_folders(folder / "photos" / side, photos, THREE, seed)
    return folder


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return small.copied(made, tmp_path / "project")


def asked(root: Path, *more: str, **options: Any) -> TuneRequest:
    return TuneRequest(projects.load(root / "vision.yaml", more), offline=True, **options)


def scores(found: TuneResult) -> list[tuple[int, int, Any, float | None]]:
    return [(each.number, each.again, dict(each.settings), each.score) for each in found.trials]


def spoil_test(root: Path, how: str) -> None:
    for photo in sorted((root / "photos/test").rglob("*.jpg")):
        if how == "gone":
            photo.unlink()
        elif how == "cut":  # its header is there, its pixels are not
            photo.write_bytes(photo.read_bytes()[:700])
        else:
            photo.rename(root / "photos/test" / THREE[0] / f"{photo.parent.name}-{photo.name}")


# What a search does


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


# The test split


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


# Going on


def test_a_search_that_goes_on_ends_as_one_that_never_stopped(root, whole):
    _, wanted = whole
    tune(asked(root, trials=2, confirm=0), Silent())
    found = tune(asked(root, trials=6, confirm=2, resume=True), Silent())
    assert scores(found) == scores(wanted)
    assert len(list((root / "runs/tune").glob("2*"))) == 1


def test_a_killed_search_goes_on_behind_its_last_whole_line(root, whole):
    _, wanted = whole
    words = ("tune", "--trials", "6", "--confirm", "2", "--offline")
    process = small.started(root, *words)
    log = root / "runs/tune/latest/journal.log"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if log.exists() and log.read_bytes().count(b"\n") >= 3:
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    with log.open("ab") as file:
        file.write(b'{"op_code":4,"torn')  # what it was writing when it was killed
    found = tune(asked(root, trials=6, confirm=2, resume=True), Silent())
    assert scores(found) == scores(wanted)


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


# Several processes


def test_two_processes_try_the_same_number_of_settings_and_the_same_first_one(root, whole):
    _, wanted = whole
    found = tune(asked(root, trials=4, confirm=0, jobs=2), Silent())
    assert sorted(each.number for each in found.trials) == list(range(5))
    assert all(each.state == DONE for each in found.trials)
    by_number = {each.number: each for each in found.trials}
    assert by_number[0].score == wanted.trials[0].score
    assert by_number[1].settings == wanted.trials[1].settings  # drawn at random, whoever is at what


class Told(Silent):
    def __init__(self) -> None:
        self.warned: list[str] = []

    def warn(self, text: str) -> None:
        self.warned.append(text)


def test_a_process_that_is_killed_fails_its_trial_and_the_next_one_begins(root):
    trying = Trying(projects.load(root / "vision.yaml"), "top1", root / "run", True)
    hands = Processes(trying, 1, Told())
    try:
        hands.start(Trial(1, SEARCH, 0, {"model.features.C": 1.0}, {}))
        os.kill(hands._busy[0]._process.pid or 0, signal.SIGKILL)
        (lost,) = hands.wait(lambda trial, scores: False)
        assert (lost.number, lost.state) == (1, FAILED)
        assert "signal 9" in lost.said
        hands.start(Trial(2, SEARCH, 0, {"model.features.neighbours": 3}, {}))
        (over,) = hands.wait(lambda trial, scores: False)
        assert (over.number, over.state) == (2, DONE)
    finally:
        hands.close()


# Trials that fail or are hopeless


def test_a_setting_that_cannot_be_trained_fails_and_the_search_goes_on(root):
    search = "tune.search={pca: [4, 8000]}"
    found = tune(asked(root, search, trials=3, confirm=0), Silent())
    failed = [each for each in found.trials if each.state == FAILED]
    assert failed
    assert all("pca" in each.said for each in failed)
    assert found.trials[0].state == DONE
    assert len([each for each in found.trials if not each.again]) == 4


def test_whatever_a_training_raises_is_written_down(root, monkeypatch):
    from vision_cli.stages.training import train as training

    real, calls = training.train, []

    def breaks(request: Any, progress: Any) -> Any:
        calls.append(request)
        if len(calls) == 2:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        if len(calls) == 3:
            raise MemoryError
        return real(request, progress)

    monkeypatch.setattr(training, "train", breaks)
    found = tune(asked(root, trials=3, confirm=0), Silent())
    assert [each.state for each in found.trials] == [DONE, FAILED, FAILED, DONE]
    assert "out of memory" in found.trials[1].said
    assert all(request.no_test for request in calls)


def test_a_search_in_which_everything_fails_says_why(root, monkeypatch):
    from vision_cli.stages.training import train as training

    def breaks(request: Any, progress: Any) -> Any:
        raise DataError("train: the loss is not finite.")

    monkeypatch.setattr(training, "train", breaks)
    with pytest.raises(DataError, match="first 4 trials failed") as refused:
        tune(asked(root, trials=9), Silent())
    assert "the loss is not finite" in refused.value.details[0]


def trial(number: int, score: float, *epochs: float, state: str = DONE) -> Trial:
    return Trial(number, SEARCH if number else BASE, 0, {}, {}, epochs, score if state == DONE else None, state)


def test_the_median_rule_ends_what_is_below_half_of_the_others_at_the_same_epoch():
    done = [trial(n, 0.5 + n / 10, 0.1 + n / 10, 0.5 + n / 10) for n in range(5)]  # medians 0.3 and 0.7
    pruner = Pruner("median", 4)
    assert pruner.hopeless(done, 9, [0.29])
    assert not pruner.hopeless(done, 9, [0.31])
    assert pruner.hopeless(done, 9, [0.4, 0.69])
    assert not pruner.hopeless(done, 9, [0.2, 0.71])
    assert not pruner.hopeless(done[:3], 9, [0.0])  # too few to judge by
    assert not pruner.hopeless(done, 9, [0.1, 0.1, 0.1, 0.1])  # it is over anyway
    assert not Pruner("none", 4).hopeless(done, 9, [0.0])


def test_hyperband_ends_most_of_the_bad_ones_and_none_that_leads():
    pruner, over, ended = Pruner("hyperband", 9, seed=1), [], 0
    for number in range(30):
        quality = 1.0 if number == 20 else (number * 7 % 30) / 60
        seen: list[float | None] = []
        for epoch in range(9):
            seen.append(quality + epoch / 1000)
            if pruner.hopeless(over, number, seen):
                assert number != 20
                ended += 1
                break
        over.append(trial(number, quality, *[each for each in seen if each is not None]))
    assert ended >= 10


def test_hyperband_goes_on_after_a_resume_as_without():
    one, other, over = Pruner("hyperband", 9, seed=1), Pruner("hyperband", 9, seed=1), []
    for number in range(12):
        seen = [(number * 7 % 12) / 12 + epoch / 100 for epoch in range(3)]
        answers = [one.hopeless(over, number, seen[: epoch + 1]) for epoch in range(3)]
        assert answers is not None
        over.append(trial(number, seen[-1], *seen))
    late = [0.01, 0.02, 0.03]
    assert [one.hopeless(over, 12, late[:n]) for n in (1, 2, 3)] == [
        other.hopeless(over, 12, late[:n]) for n in (1, 2, 3)
    ]


# Budget


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("1h30m", 5400), ("1.5 h", 5400), ("2d", 172800)]
)
def test_times(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "m", "30x", "-5m", "0m"])
def test_no_times(text):
    with pytest.raises(ValueError, match="30m"):
        seconds_of(text)


def test_a_budget_of_time_ends_after_the_first_trial_at_the_latest(root):
    found = tune(asked(root, seconds=0.01), Silent())
    assert [each.number for each in found.trials] == [0]


# Verdict


def judged(best: list[float], base: list[float], *, up: bool = True, confirm: int = 3, measured: Any = None) -> Any:
    first = Trial(0, BASE, 0, {}, {}, (), base[0])
    other = Trial(1, SEARCH, 0, {"train.mixup": 0.1}, {}, (), best[0])
    again = [replace(first, again=n, score=score) for n, score in enumerate(base[1:], 1)]
    again += [replace(other, again=n, score=score) for n, score in enumerate(best[1:], 1)]
    return verdict.verdict([first, other, *again], verdict.Judging("f1", up, confirm), measured)


class Difference:
    n_photos = 50

    def __init__(self, value: float, low: float, high: float) -> None:
        self.value, self._ends = value, (low, high)

    def at(self) -> Interval:
        return Interval(*self._ends)


def test_better_beyond_seeds_and_photos():
    found = judged([0.9, 0.9, 0.91, 0.92], [0.7, 0.71, 0.72, 0.7], measured=Difference(0.2, 0.1, 0.3))
    assert (found.better, found.propose) == (True, True)
    assert "within noise" not in found.said


def test_seeds_that_overlap_or_photos_that_do_not_tell_are_no_proof():
    overlap = judged([0.9, 0.7, 0.91, 0.92], [0.7, 0.71, 0.72, 0.7], measured=Difference(0.2, 0.1, 0.3))
    photos = judged([0.9, 0.9, 0.91, 0.92], [0.7, 0.71, 0.72, 0.7], measured=Difference(0.2, -0.1, 0.3))
    assert (overlap.better, overlap.propose) == (False, True)
    assert (photos.better, photos.propose) == (False, True)
    assert "within noise" in photos.said


def test_what_is_worse_with_other_seeds_is_not_proposed():
    found = judged([0.9, 0.5, 0.5, 0.5], [0.7, 0.71, 0.72, 0.7])
    assert (found.better, found.propose) == (False, False)
    assert "nothing is proposed" in found.said


def test_lower_is_better_of_errors():
    found = judged([2.0, 2.1, 2.0, 2.2], [3.0, 3.1, 3.2, 3.0], up=False, measured=Difference(-1.0, -1.4, -0.6))
    assert (found.best.number, found.better, found.propose) == (1, True, True)


def test_without_fresh_seeds_it_stays_open():
    found = judged([0.9], [0.7], measured=Difference(0.2, 0.1, 0.3))
    assert (found.better, found.propose) == (None, True)
    assert "may be luck" in found.said


def test_a_project_whose_own_settings_fail_gets_the_best_of_the_others():
    first = Trial(0, BASE, 0, {}, {}, (), None, FAILED, 1.0, "the loss is not finite")
    found = verdict.verdict([first, Trial(1, SEARCH, 0, {}, {}, (), 0.6)], verdict.Judging("f1", True, 3), None)
    assert found is not None
    assert found.propose
    assert "not finite" in found.said


# The diff


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


# What can be searched


OF_TIMM = Facts("timm", (224, 224))


def knobs(tmp_path: Path, search: str, facts: Facts = OF_TIMM) -> tuple[Any, ...]:
    file = tmp_path / "vision.yaml"
    file.write_text(f"name: x\ntune: {{search: {search}}}\n")
    loaded = projects.load(file)
    return space.space(loaded, loaded.config.tune.search, facts)


@pytest.mark.parametrize(
    ("search", "match"),
    [
        ("{learning_rat: null}", "tune.search.learning_rat: no such setting.*'learning_rate'"),
        ("{learning_rate: [0, 0.1]}", "tune.search.learning_rate: a range by ratios begins above 0"),
        ("{learning_rate: [-1, 0.1]}", "tune.search.learning_rate"),
        ("{learning_rate: [0.1, 0.01]}", "tune.search.learning_rate: .0.1, 0.01. is no range"),
        ("{learning_rate: [0.1, 0.1]}", "is no range"),
        ("{learning_rate: [0.1, 20]}", "tune.search.learning_rate: 20: .*less than or equal to 10"),
        ("{learning_rate: [low, high]}", "tune.search.learning_rate.*no range of numbers"),
        ("{dropout: [0, 1]}", "tune.search.dropout: 1.*less than 1"),
        ("{augment: []}", "tune.search.augment: the list is empty"),
        ("{augment: [none]}", "tune.search.augment: one value"),
        ("{augment: [none, wild]}", "tune.search.augment: wild: .*'medium'"),
        ("{augment: {low: 0, high: 1}}", "tune.search.augment: .*no number"),
        ("{optimizer: [adamw, rmsprop]}", "tune.search.optimizer: rmsprop"),
        ("{backbone: null}", "tune.search.backbone: there is no usual range"),
        ("{backbone: [tf_efficientnet_lite0, resnot18]}", "tune.search.backbone: the family 'timm' has no backbone"),
        ("{image_size: [160, 9]}", "tune.search.image_size: 9: .*between 32 and 4096"),
        ("{image_size: {low: 160, high: 320, step: 500}}", "tune.search.image_size: 0 steps"),
        ("{batch_size: {low: 1.5, high: 4}}", "tune.search.batch_size: .*whole number"),
        ("{family: [timm, features]}", "tune.search.family: model.family is not searched"),
        ("{seed: [1, 9]}", "tune.search.seed: train.seed is not searched"),
        ("{augment: null, augmentation: null}", "both train.augment"),
    ],
)
def test_wrong_searches_are_refused_naming_the_key(tmp_path, search, match):
    pytest.importorskip("timm")
    with pytest.raises(UsageError) as refused:
        knobs(tmp_path, search)
    import re

    assert re.search(match, f"{refused.value.message} {refused.value.hint}")


@pytest.mark.parametrize(
    ("search", "match"),
    [
        ("{learning_rate: {low: 1}}", "a range has low and high"),
        ("{learning_rate: {}}", "say low and high, or choice"),
        ("{learning_rate: {low: 1, high: 2, log: true, step: 1}}", "step and log"),
        ("{learning_rate: 3}", "tune.search.learning_rate"),
    ],
)
def test_wrong_ranges_are_refused_by_the_project_file(tmp_path, search, match):
    with pytest.raises(UsageError) as refused:
        knobs(tmp_path, search)
    assert match in f"{refused.value.message} {refused.value.details}"


@pytest.mark.parametrize(
    "search",
    [
        "{learning_rate: [0.0001, 0.1], weight_decay: null, dropout: [0, 0.5], augment: null, optimizer: null}",
        "{image_size: [160, 192, [224, 160]], schedule: null, freeze: [backbone, none, 3 stages], batch_size: [8, 64]}",
        "{image_size: {low: 128, high: 256, step: 32}, mixup: null, label_smoothing: null, layer_decay: null}",
        "{classifier: null, C: [0.1, 10], pca: [4, 64], neighbours: null, multi_scale: null, clip_gradient: [0, 5]}",
    ],
)
def test_every_point_of_the_space_is_a_valid_project_and_comes_back(tmp_path, search):
    settings = knobs(tmp_path, search)
    loaded = projects.load(tmp_path / "vision.yaml")
    rng = np.random.default_rng(7)
    for _ in range(20):
        place = {each.key: drawn(each.axis, rng) for each in settings}
        values = space.settings_at(settings, place)
        config = applied.with_settings(loaded, values).config
        for each in settings:
            now = applied.value_of(config, each.key)
            back = each.place(now)
            assert back is not None, (each.key, now)
            assert each.value({each.key: back}) == values[each.key], (each.key, now)


def drawn(axis: Axis, rng: np.random.Generator) -> float | int | str:
    if axis.words:
        return str(rng.choice(axis.words))
    ends = (axis.low, axis.high)
    value = np.exp(rng.uniform(*np.log(ends))) if axis.log else rng.uniform(*ends)
    return round(value) if axis.whole else float(value)


def test_the_rate_is_searched_around_the_range_test(tmp_path):
    (rate,) = knobs(tmp_path, "{learning_rate: null}", Facts("timm", suggestion=0.02))
    assert (rate.axis.low, rate.axis.high, rate.axis.log) == (pytest.approx(0.002), pytest.approx(0.2), True)


@pytest.mark.parametrize(
    ("search", "key"),
    [("{learning_rate: null}", "train.learning_rate"), ("{dropout: [0, 0.5]}", "model.dropout")],
)
def test_settings_without_effect_are_refused(root, search, key):
    with pytest.raises(UsageError, match=f"{key} has no effect"):
        tune(asked(root, f"tune.search={search}"), Silent())


def test_a_journal_holds_what_was_tried_and_mends_its_end(tmp_path):
    axes = (Axis("a", 0.1, 1.0, log=True), Axis("b", words=("x", "y")))
    first = Trial(0, BASE, 0, {}, {"a": 0.3}, (0.1, None, 0.3), 0.4)
    second = Trial(1, SEARCH, 0, {"a": 0.2}, {"a": 0.2, "b": "y"}, (0.1,), None, PRUNED, 1.5)
    held = journal.opened(tmp_path, axes, up=True)
    held.add(first)
    held.add(second)
    with (tmp_path / journal.LOG).open("ab") as file:
        file.write(b'{"torn')
    again = journal.opened(tmp_path, axes, up=True)
    again.add(replace(first, number=2))
    assert journal.opened(tmp_path, axes, up=True).trials() == [first, second, replace(first, number=2)]


# The command


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


# Networks that learn in epochs


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TuneResult]:
    """A search of a tiny network that learns as a whole, with its range test."""
    model = "{family: timm, backbone: test_resnet, weights: none, input: {size: 32}, dropout: 0}"
    train = "{epochs: 3, workers: 0, freeze: none, augment: none, batch_size: 12}"
    root = small.write_project(tmp_path_factory.mktemp("net"), "photos", model=model, train=train)
    for side, photos, seed in (("train", 8, 1), ("val", 6, 2)):
        small.class_folders(root / "photos" / side, photos, THREE, seed)
    (root / "vision.yaml").write_text(
        (root / "vision.yaml").read_text()
        + "tune: {trials: 6, confirm: 1, range_test: {low: 0.0001, high: 10, steps: 30},\n"
        + "  search: {learning_rate: null, optimizer: null}}\n"
    )
    return root, tune(asked(root), Silent())


def test_the_range_test_comes_first_and_the_rate_is_searched_around_it(network):
    _, found = network
    test = found.range_test
    assert test is not None
    assert test.path.is_file()
    assert test.plot.read_text().startswith("<svg")
    rates = json.loads(test.path.read_text())["rates"]
    np.testing.assert_allclose(rates, np.geomspace(1e-4, 10, 30)[: len(rates)], rtol=1e-9)
    assert test.suggestion is not None
    drawn_rates = [each.settings["train.learning_rate"] for each in found.trials if each.origin == SEARCH]
    assert all(0.09 * test.suggestion < rate < 11 * test.suggestion for rate in drawn_rates)
    assert "Learning-rate range test" in (found.run / "report.html").read_text()


def test_epochs_are_judged_and_hopeless_trials_ended(network):
    _, found = network
    whole = [each for each in found.trials if each.state == DONE]
    assert all(len(each.scores) == 3 and None not in each.scores for each in whole)
    assert all(1 <= len(each.scores) < 3 for each in found.trials if each.state == PRUNED)
    assert {each.state for each in found.trials} <= {DONE, PRUNED}


def test_range_only_and_a_resume_that_does_not_test_again(network, tmp_path):
    root, found = network
    root = small.copied(root, tmp_path / "net")
    alone = small.done(root, "tune", "--range-only", "--json", "--offline").document
    assert alone["trials"] == []
    assert alone["range_test"]["suggestion"] == found.range_test.suggestion
    before = (root / "runs/tune/latest/range_test.json").stat().st_mtime_ns
    went_on = small.done(root, "tune", "--resume", "--trials", "1", "--confirm", "0", "--json", "--offline").document
    assert len(went_on["trials"]) == 2
    assert (root / "runs/tune/latest/range_test.json").stat().st_mtime_ns == before


def test_values_are_searched_by_their_error_downwards(tmp_path):
    root = small.write_project(tmp_path / "values", "values.csv", kpis="['mae < 5']", model=FEATURES.replace("36", "30"))
    small.value_csv(root / "values.csv", 60)
    found = tune(asked(root, trials=5, confirm=1), Silent())
    assert (found.metric, found.up) == ("mae", False)
    errors = [each.score for each in found.trials if not each.again and each.score is not None]
    assert found.found is not None
    assert found.found.best is not None
    assert found.found.best.score == min(errors) < errors[0]
    assert found.found.interval is not None
    assert found.found.interval.low <= (found.found.difference or 0) <= found.found.interval.high


def test_detectors_have_a_range_test_and_a_search_too(tmp_path):
    (tmp_path / "photos").mkdir()
    rng = np.random.default_rng(4)
    rows = ["path,x,y,w,h,class"]
    for number in range(12):
        left, top = rng.integers(4, 36, 2)
        photo = rng.normal(90, 12, (64, 64, 3))
        photo[top : top + 24, left : left + 24] = (220, 40, 40)
        small.save(tmp_path / "photos" / f"{number}.jpg", photo)
        rows.append(f"{number}.jpg,{left},{top},24,24,thing")
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "vision.yaml").write_text(
        "name: d\ntask: detect\ndata:\n  sources: {one: {path: labels.csv, images: photos}}\n"
        "  split: {train: 0.5, val: 0.5, test: 0}\n"
        "model: {weights: none, backbone: test_resnet, input: {size: 64}}\n"
        "train: {epochs: 2, workers: 0, augment: none, batch_size: 3}\n"
        "tune: {range_test: {low: 0.0001, high: 1, steps: 20}, search: {learning_rate: null, weight_decay: null}}\n"
    )
    found = tune(asked(tmp_path, trials=1, confirm=0), Silent())
    assert found.metric == "ap50"
    assert found.range_test is not None
    assert len(found.range_test.rates) >= 10
    assert [len(each.scores) for each in found.trials] == [2, 2]
    with pytest.raises(UsageError, match=r"model\.dropout has no effect"):
        tune(asked(tmp_path, "tune.search={dropout: [0, 0.5]}"), Silent())


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
