"""`vision config`: the settings in force, where they come from, and the schema that editors complete from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision_cli import metrics
from vision_cli.core import files
from vision_cli.core.catalogue import hint_for
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import UsageError
from vision_cli.core.project import FILE_NAME, Project
from vision_cli.core.schema import project_schema
from vision_cli.stages import places


@dataclass(frozen=True, slots=True)
class ShowRequest:
    """What to show.

    Attributes:
        project: read and validated.
        key: dotted key of a section or value; None shows everything.
    """

    project: Project
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """One value in force.

    Attributes:
        key: dotted.
        value: as JSON has it.
        origin: `vision.yaml:7`, `environment VISION_SET_…`, `command line` or `default`.
    """

    key: str
    value: Any
    origin: str


@dataclass(frozen=True, slots=True)
class ShowResult:
    """The settings in force.

    Attributes:
        file: the project file; None when there is none.
        tree: nested, as the file would have them.
        settings: flat, in the order of the file's own sections.
    """

    file: Path | None
    tree: Any
    settings: tuple[Setting, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        origins = {each.key: each.origin for each in self.settings}
        return {"file": self.file, "config": self.tree, "origins": origins}


def show(request: ShowRequest) -> ShowResult:
    """Return the settings in force.

    Raises:
        UsageError: no setting has this key.
    """
    project = request.project
    tree: Any = project.config.model_dump(mode="json", by_alias=True)
    for depth, part in enumerate(request.key.split(".") if request.key else []):
        tree = _inside(tree, part, request.key or "", depth)
    flat = [Setting(key, value, project.origin(key)) for key, value in _flat(tree, request.key or "")]
    return ShowResult(project.file, tree, tuple(flat))


def _inside(tree: Any, part: str, key: str, depth: int) -> Any:
    if isinstance(tree, dict) and part in tree:
        return tree[part]
    if isinstance(tree, list) and part.isdecimal() and int(part) < len(tree):
        return tree[int(part)]
    known = list(tree) if isinstance(tree, dict) else []
    where = ".".join(key.split(".")[:depth]) or "the project file"
    listing = " ".join(["vision config show", *([where] if depth else [])])
    hint = hint_for(part, known, listing=listing) if known else None
    raise UsageError(f"{key}: {where} has no '{part}'.", hint=hint)


def _flat(tree: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(tree, Mapping) and tree:
        for name, value in tree.items():
            yield from _flat(value, f"{key}.{name}" if key else str(name))
    else:
        yield key, tree


@dataclass(frozen=True, slots=True)
class SchemaRequest:
    """Where the schema goes: a file, or nowhere but the answer."""

    output: Path | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class SchemaResult:
    """The JSON Schema and the file that it was written to, if any."""

    schema: Mapping[str, Any]
    output: Path | None = None


def schema(request: SchemaRequest) -> SchemaResult:
    """Return the schema and write it when a file is named."""
    found = project_schema()
    if request.output is not None:
        places.check_file(request.output)
    if request.output is not None and not request.dry_run:
        files.write_json(request.output, found)
    return SchemaResult(found, request.output)


_ALL = "all"
"""The view of every source, unless the project declares one of that name."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A project file without problems, and what else a reader of it must know."""

    file: Path
    notes: tuple[str, ...] = ()


def check(project: Project) -> CheckResult:
    """Check a project beyond its grammar: what it names must be there.

    Raises:
        UsageError: no project file, or every problem at once.
    """
    if project.file is None:
        hint = "Write one with `vision init --data FOLDER`, or give --project FILE."
        raise UsageError(f"no {FILE_NAME} here or above.", hint=hint)
    problems = [*_missing_sources(project), *_unknown_names(project), *_unknown_kpis(project)]
    if len(problems) == 1:
        raise UsageError(problems[0])
    if problems:
        raise UsageError(f"{project.file.name}: {len(problems)} problems.", details=problems)
    return CheckResult(project.file, tuple(_notes(project)))


def _notes(project: Project) -> Iterator[str]:
    """Say that a view takes the place of every source, which its name hides."""
    view = project.config.data.views.get(_ALL)
    if view is None:
        return
    left = [name for name in project.config.data.sources if name not in view.sources]
    less = [*([f"without {', '.join(left)}"] if left else []), *(["under its condition"] if view.where else [])]
    told = f" ({' and '.join(less)})" if less else ""
    default = ", also where no view is named" if project.config.train.view == _ALL else ""
    where = project.origin(f"data.views.{_ALL}")
    yield f"{where}: the view '{_ALL}' takes the place of every source in all commands{default}{told}."


def _missing_sources(project: Project) -> Iterator[str]:
    for name, source in project.config.data.sources.items():
        facts = [(f"metadata.{index}", each.path) for index, each in enumerate(source.metadata)]
        for key, text in (("path", source.path), ("images", source.images), *facts):
            if text is not None and not project.path(text).exists():
                where = project.origin(f"data.sources.{name}.{key}")
                yield f"{where}: data.sources.{name}.{key}: {project.path(text)} does not exist."


def _unknown_names(project: Project) -> Iterator[str]:
    from vision_cli.formats import FORMATS
    from vision_cli.models import FAMILIES, families_for
    from vision_cli.models.defaults import AUTO

    formats = {f"data.sources.{key}.format": each.format for key, each in project.config.data.sources.items()}
    tables = [(key, name, FORMATS) for key, name in formats.items() if name is not None]
    if project.config.model.family != AUTO:
        tables.append(("model.family", project.config.model.family, FAMILIES))
    for key, name, catalogue in tables:
        if name not in catalogue:
            fitting = families_for(project.config.task or "") if catalogue is FAMILIES else ()
            meant = catalogue.hint(name, fitting)
            yield f"{project.origin(key)}: {key}: unknown {catalogue.what} '{name}'. {meant}"


def _unknown_kpis(project: Project) -> Iterator[str]:
    config = project.config
    if config.task is None:
        return
    for index, target in enumerate(config.targets()):
        try:
            metrics.check_kpi(target, config.task, ClassMap(tuple(config.classes)))
        except UsageError as error:
            yield f"{project.origin(f'kpis.{index}')}: kpis.{index}: {error.message} {error.hint or ''}".rstrip()
