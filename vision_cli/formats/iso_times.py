"""Text columns of ISO 8601 dates and times as what they say.

A time with an offset stays what the clock at that place showed, so that `captured_at::time > '20:00'` means evening
there; the offset goes into a column of its own, in minutes east of Greenwich.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.columns import IMAGE_COLUMNS, MORE_IMAGE_COLUMNS
from vision_cli.core.dataset import Dataset

OFFSET = "_utc_offset_min"
_OURS = frozenset((*IMAGE_COLUMNS.names, *MORE_IMAGE_COLUMNS.names))
_DATE = r"\d{4}-[01]\d-[0-3]\d"
_TIME = _DATE + r"[T ][0-2]\d:[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?"
_ZONE = r"(?:Z|[+-][0-2]\d:?[0-5]\d)"
_FIRST = re.compile(rf"{_DATE}|{_TIME}{_ZONE}?")


def typed(dataset: Dataset) -> Dataset:
    """Return a data set whose metadata columns of dates and times are dates and timestamps."""
    images = dataset.images
    for name in images.column_names:
        if name not in _OURS:
            images = with_times(images, name)
    return dataset if images is dataset.images else replace(dataset, images=images)


def with_times(table: pa.Table, name: str) -> pa.Table:
    """Return a table with one text column read as dates or times, if each of its texts is one."""
    column = table[name]
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return table
    filled = (chunk.drop_null() for chunk in column.chunks if chunk.null_count < len(chunk))
    first = next((chunk[0].as_py() for chunk in filled), None)
    if first is None or not _FIRST.fullmatch(first):
        return table
    try:
        found = _parsed(column)
    except (ValueError, pa.ArrowInvalid):  # 2024-02-31
        return table
    at = table.schema.get_field_index(name)
    for index, (part, array) in enumerate(found.items()):
        field = f"{name}{part}"
        table = table.set_column(at, field, array) if index == 0 else table.add_column(at + 1, field, array)
    return table


def _parsed(column: pa.ChunkedArray) -> dict[str, pa.Array]:
    """Return the column of times, and that of offsets if there are any, by what is added to its name.

    Raises:
        ValueError: a text is no date or time.
    """
    texts = pc.dictionary_encode(column).unify_dictionaries()
    words = texts.chunk(0).dictionary.to_pylist() if texts.num_chunks else []
    if all(re.fullmatch(_DATE, word) for word in words):
        return {"": _spread(texts, pa.array([date.fromisoformat(word) for word in words], pa.date32()))}
    if not all(re.fullmatch(rf"{_TIME}{_ZONE}?", word) for word in words):
        raise ValueError
    times = [datetime.fromisoformat(_at_most_micro(word)) for word in words]
    offsets = [_minutes(time) for time in times]
    clocks = pa.array([time.replace(tzinfo=None) for time in times], pa.timestamp("us"))
    found = {"": _spread(texts, clocks)}
    if any(offset is not None for offset in offsets):
        found[OFFSET] = _spread(texts, pa.array(offsets, pa.int16()))
    return found


def _at_most_micro(word: str) -> str:
    return re.sub(r"(\.\d{6})\d+", r"\1", word)


def _minutes(time: datetime) -> int | None:
    offset = time.utcoffset()
    return None if offset is None else round(offset.total_seconds() / 60)


def _spread(texts: pa.ChunkedArray, values: Any) -> pa.ChunkedArray:
    return pa.chunked_array([values.take(chunk.indices) for chunk in texts.chunks], values.type)
