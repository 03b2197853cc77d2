"""What COCO has no members for, kept among the `attributes` of an annotation as Datumaro and CVAT keep it.

    {"id": 1, ..., "attributes": {"colour": "red", "truncated": 0.37, "occluded": 2, "difficult": true}}

Source of the names: https://github.com/open-edge-platform/datumaro, its COCO and VOC plugins. A value that is no flag
or number stays an attribute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.columns import MORE_ANNOTATION_COLUMNS
from vision_cli.core.dataset import Dataset

NAMES = ("truncated", "occluded", "difficult")
_ATTRIBUTES = "attributes"
_EMPTY = "{}"
_MAX_INT8 = 127
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ANY = msgspec.json.Decoder()


def out_of_attributes(dataset: Dataset) -> Dataset:
    """Return a data set with the columns of flags that its attributes hold."""
    table = dataset.annotations
    if _ATTRIBUTES not in table.column_names or not _may_have(table[_ATTRIBUTES]):
        return dataset
    columns = _split(table[_ATTRIBUTES])
    others = {name: table[name] for name in table.column_names if name != _ATTRIBUTES}
    found = {**others, **{name: column for name, column in columns.items() if column.null_count < len(column)}}
    known = [name for name in MORE_ANNOTATION_COLUMNS.names if name in found]
    names = [*(name for name in found if name not in known), *known]
    return replace(dataset, annotations=pa.table({name: found[name] for name in names}))


def in_attributes(table: pa.Table) -> pa.Array:
    """Return the attributes of annotations, their flags among them; null where there are none."""
    text = _text(table[_ATTRIBUTES]) if _ATTRIBUTES in table.column_names else pa.nulls(len(table), pa.string())
    return _joined(text, {name: table[name] for name in NAMES if name in table.column_names})


def same_order(attributes: pa.Array) -> pa.Array:
    """Return attributes as `in_attributes` writes them: flags stand last."""
    if not _may_have(attributes):
        return attributes
    columns = _split(attributes)
    return _joined(_text(columns[_ATTRIBUTES]), {name: columns[name] for name in NAMES})


def _may_have(column: pa.ChunkedArray | pa.Array) -> bool:
    return column.null_count < len(column) and any(
        pc.any(pc.match_substring(column, f'"{name}"')).as_py() for name in NAMES
    )


def _text(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    text = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return pc.if_else(pc.equal(text, _EMPTY), pa.scalar(None, pa.string()), text.cast(pa.string()))


def _split(column: pa.ChunkedArray | pa.Array) -> dict[str, pa.Array]:
    """Return the columns of flags and of what remains; each text is decoded once."""
    coded = _text(column).dictionary_encode()
    rows = [_parts(text) for text in coded.dictionary.to_pylist()]
    kinds = {name: MORE_ANNOTATION_COLUMNS.field(name).type for name in (*NAMES, _ATTRIBUTES)}
    return {name: pa.array([row.get(name) for row in rows], kind).take(coded.indices) for name, kind in kinds.items()}


def _parts(text: str) -> dict[str, Any]:
    """Return the flags of one object, and under `attributes` the text of the rest."""
    members = _OBJECT.decode(text)
    found: dict[str, Any] = {}
    for name in NAMES:
        value = _flag(name, _ANY.decode(members[name])) if name in members else None
        if value is not None:
            found[name] = value
            del members[name]
    rest = msgspec.json.encode(members).decode() if found else text
    return found if rest == _EMPTY else {**found, _ATTRIBUTES: rest}


def _flag(name: str, value: Any) -> float | int | bool | None:
    """Return a flag's value; None where it is something else."""
    if not isinstance(value, int | float):
        return None
    if name == "truncated":
        return float(value)
    if name == "occluded":
        return int(value) if isinstance(value, int) and -_MAX_INT8 <= value <= _MAX_INT8 else None
    return bool(value) if value in (0, 1) else None


def _joined(text: pa.Array, columns: Mapping[str, pa.ChunkedArray | pa.Array]) -> pa.Array:
    """Return JSON objects of the members of texts and columns."""
    if columns and _may_have(text):
        text = pa.array([_renamed(each) for each in text.to_pylist()], pa.string())
    if not columns:
        return text
    parts = [pc.utf8_slice_codeunits(text, 1, -1), *(_members(name, column) for name, column in columns.items())]
    # A null before its comma makes both a null, and nothing of it.
    commas = [pc.binary_join_element_wise(part, "", ",").fill_null("") for part in parts]
    inner = pc.utf8_rtrim(pc.binary_join_element_wise(*commas, ""), ",")
    whole = pc.binary_join_element_wise("{", inner, "}", "")
    return pc.if_else(pc.equal(inner, ""), pa.scalar(None, pa.string()), whole)


def _members(name: str, column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Return `"name":value` of each value; each is written once."""
    coded = (column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column).dictionary_encode()
    texts = [f'"{name}":{msgspec.json.encode(value).decode()}' for value in coded.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(coded.indices)


def _renamed(text: str | None) -> str | None:
    """Return an object without the names of flags: they get an underscore."""
    if text is None:
        return None
    members = _OBJECT.decode(text)
    return msgspec.json.encode({f"{n}_" if n in NAMES else n: raw for n, raw in members.items()}).decode()
