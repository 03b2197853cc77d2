"""`vision data view`: what a view holds, and a new view in the project file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from vision_cli.core import files
from vision_cli.core.catalogue import suggestion
from vision_cli.core.columns import IMAGE_COLUMNS, MORE_IMAGE_COLUMNS
from vision_cli.core.config import ViewConfig
from vision_cli.core.dataset import SPLITS, Dataset
from vision_cli.core.errors import UsageError
from vision_cli.core.project import Project
from vision_cli.stages import data, split_memory
from vision_cli.stages.querying import view_text
from vision_cli.views import select

_MOST_DEALT = 200_000
"""Photos; sharing out more takes longer than a look should."""
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One source of a view: its format, and what of it the view holds before the condition."""

    name: str
    format: str
    path: Path
    photos: int
    annotations: int


@dataclass(frozen=True, slots=True)
class ClassLine:
    """One class of a view: its annotations, and the photos that have one."""

    name: str
    annotations: int
    photos: int


@dataclass(frozen=True, slots=True)
class ViewResult:
    """What a view holds.

    Attributes:
        name: of the view.
        sources: in their order.
        photos: that the view holds.
        annotations: of those.
        classes: in the order of the class map.
        splits: photos of each split; without a split under the empty name.
        where: the condition.
        before: photos before the condition.
        columns: metadata columns of the photos with their types.
        notes: what was left out or changed.
        others: names of the project's other views.
        text: lines of a new view.
        file: project file that has or would get them.
        written: it has.
    """

    name: str
    sources: tuple[SourceLine, ...]
    photos: int
    annotations: int
    classes: tuple[ClassLine, ...]
    splits: Mapping[str, int]
    where: str | None
    before: int
    columns: Mapping[str, str]
    notes: tuple[str, ...]
    others: tuple[str, ...] = ()
    text: str = ""
    file: Path | None = None
    written: bool = False


def show(project: Project, name: str | None = None) -> ViewResult:
    """Return what a view holds; nothing is written.

    Raises:
        UsageError: no source is declared, the view is unknown, or its condition is wrong.
        DataError: a source is refused.
    """
    name = name or project.config.train.view
    view = data.find_view(project, name)
    before = select.join(data.read_sources(project, view), view, project.config.classes)
    dataset = select.kept(before, view, place=data.place(project, name, "where"))
    dataset = _with_splits(project, name, dataset)
    others = [other for other in (*project.config.data.views, data.ALL) if other != name]
    return ViewResult(
        name=name,
        sources=tuple(_source_lines(project, view, before)),
        photos=len(dataset),
        annotations=dataset.annotations.num_rows,
        classes=tuple(_class_lines(dataset)),
        splits=_splits(dataset),
        where=view.where,
        before=len(before),
        columns=_metadata(dataset),
        notes=dataset.notes,
        others=tuple(dict.fromkeys(others)),
    )


def _with_splits(project: Project, name: str, dataset: Dataset) -> Dataset:
    if not 0 < len(dataset) <= _MOST_DEALT:
        return dataset
    task = data.resolve_task(project, dataset)
    return split_memory.split(project, dataset, task, remember=False, rule=data.split_rule(project, name))


def _source_lines(project: Project, view: ViewConfig, before: Dataset) -> Sequence[SourceLine]:
    photos = {row["values"]: row["counts"] for row in pc.value_counts(before.images["source"]).to_pylist()}
    owners = before.images["source"].combine_chunks().dictionary_encode()
    of_annotation = owners.indices.to_numpy()[before.rows_of(before.annotations["image_id"])]
    counts = np.bincount(of_annotation, minlength=len(owners.dictionary)).tolist()
    annotations = dict(zip(owners.dictionary.to_pylist(), counts, strict=True))
    lines = []
    for name in view.sources:
        config = project.config.data.sources[name]
        origin = before.origins.get(name)
        form = config.format or (origin.format if origin else "") or "found by itself"
        lines.append(SourceLine(name, form, Path(config.path), photos.get(name, 0), annotations.get(name, 0)))
    return lines


def _class_lines(dataset: Dataset) -> Sequence[ClassLine]:
    labels = dataset.annotations.filter(pc.is_valid(dataset.annotations["class_id"]))
    ids = labels["class_id"].to_numpy()
    number = len(dataset.classes)
    annotations = np.bincount(ids, minlength=number)
    pairs = np.unique(dataset.rows_of(labels["image_id"]) * max(number, 1) + ids)
    photos = np.bincount(pairs % max(number, 1), minlength=number)
    rows = zip(dataset.classes.names, annotations.tolist(), photos.tolist(), strict=False)
    return [ClassLine(*row) for row in rows]


def _splits(dataset: Dataset) -> dict[str, int]:
    counts = {row["values"] or "": row["counts"] for row in pc.value_counts(dataset.images["split"]).to_pylist()}
    return {name: counts[name] for name in (*SPLITS, "") if name in counts}


def _metadata(dataset: Dataset) -> dict[str, str]:
    ours = {*IMAGE_COLUMNS.names, *MORE_IMAGE_COLUMNS.names}
    return {field.name: _kind(field.type) for field in dataset.images.schema if field.name not in ours}


def _kind(kind: pa.DataType) -> str:
    """Return what people call a type."""
    tests = {
        "time": pa.types.is_timestamp,
        "date": pa.types.is_date,
        "text": pa.types.is_string,
        "true or false": pa.types.is_boolean,
        "whole number": pa.types.is_integer,
        "number": pa.types.is_floating,
    }
    return next((name for name, test in tests.items() if test(kind)), str(kind))


def add(project: Project, name: str, view: ViewConfig, *, dry_run: bool = False) -> ViewResult:
    """Write a new view into the project file, after trying it; all else in the file stays as it is.

    Raises:
        UsageError: there is no project file, a view of that name, or no such source; or the condition is wrong.
        DataError: a source is refused.
        ResourceError: the file cannot be written.
    """
    if project.file is None:
        raise UsageError("there is no vision.yaml here or above.", hint="Write one with `vision init --data FOLDER`.")
    _check_new(project, name, view)
    views = {**project.config.data.views, name: view}
    section = project.config.data.model_copy(update={"views": views})
    trial = replace(project, config=project.config.model_copy(update={"data": section}))
    result = show(trial, name)
    path = project.file.resolve()
    content = files.read_limited(path, max_bytes=1 << 20, what="the project file")
    text = files.utf8(content, where=str(project.file))
    new = view_text.added(text, name, view, file=project.file.name)
    if not dry_run:
        files.write_bytes(path, (_BOM if content.startswith(_BOM) else b"") + new.encode())
    lines = "\n".join(view_text.block(name, view))
    return replace(result, text=lines, file=project.file, written=not dry_run)


def _check_new(project: Project, name: str, view: ViewConfig) -> None:
    if name in project.config.data.views:
        origin = project.origin(f"data.views.{name}")
        raise UsageError(
            f"{origin}: there is a view '{name}' already.", hint="Change it there, or choose another name."
        )
    known = list(project.config.data.sources)
    for source in view.sources:
        if source not in known:
            guess = suggestion(source, known)
            hint = f"Did you mean '{guess}'?" if guess else f"Sources: {', '.join(known) or 'none'}."
            raise UsageError(f"no source is called '{source}'.", hint=hint)


def new_view(sources: Sequence[str], where: str | None, renames: Sequence[str], classes: Sequence[str]) -> ViewConfig:
    """Return a view of the words of a command line.

    Raises:
        UsageError: a rename is none, or a name stands there twice.
    """
    view = {"from": list(sources), "where": where, "map": parse_map(renames), "classes": list(classes)}
    try:
        return ViewConfig.model_validate(view)
    except ValidationError as error:
        problems = [f"{each['loc'][0]}: {str(each['msg']).removeprefix('Value error, ')}" for each in error.errors()]
        raise UsageError("this is no view.", details=problems) from error


def parse_map(words: Sequence[str]) -> dict[str, str | None]:
    """Return renames of words such as `old=new`; `old=` drops a class.

    Raises:
        UsageError: a word has no `=`, or a name stands there twice.
    """
    found: dict[str, str | None] = {}
    for word in words:
        old, equals, new = word.partition("=")
        if not equals or not old or old in found:
            raise UsageError(f"--map {word}: expected each class once, as old=new; old= drops it.")
        found[old] = new or None
    return found
