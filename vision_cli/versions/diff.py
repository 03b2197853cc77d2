"""What differs between two versions, counted; every number can be taken apart into rows (`details`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.columns import IMAGE_COLUMNS
from vision_cli.core.dataset import Dataset
from vision_cli.versions.matching import Matcher, PhotoPairs, Side, pair_photos, said
from vision_cli.versions.pairing import Bools, Ints, column_hashes

KINDS = ("class", "value", "box", "outline", "attributes")
"""What may have changed of an annotation."""

_INNER = frozenset({"record"})
"""Columns that no table of ours shows."""
_NO_FACTS = frozenset({"id", "source", "path", "split"}) | _INNER


@dataclass(frozen=True, slots=True)
class Rename:
    """A class that is called otherwise now, and how many annotations that are in both versions say so."""

    before: str
    after: str
    annotations: int


@dataclass(frozen=True, slots=True)
class ClassLine:
    """One class, under its new name; `after` is `before - removed - left + came + added`.

    Attributes:
        name: of the class.
        before: its annotations in the first version, under the old name if it was renamed.
        after: in the second.
        added: annotations that are only in the second.
        removed: annotations that are only in the first.
        came: annotations that had another class.
        left: annotations that have another class now.
        changed: annotations of the class in both, that changed in something else.
    """

    name: str
    before: int
    after: int
    added: int
    removed: int
    came: int
    left: int
    changed: int


@dataclass(frozen=True, slots=True)
class Changes:
    """Pairs of rows and what changed of each; the data behind a `Diff`.

    Attributes:
        photos: pairs of photos.
        bytes_: bool, of the pairs: other content.
        split: bool, of the pairs: another split.
        facts: bool, of the pairs, by column: another width, height, group or metadata.
        rows: annotations of the first version that are in both.
        others: the same of the second.
        fields: bool, of these pairs, by kind.
    """

    photos: PhotoPairs
    bytes_: Bools
    split: Bools
    facts: Mapping[str, Bools]
    rows: Ints
    others: Ints
    fields: Mapping[str, Bools]

    @property
    def is_changed(self) -> Bools:
        """Return bool, of the pairs of annotations: anything changed but a renamed class."""
        return np.asarray(np.logical_or.reduce(list(self.fields.values())), np.bool_)


@dataclass(frozen=True, slots=True)
class Diff:
    """What differs.

    Attributes:
        photos: numbers: before, after, added, removed, renamed, bytes, split, and `facts`, photos with other facts.
        facts: photos by column that says something else of them.
        splits: photos by move, as `train -> test`; `-` is none.
        annotations: numbers: before, after, added, removed, changed.
        changed: annotations by what changed; one may stand under several.
        classes_added: names.
        classes_removed: names.
        classes_renamed: with their annotations.
        classes_reordered: the same classes have other ids.
        classes: one line a class.
        bytes_compared: the hashes of both versions' photos were known.
        notes: what else a reader should know.
    """

    photos: Mapping[str, int]
    facts: Mapping[str, int]
    splits: Mapping[str, int]
    annotations: Mapping[str, int]
    changed: Mapping[str, int]
    classes_added: Sequence[str]
    classes_removed: Sequence[str]
    classes_renamed: Sequence[Rename]
    classes_reordered: bool
    classes: Sequence[ClassLine]
    bytes_compared: bool
    notes: Sequence[str]

    @property
    def is_empty(self) -> bool:
        """Return whether nothing that is counted differs."""
        numbers = [self.photos[key] for key in self.photos if key not in ("before", "after")]
        numbers += [self.annotations[key] for key in ("added", "removed", "changed")]
        names = (self.classes_added, self.classes_removed, self.classes_renamed)
        return not any(numbers) and not any(names) and not self.classes_reordered

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {
            "photos": {**self.photos, "facts_by_column": dict(self.facts), "splits": dict(self.splits)},
            "annotations": {**self.annotations, "changed_by_kind": dict(self.changed)},
            "classes": {
                "added": list(self.classes_added),
                "removed": list(self.classes_removed),
                "renamed": [
                    {"from": each.before, "to": each.after, "annotations": each.annotations}
                    for each in self.classes_renamed
                ],
                "reordered": self.classes_reordered,
                "lines": list(self.classes),
            },
            "bytes_compared": self.bytes_compared,
            "same": self.is_empty,
            "notes": list(self.notes),
        }

    def sentence(self) -> str:
        """Return the counts in one line, without those that are zero."""
        photos, labels = self.photos, self.annotations
        counts = [
            (photos["added"], "photos added"),
            (photos["removed"], "photos removed"),
            (photos["renamed"], "photos renamed"),
            (photos["bytes"], "photos with other bytes"),
            (photos["split"], "photos in another split"),
            (photos["facts"], "photos with other facts"),
            (labels["added"], "annotations added"),
            (labels["removed"], "annotations removed"),
            (labels["changed"], "annotations changed"),
            (len(self.classes_added), "classes added"),
            (len(self.classes_removed), "classes removed"),
            (len(self.classes_renamed), "classes renamed"),
        ]
        told = [f"{number} {what}" for number, what in counts if number]
        told += ["classes in another order"] if self.classes_reordered else []
        return ", ".join(told) or "nothing that is counted differs"


def compare(one: Side, other: Side) -> tuple[Diff, Changes]:
    """Compare two versions.

    Photos are the same by source and path, else by their bytes. Annotations of a photo are the same if they say the
    same, else by the source's id, by their place, by overlap (IoU) within a class, or by an IoU of 0.5.
    """
    photos = pair_photos(one, other)
    sides = [
        said(side.dataset, _numbers(len(side.dataset), rows))
        for side, rows in ((one, photos.rows), (other, photos.others))
    ]
    rows, others = Matcher(*sides).match((one.dataset.annotations, other.dataset.annotations))
    fields = {
        kind: getattr(sides[0], name)[rows] != getattr(sides[1], name)[others]
        for kind, name in zip(KINDS, ("name", "value", "box", "outline", "other"), strict=True)
    }
    renames = _renames(one.dataset, other.dataset, rows, others)
    fields["class"] = fields["class"] & ~_only_renamed(one.dataset, other.dataset, (rows, others), renames)
    changes = Changes(photos, *_photo_changes(one, other, photos), rows, others, fields)
    return _counted(one, other, changes, renames), changes


def _numbers(photos: int, rows: Ints) -> Ints:
    numbers = np.full(photos, -1, np.int64)
    numbers[rows] = np.arange(len(rows))
    return numbers


def _ids(dataset: Dataset) -> Ints:
    """Return the class id of each annotation; the number of classes where it has none."""
    ids = dataset.annotations["class_id"].fill_null(len(dataset.classes)).to_numpy()
    return np.asarray(ids, np.int64)


def _renames(one: Dataset, other: Dataset, rows: Ints, others: Ints) -> list[Rename]:
    """Return the classes of which most annotations that are still there have one new name, which nobody had before."""
    gone = [at for at, name in enumerate(one.classes.names) if name not in set(other.classes.names)]
    new = np.array([name not in set(one.classes.names) for name in other.classes.names] + [False])
    width = len(other.classes) + 1
    moves = np.bincount(_ids(one)[rows] * width + _ids(other)[others], minlength=(len(one.classes) + 1) * width)
    table = moves.reshape(-1, width)
    found = []
    for at in gone:
        best = int(np.argmax(table[at]))
        if new[best] and 2 * table[at, best] > table[at].sum():
            found.append(Rename(one.classes.names[at], other.classes.names[best], int(table[at, best])))
    return found


def _target_ids(one: Dataset, other: Dataset, renames: Sequence[Rename]) -> Ints:
    """Return the new id of each old class by name, -1 where it has none; the last is of no class."""
    where = {name: at for at, name in enumerate(other.classes.names)}
    renamed = {each.before: each.after for each in renames}
    targets = [where.get(renamed.get(name, name), -1) for name in one.classes.names]
    return np.array([*targets, len(other.classes)], np.int64)


def _only_renamed(one: Dataset, other: Dataset, pairs: tuple[Ints, Ints], renames: Sequence[Rename]) -> Bools:
    return np.asarray(_target_ids(one, other, renames)[_ids(one)[pairs[0]]] == _ids(other)[pairs[1]], np.bool_)


def _photo_changes(one: Side, other: Side, pairs: PhotoPairs) -> tuple[Bools, Bools, dict[str, Bools]]:
    sides = ((one, pairs.rows), (other, pairs.others))
    other_bytes = np.zeros(len(pairs.rows), np.bool_)
    if one.sha256 is not None and other.sha256 is not None:
        tables = [pa.table({"sha256": side.sha256}) for side, _ in sides]
        hashes = [column_hashes(table, ("sha256",))[rows] for table, (_, rows) in zip(tables, sides, strict=True)]
        other_bytes = (hashes[0] != hashes[1]) & (hashes[0] != 0) & (hashes[1] != 0)
    columns = dict.fromkeys(
        name for side, _ in sides for name in side.dataset.images.column_names if name not in _NO_FACTS
    )
    differs = {}
    for name in ("split", *columns):
        left, right = (column_hashes(side.dataset.images, (name,))[rows] for side, rows in sides)
        differs[name] = left != right
    return other_bytes, differs.pop("split"), differs


def _counted(one: Side, other: Side, changes: Changes, renames: list[Rename]) -> Diff:
    before, after, pairs = one.dataset, other.dataset, changes.photos
    facts = {name: int(mask.sum()) for name, mask in changes.facts.items() if mask.any()}
    any_fact = np.logical_or.reduce(list(changes.facts.values())) if changes.facts else np.zeros(0, np.bool_)
    labels = (before.annotations.num_rows, after.annotations.num_rows, len(changes.rows))
    names = (before.classes.names, after.classes.names)
    renamed = ({each.before for each in renames}, {each.after for each in renames})
    return Diff(
        photos={
            "before": len(before),
            "after": len(after),
            "added": len(after) - len(pairs.rows),
            "removed": len(before) - len(pairs.rows),
            "renamed": int(pairs.renamed.sum()),
            "bytes": int(changes.bytes_.sum()),
            "split": int(changes.split.sum()),
            "facts": int(any_fact.sum()),
        },
        facts=facts,
        splits=_moves(before, after, changes),
        annotations={
            "before": labels[0],
            "after": labels[1],
            "added": labels[1] - labels[2],
            "removed": labels[0] - labels[2],
            "changed": int(changes.is_changed.sum()),
        },
        changed={kind: int(mask.sum()) for kind, mask in changes.fields.items() if mask.any()},
        classes_added=[name for name in names[1] if name not in (*names[0], *renamed[1])],
        classes_removed=[name for name in names[0] if name not in (*names[1], *renamed[0])],
        classes_renamed=renames,
        classes_reordered=_reordered(before, after, renames),
        classes=_class_lines(before, after, changes, renames),
        bytes_compared=one.sha256 is not None and other.sha256 is not None,
        notes=_notes(before, after),
    )


def _moves(before: Dataset, after: Dataset, changes: Changes) -> dict[str, int]:
    rows, others = changes.photos.rows[changes.split], changes.photos.others[changes.split]
    ends = [
        table["split"].take(pa.array(at)).fill_null("-")
        for table, at in ((before.images, rows), (after.images, others))
    ]
    moves = pc.binary_join_element_wise(*ends, " -> ")
    return {
        row["values"]: row["counts"] for row in sorted(pc.value_counts(moves).to_pylist(), key=lambda r: r["values"])
    }


def _reordered(before: Dataset, after: Dataset, renames: Sequence[Rename]) -> bool:
    targets = _target_ids(before, after, renames)[:-1]
    kept = targets[targets >= 0]
    return bool((np.diff(kept) < 0).any())


def _class_lines(before: Dataset, after: Dataset, changes: Changes, renames: Sequence[Rename]) -> list[ClassLine]:
    """Return one line a class of the second version, then one for each that is no longer there."""
    targets = _target_ids(before, after, renames)
    gone = np.flatnonzero(targets[:-1] < 0)
    names = [*after.classes.names, *(before.classes.names[at] for at in gone)]
    none = len(names)  # annotations without a class
    targets[-1] = none
    targets[gone] = len(after.classes) + np.arange(len(gone))
    old, new = targets[_ids(before)], _ids(after)
    new = np.where(new == len(after.classes), none, new)
    alone = [np.ones(len(ids), np.bool_) for ids in (old, new)]
    alone[0][changes.rows] = False
    alone[1][changes.others] = False
    start, end = old[changes.rows], new[changes.others]
    moved = start != end
    parts = (old, new, new[alone[1]], old[alone[0]], end[moved], start[moved], end[changes.is_changed & ~moved])
    counts = [np.bincount(part, minlength=none + 1)[:none].tolist() for part in parts]
    return [ClassLine(name, *numbers) for name, *numbers in zip(names, *counts, strict=True)]


def _notes(before: Dataset, after: Dataset) -> list[str]:
    notes = []
    for source in before.origins.keys() & after.origins.keys():
        one, other = before.origins[source], after.origins[source]
        if one.pixels != other.pixels:
            notes.append(f"box numbers of {source} count otherwise: {one.pixels}, then {other.pixels}.")
        if one.format != other.format:
            notes.append(f"{source} was {one.format} and is {other.format}.")
        elif (one.header, one.class_records, one.class_ids) != (other.header, other.class_records, other.class_ids):
            notes.append(f"what {source} says of itself beside photos and labels differs (header, ids of classes).")
    known = [{*dataset.images.column_names} - {*IMAGE_COLUMNS.names} - _INNER for dataset in (before, after)]
    for text, names in (("new", known[1] - known[0]), ("gone", known[0] - known[1])):
        if names:
            notes.append(f"columns of photos that are {text}: {', '.join(sorted(names)[:10])}.")
    return sorted(notes)
