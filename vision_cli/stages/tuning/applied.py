"""Settings by their dotted names: which there are, what they are now, and the project that has others."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from vision_cli.core.catalogue import suggestion
from vision_cli.core.config import ModelConfig, ProjectConfig, TrainConfig
from vision_cli.core.errors import UsageError
from vision_cli.core.project import Project

_SECTIONS: Mapping[str, type[BaseModel]] = {"model": ModelConfig, "train": TrainConfig}
_OTHER_WORDS = {
    "image_size": "model.input.size",
    "augmentation": "train.augment",
    "optimiser": "train.optimizer",
    "head": "model.features.classifier",
    "c": "model.features.C",
}
_NOT_SEARCHED = {
    "model.family": "other settings depend on it: search each family on its own",
    "model.weights": "compare weights with `vision compare`",
    "model.input.tiles": "see docs/places.md",
    "model.input.channels": "the photos say it",
    "model.features.columns": "they are a list of columns",
    "train.view": "it says what is learned from",
    "train.seed": "the best seed is luck",
    "train.device": "it changes no result",
    "train.devices": "it changes no result",
    "train.nodes": "it changes no result",
    "train.workers": "it changes no result",
}


@cache
def fields() -> Mapping[str, FieldInfo]:
    """Return what can be searched, by dotted name."""
    found = {key: each for name, section in _SECTIONS.items() for key, each in _leaves(name, section)}
    return {key: each for key, each in found.items() if key not in _NOT_SEARCHED}


def _leaves(name: str, section: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    for key, each in section.model_fields.items():
        inner = each.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _leaves(f"{name}.{key}", inner)
        else:
            yield f"{name}.{key}", each


def key_of(word: str) -> str:
    """Return the dotted name of a setting that a user names by it, by its last part, or in other words.

    Raises:
        UsageError: there is none, or it is not searched; with a guess.
    """
    known = fields()
    short = {key.rpartition(".")[2]: key for key in known} | _OTHER_WORDS
    key = word if word in known else short.get(word, word)
    if key in known:
        return key
    for name, why in _NOT_SEARCHED.items():
        if word in (name, name.rpartition(".")[2]):
            raise UsageError(f"tune.search.{word}: {name} is not searched: {why}.", hint="Leave it out.")
    guess = suggestion(word, [*short, *known])
    raise UsageError(
        f"tune.search.{word}: no such setting of `model` or `train`.",
        hint=f"Did you mean '{guess}'?" if guess else f"Known: {', '.join(sorted(short))}.",
    )


def words_of(key: str) -> tuple[str, ...]:
    """Return the values of a setting that has a few: those of a Literal, or yes and no; else nothing."""
    found: list[str] = []
    for part in _parts(fields()[key].annotation):
        if typing.get_origin(part) is typing.Literal:
            found += [str(each) for each in typing.get_args(part)]
        elif part is bool:
            found += ["true", "false"]
    return tuple(found)


def is_whole(key: str) -> bool:
    """Return whether a setting is an integer."""
    return int in _parts(fields()[key].annotation)


def is_number(key: str) -> bool:
    """Return whether a setting is a number."""
    return bool({int, float} & set(_parts(fields()[key].annotation)))


def _parts(annotation: Any) -> list[Any]:
    """Return the plain types of an annotation, without None."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _parts(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return [each for part in typing.get_args(annotation) for each in _parts(part)]
    return [] if annotation is type(None) else [annotation]


def value_of(config: ProjectConfig, key: str) -> Any:
    """Return what a setting is now."""
    found: Any = config
    for part in key.split("."):
        found = getattr(found, part)
    return found


def usual(key: str) -> Any:
    """Return what a setting is where the project file says nothing."""
    return fields()[key].default


def with_settings(project: Project, settings: Mapping[str, Any], where: str = "tune.search") -> Project:
    """Return the project with other settings, checked.

    Args:
        project: read.
        settings: values by dotted name.
        where: what the message begins with.

    Raises:
        UsageError: one is out of its range.
    """
    tree = project.config.model_dump(mode="json", by_alias=True, exclude_unset=True)
    for key, value in settings.items():
        *sections, name = key.split(".")
        inside = tree
        for part in sections:
            inside = inside.setdefault(part, {})
        inside[name] = value
    try:
        return replace(project, config=ProjectConfig.model_validate(tree))
    except ValidationError as error:
        told = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise UsageError(f"{where}: {told[0].lower()}{told[1:]}.", hint="Correct the range.") from error


def listed(value: Any) -> Any:
    """Return a list that a text such as `[320, 240]` means, and any other value as it is."""
    if isinstance(value, str) and value.startswith("[") and value.endswith("]"):
        return [part.strip() for part in value[1:-1].split(",")]
    return value
