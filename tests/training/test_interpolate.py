"""Weights between start and end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_training import PREPROCESS, draw, request
from torch import Tensor, nn

from vision_cli.core.errors import DataError
from vision_cli.imaging.prepare import load
from vision_cli.training.fit import fit
from vision_cli.training.interpolate import SHARES, between, lowest


def test_a_share_of_the_way_is_arithmetic_and_counts_are_the_ends() -> None:
    start = {"w": torch.tensor([0.0, 10.0]), "n": torch.tensor(1)}
    end = {"w": torch.tensor([1.0, 0.0]), "n": torch.tensor(9)}
    found = between(start, end, 0.7)
    assert found["w"].tolist() == pytest.approx([0.7, 3.0])
    assert int(found["n"]) == 9


def test_the_lowest_point_of_a_valley_is_found_and_the_end_wins_a_slope() -> None:
    """A parabola over one weight: its lowest candidate follows from arithmetic."""
    start, ends = {"w": torch.zeros(1)}, {3: {"w": torch.ones(1)}, 5: {"w": torch.full((1,), 2.0)}}

    def valley(at: float) -> tuple[float, int]:
        def judge(weights: dict[str, Tensor]) -> float:
            return (float(weights["w"]) - at) ** 2

        point = lowest(start, ends, judge)
        assert point.loss == pytest.approx((float(point.weights["w"]) - at) ** 2)
        return point.share, point.epoch

    assert valley(0.5) == (0.5, 3)
    assert valley(0.84) == (0.85, 3)
    assert valley(1.4) == (0.7, 5)
    assert valley(9.0) == (1.0, 5)
    assert 1.0 in SHARES


def test_the_weights_that_are_left_have_the_loss_that_the_note_says(tmp_path: Path) -> None:
    """Training labels that contradict validation: the further from the start, the worse."""
    train, val = draw(tmp_path / "t", 32), draw(tmp_path / "v", 16, seed=1)
    wrong = type(val)(val.paths, 1 - val.targets)
    options = {"learning_rate": 0.02, "augment": "none", "epochs": 4, "layer_decay": 1.0}
    asked = request(tmp_path / "run", train, wrong, **options)
    result = fit(asked)
    note = next(note for note in result.notes if "of the way" in note)
    batch = torch.from_numpy(np.stack([load(path, PREPROCESS) for path in wrong.paths]))
    with torch.inference_mode():
        loss = float(nn.functional.cross_entropy(asked.network(batch), torch.from_numpy(wrong.targets)))
    assert f"lowest, {loss:.3f}." in note
    assert loss < min(row["val_loss"] for row in result.history)


def test_without_interpolation_the_best_epoch_is_kept_as_it_was(tmp_path: Path) -> None:
    train, val = draw(tmp_path / "t", 32), draw(tmp_path / "v", 16, seed=1)
    wrong = type(val)(val.paths, 1 - val.targets)
    asked = request(tmp_path / "run", train, wrong, augment="none", epochs=3, interpolate=False)
    result = fit(asked)
    assert not result.notes
    batch = torch.from_numpy(np.stack([load(path, PREPROCESS) for path in wrong.paths]))
    with torch.inference_mode():
        loss = float(nn.functional.cross_entropy(asked.network(batch), torch.from_numpy(wrong.targets)))
    assert loss == pytest.approx(min(row["val_loss"] for row in result.history), abs=1e-5)


def test_a_start_that_is_gone_is_named(tmp_path: Path) -> None:
    train, val = draw(tmp_path / "t", 16), draw(tmp_path / "v", 8, seed=1)
    fit(request(tmp_path / "run", train, val, epochs=2))
    (tmp_path / "run/checkpoints/start.safetensors").write_bytes(b"junk")
    with pytest.raises(DataError, match=r"start\.safetensors") as caught:
        fit(request(tmp_path / "run", train, val, epochs=2, resume=True))
    assert "without --resume" in str(caught.value.hint)
