"""Which files of weights are meant: those that were named, or those that a project's training begins with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vision_cli import models
from vision_cli.core.config import ModelConfig
from vision_cli.core.errors import MissingPartError, UsageError
from vision_cli.core.project import Project
from vision_cli.core.weights import Source
from vision_cli.models import defaults, published
from vision_cli.stages.project.published import on_this_machine

_WHAT_TO_NAME = "Name them (`vision models list --weights`), or call it in the folder of a project."


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file to be brought: what it was called, where it comes from, and where it lies already."""

    name: str
    source: Source
    here: Path | None


def wanted(names: Sequence[str], project: Project | None) -> list[Wanted]:
    """Return what was named, or what a project's training begins with where nothing was.

    Raises:
        UsageError: an unknown name, or nothing to bring.
    """
    found = [find(name) for name in names]
    if not names and project is not None and project.file is not None:
        found = list(needed(project))
    if not found:
        raise UsageError("no weights are named, and no project here says which it needs.", hint=_WHAT_TO_NAME)
    return found


def find(name: str) -> Wanted:
    """Return where weights come from, and where they lie already.

    Raises:
        UsageError: neither the table nor timm knows them.
    """
    try:
        row = published.find(name)
    except UsageError as unknown:
        source = _of_timm(name.removeprefix("timm/"))
        if source is None:
            raise unknown from None
        return Wanted(name, source, source.path if source.path.is_file() else None)
    return Wanted(row.name, row.source, on_this_machine(row))


def _of_timm(name: str) -> Source | None:
    if "/" in name:
        return None
    try:
        source: Source | None = models.FAMILIES.load("timm").source(name)
    except (UsageError, MissingPartError):
        return None
    return source


def needed(project: Project) -> tuple[Wanted, ...]:
    """Return the weights that a project's training begins with; none where it begins at random or with a file.

    Raises:
        UsageError: the backbone has no such weights.
    """
    config = project.config
    model = defaults.resolved(config.model, config.task or "classify")
    match model.weights:
        case "coco":
            return (find(f"{model.family}/{model.backbone}"),)
        case "imagenet":
            return (_imagenet(model),)
        case _:
            return ()


def _imagenet(model: ModelConfig) -> Wanted:
    name = f"{model.family}/{model.backbone}"
    if model.family == "torchvision":
        return find(name)
    if name not in {row.name for row in published.rows()} or model.family == "timm":
        return find(f"timm/{model.backbone}")
    from vision_cli.models.places.published import PUBLISHED  # torchvision's own detector: only its body is ImageNet's

    source = PUBLISHED[model.backbone].imagenet
    if source is None:
        raise UsageError(f"model.weights: '{model.backbone}' has no ImageNet weights.", hint="Use coco or none.")
    return Wanted(f"ImageNet weights of {name}", source, source.path if source.path.is_file() else None)
