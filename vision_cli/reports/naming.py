"""How an evaluation is called on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vision_cli.reports import wording
from vision_cli.reports.document import EvalSection


def runtime(evaluation: EvalSection) -> str:
    """Return the runtime with its precision where that is not the usual one: `tflite float16`."""
    ran = evaluation.result.get("runtime") or {}
    precision = str(ran.get("precision") or "float32")
    found = str(ran.get("name") or "unknown")
    return found if precision == "float32" else f"{found} {precision}"


def judged(result: Mapping[str, Any]) -> str:
    """Return split and number of photos: `test, 120 photos`."""
    data = result.get("data") or {}
    photos = data.get("photos")
    number = wording.count(photos, "photo") if isinstance(photos, int) else "an unknown number of photos"
    return f"{data['split']}, {number}" if data.get("split") else number
