"""`vision report`: everything that the runs of a project found, on one page."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from vision_cli.advice import places as places_advice
from vision_cli.advice.finding import Finding
from vision_cli.core import files, run
from vision_cli.core.dataset import SPLITS, Dataset
from vision_cli.core.errors import DataError, VisionError
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.core.tasks import PLACE_TASKS
from vision_cli.imaging import draw, read, write
from vision_cli.reports import html, maps
from vision_cli.reports.document import DataSection, Document, EvalSection, Picture, TrainSection
from vision_cli.stages import places
from vision_cli.stages.checking import shifts
from vision_cli.stages.data import TaskData, load_view
from vision_cli.stages.embedding import embed
from vision_cli.stages.evaluating import evaluate, report_pictures, report_places, report_verdicts
from vision_cli.stages.explaining import reported
from vision_cli.stages.running import answers
from vision_cli.stages.running import export as exporting
from vision_cli.stages.training import planning, train

THUMBNAIL_PX = 160
SAMPLES_A_CLASS = 4
MAX_SAMPLES = 48
MAX_MISTAKES = 24
_NAMED = 100
"""Photos that a finding names."""


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What to show.

    Attributes:
        project: its newest runs are shown.
        output: the HTML file; `report.html` of the project when None.
        dry_run: say what would be written, write nothing.
    """

    project: Project
    output: Path | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ReportResult:
    """What was written.

    Attributes:
        path: of the page.
        sections: what it shows.
        size_mb: of the file; 0 after a dry run.
        left_out: evaluations that it does not show, and why.
    """

    path: Path
    sections: tuple[str, ...]
    size_mb: float
    left_out: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        shown = {"path": self.path, "sections": list(self.sections), "size_mb": round(self.size_mb, 3)}
        return {**shown, "left_out": list(self.left_out)}


def report(request: ReportRequest, progress: Progress) -> ReportResult:
    """Write one self-contained HTML file.

    Raises:
        DataError: the project has neither data nor a run.
        UsageError: the output is a folder.
    """
    project = request.project
    path = request.output or project.root / "report.html"
    places.check_files(path, project=project)
    document = _document(request, progress)
    sections, left_out = _sections(document), tuple(document.left_out)
    if not sections:
        raise DataError(
            "there is nothing to report yet.",
            details=[f"not shown: {each}" for each in left_out],
            hint="Run `vision train` and `vision eval` first.",
        )
    if request.dry_run:
        return ReportResult(path, sections, 0.0, left_out)
    files.write_text(path, html.render(document))
    return ReportResult(path, sections, path.stat().st_size / 1e6, left_out)


def _sections(document: Document) -> tuple[str, ...]:
    shown = {
        "data": document.data,
        "map": document.map,
        "training": document.training,
        "evaluation": document.evaluations,
        "explanations": document.explained,
        "export": document.exports,
    }
    return tuple(name for name, content in shown.items() if content)


def _document(request: ReportRequest, progress: Progress) -> Document:
    project = request.project
    data = load_view(project, remember=False) if project.config.data.sources else None
    chosen = report_verdicts.choose(project)
    evaluations = [_evaluation(project, folder, result, data, progress) for folder, result in chosen.results]
    training = _training(project)
    task = data.task if data else str(evaluations[0].result["model"]["task"]) if evaluations else "classify"
    return Document(
        name=project.config.name,
        task=task,
        created=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        data=_data_section(request, data, progress) if data else None,
        training=training,
        evaluations=evaluations,
        exports=_exports(project),
        declared=[(str(kpi), kpi.confidence) for kpi in project.config.targets()],
        split=project.config.eval.split,
        left_out=chosen.left_out,
        map=_map(project),
        explained=reported.last(project),
    )


def _data_section(request: ReportRequest, data: TaskData, progress: Progress) -> DataSection:
    dataset, absent = data.dataset, _absent(data.dataset)
    values = {name: dataset.split(name).values().tolist() for name in SPLITS} if data.task == "regress" else {}
    sizes = zip(dataset.images["width"].to_pylist(), dataset.images["height"].to_pylist(), strict=True)
    return DataSection(
        splits=SPLITS,
        counts=_counts(data),
        sizes_px=list(sizes),
        values=values,
        samples=[] if absent else _samples(data, progress),
        findings=[absent.as_json()] if absent else _findings(request, data, progress),
        digest=dataset.digest(),
        counted=places_advice.unit(data.task) if data.task in PLACE_TASKS else "photo",
    )


def _absent(dataset: Dataset) -> Finding | None:
    """Return what is said where photos are not on disk: labels alone have figures, too."""
    absent = [path for path in dataset.paths() if not path.is_file()]
    if not absent:
        return None
    message = (
        f"{len(absent):,} of {len(dataset):,} photos are not at hand, such as {absent[0]}: photos are neither checked "
        "nor shown."
    )
    return Finding("photos-absent", message, float(len(absent)), tuple(str(path) for path in absent[:_NAMED]))


def _findings(request: ReportRequest, data: TaskData, progress: Progress) -> list[dict[str, Any]]:
    remember = not request.dry_run
    found = planning.findings(request.project, data, progress, remember=remember)
    shifted = shifts.findings(request.project, data.dataset, progress, remember=remember)
    return [*(each.as_json() for each in found), *shifted]


def _counts(data: TaskData) -> dict[str, list[int]]:
    """Return the photos, objects or segments of each class in each split; a row `all` for values."""
    if data.task in PLACE_TASKS:
        found = places_advice.counts(data.dataset, data.task)
        none = np.zeros(len(data.dataset.classes), dtype=np.int64)
        columns = [found.get(name, none) for name in SPLITS]
        return {name: [int(each[row]) for each in columns] for row, name in enumerate(data.dataset.classes.names)}
    dataset, splits = data.dataset, data.dataset.splits()
    if data.task == "regress":
        return {"all": [int((splits == name).sum()) for name in SPLITS]}
    matrix = dataset.class_matrix()
    by_split = [matrix[splits == name].sum(axis=0) for name in SPLITS]
    return {name: [int(counts[index]) for counts in by_split] for index, name in enumerate(dataset.classes.names)}


def _samples(data: TaskData, progress: Progress) -> list[Picture]:
    """Return the first photos of each class, or photos spread over the values."""
    dataset = data.dataset
    rows = _sample_rows(data)
    if data.task in PLACE_TASKS:
        return report_places.samples(data, rows)
    truths = answers.truths(data.targets(dataset), data.task, dataset.classes.names)
    paths = dataset.paths()
    pictures = [_picture(paths[row], truths[row]) for row in rows]
    progress.step("samples", len(rows), len(rows))
    return [picture for picture in pictures if picture is not None]


def _sample_rows(data: TaskData) -> list[int]:
    dataset: Dataset = data.dataset
    if data.task == "regress":
        order = np.argsort(dataset.values(), kind="stable")
        return [int(row) for row in order[np.linspace(0, len(order) - 1, min(16, len(order))).astype(int)]]
    matrix = dataset.class_matrix()
    a_class = max(1, min(SAMPLES_A_CLASS, MAX_SAMPLES // max(1, matrix.shape[1])))
    rows = [row for column in matrix.T for row in np.flatnonzero(column)[:a_class]]
    return [int(row) for row in dict.fromkeys(rows)][:MAX_SAMPLES]


def _picture(path: Path, truth: str, answer: str | None = None, confidence: float | None = None) -> Picture | None:
    """Return a thumbnail; None when the photo is gone or broken by now."""
    try:
        photo = read.read_photo(path, at_least=(THUMBNAIL_PX, THUMBNAIL_PX))
    except VisionError:
        return None
    jpeg = write.encode_jpeg(draw.thumbnail(photo, THUMBNAIL_PX), quality=80)
    return Picture(jpeg, path.name, truth, answer, confidence)


def _training(project: Project) -> TrainSection | None:
    try:
        record = run.latest(project.root, "train")
    except DataError:
        return None
    result = _result(record.folder / train.RESULT_NAME)
    manifest = record.manifest
    return TrainSection(
        run=record.folder.name,
        epochs=record.metrics(),
        how=[*result.get("how", []), *_unfinished(record)],
        settings=_settings(manifest.get("config", {}), result.get("used", {})),
        versions=manifest.get("versions", {}),
        seconds=float(result.get("seconds") or 0),
        pictures=report_pictures.of_training(record.folder),
        best_by="val_score" if manifest.get("task") in PLACE_TASKS else "val_loss",
        score=str(result.get("score", "")),
        fit=result.get("fit", {}),
    )


def _map(project: Project) -> dict[str, Any] | None:
    """Return what the last `vision embed` wrote; None where there is nothing that can be drawn."""
    try:
        document = run.read_json(run.latest(project.root, embed.STAGE).folder / embed.RESULT_NAME)
        maps.read(document)
    except (DataError, KeyError, TypeError, ValueError):
        return None
    return {**document, "network": _inside(project, str(document["network"]))}


def _unfinished(record: run.Run) -> list[str]:
    state = record.status.get("state", "unknown")
    return [] if state == "done" else [f"this run is not finished: {state}"]


def _settings(config: Mapping[str, Any], used: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the settings; what the project file leaves open has the value that stood for it, where it is known."""
    given = [row for part in ("model", "train") for row in _flat(part, config.get(part, {}))]
    by_default = {f"train.{name}": f"{value} by default" for name, value in used.items()}
    return [(name, value if value != str(None) else by_default.get(name, "by default")) for name, value in given]


def _flat(name: str, value: Any) -> list[tuple[str, str]]:
    """Return dotted keys with their values."""
    if isinstance(value, Mapping):
        return [row for key, each in value.items() for row in _flat(f"{name}.{key}", each)]
    return [(name, str(value))]


def _result(path: Path) -> dict[str, Any]:
    return run.read_json(path) if path.is_file() else {}


def _evaluation(
    project: Project, folder: Path, result: dict[str, Any], data: TaskData | None, progress: Progress
) -> EvalSection:
    classes, predictions = result.get("classes", []), folder / evaluate.PREDICTIONS_NAME
    table = pq.read_table(predictions).to_pydict() if predictions.is_file() else None
    if table is not None and result["model"]["task"] in PLACE_TASKS:
        worst, best = report_places.examples(table, result, data, progress)
        result["model"]["path"] = _inside(project, result["model"]["path"])
        return EvalSection(result, classes, worst=worst, best=best)
    result["model"]["path"] = _inside(project, result["model"]["path"])
    if table is None:
        return EvalSection(result, classes)
    truth, answer, sure = table["truth"], table["predicted"], table["confidence"]
    if result["model"]["task"] == "regress":
        pairs = [(float(a), float(b)) for a, b in zip(truth, answer, strict=True)]
        order = np.argsort([-abs(a - b) for a, b in pairs], kind="stable")
        return EvalSection(result, classes, _mistakes(table, [int(row) for row in order]), pairs)
    wrong = [row for row in range(len(truth)) if truth[row] != answer[row]]
    wrong.sort(key=lambda row: -float(sure[row]))
    progress.step("mistakes", len(wrong), len(wrong))
    single = result["model"]["task"] == "classify"
    certainties = [(float(c), a == b) for a, b, c in zip(truth, answer, sure, strict=True)] if single else []
    return EvalSection(result, classes, _mistakes(table, wrong), certainties=certainties)


def _inside(project: Project, path: str) -> str:
    """Return a path as seen from the project, where it lies inside."""
    place, root = Path(path), project.root.resolve()
    return str(place.resolve().relative_to(root)) if place.resolve().is_relative_to(root) else path


def _mistakes(table: Mapping[str, Sequence[Any]], rows: Sequence[int]) -> list[Picture]:
    pictures = (
        _picture(Path(table["path"][row]), table["truth"][row], table["predicted"][row], table["confidence"][row])
        for row in rows[:MAX_MISTAKES]
    )
    return [picture for picture in pictures if picture is not None]


def _exports(project: Project) -> list[dict[str, Any]]:
    """Return the newest export of each file that is still there."""
    newest: dict[str, dict[str, Any]] = {}
    for folder in sorted((project.root / run.RUNS / "export").glob("*")):
        if not folder.is_symlink():
            newest |= {each["path"]: each for each in _result(folder / exporting.RESULT_NAME).get("files", [])}
    return [{**each, "path": _inside(project, path)} for path, each in newest.items() if os.path.isfile(path)]  # noqa: PTH113  # pathlib's raises where it may not look
