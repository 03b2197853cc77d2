"""Losses against torch and scikit-learn, and the formulas of their papers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import accuracy_score, f1_score, r2_score
from sklearn.utils.class_weight import compute_class_weight

from vision_cli.core.config import TrainConfig
from vision_cli.core.errors import UsageError
from vision_cli.training.losses import TaskLoss, class_weights, mixed_loss, score, task_loss

RNG = np.random.default_rng(3)


def test_balanced_weights_are_scikit_learns() -> None:
    targets = np.array([0] * 7 + [1] * 2 + [2] * 5)
    expected = compute_class_weight("balanced", classes=np.arange(3), y=targets)
    assert class_weights("classify", targets, 3).tolist() == pytest.approx(expected)


def test_a_class_without_photos_weighs_one() -> None:
    assert class_weights("classify", np.array([0, 0, 2, 2]), 4).tolist() == pytest.approx([0.5, 1, 0.5, 1])


def test_positive_weights_are_negatives_per_positive() -> None:
    targets = np.zeros((1000, 4), np.float32)
    targets[:250, 0] = targets[:500, 1] = targets[:2, 2] = 1
    assert class_weights("multilabel", targets, 4).tolist() == pytest.approx([3, 1, 100, 1])


def test_smoothed_binary_targets_lie_between() -> None:
    outputs, targets = torch.randn(5, 3), torch.randint(0, 2, (5, 3)).float()
    expected = F.binary_cross_entropy_with_logits(outputs, torch.where(targets > 0, 0.9, 0.1))
    assert torch.allclose(TaskLoss("multilabel", 0.2)(outputs, targets), expected)


def test_smoothed_cross_entropy_is_against_a_mixture_with_the_uniform() -> None:
    """Szegedy et al. 2016, section 7: q = (1 - e) * one-hot + e / K."""
    outputs, targets = torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 0, 1])
    mixture = F.one_hot(targets, 4) * 0.9 + 0.1 / 4
    expected = -(mixture * outputs.log_softmax(1)).sum(1).mean()
    assert torch.allclose(TaskLoss("classify", 0.1)(outputs, targets), expected)


def test_options_choose_smoothing_and_weights() -> None:
    targets = np.array([0, 0, 0, 1])
    assert task_loss("classify", TrainConfig(), targets, 2, smoothing=0.1).smoothing == 0.1
    assert task_loss("classify", TrainConfig(label_smoothing=0.0), targets, 2, smoothing=0.1).smoothing == 0
    weighed = task_loss("classify", TrainConfig(class_weights="balanced"), targets, 2)
    assert weighed.weights is not None
    assert weighed.weights.tolist() == pytest.approx([4 / 6, 2])
    assert task_loss("regress", TrainConfig(class_weights="balanced"), np.zeros((4, 1)), 1).weights is None


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(UsageError, match="detect"):
        TaskLoss("detect")


@pytest.mark.parametrize("task", ["classify", "multilabel", "regress"])
def test_mixup_mixes_inputs_and_targets_by_one_share(task: str) -> None:
    """Zhang et al. 2018, eq. 1, with the share and order drawn again from the same generator."""
    inputs = torch.randn(6, 3)
    targets = torch.tensor([0, 1, 2, 2, 1, 0]) if task == "classify" else torch.rand(6, 3)
    seen = []

    def forward(batch: torch.Tensor) -> torch.Tensor:
        seen.append(batch)
        return batch * 2

    found = mixed_loss(forward, TaskLoss(task), (inputs, targets), 0.4, np.random.default_rng(9))
    rng = np.random.default_rng(9)
    share, order = rng.beta(0.4, 0.4), rng.permutation(6)
    mixed = share * inputs + (1 - share) * inputs[order]
    assert torch.allclose(seen[0], mixed, atol=1e-6)
    dense = F.one_hot(targets, 3).float() if task == "classify" else targets
    target = share * dense + (1 - share) * dense[order]
    expected = {
        "classify": lambda: F.cross_entropy(mixed * 2, target),
        "multilabel": lambda: F.binary_cross_entropy_with_logits(mixed * 2, target),
        "regress": lambda: F.smooth_l1_loss(mixed * 2, target),
    }[task]()
    assert torch.allclose(found, expected, atol=1e-5)


def test_scores_are_scikit_learns() -> None:
    outputs = torch.from_numpy(RNG.normal(size=(50, 4)).astype(np.float32))
    classes = torch.from_numpy(RNG.integers(0, 4, 50))
    assert score("classify", outputs, classes) == pytest.approx(accuracy_score(classes, outputs.argmax(1)))
    labels = torch.from_numpy(RNG.integers(0, 2, (50, 4)).astype(np.float32))
    expected = f1_score(labels.numpy(), (outputs > 0).numpy(), average="micro")
    assert score("multilabel", outputs, labels) == pytest.approx(expected)
    values = outputs[:, :1] + torch.from_numpy(RNG.normal(size=(50, 1)).astype(np.float32))
    assert score("regress", outputs[:, :1], values) == pytest.approx(r2_score(values, outputs[:, :1]), abs=1e-5)
