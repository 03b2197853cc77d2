"""Precision, recall and F1 of each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vision_cli.reports import wording
from vision_cli.reports.charts.spans import share_bar
from vision_cli.reports.document import EvalSection
from vision_cli.reports.elements import Markup, element, join, name, row, table
from vision_cli.reports.wording import is_number

_KEYS = {"precision": "precision", "recall": "recall", "f1": "F1", "auc": "ROC-AUC", "ap": "AP"}
_OBJECTS = {"ap50": "AP50", "f1": "F1", "precision": "precision", "recall": "recall", "ap": "AP"}
_KEYS_OF = {
    "detect": _OBJECTS,
    "instance": _OBJECTS,
    "semantic": {"iou": "IoU", "pixel_accuracy": "pixel accuracy", "dice": "Dice", "boundary_f1": "F1 of outlines"},
    "panoptic": {"pq": "PQ", "sq": "SQ", "rq": "RQ"},
}
_PLAIN = ("auc[", "ap[")
_MANY = 20


def classes(shown: EvalSection) -> Markup | None:
    """Return the table of the classes, the weakest first; None where no figure has a class."""
    values, intervals = shown.result.get("metrics") or {}, shown.result.get("intervals") or {}
    task = (shown.result.get("model") or {}).get("task")
    known = _KEYS_OF.get(str(task), _KEYS)
    keys = [key for key in known if any(f"{key}[{each}]" in values for each in shown.classes)]
    if not keys:
        return None
    photos = _photos(shown)
    first = "f1" if known is _KEYS else keys[0]
    order = sorted(shown.classes, key=lambda each: _weakness(values.get(f"{first}[{each}]")))
    rows = [row(name(each), *_cells(each, keys, (values, intervals)), photos.get(each, "")) for each in order]
    rows = rows if photos else [row(name(each), *_cells(each, keys, (values, intervals))) for each in order]
    head = ("class", *(known[key] for key in keys), *(["photos"] if photos else []))
    return table("Classes, the weakest first", head, rows, "figures classes" + (" long" if len(rows) > _MANY else ""))


def _weakness(value: Any) -> float:
    """Return what sorts the lowest first and what was not measured last."""
    return float(value) if is_number(value) else 2.0


def _cells(each: str, keys: Sequence[str], figures: tuple[Mapping[str, Any], Mapping[str, Any]]) -> list[Markup]:
    values, intervals = figures
    return [_cell(f"{key}[{each}]", values.get(f"{key}[{each}]"), intervals.get(f"{key}[{each}]")) for key in keys]


def _cell(key: str, value: Any, ends: Any) -> Markup:
    known = wording.interval(ends, key)
    if not is_number(value) or key.startswith(_PLAIN):
        return join([wording.figure(value, key)])
    bar = share_bar(float(value), (float(ends[0]), float(ends[1])) if known else None)
    return join([wording.figure(value, key), element("small", known) if known else None, bar])


def _photos(shown: EvalSection) -> dict[str, str]:
    """Return the number of photos of each class that were judged, where the confusions tell it."""
    matrix = shown.result.get("confusion") or ()
    if len(matrix) != len(shown.classes):
        return {}
    return {each: f"{sum(counts):,}" for each, counts in zip(shown.classes, matrix, strict=True)}
