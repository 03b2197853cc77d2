"""`vision data label export`: photos as tasks of a labelling tool, with what is known already to be corrected."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vision_cli.core.columns import IMAGE_COLUMNS, MORE_ANNOTATION_COLUMNS
from vision_cli.core.conservation import Conservation
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Progress, Silent
from vision_cli.core.project import Project
from vision_cli.formats import Written
from vision_cli.labelling import assigning, gathering, tasks
from vision_cli.labelling.meeting import photo_ids
from vision_cli.labelling.preannotation import check_task, suggest
from vision_cli.labelling.tasks import Photo, Suggestion, Tasks
from vision_cli.stages.labelling import answer_sets, choice, controls, task_writing
from vision_cli.stages.labelling.answer_sets import AS_FOUND, PathOptions
from vision_cli.stages.labelling.choice import Choosing
from vision_cli.stages.labelling.task_writing import Target
from vision_cli.stages.running import inference, loading
from vision_cli.stages.target_folder import check_apart, staged

TOOLS = ("labelstudio", "cvat", "labelme")
Only = Literal["all", "unlabelled", "labelled"]
_STUDIO = "labelstudio"
_SHOWN = 3
KNOWN_LABELS = "labels"
"""Who suggested an annotation that the data has already and that names nobody."""
_PERSON = re.compile(r"\w[\w.-]{0,63}")
_STATES = ("labelling", "label_file", "annotators")


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What to ask.

    Attributes:
        project: declares views, and where the last model is.
        data: a view or a path; the training's view when None.
        target: where tasks go, and in which tool's format.
        plain: the photos of a folder as they are, without labels.
        only: photos that somebody labelled, or nobody.
        pick: choose some of the unlabelled photos; None takes all.
        model: pre-annotates the photos that nobody labelled; None does not.
        at_least: smallest score of a suggestion.
        people: names of annotators; empty makes one set of tasks for all.
        overlap: people a photo.
        classes: names in order; those of the data, the model or the project when empty.
        ask: what people are to give, a word of `labelling_controls.ASKED`; what the labels are when empty.
        seed: of the assignment.
        path: how the data set of a path is read.
    """

    project: Project
    data: str | None
    target: Target
    plain: bool = False
    only: Only = "all"
    pick: Choosing | None = None
    model: Path | None = None
    at_least: float = 0.0
    people: tuple[str, ...] = ()
    overlap: int = 1
    classes: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    seed: int = 0
    path: PathOptions = AS_FOUND


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What is asked.

    Attributes:
        to: the labelling tool.
        target: folder.
        photos: tasks.
        classes: names in order.
        suggestions: annotations that people are shown, by who suggested them.
        silent: photos about which the model is too unsure.
        people: tasks of each annotator.
        report: what of the suggestions the tool's format keeps.
        written: it is there.
        notes: what else a reader must know.
    """

    to: str
    target: Path
    photos: int
    classes: tuple[str, ...]
    suggestions: Mapping[str, int]
    silent: int
    people: Mapping[str, int]
    report: Conservation
    written: bool
    notes: tuple[str, ...] = ()


def export(request: ExportRequest, progress: Progress | None = None) -> ExportResult:
    """Write tasks.

    Raises:
        UsageError: an unknown tool or way to choose, names that are no folders', or a target that is not empty.
        DataError: photos, labels or the model are refused, or no photo is left.
        ResourceError: the disk is full or refuses.
    """
    progress = progress or Silent()
    _check(request)
    real = task_writing.check(request.target)
    whole = answer_sets.find(request.project, request.data, plain=request.plain, options=request.path)
    check_apart(real, whole.roots.values())
    chosen = whole.select(_selection(request, whole, progress))
    if not len(chosen):
        raise DataError(f"none of {len(whole)} photos is left to ask about.", hint="Ask with --only all.")
    suggested, silent, model_classes = _suggested(request, chosen, progress)
    classes = _classes(request, whole, model_classes)
    asked, originals = _as_tasks(chosen.with_classes(ClassMap(classes)), suggested)
    asked = controls.as_predictions(asked) if request.target.to == _STUDIO else asked
    draft = task_writing.draft(asked, replace(request.target, allowed=frozenset({"all"})))
    kept = draft.counted.kept()
    if not len(kept):
        raise DataError(
            f"none of {len(chosen)} photos is there.",
            details=[str(path) for path in chosen.paths()[:_SHOWN]],
            hint="Say where they are: --images-root, or `images` of the source in vision.yaml.",
        )
    people = _assigned(request, len(kept))
    work = _Work(request, kept, people, originals, _asked(request, whole))
    written = not request.target.dry_run
    if written:
        work.write(progress)
    return ExportResult(
        request.target.to,
        request.target.folder,
        len(kept),
        classes,
        work.suggested_by(),
        silent,
        {name: int((people == who).any(axis=1).sum()) for who, name in enumerate(request.people)},
        draft.report,
        written,
        whole.notes,
    )


def _check(request: ExportRequest) -> None:
    if request.target.to not in TOOLS:
        raise UsageError(f"no labelling tool is called '{request.target.to}'.", hint=f"Known: {', '.join(TOOLS)}.")
    if request.target.images == "none":
        raise UsageError("tasks without photos cannot be labelled.", hint="Choose copy, hardlink or symlink.")
    wrong = [name for name in request.people if not _PERSON.fullmatch(name)]
    if wrong or len(set(map(str.casefold, request.people))) < len(request.people):
        raise UsageError(
            "annotators are named by distinct letters, digits, '.', '-' and '_'.", details=wrong, hint="alice,bob"
        )
    if request.overlap != 1 and not request.people:
        raise UsageError("an overlap needs annotators.", hint="Say --assign 3 or --assign alice,bob.")
    if not 0 <= request.at_least <= 1:
        raise UsageError(f"--at-least {request.at_least}: a score lies between 0 and 1.")
    if request.pick is not None:
        choice.check(request.pick)


def _selection(request: ExportRequest, whole: Dataset, progress: Progress) -> NDArray[np.bool_]:
    done = gathering.labelled(whole)
    if request.pick is None:
        return {"all": np.ones(len(whole), dtype=np.bool_), "unlabelled": ~done, "labelled": done}[request.only]
    if request.only == "labelled":
        raise UsageError("--pick chooses photos that nobody labelled.", hint="Leave --only out.")
    rows, _ = choice.pick(request.project, whole, ~done, request.pick, progress)
    mask = np.zeros(len(whole), dtype=np.bool_)
    mask[rows] = True
    return mask


def _suggested(
    request: ExportRequest, dataset: Dataset, progress: Progress
) -> tuple[list[dict[str, Any]], int, tuple[str, ...]]:
    """Return a model's rows for the photos without labels, how many it is silent about, and its classes."""
    if request.model is None:
        return [], 0, ()
    path = loading.find_model(request.project, request.model)
    runner = loading.open_model(path)
    check_task(path, runner.card, "pre-annotate")
    rows = np.flatnonzero(~gathering.labelled(dataset))
    paths = dataset.paths()
    predictions = inference.predict_paths(runner, [paths[row] for row in rows], progress)
    ids = dataset.images["id"].take(pa.array(rows)).to_pylist()
    found = suggest(predictions, runner.card, ids, at_least=request.at_least)
    by = runner.card.name or path.name
    return [{**row, "annotator": by} for row in found.rows], found.silent, runner.card.classes.names


def _classes(request: ExportRequest, whole: Dataset, of_model: Sequence[str]) -> tuple[str, ...]:
    """Return the class names in order: those that were asked for, then those of the labels and the model."""
    declared = request.classes or whole.classes.names or tuple(request.project.config.classes or ())
    used = [whole.classes.names[index] for index in np.unique(whole.annotations["class_id"].drop_null()).tolist()]
    return tuple(dict.fromkeys([*declared, *used, *of_model]))


def _asked(request: ExportRequest, whole: Dataset) -> tuple[str, ...]:
    return controls.asked(request.ask, whole, request.project.config.task, request.model is not None)


def _as_tasks(dataset: Dataset, suggested: list[dict[str, Any]]) -> tuple[Dataset, dict[str, str | None]]:
    """Return photos with stable ids and their suggestions with ids, and the source's own id of each of those."""
    ids = photo_ids(dataset)
    images = dataset.images.drop_columns([name for name in _STATES if name in dataset.images.column_names])
    if "source_id" in images.column_names:
        images = images.rename_columns(
            [{"source_id": "photo_id", "photo_id": "photo_id_"}.get(name, name) for name in images.column_names]
        )
    images = images.append_column("source_id", pa.array(ids, pa.string()))
    table = _with_model(dataset, suggested)
    names = dict(zip(images["id"].to_pylist(), ids, strict=True))
    own: list[str | None] = _column(table, "source_id")
    owners = [names[each] for each in table["image_id"].to_pylist()]
    marks = _marks(owners, own)
    table = _replaced(table, "source_id", pa.array(marks, pa.string()))
    table = _replaced(table, "annotator", pa.array([who or KNOWN_LABELS for who in _column(table, "annotator")]))
    keys = [f"{owner}\n{mark}" for owner, mark in zip(owners, marks, strict=True)]
    originals = dict(zip(keys, own, strict=True))
    return replace(dataset, images=images, annotations=table), originals


def _marks(owners: Sequence[str], own: Sequence[str | None]) -> list[str]:
    """Return an id for each annotation, distinct within its photo: its own where it has a distinct one."""
    seen: dict[str, int] = {}
    taken: set[tuple[str, str]] = set()
    marks = []
    for owner, mark in zip(owners, own, strict=True):
        number = seen[owner] = seen.get(owner, -1) + 1
        name = mark if mark and (owner, mark) not in taken else tasks.annotation_id(owner, number)
        taken.add((owner, name))
        marks.append(name)
    return marks


def _with_model(dataset: Dataset, suggested: list[dict[str, Any]]) -> pa.Table:
    index = {name: place for place, name in enumerate(dataset.classes.names)}
    start = dataset.annotations.num_rows
    rows = [
        {**{key: value for key, value in row.items() if key != "class"}, "id": start + number}
        | ({"class_id": index[row["class"]]} if "class" in row else {})
        for number, row in enumerate(suggested)
    ]
    if not rows:
        return dataset.annotations
    base = dataset.annotations.schema
    more = [MORE_ANNOTATION_COLUMNS.field(name) for name in ("score", "annotator") if name not in base.names]
    schema = pa.schema([*base, *more])
    added = pa.Table.from_pylist(rows, schema)
    return pa.concat_tables([dataset.annotations, added], promote_options="default")


def _column(table: pa.Table, name: str) -> list[Any]:
    found: list[Any] = table[name].to_pylist() if name in table.column_names else [None] * table.num_rows
    return found


def _replaced(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    at = table.schema.get_field_index(name)
    return table.append_column(name, column) if at < 0 else table.set_column(at, name, column)


def _assigned(request: ExportRequest, photos: int) -> NDArray[np.int64]:
    if not request.people:
        return np.empty((photos, 0), dtype=np.int64)
    rng = np.random.default_rng(request.seed)
    return assigning.assign(photos, len(request.people), request.overlap, rng)


@dataclass(frozen=True, slots=True)
class _Work:
    """Tasks on their way to the disk."""

    request: ExportRequest
    dataset: Dataset
    people: NDArray[np.int64]
    originals: Mapping[str, str | None]
    words: Sequence[str]

    def suggested_by(self) -> dict[str, int]:
        """Return how many annotations each suggested."""
        names = _column(self.dataset.annotations, "annotator")
        return {name: names.count(name) for name in dict.fromkeys(names)}

    def write(self, progress: Progress) -> None:
        """Write a folder of tasks for each annotator, or one, and the list of what is asked."""
        target = self.request.target
        real = task_writing.check(target)
        with staged(real) as folder:
            files: list[str | None] = [None] * len(self.dataset)
            for place, mask in self._parts(folder):
                place.mkdir(exist_ok=True)
                part = self._part(mask)
                written: Written = task_writing.place(part, place, target, progress)
                for row, name in zip(np.flatnonzero(mask).tolist(), written.photos, strict=True):
                    files[row] = files[row] or name
            (folder / tasks.NAME).write_bytes(tasks.content(self._tasks(files, real)))

    def _parts(self, folder: Path) -> list[tuple[Path, NDArray[np.bool_]]]:
        if not self.request.people:
            return [(folder, np.ones(len(self.dataset), dtype=np.bool_))]
        masks = [(self.people == who).any(axis=1) for who in range(len(self.request.people))]
        return [(folder / name, mask) for name, mask in zip(self.request.people, masks, strict=True) if mask.any()]

    def _part(self, mask: NDArray[np.bool_]) -> Dataset:
        part = self.dataset if mask.all() else self.dataset.select(mask)
        if self.request.target.to == _STUDIO:
            return controls.set_up(part, self.words)
        # CVAT and LabelMe would give it back as who answered.
        return replace(part, annotations=part.annotations.drop_columns(["annotator"]))

    def _tasks(self, files: Sequence[str | None], folder: Path) -> Tasks:
        roots = {
            source: os.path.relpath(os.path.realpath(root), folder).replace(os.sep, "/")
            for source, root in self.dataset.roots.items()
        }
        names = list(self.dataset.classes.names)
        return Tasks(tasks.VERSION, self.request.target.to, roots, names, self._photos(files), self._suggestions())

    def _photos(self, files: Sequence[str | None]) -> list[Photo]:
        columns = [name for name in (*IMAGE_COLUMNS.names, "source_id", "photo_id") if name in self._image_names()]
        found = []
        for row, image in enumerate(self.dataset.images.select(columns).to_pylist()):
            people = [self.request.people[who] for who in self.people[row].tolist()]
            size = image["width"] or 0, image["height"] or 0
            more = {"split": image["split"], "group": image["group"], "source_id": image.get("photo_id")}
            where = image["source"], image["path"], files[row] or ""
            found.append(Photo(image["source_id"], *where, *size, **more, people=people))
        return found

    def _image_names(self) -> list[str]:
        names: list[str] = self.dataset.images.column_names
        return names

    def _suggestions(self) -> list[Suggestion]:
        owners = self.dataset.rows_of(self.dataset.annotations["image_id"]).tolist()
        ids = self.dataset.images["source_id"].to_pylist()
        names = self.dataset.classes.names
        wanted = ("class_id", "value", "x", "y", "w", "h", "source_id", "score", "annotator")
        columns = [name for name in wanted if name in self.dataset.annotations.column_names]
        rows = self.dataset.annotations.select(columns).to_pylist()
        found = []
        for owner, row in zip(owners, rows, strict=True):
            box = None if row.get("x") is None else (row["x"], row["y"], row["w"], row["h"])
            label = None if row["class_id"] is None else names[row["class_id"]]
            original = self.originals[f"{ids[owner]}\n{row['source_id']}"]
            said = label, row["value"], box, original, row.get("score"), row["annotator"]
            found.append(Suggestion(row["source_id"], owner, *said))
        return sorted(found, key=lambda each: each.photo)
