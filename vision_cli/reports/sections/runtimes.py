"""The same model in its runtimes, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vision_cli.reports import wording
from vision_cli.reports.charts.spans import stack
from vision_cli.reports.document import EvalSection
from vision_cli.reports.elements import Markup, element, join, note, row, section, table
from vision_cli.reports.naming import judged, runtime
from vision_cli.reports.wording import is_number

_QUALITY = {
    "classify": ("top1", "top5", "f1", "ece"),
    "multilabel": ("f1", "map", "exact_match"),
    "regress": ("mae", "rmse", "r2"),
    "detect": ("ap50", "ap", "f1"),
    "instance": ("ap50", "ap", "f1"),
    "semantic": ("miou", "pixel_accuracy", "boundary_f1"),
    "panoptic": ("pq", "sq", "rq"),
}


def runtimes(shown: Sequence[EvalSection], task: str) -> Markup:
    """Return a column for each runtime."""
    keys = (*_QUALITY.get(task, ()), *wording.SPEED)
    rows = [_row(key, shown) for key in keys if any(_value(each, key) is not None for each in shown)]
    head = ("", *(element("span", runtime(each), element("small", judged(each.result))) for each in shown))
    remark = note(
        "Latency is of one photo after decoding, on the machine that ran the evaluation. "
        "A bar is as long as its figure is large in comparison."
    )
    return section(
        "Runtimes side by side", "runtimes", _unlike(shown), table("Runtimes", head, rows, "figures sides"), remark
    )


def _value(shown: EvalSection, key: str) -> Any:
    return (shown.result.get("metrics") or {}).get(key)


def _row(key: str, shown: Sequence[EvalSection]) -> Markup:
    numbers = [_value(each, key) for each in shown]
    most = max((float(number) for number in numbers if is_number(number)), default=0.0)
    return row(
        wording.label(key), *(_cell(key, each, number, most) for each, number in zip(shown, numbers, strict=True))
    )


def _cell(key: str, shown: EvalSection, number: Any, most: float) -> Markup:
    ends = wording.interval((shown.result.get("intervals") or {}).get(key), key)
    drawn = stack([float(number)], most) if key in wording.SPEED and is_number(number) else None
    return join([wording.figure(number, key), element("small", ends) if ends else None, drawn])


def _unlike(shown: Sequence[EvalSection]) -> Markup | None:
    """Return a warning where the columns cannot be compared."""
    different = [
        what
        for what, values in (
            ("models", {(each.result.get("model") or {}).get("name") for each in shown}),
            ("photos", {(judged(each.result), (each.result.get("data") or {}).get("digest")) for each in shown}),
            ("numbers of threads", {(each.result.get("runtime") or {}).get("threads") for each in shown}),
        )
        if len(values) > 1
    ]
    if not different:
        return None
    text = f"These evaluations were made with different {' and '.join(different)}: compare them with care."
    return element("ul", element("li", text), class_="findings")
