"""KPIs: known before the work, judged after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vision_cli import metrics
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import UsageError
from vision_cli.core.kpi import Judgement, Kpi
from vision_cli.core.measurement import Measurement

_NOT_OF_RESULTS = ("ratings", "stage")
"""What a metric is measured from that results of another tool do not say."""


def check_kpis(targets: Iterable[Kpi], task: str, classes: ClassMap) -> None:
    """Refuse KPIs whose metric or class does not exist, or that no model answers, before any work.

    Raises:
        UsageError: with a guess.
    """
    for target in targets:
        metrics.check_kpi(target, task, classes)
        if is_pose(target):
            raise UsageError(
                f"KPI '{target}': '{target.metric}' is of keypoints, and no model predicts any.",
                hint="Leave it out; keypoints of another tool are judged by `vision eval --results FILE`.",
            )


def judge_kpis(
    targets: Iterable[Kpi], measurement: Measurement, *, runtime: str, extra: Mapping[str, float | None] | None = None
) -> tuple[Judgement, ...]:
    """Judge KPIs on a measurement and on further figures without an interval, such as latency."""
    figures = measurement.with_values(extra or {})
    return tuple(figures.judge(target, runtime=runtime) for target in targets)


def of_models(targets: Iterable[Kpi]) -> tuple[Kpi, ...]:
    """Return the KPIs that a model is judged on; those on people's ratings are for `--ratings`."""
    return tuple(target for target in targets if not _rates(target))


def of_ratings(targets: Iterable[Kpi]) -> tuple[Kpi, ...]:
    """Return the KPIs that people's ratings answer."""
    return tuple(target for target in targets if _rates(target))


def _rates(target: Kpi) -> bool:
    return _source(target) == "ratings"


def _source(target: Kpi) -> str:
    return metrics.metric_card(target.metric).source if target.metric in metrics.METRICS else "predictions"


def is_pose(target: Kpi) -> bool:
    """Return whether a KPI is on keypoints, which results of other tools alone answer."""
    return _source(target) == "results"


def of_results(declared: Iterable[Kpi], given: tuple[Kpi, ...]) -> tuple[Kpi, ...]:
    """Return the KPIs that results of another tool are judged on.

    They are those that were given, or the declared ones but for speed, size and people's ratings.

    Raises:
        UsageError: one that was given is on speed, size or ratings, or names a runtime.
    """
    for target in given:
        if _source(target) in _NOT_OF_RESULTS or target.runtime:
            what = "name no runtime" if target.runtime else f"do not say '{target.metric}'"
            hint = "--ratings judges it." if _source(target) == "ratings" else "--model judges it."
            raise UsageError(f"KPI '{target}': results of another tool {what}.", hint=hint)
    return given or tuple(target for target in declared if _source(target) not in _NOT_OF_RESULTS)


def not_of_results(declared: Iterable[Kpi], given: tuple[Kpi, ...]) -> tuple[str, ...]:
    """Name the declared KPIs that `of_results` leaves out."""
    left = [str(target) for target in declared if _source(target) in _NOT_OF_RESULTS] if not given else []
    return (f"not judged here, for results do not say it: {', '.join(left)}.",) if left else ()


def check_results_kpis(targets: Iterable[Kpi], overlap: str | None, keypoints: int, classes: ClassMap) -> None:
    """Refuse KPIs that results of this kind do not answer, before any work.

    Args:
        targets: to check.
        overlap: `boxes`, `masks`, or None where the results have keypoints alone.
        keypoints: of each object; 0 where they are not judged.
        classes: of the data.

    Raises:
        UsageError: saying what the results have.
    """
    for target in targets:
        metrics.check_kpi(target, "instance" if overlap == "masks" else "detect", classes)
        if is_pose(target) and not keypoints:
            raise UsageError(
                f"KPI '{target}': the results have {overlap} and no keypoints.",
                hint="Give results with `keypoints` (x, y, visibility of each), on labels that have them.",
            )
        if not is_pose(target) and overlap is None:
            raise UsageError(
                f"KPI '{target}': the results have keypoints alone, no bbox and no segmentation.",
                hint="Keypoints are judged by oks_ap and its like; `vision eval --kpi 'oks_ap>0.5'`.",
            )


def check_ratings_kpis(targets: Iterable[Kpi]) -> None:
    """Refuse KPIs that people's ratings cannot answer.

    Raises:
        UsageError: with the metrics that they can.
    """
    known = [name for name in metrics.METRICS if metrics.metric_card(name).source == "ratings"]
    for target in targets:
        if target.metric not in known or target.label is not None:
            hint = f"They measure {', '.join(known)}."
            raise UsageError(f"KPI '{target}': ratings do not measure '{target.key}'.", hint=hint)
