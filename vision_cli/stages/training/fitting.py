"""Bring a network and a view's photos together, and let it learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vision_cli import models
from vision_cli.advice import framing
from vision_cli.core import files, policy
from vision_cli.core.artefact import Decode
from vision_cli.core.config import ModelConfig, ProjectConfig, TrainConfig
from vision_cli.core.contracts import Network
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import UsageError
from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.core.run import METRICS, Run
from vision_cli.core.tasks import PLACE_TASKS
from vision_cli.models.cards import own_process_of
from vision_cli.models.defaults import WEIGHT_WORDS
from vision_cli.stages.data import TaskData

if TYPE_CHECKING:
    from vision_cli.training.request import FitRequest
    from vision_cli.training.team import Team

FEATURES = "features"


@dataclass(frozen=True, slots=True)
class FitTask:
    """What to fit to what.

    Attributes:
        project: model and training settings.
        data: the view, split.
        network: built for the data's classes.
        record: the run that is written to.
        resume: go on from the run's last checkpoint.
        team: the processes that learn together; None is this one alone.
        vectors: folder that keeps a frozen backbone's embeddings; the run's own when None.
    """

    project: Project
    data: TaskData
    network: Network
    record: Run
    resume: bool = False
    team: Team | None = None
    vectors: Path | None = None


@dataclass(frozen=True, slots=True)
class Fitted:
    """A network that has learned.

    Attributes:
        network: with its best weights.
        options: that build it again.
        decode: brings its raw outputs back to the labels' scale; not calibrated yet.
        how: what was done, one line each.
        history: one row an epoch; empty for the family `features`.
    """

    network: Network
    options: Mapping[str, object]
    decode: Decode | PlaceDecode
    how: tuple[str, ...]
    history: tuple[Mapping[str, Any], ...] = ()


def build(project: Project, data: TaskData, progress: Progress, *, offline: bool) -> Network:
    """Build the declared network with its weights and a new head for the data's classes.

    A network that learns by heart drops nothing out.

    Args:
        project: its section `model` holds no `auto` any more.
        data: the view.
        progress: hears of downloads.
        offline: forbids them.

    Raises:
        MissingPartError: weights or packages are not there.
        DataError: the weights are refused.
    """
    network = _built(project, data, progress, offline=offline)
    if data.by_heart:
        from vision_cli.models.network import without_dropout

        without_dropout(network)
    return network


def _built(project: Project, data: TaskData, progress: Progress, *, offline: bool) -> Network:
    if data.task in PLACE_TASKS:
        from vision_cli.stages.training import place_fitting

        return place_fitting.build(project, data, progress, offline=offline)
    if project.config.model.input.tiles is not None:
        raise UsageError(
            f"model.input.tiles: the task '{data.task}' has one answer about the whole photo.", hint="Leave it out."
        )
    import torch

    policy.keep_freed_memory()
    torch.manual_seed(project.config.train.seed)  # a new head's weights come from torch's generator
    outputs = len(data.dataset.classes) or 1
    return models.build(located(project), outputs, offline=offline, progress=progress)


def check_machine(config: ProjectConfig) -> None:
    """Refuse a device or precision that is not here, before weights are loaded.

    Raises:
        UsageError: there is no such device, or it does not compute so.
    """
    from vision_cli.training import checks

    checks.accelerator(config.train.device)
    if config.model.family != FEATURES:
        own_process = bool(own_process_of(models.FAMILIES.card(config.model.family)))
        checks.check_precision(config.train, own_process=own_process)


def check_freezing(config: ProjectConfig, data: TaskData, network: Network) -> None:
    """Refuse more frozen stages than the network has.

    Raises:
        UsageError: with the number that it has.
    """
    from vision_cli.training import checks

    if config.model.family != FEATURES:
        checks.freezing_plan(train_options(config), network, photos=len(data.part("train")))


def freezes_backbone(config: ProjectConfig, data: TaskData, network: Network) -> bool:
    """Return whether only the head learns, on embeddings that are computed once."""
    from vision_cli.training import checks

    return checks.freezing_plan(train_options(config), network, photos=len(data.part("train"))).backbone


def located(project: Project) -> ModelConfig:
    """Return the model section with a weights file's path seen from the project file, as every path in it is."""
    model = project.config.model
    if model.weights in WEIGHT_WORDS:
        return model
    return model.model_copy(update={"weights": str(project.path(model.weights))})


def fit(task: FitTask, progress: Progress) -> Fitted:
    """Fit a network to the training split.

    Raises:
        DataError: photos are refused, or the loss is not a number from the start.
        ResourceError: memory does not suffice for a single photo.
    """
    if task.data.task in PLACE_TASKS:
        from vision_cli.stages.training import place_fitting

        return place_fitting.fit(task, progress)
    config, network = task.project.config.model, task.network
    decode = value_scale(task.data)
    history: tuple[Mapping[str, Any], ...] = ()
    if config.family == FEATURES:
        from vision_cli.stages.training import shallow

        how, more = shallow.fit(task, loss_targets(task.data, task.data.part("train"), decode), progress)
        return Fitted(network, models.options(config, network) | more, decode, how)
    how, history = _fit_network(task, network, decode, progress)
    return Fitted(network, models.options(config, network), decode, how, history)


def epochs_of(config: ProjectConfig, data: TaskData, network: Network) -> int:
    """Return how many epochs a training has at most."""
    if config.train.epochs is not None:
        return config.train.epochs
    if data.task in PLACE_TASKS:
        from vision_cli.training.places import fit as places

        return places.EPOCHS
    from vision_cli.training import checks, head, whole

    frozen = checks.freezing_plan(train_options(config), network, photos=len(data.part("train"))).backbone
    return head.EPOCHS if frozen else whole.EPOCHS


def counter_of_scenes(project: Project, task: str) -> Callable[[Dataset], int] | None:
    """Return what counts the inputs that photos are cut into; None where each photo is one."""
    if task not in PLACE_TASKS or project.config.model.input.tiles is None:
        return None
    from vision_cli.stages.training import place_fitting

    return place_fitting.counter_of_scenes(project, task)


def slots(config: ProjectConfig, data: TaskData, network: Network) -> tuple[int, int]:
    """Return about how many bytes training keeps of a decoded training photo, and of a validation photo."""
    if config.model.family == FEATURES or not network.stages:
        return 0, 0
    if data.task not in PLACE_TASKS and freezes_backbone(config, data, network):
        return 0, 0
    width, height = network.preprocess.size_px
    seen = width * height * network.preprocess.channels
    return int(seen * (1.0 if config.train.augment == "none" else _KEPT_LARGER**2)), seen


_KEPT_LARGER = 1.5
"""How much larger than the network's input training photos are kept, so that a part of one can be shown sharp."""


def value_scale(data: TaskData) -> Decode:
    """Return the decoding that undoes bringing `regress` values to mean 0 and standard deviation 1."""
    if data.task != "regress":
        return Decode()
    values = data.part("train").values()
    std = float(values.std())
    return Decode(mean=float(values.mean()), std=std if std > 0 else 1.0)


def loss_targets(data: TaskData, part: Dataset, decode: Decode) -> np.ndarray[Any, Any]:
    """Return what the loss takes: int64 (N,), float32 (N, C), or standardised float32 (N, 1)."""
    targets = data.targets(part)
    if data.task == "classify":
        return targets
    if data.task == "multilabel":
        return targets.astype(np.float32)
    return ((targets - decode.mean) / decode.std).astype(np.float32)[:, None]


def train_options(config: ProjectConfig) -> TrainConfig:
    """Return the training options; a backbone of random weights has nothing to freeze and no statistics to keep."""
    if config.model.weights != "none":
        return config.train
    freeze = "none" if config.train.freeze == "auto" else config.train.freeze
    return config.train.model_copy(update={"freeze": freeze, "norms": "learn", "head_first": False})


def photo_request(task: FitTask, decode: Decode, progress: Progress) -> FitRequest:
    """Return the training of a network that answers about whole photos.

    Args:
        task: what to fit to what.
        decode: of values, see `value_scale`.
        progress: is told of every epoch.
    """
    from vision_cli.training.fit import FitRequest
    from vision_cli.training.photo_painting import PhotoPainter
    from vision_cli.training.photos import Photos
    from vision_cli.training.team import ALONE

    team, network = task.team or ALONE, task.network
    train, val = task.data.part("train"), task.data.part("val")
    return FitRequest(
        network=network,
        task=task.data.task,
        train=Photos(train.paths(), loss_targets(task.data, train, decode)),
        val=Photos(val.paths(), loss_targets(task.data, val, decode)),
        options=train_options(task.project.config),
        preprocess=network.preprocess,
        folder=task.record.folder,
        log=task.record.log,
        progress=progress,
        resume=task.resume,
        painter=PhotoPainter(task.data.task, task.data.dataset.classes.names, decode) if team.first else None,
        team=team,
        vectors=task.vectors,
    )


def _fit_network(
    task: FitTask, network: Network, decode: Decode, progress: Progress
) -> tuple[tuple[str, ...], tuple[Mapping[str, Any], ...]]:
    from vision_cli.training.checks import freezing_plan
    from vision_cli.training.fit import fit as run_loop

    request = photo_request(task, decode, progress)
    if not freezing_plan(request.options, network, photos=len(request.train)).backbone:
        found = framing.cropped(task.data.part("train"), network.preprocess)
        if found:
            progress.warn(found.message)
    result = run_loop(request)
    if task.resume:
        log_anew(task.record, result.history)
    mode = "head on a frozen backbone's embeddings" if result.frozen else "network"
    epochs = f"best epoch {result.best_epoch} of {result.epochs}"
    summary = f"{mode}: {epochs}, {result.stopped}, {result.seconds:.0f} s of learning"
    return (summary, *result.notes), tuple(result.history)


def log_anew(record: Run, history: Sequence[Mapping[str, Any]]) -> None:
    """Write the rows of all epochs: what was killed around a checkpoint has lost one, or will have repeated some."""
    lines = [files.json_text(row, indent=None) for row in history]
    files.write_text(record.folder / METRICS, "".join(f"{line}\n" for line in lines))
