"""`vision data label import`: answers of a labelling tool as a data set, each beside its photo and what it corrects."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from vision_cli import formats
from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS, MORE_ANNOTATION_COLUMNS
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Progress, Silent
from vision_cli.labelling import gathering, tasks
from vision_cli.labelling.gathering import Part
from vision_cli.labelling.tasks import Photo, Suggestion, Tasks
from vision_cli.stages.labelling import answer_sets, task_writing
from vision_cli.stages.labelling.task_writing import Outcome, Target

_SHOWN = 10
_MOVED_PX = 0.5
_BOOKKEEPING = frozenset({"annotation_id", "prediction_id", "from_name", "keyframe", "annotation_type"})
_CVAT_SOURCES = ("manual", "auto", "semi-auto", "file", "consensus")
_ABOVE = 3
"""Folders above the answers that are searched for the list of tasks."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What came back.

    Attributes:
        answers: paths, or NAME=PATH.
        target: where the data set goes.
        tasks: folder of the export; looked for beside the answers when None.
        source_format: of the answers; found by itself when None.
        annotator: take this person's answers only.
        keep_all: of a photo that several people answered, keep everybody's.
        skip_unmatched: leave out answers whose photo was never asked about.
    """

    answers: tuple[str, ...]
    target: Target
    tasks: Path | None = None
    source_format: str | None = None
    annotator: str | None = None
    keep_all: bool = False
    skip_unmatched: bool = False


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What people answered.

    Attributes:
        asked: photos that the export asked about.
        answered: of those.
        open: of those, nobody answered.
        unmatched: photos of answers that were never asked about.
        annotators: photos of each person.
        kept: suggestions that people left as they were.
        corrected: suggestions that they changed; each keeps its id.
        removed: suggestions that they took away.
        added: annotations that are new.
        outcome: of writing.
        notes: what else a reader must know.
    """

    asked: int
    answered: int
    open: tuple[str, ...]
    unmatched: tuple[str, ...]
    annotators: Mapping[str, int]
    kept: int
    corrected: int
    removed: int
    added: int
    outcome: Outcome
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether the target can hold what was answered."""
        return self.outcome.ok

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {
            "asked": self.asked,
            "answered": self.answered,
            "open": list(self.open),
            "unmatched": list(self.unmatched),
            "by_annotator": dict(self.annotators),
            "kept": self.kept,
            "corrected": self.corrected,
            "removed": self.removed,
            "added": self.added,
            **self.outcome.as_json(),
            "notes": list(self.notes),
        }


def take_in(request: ImportRequest, progress: Progress | None = None) -> ImportResult:
    """Read answers and write them as a data set.

    Raises:
        UsageError: a target that is not empty, or a person who answered nothing.
        DataError: answers are refused, their photos were never asked about, or several people answered one photo.
        ResourceError: the disk is full or refuses.
    """
    if not request.target.dry_run:
        task_writing.check(request.target)
    _, parts, notes = answer_sets.parts(request.answers, request.source_format)
    folder = request.tasks or _tasks_folder(request.answers)
    book = _Book(tasks.load(folder), folder)
    unmatched = [name for part in parts for name in book.take(part)]
    if unmatched and not request.skip_unmatched:
        more = [f"and {len(unmatched) - _SHOWN} more"] if len(unmatched) > _SHOWN else []
        raise DataError(
            f"{len(unmatched)} photos of the answers were never asked about.",
            details=[*unmatched[:_SHOWN], *more],
            hint="Name the folder of the right export with --tasks, or leave them out with --skip-unmatched.",
        )
    book.choose(request.annotator, keep_all=request.keep_all)
    dataset = book.dataset()
    if not len(dataset):
        raise DataError(f"none of {len(book.asked.photos)} photos was answered.", hint="Are these the answers?")
    dataset = _without_annotators(dataset, request.target.to)
    outcome = task_writing.publish(task_writing.draft(dataset, request.target), progress or Silent())
    done = {photo for photo, _ in book.answers}
    return ImportResult(
        asked=len(book.asked.photos),
        answered=len(done),
        open=tuple(photo.id for row, photo in enumerate(book.asked.photos) if row not in done),
        unmatched=tuple(unmatched),
        annotators=Counter(who for _, who in book.answers),
        kept=book.counts["kept"],
        corrected=book.counts["corrected"],
        removed=book.counts["removed"],
        added=book.counts["added"],
        outcome=outcome,
        notes=(*notes, *dataset.notes),
    )


def _without_annotators(dataset: Dataset, to: str) -> Dataset:
    """Leave out who answered where a format has no place for it; the result says it."""
    carries = formats.FORMATS.load(to).CARRIES
    if "annotator" in carries or "annotator" not in dataset.annotations.column_names:
        return dataset
    note = f"Who answered has no place in {to}; this report says it."
    annotations = dataset.annotations.drop_columns(["annotator"])
    return replace(dataset, annotations=annotations, notes=(*dataset.notes, note))


def _tasks_folder(words: Sequence[str]) -> Path:
    """Return the folder of the export: where answers lie, or one of the folders above."""
    for word in words:
        path = Path(word.partition("=")[2] if "=" in word and not Path(word).exists() else word).resolve()
        for place in [path, *path.parents][: _ABOVE + 1]:
            if (place / tasks.NAME).is_file():
                return place
    raise DataError(
        f"no {tasks.NAME} lies beside the answers.",
        hint="Name the folder that `vision data label export` wrote: --tasks.",
    )


@dataclass(slots=True)
class _Book:
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
