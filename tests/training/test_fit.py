"""Training as its callers see it: what is learned, kept, logged and said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_training import NO_PHOTOS, PREPROCESS, Heard, Stripes, draw, request
from torch import nn

from vision_cli.core.errors import DataError, ResourceError, UsageError
from vision_cli.imaging.prepare import load
from vision_cli.training import head
from vision_cli.training.fit import fit
from vision_cli.training.photos import Photos


def accuracy(network: Any, photos: Photos) -> float:
    batch = torch.from_numpy(np.stack([load(path, PREPROCESS) for path in photos.paths]))
    with torch.inference_mode():
        return float((network(batch).argmax(1).numpy() == photos.targets).mean())


def weights(network: Any) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_the_whole_network_learns_what_a_frozen_random_one_cannot_show(tmp_path: Path) -> None:
    train, val = draw(tmp_path / "t", 48), draw(tmp_path / "v", 24, seed=1)
    rows: list[Any] = []
    options = {"learning_rate": 0.02, "augment": "none", "epochs": 8, "layer_decay": 1.0, "interpolate": False}
    asked = request(tmp_path / "run", train, val, log=rows.append, **options)
    result = fit(asked)
    assert accuracy(asked.network, val) >= 0.9
    assert not asked.network.training or not asked.network.backbone.training
    assert result.stopped == "finished"
    assert result.epochs == len(rows) == 8
    assert set(rows[0]) == {
        "epoch",
        "train_loss",
        "val_loss",
        "val_score",
        "learning_rate",
        "seconds",
        "photos_per_s",
    }
    losses = [row["val_loss"] for row in rows]
    assert result.best_epoch == 1 + int(np.argmin(losses))
    assert list((tmp_path / "run/logs/csv").rglob("metrics.csv"))
    assert list((tmp_path / "run/logs/tensorboard").glob("events*"))


def test_the_best_weights_are_kept_not_the_last(tmp_path: Path) -> None:
    """Labels of validation contradict training: the first epoch is the best, and its weights must be there."""
    train, val = draw(tmp_path / "t", 32), draw(tmp_path / "v", 16, seed=1)
    wrong = Photos(val.paths, 1 - val.targets)
    options = {"learning_rate": 0.03, "augment": "none", "epochs": 12, "layer_decay": 1.0, "warmup_epochs": 0}
    options |= {"patience": 2, "schedule": "constant", "interpolate": False, "label_smoothing": 0.1}
    asked = request(tmp_path / "run", train, wrong, **options)
    result = fit(asked)
    assert result.stopped == "early stopping"
    assert result.epochs == result.best_epoch + 2
    batch = torch.from_numpy(np.stack([load(path, PREPROCESS) for path in wrong.paths]))
    with torch.inference_mode():
        outputs = asked.network(batch)
    expected = nn.functional.cross_entropy(outputs, torch.from_numpy(wrong.targets), label_smoothing=0.1)
    assert result.history[result.best_epoch - 1]["val_loss"] == pytest.approx(float(expected), abs=1e-5)


def test_a_frozen_backbone_stays_as_it_was_and_the_head_is_plain(tmp_path: Path) -> None:
    train, val = draw(tmp_path / "t", 40), draw(tmp_path / "v", 20, seed=1)
    asked = request(tmp_path / "run", train, val, freeze="backbone", epochs=40, learning_rate=0.05, weight_decay=0.001)
    before = weights(asked.network.backbone)
    result = fit(asked)
    assert result.frozen
    assert same(before, weights(asked.network.backbone))
    assert [type(module) for module in asked.network.head] == [nn.Dropout, nn.Linear]
    # The scale of the embeddings is folded in: raw photos give the logged score.
    assert accuracy(asked.network, val) == pytest.approx(result.history[result.best_epoch - 1]["val_score"])


def test_a_frozen_linear_head_is_logistic_regression(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """scikit-learn minimises C * sum(loss) + |w|^2 / 2 on the same scaled features: C = 1 / (photos * weight_decay)."""
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    targets = np.repeat(np.arange(3), 40)
    rows = (rng.normal(size=(3, 8))[targets] * 1.5 + rng.normal(size=(120, 8)) * 3 + 5).astype(np.float32)
    monkeypatch.setattr(head, "embeddings_of", lambda asked: (rows[None], rows[:0]))
    photos = Photos([Path(f"{index}.png") for index in range(120)], targets)
    network = Stripes(3)
    network.head[0].p = 0.0
    options = {"epochs": 300, "learning_rate": 0.05, "weight_decay": 0.1, "batch_size": 120, "clip_gradient": 0}
    fit(request(tmp_path, photos, network=network, freeze="backbone", **options))
    centred = rows - rows.mean(axis=0)
    scaled = centred / np.sqrt(np.square(centred).mean())
    reference = LogisticRegression(C=1 / (120 * 0.1), tol=1e-8, max_iter=5000).fit(scaled, targets)
    with torch.inference_mode():
        found = network.head(torch.from_numpy(rows)).softmax(1).numpy()
    assert np.abs(found - reference.predict_proba(scaled)).max() < 2e-3


def test_auto_freezes_a_small_set_on_a_cpu(tmp_path: Path) -> None:
    assert fit(request(tmp_path, draw(tmp_path / "t", 8), freeze="auto", epochs=1)).frozen


def test_norms_of_a_small_set_keep_the_statistics_of_their_weights(tmp_path: Path) -> None:
    asked = request(tmp_path, draw(tmp_path / "t", 16), freeze="none", epochs=2)
    network: Any = asked.network
    before = weights(network.backbone)
    fit(asked)
    after = weights(network.backbone)
    statistics = [name for name in before if name.endswith(("running_mean", "running_var"))]
    assert statistics
    assert all(torch.equal(before[name], after[name]) for name in statistics)
    assert not same(before, after)


def test_the_head_is_fitted_before_the_backbone_learns(tmp_path: Path) -> None:
    photos = draw(tmp_path / "t", 32)
    heads = {}
    for name, options in {
        "alone": {"freeze": "backbone", "epochs": 100},
        "first": {"freeze": "none", "epochs": 1, "learning_rate": 1e-9},
        "not": {"freeze": "none", "epochs": 1, "learning_rate": 1e-9, "head_first": False},
    }.items():
        asked = request(tmp_path / name, photos, **options)
        fit(asked)
        heads[name] = asked.network.head[1].weight.detach()
    assert torch.allclose(heads["alone"], heads["first"], atol=1e-4)
    assert not torch.allclose(heads["alone"], heads["not"], atol=1e-2)


def test_stages_from_the_input_on_stay_frozen_with_their_norms(tmp_path: Path) -> None:
    asked = request(tmp_path, draw(tmp_path / "t", 16), freeze="1 stages", epochs=2, norms="learn")
    network: Any = asked.network
    first, second = weights(network.backbone[0]), weights(network.backbone[1])
    fit(asked)
    assert same(first, weights(network.backbone[0]))
    assert not same(second, weights(network.backbone[1]))
    assert not torch.equal(second["1.running_mean"], network.backbone[1][1].running_mean)


def test_gradual_unfreezing_goes_from_the_head_down(tmp_path: Path) -> None:
    train, changed = draw(tmp_path / "t", 16), []
    for epochs in (1, 2, 3):
        asked = request(tmp_path / str(epochs), train, epochs=epochs, unfreeze_every=1, schedule="constant")
        network: Any = asked.network
        before = [weights(network.backbone[index]) for index in (0, 1)]
        fit(asked)
        changed.append([not same(old, weights(network.backbone[index])) for index, old in enumerate(before)])
    assert changed == [[False, False], [False, True], [True, True]]


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "sgd", "schedule": "one-cycle", "accumulate": 2},
        {"schedule": "plateau", "mixup": 0.4, "class_weights": "balanced"},
        {"precision": "bf16", "ema": 0.9, "augment": "strong"},
        {"freeze": "backbone", "mixup": 0.4, "ema": 0.9, "optimizer": "sgd"},
    ],
)
@pytest.mark.parametrize("task", ["classify", "multilabel", "regress"])
def test_every_option_runs_with_every_task(tmp_path: Path, task: str, options: dict[str, Any]) -> None:
    photos = draw(tmp_path / "t", 12)
    targets = {
        "classify": photos.targets,
        "multilabel": np.stack([photos.targets, 1 - photos.targets], 1).astype(np.float32),
        "regress": photos.targets[:, None].astype(np.float32),
    }[task]
    labelled = Photos(photos.paths, targets)
    network = Stripes(1 if task == "regress" else 2)
    before = weights(network)
    result = fit(request(tmp_path, labelled, labelled, network=network, task=task, epochs=2, **options))
    assert result.epochs == 2
    assert all(np.isfinite(row["val_loss"]) for row in result.history)
    assert not same(before, weights(network))


def test_workers_and_the_cache_change_nothing(tmp_path: Path) -> None:
    train, val = draw(tmp_path / "t", 20), draw(tmp_path / "v", 6, seed=1)
    found = []
    for workers in (0, 2):
        asked = request(tmp_path / str(workers), train, val, workers=workers, augment="strong", epochs=2)
        fit(asked)
        found.append(weights(asked.network))
    assert same(*found)


def test_another_seed_is_another_training_and_torch_is_left_alone(tmp_path: Path) -> None:
    train, found = draw(tmp_path / "t", 12), []
    torch.manual_seed(5)
    expected = torch.rand(1, generator=torch.Generator().manual_seed(5))
    for seed in (1, 2):
        asked = request(tmp_path / str(seed), train, seed=seed, epochs=1)
        fit(asked)
        found.append(weights(asked.network))
    assert not same(*found)
    assert torch.equal(torch.rand(1), expected)
    assert not torch.are_deterministic_algorithms_enabled()


def test_without_validation_photos_the_last_epoch_is_kept_and_said(tmp_path: Path) -> None:
    heard = Heard()
    result = fit(request(tmp_path, draw(tmp_path / "t", 8), NO_PHOTOS, progress=heard, patience=1))
    assert result.best_epoch == result.epochs == 3
    assert "no validation photos" in heard.warned[0]
    assert [step for step in heard.steps if step[0] == "train"] == [("train", epoch, 3) for epoch in (1, 2, 3)]


class Exploding(Stripes):
    """Gives NaN from a number of training batches on."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after, self.batches = after, 0

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        self.batches += self.training
        return super().forward(batch) * (float("nan") if self.batches > self.after else 1.0)


def test_a_loss_that_is_no_number_keeps_the_last_good_state(tmp_path: Path) -> None:
    train, val = draw(tmp_path / "t", 16), draw(tmp_path / "v", 8, seed=1)
    short = request(tmp_path / "short", train, val, epochs=2, schedule="constant")
    fit(short)
    asked = request(tmp_path / "nan", train, val, network=Exploding(after=5), epochs=4, schedule="constant")
    result = fit(asked)
    assert result.stopped == "nan loss"
    assert result.epochs == 2
    assert "learning_rate" in result.notes[0]
    assert same(weights(short.network), weights(asked.network))


def test_a_loss_that_is_no_number_at_once_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not finite in the first epoch") as raised:
        fit(request(tmp_path, draw(tmp_path / "t", 8), network=Exploding(after=0)))
    assert "learning_rate" in str(raised.value.hint)


class Hungry(Stripes):
    """Runs out of memory above a number of photos a batch, from a number of batches on."""

    def __init__(self, fits: int, error: Exception, after: int = 0) -> None:
        super().__init__()
        self.fits, self.error, self.after = fits, error, after

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        self.after -= self.training
        if len(batch) > self.fits and self.training and self.after < 0:
            raise self.error
        return super().forward(batch)


NOT_ENOUGH = RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate 1 bytes.")


@pytest.mark.parametrize("error", [NOT_ENOUGH, MemoryError(), torch.OutOfMemoryError("CUDA out of memory")])
def test_out_of_memory_halves_the_batch_and_doubles_the_accumulation(tmp_path: Path, error: Exception) -> None:
    heard = Heard()
    asked = request(tmp_path, draw(tmp_path / "t", 16), network=Hungry(2, error), progress=heard, epochs=2)
    result = fit(asked)
    assert result.batch_size == 2
    assert result.epochs == 2
    assert ["going on with 4, 2 batches" in text for text in heard.warned[1:2]] == [True]
    assert "ended with 2" in result.notes[0]


def test_out_of_memory_starts_its_epoch_again(tmp_path: Path) -> None:
    """Two epochs of 2 batches, then none fits: epoch 3 runs anew, the rows of 1 and 2 are logged once."""
    rows: list[Any] = []
    network = Hungry(4, MemoryError(), after=5)
    fit(request(tmp_path, draw(tmp_path / "t", 16), network=network, log=rows.append, epochs=4))
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]


def test_out_of_memory_with_one_photo_is_the_end(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="one photo a batch"):
        fit(request(tmp_path, draw(tmp_path / "t", 8), network=Hungry(0, MemoryError())))


def test_another_runtime_error_is_not_taken_for_memory(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="shape"):
        fit(request(tmp_path, draw(tmp_path / "t", 8), network=Hungry(0, RuntimeError("shape mismatch"))))


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("freeze", ["none", "backbone"])
def test_a_refused_photo_is_named(tmp_path: Path, workers: int, freeze: str) -> None:
    photos = draw(tmp_path / "t", 8)
    photos.paths[3].write_bytes(b"<html>not a photo</html>")
    with pytest.raises(DataError, match=r"003\.png") as raised:
        fit(request(tmp_path, photos, workers=workers, freeze=freeze))
    assert "Traceback" not in raised.value.message


def test_nothing_to_learn_from_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no photos"):
        fit(request(tmp_path, NO_PHOTOS))


@pytest.mark.parametrize(
    ("options", "text"),
    [({"freeze": "9 stages"}, "9 stages, but the backbone has 2"), ({"precision": "16"}, "16 needs a GPU")],
)
def test_what_there_is_not_is_refused(tmp_path: Path, options: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        fit(request(tmp_path, draw(tmp_path / "t", 8), **options))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no cuda device"):
        fit(request(tmp_path, draw(tmp_path / "t", 8), device="cuda"))


def test_targets_must_fit_the_photos() -> None:
    with pytest.raises(DataError, match="1 paths but 2 targets"):
        Photos([Path("a.png")], np.zeros(2, np.int64))
    with pytest.raises(DataError, match="NaN"):
        Photos([Path("a.png")], np.full((1, 1), np.nan, np.float32))


def test_rows_are_strict_json(tmp_path: Path) -> None:
    rows: list[Any] = []
    fit(request(tmp_path, draw(tmp_path / "t", 8), log=rows.append, epochs=1))
    assert json.loads(json.dumps(rows[0], allow_nan=False))["val_loss"] is None
