"""The learning-rate range test: how a curve is read, and that the rate which diverges is found where theory has it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vision_cli.core.errors import DataError
from vision_cli.training.rate_curve import read, runs_away, smoothed
from vision_cli.training.schedule import Rise

pytest.importorskip("torch")


def test_the_average_weighs_each_step_back_by_nine_tenths():
    losses = np.random.default_rng(3).gamma(2.0, size=60)
    wanted = [np.average(losses[: n + 1], weights=0.9 ** np.arange(n, -1, -1)) for n in range(60)]
    np.testing.assert_allclose(smoothed(losses.tolist()), wanted, rtol=1e-12)


def test_rates_grow_by_one_ratio_from_the_first_to_the_last():
    rise = Rise(50, 1e4)
    rates = np.array([1e-4 * rise.factor(step) for step in range(50)])
    np.testing.assert_allclose(rates, np.geomspace(1e-4, 1.0, 50), rtol=1e-12)


def curve_of(loss, steps=200):
    rates = np.geomspace(1e-5, 1.0, steps)
    return rates, loss(np.log10(rates))


def test_a_loss_that_falls_and_rises_is_read_where_it_does():
    def loss(place):  # falls around 1e-3, least at 1e-1.5, then up
        return 2.5 - 2 / (1 + np.exp(-4 * (place + 3))) + np.exp(4 * (place + 1))

    rates, losses = curve_of(loss)
    found = read(rates.tolist(), losses.tolist(), ran_away=True)
    least = rates[losses.argmin()]
    steepest = rates[np.gradient(losses, np.log(rates)).argmin()]
    assert found.least is not None
    assert found.steepest is not None
    assert 1 <= found.least / least < 2.5  # the average lags by a few steps
    assert 1 <= found.steepest / steepest < 2.5
    assert found.suggestion == pytest.approx(found.least / 10)


def test_a_loss_that_never_falls_suggests_nothing():
    rates, losses = curve_of(lambda place: 2 + 0.1 * (place + 5))
    found = read(rates.tolist(), losses.tolist(), ran_away=False)
    assert (found.suggestion, found.steepest, found.least) == (None, None, None)


@pytest.mark.parametrize(
    ("losses", "over"),
    [
        ([1.0] * 50, False),
        ([1.0] * 50 + [3.9] * 80, False),
        ([1.0] * 50 + [4.5] * 80, True),
        ([1.0, 9.0], False),
        ([1.0, float("nan")], True),
        ([1.0, float("inf")], True),
        ([], False),
    ],
)
def test_a_loss_runs_away_at_four_times_its_least(losses, over):
    assert runs_away(losses) is over


class Quadratic:
    """Rows whose mean squared error has a known largest curvature: beyond a rate no step converges."""

    def __init__(self, tmp_path: Path, optimizer: str = "sgd") -> None:
        import torch
        from torch import nn

        from vision_cli.core.config import TrainConfig
        from vision_cli.core.progress import Silent
        from vision_cli.training.batches import EmbeddingBatches, EpochBatches
        from vision_cli.training.epochs import Book
        from vision_cli.training.lesson import PhotoLesson
        from vision_cli.training.loop import Job
        from vision_cli.training.losses import task_loss
        from vision_cli.training.module import Subject

        rng = np.random.default_rng(0)
        rows = torch.tensor(rng.normal(size=(64, 4)), dtype=torch.float32)
        noise = torch.tensor(rng.normal(0, 0.3, size=(64, 1)), dtype=torch.float32)
        targets = rows @ torch.tensor([[1.0], [2.0], [-1.0], [0.5]]) + noise
        torch.manual_seed(0)
        net = nn.Linear(4, 1, bias=False)
        options = TrainConfig(optimizer=optimizer, batch_size=64, clip_gradient=0.0, epochs=150, ema=0.0, patience=0)
        loss = task_loss("regress", options, targets.numpy(), 1, smoothing=0.0)
        group = {"params": list(net.parameters()), "lr": 1e-4, "base_lr": 1e-4, "weight_decay": 0.0}
        book = Book(tmp_path / "c", "x", 1 << 30, 150, lambda row: None, Silent())
        self.rows, self.targets, self.loss = rows, targets, loss
        self.job = Job(
            Subject(net, lambda each: each, [group], lambda epoch: None, PhotoLesson(loss)),
            options,
            64,
            lambda size, epoch: EmbeddingBatches(rows, targets, EpochBatches(64, size, 1, epoch)),
            None,
            book,
            tmp_path / "logs",
        )


def reference(case: Quadratic, rates: np.ndarray) -> list[float]:
    """The same steps in plain torch: SGD with Nesterov momentum on the whole set at once."""
    import copy

    import torch

    net = copy.deepcopy(case.job.subject.module)
    optimizer = torch.optim.SGD(net.parameters(), lr=1.0, momentum=0.9, nesterov=True)
    losses = []
    for rate in rates:
        optimizer.param_groups[0]["lr"] = float(rate)
        loss = case.loss(net(case.rows), case.targets)
        losses.append(float(loss.detach()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses


def test_the_losses_are_those_of_plain_steps_and_the_end_is_where_they_run_away(tmp_path):
    from vision_cli.core.progress import Silent
    from vision_cli.training import range_test

    case = Quadratic(tmp_path)
    test = range_test.RangeTest(1e-4, 100.0, 150)
    wanted = reference(case, np.geomspace(1e-4, 100.0, 150))
    found = range_test._tested(case.job, test, Silent())
    calm = len(found.losses) - 10  # the order of a sum's terms is magnified where it runs away
    np.testing.assert_allclose(found.losses[:calm], wanted[:calm], rtol=2e-3)
    assert found.ran_away
    assert len(found.losses) < 150
    assert runs_away(wanted[: len(found.losses)])
    assert not runs_away(wanted[: len(found.losses) - 1])
    assert found.suggestion is not None
    assert found.suggestion < found.rates[-1] / 10


def test_a_loss_that_is_no_number_ends_the_test_and_one_that_never_was_a_number_is_told(tmp_path):
    from dataclasses import replace

    from torch import nn

    from vision_cli.core.progress import Silent
    from vision_cli.training import range_test

    case = Quadratic(tmp_path)

    class Breaks(nn.Module):
        def __init__(self, inner: nn.Module, good: int) -> None:
            super().__init__()
            self.inner, self.good, self.calls = inner, good, 0

        def forward(self, rows):
            self.calls += 1
            return self.inner(rows) * (1.0 if self.calls <= self.good else float("nan"))

    test = range_test.RangeTest(1e-4, 1.0, 150)
    for good in (30, 0):
        subject = replace(case.job.subject, module=Breaks(case.job.subject.module, good))
        job = replace(case.job, subject=subject)
        if good:
            found = range_test._tested(job, test, Silent())
            assert len(found.losses) == good
            assert found.ran_away
        else:
            with pytest.raises(DataError, match="not finite"):
                range_test._tested(job, test, Silent())
