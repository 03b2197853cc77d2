"""Outlines of records, kept as their text: polygons are checked by their brackets and commas, the rest one by one."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import pyarrow as pa

from vision_cli.formats.coco.skeleton import skeleton
from vision_cli.formats.json_values import decoded
from vision_cli.formats.photo_records import as_outline

_MIN_VALUES, _MAX_VALUES = 6, 200_000
_NULL = b"null"
_SPACES = b" \t\r\n"
_BETWEEN = b"\0"  # no JSON text has one
_MAX_PARTS = np.iinfo(np.int16).max


def outlines(values: Sequence[msgspec.Raw | None]) -> dict[str, pa.Array]:
    """Return the columns of outlines given as raw JSON, polygons without its spaces; null where there is none.

    Raises:
        Unfit: what is neither polygons nor a mask.
        ValueError: a mask with a repeated key.
    """
    joined = _BETWEEN.join([_NULL if value is None else value for value in values])
    texts: list[bytes | None] = [*joined.translate(None, _SPACES).split(_BETWEEN)] if values else []
    lists = [row for row, text in enumerate(texts) if text and text[:1] == b"[" and text != b"[]"]
    polygons = b",".join([texts[row] or b"" for row in lists])
    found = skeleton(polygons, len(lists), _MIN_VALUES, _MAX_VALUES) if lists else None
    parts: list[int | None] = [None] * len(texts)
    sound = found is not None and not found.doubtful
    if found is not None and sound:
        for row, number in zip(lists, np.minimum(found.parts, _MAX_PARTS).tolist(), strict=True):
            parts[row] = number
    for row in sorted(set(range(len(texts))) - set(lists if sound else ())):
        texts[row], parts[row] = _other(values[row])
    return {"outline": pa.array(texts, pa.binary()), "outline_parts": pa.array(parts, pa.int16())}


def _other(value: msgspec.Raw | None) -> tuple[bytes | None, int | None]:
    """Return the text and the parts of an outline that is anything but plain polygons."""
    columns = as_outline(decoded(bytes(value))) if value is not None and bytes(value) != _NULL else {}
    return columns.get("outline"), columns.get("outline_parts")
