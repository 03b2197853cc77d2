"""What a check found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from vision_cli.checks import Severity, card

Ids = NDArray[np.int64]
Floats = NDArray[np.float64]

NONE = -1

_SINGULAR = {
    **{"are": "is", "have": "has", "carry": "carries", "cross": "crosses"},
    **{verb: f"{verb}s" for verb in ("stand", "stick", "cover", "leave", "look")},
}
_ONE = re.compile(rf"1 \w+(?: of [\d,]+)?(?: with boxes)? ({'|'.join(_SINGULAR)})\b")


@dataclass(frozen=True, slots=True, eq=False)
class Offenders:
    """The N places that a finding is about, worst first.

    Attributes:
        images: int64 (N,), row of the photo; -1 where there is none.
        annotations: int64 (N,), row of the annotation; -1 where the whole photo is meant.
        partners: int64 (N,), row of the other photo of a pair; -1 without.
        others: int64 (N,), row of the other annotation of a pair; -1 without.
        values: float64 (N,), what was measured; NaN without.
        files: (N,) paths of files that are no row of the tables, or empty.
        suggestions: (N,) the label that it should rather have, or empty.
    """

    images: Ids
    annotations: Ids
    partners: Ids
    others: Ids
    values: Floats
    files: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()

    def __len__(self) -> int:
        return max(len(self.images), len(self.files))


def _none(like: Ids) -> Ids:
    return np.full(len(like), NONE, dtype=np.int64)


def _ids(rows: Any, like: Ids) -> Ids:
    return _none(like) if rows is None else np.asarray(rows, dtype=np.int64)


def _values(values: Any, like: Ids) -> Floats:
    return np.full(len(like), np.nan) if values is None else np.asarray(values, dtype=np.float64)


def at_images(rows: Any, values: Any = None, *, partners: Any = None) -> Offenders:
    """Return photos as offenders."""
    images = np.asarray(rows, dtype=np.int64)
    return Offenders(images, _none(images), _ids(partners, images), _none(images), _values(values, images))


def at_annotations(rows: Any, images: Any, values: Any = None, *, others: Any = None) -> Offenders:
    """Return annotations as offenders.

    Args:
        rows: of the annotations.
        images: row of the photo of each.
        values: what was measured.
        others: row of the other annotation of a pair.
    """
    found = np.asarray(rows, dtype=np.int64)
    photos = np.asarray(images, dtype=np.int64)
    return Offenders(photos, found, _none(found), _ids(others, found), _values(values, found))


def at_files(names: Sequence[str]) -> Offenders:
    """Return files that are no row of the tables as offenders."""
    images = np.full(len(names), NONE, dtype=np.int64)
    return Offenders(images, images, images, images, np.full(len(names), np.nan), tuple(names))


NOWHERE = at_images(())
"""Of a finding about the whole set."""


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """One thing that is wrong, with its figure.

    Attributes:
        check: name of the check.
        severity: how bad it is.
        figure: the number that the reason rests on; mostly how many.
        reason: what it is and why it matters, in one sentence.
        where: the places.
        hint: what to do about it.
        fixable: name of the repair of `vision data fix`; None without one.
        measure: what the values of the places are, with the unit.
        details: further figures by name, for programs and charts; values that JSON takes.
    """

    check: str
    severity: Severity
    figure: float
    reason: str
    where: Offenders = NOWHERE
    hint: str = ""
    fixable: str | None = None
    measure: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


class Details(TypedDict, total=False):
    """What else a finding may say; see `Finding`. Without a figure it is the number of places."""

    severity: Severity
    figure: float
    hint: str
    fixable: str | None
    measure: str


def found(check: str, reason: str, where: Offenders, **details: Unpack[Details]) -> list[Finding]:
    """Return one finding of a check; none where there is no place, unless a figure is given.

    Args:
        check: its name.
        reason: see `Finding`.
        where: the places.
        details: see `Finding`; the severity is the check's own unless given.
    """
    if not len(where) and "figure" not in details:
        return []
    told: Details = {"severity": card(check).severity, "figure": float(len(where)), **details}
    return [Finding(check=check, reason=_agreeing(reason), where=where, **told)]


def _agreeing(reason: str) -> str:
    """Return a sentence about `1 photo` with its verb in the singular."""
    match = _ONE.match(reason)
    if match is None:
        return reason
    start, verb = match.span(1)[0], match[1]
    return f"{reason[:start]}{_SINGULAR[verb]}{reason[match.span(1)[1] :]}"


def counted(number: int, noun: str) -> str:
    """Return `1 photo`, `2 photos`, `2 boxes`."""
    plural = f"{noun}es" if noun.endswith(("x", "s")) else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"
