"""What a sample tells of the whole training: it is inputs that take time, and with tiles a photo is many."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from vision_cli.core import policy
from vision_cli.core.progress import Silent
from vision_cli.core.project import Project, load
from vision_cli.core.tiling import Tiles, windows
from vision_cli.stages.data import TaskData, load_view
from vision_cli.stages.training import fitting, trial
from vision_cli.stages.training.trial import Tried


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the command line starts: libraries that are imported send nothing."""
    for name, value in policy.QUIET_SWITCHES.items():
        monkeypatch.setenv(name, value)


SMALL, LARGE = (64, 64), (256, 160)
TILES = Tiles((64, 64), 0.25)


def project_of(folder: Path, tiles: str, photos: int = 12) -> Project:
    """Every second photo is large; a small object in the corner of each, so that most tiles are empty."""
    (folder / "photos").mkdir(parents=True)
    for number in range(photos):
        Image.new("RGB", LARGE if number % 2 else SMALL).save(folder / "photos" / f"{number}.png")
    rows = "".join(f"{number}.png,4,4,20,20,thing\n" for number in range(photos))
    (folder / "labels.csv").write_text("path,x,y,w,h,class\n" + rows)
    (folder / "vision.yaml").write_text(
        "version: 1\nname: tiles\ntask: detect\ndata:\n  sources:\n    one: {path: labels.csv, images: photos}\n"
        "  split: {train: 0.5, val: 0.5, test: 0}\n"
        f"model: {{weights: none, input: {{size: 64{tiles}}}}}\n"
    )
    return load(folder / "vision.yaml")


def counted(data: TaskData, negatives: float | None) -> int:
    """Count the tiles one by one; a tile has the object if it begins in the corner."""
    found = 0
    for split in ("train", "val"):
        part = data.dataset.split(split)
        pairs = zip(part.images["width"].to_pylist(), part.images["height"].to_pylist(), strict=True)
        parts = [window for size in pairs for window in windows(size, TILES)]
        full = sum(left < 24 and top < 24 for left, top, _, _ in parts)
        empty = len(parts) - full
        if split == "train" and negatives is not None:
            empty = min(empty, int(full * negatives / (1 - negatives)))
        found += full + empty
    return found


@pytest.mark.parametrize("negatives", [0.5, 1.0])
def test_time_goes_with_the_number_of_tiles(tmp_path: Path, negatives: float) -> None:
    tiles = f", tiles: {{size: 64, overlap: 0.25, negatives: {negatives}}}"
    project = project_of(tmp_path, tiles)
    whole = load_view(project, remember=False)
    small = whole.dataset.images["width"].to_numpy() == SMALL[0]
    sample = replace(whole, dataset=whole.dataset.select(small))
    count = fitting.counter_of_scenes(project, whole.task)
    assert count is not None
    history = [{"epoch": 1, "seconds": 30.0}, {"epoch": 2, "seconds": 10.0}]
    (tmp_path / "run").mkdir()
    tried = Tried(sample.dataset, history, 46.0, tmp_path / "run")
    told = trial.estimate(whole.dataset, tried, 50, count)
    there = counted(whole, None if negatives == 1.0 else negatives)
    # Each small photo is one tile.
    assert told.scenes == there
    # What is done once, whatever the number of photos, is not multiplied.
    assert told.seconds == pytest.approx(there / small.sum() * 50 * 10 + 6)
    assert told.photos == len(whole.part("train"))


def test_without_tiles_it_goes_with_the_photos(tmp_path: Path) -> None:
    project = project_of(tmp_path, "")
    whole = load_view(project, remember=False)
    assert fitting.counter_of_scenes(project, whole.task) is None
    half = whole.dataset.select(np.arange(len(whole.dataset)) % 2 == 0)
    (tmp_path / "run").mkdir()
    told = trial.estimate(whole.dataset, Tried(half, [{"epoch": 1, "seconds": 10.0}], 10.0, tmp_path / "run"), 5)
    parts = (len(whole.part("train")) + len(whole.part("val")), len(half.split("train")) + len(half.split("val")))
    assert told.seconds == pytest.approx(parts[0] / parts[1] * 50)
    assert told.scenes is None
    network = fitting.build(project, whole, Silent(), offline=True)
    slots = fitting.slots(project.config, whole, network)
    assert slots == (96 * 96 * 3, 64 * 64 * 3)
    more = trial.estimate(whole.dataset, Tried(half, [{"epoch": 1, "seconds": 1.0}], 1.0, tmp_path / "run", slots), 5)
    halves = [len(whole.part(name)) - len(half.split(name)) for name in ("train", "val")]
    # The peak of this process only grows.
    assert more.memory_mb - told.memory_mb >= np.dot(halves, slots) / 1e6 - 1e-6
    assert trial._held_mb((10**6, 0), (10**6, 0)) == 1000
    assert "scenes" not in told.as_json()


@pytest.mark.parametrize("by_heart", [True, False])
def test_what_is_learned_by_heart_drops_nothing_out(tmp_path: Path, by_heart: bool) -> None:
    for index in range(4):
        (tmp_path / "photos" / "ab"[index % 2]).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", SMALL, (index * 60, 0, 0)).save(tmp_path / "photos" / "ab"[index % 2] / f"{index}.png")
    (tmp_path / "vision.yaml").write_text(
        "version: 1\nname: two\ntask: classify\ndata: {sources: {two: {path: photos}}}\n"
        "model: {backbone: test_resnet, weights: none, dropout: 0.5, input: {size: 32}}\n"
    )
    project = load(tmp_path / "vision.yaml")
    data = replace(load_view(project), by_heart=by_heart)
    network: Any = fitting.build(project, data, Silent(), offline=True)
    answers = network.head.train()(torch.ones(8, network.n_features))
    assert torch.allclose(answers, answers[:1].expand_as(answers)) == by_heart
