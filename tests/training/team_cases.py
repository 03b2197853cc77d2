"""What two processes learn together: run by a test as the first of them, and as a program by the second."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from tiny_training import Heard, Stripes, draw, request
from torch import Tensor

from vision_cli.core.errors import DataError, VisionError
from vision_cli.training.fit import fit
from vision_cli.training.joining import Seat, joined
from vision_cli.training.photos import Photos
from vision_cli.training.team import Team

OPTIONS: dict[str, Any] = {
    "epochs": 4,
    "batch_size": 10,
    "head_first": False,
    "norms": "learn",
    "ema": 0.8,
    "learning_rate": 0.005,
    "class_weights": "balanced",
    "label_smoothing": 0.1,
    "augment": "medium",
    "clip_gradient": 0.5,
    "patience": 3,
}
"""Batches of 10 of 27 photos of two classes of different size: parts and weights differ between the processes."""
CASES = ("plain", "accumulated", "multilabel", "memory", "not finite", "refused")


class Faulty(Stripes):
    """Fails in one process: by memory above some photos a part, or with a loss that is no number after some batches."""

    def __init__(self, *, most: int = 1 << 30, numbers: int = 1 << 30) -> None:
        super().__init__()
        parts: Any = self
        parts.head[0].p = 0.0
        for stage in (
            0,
            1,
        ):  # before a norm, a bias has no gradient but what rounding leaves, and Adam makes steps of it
            parts.backbone[stage][0].bias = None
        self.most, self.numbers, self.seen = most, numbers, 0

    def forward(self, batch: Tensor) -> Tensor:
        self.seen += self.training
        if self.training and len(batch) > self.most:
            raise MemoryError
        found = super().forward(batch)
        return found * float("nan") if self.training and self.seen > self.numbers else found


def asked(case: str, folder: Path, data: Path, rank: int) -> Any:
    """Return the request of a case; only the second process has a faulty network."""
    photos, val = draw(data / "t", 36), draw(data / "v", 8, seed=1)
    kept = [index for index in range(36) if index % 4 != 1]
    train = Photos([photos.paths[index] for index in kept], photos.targets[kept])
    options = dict(OPTIONS)
    faults: dict[str, int] = {}
    match case:
        case "accumulated":
            options |= {"accumulate": 2, "batch_size": 5}
        case "multilabel":
            options |= {"task": "multilabel"}
            hot, hot_val = (torch.eye(2)[torch.from_numpy(part.targets)].numpy() for part in (train, val))
            train, val = replace(train, targets=hot), replace(val, targets=hot_val)
        case "memory" if rank:
            faults = {"most": 3}
        case "not finite" if rank:
            faults = {"numbers": 7}
        case "refused" if rank:
            broken = data / "broken.png"
            broken.write_bytes(b"no photo")
            train = replace(train, paths=[*train.paths[:-1], broken])
        case "refused":
            train = replace(train, paths=[*train.paths[:-1], train.paths[-1].with_name("broken.png")])
            train.paths[-1].write_bytes(train.paths[0].read_bytes())
    return request(folder, train, val, network=Faulty(**faults), **options)


def learned(case: str, team: Team, folder: Path) -> dict[str, Any]:
    """Return history and weights of a case, and what was said, or the error."""
    ask = replace(asked(case, folder / case, folder / f"data{team.rank}", team.rank), team=team)
    heard: Any = ask.progress
    assert isinstance(heard, Heard)
    try:
        result = fit(ask)
    except DataError as error:
        return {"error": str(error)}
    network: Any = ask.network
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    return {"history": result.history, "weights": weights, "warned": heard.warned, "stopped": result.stopped}


def all_cases(seat: Seat, folder: Path, store: Any = None) -> dict[str, Any]:
    """Return what comes of all cases; the last one ends the team."""
    found: dict[str, Any] = {}
    try:
        with joined(seat, store) as team:
            for case in CASES[:-1]:
                found[case] = learned(case, team, folder)
            fit(replace(asked(CASES[-1], folder / CASES[-1], folder / f"data{seat.rank}", seat.rank), team=team))
    except VisionError as error:
        found[CASES[-1]] = error
    return found


if __name__ == "__main__":
    place, own = Seat(1, 2, 1, 2, int(sys.argv[1])), Path(sys.argv[2])
    found = all_cases(place, own)
    error = found.pop(CASES[-1])
    torch.save({**found, "error": str(error)}, own / "second.pt")
