"""`vision models list | show`: the published weights that a person or the advisor chooses from. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vision_cli import models
from vision_cli.core import tasks
from vision_cli.core.catalogue import hint_for
from vision_cli.core.errors import UsageError
from vision_cli.models import known, published, wheels
from vision_cli.models.known import Dataset, Known
from vision_cli.models.published import Published

SORTS = ("accuracy", "size", "params", "macs", "name")
PERMISSIVE = "permissive"
_BEGINS_WITH = {
    "multilabel": "networks for multilabel begin with weights for classify: --task classify",
    "regress": "networks for regress begin with weights for classify: --task classify",
    "panoptic": "panopticfpn begins with the weights of maskrcnn: --task instance",
}


@dataclass(frozen=True, slots=True)
class WeightsRequest:
    """What `vision models list` was asked for.

    Attributes:
        family: only its weights.
        task: only weights that answer it.
        licence: an SPDX identifier, or `permissive`.
        max_bytes: of the file.
        has: words for classes, all of which the weights must know.
        sort: one of `SORTS`; accuracy is best first within a metric, the others smallest first.
        top: how many; None is all.
    """

    family: str | None = None
    task: str | None = None
    licence: str | None = None
    max_bytes: int | None = None
    has: tuple[str, ...] = ()
    sort: str = "accuracy"
    top: int | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """A word that was asked for, and the classes that it names in every public set."""

    word: str
    classes: tuple[Known, ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """Published weights.

    Attributes:
        weights: that meet the request, in its order.
        words: of `has`, in the order they were given.
        sets: public ones that have a class for one of the words.
        n_all: how many there are in all.
        n_met: how many meet the request, before `top`.
        hint: what to ask instead, where none do.
    """

    weights: tuple[Published, ...]
    words: tuple[Word, ...]
    sets: tuple[Dataset, ...]
    n_all: int
    n_met: int
    hint: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """One file of weights, whole.

    Attributes:
        weights: its line in the table.
        metric: what the accuracy is, in words.
        dataset: whose classes it answers.
        permissive: whether its licence asks for no more than a mention.
        file: where it lies on this machine; None where it does not.
        trained_by: what to put into vision.yaml to begin with it.
        classes: names in the order of its outputs.
    """

    weights: Published
    metric: str
    dataset: Dataset
    permissive: bool
    file: Path | None
    trained_by: tuple[str, ...]
    classes: tuple[str, ...]


def weights(request: WeightsRequest) -> Weights:
    """Return the weights that meet a request.

    Raises:
        UsageError: an unknown family, task, licence or order.
    """
    _check(request)
    words = tuple(Word(word, tuple(known.known([word]))) for word in request.has)
    rows = [row for row in published.rows(request.task) if _fits(row, request)]
    rows = [row for row in rows if all(row.dataset in {each.dataset for each in word.classes} for word in words)]
    ordered = sorted(rows, key=lambda row: _key(row, request.sort))
    named = {each.dataset for word in words for each in word.classes}
    return Weights(
        tuple(ordered[: request.top]),
        words,
        tuple(found for name, found in known.DATASETS.items() if name in named),
        len(published.rows()),
        len(rows),
        None if rows else _instead(request),
    )


def _instead(request: WeightsRequest) -> str | None:
    """Return what to ask where nothing meets a request: for the task that networks begin with, or for larger files."""
    if request.task in _BEGINS_WITH:
        return _BEGINS_WITH[request.task]
    if request.family and not any(row.family == request.family for row in published.rows()):
        return f"{request.family} begins with the weights of a backbone: vision models list timm --weights"
    larger = weights(replace(request, max_bytes=None, sort="size", top=1)).weights if request.max_bytes else ()
    return (
        f"the smallest that meets the rest has {larger[0].size_bytes / 1e6:.1f} MB: {larger[0].name}"
        if larger
        else None
    )


def show(name: str) -> Shown:
    """Return one file of weights.

    Raises:
        UsageError: there is no such name in the table, or several files have it.
    """
    row = published.find(name)
    return Shown(
        row,
        published.METRICS[row.metric],
        known.DATASETS[row.dataset],
        row.permissive,
        on_this_machine(row),
        (f"model.family={row.family}", f"model.backbone={row.backbone}", f"model.weights={row.weights}"),
        known.labels(row.dataset),
    )


def on_this_machine(row: Published) -> Path | None:
    """Return where a file of weights lies here: in the cache, or in the package that brings it."""
    wheel = wheels.of(row.backbone) if row.family == "timm" else None
    if wheel is not None and (file := wheel.installed()) is not None:
        return file
    path = row.source.path
    return path if path.is_file() else None


def _check(request: WeightsRequest) -> None:
    _check_one("model family", request.family, list(models.FAMILIES), "vision models list")
    if request.task is not None and request.task not in tasks.TASKS:
        raise UsageError(f"unknown task '{request.task}'.", hint=tasks.hint_for_task(request.task))
    _check_one("order", request.sort, SORTS, None)
    licences = [PERMISSIVE, *sorted({row.licence for row in published.rows()})]
    _check_one("licence", request.licence, licences, None)


def _check_one(what: str, given: str | None, known_names: Sequence[str], listing: str | None) -> None:
    if given is not None and given not in known_names:
        raise UsageError(f"unknown {what} '{given}'.", hint=hint_for(given, known_names, listing=listing))


def _fits(row: Published, request: WeightsRequest) -> bool:
    licence = request.licence
    return (
        request.family in (None, row.family)
        and (licence is None or row.licence == licence or (licence == PERMISSIVE and row.permissive))
        and (request.max_bytes is None or row.size_bytes <= request.max_bytes)
    )


def _key(row: Published, sort: str) -> tuple[object, ...]:
    order = list(published.METRICS).index(row.metric)
    match sort:
        case "accuracy":
            return (order, -row.accuracy, row.name)
        case "size":
            return (row.size_bytes, row.name)
        case "params":
            return (row.params, row.name)
        case "macs":
            return (row.macs, row.name)
        case _:
            return (row.name,)
