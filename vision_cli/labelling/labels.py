"""What people said of whole photos, as tables of categories and values that agreement is computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vision_cli.labelling.answers import Answers, Floats, Ints

NOTHING = "(nothing)"
SEPARATOR = "|"


@dataclass(frozen=True, slots=True)
class Labels:
    """Categories that people chose.

    Attributes:
        categories: the class, or all classes of a photo joined by `|`.
        chosen: int64 (N, A), index into categories; -1 where nobody answered.
    """

    categories: tuple[str, ...]
    chosen: Ints

    def counts(self) -> Ints:
        """Return int64 (N, C): how many people chose each category."""
        found = np.zeros((len(self.chosen), len(self.categories)), dtype=np.int64)
        rows, people = np.nonzero(self.chosen >= 0)
        np.add.at(found, (rows, self.chosen[rows, people]), 1)
        return found


def labels(answers: Answers) -> Labels | None:
    """Return what people chose, None where nobody said a class of a whole photo."""
    said = _said(answers)
    if not said:
        return None
    order = {name: index for index, name in enumerate(answers.classes.names)}
    chosen = np.full(answers.seen.shape, -1, dtype=np.int64)
    texts = {(photo, who): said.get((photo, who), ()) for photo, who in np.argwhere(answers.seen).tolist()}
    names = sorted({_text(found) for found in texts.values()}, key=lambda text: (order.get(text, len(order)), text))
    index = {name: place for place, name in enumerate(names)}
    for (photo, who), found in texts.items():
        chosen[photo, who] = index[_text(found)]
    return Labels(tuple(names), chosen)


def _text(names: Sequence[str]) -> str:
    return SEPARATOR.join(names) or NOTHING


def _said(answers: Answers) -> dict[tuple[int, int], tuple[str, ...]]:
    """Return the classes that a person gave a whole photo, in the order of the class map."""
    rows = np.flatnonzero(~answers.placed & (answers.class_ids >= 0))
    found: dict[tuple[int, int], set[int]] = {}
    for row in rows.tolist():
        key = int(answers.photo_ids[row]), int(answers.annotator_ids[row])
        found.setdefault(key, set()).add(int(answers.class_ids[row]))
    return {key: tuple(answers.classes.names[each] for each in sorted(ids)) for key, ids in found.items()}


def has_class(answers: Answers, class_id: int) -> Ints:
    """Return int64 (N, A): 1 where a person gave the photo this class, 0 where not, -1 where nobody answered."""
    found = np.where(answers.seen, 0, -1).astype(np.int64)
    rows = np.flatnonzero(~answers.placed & (answers.class_ids == class_id))
    found[answers.photo_ids[rows], answers.annotator_ids[rows]] = 1
    return found


def class_order(answers: Answers) -> Floats:
    """Return float64 (N, A): the place in the class map of the one class that each person chose; NaN elsewhere."""
    found = np.full(answers.seen.shape, np.nan)
    index = {name: float(place) for place, name in enumerate(answers.classes.names)}
    for (photo, who), names in _said(answers).items():
        found[photo, who] = index[names[0]] if len(names) == 1 else np.nan
    return found


def values(answers: Answers) -> Floats | None:
    """Return float64 (N, A): the value that each person gave, NaN without; None where nobody gave any."""
    rows = np.flatnonzero(~np.isnan(answers.values))
    if not rows.size:
        return None
    found = np.full(answers.seen.shape, np.nan)
    found[answers.photo_ids[rows], answers.annotator_ids[rows]] = answers.values[rows]
    return found
