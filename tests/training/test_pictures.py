"""Pictures of a training: which there are, what they show, and that looking changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tiny_training import NO_PHOTOS, draw, request

from vision_cli.core.artefact import Decode
from vision_cli.core.errors import UsageError
from vision_cli.imaging.sheets import Style, Tile, Words, sheet
from vision_cli.training.fit import fit
from vision_cli.training.photo_painting import PhotoPainter
from vision_cli.training.pictures import FOLDER, spread

PAINTER = PhotoPainter("classify", ("lying", "standing"), Decode())


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / FOLDER).iterdir())


def test_first_batches_and_few_epochs_are_kept(tmp_path: Path) -> None:
    train, val = draw(tmp_path / "train", 32), draw(tmp_path / "val", 6, seed=1)
    asked = replace(request(tmp_path / "run", train, val, epochs=6), painter=PAINTER)
    fit(asked)
    batches = [f"train-batch-{number}.jpg" for number in (1, 2, 3)]
    epochs = [f"val-epoch-{number:04d}.jpg" for number in (1, 2, 4, 6)]
    assert names(tmp_path / "run") == sorted([*batches, *epochs, "val-best.jpg"])
    events = EventAccumulator(str(tmp_path / "run" / "logs" / "tensorboard")).Reload()
    tags = [f"pictures/train_batch_{number}" for number in (1, 2, 3)]
    assert sorted(events.Tags()["images"]) == [*tags, "pictures/val"]
    assert [event.step for event in events.Images("pictures/val")] == [1, 2, 4, 6]


@pytest.mark.parametrize("freeze", ["none", "backbone"])
def test_looking_changes_no_weight_and_is_the_same_again(tmp_path: Path, freeze: str) -> None:
    train, val = draw(tmp_path / "train", 16), draw(tmp_path / "val", 6, seed=1)
    found = []
    for run, painter in (("plain", None), ("one", PAINTER), ("two", PAINTER)):
        asked = replace(request(tmp_path / run, train, val, freeze=freeze, epochs=2, ema=0.9), painter=painter)
        fit(asked)
        found.append(asked.network.state_dict())  # type: ignore[attr-defined]
    assert not (tmp_path / "plain" / FOLDER).exists()
    for other in found[1:]:
        assert all(torch.equal(value, other[name]) for name, value in found[0].items())
    assert {"train-batch-1.jpg", "val-best.jpg", "val-epoch-0001.jpg"} <= set(names(tmp_path / "one"))
    for name in names(tmp_path / "one"):
        one, two = ((tmp_path / run / FOLDER / name).read_bytes() for run in ("one", "two"))
        assert one == two


def test_without_validation_photos_only_batches_are_kept(tmp_path: Path) -> None:
    asked = replace(request(tmp_path / "run", draw(tmp_path / "train", 8), NO_PHOTOS, epochs=1), painter=PAINTER)
    fit(asked)
    assert names(tmp_path / "run") == ["train-batch-1.jpg"]


def test_wrong_answers_stand_out() -> None:
    photos, raw = np.zeros((2, 8, 8, 3), dtype=np.uint8), np.array([[2.0, -2.0], [2.0, -2.0]], dtype=np.float32)
    right, wrong = PAINTER.answered(photos, np.array([0, 1]), (raw,))
    assert [line.text for line in right.lines] == ["is lying", "98% lying"]
    assert [line.wrong for line in (*right.lines, *wrong.lines)] == [False, False, False, True]


@pytest.mark.parametrize(
    ("task", "target", "raw", "texts"),
    [
        ("multilabel", [1.0, 0.0], [3.0, 3.0], ["is lying", "said lying, standing"]),
        ("multilabel", [0.0, 0.0], [-3.0, -3.0], ["is no label", "said no label"]),
        ("regress", [0.5], [1.0], ["is 11", "said 12"]),
    ],
)
def test_answers_in_words(task: str, target: list[float], raw: list[float], texts: list[str]) -> None:
    painter = PhotoPainter(task, ("lying", "standing"), Decode(mean=10.0, std=2.0) if task == "regress" else Decode())
    photos = np.zeros((1, 8, 8, 3), dtype=np.uint8)
    (tile,) = painter.answered(photos, np.array([target], np.float32), (np.array([raw], np.float32),))
    assert [line.text for line in tile.lines] == texts


def test_some_of_many_are_spread() -> None:
    assert spread(0, 4) == []
    assert spread(3, 8) == [0, 1, 2]
    assert spread(100, 4) == [0, 33, 66, 99]


def test_a_sheet_has_a_place_for_everything() -> None:
    red, blue = (np.full((20, 10, 3), colour, dtype=np.uint8) for colour in ((255, 0, 0), (0, 0, 255)))
    keys = [(f"green {number}", (0, 255, 0)) for number in range(40)]
    tiles = [Tile([red, blue], [Words("x" * 500), Words("no", wrong=True)], keys) for _ in range(3)]
    shown = sheet("t\u00eftle\n" * 50, tiles, Style(columns=2, photo_px=40))
    for colour in ((255, 0, 0), (0, 0, 255)):
        there = (np.abs(shown.astype(int) - colour) < 4).all(axis=-1)
        assert there.sum() == 3 * 40 * 20
    assert (shown == (0, 255, 0)).all(axis=-1).sum() == 40 * 12 * 12
    assert Image.fromarray(shown).size == (2 * 92 + 10, shown.shape[0])
    with pytest.raises(UsageError, match="no photo"):
        sheet("t", [], Style())
