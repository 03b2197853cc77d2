"""Learning curves: known parameters come back, intervals hold, and no answer is given where none can be."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from vision_cli.checks import learning_curve, needs, out_of_fold
from vision_cli.checks.labelled import Tagged
from vision_cli.checks.learning_curve import Curve, Trials
from vision_cli.checks.settings import Settings

PHOTOS = np.array([20.0, 40, 80, 160, 320, 640])


def _simulated(parameters: tuple[float, float, float], held: int, seed: int) -> tuple[Trials, np.ndarray]:
    """Held-out answers that are right with the probability of a known curve; each photo as hard as any."""
    rng = np.random.default_rng(seed)
    recall = 1 - parameters[0] * PHOTOS ** -parameters[1] - parameters[2]
    right = rng.random((3, 6, held)) < recall[None, :, None]
    return Trials(PHOTOS[:, None], right), np.zeros(held, np.int64)


def _fitted(parameters: tuple[float, float, float], held: int, seed: int) -> Curve:
    found, classes = _simulated(parameters, held, seed)
    fitted = learning_curve.curve(found, classes, np.arange(held), np.random.default_rng(seed))
    assert fitted is not None
    return fitted


def test_exact_points_give_their_parameters_back() -> None:
    for truth in ((2.0, 0.5, 0.05), (1.0, 0.3, 0.0)):
        errors = truth[0] * PHOTOS ** -truth[1] + truth[2]
        found = learning_curve.fit_power(PHOTOS, errors[None], np.ones(6))[0]
        assert found == pytest.approx(truth, rel=0.02, abs=0.005)
    flat = learning_curve.fit_power(PHOTOS, np.full((1, 6), 0.2), np.ones(6))[0]
    assert learning_curve.recall(flat, 5000) == pytest.approx(0.8)


def test_a_rising_error_is_taken_as_flat() -> None:
    rising = learning_curve.fit_power(PHOTOS, np.linspace(0.1, 0.3, 6)[None], np.ones(6))[0]
    assert rising[0] == 0
    assert rising[2] == pytest.approx(0.2)


def test_photos_for_is_the_inverse_of_recall() -> None:
    parameters = np.array([[2.0, 0.5, 0.05], [2.0, 0.5, 0.2]])
    needed = learning_curve.photos_for(parameters, 0.9)
    assert needed[0] == pytest.approx((2 / 0.05) ** 2)
    assert np.isinf(needed[1])
    assert learning_curve.recall(parameters[0], needed[0]) == pytest.approx(0.9)


def test_the_interval_of_a_simulated_curve_holds_the_truth() -> None:
    truth = (2.0, 0.5, 0.02)
    expected = 1 - truth[0] * 2000 ** -truth[1] - truth[2]
    ranges = [_fitted(truth, 2000, seed).at(2000.0) for seed in range(40)]
    held = [each.low <= expected <= each.high for each in ranges]
    assert np.mean(held) >= 0.85
    assert np.median([each.high - each.low for each in ranges]) < 0.06


def test_needed_photos_of_a_simulated_curve() -> None:
    truth = (2.0, 0.5, 0.0)  # 0.95 at 1,600 photos
    found, classes = _simulated(truth, 4000, 0)
    fitted = learning_curve.curve(found, classes, np.arange(4000), np.random.default_rng(0))
    assert fitted is not None
    need = learning_curve.needed(Curve(fitted.photos, fitted.recalls, fitted.parameters, fitted.samples, 800.0), 0.95)
    assert need.photos is not None, need.why
    assert need.photos.low <= 1600 <= need.photos.high


@pytest.mark.parametrize(
    ("truth", "held", "bound", "why"),
    [
        ((2.0, 0.5, 0.02), 4000, 0.85, "reached"),
        ((1.0, 0.5, 0.3), 4000, 0.95, "out of reach"),
        ((0.0, 0.5, 0.3), 4000, 0.95, "cannot tell: recall does not surely grow"),
    ],
)
def test_says_so_where_the_fit_gives_no_answer(truth, held: int, bound: float, why: str) -> None:
    need = learning_curve.needed(_fitted(truth, held, 0), bound)
    assert need.why.startswith(why)
    assert (need.photos is None) == (why != "reached")


def test_an_interval_without_end_is_no_answer() -> None:
    samples = np.array([[1.0, 0.5, 0.0], [1.0, 0.5, 0.15]] * 20)
    fitted = Curve(PHOTOS, 1 - PHOTOS**-0.5, np.array([1.0, 0.5, 0.02]), samples, 60.0)
    need = learning_curve.needed(fitted, 0.9)
    assert need.photos is None
    assert need.why == "cannot tell: anything from 100 photos to without end fits what was measured"


def test_too_few_photos_give_no_curve() -> None:
    found, classes = _simulated((2.0, 0.5, 0.0), 9, 0)
    assert learning_curve.curve(found, classes, np.arange(9), np.random.default_rng(0)) is None


def test_trials_learn_from_growing_shares_of_each_class() -> None:
    rng = np.random.default_rng(0)
    classes = np.repeat([0, 1, 2], [100, 60, 20])
    rows = (2 * np.eye(3)[classes] + rng.normal(size=(180, 3))).astype(np.float32)
    found = learning_curve.trials(rows, classes, np.arange(180), np.random.default_rng(0))
    assert found.learned[-1].tolist() == pytest.approx([80, 48, 16])
    assert (np.diff(found.learned.sum(axis=1)) > 0).all()
    assert found.learned[0].min() >= 1
    assert found.right[:, -1].mean() > found.right[:, 0].mean()
    again = learning_curve.trials(rows, classes, np.arange(180), np.random.default_rng(0))
    assert np.array_equal(found.right, again.right)


def test_photos_with_several_classes_have_a_curve_a_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an embedding shows plainly is found more often than what it shows faintly."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    rng, size = np.random.default_rng(0), 300
    has = rng.random((size, 2)) < 0.4
    rows = (0.7 * rng.normal(size=(size, 8))).astype(np.float32)
    rows[:, :2] += has * (3, 1.5)
    things = Tagged(rows, has, ("plain", "faint"), np.arange(size), np.arange(size))
    monkeypatch.setattr(needs, "single", lambda request, deep: None)
    monkeypatch.setattr(needs, "tagged", lambda request, deep: things)
    request = SimpleNamespace(deep=SimpleNamespace(bounds={"faint": 0.99}), settings=Settings())
    plain, faint = needs.class_needs_photos(request)
    assert [each.details["class"] for each in (plain, faint)] == ["plain", "faint"]
    assert [each.details["available"] for each in (plain, faint)] == has.sum(axis=0).tolist()
    assert plain.figure > 0.9 > faint.figure
    # Truth: scikit-learn's own out-of-fold answers from all photos, at the same penalty.
    centred = (rows - rows.mean(axis=0)) / np.sqrt(np.square(rows - rows.mean(axis=0)).mean())
    for column, each in enumerate((plain, faint)):
        model = LogisticRegression(C=1 / (out_of_fold.PENALTY * 0.8 * size))
        found = cross_val_predict(model, centred, has[:, column], cv=5)[has[:, column]].mean()
        assert each.details["measured"][-1][1] == pytest.approx(found, abs=0.05)
    assert faint.details["bound"] == 0.99
    assert "reached" not in faint.reason


@pytest.mark.slow
def test_predicts_real_photos_from_half_of_them(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From 250 photos of clothes, of which 200 at a time are learned from, the accuracy of 400 is foretold."""
    from vision_cli.core import policy

    for name in ("NO_ALBUMENTATIONS_UPDATE", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "")  # so that what the policy sets is undone
        monkeypatch.delenv(name)
    policy.apply()
    torch = pytest.importorskip("torch")
    from vision_cli import models
    from vision_cli.core.config import ModelConfig
    from vision_cli.core.progress import Silent
    from vision_cli.training.embed import PLAIN, EmbedOptions, embed_views

    torch.manual_seed(0)
    paths = sorted((shared_data / "clothing_small").glob("*/*/*.jpg"))
    network = models.build(ModelConfig(), 1, offline=True)
    embeddings = embed_views(network, paths, (network.preprocess, (PLAIN,)), EmbedOptions(workers=0), Silent())[0]
    classes = np.unique([path.parent.name for path in paths], return_inverse=True)[1]
    rows, rng = out_of_fold.scaled(embeddings), np.random.default_rng(0)
    truth = []
    for _ in range(8):
        order = rng.permutation(len(paths))
        some, held = order[:400], order[400:]
        model = out_of_fold.fit(rows[some], classes[some], 10)
        truth.append((model.logits(rows[held]).argmax(axis=1) == classes[held]).mean())
    for seed in range(3):
        some = np.random.default_rng(seed).permutation(len(paths))[:250]
        found = learning_curve.trials(embeddings[some], classes[some], some, np.random.default_rng(0))
        fitted = learning_curve.curve(found, classes[some], some, np.random.default_rng(0))
        assert fitted is not None
        told = fitted.at(400.0)
        assert told.low <= np.mean(truth) <= told.high
        assert told.value == pytest.approx(np.mean(truth), abs=0.04)
