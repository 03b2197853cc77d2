"""Label Studio's JSON-MIN as tasks: one flat object an annotation becomes a task with annotations.

In the order of label-studio-converter (`convert_to_json_min`), what stands before `id` is the task's data, what stands
between `id` and `annotator` are answers by the names of their controls. An answer of one text is a choice.
"""

from __future__ import annotations

from typing import Any

from vision_cli.core.errors import DataError
from vision_cli.formats.labelstudio.results import region_of

_END = ("annotator", "annotation_id")
_BOOKKEEPING = frozenset({"id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement"})
_SIZES = ("original_width", "original_height", "image_rotation")
_PLAIN = ("choices", "taxonomy", "number", "rating", "textarea", "text", "pairwise", "datetime", "ranker")


def is_min(record: dict[str, Any]) -> bool:
    """Return whether an object is one of JSON-MIN."""
    return "data" not in record and any(name in record for name in _END)


def task_of(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the task of the JSON-MIN objects of one photo.

    Raises:
        DataError: an answer that is no object, text or number.
    """
    first = records[0]
    answers = [_answers(record) for record in records]
    data = {name: value for name, value in first.items() if name not in _BOOKKEEPING and name not in answers[0]}
    annotations = [_annotation(record, found) for record, found in zip(records, answers, strict=True)]
    return {**({"id": first["id"]} if "id" in first else {}), "data": data, "annotations": annotations}


def _answers(record: dict[str, Any]) -> dict[str, Any]:
    """Return answers by control."""
    names = list(record)
    end = min((names.index(name) for name in _END if name in record), default=len(names))
    start = names.index("id") + 1 if "id" in record and names.index("id") < end else None
    found = {}
    for index, name in enumerate(names):
        inside = start is not None and start <= index < end
        if name not in _BOOKKEEPING and (inside or (start is None and _is_answer(record[name]))):
            found[name] = record[name]
    return found


def _is_answer(value: Any) -> bool:
    items = value if isinstance(value, list) else [value]
    return bool(items) and all(isinstance(item, dict) and _kind(item) is not None for item in items)


def _kind(item: dict[str, Any]) -> str | None:
    labels = next((name for name in item if name.endswith("labels") and region_of(name, item)), None)
    return labels or next((name for name in _PLAIN if name in item), None)


def _annotation(record: dict[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
    results = [_result(name, item) for name, value in answers.items() for item in _items(value)]
    found: dict[str, Any] = {"result": results}
    for ours, theirs in (("id", "annotation_id"), ("completed_by", "annotator")):
        if record.get(theirs) is not None:
            found[ours] = record[theirs]
    return found | {name: record[name] for name in ("created_at", "updated_at", "lead_time") if name in record}


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _result(name: str, item: Any) -> dict[str, Any]:
    base = {"from_name": name, "to_name": "image"}
    if isinstance(item, str):
        return {**base, "type": "choices", "value": {"choices": [item]}}
    if isinstance(item, int | float):
        return {**base, "type": "number", "value": {"number": item}}
    if not isinstance(item, dict):
        raise DataError(f"the answer {name!r} is no object, text or number")
    kind = _kind(item) or next((part for part in ("rectangle", "polygon", "ellipse") if _fits(part, item)), name)
    value = {key: part for key, part in item.items() if key not in _SIZES}
    return {**base, "type": kind, "value": value, **{key: item[key] for key in _SIZES if key in item}}


def _fits(shape: str, item: dict[str, Any]) -> bool:
    needed = {"rectangle": ("x", "y", "width", "height"), "polygon": ("points",), "ellipse": ("radiusX", "radiusY")}
    return all(name in item for name in needed[shape])
