"""KPIs: known before the work, judged after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vision_cli import metrics
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import UsageError
from vision_cli.core.kpi import Judgement, Kpi
from vision_cli.core.measurement import Measurement


def check_kpis(targets: Iterable[Kpi], task: str, classes: ClassMap) -> None:
    """Refuse KPIs whose metric or class does not exist, before any work.

    Raises:
        UsageError: with a guess.
    """
    for target in targets:
        metrics.check_kpi(target, task, classes)


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
    return target.metric in metrics.METRICS and metrics.metric_card(target.metric).source == "ratings"


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
