"""`vision data label import`: answers of a labelling tool as a data set, each beside its photo and what it corrects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vision_cli import formats
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.progress import Progress, Silent
from vision_cli.labelling import tasks
from vision_cli.stages.labelling import answer_sets, task_writing
from vision_cli.stages.labelling.answer_book import Book
from vision_cli.stages.labelling.task_writing import Outcome, Target

_SHOWN = 10
_ABOVE = 3
"""Folders above the answers that are searched for the list of tasks."""


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
    book = Book(tasks.load(folder), folder)
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
        raise DataError(
            f"none of {len(book.asked.photos)} photos was answered.",
            hint="Tasks and predictions are no answers: give what the labelling tool exports after somebody labelled.",
        )
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
