"""A training that is killed and resumed ends with the weights of one that was not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_training import Stripes, draw, request

from vision_cli.core.errors import DataError, ResourceError
from vision_cli.training import state
from vision_cli.training.fit import fit
from vision_cli.training.photos import Photos
from vision_cli.training.schedule import Plateau

HERE = Path(__file__).parent
OPTIONS: dict[str, Any] = {
    "epochs": 6,
    "ema": 0.8,
    "mixup": 0.3,
    "schedule": "plateau",
    "augment": "medium",
    "unfreeze_every": 2,
    "patience": 5,
    "learning_rate": 0.01,
}
SCRIPT = """
import sys, time
sys.path[:0] = {path!r}
from pathlib import Path
from test_resume import asked
from vision_cli.training.fit import fit

def log(row):
    print(row["epoch"], flush=True)
    time.sleep({pause})

fit(asked(Path({folder!r}), Path({data!r}), freeze={freeze!r}, log=log))
"""


def asked(folder: Path, data: Path, *, freeze: str = "none", resume: bool = False, **more: Any) -> Any:
    train, val = draw(data / "t", 20), draw(data / "v", 8, seed=1)
    options = {**OPTIONS, "freeze": freeze, **more}
    if freeze == "backbone":
        options |= {"unfreeze_every": None, "epochs": 60, "schedule": "cosine"}
    return request(folder, train, val, resume=resume, **options)


def weights(network: Any) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def assert_same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


@pytest.mark.parametrize(("freeze", "lines"), [("none", 3), ("backbone", 25)])
def test_kill_and_resume_ends_with_the_same_weights(tmp_path: Path, freeze: str, lines: int) -> None:
    whole = asked(tmp_path / "whole", tmp_path / "data", freeze=freeze)
    expected = fit(whole)
    path = [str(HERE), str(HERE.parents[1])]
    pause = 0.05 if freeze == "none" else 0.02
    script = SCRIPT.format(
        path=path, folder=str(tmp_path / "killed"), data=str(tmp_path / "data"), freeze=freeze, pause=pause
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(lines):
            assert process.stdout.readline()
        time.sleep(0.07)  # into the next epoch
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    half = state.load(tmp_path / "killed/checkpoints")
    assert half is not None
    assert not half.record.stopped
    resumed = asked(tmp_path / "killed", tmp_path / "data", freeze=freeze, resume=True)
    result = fit(resumed)
    assert_same(weights(whole.network), weights(resumed.network))
    assert (result.epochs, result.best_epoch) == (expected.epochs, expected.best_epoch)
    assert [row["val_loss"] for row in result.history] == [row["val_loss"] for row in expected.history]


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("stop_after", [1, 2, 5])
def test_every_epoch_is_a_place_to_resume_from(tmp_path: Path, stop_after: int, optimizer: str) -> None:
    whole = asked(tmp_path / "whole", tmp_path / "data", optimizer=optimizer, accumulate=2)
    fit(whole)

    def log(row: Any) -> None:
        if row["epoch"] == stop_after:
            raise KeyboardInterrupt

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(asked(tmp_path / "half", tmp_path / "data", optimizer=optimizer, accumulate=2, log=log))
    assert signal.getsignal(signal.SIGINT) is handler
    resumed = asked(tmp_path / "half", tmp_path / "data", optimizer=optimizer, accumulate=2, resume=True)
    fit(resumed)
    assert_same(weights(whole.network), weights(resumed.network))


def test_ctrl_c_inside_an_epoch_leaves_the_last_whole_one(tmp_path: Path) -> None:
    class Interrupted(Stripes):
        calls = 0

        def forward(self, batch: torch.Tensor) -> torch.Tensor:
            self.calls += self.training
            if self.calls == 7:  # three batches an epoch
                os.kill(os.getpid(), signal.SIGINT)
            return super().forward(batch)

    train = draw(tmp_path / "t", 20)
    with pytest.raises(KeyboardInterrupt):
        fit(request(tmp_path, train, network=Interrupted(), epochs=4))
    checkpoint = state.load(tmp_path / "checkpoints")
    assert checkpoint is not None
    assert checkpoint.record.epoch == 2


def test_resuming_a_finished_training_trains_no_more(tmp_path: Path) -> None:
    first = asked(tmp_path / "run", tmp_path / "data")
    fit(first)
    rows: list[Any] = []
    again = asked(tmp_path / "run", tmp_path / "data", resume=True, log=rows.append)
    result = fit(again)
    assert rows == []
    assert result.epochs == 6
    assert_same(weights(first.network), weights(again.network))


def test_resuming_without_a_checkpoint_starts_at_the_beginning(tmp_path: Path) -> None:
    result = fit(asked(tmp_path / "run", tmp_path / "data", resume=True))
    assert result.epochs == 6


def test_changed_data_or_plan_is_not_resumed(tmp_path: Path) -> None:
    fit(asked(tmp_path / "run", tmp_path / "data"))
    with pytest.raises(DataError, match="other data, or by another plan"):
        fit(asked(tmp_path / "run", tmp_path / "data", resume=True, learning_rate=0.5))
    train = draw(tmp_path / "t", 20)
    turned = Photos(train.paths, 1 - train.targets)
    fit(request(tmp_path / "other", train))
    with pytest.raises(DataError, match="other data, or by another plan"):
        fit(request(tmp_path / "other", turned, resume=True))


def test_a_frozen_training_does_not_compute_embeddings_twice(tmp_path: Path) -> None:
    first, again = (asked(tmp_path / "run", tmp_path / "data", freeze="backbone") for _ in range(2))
    fit(first)
    fit(again)
    assert [step for step in first.progress.steps if step[0] == "embed"]
    assert [step for step in again.progress.steps if step[0] == "embed"] == []


def checkpoint_of(epoch: int) -> state.Checkpoint:
    record = state.Record(8, 1, Plateau(3), epoch=epoch)
    return state.Checkpoint("same", {"w": torch.full((3,), float(epoch))}, {}, {}, 0, {}, record)


@pytest.mark.parametrize("broken_call", ["replace", "write_bytes", "_check_written", "unlink"])
def test_a_checkpoint_survives_a_kill_at_every_step_of_its_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken_call: str
) -> None:
    state.save(tmp_path, checkpoint_of(1))

    def dies(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    owner = {"replace": os, "write_bytes": state.files, "_check_written": state, "unlink": Path}[broken_call]
    with monkeypatch.context() as patch:
        patch.setattr(owner, broken_call, dies)
        with pytest.raises(KeyboardInterrupt):
            state.save(tmp_path, checkpoint_of(2))
    found = state.load(tmp_path)
    assert found is not None
    assert found.record.epoch == (1 if broken_call in ("replace", "write_bytes") else 2)
    assert float(found.model["w"][0]) == found.record.epoch


def test_a_torn_checkpoint_falls_back_on_its_predecessor(tmp_path: Path) -> None:
    state.save(tmp_path, checkpoint_of(1))
    content = (tmp_path / state.LAST).read_bytes()
    (tmp_path / state.PREVIOUS).write_bytes(content)
    (tmp_path / state.LAST).write_bytes(content[: len(content) // 2])
    found = state.load(tmp_path)
    assert found is not None
    assert found.record.epoch == 1
    (tmp_path / state.PREVIOUS).unlink()
    with pytest.raises(DataError, match="does not read"):
        state.load(tmp_path)


class Payload:
    """Unpickling this would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


def test_a_checkpoint_never_runs_code(tmp_path: Path) -> None:
    torch.save({"format": 1, "record": Payload(tmp_path / "pwned")}, tmp_path / state.LAST)
    with pytest.raises(DataError, match="more than tensors"):
        state.load(tmp_path)
    assert not (tmp_path / "pwned").exists()


def test_a_full_disk_is_a_resource_error_and_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    state.save(tmp_path, checkpoint_of(1))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ResourceError, match="No space left"):
            state.save(tmp_path, checkpoint_of(2))
    found = state.load(tmp_path)
    assert found is not None
    assert found.record.epoch == 1
