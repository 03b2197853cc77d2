"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vision_cli.reports.document import EvalSection
from vision_cli.reports.elements import Markup, beside, captioned, element, join, name, note, row, table
from vision_cli.reports.wording import count, per_cent

MOST_CLASSES = 60
_SHOWN_OF_MANY = 40
_SMALL, _TINY = 12, 25
_PAIRS = 12
_LEVELS = 10

Counts = np.ndarray[Any, np.dtype[np.int64]]


def confusion(shown: EvalSection) -> Markup | None:
    """Return the confusion matrix as a heat table, and its largest confusions as a list; None where there is none."""
    matrix = shown.result.get("confusion")
    if not matrix or len(matrix) != len(shown.classes):
        return None
    counts, names = np.array(matrix, dtype=np.int64), list(shown.classes)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    pairs = _pairs(counts, shares, names) if len(names) > 2 else None
    if len(names) > MOST_CLASSES:
        counts, shares, names = _worst(counts, names)
        kept = note(
            f"The {_SHOWN_OF_MANY} of {len(shown.classes):,} classes with the most mistakes; "
            "the last row and column hold all others together."
        )
        return join([_matrix(counts, shares, names), kept, pairs])
    if len(names) > _TINY:
        return join([_matrix(counts, shares, names), pairs])
    return beside(_matrix(counts, shares, names), pairs)


def _worst(counts: Counts, names: list[str]) -> tuple[Counts, Any, list[str]]:
    """Return the classes with the most mistakes on either side, and the sum of all others."""
    right = np.diag(counts)
    wrong = counts.sum(axis=0) + counts.sum(axis=1) - 2 * right
    kept = np.sort(np.argsort(-wrong, kind="stable")[:_SHOWN_OF_MANY])
    group = np.full(len(names), _SHOWN_OF_MANY)
    group[kept] = np.arange(_SHOWN_OF_MANY)
    merged = np.zeros((_SHOWN_OF_MANY + 1, _SHOWN_OF_MANY + 1), dtype=np.int64)
    np.add.at(merged, (group[:, None], group[None, :]), counts)
    shares = merged / np.maximum(merged.sum(axis=1, keepdims=True), 1)
    shares[-1, -1] = np.nan  # right answers and confusions among the others, which have no colour together
    return merged, shares, [*(names[each] for each in kept), "all others"]


def _matrix(counts: Counts, shares: Any, names: Sequence[str]) -> Markup:
    size = "small" if len(names) <= _SMALL else "medium" if len(names) <= _TINY else "tiny"
    length = 24 if size == "tiny" else 30
    heads = (element("th", element("span", name(each, length)), scope="col") for each in names)
    head = element("tr", element("th", "truth ↓ answer →", scope="col", class_="corner"), *heads)
    rows = (_row(index, counts, shares, names) for index in range(len(names)))
    caption = "Confusions: a row for each true class, coloured by the share of its photos"
    body = element("tbody", *rows)
    return captioned(caption, element("table", element("thead", head), body, class_=f"heat {size}", aria_label=caption))


def _row(index: int, counts: Counts, shares: Any, names: Sequence[str]) -> Markup:
    cells = (_cell(index, column, counts, shares) for column in range(len(names)))
    return element("tr", element("th", name(names[index], 30), scope="row"), *cells)


def _cell(index: int, column: int, counts: Counts, shares: Any) -> Markup:
    number = int(counts[index, column])
    if not number:
        return element("td", class_="right0" if index == column else None)
    if np.isnan(shares[index, column]):
        return element("td", f"{number:,}")
    level = max(1, round(float(shares[index, column]) * _LEVELS))
    kind = "right" if index == column else "wrong"
    return element("td", f"{number:,}", class_=f"{kind}{level}", title=per_cent(float(shares[index, column])))


def _pairs(counts: Counts, shares: Any, names: Sequence[str]) -> Markup:
    wrong = counts - np.diag(np.diag(counts))
    order = [divmod(int(place), len(names)) for place in np.argsort(-wrong, axis=None, kind="stable")[:_PAIRS]]
    rows = [
        row(
            name(names[truth], 40),
            name(names[answer], 40),
            f"{wrong[truth, answer]:,}",
            per_cent(float(shares[truth, answer])),
        )
        for truth, answer in order
        if wrong[truth, answer]
    ]
    if not rows:
        return note("No class is taken for another.")
    total = count(int(wrong.sum()), "wrong answer")
    return table(
        f"Most frequent confusions, of {total}",
        ("true class", "answer", "photos", "of its class"),
        rows,
        "figures confusions",
    )
