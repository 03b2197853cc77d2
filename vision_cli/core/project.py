"""Find `vision.yaml`, read it once, and lay environment and command line over it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from vision_cli.core import yaml_source
from vision_cli.core.catalogue import suggestion
from vision_cli.core.config import ProjectConfig
from vision_cli.core.errors import UsageError
from vision_cli.core.tasks import hint_for_task

FILE_NAME = "vision.yaml"
ENVIRONMENT_PREFIX = "VISION_SET_"
OVERRIDE = re.compile(r"(?P<key>[a-z_]+(?:\.[^.=\s/]+)*)=(?P<value>.*)", re.DOTALL)

Keys = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Project:
    """A read project.

    Attributes:
        root: folder of the project file; relative paths start here.
        file: the project file, or None when there is none and the defaults apply.
        config: the frozen configuration.
        origins: where each given value came from, by its dotted key.
    """

    root: Path
    file: Path | None
    config: ProjectConfig
    origins: Mapping[str, str] = field(default_factory=dict)

    def path(self, text: str) -> Path:
        """Return a path of the project file, absolute."""
        return (self.root / Path(text).expanduser()).absolute()

    def origin(self, key: str) -> str:
        """Return where a value came from: file and line, environment, command line or default."""
        if key in self.origins:
            return self.origins[key]
        tree: Any = self.config.model_dump(by_alias=True)
        given: list[str] = []
        for part in key.split("."):  # what stands inside a given list came with it; a section's other keys did not
            tree = tree.get(part) if isinstance(tree, dict) else None
            given.append(part)
            if not isinstance(tree, dict):
                return self.origins.get(".".join(given), "default")
        return "default"


def is_override(argument: str) -> bool:
    """Return whether a command-line word is an override such as `train.epochs=5`."""
    match = OVERRIDE.fullmatch(argument)
    return match is not None and match["key"].split(".")[0] in ProjectConfig.model_fields


def find(start: Path) -> Path | None:
    """Return the nearest `vision.yaml` at or above a folder, like git finds its own."""
    for folder in (start.absolute(), *start.absolute().parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    return None


def load(
    file: Path | None = None,
    overrides: Sequence[str] = (),
    *,
    start: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Project:
    """Read a project: file < environment < command line.

    Args:
        file: the project file; found upwards from `start` when None.
        overrides: `key=value` words of the command line; values are read as YAML.
        start: where to look from; the working directory when None.
        environment: `VISION_SET_TRAIN__EPOCHS=5` sets `train.epochs`.

    Raises:
        UsageError: all problems of all layers at once, each with file and line or origin.
    """
    file = file or find(start or Path.cwd())
    source = _read(file)
    tree, origins = source.tree, {_dotted(path): f"{_name(file)}:{line}" for path, line in source.lines.items()}
    if not isinstance(tree, dict):
        raise UsageError(f"{_name(file)}:1: expected keys and values, got {type(tree).__name__}.")
    layers = [*_environment_layer(environment), *((word, "command line") for word in overrides)]
    for word, origin in layers:
        key, value = _split(word, origin)
        tree = _with(tree, key, value, origin)
        origins = {name: was for name, was in origins.items() if not name.startswith(f"{'.'.join(key)}.")}
        origins[".".join(key)] = origin
        origins.update((".".join((*key, *inner)), origin) for inner in _keys_in(value))
    root = file.absolute().parent if file else (start or Path.cwd()).absolute()
    return Project(root, file, _validate(tree, source, origins, _name(file)), origins)


def _keys_in(value: Any) -> Iterator[tuple[str, ...]]:
    """Return the paths of the keys inside an override that is a whole section."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield (key,)
            yield from ((key, *inner) for inner in _keys_in(item))


def _name(file: Path | None) -> str:
    return file.name if file else FILE_NAME


def _read(file: Path | None) -> yaml_source.YamlSource:
    if file is None:
        return yaml_source.YamlSource({}, {})
    try:
        with file.open("rb") as stream:
            content = stream.read(yaml_source.MAX_BYTES + 1)
        return yaml_source.parse(content.decode("utf-8-sig"), file.name)
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}.", hint="Check --project.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: not UTF-8 text at byte {error.start}.", hint="Save it as UTF-8.") from error


def _environment_layer(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in sorted(environment):
        if name.startswith(ENVIRONMENT_PREFIX):
            key = name.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".")
            yield f"{key}={environment[name]}", f"environment {name}"


def _split(word: str, origin: str) -> tuple[tuple[str, ...], Any]:
    match = OVERRIDE.fullmatch(word)
    if match is None:
        raise UsageError(f"{origin}: {word!r}: expected key=value.", hint="For example train.epochs=5.")
    value = yaml_source.parse(match["value"], f"{origin}, {match['key']}").tree if match["value"].strip() else None
    return tuple(match["key"].split(".")), value


def _with(tree: dict[str, Any], key: tuple[str, ...], value: Any, origin: str) -> dict[str, Any]:
    head, *rest = key
    if not rest:
        return {**tree, head: value}
    child = tree.get(head)
    child = {} if child is None else child
    if isinstance(child, list) and rest[0].isdecimal() and int(rest[0]) < len(child):
        items = list(child)
        index = int(rest[0])
        items[index] = _with({"": items[index]}, ("", *rest[1:]), value, origin)[""] if rest[1:] else value
        return {**tree, head: items}
    if not isinstance(child, dict):
        raise UsageError(f"{origin}: {'.'.join(key)}: '{head}' is a plain value and has no '{rest[0]}' in it.")
    return {**tree, head: _with(child, tuple(rest), value, origin)}


def _dotted(path: Keys) -> str:
    return ".".join(map(str, path))


def _validate(
    tree: dict[str, Any], source: yaml_source.YamlSource, origins: Mapping[str, str], name: str
) -> ProjectConfig:
    try:
        return ProjectConfig.model_validate(tree)
    except ValidationError as error:
        problems = [_problem(item, source, origins, name) for item in error.errors()]
        problems = list(dict.fromkeys(problems))
        if len(problems) == 1:
            raise UsageError(problems[0]) from error
        raise UsageError(f"{name}: {len(problems)} problems.", details=problems) from error


def _problem(item: Any, source: yaml_source.YamlSource, origins: Mapping[str, str], name: str) -> str:
    path: Keys = tuple(part for part in item["loc"] if not (isinstance(part, str) and part.startswith("function-")))
    origin = next((origins[key] for key in _parents(path) if key in origins), f"{name}:{source.line_of(path)}")
    return f"{origin}: {_dotted(path) or name}: {_sentence(item, path)}"


def _parents(path: Keys) -> Iterator[str]:
    for length in range(len(path), 0, -1):
        yield _dotted(path[:length])


def _sentence(item: Any, path: Keys) -> str:
    if item["type"] == "extra_forbidden":
        guess = suggestion(str(path[-1]), _keys_at(path[:-1]))
        return (
            f"unknown key; did you mean '{guess}'?"
            if guess
            else f"unknown key; known: {', '.join(_keys_at(path[:-1]))}"
        )
    if path == ("task",) and isinstance(item.get("input"), str):
        return f"unknown task '{item['input']}'. {hint_for_task(item['input'])}"
    message = str(item["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    given = item.get("input")
    if item["type"] == "value_error" or isinstance(given, dict | list):
        return message
    return f"expected {message[0].lower()}{message[1:]}, got {'nothing' if given is None else repr(given)}"


def _keys_at(path: Keys) -> list[str]:
    """Return the keys that the configuration knows at a path."""
    model: Any = ProjectConfig
    for part in path:
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return []
        field_info = model.model_fields.get(str(part))
        if field_info is None:
            continue  # the free name of a source or view, below dict[str, Section]
        model = _section_of(field_info.annotation)
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return [info.alias or name for name, info in model.model_fields.items()]


def _section_of(annotation: Any) -> Any:
    if get_origin(annotation) in (dict, list, Union, UnionType):
        sections = [_section_of(part) for part in get_args(annotation)]
        return next((part for part in sections if isinstance(part, type) and issubclass(part, BaseModel)), annotation)
    return annotation
