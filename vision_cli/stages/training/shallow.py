"""The family `features`: vectors by the engine of `vision embed`, attributes beside them, a shallow classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli.core import attributes
from vision_cli.core.attributes import Attribute
from vision_cli.core.contracts import Batch, Network
from vision_cli.core.dataset import Dataset
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.stages.embedding.engine import EngineOptions, embed_photos
from vision_cli.stages.embedding.sources import of_config
from vision_cli.stages.training.fitting import FitTask, located

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Learned:
    """A shallow classifier.

    Attributes:
        head: torch module of vectors alone.
        beside: the attributes that it takes into account.
    """

    head: Any
    beside: Sequence[Attribute] = ()

    def outputs(self, vectors: Batch, photos: Dataset) -> Floats:
        """Return raw outputs float64 (N, C) for vectors float32 (N, D) and the attributes of the same photos."""
        import torch

        with torch.inference_mode():
            raw: Floats = self.head(torch.from_numpy(np.ascontiguousarray(vectors))).double().numpy()
        if not self.beside:
            return raw
        return np.asarray(raw + attributes.encode(self.beside, photos.images) @ self.head.attribute_weight.T)

    def members(self) -> dict[str, object]:
        """Return what the model card must hold beside the head's options."""
        if not self.beside:
            return {}
        return {attributes.MEMBER: attributes.as_json(self.beside, self.head.attribute_weight)}


def fit(task: FitTask, targets: np.ndarray[Any, Any], progress: Progress) -> tuple[tuple[str, ...], dict[str, object]]:
    """Fit the head of a task's network; return what was done, one line each, and what the model card must hold of it.

    Args:
        task: its network gets the head.
        targets: of the training photos; for `regress` (N, 1), standardised.
        progress: hears how many photos are done.

    Raises:
        UsageError: the photos have no such column, or the classifier takes none.
        DataError: photos are refused, or too few to fit.
    """
    train, config = task.data.part("train"), task.project.config.model.features
    check(task.project, task.data.task, train)
    seen = vectors(task.project, task.network, train.paths(), progress)
    learned = learn(task.project, task.data.task, train, (seen, targets))
    network: Any = task.network
    network.head = learned.head
    more = f" and {', '.join(config.columns)}" if learned.beside else ""
    how = f"{config.classifier} on {seen.shape[1]} features{more} of {len(train)} photos"
    return (how,), learned.members()


def check(project: Project, task: str, photos: Dataset) -> None:
    """Refuse attributes that cannot join, before any photo is read.

    Raises:
        UsageError: the photos have no such column, or the classifier takes none.
        DataError: a column is the same in all photos.
    """
    from vision_cli.models.fitting import check_linear

    config = project.config.model.features
    if config.columns:
        check_linear(config, task)
        attributes.fit(photos.images, config.columns)


def vectors(project: Project, network: Network, paths: Sequence[Path], progress: Progress) -> Batch:
    """Return the vectors of photos, float32 (N, D), by a network that was built from the project's section `model`.

    Raises:
        DataError: a photo is refused.
    """
    store = project.root / ".vision" / "embeddings"
    source = of_config(located(project), network)
    found = embed_photos(paths, source, EngineOptions(store=store, prepare="if it pays"), progress=progress)
    network.backbone.cpu()  # where heads are fitted and models are verified
    return found.vectors


def learn(project: Project, task: str, photos: Dataset, rows: tuple[Batch, np.ndarray[Any, Any]]) -> Learned:
    """Fit the project's shallow classifier.

    Args:
        project: its section `model.features` says which.
        task: `classify`, `multilabel` or `regress`.
        photos: to learn from.
        rows: their vectors float32 (N, D), and their targets; for `regress` (N, 1), standardised.

    Raises:
        UsageError: the photos have no such column, or the classifier takes none.
        DataError: too few photos or classes to fit and calibrate.
    """
    from vision_cli.models.fitting import fit_head

    config, (seen, targets) = project.config, rows
    beside = attributes.fit(photos.images, config.model.features.columns)
    head = fit_head(
        config.model.features,
        seen,
        targets[:, 0] if task == "regress" else targets,
        task=task,
        n_outputs=len(photos.classes) or 1,
        seed=config.train.seed,
        attributes=attributes.encode(beside, photos.images) if beside else None,
    )
    return Learned(head, tuple(beside))
