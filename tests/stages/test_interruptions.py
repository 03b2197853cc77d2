"""Trainings that are killed, interrupted, resumed, or asked to resume what is another training."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import stage_projects as small
import torch
from safetensors.torch import load_file

from vision_cli.core import run
from vision_cli.stages.training import run_lock

Copy = Callable[[Path], Path]
LONG = (
    "{epochs: 6, workers: 0, freeze: none, augment: light, learning_rate: 0.01, batch_size: 16, patience: 0, ema: 0.9}"
)
MODEL = "{family: timm, backbone: test_resnet, weights: none, input: {size: 96}, dropout: 0.3}"


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose training takes long enough to be interrupted."""
    folder = small.write_project(tmp_path_factory.mktemp("long"), "photos", model=MODEL, train=LONG)
    small.class_folders(folder / "photos", 30, ("winter", "summer", "1e3"))
    return folder


@pytest.fixture(scope="module")
def interrupted(untrained: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.Popen[str], str]:
    """A copy whose training got one SIGINT in the middle; its process and stderr."""
    folder = small.copied(untrained, tmp_path_factory.mktemp("interrupted") / "project")
    process = begun(folder)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    return folder, process, err


def begun(folder: Path) -> subprocess.Popen[str]:
    """Start a training and return it when its first checkpoint is there."""
    process = small.started(folder, "train")
    checkpoint = folder / "runs/train/latest/checkpoints/last.ckpt"
    until = time.monotonic() + 60
    while not checkpoint.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.01)
    return process


def weights(folder: Path) -> dict[str, torch.Tensor]:
    found: dict[str, Any] = load_file(folder / "runs/train/latest/model/model.safetensors")
    return found


def status(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "runs/train/latest/status.json").read_text())
    return found


def epochs(folder: Path) -> list[int]:
    file = folder / "runs/train/latest/metrics.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    return [json.loads(line)["epoch"] for line in lines]


def test_kill_9_and_resume_end_with_the_weights_of_an_uninterrupted_run(
    untrained: Path, interrupted: tuple[Path, subprocess.Popen[str], str], tmp_path: Path
) -> None:
    whole, killed = (small.copied(untrained, tmp_path / name) for name in ("whole", "killed"))
    process = begun(killed)
    process.kill()
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    assert status(killed)["state"] == "running"
    assert not (killed / "runs/train/latest/model").exists()
    assert len(epochs(killed)) < 6, "killed too late to show anything"
    refused = small.call(killed, "eval")
    assert refused.code == 3
    assert "the last training is 'running' and has no model" in refused.err
    assert "vision train --resume" in refused.err
    small.done(whole, "train")
    interrupted_folder = small.copied(interrupted[0], tmp_path / "interrupted")
    expected = weights(whole)
    for folder in (killed, interrupted_folder):
        small.done(folder, "train", "--resume")
        found = weights(folder)
        assert list(found) == list(expected)
        assert all(torch.equal(found[name], expected[name]) for name in expected)
        assert status(folder)["state"] == "done"
        assert epochs(folder) == list(range(1, 7))
        assert len(list((folder / "runs/train").iterdir())) == 2, "a resumed run is no second run"
    small.done(killed, "eval")


def test_one_sigint_saves_and_ends_with_130(interrupted: tuple[Path, subprocess.Popen[str], str]) -> None:
    folder, process, err = interrupted
    assert process.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    assert status(folder)["state"] == "interrupted"
    assert (folder / "runs/train/latest/checkpoints/last.ckpt").is_file()
    assert not list(folder.rglob("*.part"))


def test_changed_labels_are_not_resumed(interrupted: tuple[Path, object, str], copy: Copy) -> None:
    folder = copy(interrupted[0])
    shutil.move(folder / "photos/winter/00.jpg", folder / "photos/summer/moved.jpg")
    assert_refused(folder, 3, "the photos, labels, split or classes are not those")


def test_a_changed_photo_is_not_resumed(interrupted: tuple[Path, object, str], copy: Copy) -> None:
    folder = copy(interrupted[0])
    shutil.copy(folder / "photos/winter/01.jpg", folder / "photos/winter/00.jpg")
    assert_refused(folder, 3, "photos of the same name have another content")


def test_changed_settings_are_not_resumed(interrupted: tuple[Path, object, str], copy: Copy) -> None:
    folder = copy(interrupted[0])
    words = ("train.epochs=13", "model.dropout=0.1")
    assert_refused(folder, 2, "settings changed since the run began: model.dropout, train.epochs", *words)
    assert_refused(folder, 2, "settings changed since the run began: task", "task=multilabel")


def assert_refused(folder: Path, code: int, told: str, *words: str) -> None:
    """Check that resuming is refused and leaves the run as it is, to be resumed when the change is undone."""
    before = small.listing(folder / "runs")
    called = small.call(folder, "train", "--resume", *words)
    assert called.code == code, called.err
    assert told in called.err
    assert small.listing(folder / "runs") == before


def test_a_training_that_goes_on_is_not_resumed_beside_itself(
    interrupted: tuple[Path, object, str], copy: Copy
) -> None:
    folder = copy(interrupted[0])
    record = run.latest(folder, "train")
    record.set_status("running")
    with run_lock.held(record):
        called = small.call(folder, "train", "--resume")
    assert called.code == 6
    assert f"is being trained by process {os.getpid()}" in called.err
    assert status(folder)["state"] == "running"


def test_a_dry_run_of_resume_says_what_a_resume_would(interrupted: tuple[Path, object, str], copy: Copy) -> None:
    folder = copy(interrupted[0])
    before = small.listing(folder)
    small.done(folder, "train", "--resume", "--dry-run")
    assert small.call(folder, "train", "--resume", "--dry-run", "train.seed=2").code == 2
    assert small.listing(folder) == before
