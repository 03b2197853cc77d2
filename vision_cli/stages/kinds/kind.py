"""The contract of a kind of task, and which kind a task is of."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from vision_cli.core.artefact import Card
from vision_cli.core.contracts import Runner
from vision_cli.core.dataset import Dataset
from vision_cli.core.measurement import Measurement
from vision_cli.core.progress import Progress
from vision_cli.core.tasks import OBJECT_TASKS, PHOTO_TASKS
from vision_cli.metrics.weighted import Part


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a measurement.

    Attributes:
        names: of the metrics that KPIs ask for.
        resamples: of the bootstrap.
        crosscheck: run a second evaluator beside, where there is one, and end where they differ.
    """

    names: tuple[str, ...] = ()
    resamples: int = 1000
    crosscheck: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of a model on photos.

    Attributes:
        measurement: the metrics.
        more: curves, tables and settings by name, plain JSON values, for those who look closer.
    """

    measurement: Measurement
    more: Mapping[str, Any] = field(default_factory=dict)


class Kind(Protocol):
    """What a kind of task does with a model's answers; `said` is its own type."""

    def say(self, runner: Runner, dataset: Dataset, progress: Progress, what: str) -> Any:
        """Return what a model says of a data set's photos.

        Raises:
            DataError: a photo is refused, or the model gives values that are not numbers.
        """

    def chosen(self, card: Card, said: Any, dataset: Dataset) -> tuple[Card, Any]:
        """Return the card with decode parameters chosen on validation photos, and what is said with them."""

    def measure(self, card: Card, said: Any, dataset: Dataset, wanted: Wanted) -> Measured:
        """Measure what was said of a data set's photos."""

    def weighted(self, card: Card, said: Any, dataset: Dataset, names: Collection[str]) -> list[Part]:
        """Return some metrics as functions of how much each photo counts, to compare two models by."""

    def columns(self, card: Card, said: Any, dataset: Dataset) -> Mapping[str, Any]:
        """Return columns of one row a photo: what it is, and what the model said."""


def kind_of(task: str) -> Kind:
    """Return the kind of a task."""
    if task in PHOTO_TASKS:
        from vision_cli.stages.kinds.photos import PhotoKind

        return PhotoKind()
    if task in OBJECT_TASKS:
        from vision_cli.stages.kinds.objects import ObjectKind

        return ObjectKind()
    from vision_cli.stages.kinds.pixels import PixelKind

    return PixelKind()
