"""What `vision eval --results` judges: another tool's results on the photos of a data set, checked before any work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli.core.dataset import Dataset
from vision_cli.core.detections import Detections, Floats, Truth
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.kpi import Kpi
from vision_cli.core.project import Project
from vision_cli.core.tasks import OBJECT_TASKS
from vision_cli.stages import coco_results, place_truth, places
from vision_cli.stages import data as view_data
from vision_cli.stages.coco_results import LEFT_OUT, Results
from vision_cli.stages.data import TaskData
from vision_cli.stages.evaluating import judging, result_kinds, result_objects
from vision_cli.stages.evaluating.result_objects import Judged, Placed
from vision_cli.stages.evaluating.subject import check_split
from vision_cli.views import select

RESULTS = "results"
"""What stands where models have a family and a runtime."""
_IDS = (
    "`vision data convert --to coco --pixels target` writes a data set as COCO, with ids: make the results on that, "
    "and judge them with --data. Without --pixels the boxes of VOC stay one pixel off for COCO's evaluators."
)


@dataclass(frozen=True, slots=True)
class ResultsRequest:
    """What to judge.

    Attributes:
        path: JSON list of COCO results.
        project: its data, split and KPIs.
        kpis: instead of the project's; empty means the project's.
        split: `train`, `val`, `test` or `all`; the project's `eval.split` when None.
        data: another data set than the project's; all its photos are judged unless a split is named.
        junit: path of a JUnit XML file to write.
        markdown: path of a Markdown file to write.
        crosscheck: run pycocotools beside the evaluator.
        confidence: from which score on results count for precision, recall, F1 and counts; 0.5 when None.
        sigmas: deviation of each keypoint by the root of the object's area; COCO's 17 when empty.
    """

    path: Path
    project: Project
    kpis: tuple[Kpi, ...] = ()
    split: str | None = None
    data: Path | None = None
    junit: Path | None = None
    markdown: Path | None = None
    crosscheck: bool = False
    confidence: float | None = None
    sigmas: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ResultsSubject:
    """Results beside the labels of the photos that they are judged on.

    Attributes:
        path: of the results.
        dataset: the photos that are judged, in the order of their ids, as COCO's evaluator has them.
        split: name.
        whole: the data set with all its splits.
        judged: boxes or masks, keypoints.
        truth: of these photos.
        detections: likewise.
        targets: KPIs to judge.
        notes: what was left out, one sentence each.
    """

    path: Path
    dataset: Dataset
    split: str
    whole: Dataset
    judged: Judged
    truth: Truth
    detections: Detections
    targets: tuple[Kpi, ...]
    notes: tuple[str, ...] = ()

    @property
    def run_name(self) -> str:
        """Return what follows the time in the name of the run's folder."""
        return f"{self.path.stem}-{RESULTS}"

    def model(self) -> dict[str, Any]:
        """Return the member `model` of `--json`: what stands in a model's place."""
        return {
            "path": str(self.path.absolute()),
            "name": self.path.name,
            "family": RESULTS,
            "task": self.judged.task,
            "trained": None,
            "holds": self.judged.holds,
            "results": len(self.detections),
        }

    def data(self) -> dict[str, Any]:
        """Return the member `data` of `--json`."""
        return {"split": self.split, "photos": len(self.dataset), "digest": self.whole.digest()}

    @staticmethod
    def runtime() -> dict[str, Any]:
        """Return the member `runtime` of `--json`: nothing ran."""
        return {"name": RESULTS}


def prepare(request: ResultsRequest, *, remember: bool = True) -> ResultsSubject:
    """Read results and labels; no photo is read.

    Args:
        request: what to judge.
        remember: write the splits of new photos to splits.json; without, nothing is written.

    Raises:
        UsageError: a KPI that results of this kind do not answer, or there is no such split.
        DataError: results or data are refused, or they are not about each other.
    """
    reads = [request.path, *([request.data] if request.data is not None else [])]
    places.check_files(request.junit, request.markdown, project=request.project, reads=reads)
    check_split(request.split)
    targets = judging.of_results(request.project.config.targets(), request.kpis)
    results = coco_results.load(request.path)
    loaded = _loaded(request, remember=remember)
    split = request.split or (view_data.ALL if request.data else request.project.config.eval.split)
    dataset = _in_order(_judged_part(loaded.dataset, split))
    asked = result_kinds.Asked(request.project.config.task, loaded.task, request.sigmas, targets)
    judged, kind_notes = result_kinds.choose(results, dataset, asked)
    judging.check_results_kpis(targets, judged.overlap, judged.keypoints, dataset.classes)
    placed, notes = _placed(request, results, dataset, loaded.dataset, split)
    truth = _truth(dataset, judged)
    placed = replace(placed, sizes=truth.sizes)
    found = result_objects.detections(results, placed, judged)
    return ResultsSubject(
        path=request.path,
        dataset=dataset,
        split=split,
        whole=loaded.dataset,
        judged=judged,
        truth=truth,
        detections=found,
        targets=targets,
        notes=(
            *kind_notes,
            *notes,
            *_silent(dataset, truth, found, split),
            *_outside(found),
            *judging.not_of_results(request.project.config.targets(), request.kpis),
        ),
    )


def _loaded(request: ResultsRequest, *, remember: bool) -> TaskData:
    project = request.project
    if request.data is None and not project.config.data.sources:
        raise UsageError(
            f"{request.path}: there are no labels to judge it on.",
            hint="Give them with --data, such as the COCO file that the results are of, or name them in vision.yaml.",
        )
    if request.data is None:
        loaded = view_data.load_view(project, remember=remember)
    else:
        loaded = view_data.load_folder(project, request.data)
    if loaded.task not in OBJECT_TASKS:
        raise DataError(
            f"{request.path}: results are of objects, and the data's task is {loaded.task}.",
            hint="Judge them on labels of boxes, masks or keypoints; `task=detect` behind the command declares them.",
        )
    return loaded


def _judged_part(dataset: Dataset, split: str) -> Dataset:
    part = dataset.split(split)
    if not len(part):
        raise DataError(f"the split '{split}' has no photo to judge on.", hint="Check data.split, or give --split.")
    return part


def _in_order(dataset: Dataset) -> Dataset:
    """Return the photos in the order of their ids.

    Results of equal score are ranked in the order of their photos, and pycocotools sorts those by id.

    Raises:
        DataError: photos have no ids, or several have one.
    """
    ids = _photo_ids(dataset)
    known = [each for each in ids if each is not None]
    if len(known) < len(ids):
        raise DataError(
            f"{len(ids) - len(known):,} of {len(ids):,} photos have no id, and results know photos by the ids of COCO "
            "files.",
            hint=_IDS,
        )
    values, counts = np.unique(np.array(known, dtype=object).astype(str), return_counts=True)
    if (counts > 1).any():
        repeated = ", ".join(values[counts > 1][:3].tolist())
        raise DataError(
            f"several photos have the same id, such as {repeated}: nobody can tell which one a result is of.",
            hint="Judge one file or one split at a time: --data FILE, or --split.",
        )
    numbers = all(each.isdecimal() for each in known)
    order = sorted(range(len(known)), key=lambda row: int(known[row]) if numbers else known[row])
    return dataset if order == list(range(len(order))) else replace(dataset, images=dataset.images.take(order))


def _photo_ids(dataset: Dataset) -> list[str | None]:
    if "source_id" not in dataset.images.column_names:
        return [None] * len(dataset)
    found: list[str | None] = dataset.images["source_id"].to_pylist()
    return found


def _placed(
    request: ResultsRequest, results: Results, dataset: Dataset, whole: Dataset, split: str
) -> tuple[Placed, tuple[str, ...]]:
    """Return the results of the judged photos and classes, and what was left out."""
    photos = coco_results.rows_of(results.image_ids, _photo_ids(dataset))
    elsewhere = (photos < 0) & (coco_results.rows_of(results.image_ids, _photo_ids(whole)) >= 0)
    unknown = (photos < 0) & ~elsewhere
    coco_results.refuse(
        results.path,
        unknown,
        "results are of photos that the data does not have",
        lambda row: f"image_id {results.image_ids[row]!r}",
        hint=f"Ids are those of the data's COCO file, such as {_photo_ids(dataset)[0]}: is it the right --data?",
    )
    rows = np.flatnonzero(photos >= 0)
    if len(results) and not len(rows):
        raise DataError(
            f"{results.path}: none of its {len(results):,} results is of a photo of the split '{split}'.",
            hint="They are of other splits: give theirs with --split.",
        )
    ids = coco_results.classes_of(
        results.category_ids[rows], photos[rows], dataset, results.path, _renames(request, dataset)
    )
    kept = ids != LEFT_OUT
    sizes = np.zeros((len(dataset), 2), dtype=np.int64)
    counts = {
        "of photos of other splits": int(elsewhere.sum()),
        "of classes that the data leaves out": int((~kept).sum()),
    }
    notes = tuple(f"results {what} were left out: {count:,}." for what, count in counts.items() if count)
    placed = Placed(rows[kept], photos[rows[kept]], ids[kept], sizes)
    return placed, notes


def _renames(request: ResultsRequest, dataset: Dataset) -> Mapping[str, str | None]:
    """Return what the view calls the classes of its sources."""
    if request.data is not None:
        return {}
    project = request.project
    names = {name for origin in dataset.origins.values() for name in origin.class_ids}
    return select.renamed(view_data.find_view(project, project.config.train.view), names, project.config.classes)


def _silent(dataset: Dataset, truth: Truth, found: Detections, split: str) -> tuple[str, ...]:
    """Count the photos with objects that no result is of, and name the splits, where all are judged."""
    if not len(found):
        return ("the list of results holds none of these photos: every object is missed.",)
    missed = ~np.isin(truth.photo, found.photo) & ~truth.ignored
    silent = np.unique(truth.photo[missed])
    if not silent.size:
        return ()
    objects = f"their {int(missed.sum()):,} objects count as missed"
    notes = [f"{silent.size:,} of {len(dataset):,} photos have objects and no result: {objects}."]
    splits = dataset.splits()
    if split == view_data.ALL:
        said = set(splits[found.photo].tolist())
        names = [name for name in dict.fromkeys(splits.tolist()) if name and name not in said]
        notes += [f"no result is of the split '{name}': --split judges one." for name in names]
    return tuple(notes)


def _outside(found: Detections) -> tuple[str, ...]:
    """Count the boxes that show nothing of their photo."""
    boxes, sizes = found.boxes, found.sizes[found.photo]
    gone = ((boxes[:, :2] >= sizes) | (boxes[:, :2] + boxes[:, 2:] <= 0)).any(axis=1)
    if not gone.any():
        return ()
    first = int(np.flatnonzero(gone)[0])
    box, (width, height) = [round(value, 1) for value in boxes[first].tolist()], sizes[first].tolist()
    return (
        f"{int(gone.sum()):,} results lie outside of their photo, such as {box} of a photo of {width} x {height} px: "
        "are they of a photo of another size?",
    )


def _truth(dataset: Dataset, judged: Judged) -> Truth:
    found = place_truth.truth(dataset, dataset.classes, judged.task, keypoints=judged.keypoints > 0)
    if judged.keypoints and found.keypoints is not None and not found.keypoints.shape[1]:
        # No object of these photos has any.
        empty: Floats = np.zeros((len(found), judged.keypoints, 3))
        return replace(found, keypoints=empty)
    return found
