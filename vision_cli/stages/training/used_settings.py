"""What stood in a training for the settings that the project file leaves open."""

from __future__ import annotations

from typing import Any

from vision_cli.core.config import ProjectConfig
from vision_cli.core.contracts import Network
from vision_cli.core.tasks import PLACE_TASKS
from vision_cli.stages.data import TaskData
from vision_cli.stages.training import fitting

_SCORES = {
    "classify": "accuracy",
    "multilabel": "f1_micro",
    "regress": "r2",
    "detect": "ap50",
    "instance": "ap50",
    "semantic": "miou",
    "panoptic": "pq",
}


def score_of(task: str, network: Network) -> str:
    """Return the metric that training watches on validation photos; empty where a recipe has a figure of its own."""
    return _SCORES[task] if network.stages else ""


def used(config: ProjectConfig, data: TaskData, network: Network) -> dict[str, Any]:
    """Return the values by the names of settings of `train`; nothing of trainings by a recipe of their own."""
    if config.model.family == fitting.FEATURES or not network.stages:
        return {}
    meant = _meant(config, data, network)
    given = config.train.model_dump()
    return {name: value for name, value in meant.items() if given[name] is None}


def _meant(config: ProjectConfig, data: TaskData, network: Network) -> dict[str, Any]:
    from vision_cli.training import freezing, head, whole
    from vision_cli.training.places import fit as places
    from vision_cli.training.request import WEIGHT_DECAY

    epochs = fitting.epochs_of(config, data, network)
    if data.task in PLACE_TASKS:
        found = {"learning_rate": places.LEARNING_RATE, "weight_decay": WEIGHT_DECAY, "ema": places.EMA}
        return {"epochs": epochs, **found}
    if fitting.freezes_backbone(config, data, network):
        decay = head.PENALTY if head.is_linear(network.head) else WEIGHT_DECAY
        found = {"learning_rate": head.LEARNING_RATE, "weight_decay": decay, "ema": 0.0, "label_smoothing": 0.0}
        return {"epochs": epochs, **found}
    fitted = freezing.starts_fitted(fitting.train_options(config))
    smoothing = {} if data.task == "regress" else {"label_smoothing": 0.0 if fitted else whole.SMOOTHING}
    found = {"learning_rate": whole.LEARNING_RATE, "weight_decay": WEIGHT_DECAY, "ema": whole.EMA}
    return {"epochs": epochs, **found, **smoothing}
