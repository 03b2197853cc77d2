from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.svm import LinearSVC, LinearSVR

from vision_cli import models
from vision_cli.core import artefact
from vision_cli.core.config import FeaturesConfig, InputConfig, ModelConfig
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError, UsageError
from vision_cli.models.features import fit_head, rebuild_head
from vision_cli.models.fitting import UnitVariance

SEED = 3
TRANSFORMS: dict[str, dict[str, int]] = {
    "plain": {},
    "select": {"select": 12},
    "pca": {"pca": 5},
    "both": {"select": 20, "pca": 4},
}


def embeddings(classes: int, count: int = 120, length: int = 32, *, seed: int = 0) -> Any:
    """Embeddings as a ReLU backbone gives them, and overlapping classes."""
    rng = np.random.default_rng(seed)
    targets = np.arange(count) % classes
    centres = rng.normal(size=(classes, length))
    found = np.maximum(0.7 * centres[targets] + rng.normal(size=(count, length)) + 0.5, 0) * 3
    return found.astype(np.float32), targets


def steps(config: dict[str, int], score: Any = f_classif) -> list[Any]:
    """Scikit-learn's own transforms, in the order that the family promises."""
    select = [SelectKBest(score, k=config["select"])] if "select" in config else []
    pca = [PCA(config["pca"], svd_solver="full")] if "pca" in config else []
    return [Normalizer(), *select, *pca, UnitVariance()]


def svm(config: dict[str, int]) -> Any:
    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    pipeline = make_pipeline(*steps(config), LinearSVC(C=1.0, max_iter=5000, random_state=SEED))
    return CalibratedClassifierCV(pipeline, method="sigmoid", cv=folds, ensemble=False)


def logistic(config: dict[str, int]) -> Any:
    return make_pipeline(*steps(config), LogisticRegression(C=25.0, max_iter=5000))


def probabilities(head: torch.nn.Module, photos: Any) -> Any:
    return torch.softmax(head(torch.from_numpy(photos)).double(), dim=1).numpy()


@pytest.mark.parametrize("transform", list(TRANSFORMS))
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize(("classifier", "theirs"), [("svm", svm), ("logistic", logistic)])
def test_classify_gives_scikit_learns_probabilities(transform: str, classes: int, classifier: str, theirs: Any) -> None:
    photos, targets = embeddings(classes)
    unseen, _ = embeddings(classes, seed=1)
    config = TRANSFORMS[transform]
    head = fit_head(
        FeaturesConfig(classifier=classifier, **config), photos, targets, task="classify", n_outputs=classes, seed=SEED
    )
    expected = theirs(config).fit(photos.astype(np.float64), targets).predict_proba(unseen.astype(np.float64))
    assert np.abs(probabilities(head, unseen) - expected).max() < 1e-5
    raw = head(torch.from_numpy(unseen))
    assert torch.allclose(raw.exp().sum(dim=1), torch.ones(len(raw)), atol=1e-5)


@pytest.mark.parametrize("transform", list(TRANSFORMS))
def test_knn_votes_as_scikit_learns(transform: str) -> None:
    photos, targets = embeddings(3)
    unseen, _ = embeddings(3, seed=1)
    config = TRANSFORMS[transform]
    head = fit_head(
        FeaturesConfig(classifier="knn", neighbours=7, **config), photos, targets, task="classify", n_outputs=3, seed=0
    )
    votes = 7 * make_pipeline(*steps(config), KNeighborsClassifier(7)).fit(photos, targets).predict_proba(unseen)
    assert np.abs(probabilities(head, unseen) - (votes + 1 / 3) / 8).max() < 1e-5


@pytest.mark.parametrize("classifier", ["svm", "logistic", "knn"])
def test_multilabel_is_one_classifier_a_label(classifier: str) -> None:
    photos, targets = embeddings(4)
    unseen, _ = embeddings(4, seed=1)
    labels = np.stack([targets % 2, targets // 2, np.zeros_like(targets)], axis=1)
    head = fit_head(FeaturesConfig(classifier=classifier), photos, labels, task="multilabel", n_outputs=3, seed=SEED)
    found = torch.sigmoid(head(torch.from_numpy(unseen)).double()).numpy()
    makers = {"svm": svm, "logistic": logistic}
    for index in range(2):
        if classifier == "knn":
            neighbours = make_pipeline(*steps({}), KNeighborsClassifier(5)).fit(photos, labels[:, index])
            expected = (5 * neighbours.predict_proba(unseen)[:, 1] + 0.5) / 6
        else:
            expected = (
                makers[classifier]({}).fit(photos.astype(np.float64), labels[:, index]).predict_proba(unseen)[:, 1]
            )
        assert np.abs(found[:, index] - expected).max() < 1e-5
    assert found[:, 2].max() < 0.1


def test_a_label_may_be_chosen_by_any_of_the_dimensions() -> None:
    photos, targets = embeddings(4)
    labels = np.stack([targets % 2, targets // 2], axis=1)
    config = FeaturesConfig(classifier="knn", select=8, pca=3)
    head = fit_head(config, photos, labels, task="multilabel", n_outputs=2, seed=0)
    assert (((head(torch.from_numpy(photos)) > 0).numpy() == labels).mean(axis=0) > 0.7).all()


@pytest.mark.parametrize("classifier", ["svm", "logistic", "knn"])
def test_regress_gives_scikit_learns_values(classifier: str) -> None:
    photos, _ = embeddings(4)
    values = (photos[:, 0] - photos[:, 1] + 0.1 * photos[:, 5]).astype(np.float64)
    values = (values - values.mean()) / values.std()
    unseen, _ = embeddings(4, seed=1)
    head = fit_head(FeaturesConfig(classifier=classifier), photos, values, task="regress", n_outputs=1, seed=SEED)
    model = {
        "svm": LinearSVR(C=1.0, max_iter=5000, random_state=SEED),
        "logistic": Ridge(0.05),
        "knn": KNeighborsRegressor(5),
    }[classifier]
    expected = make_pipeline(*steps({}), model).fit(photos.astype(np.float64), values).predict(unseen)
    found = head(torch.from_numpy(unseen))
    assert found.shape == (len(unseen), 1)
    assert np.abs(found[:, 0].numpy() - expected).max() < 1e-5


@pytest.mark.parametrize("classifier", ["svm", "logistic", "knn"])
def test_a_class_without_a_photo_is_never_said(classifier: str) -> None:
    photos, targets = embeddings(3)
    head = fit_head(
        FeaturesConfig(classifier=classifier),
        photos,
        np.array([0, 2, 3])[targets],
        task="classify",
        n_outputs=5,
        seed=0,
    )
    raw = head(torch.from_numpy(photos))
    assert raw.shape == (len(photos), 5)
    assert torch.isfinite(raw).all()
    assert not torch.isin(raw.argmax(dim=1), torch.tensor([1, 4])).any()
    accuracy = (raw.argmax(dim=1).numpy() == np.array([0, 2, 3])[targets]).mean()
    assert accuracy > 0.8


@pytest.mark.parametrize("classifier", ["svm", "logistic", "knn"])
def test_confidence_is_calibrated_on_unseen_photos(classifier: str) -> None:
    """Probabilities are of more use than the classes' shares: the log loss says so, which over-confidence fails."""
    photos, targets = embeddings(4, count=400)
    head = fit_head(
        FeaturesConfig(classifier=classifier), photos[:200], targets[:200], task="classify", n_outputs=4, seed=0
    )
    assert log_loss(targets[200:], probabilities(head, photos[200:])) < 0.7 * np.log(4)


def test_selection_never_sees_the_fold_it_is_judged_on() -> None:
    """On labels of pure chance the calibrated confidence must stay at chance, for all the selection finds."""
    rng = np.random.default_rng(0)
    photos, targets = rng.random((60, 2000)).astype(np.float32), np.arange(60) % 2
    head = fit_head(FeaturesConfig(select=20), photos, targets, task="classify", n_outputs=2, seed=0)
    assert probabilities(head, rng.random((200, 2000)).astype(np.float32)).max() < 0.75


def test_the_same_seed_gives_the_same_head() -> None:
    photos, targets = embeddings(3)
    first, second = (
        fit_head(FeaturesConfig(), photos, targets, task="classify", n_outputs=3, seed=1).state_dict() for _ in "ab"
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_black_photo_and_a_dead_dimension_do_no_harm() -> None:
    photos, targets = embeddings(2)
    photos[0], photos[:, 3] = 0, 0
    head = fit_head(FeaturesConfig(select=10), photos, targets, task="classify", n_outputs=2, seed=0)
    assert torch.isfinite(head(torch.from_numpy(photos))).all()


@pytest.mark.parametrize(
    ("asked", "key"),
    [({"select": 33}, "select"), ({"pca": 40}, "pca"), ({"classifier": "knn", "neighbours": 121}, "neighbours")],
)
def test_more_than_there_is_is_refused(asked: dict[str, Any], key: str) -> None:
    photos, targets = embeddings(2)
    with pytest.raises(UsageError, match=rf"model\.features\.{key}"):
        fit_head(FeaturesConfig(**asked), photos, targets, task="classify", n_outputs=2, seed=0)


def test_too_little_to_learn_from_is_refused() -> None:
    photos, targets = embeddings(3)
    with pytest.raises(DataError, match="all of one class"):
        fit_head(FeaturesConfig(), photos, targets * 0, task="classify", n_outputs=3, seed=0)
    targets[targets == 2] = 1
    targets[0] = 2
    with pytest.raises(DataError, match="class 2 has a single training photo"):
        fit_head(FeaturesConfig(), photos, targets, task="classify", n_outputs=3, seed=0)
    photos[0, 0] = np.nan
    with pytest.raises(DataError, match="finite embeddings"):
        fit_head(FeaturesConfig(), photos, targets, task="classify", n_outputs=3, seed=0)


@pytest.mark.parametrize("classifier", ["svm", "logistic", "knn"])
def test_an_artefact_brings_the_head_back(classifier: str) -> None:
    features = FeaturesConfig(classifier=classifier)
    config = ModelConfig(
        family="features", backbone="test_resnet", weights="none", input=InputConfig(size=(64, 64)), features=features
    )
    network = models.build(config, 3)
    assert not any(item.requires_grad for item in network.parameters())
    photos, targets = embeddings(3, length=network.n_features)
    network.head = fit_head(features, photos, targets, task="classify", n_outputs=3, seed=0)
    card = artefact.Card(
        task="classify",
        classes=ClassMap(("a", "b", "c")),
        preprocess=network.preprocess,
        decode=artefact.Decode(),
        family="features",
        model=models.options(config, network),
        licence=network.licence,
        name="test",
        created="2026-01-01T00:00:00Z",
    )
    card = artefact.Card.from_json(card.as_json(), where="here")
    again = models.rebuild(card, network.state_dict())
    batch = torch.rand(2, 3, 64, 64)
    assert torch.equal(network.eval()(batch), again(batch))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"link": "eval", "neighbours": 0},
        {"link": "vote-share", "neighbours": 9},
        {"link": "none", "neighbours": "x"},
    ],
)
def test_a_head_that_is_not_ours_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="model card"):
        rebuild_head(options, {"weight": (4, 8), "votes": (4, 2)})


@pytest.mark.parametrize("classifier", ["svm", "logistic", "knn"])
def test_the_head_can_be_exported(classifier: str) -> None:
    photos, targets = embeddings(3)
    head = fit_head(FeaturesConfig(classifier=classifier), photos, targets, task="classify", n_outputs=3, seed=0)
    batch = torch.from_numpy(photos[:4])
    program = torch.export.export(head.eval(), (batch,), dynamic_shapes=({0: torch.export.Dim("n", min=1)},))
    assert torch.equal(program.module()(torch.from_numpy(photos)), head(torch.from_numpy(photos)))
