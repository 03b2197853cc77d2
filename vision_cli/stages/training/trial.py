"""Trainings that are none yet: a few photos learned by heart, and a sample that tells what the whole will take."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli.core.dataset import SPLITS, Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.measurement import Measurement
from vision_cli.core.project import Project
from vision_cli.core.tasks import PLACE_TASKS
from vision_cli.stages.data import TaskData
from vision_cli.training.cache import held_bytes

OVERFIT_RUNS, TRIAL_RUNS = "overfit", "trial"
"""Stages of their own, so that neither is taken for the last training."""
_EPOCHS = 250
_PIXEL_LEARNING_RATE = 3e-3
"""Thrice the usual: it took a U-Net to a mean IoU of 0.44 in 240 steps on eight COCO photos, instead of 0.13."""
_SLOW_LEARNING_RATE = 1e-3
_SLOW = frozenset({"deeplabv3", "deeplabv3plus", "pspnet"})
"""Families whose loss rose again at more, on the same photos: large heads on trunks with dilated convolutions."""
_STEPS_AN_EPOCH = 4
_MB = 1e6
_GOAL = {"detect": "ap50", "instance": "ap50", "semantic": "miou", "panoptic": "pq", "regress": "r2"}
_BOUND = {"pq": 0.8}
_SAMPLE = 0x5A3E


@dataclass(frozen=True, slots=True)
class ByHeart:
    """Whether a few photos could be learned by heart.

    Attributes:
        photos: number of them.
        first_loss: of the first epoch.
        last_loss: of the last epoch.
        metric: the figure that must be near 1 on the very photos that were learned.
        value: of it.
        bound: that it has to pass.
    """

    photos: int
    first_loss: float
    last_loss: float
    metric: str
    value: float
    bound: float

    @property
    def learned(self) -> bool:
        """Return whether it worked."""
        return self.value >= self.bound

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {**asdict(self), "learned": self.learned}


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the whole training will take, by what a sample took on this machine.

    Attributes:
        photos: of the whole training split.
        epochs: of the whole training, at most.
        seconds: of all its epochs, and of what is done once.
        memory_mb: most that was used, 1 MB = 10**6 bytes, and what more decoded photos are kept.
        disk_mb: of the run's folder; it hardly grows with the number of photos.
        scenes: inputs of an epoch, tiles of training and validation photos; None where each photo is one.
    """

    photos: int
    epochs: int
    seconds: float
    memory_mb: float
    disk_mb: float
    scenes: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {key: round(value, 1) for key, value in asdict(self).items() if value is not None}


def few(data: TaskData, number: int) -> TaskData:
    """Return training photos with labels, as many as asked, to learn from and to be judged on.

    Raises:
        UsageError: fewer than one.
        DataError: there are not so many.
    """
    if number < 1:
        raise UsageError(f"--overfit: expected 1 photo or more, got {number}.", hint="Eight are usual.")
    train = data.dataset.split("train")
    labelled = np.flatnonzero(np.isin(train.images["id"].to_numpy(), train.annotations["image_id"].to_numpy()))
    if len(labelled) < number:
        raise DataError(
            f"--overfit {number}: the training split has {len(labelled)} photos with labels.",
            hint="Ask for fewer.",
        )
    # Spread over the split: the first photos of a set are often of one class.
    rows = labelled[np.linspace(0, len(labelled) - 1, number).round().astype(int)]
    mask = np.zeros(len(train), dtype=np.bool_)
    mask[rows] = True
    return TaskData(train.select(mask), data.task, by_heart=True, part_of=data.digest)


def sample(data: TaskData, fraction: float, seed: int) -> TaskData:
    """Return a share of the photos of each split, at least two where there are two.

    Raises:
        UsageError: not above 0 and at most 1.
    """
    if not 0 < fraction <= 1:
        raise UsageError(f"--fraction: expected a number above 0 and at most 1, got {fraction:g}.")
    splits = data.dataset.splits()
    mask = np.zeros(len(data.dataset), dtype=np.bool_)
    rng = np.random.default_rng((seed, _SAMPLE))
    for name in SPLITS:
        rows = rng.permutation(np.flatnonzero(splits == name))
        mask[rows[: max(2, round(fraction * len(rows)))]] = True
    return replace(data, dataset=data.dataset.select(mask), part_of=data.digest)


def by_heart_settings(project: Project, photos: int, task: str) -> Project:
    """Return the project with settings that learn photos by heart: nothing that keeps a network from it."""
    train = project.config.train
    update = {
        "epochs": train.epochs or _EPOCHS,
        **({} if task in PLACE_TASKS else {"mixup": 0.0, "label_smoothing": 0.0}),
        **_speed(project, task),
        "augment": "none",
        "mosaic": 0.0,
        "copy_paste": 0.0,
        "multi_scale": False,
        "ema": 0.0,
        "weight_decay": 0.0,
        "freeze": "none",
        "norms": "keep" if project.config.model.weights != "none" else "auto",
        "layer_decay": 1.0,
        "head_first": False,
        "interpolate": False,
        "patience": 0,
        "batch_size": max(1, min(train.batch_size, photos // _STEPS_AN_EPOCH)),
    }
    return with_train(project, update)


def _speed(project: Project, task: str) -> dict[str, object]:
    """Return a fast schedule for classes of pixels; nothing where the user chose, or for other tasks."""
    if task != "semantic" or project.config.train.learning_rate is not None:
        return {}
    rate = _SLOW_LEARNING_RATE if project.config.model.family in _SLOW else _PIXEL_LEARNING_RATE
    return {"learning_rate": rate, "schedule": "one-cycle"}


def with_train(project: Project, update: Mapping[str, Any]) -> Project:
    """Return the project with other settings of `train`."""
    train = project.config.train.model_copy(update=dict(update))
    return replace(project, config=project.config.model_copy(update={"train": train}))


def goal(task: str) -> tuple[str, float]:
    """Return the figure that tells whether photos were learned by heart, and what it has to reach."""
    metric = _GOAL.get(task, "f1")
    return metric, _BOUND.get(metric, 0.9)


def judged(task: str, photos: int, history: list[Mapping[str, Any]], measurement: Measurement) -> ByHeart:
    """Return whether the photos were learned by heart."""
    metric, bound = goal(task)
    losses = [float(row["train_loss"]) for row in history]
    value = measurement.values.get(metric) or 0.0
    return ByHeart(photos, losses[0], losses[-1], metric, value, bound)


@dataclass(frozen=True, slots=True)
class Tried:
    """A training on a sample.

    Attributes:
        dataset: the sample.
        history: of its epochs; the last one counts, as the first one also starts processes.
        seconds: that it took as a whole.
        folder: of its run.
        slots: bytes that training keeps of each decoded input of the training split, and of the validation split.
    """

    dataset: Dataset
    history: Sequence[Mapping[str, Any]]
    seconds: float
    folder: Path
    slots: tuple[int, int] = (0, 0)


def estimate(whole: Dataset, tried: Tried, epochs: int, scenes: Callable[[Dataset], int] = len) -> Estimate:
    """Return what the whole training will take, at most so many epochs.

    Args:
        whole: every photo.
        tried: the training on a sample.
        epochs: of the whole.
        scenes: how many inputs a split's photos are, which is what takes time: with tiles, many a photo.
    """
    parts = ("train", "val")
    there, here = ([scenes(each.split(name)) for name in parts] for each in (whole, tried.dataset))
    epoch = float(tried.history[-1]["seconds"])
    besides = max(0.0, tried.seconds - sum(float(row["seconds"]) for row in tried.history))
    size = sum(path.stat().st_size for path in tried.folder.rglob("*") if path.is_file())
    seconds = sum(there) / max(1, sum(here)) * epochs * epoch + besides
    photos, memory = len(whole.split("train")), _peak_mb() + _held_mb(there, tried.slots) - _held_mb(here, tried.slots)
    return Estimate(photos, epochs, seconds, memory, size / _MB, sum(there) if scenes is not len else None)


def _held_mb(counts: Sequence[int], slots: Sequence[int]) -> float:
    """Return what a training keeps of decoded inputs."""
    return sum(held_bytes(count, slot) for count, slot in zip(counts, slots, strict=True)) / _MB


def _peak_mb() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    own, children = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return (own + children) * unit / _MB
