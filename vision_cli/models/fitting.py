"""Fit the shallow classifiers of the family `features` with scikit-learn and turn them into one `FeatureHead`."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import SelectKBest, f_classif, f_regression
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC, LinearSVR

from vision_cli.core.config import FeaturesConfig
from vision_cli.core.errors import DataError, UsageError
from vision_cli.models.feature_head import FeatureHead, Link

Floats = NDArray[np.float64]
# Inverse regularisation, for embeddings of unit total variance. Five-fold cross-validation of frozen EfficientNet-Lite0
# features (400 photos, 10 classes): accuracy of the SVM 0.82 at 1 and 0.80 at 100, log loss 0.57 and 0.62; logistic
# regression 0.83 from 10 to 200, log loss 0.56 at 10, 0.52 at 25, 0.50 above.
_SVM_C = 1.0
_LOGISTIC_C = 25.0
_RIDGE_ALPHA = 0.05
_MAX_ITERATIONS = 5000
_FOLDS = 5
_NEVER = -1e4
"""Log-probability of a class without a photo; in range of float16."""


class UnitVariance(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Centres embeddings and scales them all by one number, to a total variance of 1.

    One scale a dimension would make noise as loud as signal: k-NN falls from 0.75 to 0.66 on the set above.
    """

    def fit(self, embeddings: Floats, targets: object = None) -> UnitVariance:
        """Measure mean and scale."""
        self.mean_ = embeddings.mean(axis=0)
        self.scale_ = float(np.sqrt(((embeddings - self.mean_) ** 2).sum(axis=1).mean())) or 1.0
        return self

    def transform(self, embeddings: Floats) -> Floats:
        """Centre and scale."""
        return np.asarray((embeddings - self.mean_) / self.scale_)


def fit_head(  # noqa: PLR0913  one call of one fit; the caller names all but the data
    config: FeaturesConfig,
    embeddings: NDArray[np.float32],
    targets: NDArray[Any],
    *,
    task: str,
    n_outputs: int,
    seed: int,
    attributes: Floats | None = None,
) -> FeatureHead:
    """Fit the configured classifier on a frozen backbone's embeddings, and on attributes beside them.

    Args:
        config: classifier, selection, projection.
        embeddings: float32 (N, D).
        targets: `classify` int (N,) class ids; `multilabel` (N, n_outputs) of 0 and 1; `regress` float (N,),
            standardised.
        task: one of the three.
        n_outputs: classes, labels, or 1.
        seed: of the folds and of the SVM's solver.
        attributes: float64 (N, K), of mean 0; the head's `attribute_weight` says what they add to its raw outputs.

    Raises:
        UsageError: `select`, `pca` or `neighbours` ask for more than there is, or the classifier is not linear in
            attributes.
        DataError: too few photos or classes to fit and calibrate.
    """
    _check_rows(embeddings, np.asarray(targets))
    features = normalize(embeddings.astype(np.float64))
    how = (task, n_outputs, seed)
    if attributes is None or not attributes.shape[1]:
        return _fitted(config, features, np.asarray(targets), how)
    check_linear(config, task)
    factor = _balance(features, attributes)
    joined = np.concatenate([features, attributes * factor], axis=1)
    return _apart(_fitted(config, joined, np.asarray(targets), how), features.shape[1], factor)


def _check_rows(embeddings: NDArray[np.float32], targets: NDArray[Any]) -> None:
    if len(targets) != len(embeddings) or not np.isfinite(embeddings).all():
        raise DataError(f"features: {len(embeddings)} finite embeddings for {len(targets)} labels are needed.")


def check_linear(config: FeaturesConfig, task: str) -> None:
    """Refuse a classifier that takes no attributes.

    Raises:
        UsageError: it is none that is linear in them.
    """
    if config.classifier == "knn" or (config.classifier == "svm" and task == "classify"):
        raise UsageError(
            f"model.features.columns: the classifier '{config.classifier}' takes no attributes for '{task}'.",
            hint="Set model.features.classifier to logistic.",
        )


def _balance(features: Floats, attributes: Floats) -> float:
    """Return the factor with which attributes vary in all as much as embeddings of length 1 do."""
    wanted, found = features.var(axis=0).sum(), attributes.var(axis=0).sum()
    return float(np.sqrt(wanted / found)) if wanted > 0 and found > 0 else 1.0


def _apart(head: FeatureHead, length: int, factor: float) -> FeatureHead:
    """Return the head of the embedding alone, which remembers the weights of the attributes."""
    found = FeatureHead(head.weight[:, :length].contiguous(), head.bias, link=head.link)
    found.attribute_weight = head.weight[:, length:].double().numpy() * factor
    return found


def _fitted(config: FeaturesConfig, features: Floats, targets: NDArray[Any], how: tuple[str, int, int]) -> FeatureHead:
    """Fit rows whose first values are an embedding of length 1."""
    task, n_outputs, seed = how
    _check(config, features, targets, task)
    with warnings.catch_warnings():
        # A solver that stops a little early is calibrated all the same; a dead channel is constant and never selected.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", message="Features .* are constant", category=UserWarning)
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"sklearn\.feature_selection")
        if config.classifier == "knn":
            return _knn(config, features, targets, task, n_outputs)
        match task:
            case "classify":
                return _classify(config, features, targets.astype(np.int64), n_outputs, seed)
            case "multilabel":
                return _multilabel(config, features, targets, seed)
            case _:
                return _regress(config, features, targets, seed)


def _check(config: FeaturesConfig, features: Floats, targets: NDArray[Any], task: str) -> None:
    count, length = features.shape
    if task == "classify" and len(np.unique(targets)) < 2:
        raise DataError("features: the training photos are all of one class.", hint="Add photos of another class.")
    for key, asked, limit in (
        ("select", config.select, length),
        ("pca", config.pca, min(config.select or length, _smallest_fit(count, config.classifier, task))),
        ("neighbours", config.neighbours if config.classifier == "knn" else None, count),
    ):
        if asked is not None and asked > limit:
            raise UsageError(
                f"model.features.{key}: {asked} is more than the {limit} that {count} training photos with "
                f"embeddings of {length} values allow.",
                hint=f"Set it to {limit} or less.",
            )


def _smallest_fit(count: int, classifier: str, task: str) -> int:
    # Calibration fits on all folds but one.
    folded = classifier == "svm" and task != "regress"
    return count // 2 if folded else count


def _transforms(config: FeaturesConfig, score: Any) -> list[tuple[str, Any]]:
    steps: list[tuple[str, Any]] = []
    if config.select is not None:
        steps.append(("select", SelectKBest(score, k=config.select)))
    if config.pca is not None:
        steps.append(("pca", PCA(config.pca, svd_solver="full")))
    return [*steps, ("scale", UnitVariance())]


def _label_score(features: Floats, targets: NDArray[Any]) -> Floats:
    """Return each dimension's largest ANOVA F over the labels."""
    varied = [label for label in targets.T if label.min() != label.max()]
    return np.asarray(np.max([np.nan_to_num(f_classif(features, label)[0]) for label in varied], axis=0))


def _affine(steps: Iterable[tuple[str, Any]], length: int) -> tuple[Floats, Floats]:
    """Return the fitted transforms as x @ matrix + offset."""
    matrix, offset = np.eye(length), np.zeros(length)
    for _, step in steps:
        match step:
            case SelectKBest():
                kept = step.get_support(indices=True)
                matrix, offset = matrix[:, kept], offset[kept]
            case PCA():
                matrix, offset = matrix @ step.components_.T, (offset - step.mean_) @ step.components_.T
            case UnitVariance():
                matrix, offset = matrix / step.scale_, (offset - step.mean_) / step.scale_
            case _:
                pass
    return matrix, offset


def _rows(pipeline: Pipeline, length: int) -> tuple[Floats, Floats]:
    """Return weight (rows, D) and bias (rows,) of a fitted pipeline that ends in a linear model."""
    matrix, offset = _affine(pipeline.steps[:-1], length)
    model = pipeline.steps[-1][1]
    weight = np.atleast_2d(model.coef_)
    return weight @ matrix.T, weight @ offset + np.atleast_1d(model.intercept_)


def _head(weight: Floats, bias: Floats, link: Link) -> FeatureHead:
    return FeatureHead(torch.from_numpy(weight).float(), torch.from_numpy(bias).float(), link=link)


def _classify(
    config: FeaturesConfig, features: Floats, targets: NDArray[np.int64], n_outputs: int, seed: int
) -> FeatureHead:
    link: Link = "one-vs-rest" if config.classifier == "svm" else "softmax"
    weight, bias = _probabilistic_rows(config, features, targets, seed)
    if len(weight) == 1:
        # Two classes: the one decision is the second's, and its opposite (softmax: zero) the first's.
        first = -1.0 if link == "one-vs-rest" else 0.0
        weight, bias = np.vstack([first * weight, weight]), np.concatenate([first * bias, bias])
    present = np.unique(targets)
    whole, offsets = np.zeros((n_outputs, weight.shape[1])), np.full(n_outputs, _NEVER)
    whole[present], offsets[present] = weight, bias
    return _head(whole, offsets, link)


def _probabilistic_rows(
    config: FeaturesConfig, features: Floats, targets: NDArray[np.int64], seed: int
) -> tuple[Floats, Floats]:
    """Return weight and bias whose sigmoid (svm) or softmax (logistic) is a probability; one row for two classes."""
    length = features.shape[1]
    transforms = _transforms(config, f_classif)
    if config.classifier == "logistic":
        pipeline = Pipeline(
            [*transforms, ("model", LogisticRegression(C=config.C or _LOGISTIC_C, max_iter=_MAX_ITERATIONS))]
        )
        return _rows(pipeline.fit(features, targets), length)
    svm = LinearSVC(C=config.C or _SVM_C, max_iter=_MAX_ITERATIONS, random_state=seed)
    fitted = calibrated(Pipeline([*transforms, ("model", svm)]), features, targets, seed=seed)
    calibration = fitted.calibrated_classifiers_[0]
    weight, bias = _rows(calibration.estimator, length)
    slope = np.array([-item.a_ for item in calibration.calibrators])
    shift = np.array([-item.b_ for item in calibration.calibrators])
    return weight * slope[:, None], bias * slope + shift


def calibrated(
    pipeline: Pipeline, features: Floats, targets: NDArray[np.int64], *, seed: int
) -> CalibratedClassifierCV:
    """Fit a classifier on all photos and Platt's sigmoid (Platt 1999) on decisions about photos it had not seen.

    Raises:
        DataError: a class has one photo, which cannot be both learned from and judged.
    """
    counts = np.bincount(targets)
    fewest = int(counts[counts > 0].min())
    if fewest < 2:
        raise DataError(
            f"features: class {int(np.flatnonzero(counts == fewest)[0])} has a single training photo, "
            "too few to calibrate an SVM's confidence.",
            hint="Add photos of it, or set model.features.classifier to logistic or knn.",
        )
    folds = StratifiedKFold(min(_FOLDS, fewest), shuffle=True, random_state=seed)
    return CalibratedClassifierCV(pipeline, method="sigmoid", cv=folds, ensemble=False).fit(features, targets)


def _multilabel(config: FeaturesConfig, features: Floats, targets: NDArray[Any], seed: int) -> FeatureHead:
    rows = [_label_row(config, features, (label > 0.5).astype(np.int64), seed) for label in targets.T]
    return _head(np.vstack([weight for weight, _ in rows]), np.concatenate([bias for _, bias in rows]), "none")


def _label_row(config: FeaturesConfig, features: Floats, label: NDArray[np.int64], seed: int) -> tuple[Floats, Floats]:
    if label.min() == label.max():
        # Nothing to learn from: the log-odds of its share, with half a photo for yes and for no.
        odds = (label.sum() + 0.5) / (len(label) - label.sum() + 0.5)
        return np.zeros((1, features.shape[1])), np.array([np.log(odds)])
    return _probabilistic_rows(config, features, label, seed)


def _regress(config: FeaturesConfig, features: Floats, targets: NDArray[Any], seed: int) -> FeatureHead:
    model = (
        LinearSVR(C=config.C or _SVM_C, max_iter=_MAX_ITERATIONS, random_state=seed)
        if config.classifier == "svm"
        else Ridge(alpha=1 / config.C if config.C else _RIDGE_ALPHA)
    )
    pipeline = Pipeline([*_transforms(config, f_regression), ("model", model)])
    weight, bias = _rows(pipeline.fit(features, targets.reshape(-1)), features.shape[1])
    return _head(weight, bias, "none")


_VOTE_LINKS: dict[str, Link] = {"classify": "vote-share", "multilabel": "vote-odds"}


def _knn(config: FeaturesConfig, features: Floats, targets: NDArray[Any], task: str, n_outputs: int) -> FeatureHead:
    score = {"classify": f_classif, "multilabel": _label_score}.get(task, f_regression)
    transform = Pipeline(_transforms(config, score)).fit(features, targets)
    stored = transform.transform(features)
    matrix, offset = _affine(transform.steps, features.shape[1])
    # -|x - t|^2 without the |x|^2 that all share: x . 2t - |t|^2, with x = embedding @ matrix + offset.
    weight = 2 * stored @ matrix.T
    bias = 2 * stored @ offset - (stored**2).sum(axis=1)
    votes = np.eye(n_outputs)[targets.astype(np.int64)] if task == "classify" else targets.reshape(len(stored), -1)
    return FeatureHead(
        torch.from_numpy(weight).float(),
        torch.from_numpy(bias).float(),
        link=_VOTE_LINKS.get(task, "vote-mean"),
        votes=torch.from_numpy(votes.astype(np.float32)),
        neighbours=config.neighbours,
    )
