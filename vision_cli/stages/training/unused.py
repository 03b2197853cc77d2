"""Settings that somebody changed and that this kind of training has no use for: said before the work starts."""

from __future__ import annotations

from pydantic import BaseModel

from vision_cli.core.config import ModelConfig, ProjectConfig, TrainConfig
from vision_cli.core.contracts import Network
from vision_cli.core.progress import Progress
from vision_cli.core.tasks import PLACE_TASKS
from vision_cli.models.ultralytics.recipe import Recipe
from vision_cli.stages.data import TaskData
from vision_cli.stages.training import fitting
from vision_cli.stages.training.fitting import FEATURES

_FEATURES_USE = frozenset({"view", "batch_size", "workers", "device", "devices", "nodes", "seed"})
_FROZEN_IGNORES = frozenset({"layer_decay", "unfreeze_every", "head_first", "norms"})
_PHOTOS_IGNORE = frozenset({"mosaic", "copy_paste", "multi_scale", "sampling"})
_PLACES_IGNORE = frozenset({"mixup", "label_smoothing", "class_weights"})
_NEVER_IN_PLACES = frozenset({"head_first", "interpolate"})
"""Planning switches them off there, so that it is the one who asks for them that is told."""
_WITH_MASKS = ("instance", "panoptic")


def warn(declared: TrainConfig, config: ProjectConfig, data: TaskData, network: Network, progress: Progress) -> None:
    """Name what has no effect, in one sentence each for the sections `train` and `model`.

    Args:
        declared: the section `train` as the user wrote it: planning sets some of its fields itself.
        config: what is in force, without any `auto`.
        data: the view.
        network: built for it.
        progress: hears the warnings.
    """
    settings, kind = _of_training(declared, config, data, network)
    if settings:
        progress.warn(f"{', '.join(settings)}: without effect with {kind}.")
    if others := in_model(config.model, data.task):
        progress.warn(f"{', '.join(others)}: without effect with the family {config.model.family}.")


def without_effect(declared: TrainConfig, config: ProjectConfig, data: TaskData, network: Network) -> list[str]:
    """Return the dotted names of settings that somebody changed and that have no effect; see `warn`."""
    return [*_of_training(declared, config, data, network)[0], *in_model(config.model, data.task)]


def _of_training(
    declared: TrainConfig, config: ProjectConfig, data: TaskData, network: Network
) -> tuple[list[str], str]:
    """Return the settings, and with what they have no effect."""
    if isinstance(network, Recipe):
        return in_recipe(declared, data.task), f"Ultralytics' own recipe ('{network.family}')"
    if data.task in PLACE_TASKS:
        return in_places(declared, data.task), f"the task {data.task}"
    of_features = config.model.family == FEATURES
    frozen = of_features or fitting.freezes_backbone(config, data, network)
    kind = "the family features" if of_features else "a frozen backbone" if frozen else "answers about whole photos"
    return in_photos(declared, of_features=of_features, frozen=frozen), kind


def in_photos(train: TrainConfig, *, of_features: bool, frozen: bool) -> list[str]:
    """Return the settings that are of no use where the answer is about the whole photo."""
    changed = _changed(train)
    ignored = changed & _FROZEN_IGNORES if frozen else frozenset()
    if frozen and "augment" in changed and train.augment != "none":
        ignored |= {"augment"}  # every preset but `none` is the same mirrored view
    if of_features:
        ignored = changed - _FEATURES_USE
    return _named("train", ignored | (changed & _PHOTOS_IGNORE))


def in_places(train: TrainConfig, task: str) -> list[str]:
    """Return the settings that are of no use to detectors and segmenters."""
    ignored = _changed(train) & (_PLACES_IGNORE if task in _WITH_MASKS else _PLACES_IGNORE | {"copy_paste"})
    return _named("train", ignored | _asked_for(train))


def in_recipe(train: TrainConfig, task: str) -> list[str]:
    """Return the settings that Ultralytics' recipe has no word for."""
    from vision_cli.models.ultralytics import training

    used = training.USED if task in _WITH_MASKS else training.USED - {"copy_paste"}
    return _named("train", (_changed(train) - used - _NEVER_IN_PLACES) | _asked_for(train))


def in_model(model: ModelConfig, task: str) -> list[str]:
    """Return the settings of the network that only others have."""
    ignored = {
        "features": model.family != FEATURES,
        "upsample": model.family != "fcn",
        "dropout": task in PLACE_TASKS or model.family == FEATURES,
    }
    return _named("model", frozenset(key for key in _changed(model) if ignored.get(key)))


def _asked_for(train: TrainConfig) -> frozenset[str]:
    return frozenset(key for key in _NEVER_IN_PLACES & train.model_fields_set if getattr(train, key))


def _changed(section: BaseModel) -> frozenset[str]:
    usual = type(section)()
    return frozenset(key for key in section.model_fields_set if getattr(section, key) != getattr(usual, key))


def _named(section: str, keys: frozenset[str]) -> list[str]:
    return [f"{section}.{key}" for key in sorted(keys)]
