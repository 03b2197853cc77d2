"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vision_cli.reports import wording
from vision_cli.reports.document import EvalSection
from vision_cli.reports.elements import Markup, beside, captioned, element, join, name, note, row, table
from vision_cli.reports.wording import count, per_cent

MOST_CLASSES = 60
_SHOWN_OF_MANY = 40
_SMALL, _TINY = 12, 25
_PAIRS = 12
_LEVELS = 10
_NOTHING, _NOT_SEEN = "(background)", "(not seen)"
"""Of objects: nothing there, or nothing found; of pixels: outside of what the network looks at."""

Counts = np.ndarray[Any, np.dtype[np.int64]]


def confusion(shown: EvalSection) -> Markup | None:
    """Return the confusion matrix as a heat table, and its largest confusions as a list; None where there is none."""
    found = _counts(shown)
    if found is None:
        return None
    counts, names, what = found
    counts, names, absent = _occurring(counts, names)
    shares = _shares(counts, names, what)
    pairs = _pairs(counts, shares, names, what) if len(names) > 2 else None
    told = join([absent, _told(shown, what)])
    if len(names) > MOST_CLASSES:
        counts, shares, names = _worst(counts, names, what)
        kept = note(
            f"The {_SHOWN_OF_MANY} of {len(shown.classes):,} classes with the most mistakes; "
            "the last row and column hold all others together."
        )
        return join([_matrix(counts, shares, names, what), kept, told, pairs])
    if absent or len(names) > _TINY:
        return join([_matrix(counts, shares, names, what), told, pairs])
    return join([beside(_matrix(counts, shares, names, what), pairs), told])


def _shares(counts: Counts, names: Sequence[str], what: str) -> Any:
    """Return the share of its row that each number is; NaN where nothing is there, which is no class to be found."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    if what == "object" and names[-1] == _NOTHING:
        shares[-1] = np.nan
    return shares


def _told(shown: EvalSection, what: str) -> Markup | None:
    """Return which detections the matrix counts: other tables count more of them."""
    if what != "object":
        return None
    which = wording.sure(shown.result.get("settings") or {})
    return note(f"Of the detections {which}. {_NOTHING}: nothing is there, or nothing was found.")


def _counts(shown: EvalSection) -> tuple[Counts, list[str], str] | None:
    """Return the matrix, the names of its rows and what it counts; that of places has one more row and column."""
    matrix, names = shown.result.get("confusion"), list(shown.classes)
    if not matrix or len(matrix) - len(names) not in (0, 1):
        return None
    counts = np.array(matrix, dtype=np.int64)
    if len(counts) == len(names):
        return counts, names, "photo"
    if (shown.result.get("model") or {}).get("task") == "semantic":
        # Pixels all have an answer, unless the network does not see the photo's margins.
        return (counts, [*names, _NOT_SEEN], "pixel") if counts[:, -1].any() else (counts[:-1, :-1], names, "pixel")
    return counts, [*names, _NOTHING], "object"


def _occurring(counts: Counts, names: list[str]) -> tuple[Counts, list[str], Markup | None]:
    """Return matrix and names without the classes that no label and no answer has, where there are many classes."""
    seen = np.flatnonzero(counts.any(axis=0) | counts.any(axis=1))
    absent = len(names) - len(seen)
    if len(names) <= _TINY or not absent or not len(seen):
        return counts, names, None
    told = note(f"{count(absent, 'class', 'classes')} not shown: in no label and no answer.")
    return counts[np.ix_(seen, seen)], [names[each] for each in seen], told


def _worst(counts: Counts, names: list[str], what: str) -> tuple[Counts, Any, list[str]]:
    """Return the classes with the most mistakes on either side, and the sum of all others."""
    right = np.diag(counts)
    wrong = counts.sum(axis=0) + counts.sum(axis=1) - 2 * right
    kept = np.sort(np.argsort(-wrong, kind="stable")[:_SHOWN_OF_MANY])
    group = np.full(len(names), _SHOWN_OF_MANY)
    group[kept] = np.arange(_SHOWN_OF_MANY)
    merged = np.zeros((_SHOWN_OF_MANY + 1, _SHOWN_OF_MANY + 1), dtype=np.int64)
    np.add.at(merged, (group[:, None], group[None, :]), counts)
    shares = merged / np.maximum(merged.sum(axis=1, keepdims=True), 1)
    if what == "object" and names[-1] == _NOTHING and kept[-1] == len(names) - 1:
        shares[-2] = np.nan
    shares[-1, -1] = np.nan  # right answers and confusions among the others, which have no colour together
    return merged, shares, [*(names[each] for each in kept), "all others"]


def _matrix(counts: Counts, shares: Any, names: Sequence[str], what: str) -> Markup:
    size = "small" if len(names) <= _SMALL else "medium" if len(names) <= _TINY else "tiny"
    length = 24 if size == "tiny" else 30
    heads = (element("th", element("span", name(each, length)), scope="col") for each in names)
    head = element("tr", element("th", "truth ↓ answer →", scope="col", class_="corner"), *heads)
    rows = (_row(index, counts, shares, names, what) for index in range(len(names)))
    caption = f"Confusions: a row for each true class, coloured by the share of its {what}s"
    body = element("tbody", *rows)
    return captioned(caption, element("table", element("thead", head), body, class_=f"heat {size}", aria_label=caption))


def _row(index: int, counts: Counts, shares: Any, names: Sequence[str], what: str) -> Markup:
    cells = (_cell((index, column), counts, shares, what) for column in range(len(names)))
    return element("tr", element("th", name(names[index], 30), scope="row"), *cells)


def _cell(place: tuple[int, int], counts: Counts, shares: Any, what: str) -> Markup:
    index, column = place
    number = int(counts[index, column])
    if not number:
        return element("td", class_="right0" if index == column else None)
    if np.isnan(shares[index, column]):
        return element("td", "" if what == "pixel" else f"{number:,}", title=f"{number:,} {what}s")
    level = max(1, round(float(shares[index, column]) * _LEVELS))
    kind = "right" if index == column else "wrong"
    texts = (f"{number:,}", per_cent(float(shares[index, column])))
    shown, title = (f"{shares[index, column]:.0%}", f"{texts[0]} pixels") if what == "pixel" else texts
    return element("td", shown, class_=f"{kind}{level}", title=title)


def _pairs(counts: Counts, shares: Any, names: Sequence[str], what: str) -> Markup:
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
    total = count(int(wrong.sum()), "wrong answer" if what == "photo" else f"wrong {what}")
    return table(
        f"Most frequent confusions, of {total}",
        ("true class", "answer", f"{what}s", "of its class"),
        rows,
        "figures confusions",
    )
