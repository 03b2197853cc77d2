"""Results of Label Studio from rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vision_cli.formats.labelling_rows import Row, attributes_of
from vision_cli.formats.labelstudio.config import control_of
from vision_cli.formats.labelstudio.results import Size, values_of
from vision_cli.formats.labelstudio.rows import COLUMNS, KINDS

Result = dict[str, Any]

_IDENTITY = frozenset({*KINDS.values(), "ground_truth", "from_name"})


def _nothing(_: Row) -> list[Result]:
    return []


def results_of(rows: list[Row], size: Size, kind: str, kept: Callable[[Row], list[Result]] = _nothing) -> list[Result]:
    """Return the results of one answer.

    Args:
        rows: its rows.
        size: (width, height) of the photo.
        kind: `annotations` or `predictions`.
        kept: returns results of a row that are written as they were, none if there are none.
    """
    found: list[Result] = []
    for index, row in enumerate(rows):
        if old := kept(row):
            found += old
            continue
        for result in _results(row, index, size, kind):
            _append(found, result)
    return found


def _append(found: list[Result], result: Result) -> None:
    """Append a result, or its class to the one before if both say the same of the same."""
    last = found[-1] if found else {}
    key = result["type"]
    if last.get("type") == key and "id" in result and _without(last, key) == _without(result, key):
        last["value"][key] += [name for name in result["value"].get(key, []) if name not in last["value"][key]]
    else:
        found.append(result)


def _without(result: Result, key: str) -> Result | None:
    value = result["value"]
    if not isinstance(value.get(key), list):
        return None
    return {**result, "value": {name: part for name, part in value.items() if name != key}}


def _results(row: Row, index: int, size: Size, kind: str) -> list[Result]:
    attributes = attributes_of(row)
    if "value" in row:
        return [_whole(row, attributes, index, ("number", row["value"]))]
    if not any(name in row for name in ("x", "keypoints", "outline")):
        return [_whole(row, attributes, index, ("choices", [row["class"]] if row["class"] else []))]
    shape, values, metas = values_of(row, size, attributes)
    rest = {name: value for name, value in attributes.items() if name not in _IDENTITY}
    if shape == "ellipse" and rest.get("shape") == "ellipse":
        rest.pop("shape")
    base = {"id": row.get("source_id", f"vision-{index}"), "from_name": attributes.get("from_name", control_of(shape))}
    found = []
    for part, (value, meta) in enumerate(zip(values, metas, strict=True)):
        meta |= _meta(row, rest, kind) if part == 0 else {}
        meta |= {"object": base["id"]} if len(values) > 1 else {}
        labels = {f"{shape}labels": [row["class"]]} if row["class"] else {f"{shape}labels": []}
        result = {**base, "to_name": "image", "type": f"{shape}labels", "value": {**value, **labels}}
        result |= {"original_width": size[0], "original_height": size[1], "image_rotation": 0}
        result["id"] = base["id"] if part == 0 else f"{base['id']}-{part}"
        found.append(result | ({"score": row["score"]} if kind == "predictions" and "score" in row else {}))
        found[-1] |= {"meta": meta} if meta else {}
    return found


def _whole(row: Row, attributes: dict[str, Any], index: int, said: tuple[str, Any]) -> Result:
    """Return a result about the whole photo."""
    kind, value = said
    control = attributes.get("from_name", "choice" if kind == "choices" else "number")
    rest = {name: part for name, part in attributes.items() if name not in _IDENTITY}
    meta = _meta(row, rest, "annotations")
    base = {"id": row.get("source_id", f"vision-{index}"), "from_name": control, "to_name": "image", "type": kind}
    return {**base, "value": {kind: value}, **({"meta": meta} if meta else {})}


def _meta(row: Row, rest: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return what a result has no place for; nulls and names of ours stay apart in `attributes`."""
    found = {name: row[name] for name in COLUMNS if name in row}
    if "score" in row and kind != "predictions":
        found["score"] = row["score"]
    return found | ({"attributes": rest} if rest else {})
