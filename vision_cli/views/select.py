"""Bring several sources to one class map, by name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.catalogue import suggestion
from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS
from vision_cli.core.config import ViewConfig
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError

_SHOWN = 10

Renames = Mapping[str, str | None]


def combine(datasets: Mapping[str, Dataset], view: ViewConfig | None, classes: Sequence[str]) -> Dataset:
    """Join the sources of a view.

    A label that the view's `map` drops is removed. Its photo goes too when that was its only label, unless photos of
    this source have several labels: there, none of the classes is an answer.

    Args:
        datasets: by name of their source.
        view: renames, merges and drops classes; None leaves them as they are.
        classes: declared names in their order; without any, the names of the data, sorted.

    Returns:
        Ids are counted anew in the order of the sources; notes tell what was left out.

    Raises:
        DataError: the map names a class that no source has, or the data has classes that are not declared.
    """
    renames: Renames = {} if view is None else view.map
    present = sorted({name for dataset in datasets.values() for name in _used(dataset)})
    _check_map(renames, present)
    kept = {target for name in present if (target := renames.get(name, name)) is not None}
    class_map = ClassMap(tuple(classes) or tuple(sorted(kept)))
    _check_declared(class_map, {name: renames.get(name, name) for name in present})
    parts = [_relabelled(name, dataset, renames, class_map) for name, dataset in datasets.items()]
    absent = [name for name in class_map.names if name not in kept]
    notes = [f"No photo has the declared class '{name}'." for name in absent]
    return _joined(parts, class_map, notes)


def _used(dataset: Dataset) -> list[str]:
    ids = pc.unique(dataset.annotations["class_id"].drop_null()).to_pylist()
    return [dataset.classes.names[index] for index in ids]


def _check_map(renames: Renames, present: Sequence[str]) -> None:
    unknown = [name for name in renames if name not in present]
    if unknown:
        raise DataError(
            f"the view's map names {len(unknown)} classes that its sources do not have.",
            details=[_guess(name, present) for name in unknown[:_SHOWN]],
            hint=f"Classes of the data: {', '.join(present[:50]) or 'none'}.",
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
        hint=f"Declare them, or write in the view: map: {{{', '.join(lines)}}}{more}; null drops a class.",
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
    keep = pa.array(ids != -1)
    column = pa.array(ids, mask=ids < 0, type=pa.int32())
    index = dataset.annotations.schema.get_field_index("class_id")
    annotations = _once(dataset.annotations.set_column(index, "class_id", column).filter(keep))
    result = replace(dataset, annotations=annotations, classes=class_map)
    return _without_bare(source, dataset, result)


def _once(annotations: pa.Table) -> pa.Table:
    """Return one row a photo and class of whole-photo labels: two names merged into one make one label."""
    if "x" in annotations.schema.names:
        return annotations
    keys = ["image_id", "class_id", "value"]
    first = annotations.group_by(keys, use_threads=False).aggregate([("id", "min")])
    return annotations.filter(pc.is_in(annotations["id"], first["id_min"].combine_chunks()))


def _without_bare(source: str, before: Dataset, after: Dataset) -> Dataset:
    """Leave out the photos that lost their only label."""
    had, has = _labelled(before), _labelled(after)
    if len(before) == 0 or _most_labels(before) > 1 or not (had & ~has).any():
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


def _joined(parts: Sequence[Dataset], class_map: ClassMap, notes: Sequence[str]) -> Dataset:
    images, annotations, offset = [], [], 0
    for part in parts:
        rows = part.rows_of(part.annotations["image_id"])
        images.append(_with_ids(part.images, "id", np.arange(len(part)) + offset))
        annotations.append(_with_ids(part.annotations, "image_id", rows + offset))
        offset += len(part)
    table = _concatenated(annotations, ANNOTATION_COLUMNS)
    return Dataset(
        _concatenated(images, IMAGE_COLUMNS),
        _with_ids(table, "id", np.arange(table.num_rows)),
        class_map,
        {name: root for part in parts for name, root in part.roots.items()},
        (*(note for part in parts for note in part.notes), *notes),
        {name: origin for part in parts for name, origin in part.origins.items()},
    )


def _with_ids(table: pa.Table, name: str, ids: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, pa.array(ids, type=pa.int64()))


def _concatenated(tables: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    """Join tables whose further columns differ; a column that has two types becomes text."""
    types: dict[str, set[pa.DataType]] = {}
    for table in tables:
        for item in table.schema:
            types.setdefault(item.name, set()).add(item.type)
    for name, found in types.items():
        if len(found - {pa.null()}) > 1:
            tables = [_as_text(table, name) for table in tables]
    return pa.concat_tables([schema.empty_table(), *tables], promote_options="default").combine_chunks()


def _as_text(table: pa.Table, name: str) -> pa.Table:
    index = table.schema.get_field_index(name)
    return table if index < 0 else table.set_column(index, name, table[name].cast(pa.string()))
