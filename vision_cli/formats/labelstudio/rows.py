"""Annotations and predictions of a Label Studio task as rows."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from vision_cli.core.errors import DataError
from vision_cli.formats.labelling_rows import Row, attributes_text, fitting, is_side, keypoint_values, ring_values
from vision_cli.formats.labelstudio.results import Size, place, region_of

KINDS = {"annotations": "annotation_id", "predictions": "prediction_id"}
"""Members of a task that hold results, and the attribute that holds their id."""

COLUMNS: Mapping[str, type | tuple[type, ...]] = {
    "area": (float, int),
    "iscrowd": bool,
    "truncated": (float, int),
    "occluded": int,
    "difficult": bool,
    "track_id": int,
}
"""Columns that have no place in a result and travel in its `meta`."""

_OURS = frozenset({*COLUMNS, "pixels", "keypoints", "box", "object", "score", "attributes"})

OTHER_RESULTS = "other_results"
"""Column of photos: results that are no labels (relations, texts about whole photos) as they are, by answer."""

_MEMBERS = {"textarea": "text"}
"""Where a result's `value` holds what its type says, if the name is another."""

_MADE_UP = re.compile(r"vision-\d+", re.ASCII)

Result = dict[str, Any]


@dataclass(slots=True)
class Answer:
    """One annotation or prediction.

    Attributes:
        kind: a key of KINDS.
        record: its JSON object.
        rows: in the order of the results.
        results: index into its `result` of each row's first result.
        unread: indices of results that are no labels of a photo, with their type.
    """

    kind: str
    record: dict[str, Any]
    rows: list[Row] = field(default_factory=list)
    results: list[int] = field(default_factory=list)
    unread: dict[int, str] = field(default_factory=dict)


def is_cancelled(record: Mapping[str, Any]) -> bool:
    """Return whether an annotator skipped the task."""
    return record.get("was_cancelled") is True


def annotator(record: Mapping[str, Any], kind: str) -> str | None:
    """Return who made an answer: a model's version, an address, else an id."""
    by = record.get("model_version") if kind == "predictions" else record.get("completed_by")
    if isinstance(by, dict):
        by = by.get("email") or by.get("id")
    return str(by) if isinstance(by, str | int) and not isinstance(by, bool) and by != "" else None


def answers(task: Mapping[str, Any], size: Size) -> Iterator[Answer]:
    """Yield what was answered to a task: its annotations that nobody skipped, else its predictions.

    Raises:
        DataError: a member of another type than Label Studio writes, or a region that is none.
    """
    kind = "annotations" if any(not is_cancelled(found) for found in listed(task, "annotations")) else "predictions"
    if kind == "predictions" and listed(task, "annotations"):
        return
    for record in listed(task, kind):
        if not is_cancelled(record):
            yield answer(record, kind, size)


def other_results(found: list[Answer]) -> list[dict[str, Any]]:
    """Return the results of answers that are no labels, an object an answer: its id, and `result`."""
    rest = [
        {
            **({KINDS[each.kind]: each.record["id"]} if each.record.get("id") is not None else {}),
            "result": [listed(each.record, "result")[index] for index in each.unread],
        }
        for each in found
        if each.unread
    ]
    return rest


def listed(holder: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return a list of objects, empty where the member is absent or null.

    Raises:
        DataError: it is something else.
    """
    found = holder.get(name) or []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise DataError(f"`{name}` is no list of objects")
    return found


def answer(record: dict[str, Any], kind: str, size: Size) -> Answer:
    """Return the rows of one annotation or prediction; see `answers`."""
    found = Answer(kind, record)
    common = _common(record, kind)
    results = listed(record, "result")
    regions: dict[Any, int] = {}
    for index, result in enumerate(results):
        if _shape(result) and isinstance(result.get("id"), str | int):
            regions.setdefault(result["id"], index)
    more: dict[int, list[Result]] = {}
    for index, result in enumerate(results):
        owner = regions.get(result["id"]) if isinstance(result.get("id"), str | int) else None
        if owner is not None and owner != index and not _same_kind(results[owner], result):
            more.setdefault(owner, []).append(result)
            continue
        _add(found, index, result, common)
    for row, index in zip(found.rows, found.results, strict=True):
        _finish(row, results[index], more.get(index, []), size)
    _join_parts(found)
    return found


def _common(record: Mapping[str, Any], kind: str) -> Row:
    attributes = {KINDS[kind]: record["id"]} if record.get("id") is not None else {}
    if record.get("ground_truth") is True:
        attributes["ground_truth"] = True
    score = record.get("score") if kind == "predictions" else None
    who = annotator(record, kind)
    return {
        "attributes": attributes,
        **({"annotator": who} if who else {}),
        **({"score": float(score)} if score is not None and _is_number(score) else {}),
        "kind": kind,
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _shape(result: Result) -> str | None:
    return region_of(str(result.get("type", "")), _value(result))


def _same_kind(one: Result, other: Result) -> bool:
    return bool(_shape(other)) and one.get("type") == other.get("type")


def _value(result: Result) -> dict[str, Any]:
    value = result.get("value", {})
    if not isinstance(value, dict):
        raise DataError("`value` of a result is no object")
    return value


def _add(found: Answer, index: int, result: Result, common: Row) -> None:
    """Add the rows of a result: one a class, or a number."""
    kind, value = str(result.get("type", "")), _value(result)
    base = {**common, **_source_id(result)}
    if _shape(result):
        rows = [{**base, "class": name} for name in names_of(value.get(kind))] or [{**base, "class": ""}]
    elif kind in ("choices", "taxonomy"):
        rows = [{**base, "class": name} for name in names_of(value.get(kind))]
    elif kind in ("number", "rating") and _is_number(value.get(kind)):
        rows = [{**base, "value": float(value[kind])}]
    else:
        rows = []
    if not rows:
        found.unread[index] = kind
    found.rows += rows
    found.results += [index] * len(rows)


def _source_id(result: Result) -> Row:
    """Return a result's id, unless it is one that writing made up."""
    name = result.get("id")
    return {} if name is None or _MADE_UP.fullmatch(str(name)) else {"source_id": str(name)}


def names_of(labels: Any) -> list[str]:
    """Return class names of labels, choices, or paths of a taxonomy."""
    labels = labels if isinstance(labels, list) else [labels] if isinstance(labels, str) else []
    names = ["/".join(map(str, label)) if isinstance(label, list) else str(label) for label in labels]
    return list(dict.fromkeys(name for name in names if name))


def _finish(row: Row, result: Result, more: list[Result], size: Size) -> None:
    """Give a row its place, its attributes and what further results say of the same region."""
    kind, attributes = row.pop("kind"), dict(row.pop("attributes"))
    meta = result.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    shape = _shape(result)
    if shape is None:
        if result.get("from_name") is not None:
            attributes["from_name"] = result["from_name"]
    else:
        row |= place(shape, _value(result), _own_size(result, size), meta)
        if shape == "ellipse":
            attributes["shape"] = "ellipse"
        for other in more:
            _tell_more(row, attributes, other)
        if result.get("image_rotation"):
            attributes["image_rotation"] = result["image_rotation"]
    if kind == "predictions" and _is_number(result.get("score")):
        row["score"] = float(result["score"])
    _tell_meta(row, attributes, meta)
    if text := attributes_text(attributes):
        row["attributes"] = text


def _own_size(result: Result, size: Size) -> Size:
    width, height = result.get("original_width"), result.get("original_height")
    return (width, height) if is_side(width) and is_side(height) else size


def _tell_more(row: Row, attributes: dict[str, Any], other: Result) -> None:
    """Add what a further result says of a region: its class, or an attribute called as its control."""
    kind, value = str(other.get("type", "")), _value(other)
    if kind.endswith("labels") and not row["class"] and names_of(value.get(kind)):
        row["class"] = names_of(value.get(kind))[0]
    else:
        said = value.get(_MEMBERS.get(kind, kind))
        name = str(other.get("from_name", kind))
        if said is not None:
            attributes[name] = said[0] if isinstance(said, list) and len(said) == 1 else said


def _tell_meta(row: Row, attributes: dict[str, Any], meta: Mapping[str, Any]) -> None:
    for name, types in COLUMNS.items():
        if (value := fitting(meta.get(name), name, types)) is not None:
            row[name] = value
    points = meta.get("keypoints")
    if isinstance(points, list) and len(points) % 3 == 0 and all(map(_is_number, points)):
        row |= keypoint_values(list(zip(points[::3], points[1::3], points[2::3], strict=True)))
        if meta.get("box") is False:
            for name in "xywh":
                row.pop(name, None)
    if isinstance(meta.get("object"), str):
        row["object"] = meta["object"]
    own = meta.get("attributes")
    attributes |= own if isinstance(own, dict) else {}
    attributes |= {name: value for name, value in meta.items() if name not in _OURS}
    score = meta.get("score")
    if score is not None and _is_number(score):
        row["score"] = float(score)


def _join_parts(found: Answer) -> None:
    """Make one row of polygons that say they are parts of one object."""
    rows: list[Row] = []
    results: list[int] = []
    owners: dict[str, int] = {}
    for row, index in zip(found.rows, found.results, strict=True):
        name = row.pop("object", None)
        owner = owners.get(name) if name is not None and row.get("outline_parts") == 1 else None
        if owner is None:
            owners |= {} if name is None else {name: len(rows)}
            rows.append(row)
            results.append(index)
        else:
            rows[owner] = {**rows[owner], **_both(rows[owner], row)}
    found.rows, found.results = rows, results


def _both(one: Row, other: Row) -> Row:
    return ring_values([*msgspec.json.decode(one["outline"]), *msgspec.json.decode(other["outline"])])
