"""Bring several sources to one class map, by name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.catalogue import listed, suggestion
from vision_cli.core.config import ViewConfig
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError
from vision_cli.views import joining, pixels
from vision_cli.views.conditions import ANY_CLASS

_SHOWN = 10

Renames = Mapping[str, str | None]


def combine(
    datasets: Mapping[str, Dataset], view: ViewConfig | None, classes: Sequence[str], *, place: str = "where"
) -> Dataset:
    """Join the sources of a view.

    A label that the view's `map` drops is removed. Its photo goes too when that was its only label, unless photos of
    this source have several labels or boxes: there, none of the classes is an answer.

    Args:
        datasets: by name of their source.
        view: a condition, and renames, merges, drops and an order of classes; None leaves them as they are.
        classes: declared names in their order, unless the view has its own; without any, the names that the sources
            declare, used or not, sorted.
        place: where the condition stands, for messages.

    Returns:
        Ids are counted anew in the order of the sources; notes tell what was left out or changed.

    Raises:
        DataError: the map names a class that no source declares, or the data has classes that are not declared.
        UsageError: the condition is wrong.
    """
    dataset = join(datasets, view, classes)
    return dataset if view is None or view.where is None else kept(dataset, view, place=place)


def join(datasets: Mapping[str, Dataset], view: ViewConfig | None, classes: Sequence[str]) -> Dataset:
    """Join the sources of a view, without its condition; see `combine`."""
    declared = tuple(view.classes if view is not None and view.classes else classes)
    known = sorted({name for dataset in datasets.values() for name in dataset.classes.names})
    present = sorted({name for dataset in datasets.values() for name in _used(dataset)})
    renames = _targets({} if view is None else view.map, known, declared)
    remaining = {target for name in present if (target := renames[name]) is not None}
    class_map = ClassMap(declared or tuple(sorted({target for target in renames.values() if target is not None})))
    _check_declared(class_map, {name: renames[name] for name in present})
    alike, shifts = pixels.alike(datasets)
    parts = {name: _relabelled(name, dataset, renames, class_map) for name, dataset in alike.items()}
    dataset = joining.joined(parts, class_map)
    absent = _absent([name for name in class_map.names if name not in remaining], declared)
    return replace(dataset, notes=(*dataset.notes, *shifts, *absent))


def kept(dataset: Dataset, view: ViewConfig, *, place: str = "where") -> Dataset:
    """Return the photos for which a view's condition holds; classes have the names that the view's `map` gives them.

    Raises:
        UsageError: the condition is wrong.
        DataError: its values do not fit, or it takes too long.
    """
    if view.where is None:
        return dataset
    from vision_cli.views.where import holds  # DuckDB, for those who ask for it

    return dataset.select(holds(dataset, view.where, mapped=view.map, place=place))


def renamed(view: ViewConfig, names: Iterable[str], classes: Sequence[str]) -> dict[str, str | None]:
    """Return what a view makes of each class that its sources name; None of those that it drops.

    Raises:
        DataError: its map names a class that is none of them.
    """
    return _targets(view.map, sorted(set(names)), tuple(view.classes or classes))


def _used(dataset: Dataset) -> list[str]:
    ids = pc.unique(dataset.annotations["class_id"].drop_null()).to_pylist()
    return [dataset.classes.names[index] for index in ids]


def _targets(renames: Renames, known: Sequence[str], declared: Sequence[str]) -> dict[str, str | None]:
    """Return what a view's `map` makes of each class of its sources."""
    _check_map(renames, known)
    named = {*declared, *renames.values()}
    rest = {name: renames[ANY_CLASS] for name in known if ANY_CLASS in renames and name not in named}
    return {name: renames.get(name, rest.get(name, name)) for name in known}


def _absent(names: Sequence[str], declared: Sequence[str]) -> list[str]:
    """Tell of classes that no photo has: each of those that the project wants, all of what sources just list in one."""
    if declared:
        return [f"No photo has the declared class '{name}'." for name in names]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return [f"No photo has these classes that the sources list: {', '.join(names[:_SHOWN])}{more}."] if names else []


def _check_map(renames: Renames, present: Sequence[str]) -> None:
    unknown = [name for name in renames if name not in present and name != ANY_CLASS]
    if unknown:
        raise DataError(
            f"the view's map names {len(unknown)} classes that its sources do not have.",
            details=[_guess(name, present) for name in unknown[:_SHOWN]],
            hint=f"Classes of the data: {listed(present) or 'none'}.",
        )


def _check_declared(class_map: ClassMap, targets: Renames) -> None:
    """Refuse names that are not declared, with the line that would map them."""
    undeclared = [name for name, target in targets.items() if target is not None and target not in class_map.names]
    if not undeclared:
        return
    lines = [f"{_yaml(name)}: {_target(str(targets[name]), class_map.names)}" for name in undeclared[:_SHOWN]]
    more = f" (and {len(undeclared) - _SHOWN} more)" if len(undeclared) > _SHOWN else ""
    raise DataError(
        f"the data has {len(undeclared)} classes that `classes` does not declare.",
        details=[_guess(str(targets[name]), class_map.names) for name in undeclared[:_SHOWN]],
        hint=f"Declare them, or write in the view: map: {{{', '.join(lines)}}}{more}; null drops a class, and "
        "'\"*\": null' (--map '*=') all that neither `classes` nor the map names.",
    )


def _guess(name: str, known: Sequence[str]) -> str:
    near = _nearest(name, known)
    return f"{name}: did you mean '{near}'?" if near else name


def _nearest(name: str, known: Sequence[str]) -> str | None:
    folded = {candidate.casefold(): candidate for candidate in reversed(known)}
    near = suggestion(name.casefold(), list(folded))
    return None if near is None else folded[near]


def _target(name: str, known: Sequence[str]) -> str:
    near = _nearest(name, known)
    return "null" if near is None else _yaml(near)


def _yaml(name: str) -> str:
    """Return a class name as YAML reads it back; JSON strings are YAML, and quotes keep `no` a string."""
    plain = name.isidentifier() and name.isascii() and name.lower() not in ("null", "true", "false", "yes", "no")
    return name if plain and len(name) > 1 else json.dumps(name, ensure_ascii=False)


def _relabelled(source: str, dataset: Dataset, renames: Renames, class_map: ClassMap) -> Dataset:
    """Return one source under the joint class map, without the labels and photos that the map drops."""
    where = {name: index for index, name in enumerate(class_map.names)}
    targets = [renames.get(name, name) for name in dataset.classes.names]
    table = np.array([-1 if name is None else where.get(name, -1) for name in targets] + [-2], dtype=np.int32)
    ids = table[dataset.annotations["class_id"].fill_null(len(targets)).to_numpy()]
    keep = ids != -1
    column = pa.array(ids, mask=ids < 0, type=pa.int32())
    index = dataset.annotations.schema.get_field_index("class_id")
    annotations = dataset.annotations.set_column(index, "class_id", column)
    annotations = _once(annotations if keep.all() else annotations.filter(pa.array(keep)))
    result = replace(dataset, annotations=annotations, classes=class_map)
    return _without_bare(source, dataset, result)


def _once(annotations: pa.Table) -> pa.Table:
    """Return one row a photo and class of whole-photo labels: two names merged into one make one label."""
    if {"x", "outline"} & set(annotations.schema.names):
        return annotations
    keys = ["image_id", "class_id", "value"]
    first = annotations.group_by(keys, use_threads=False).aggregate([("id", "min")])
    return annotations.filter(pc.is_in(annotations["id"], first["id_min"].combine_chunks()))


def _without_bare(source: str, before: Dataset, after: Dataset) -> Dataset:
    """Leave out the photos that lost their only label."""
    boxes = {"x", "outline"} & set(before.annotations.column_names)
    if len(before) == 0 or boxes or after.annotations.num_rows == before.annotations.num_rows:
        return after
    had, has = _labelled(before), _labelled(after)
    if _most_labels(before) > 1 or not (had & ~has).any():
        return after
    gone = int((had & ~has).sum())
    note = f"{gone} photos of '{source}' are left out: the view drops their only class."
    return replace(after.select(~(had & ~has)), notes=(*after.notes, note))


def _labelled(dataset: Dataset) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    mask = np.zeros(len(dataset), dtype=np.bool_)
    mask[dataset.rows_of(dataset.annotations["image_id"])] = True
    return mask


def _most_labels(dataset: Dataset) -> int:
    classes = dataset.annotations.filter(pc.is_valid(dataset.annotations["class_id"]))
    return int(np.bincount(dataset.rows_of(classes["image_id"])).max(initial=0))
