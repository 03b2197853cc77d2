"""Processes that learn together learn what one would, and stop for the same reason."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from team_cases import CASES, all_cases, learned

from vision_cli.core.config import ProjectConfig
from vision_cli.core.errors import DataError, UsageError
from vision_cli.stages.training import processes
from vision_cli.training.batches import EpochBatches
from vision_cli.training.joining import Seat, meeting_place
from vision_cli.training.team import ALONE, RelayedError, Team

HERE = Path(__file__).parent
FIGURES = ("train_loss", "val_loss", "learning_rate")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("team")


@pytest.fixture(scope="module")
def both(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what comes of all cases in the first process, this one, and in the second."""
    store = meeting_place(2)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    command = [sys.executable, str(HERE / "team_cases.py"), str(store.port), str(folder)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as second:
        first = all_cases(Seat(0, 2, 0, 2), folder, store)
        _, said = second.communicate()
    assert second.returncode == 0, said
    return first, torch.load(folder / "second.pt", weights_only=True)


def curves(found: Mapping[str, Any]) -> list[float]:
    return [row[name] for row in found["history"] for name in FIGURES]


@pytest.mark.parametrize("case", ["plain", "accumulated", "multilabel"])
def test_two_processes_learn_what_one_does(both: tuple[dict[str, Any], Any], folder: Path, case: str) -> None:
    alone = learned(case, ALONE, folder / "alone")
    together = both[0][case]
    assert len(alone["history"]) == 4
    np.testing.assert_allclose(curves(together), curves(alone), rtol=1e-5)
    for name, value in alone["weights"].items():
        torch.testing.assert_close(together["weights"][name], value, rtol=1e-4, atol=1e-5)
    losses = [row["train_loss"] for row in alone["history"]]
    assert losses[-1] < 0.9 * losses[0], "a network that learns nothing would agree with any other"


@pytest.mark.parametrize("case", CASES[:-1])
def test_both_end_with_the_same_weights(both: tuple[dict[str, Any], dict[str, Any]], case: str) -> None:
    one, other = (found[case] for found in both)
    for name, value in one["weights"].items():
        assert torch.equal(value, other["weights"][name]), name
    assert one["history"] == other["history"]


def test_when_memory_runs_out_in_one_all_halve(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    first, second = (found["memory"] for found in both)
    said = "Memory ran out at 10 photos a batch; going on with 5, 2 batches a step."
    assert said in first["warned"]
    assert said in second["warned"]  # nobody hears the second: its progress is silent in a real run
    assert first["stopped"] == "finished"


def test_a_loss_that_is_no_number_in_one_ends_all(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    assert [found["not finite"]["stopped"] for found in both] == ["nan loss", "nan loss"]
    assert len(both[0]["not finite"]["history"]) == 2  # of 3 batches each; the eighth had no number


def test_what_one_refuses_all_tell(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    error = both[0]["refused"]
    assert isinstance(error, RelayedError)
    assert error.exit_code == DataError.exit_code
    assert "broken.png" in error.message
    assert both[1]["error"] == error.message


@pytest.mark.parametrize(("photos", "batch_size", "size"), [(27, 10, 2), (64, 8, 8), (9, 4, 4), (5, 4, 4), (7, 3, 3)])
def test_parts_make_up_the_batches_of_one(photos: int, batch_size: int, size: int) -> None:
    parts = [list(EpochBatches(photos, batch_size, 3, team=Team(rank, size))) for rank in range(size)]
    for batch in zip(*parts, strict=True):
        assert all(batch), "no process is left without a photo"
        sizes = [len(part) for part in batch]
        assert max(sizes) - min(sizes) <= 1
    together = [[key for part in batch for key in part] for batch in zip(*parts, strict=True)]
    assert sorted(key for batch in together for key in batch) == [(0, index) for index in range(photos)]
    if batch_size // size > 1:
        assert together == list(EpochBatches(photos, batch_size, 3))


def config(**train: Any) -> ProjectConfig:
    return ProjectConfig.model_validate({"train": {"device": "cpu", **train}})


TORCHRUN = {
    "RANK": "3",
    "WORLD_SIZE": "4",
    "LOCAL_RANK": "1",
    "LOCAL_WORLD_SIZE": "2",
    "MASTER_ADDR": "10.0.0.1",
    "MASTER_PORT": "29400",
}


@pytest.mark.parametrize(
    ("train", "environment", "words"),
    [
        ({"devices": 1000}, {}, ("train.devices: 1000", "core", "at most")),
        ({"nodes": 2}, {}, ("train.nodes: 2 machines", "torchrun --nnodes=2")),
        ({"devices": 1, "nodes": 2, "batch_size": 1}, TORCHRUN, ("torchrun started 2", "says 1 on 2")),
        ({"nodes": 3}, TORCHRUN, ("torchrun started 2 processes on each of 2 machines", "on 3")),
        ({"batch_size": 3}, TORCHRUN, ("train.batch_size: 3 photos", "4 processes")),
    ],
)
def test_what_cannot_be_is_refused(train: dict[str, Any], environment: dict[str, str], words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as refused:
        processes.seat(config(**train), environment)
    assert all(word in f"{refused.value.message} {refused.value.hint}" for word in words)


def test_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_cores", lambda: 4)
    assert processes.seat(config(), {}) == Seat()
    assert processes.seat(config(devices=3), {}) == Seat(0, 3, 0, 3)
    for train in ({}, {"nodes": 2}, {"devices": 2, "nodes": 2}):
        assert processes.seat(config(**train), TORCHRUN) == Seat(3, 4, 1, 2)
    assert processes.seat(config(), {name: TORCHRUN[name] for name in ("RANK", "WORLD_SIZE")}) == Seat()


@pytest.mark.parametrize("value", ["many", "0", "-1", "1.5"])
def test_devices_are_a_number_or_auto(value: str) -> None:
    with pytest.raises(ValueError, match="devices"):
        config(devices=value)
