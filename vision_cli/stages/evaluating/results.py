"""`vision eval --results`: another tool's results, judged by the evaluator, intervals and KPIs that models get."""

from __future__ import annotations

from vision_cli.core import run
from vision_cli.core.progress import Progress
from vision_cli.metrics import detection
from vision_cli.metrics.detection.confidence import DEFAULT_CONFIDENCE
from vision_cli.stages.evaluating import judging
from vision_cli.stages.evaluating.eval_plan import EvalPlan, plan_of
from vision_cli.stages.evaluating.evaluate import (
    PREDICTIONS_NAME,
    EvalResult,
    in_a_run,
    unjudged,
    write_predictions,
)
from vision_cli.stages.evaluating.results_subject import RESULTS, ResultsRequest, ResultsSubject, prepare
from vision_cli.stages.kinds import object_rows
from vision_cli.stages.kinds.kind import Measured
from vision_cli.stages.kinds.objects import measured
from vision_cli.stages.versioning.seen import Seen


def judge_results(request: ResultsRequest, progress: Progress) -> EvalResult:
    """Judge another tool's results.

    Raises:
        UsageError: a KPI that results of this kind do not answer, or there is no such split.
        DataError: results or data are refused, or they are not about each other.
        AnswerIsNo: the cross-check found a difference above 1e-6.
    """
    subject = prepare(request)
    return in_a_run(
        request, subject, RESULTS, lambda record, seen: _judge(request, subject, record, progress, seen), progress
    )


def plan_results(request: ResultsRequest) -> EvalPlan:
    """Read and check results and labels, and say what would be judged and written.

    Raises:
        UsageError: a KPI that results of this kind do not answer, or there is no such split.
        DataError: results or data are refused, or they are not about each other.
    """
    return plan_of(request, prepare(request, remember=False))


def _judge(
    request: ResultsRequest, subject: ResultsSubject, record: run.Run, progress: Progress, seen: Seen
) -> EvalResult:
    progress.say(f"measuring {len(subject.detections):,} results on {len(subject.dataset):,} photos")
    found = _measured(request, subject)
    columns = _columns(request, subject)
    write_predictions(record.folder / PREDICTIONS_NAME, subject.dataset, columns)
    judgements = judging.judge_kpis(subject.targets, found.measurement, runtime=RESULTS)
    elsewhere = {"path": str(request.data.absolute())} if request.data else {}
    return EvalResult(
        model=subject.model(),
        data={**subject.data(), **elsewhere, "digest": seen.digest, "version": seen.version},
        runtime=subject.runtime(),
        classes=subject.dataset.classes.names,
        measurement=found.measurement,
        more=found.more,
        speed={},
        judgements=judgements,
        warnings=(*subject.notes, *_warnings(request, subject, found), *unjudged(judgements)),
        run=record.folder,
    )


def _measured(request: ResultsRequest, subject: ResultsSubject) -> Measured:
    asked = detection.ObjectsRequest(
        subject.truth,
        subject.detections,
        subject.dataset.classes,
        kind="masks" if subject.judged.overlap == "masks" else "boxes",
        confidences=() if request.confidence is None else (request.confidence,),
        names=tuple(target.metric for target in subject.targets),
        crosscheck=request.crosscheck,
        resamples=request.project.config.eval.resamples,
        sigmas=request.sigmas,
    )
    if subject.judged.overlap is not None:
        return measured(detection.measure(asked), subject.dataset.classes.names)
    poses = detection.measure_poses(asked)
    return Measured(poses.measurement, {"settings": dict(poses.settings)})


def _columns(request: ResultsRequest, subject: ResultsSubject) -> dict[str, list[object]]:
    """Return what is kept of each photo: its objects, and the results that are sure enough to count."""
    said = subject.detections
    least = DEFAULT_CONFIDENCE if request.confidence is None else request.confidence
    names = subject.dataset.classes.names
    return object_rows.columns(names, subject.truth, said.select(said.scores >= least))


def _warnings(request: ResultsRequest, subject: ResultsSubject, found: Measured) -> tuple[str, ...]:
    said = found.measurement.warnings
    if request.confidence is not None or subject.judged.overlap is None:
        return said
    hint = (
        "--confidence judges precision, recall, F1 and counts at another score, which validation photos have to "
        "choose, not these."
    )
    return (*said, hint)
