"""The verdict of training curves, on curves drawn by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from vision_cli.advice.overfitting import judge
from vision_cli.core.config import TrainConfig

Rows = list[dict[str, float | None]]


def rows(train: Sequence[float], val: Sequence[float | None], score: Sequence[float] | None = None) -> Rows:
    return [
        {"epoch": at + 1, "train_loss": low, "val_loss": high, "val_score": None if score is None else score[at]}
        for at, (low, high) in enumerate(zip(train, val, strict=True))
    ]


def falling(first: float, last: float, epochs: int = 20) -> list[float]:
    return [last + (first - last) * 0.6**at for at in range(epochs)]


CASES: list[tuple[str, Rows]] = [
    ("overfits", rows(falling(2, 0.2), [*falling(2, 1.0, 8), *[1.1 + 0.06 * at for at in range(12)]])),
    ("overfits", rows(falling(2, 0.2), falling(2, 0.7))),
    ("fits", rows(falling(2, 0.6), falling(2, 0.65))),
    ("fits", rows(falling(2, 0.9), falling(2, 0.6))),
    ("hardly learns", rows([2.0 - 0.001 * at for at in range(20)], [2.01] * 20)),
    ("not finished", rows([2 - 0.06 * at for at in range(20)], [2 - 0.055 * at for at in range(20)])),
    ("cannot tell", rows([1.0, 0.5], [1.0, 0.6])),
    ("cannot tell", rows(falling(2, 0.2), [None] * 20)),
    ("cannot tell", rows(falling(2, float("nan")), [1.0] * 20)),
]


@pytest.mark.parametrize(("verdict", "curves"), CASES)
def test_the_verdict(verdict: str, curves: Rows) -> None:
    found = judge(curves, TrainConfig(), best_by="val_loss")
    assert found is not None
    assert found.verdict == verdict, found.reason


def test_no_epoch_has_no_verdict() -> None:
    assert judge([], TrainConfig(), best_by="val_loss") is None


def test_a_detector_is_judged_by_the_epoch_of_its_best_score() -> None:
    """Its score still rises while its validation loss does: AP does not mind confident errors."""
    curves = rows(falling(5, 1), [*falling(5, 2.5, 6), *[2.5] * 14], [0.02 * at for at in range(20)])
    found = judge(curves, TrainConfig(), best_by="val_score")
    assert found is not None
    assert found.verdict == "overfits"
    assert "epoch 20" in found.reason


def test_what_to_try_fits_the_settings() -> None:
    curves = rows(falling(2, 0.2), falling(2, 0.7))
    plain = judge(curves, TrainConfig(augment="none", patience=0), best_by="val_loss")
    frozen = judge(curves, TrainConfig(weight_decay=0.1), best_by="val_loss", frozen=True)
    assert plain is not None
    assert frozen is not None
    assert {"train.augment=medium", "train.patience=10", "train.mixup=0.2"} <= set(plain.tries)
    assert "train.weight_decay=0.3" in frozen.tries
    assert not any("mixup" in each for each in frozen.tries)
    unfinished = judge(CASES[5][1], TrainConfig(), best_by="val_loss")
    assert unfinished is not None
    assert unfinished.tries == ("train.epochs=40",)


def test_every_word_to_try_is_one_that_the_project_takes() -> None:
    from vision_cli.core.project import load

    for verdict in (CASES[0][1], CASES[4][1], CASES[5][1]):
        for frozen in (True, False):
            found = judge(verdict, TrainConfig(), best_by="val_loss", frozen=frozen)
            assert found is not None
            words = [each.strip('"').split(",")[0] for each in found.tries if each.strip('"').startswith("train.")]
            load(None, tuple(words))
