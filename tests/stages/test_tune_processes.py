"""`vision tune` that is killed, in several processes, and with trials that fail."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import stage_projects as small
from tune_made import asked, features_project, scores

from vision_cli.core import project as projects
from vision_cli.core.errors import DataError
from vision_cli.core.progress import Silent
from vision_cli.stages.searching.trial import DONE, FAILED, SEARCH, Trial
from vision_cli.stages.tuning.hands import Processes
from vision_cli.stages.tuning.request import TuneResult
from vision_cli.stages.tuning.trying import Trying
from vision_cli.stages.tuning.tune import tune

pytest.importorskip("optuna")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return features_project(tmp_path_factory.mktemp("tune"))


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return small.copied(made, tmp_path / "project")


@pytest.fixture(scope="module")
def whole(made: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TuneResult]:
    """A search of six trials, with two fresh seeds."""
    root = small.copied(made, tmp_path_factory.mktemp("whole") / "project")
    return root, tune(asked(root, trials=6, confirm=2), Silent())


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


@pytest.mark.slow
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
