"""`vision data label next`: which photos to label next."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vision_cli import runtimes
from vision_cli.core import files
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Progress, Silent
from vision_cli.core.project import Project
from vision_cli.labelling import choosing, gathering, tasks
from vision_cli.labelling.meeting import photo_ids
from vision_cli.labelling.preannotation import check_task
from vision_cli.stages import data, places
from vision_cli.stages.data import TaskData
from vision_cli.stages.embedding.sources import Source, Trained, of_config
from vision_cli.stages.labelling import answer_sets
from vision_cli.stages.labelling.answer_sets import AS_FOUND, PathOptions
from vision_cli.stages.running import inference, loading
from vision_cli.stages.training import fitting

By = Literal["uncertainty", "diversity", "random"]
MEASURES: dict[str, tuple[str, ...]] = {
    "uncertainty": ("entropy", "margin"),
    "diversity": ("k-centre", "k-means++"),
    "random": ("random",),
}
"""Of each way to choose; the first is the default."""
_COLUMNS = ("rank", "id", "path", "by", "score")


@dataclass(frozen=True, slots=True)
class Choosing:
    """How to choose.

    Attributes:
        number: of photos.
        by: uncertainty of a model, diversity of embeddings, or chance.
        measure: a word of MEASURES; the default of `by` when None.
        model: an artefact or run folder, an .onnx or a .tflite file; the last training's when None.
        seed: of chance.
        offline: download no weights.
    """

    number: int
    by: By = "uncertainty"
    measure: str | None = None
    model: Path | None = None
    seed: int = 0
    offline: bool = False


@dataclass(frozen=True, slots=True)
class NextRequest:
    """What to choose from.

    Attributes:
        project: declares views, and where the last model is.
        data: a view or a path; the training's view when None.
        how: to choose.
        plain: the photos of a folder as they are, without labels.
        exclude: folders of exports; what they ask is not asked again.
        output: `.csv` or `.txt` file to write.
        dry_run: write nothing.
        path: how the data set of a path is read.
    """

    project: Project
    data: str | None
    how: Choosing
    plain: bool = False
    exclude: tuple[Path, ...] = ()
    output: Path | None = None
    dry_run: bool = False
    path: PathOptions = AS_FOUND


@dataclass(frozen=True, slots=True)
class Chosen:
    """One photo.

    Attributes:
        id: its source and its path.
        path: where it is.
        score: entropy in bits, 1 - margin, or distance to what is labelled or chosen; None by chance.
    """

    id: str
    path: Path
    score: float | None


@dataclass(frozen=True, slots=True)
class NextResult:
    """Which photos to label next.

    Attributes:
        photos: in all.
        labelled: left out, because somebody labelled them.
        asked: left out, because an export asks them.
        by: how they were chosen.
        measure: likewise.
        chosen: first the one to label first.
        output: file that was written.
        notes: what else a reader must know.
    """

    photos: int
    labelled: int
    asked: int
    by: str
    measure: str
    chosen: tuple[Chosen, ...]
    output: Path | None = None
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        rows = [{"id": each.id, "path": each.path, "score": each.score} for each in self.chosen]
        return {
            "photos": self.photos,
            "labelled": self.labelled,
            "asked": self.asked,
            "by": self.by,
            "measure": self.measure,
            "chosen": rows,
            "output": self.output,
            "notes": list(self.notes),
        }


def choose_next(request: NextRequest, progress: Progress | None = None) -> NextResult:
    """Choose photos that nobody has labelled.

    Raises:
        UsageError: an unknown measure, a model that cannot tell, or an output of another suffix.
        DataError: photos or the model are refused, or every photo is labelled.
        ResourceError: the file cannot be written.
    """
    check(request.how)
    if request.output is not None:
        if request.output.suffix not in (".csv", ".txt"):
            raise UsageError(f"{request.output}: a .csv or a .txt file can be written.")
        reads = [Path(request.data)] if request.data is not None and Path(request.data).exists() else []
        places.check_file(request.output, project=request.project, reads=reads)
    dataset = answer_sets.find(request.project, request.data, plain=request.plain, options=request.path)
    open_ones = ~_labelled(request, dataset)
    labelled = int((~open_ones).sum())
    asked = _asked(dataset, request.exclude) & open_ones
    if not (open_ones & ~asked).any():
        of_project = " (also elsewhere in the project)" if request.data is not None else ""
        raise DataError(
            f"none of {len(dataset)} photos is left to label: {labelled} are labelled{of_project}, "
            f"{int(asked.sum())} are asked about.",
            hint="Add photos, or name another view or folder.",
        )
    rows, scores = pick(request.project, dataset, open_ones & ~asked, request.how, progress or Silent())
    ids, paths = photo_ids(dataset), dataset.paths()
    chosen = [
        Chosen(ids[row], paths[row], None if np.isnan(score) else float(score))
        for row, score in zip(rows.tolist(), scores.tolist(), strict=True)
    ]
    written = request.output if request.output is not None and not request.dry_run else None
    if written is not None:
        text = _csv(chosen, request.how) if written.suffix == ".csv" else "".join(f"{each.path}\n" for each in chosen)
        files.write_bytes(written, text.encode("utf-8", "backslashreplace"))
    how = request.how
    return NextResult(
        len(dataset), labelled, int(asked.sum()), how.by, measure_of(how), tuple(chosen), written, dataset.notes
    )


def check(how: Choosing) -> None:
    """Refuse what cannot be chosen so.

    Raises:
        UsageError: fewer photos than one, or a measure of another way to choose.
    """
    if how.number < 1:
        raise UsageError(f"{how.number} photos cannot be chosen.", hint="Choose one or more.")
    if measure_of(how) not in MEASURES[how.by]:
        raise UsageError(f"{how.by} has no measure '{how.measure}'.", hint=f"Known: {', '.join(MEASURES[how.by])}.")


def measure_of(how: Choosing) -> str:
    """Return the measure, the default of its kind if none is named."""
    return how.measure or MEASURES[how.by][0]


def pick(
    project: Project, dataset: Dataset, candidates: NDArray[np.bool_], how: Choosing, progress: Progress
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return rows of the photos to label next, and why: a score each, NaN by chance.

    Args:
        project: where the last model is.
        dataset: candidates, and labelled photos that diversity keeps away from.
        candidates: bool (N,).
        how: to choose.
        progress: hears how far it is.

    Raises:
        DataError: there is no candidate, photos or the model are refused.
        UsageError: the model gives values, which have no uncertainty, or no embeddings.
    """
    rows = np.flatnonzero(candidates)
    if not rows.size:
        raise DataError(
            f"none of {len(dataset)} photos is left to label.", hint="Add photos, or name another view or folder."
        )
    rng = np.random.default_rng(how.seed)
    if how.by == "random":
        chosen = rng.permutation(rows)[: how.number]
        return chosen, np.full(len(chosen), np.nan)
    paths = dataset.paths()
    if how.by == "uncertainty":
        figures = _uncertainty(project, [paths[row] for row in rows], how, progress)
        best = choosing.highest(figures, how.number)
        return rows[best], figures[best]
    known = np.flatnonzero(gathering.labelled(dataset))
    points = embed(project, dataset, [paths[row] for row in [*rows, *known]], how, progress)
    here, there = points[: len(rows)], points[len(rows) :]
    if measure_of(how) == "k-centre":
        best, far = choosing.k_centre(here, there, how.number)
    else:
        best, far = choosing.k_means_plus_plus(here, there, how.number, rng)
    return rows[best], far


def _uncertainty(project: Project, paths: Sequence[Path], how: Choosing, progress: Progress) -> NDArray[np.float64]:
    path = loading.find_model(project, how.model)
    runner = loading.open_model(path)
    check_task(path, runner.card, "say how sure it is of a photo")
    task = runner.card.task
    if task == "regress":
        raise UsageError("a model of values does not say how sure it is.", hint="Choose --by diversity or random.")
    scores = inference.predict_paths(runner, paths, progress).scores
    of_measure = choosing.entropy if measure_of(how) == "entropy" else choosing.margin
    return of_measure(scores, independent=task == "multilabel")


def embed(
    project: Project, dataset: Dataset, paths: Sequence[Path], how: Choosing, progress: Progress
) -> NDArray[np.float32]:
    """Return float32 (N, D): embeddings by a trained model's backbone, or by the backbone that a training would use.

    They are kept in the project's runs, by weights and content.
    """
    from vision_cli.stages.embedding.engine import EngineOptions, embed_photos

    store = project.root / "runs" / "label" / "embeddings" if project.file is not None else None
    options = EngineOptions(offline=how.offline, store=store, keep=store is not None, prepare="if it pays")
    found = embed_photos(paths, _source(project, dataset, how, progress), options, progress=progress)
    return found.vectors


def _source(project: Project, dataset: Dataset, how: Choosing, progress: Progress) -> Source:
    try:
        path = loading.find_model(project, how.model)
    except DataError:
        if how.model is not None:
            raise
        progress.warn("No trained model yet: photos are compared by the backbone that a training would start from.")
        network = fitting.build(project, TaskData(dataset, "classify"), progress, offline=how.offline)
        return of_config(fitting.located(project), network)
    if runtimes.runtime_of(path) != "torch":
        raise UsageError(f"{path}: gives answers, no embeddings.", hint="Give the folder of a training's model.")
    return Trained(path)


def _labelled(request: NextRequest, dataset: Dataset) -> NDArray[np.bool_]:
    """Return which photos somebody labelled: here, or in a source of the project."""
    found = gathering.labelled(dataset)
    project = request.project
    views = {None, data.ALL, *project.config.data.views}
    if request.data in views or not project.config.data.sources:
        return found
    known = data.load_photos(project, data.ALL)
    done = gathering.labelled(known)
    there = {path.resolve() for path, is_done in zip(known.paths(), done, strict=True) if is_done}
    return found | np.array([path.resolve() in there for path in dataset.paths()], dtype=np.bool_)


def _asked(dataset: Dataset, exclude: Sequence[Path]) -> NDArray[np.bool_]:
    asked: set[Path] = set()
    for folder in exclude:
        known = tasks.load(folder)
        asked |= {(folder / known.roots[photo.source] / photo.path).resolve() for photo in known.photos}
    return np.array([path.resolve() in asked for path in dataset.paths()], dtype=np.bool_)


def _csv(chosen: Sequence[Chosen], how: Choosing) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for rank, each in enumerate(chosen, start=1):
        score = "" if each.score is None else f"{each.score:.6f}"
        writer.writerow([rank, each.id, each.path, measure_of(how), score])
    return text.getvalue()
