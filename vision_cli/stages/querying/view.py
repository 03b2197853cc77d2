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
from vision_cli.stages import data
from vision_cli.stages.querying import view_text
from vision_cli.views import select

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One source of a view, and what of it the view holds before the condition.

    Attributes:
        name: of the source.
        format: declared, else found.
        path: as the project file says it.
        photos: their number.
        annotations: theirs.
        version: what the project file says it is read from: a tag or id; None is the files as they are.
        version_id: of that version, in full.
    """

    name: str
    format: str
    path: Path
    photos: int
    annotations: int
    version: str | None = None
    version_id: str | None = None


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
    dataset = data.with_splits(project, name, dataset)
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


def _source_lines(project: Project, view: ViewConfig, before: Dataset) -> Sequence[SourceLine]:
    photos = {row["values"]: row["counts"] for row in pc.value_counts(before.images["source"]).to_pylist()}
    owners = before.images["source"].combine_chunks().dictionary_encode()
    of_annotation = owners.indices.to_numpy()[before.rows_of(before.annotations["image_id"])]
    counts = np.bincount(of_annotation, minlength=len(owners.dictionary)).tolist()
    annotations = dict(zip(owners.dictionary.to_pylist(), counts, strict=True))
    lines, ids = [], _version_ids(project, view)
    for name in view.sources:
        config = project.config.data.sources[name]
        origin = before.origins.get(name)
        form = config.format or (origin.format if origin else "") or "found by itself"
        within = f"{name}/" if config.version is not None else None
        counted = _of_source(photos, name, within), _of_source(annotations, name, within)
        lines.append(SourceLine(name, form, Path(config.path), *counted, config.version, ids.get(name)))
    return lines


def _of_source(counts: Mapping[str, int], name: str, within: str | None) -> int:
    """Return the count of a source, and of all that a version of several sources brings along within its name."""
    more = 0 if within is None else sum(count for source, count in counts.items() if source.startswith(within))
    return counts.get(name, 0) + more


def _version_ids(project: Project, view: ViewConfig) -> dict[str, str]:
    """Return the id of the version that each source names, of those that name one."""
    named = {name: project.config.data.sources[name].version for name in view.sources}
    if not any(named.values()):
        return {}
    from vision_cli.stages.versioning import versions  # for those who ask for it
    from vision_cli.versions.store import Store

    store = Store.of(project.root)
    return {name: versions.find(store, version).id for name, version in named.items() if version is not None}


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


def add(
    project: Project, name: str, view: ViewConfig, *, dry_run: bool = False, instead_of_all: bool = False
) -> ViewResult:
    """Write a new view into the project file, after trying it; all else in the file stays as it is.

    Args:
        project: whose file.
        name: of the view.
        view: what it says.
        dry_run: only try it.
        instead_of_all: it may be called `all`, which every command without a view's name then takes.

    Raises:
        UsageError: there is no project file, a view of that name, or no such source; or the condition is wrong.
        DataError: a source is refused.
        ResourceError: the file cannot be written.
    """
    if project.file is None:
        raise UsageError("there is no vision.yaml here or above.", hint="Write one with `vision init --data FOLDER`.")
    _check_new(project, name, view)
    if name == data.ALL and not instead_of_all:
        _refuse_all(project, view)
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


def _refuse_all(project: Project, view: ViewConfig) -> None:
    left = [source for source in project.config.data.sources if source not in view.sources]
    told = f", without {', '.join(left)}" if left else ""
    default = ", also where no view is named" if project.config.train.view == data.ALL else ""
    raise UsageError(
        f"'{data.ALL}' is every source; a view of that name takes its place in all commands{default}{told}.",
        hint="Choose another name, or say that it is meant with --force.",
    )


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
