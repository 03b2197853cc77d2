"""What columns hold: the metadata of photos with its ranges, and how many annotations have which detail."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.columns import IMAGE_COLUMNS, MORE_IMAGE_COLUMNS

_COMMON = 3
_MOST_CHARACTERS = 60
_OURS = frozenset((*IMAGE_COLUMNS.names, *MORE_IMAGE_COLUMNS.names))


@dataclass(frozen=True, slots=True)
class Column:
    """One metadata column.

    Attributes:
        name: of it.
        type: what people call it.
        known: rows that have a value.
        distinct: different values; None where they are not counted.
        low, high: of numbers and times, as text.
        common: the commonest values as text, with their number; of text and flags.
    """

    name: str
    type: str
    known: int
    distinct: int | None = None
    low: str | None = None
    high: str | None = None
    common: tuple[tuple[str, int], ...] = ()


def metadata(images: pa.Table) -> tuple[Column, ...]:
    """Return the metadata columns in their order."""
    return tuple(_column(images, field) for field in images.schema if field.name not in _OURS)


def shapes(annotations: pa.Table) -> dict[str, int]:
    """Return how many annotations have a box, polygons, a mask, keypoints or a flag; what nobody has is left out."""
    names, number = annotations.column_names, annotations.num_rows
    found = {"label": int(pc.sum(pc.is_valid(annotations["class_id"])).as_py() or 0)}
    for name, column in {"box": "w", "keypoints": "keypoints", "track": "track_id", "score": "score"}.items():
        found[name] = number - annotations[column].null_count if column in names else 0
    if "outline_parts" in names:
        parts = annotations["outline_parts"]
        for name, test in {
            "polygon": pc.equal(parts, 1),
            "polygons": pc.greater(parts, 1),
            "mask": pc.less(parts, 0),
        }.items():
            found[name] = _true(test)
    for name, column in {"crowd": "iscrowd", "difficult": "difficult"}.items():
        found[name] = _true(annotations[column]) if column in names else 0
    for name in ("truncated", "occluded"):
        found[name] = _true(pc.greater(annotations[name], 0)) if name in names else 0
    plain = found["box"] + found.get("polygon", 0) + found.get("polygons", 0) + found.get("mask", 0) == 0
    return {name: count for name, count in found.items() if count and (name != "label" or plain)}


def _true(column: pa.ChunkedArray) -> int:
    return int(pc.sum(column).as_py() or 0)


def kind(type_: pa.DataType) -> str:
    """Return what people call a type."""
    tests = {
        "time": pa.types.is_timestamp,
        "date": pa.types.is_date,
        "text": lambda each: pa.types.is_string(each) or pa.types.is_large_string(each),
        "true or false": pa.types.is_boolean,
        "whole number": pa.types.is_integer,
        "number": pa.types.is_floating,
    }
    return next((name for name, test in tests.items() if test(type_)), str(type_))


def _column(images: pa.Table, field: pa.Field) -> Column:
    values, name = images[field.name], kind(field.type)
    known = images.num_rows - values.null_count
    if not known:
        return Column(field.name, name, 0)
    if name in ("time", "date", "whole number", "number"):
        ends = pc.min_max(values).as_py()
        return Column(field.name, name, known, None, _text(ends["min"]), _text(ends["max"]))
    if name not in ("text", "true or false"):
        return Column(field.name, name, known)
    counts = pc.value_counts(values.drop_null())
    order = pc.sort_indices(counts.field("counts"), sort_keys=[("", "descending")])[:_COMMON]
    rows = counts.take(order).to_pylist()
    common = tuple((_text(row["values"]), row["counts"]) for row in rows)
    return Column(field.name, name, known, len(counts), common=common)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"
