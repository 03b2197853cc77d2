"""What the tables hold: model families, their networks, augmentation presets."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass

from vision_cli import models
from vision_cli.core.catalogue import Card, require
from vision_cli.core.errors import UsageError
from vision_cli.models.cards import own_process_of
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
    """

    name: str
    summary: str
    licence: str
    extra: str | None
    installed: bool


@dataclass(frozen=True, slots=True)
class Families:
    """Every model family."""

    families: tuple[Family, ...]


def families() -> Families:
    """Return the table of families; nothing heavy is imported."""
    return Families(
        tuple(
            Family(name, card.summary, card.licence, card.extra, _is_installed(card))
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
