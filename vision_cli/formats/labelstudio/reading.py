"""Read Label Studio's JSON and JSON-MIN into columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from vision_cli.core.containment import Containment
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.origin import Origin
from vision_cli.formats import ReadOptions, photos
from vision_cli.formats.gathering import Gathering
from vision_cli.formats.json_source import JsonText, load
from vision_cli.formats.labelling_rows import Row, add_row, json_value, missing_sizes
from vision_cli.formats.labelstudio.config import CONFIG, class_order, read_config
from vision_cli.formats.labelstudio.min import is_min, task_of
from vision_cli.formats.labelstudio.paths import image_field, photo_path
from vision_cli.formats.labelstudio.rows import (
    OTHER_RESULTS,
    Answer,
    annotator,
    answers,
    is_cancelled,
    listed,
    other_results,
)
from vision_cli.formats.problems import Problems

LAYOUT = "layout"
MIN = b"json-min"
TASKS = b"json"
MEMBER = "member:"
"""Before the name of a column that is called like the photo's member of `data`."""

Task = dict[str, Any]

_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_OWN = frozenset({"source_id", "split", "group", "width", "height"})


def read(file: Path, options: ReadOptions) -> Dataset:
    """Read one file; see `formats.labelstudio.read`."""
    return _Reader(file, options).dataset()


def photo_size(task: Task) -> tuple[int, int]:
    """Return the size that a task's results or data say, (0, 0) where they say none."""
    data = task["data"]
    places = [(data.get("width"), data.get("height"))]
    for kind in ("annotations", "predictions"):
        for record in listed(task, kind):
            places += [(item.get("original_width"), item.get("original_height")) for item in listed(record, "result")]
    whole = (size for size in places if all(type(side) is int and 0 < side < 1 << 30 for side in size))
    return next(whole, (0, 0))


def task_answers(task: Task, size: tuple[int, int]) -> list[Answer]:
    """Return the answers that count; see `labelstudio_rows.answers`."""
    return list(answers(task, size))


class _Reader:
    """Takes one file apart, task by task."""

    def __init__(self, file: Path, options: ReadOptions) -> None:
        self.file, self.options = file, options
        self.root = options.images or file.parent
        self.fence = Containment(self.root)
        self.problems = Problems(file)
        self.counts: Counter[str] = Counter()
        self.rows: list[tuple[int, Row]] = []
        self.photos: list[tuple[Row, Row]] = []
        self.pending: list[tuple[int, Task, list[Answer]]] = []
        self.ids: dict[str, int] = {}
        self.layout = TASKS

    def dataset(self) -> Dataset:
        """Read all of it."""
        number = 0
        for number, (task, record) in enumerate(self._tasks(), start=1):
            self._guarded(number, task, record)
        sizes, missing = self._sizes()
        self.problems.refuse(f"records of {number} tasks")
        config = read_config(self.file)
        names = class_order(config, [row["class"] for _, row in self.rows if row.get("class")])
        gathering = Gathering(self.options.source, tuple(names))
        for values, metadata in self.photos:
            gathering.photo(values, metadata)
        for photo, row in self.rows:
            add_row(gathering, photo, row)
        header = {LAYOUT: self.layout} | ({CONFIG: config} if config is not None else {})
        notes = (*self._notes(), *_missing_note(missing))
        return gathering.dataset(self.root, Origin("labelstudio", "exclusive", header=header), notes, sizes)

    def _tasks(self) -> Iterator[tuple[Task, bytes]]:
        """Yield each task and its bytes; JSON-MIN objects of one task come together."""
        text = load(self.file)
        raws = text.decode(_LIST)
        start = 0
        grouped: dict[str, list[tuple[Task, bytes]]] = {}
        for number, raw in enumerate(raws, start=1):
            record = bytes(raw)
            start = text.data.index(record, start)
            value = json_value(JsonText(text.where, record, text.start + start))
            start += len(record)
            if not isinstance(value, dict):
                self._problem("records that are no objects", number, "no object, but a task is one")
            elif is_min(value):
                self.layout = MIN
                key = str(value.get("id", f"record {number}"))
                grouped.setdefault(key, []).append((value, record))
            elif self.layout == MIN:
                self._problem("mixed layouts", number, "a whole task, after objects of JSON-MIN")
            else:
                yield value, record
        for found in grouped.values():
            try:
                yield task_of([value for value, _ in found]), b"[" + b",".join(record for _, record in found) + b"]"
            except DataError as error:
                self._problem("bad answers", found[0][0].get("id", "?"), error.message)

    def _problem(self, kind: str, task: Any, text: str, hint: str | None = None) -> None:
        self.problems.add(kind, f"task {task}: {text.rstrip('.')}.", hint=hint)

    def _guarded(self, number: int, task: Task, record: bytes) -> None:
        name = task.get("id", f"number {number}")
        try:
            self._task(name, task, record)
        except DataError as error:
            self._problem("bad tasks", name, error.message, error.hint)

    def _task(self, name: Any, task: Task, record: bytes) -> None:
        data = task.get("data")
        if not isinstance(data, dict):
            raise DataError("`data` is no object")
        field = image_field(data)
        if field is None:
            names = ", ".join(map(str, list(data)[:8]))
            raise DataError(
                f"no member of `data` names one photo: {names or 'it is empty'}",
                hint="Only tasks of one photo each are read: data.image is a path or URL.",
            )
        key = str(task["id"]) if task.get("id") is not None else None
        if key is not None and self.ids.setdefault(key, len(self.photos)) != len(self.photos):
            raise DataError("the id stands twice")
        path = photo_path(data[field], self.fence)
        size = photo_size(task)
        photo = len(self.photos)
        self.photos.append((self._photo(task, record, path, size), self._metadata(task, field)))
        if size[0]:
            self._add(photo, task_answers(task, size))
        else:
            self.pending.append((photo, task, []))
        self._count(task)

    def _add(self, photo: int, found: list[Answer]) -> None:
        for answer in found:
            self.counts.update(f"results of type {kind}" for kind in answer.unread.values())
            self.rows += [(photo, row) for row in answer.rows]
        if rest := other_results(found):
            self.photos[photo][1][OTHER_RESULTS] = rest

    def _photo(self, task: Task, record: bytes, path: str, size: tuple[int, int]) -> Row:
        data = task["data"]
        own = data.get("source_id")
        identity = own if isinstance(own, str) else task.get("id")
        split, group = data.get("split"), data.get("group")
        return {
            "path": path,
            "width": size[0] or None,
            "height": size[1] or None,
            "split": photos.split_of(split) if isinstance(split, str) else None,
            "group": group if isinstance(group, str) else None,
            "source_id": None if identity is None else str(identity),
            "record": record,
        }

    def _metadata(self, task: Task, field: str) -> Row:
        """Return further members of `data`, who answered, and how far the labelling is."""
        own = {field, *_OWN}
        found = {name.removeprefix(MEMBER): value for name, value in task["data"].items() if name not in own}
        annotations = listed(task, "annotations")
        done = [annotation for annotation in annotations if not is_cancelled(annotation)]
        state = "open"
        if done:
            state = "done"
        elif annotations:
            state = "skipped"
        elif listed(task, "predictions"):
            state = "predicted"
        who = [name for name in (annotator(annotation, "annotations") for annotation in done) if name]
        return {**found, "labelling": state, **({"annotators": who} if who else {})}

    def _count(self, task: Task) -> None:
        annotations = listed(task, "annotations")
        self.counts["skipped"] += sum(map(is_cancelled, annotations))
        if annotations:
            self.counts["predictions"] += len(listed(task, "predictions"))

    def _sizes(self) -> tuple[dict[int, photos.Size], list[str]]:
        """Read the sizes of photos that no label says, then the labels that need them."""
        paths = {photo: self.photos[photo][0]["path"] for photo, _, _ in self.pending}
        sizes, missing = missing_sizes(self.root, paths, self.problems) if self.options.sizes else ({}, [])
        for photo, task, _ in self.pending:
            try:
                self._add(photo, task_answers(task, sizes.get(photo, (0, 0))))
            except DataError as error:
                self._problem("bad tasks", task.get("id", f"number {photo + 1}"), error.message)
        self.rows.sort(key=lambda item: item[0])
        return sizes, missing

    def _notes(self) -> Iterator[str]:
        if self.counts["skipped"]:
            yield f"{self.counts['skipped']} annotations were skipped by their annotator and are not read."
        if self.counts["predictions"]:
            yield f"{self.counts['predictions']} predictions of annotated tasks are kept, and are no labels."
        for kind, number in sorted(self.counts.items()):
            if kind.startswith("results"):
                yield f"{number} {kind} are no labels of photos; they are kept as they are, in `{OTHER_RESULTS}`."


def _missing_note(missing: list[str]) -> tuple[str, ...]:
    if not missing:
        return ()
    return (f"{len(missing)} photos are not there and no label says their size: {', '.join(missing[:3])}.",)
