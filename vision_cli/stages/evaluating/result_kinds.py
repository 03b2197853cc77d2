"""Which metrics results of another tool answer: what they hold, and what the labels can be compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.kpi import Kpi
from vision_cli.metrics.detection.evaluator import COCO_SIGMAS
from vision_cli.stages import place_truth
from vision_cli.stages.coco_results import Results
from vision_cli.stages.evaluating import judging
from vision_cli.stages.evaluating.result_objects import Judged

_POINTS = msgspec.json.Decoder(list[float])
_DETECT = "`task=detect` behind the command judges boxes."
_EMPTY = "an empty list has neither boxes nor masks: boxes are judged; `task=instance` behind the command judges masks."


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of results.

    Attributes:
        declared: task that the project names.
        task: that the labels serve.
        sigmas: deviations of keypoints; COCO's 17 when empty.
        targets: KPIs.
    """

    declared: str | None
    task: str
    sigmas: tuple[float, ...]
    targets: Sequence[Kpi]


def choose(results: Results, dataset: Dataset, asked: Asked) -> tuple[Judged, tuple[str, ...]]:
    """Return what is judged, and what of the results is not.

    Raises:
        DataError: results and labels have nothing in common, or keypoints without deviations.
        UsageError: the declared task is not that of the results.
    """
    overlap, notes = _overlap(results, dataset, asked.declared, asked.task)
    needed = overlap is None or any(map(judging.is_pose, asked.targets))
    number, more = _keypoints(results, dataset, asked.sigmas, needed=needed)
    return Judged(overlap, number), (*notes, *more)


def _overlap(results: Results, dataset: Dataset, declared: str | None, task: str) -> tuple[str | None, tuple[str, ...]]:
    boxed, outlined = bool((~np.isnan(results.boxes[:, 0])).any()), any(each is not None for each in results.outlines)
    if not len(results):
        if declared == "instance":
            return "masks", ()
        return "boxes", ((_EMPTY,) if task == "instance" else ())
    if declared == "instance" and boxed and not outlined:
        raise UsageError(
            f"{results.path}: the project's task is instance, and its results have no segmentation.", hint=_DETECT
        )
    if outlined and declared != "detect":
        if place_truth.has_outlines(dataset):
            return "masks", ()
        if not boxed:
            raise DataError(
                f"{results.path}: its results are masks, and no label has an outline or a mask.", hint=_DETECT
            )
        return "boxes", ("no label has an outline or a mask: the results' boxes are judged, not their masks.",)
    if boxed or outlined:
        return "boxes", (
            ("the project's task is detect: the results' boxes are judged, not their masks.",) if outlined else ()
        )
    if not any(each is not None for each in results.keypoints):
        raise DataError(
            f"{results.path}: its results have neither bbox nor segmentation nor keypoints.",
            hint="A result says where its object is; see cocodataset.org/#format-results.",
        )
    return None, ()


def _keypoints(
    results: Results, dataset: Dataset, sigmas: tuple[float, ...], *, needed: bool
) -> tuple[int, tuple[str, ...]]:
    """Return how many keypoints are judged, 0 for none, and why none where the results have some."""
    there = any(each is not None for each in results.keypoints)
    if len(results) and not there:
        return 0, ()
    known, labelled = len(sigmas) or len(COCO_SIGMAS), _labelled(dataset)
    if labelled == known:
        return known, ()
    problem = (
        f"the labels have {labelled} keypoints an object, and OKS has deviations of {known}"
        if labelled
        else "no label has keypoints"
    )
    if needed and there:
        hint = "--sigmas names a deviation for each of them." if labelled else "Give labels with keypoints: --data."
        raise DataError(f"{results.path}: its keypoints cannot be judged: {problem}.", hint=hint)
    return 0, (f"keypoints are not judged: {problem}.",) if there else ()


def _labelled(dataset: Dataset) -> int:
    """Return how many keypoints the first object that has any has."""
    if "keypoints" not in dataset.annotations.column_names:
        return 0
    for chunk in dataset.annotations["keypoints"].drop_null().chunks:
        for text in chunk:
            if values := _POINTS.decode(text.as_py()):
                return len(values) // 3
    return 0
