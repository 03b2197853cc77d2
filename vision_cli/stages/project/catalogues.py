"""What the tables hold: model families, their networks, augmentation presets, metrics, dataset formats."""

from __future__ import annotations

import importlib.util
import os
from collections import Counter
from dataclasses import dataclass, replace

from vision_cli import formats, metrics, models
from vision_cli.core import tasks
from vision_cli.core.catalogue import Card, require
from vision_cli.core.errors import UsageError
from vision_cli.models import published
from vision_cli.models.cards import own_process_of, tasks_of
from vision_cli.models.ultralytics.published import INTERPRETER


@dataclass(frozen=True, slots=True)
class Family:
    """One model family.

    Attributes:
        name: what `model.family` takes.
        summary: one line.
        licence: SPDX identifier.
        extra: of vision-cli, that installs what it needs.
        installed: whether all of it is there.
        tasks: that it answers.
        n_weights: of its own in the table of published weights; the others begin with a backbone's.
    """

    name: str
    summary: str
    licence: str
    extra: str | None
    installed: bool
    tasks: tuple[str, ...]
    n_weights: int


@dataclass(frozen=True, slots=True)
class Families:
    """Every model family."""

    families: tuple[Family, ...]


def families() -> Families:
    """Return the table of families; nothing heavy is imported."""
    counts = Counter(row.family for row in published.rows())
    return Families(
        tuple(
            Family(name, card.summary, card.licence, card.extra, _is_installed(card), tasks_of(card), counts[name])
            for name, card in models.FAMILIES.cards().items()
        )
    )


def _is_installed(card: Card) -> bool:
    elsewhere = own_process_of(card)
    if elsewhere and os.environ.get(INTERPRETER):
        elsewhere = ()
    return all(importlib.util.find_spec(name) is not None for name in (*card.needs, *elsewhere))


@dataclass(frozen=True, slots=True)
class Networks:
    """The networks of one family, sorted."""

    family: str
    networks: tuple[str, ...]


def networks(family: str) -> Networks:
    """Return the names that `model.backbone` takes.

    Raises:
        UsageError: no such family.
        MissingPartError: its library is not installed.
    """
    return Networks(family, tuple(models.names(family)))


@dataclass(frozen=True, slots=True)
class Preset:
    """One augmentation preset: its steps in order."""

    name: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Presets:
    """Augmentation presets."""

    presets: tuple[Preset, ...]


def augmentations(name: str | None) -> Presets:
    """Return one preset, or all.

    Raises:
        UsageError: no such preset.
        MissingPartError: albumentations is not installed.
    """
    require(("albumentations",), extra="train", what="the augmentation")
    from vision_cli.training import augment

    if name is not None and name not in augment.NAMES:
        raise UsageError(f"no preset '{name}'.", hint=f"Use one of {', '.join(augment.NAMES)}.")
    chosen = [name] if name else augment.NAMES
    return Presets(tuple(Preset(each, tuple(augment.describe(each))) for each in chosen))


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: what a KPI names.
        summary: one line.
        better: `higher` or `lower`.
        unit: of value and bound.
        per_class: whether `metric[class]` can be a KPI; `only` where nothing but that can.
        tasks: that it is measured for.
        main: whether commands show it first.
    """

    name: str
    summary: str
    better: str
    unit: str
    per_class: bool | str
    tasks: tuple[str, ...]
    main: bool


@dataclass(frozen=True, slots=True)
class Metrics:
    """The metrics of a task, or of all."""

    task: str | None
    metrics: tuple[Metric, ...]


def metric_table(task: str | None) -> Metrics:
    """Return the metrics of a task, those that are looked at first before the others, or all.

    Of all, a name that means something else for some tasks has a row for each of its meanings.

    Raises:
        UsageError: no such task.
    """
    if task is not None and task not in tasks.TASKS:
        raise UsageError(f"unknown task '{task}'.", hint=tasks.hint_for_task(task))
    if task is None:
        return Metrics(None, tuple(_metric(name, each) for name in metrics.METRICS for each in _meanings(name)))
    first = metrics.MAIN.get(task, ())
    names = [*first, *(name for name in metrics.names_of(task) if name not in first)]
    return Metrics(
        task, tuple(replace(_metric(name, (task,)), tasks=metrics.metric_card(name).tasks) for name in names)
    )


def _meanings(name: str) -> list[tuple[str, ...]]:
    """Return the tasks that a metric is measured for, those together for which its line is the same."""
    groups: dict[int, list[str]] = {}
    whole = metrics.metric_card(name)
    for task in whole.tasks:
        groups.setdefault(id(whole.by_task.get(task, whole)), []).append(task)
    return [tuple(group) for group in groups.values()]


def _metric(name: str, meant: tuple[str, ...]) -> Metric:
    """Return the row of a metric for tasks in which it means the same."""
    whole = metrics.metric_card(name)
    card = whole.by_task.get(meant[0], whole)
    main = any(name in metrics.MAIN[each] for each in meant)
    return Metric(name, card.summary, card.better, card.unit, card.per_class, meant, main)


@dataclass(frozen=True, slots=True)
class Format:
    """One dataset format.

    Attributes:
        name: what `--format`, `--from` and `--to` take.
        summary: one line.
        written: whether `--to` takes it.
    """

    name: str
    summary: str
    written: bool


@dataclass(frozen=True, slots=True)
class Formats:
    """Every dataset format."""

    formats: tuple[Format, ...]


def format_table() -> Formats:
    """Return the table of dataset formats."""
    return Formats(
        tuple(
            Format(name, card.summary, hasattr(formats.FORMATS.load(name), "write"))
            for name, card in formats.FORMATS.cards().items()
        )
    )
