"""Attributes beside embeddings: the classifier is scikit-learn's on both, the graph holds the embedding's part."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest, f_classif, f_regression
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import normalize

from vision_cli.core.config import FeaturesConfig
from vision_cli.core.errors import UsageError
from vision_cli.models.features import fit_head
from vision_cli.models.fitting import UnitVariance

CHOICES: dict[str, dict[str, int]] = {
    "plain": {},
    "select": {"select": 12},
    "pca": {"pca": 5},
    "both": {"select": 20, "pca": 4},
}


def drawn(classes: int, seed: int, count: int = 150) -> tuple[Any, Any, Any]:
    """Return embeddings that say little, attributes that say more, and classes."""
    rng = np.random.default_rng(seed)
    targets = np.arange(count) % classes
    embeddings = np.maximum(rng.normal(size=(count, 32)) + 0.3 * np.eye(classes, 32)[targets], 0)
    attributes = rng.normal(size=(count, 3)) + 1.5 * np.eye(classes, 3)[targets]
    return embeddings.astype(np.float32), attributes - attributes.mean(axis=0), targets


def joined(embeddings: Any, attributes: Any, learned: tuple[Any, Any]) -> Any:
    """Return both beside one another, attributes with as much variance in all as embeddings of length 1."""
    length = normalize(learned[0].astype(np.float64))
    factor = np.sqrt(length.var(axis=0).sum() / learned[1].var(axis=0).sum())
    return np.concatenate([normalize(embeddings.astype(np.float64)), attributes * factor], axis=1)


def steps(choice: dict[str, int], score: Any) -> list[Any]:
    select = [SelectKBest(score, k=choice["select"])] if "select" in choice else []
    pca = [PCA(choice["pca"], svd_solver="full")] if "pca" in choice else []
    return [*select, *pca, UnitVariance()]


def raw(head: Any, embeddings: Any, attributes: Any) -> Any:
    return head(torch.from_numpy(embeddings)).double().numpy() + attributes @ head.attribute_weight.T


@pytest.mark.parametrize("choice", list(CHOICES))
@pytest.mark.parametrize("classes", [2, 3])
def test_logistic_regression_of_both_is_scikit_learns(choice: str, classes: int) -> None:
    train, unseen = drawn(classes, 0), drawn(classes, 1)
    config = FeaturesConfig(classifier="logistic", **CHOICES[choice])
    head = fit_head(config, train[0], train[2], task="classify", n_outputs=classes, seed=0, attributes=train[1])
    model = make_pipeline(*steps(CHOICES[choice], f_classif), LogisticRegression(C=25.0, max_iter=5000))
    model.fit(joined(*train[:2], train[:2]), train[2])
    expected = model.predict_proba(joined(*unseen[:2], train[:2]))
    found = torch.softmax(torch.from_numpy(raw(head, *unseen[:2])), dim=1).numpy()
    assert np.abs(found - expected).max() < 1e-5
    assert head.weight.shape == (classes, 32)
    assert "attribute_weight" not in head.state_dict()


@pytest.mark.parametrize("choice", list(CHOICES))
def test_regression_on_both_is_scikit_learns(choice: str) -> None:
    train, unseen = drawn(3, 0), drawn(3, 1)
    values = train[0] @ np.linspace(-1, 1, 32) + train[1][:, 0]
    config = FeaturesConfig(classifier="logistic", **CHOICES[choice])
    head = fit_head(config, train[0], values, task="regress", n_outputs=1, seed=0, attributes=train[1])
    model = make_pipeline(*steps(CHOICES[choice], f_regression), Ridge(alpha=0.05))
    expected = model.fit(joined(*train[:2], train[:2]), values).predict(joined(*unseen[:2], train[:2]))
    assert np.abs(raw(head, *unseen[:2])[:, 0] - expected).max() < 1e-4 * np.abs(expected).max()


def test_attributes_that_say_more_are_heard() -> None:
    train, unseen = drawn(3, 0), drawn(3, 1)
    config = FeaturesConfig(classifier="logistic")
    alone = fit_head(config, train[0], train[2], task="classify", n_outputs=3, seed=0)
    both = fit_head(config, train[0], train[2], task="classify", n_outputs=3, seed=0, attributes=train[1])
    photos_only = (alone(torch.from_numpy(unseen[0])).argmax(dim=1).numpy() == unseen[2]).mean()
    with_both = (raw(both, *unseen[:2]).argmax(axis=1) == unseen[2]).mean()
    assert with_both > photos_only + 0.1


def test_labels_of_which_several_are_on_take_attributes() -> None:
    embeddings, attributes, targets = drawn(3, 0)
    labels = np.stack([targets == 0, attributes[:, 1] > 0], axis=1).astype(np.float64)
    for classifier in ("svm", "logistic"):
        config = FeaturesConfig(classifier=classifier)  # type: ignore[arg-type]
        head = fit_head(config, embeddings, labels, task="multilabel", n_outputs=2, seed=0, attributes=attributes)
        assert ((raw(head, embeddings, attributes)[:, 1] > 0) == labels[:, 1]).mean() > 0.85


@pytest.mark.parametrize(("classifier", "task"), [("svm", "classify"), ("knn", "classify"), ("knn", "regress")])
def test_classifiers_that_are_not_linear_in_attributes_are_refused(classifier: Any, task: str) -> None:
    embeddings, attributes, targets = drawn(3, 0)
    with pytest.raises(UsageError, match="takes no attributes"):
        fit_head(
            FeaturesConfig(classifier=classifier), embeddings, targets, task=task, n_outputs=3, seed=0,
            attributes=attributes,
        )  # fmt: skip
