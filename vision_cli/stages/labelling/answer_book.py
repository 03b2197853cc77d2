"""Answers of a labelling tool on their way to the photos and suggestions that they are about."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS, MORE_ANNOTATION_COLUMNS
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.formats.labelstudio.rows import OTHER_RESULTS
from vision_cli.labelling import gathering
from vision_cli.labelling.gathering import Part
from vision_cli.labelling.tasks import Photo, Suggestion, Tasks

_SHOWN = 10
_MOVED_PX = 0.5
_BOOKKEEPING = frozenset({"annotation_id", "prediction_id", "from_name", "keyframe", "annotation_type"})
_CVAT_SOURCES = ("manual", "auto", "semi-auto", "file", "consensus")

Row = dict[str, Any]


@dataclass(slots=True)
class Book:
    """Answers on their way to their photos.

    Attributes:
        asked: what the export asked.
        folder: of the export.
        answers: rows by photo and person.
        counts: what became of the suggestions.
    """

    asked: Tasks
    folder: Path
    answers: dict[tuple[int, str], list[Row]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    _others: dict[int, list[Row]] = field(default_factory=dict)
    _classes: dict[str, None] = field(default_factory=dict)

    def take(self, part: Part) -> list[str]:
        """Take the answers of a part, and return the photos that nobody asked about."""
        dataset = part.dataset
        found = gathering.gather([part])
        rows = _places(self.asked.photos, dataset)
        index = {key: row for row, key in enumerate(part.keys)}
        wanted = gathering.answered(dataset)
        unmatched = [
            f"{part.name}: {path}"
            for path, row, is_answered in zip(dataset.images["path"].to_pylist(), rows, wanted, strict=True)
            if row is None and is_answered
        ]
        for photo, key in enumerate(found.photos):
            row = rows[index[key]]
            if row is not None:
                for who, name in enumerate(found.annotators):
                    if found.seen[photo, who]:
                        self.answers.setdefault((row, name), [])
        self._classes |= dict.fromkeys(dataset.classes.names)
        self._rows(part, rows, wanted.tolist())
        self._take_others(dataset, rows, wanted.tolist())
        return unmatched

    def _rows(self, part: Part, rows: Sequence[int | None], wanted: Sequence[bool]) -> None:
        dataset = part.dataset
        owners = dataset.rows_of(dataset.annotations["image_id"]).tolist()
        for owner, annotation in zip(owners, dataset.annotations.to_pylist(), strict=True):
            row = rows[owner]
            if row is not None and wanted[owner]:
                who = annotation.get("annotator") or part.name
                label = None if annotation["class_id"] is None else dataset.classes.names[annotation["class_id"]]
                self.answers.setdefault((row, who), []).append({**annotation, "label": label})

    def _take_others(self, dataset: Dataset, rows: Sequence[int | None], wanted: Sequence[bool]) -> None:
        """Take what the answers say that is no label: relations, texts about whole photos."""
        if OTHER_RESULTS not in dataset.images.column_names or not _of_studio(dataset):
            return
        for text, row, is_answered in zip(dataset.images[OTHER_RESULTS].to_pylist(), rows, wanted, strict=True):
            if text is not None and row is not None and is_answered:
                found = [{"result": each["result"]} for each in json.loads(text)]
                self._others.setdefault(row, []).extend(found)

    def choose(self, annotator: str | None, *, keep_all: bool) -> None:
        """Take one person's answers, or refuse photos with several people's.

        Raises:
            UsageError: this person answered nothing.
            DataError: several people answered one photo.
        """
        people = sorted({who for _, who in self.answers})
        if annotator is not None:
            if annotator not in people:
                raise UsageError(f"'{annotator}' answered nothing.", hint=f"Annotators: {', '.join(people) or 'none'}.")
            self.answers = {key: rows for key, rows in self.answers.items() if key[1] == annotator}
        several = [row for row, number in Counter(row for row, _ in self.answers).items() if number > 1]
        if several and not keep_all:
            raise DataError(
                f"{len(several)} photos have answers of several people: {', '.join(people)}.",
                details=[self.asked.photos[row].id for row in several[:_SHOWN]],
                hint="Write what they agree on with `vision data agreement ... --consensus DIR`, or choose one with "
                "--annotator NAME, or keep everybody's with --keep-all.",
            )

    def dataset(self) -> Dataset:
        """Return the answered photos in the order of the export, as their source knows them."""
        order = sorted({row for row, _ in self.answers})
        classes = ClassMap(tuple(dict.fromkeys([*self.asked.classes, *self._classes])))
        roots, own = self._roots()
        images = [
            {**_image(self.asked.photos[row], own=own), "id": number, "source_id": _photo_id(self.asked.photos[row])}
            for number, row in enumerate(order)
        ]
        table = pa.Table.from_pylist(images, pa.schema([*IMAGE_COLUMNS, ("source_id", pa.string())]))
        if self._others:
            texts = [
                json.dumps(self._others[row], ensure_ascii=False) if row in self._others else None for row in order
            ]
            table = table.append_column(OTHER_RESULTS, pa.array(texts, pa.string()))
        annotations = self._annotations(order, classes)
        return Dataset(table, annotations, classes, roots)

    def _roots(self) -> tuple[dict[str, Path], bool]:
        """Return where photos are: in their sources, or in the export itself where those are gone."""
        roots = {source: (self.folder / place).resolve() for source, place in self.asked.roots.items()}
        there = all(
            (roots[photo.source] / photo.path).is_file() for photo in self.asked.photos if photo.source in roots
        )
        if there:
            return roots, False
        return dict.fromkeys(roots, self.folder), True

    def _annotations(self, order: Sequence[int], classes: ClassMap) -> pa.Table:
        by_photo: dict[int, dict[str, Suggestion]] = {}
        for each in self.asked.suggestions:
            by_photo.setdefault(each.photo, {})[each.id] = each
        index = {name: place for place, name in enumerate(classes.names)}
        place_of = {row: number for number, row in enumerate(order)}
        rows: list[Row] = []
        for (photo, _), answers in sorted(self.answers.items()):
            shown = by_photo.get(photo, {})
            met: set[str] = set()
            for answer in answers:
                suggestion = _suggestion(answer, shown, met)
                rows.append(_row(answer, suggestion, index, place_of[photo]) | {"id": len(rows)})
                met |= set() if suggestion is None else {suggestion.id}
                self.counts[_verdict(answer, suggestion)] += 1
            self.counts["removed"] += len(shown.keys() - met)
        return _table(rows)


def _of_studio(dataset: Dataset) -> bool:
    return any(origin.format == "labelstudio" for origin in dataset.origins.values())


def _places(photos: Sequence[Photo], dataset: Dataset) -> list[int | None]:
    """Return which photo of the export each photo of an answer is: by id, by path, else by a distinct file name."""
    ids = {photo.id: row for row, photo in enumerate(photos)}
    paths = {photo.file.removeprefix("images/"): row for row, photo in enumerate(photos)}
    names = Counter(photo.file.rpartition("/")[2] for photo in photos)
    by_name = {name: row for row, photo in enumerate(photos) if names[name := photo.file.rpartition("/")[2]] == 1}
    said: list[str | None] = [None] * len(dataset)
    if "source_id" in dataset.images.column_names:
        said = dataset.images["source_id"].to_pylist()
    found: list[int | None] = []
    for text, path in zip(said, dataset.images["path"].to_pylist(), strict=True):
        places = (ids.get(text or ""), paths.get(path.removeprefix("images/")), by_name.get(path.rpartition("/")[2]))
        found.append(next((place for place in places if place is not None), None))
    return found


def _image(photo: Photo, *, own: bool) -> Row:
    """Return a photo's row; `own` takes the export's own copy."""
    copy = f"{photo.people[0]}/{photo.file}" if photo.people else photo.file
    return {
        "source": photo.source,
        "path": copy if own else photo.path,
        "width": photo.width or None,
        "height": photo.height or None,
        "split": photo.split,
        "group": photo.group,
    }


def _photo_id(photo: Photo) -> str:
    return photo.source_id or photo.id


def _suggestion(answer: Row, shown: Mapping[str, Suggestion], met: set[str]) -> Suggestion | None:
    """Return the suggestion that an answer is about: by its id; what tools keep no id of, by its class."""
    mark = answer.get("source_id")
    if mark is not None and mark in shown:
        return shown[mark] if mark not in met or answer.get("x") is None else None
    if mark is None and answer.get("x") is None:
        same = (each for each in shown.values() if each.box is None and each.label == answer["label"])
        return next((each for each in same if each.id not in met), None)
    return None


def _verdict(answer: Row, suggestion: Suggestion | None) -> str:
    if suggestion is None:
        return "added"
    same = answer["label"] == suggestion.label and answer.get("value") == suggestion.value
    return "kept" if same and _is_there(answer, suggestion) else "corrected"


def _is_there(answer: Row, suggestion: Suggestion) -> bool:
    """Tell whether an object stayed within half a pixel on each side."""
    if suggestion.box is None or answer.get("x") is None:
        return suggestion.box is None and answer.get("x") is None
    x, y, w, h = suggestion.box
    now = [answer["x"], answer["y"], answer["x"] + answer["w"], answer["y"] + answer["h"]]
    return all(abs(one - other) <= _MOVED_PX for one, other in zip(now, (x, y, x + w, y + h), strict=True))


def _row(answer: Row, suggestion: Suggestion | None, index: Mapping[str, int], photo: int) -> Row:
    row = {name: value for name, value in answer.items() if name not in ("label", "record", "score")}
    row |= {"image_id": photo, "class_id": None if answer["label"] is None else index[answer["label"]]}
    if suggestion is not None:
        row["source_id"] = suggestion.source_id or suggestion.id
    row["attributes"] = _attributes(answer.get("attributes"))
    return row


def _attributes(text: str | None) -> str | None:
    """Return attributes without what labelling tools note for themselves."""
    found = json.loads(text) if text else {}
    rest = {name: value for name, value in found.items() if not _is_bookkeeping(name, value)}
    return json.dumps(rest, ensure_ascii=False) if rest else None


def _is_bookkeeping(name: str, value: Any) -> bool:
    return name in _BOOKKEEPING or (name == "z_order" and value == 0) or (name == "source" and value in _CVAT_SOURCES)


def _table(rows: list[Row]) -> pa.Table:
    """Return rows as annotations; columns that say nothing are left out."""
    used = {name for row in rows for name, value in row.items() if value is not None}
    more = [item for item in MORE_ANNOTATION_COLUMNS if item.name in used]
    return pa.Table.from_pylist(rows, pa.schema([*ANNOTATION_COLUMNS, *more]))
