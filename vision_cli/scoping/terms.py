"""The words of the field for the words of the user."""

from __future__ import annotations

from collections.abc import Mapping

from vision_cli.scoping.wording import Worded

_TERMS: Mapping[str, str] = {
    "count": "counting: the number of detected boxes",
    "measure": "regression: a value on a scale",
    "unit": "regression: a value on a scale",
    "where": "localisation: bounding boxes",
    "find": "detection",
    "outline": "instance mask",
    "touching": "occlusion: instances that overlap",
    "pixel": "segmentation: a class a pixel",
    "area": "region: semantic segmentation",
    "whole": "panoptic: 'stuff' and 'things' together",
    "several": "multi-label: classes that do not exclude one another",
    "kind": "classes of a classifier",
    "whether": "binary classification",
    "read": "OCR: text recognition",
    "inscribed": "OCR: text recognition",
    "hide": "detection, then editing of the boxes",
    "edit": "matting: a mask of the region",
    "table": "tabular data or time series",
    "future": "forecasting",
    "sound": "audio",
    "prose": "natural language processing",
}


_SHORTEST = 2


def terms(said: Worded) -> dict[str, str]:
    """Return the field's term by the user's words, for those that have one."""
    return {said.quotes[name]: term for name, term in _TERMS.items() if len(said.quotes.get(name, "")) > _SHORTEST}
