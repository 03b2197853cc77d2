"""The metrics that a KPI may name. Importing the table imports no formula and no numpy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING

from vision_cli.core.catalogue import Catalogue, hint_for, suggestion
from vision_cli.core.errors import UsageError
from vision_cli.core.kpi import OPERATORS, RUNTIMES, Kpi
from vision_cli.core.tasks import OBJECT_TASKS, TASKS
from vision_cli.metrics.card import SHARE as SHARE
from vision_cli.metrics.card import Better as Better
from vision_cli.metrics.card import MetricCard as MetricCard
from vision_cli.metrics.card import Source as Source
from vision_cli.metrics.detection import is_ap_at
from vision_cli.metrics.detection.cards import OBJECTS
from vision_cli.metrics.panoptic.cards import SEGMENTS
from vision_cli.metrics.semantic.cards import PIXELS

if TYPE_CHECKING:
    from typing import Any

    import numpy as np

    from vision_cli.core.dataset import ClassMap
    from vision_cli.core.measurement import Measurement
    from vision_cli.core.predictions import Predictions

_LARGEST_SHARE_BOUND = 2.0
"""A bound on a share beyond it was meant as a percentage."""
_RANGES = {
    SHARE: (0.0, 1.0),
    "kappa": (-1.0, 1.0),
    "alpha": (-math.inf, 1.0),
    "share of variance": (-math.inf, 1.0),
    "objects": (0.0, math.inf),
}
"""Lowest and highest value that metrics of a unit can have."""

_ANSWERS = "vision_cli.metrics.classification"
_DECISIONS = "vision_cli.metrics.decisions"
_RANKING = "vision_cli.metrics.ranking"
_CALIBRATION = "vision_cli.metrics.calibration"
_MULTILABEL = "vision_cli.metrics.multilabel"
_REGRESSION = "vision_cli.metrics.regression"
_RATINGS = "vision_cli.metrics.ratings"
_SPEED = "vision_cli.metrics.speed"
_BOTH = ("classify", "multilabel")
_ALL = ("classify", "multilabel", "regress")


def _value(summary: str, better: Better = "lower", unit: str = "label") -> MetricCard:
    return MetricCard(_REGRESSION, summary, unit=unit, better=better, tasks=("regress",))


def _rating(summary: str, unit: str = SHARE) -> MetricCard:
    return MetricCard(_RATINGS, summary, unit=unit, tasks=_ALL, source="ratings")


def _run(summary: str, unit: str, better: Better = "lower") -> MetricCard:
    return MetricCard(_SPEED, summary, unit=unit, better=better, tasks=TASKS, source="stage")


def _joined(tables: Iterable[Mapping[str, MetricCard]]) -> dict[str, MetricCard]:
    """Put tables together; a name that two of them have keeps a line for the tasks of each."""
    found: dict[str, MetricCard] = {}
    for name, card in (line for table in tables for line in table.items()):
        first = found.get(name)
        also = {} if first is None else {**first.by_task, **dict.fromkeys(card.tasks, card)}
        found[name] = card if first is None else replace(first, tasks=(*first.tasks, *card.tasks), by_task=also)
    return found


_PHOTOS: Mapping[str, MetricCard] = {
    "top1": MetricCard(_ANSWERS, "Share of photos whose best guess is right; the same as accuracy"),
    "accuracy": MetricCard(_ANSWERS, "Share of photos whose best guess is right; the same as top1"),
    "top1_error": MetricCard(_ANSWERS, "Share of photos whose best guess is wrong", better="lower"),
    "top5": MetricCard(_ANSWERS, "Share of photos with the right class among the five best guesses"),
    "top5_error": MetricCard(_ANSWERS, "Share of photos without the right class in five guesses", better="lower"),
    "balanced_accuracy": MetricCard(_DECISIONS, "Mean of the classes' recalls; not moved by frequent classes"),
    "f1": MetricCard(_DECISIONS, "Harmonic mean of precision and recall; macro", tasks=_BOTH, per_class=True),
    "precision": MetricCard(_DECISIONS, "Share of a class's answers that are right", tasks=_BOTH, per_class=True),
    "recall": MetricCard(_DECISIONS, "Share of a class's photos that are found", tasks=_BOTH, per_class=True),
    "f1_micro": MetricCard(_DECISIONS, "F1 over all decisions together", tasks=_BOTH),
    "precision_micro": MetricCard(_DECISIONS, "Precision over all decisions together", tasks=_BOTH),
    "recall_micro": MetricCard(_DECISIONS, "Recall over all decisions together", tasks=_BOTH),
    "auc": MetricCard(_RANKING, "Area under the ROC curve, one class against the rest", tasks=_BOTH, per_class=True),
    "map": MetricCard(_RANKING, "Mean of the classes' average precisions", tasks=_BOTH),
    "ap": MetricCard(_RANKING, "Average precision of one class: ap[class]", tasks=_BOTH, per_class="only"),
    "ece": MetricCard(_CALIBRATION, "Expected calibration error of the best guess, 15 bins", better="lower"),
    "log_loss": MetricCard(_CALIBRATION, "Mean of -ln(probability of the truth)", unit="nat", better="lower"),
    "exact_match": MetricCard(_MULTILABEL, "Share of photos with every label right", tasks=("multilabel",)),
    "hamming_loss": MetricCard(
        _MULTILABEL, "Share of single decisions that are wrong", better="lower", tasks=("multilabel",)
    ),
    "mae": _value("Mean absolute error"),
    "rmse": _value("Root of the mean squared error"),
    "median_absolute_error": _value("Error that half of the photos stay below"),
    "max_error": _value("Largest absolute error"),
    "r2": _value("Share of the values' variance that is explained", "higher", "share of variance"),
    "acceptance": _rating("Share of photos that most raters accept; a tie does not"),
    "acceptance_rate": _rating("Share of all ratings that accept"),
    "rater_agreement": _rating("Share of pairs of raters of a photo who agree"),
    "fleiss_kappa": _rating("Agreement beyond chance, equally many raters a photo", "kappa"),
    "cohen_kappa": _rating("Agreement beyond chance of two raters", "kappa"),
    "krippendorff_alpha": _rating("Agreement beyond chance, any number of raters a photo", "alpha"),
    "latency_ms.p50": _run("Time of one photo that half of the photos stay below", "ms"),
    "latency_ms.p95": _run("Time of one photo that 95 % of the photos stay below; also latency_ms", "ms"),
    "images_per_s": _run("Photos a second", "photos/s", "higher"),
    "size_mb": _run("Size of the model file, 1 MB = 10**6 bytes", "MB"),
    "memory_mb": _run("Memory that the model takes while it runs, 1 MB = 10**6 bytes", "MB"),
}

METRICS = Catalogue("metric", _joined([_PHOTOS, OBJECTS, PIXELS, SEGMENTS]), listing="vision metrics list")

_OBJECTS_MAIN = ("ap50", "ap", "ap75", "precision", "recall", "f1", "count_mae", "oks_ap")
MAIN: Mapping[str, tuple[str, ...]] = {
    "classify": ("top1", "balanced_accuracy", "f1", "precision", "recall", "top5", "log_loss", "ece"),
    "multilabel": ("map", "f1", "precision", "recall", "auc", "exact_match", "hamming_loss"),
    "regress": ("mae", "rmse", "median_absolute_error", "max_error", "r2"),
    "detect": _OBJECTS_MAIN,
    "instance": _OBJECTS_MAIN,
    "semantic": ("miou", "iou", "dice", "pixel_accuracy", "mean_accuracy", "boundary_f1"),
    "panoptic": ("pq", "sq", "rq", "pq_th", "pq_st"),
}
"""By task, the metrics that are looked at first, the likeliest first; `oks_ap` where results have keypoints."""


def metric_card(name: str, task: str | None = None) -> MetricCard:
    """Return the line of one metric, as it is for a task.

    Raises:
        UsageError: the name is unknown; the message guesses.
    """
    card = METRICS.card("ap50" if task in OBJECT_TASKS and is_ap_at(name) else name)
    if not isinstance(card, MetricCard):
        raise UsageError(
            f"'{name}' does not say its unit, direction and tasks.", hint="Its table line is a MetricCard."
        )
    return card.by_task.get(task or "", card)


def check_kpi(kpi: Kpi, task: str, classes: ClassMap, *, runtimes: Iterable[str] = RUNTIMES) -> None:
    """Refuse a KPI that can never be judged.

    Args:
        kpi: the target.
        task: one of `core.tasks.TASKS`.
        classes: of the model; empty for `regress`.
        runtimes: what may stand after `@`.

    Raises:
        UsageError: its metric, class or runtime does not exist, or its metric is not of the task; with a guess.
    """
    card = _known_card(kpi, task)
    if task not in card.tasks:
        raise UsageError(
            f"KPI '{kpi}': '{kpi.metric}' is measured for {' and '.join(card.tasks)}, and the task is {task}.",
            hint=_hint(kpi.metric, task, what=f"For {task}"),
        )
    _check_label(kpi, card, classes)
    _check_choice(kpi, "runtime", kpi.runtime, tuple(runtimes))
    check_range(kpi, card.unit)


def names_of(task: str) -> list[str]:
    """Return the names of the metrics of a task."""
    return [name for name, card in METRICS.cards().items() if isinstance(card, MetricCard) and task in card.tasks]


def _known_card(kpi: Kpi, task: str) -> MetricCard:
    if kpi.metric in METRICS or (task in OBJECT_TASKS and is_ap_at(kpi.metric)):
        return metric_card(kpi.metric, task)
    raise UsageError(f"KPI '{kpi}': unknown metric '{kpi.metric}'.", hint=_hint(kpi.metric, task))


def _hint(name: str, task: str, *, what: str = "Known") -> str:
    """Return the metric of the task that a name may be, those that are looked at first, and where all are listed."""
    known, listing = names_of(task), f"vision metrics list {task}"
    guess = suggestion(name, MAIN.get(task, ())) or suggestion(name, known)
    # What results of other tools alone answer is not offered to a model.
    fitting = [each for each in MAIN.get(task, ()) if metric_card(each).source != "results"]
    shown = hint_for("", known, fitting=fitting, listing=listing, what=what)
    return f"Did you mean '{guess}'? {shown}" if guess else shown


def _check_label(kpi: Kpi, card: MetricCard, classes: ClassMap) -> None:
    if kpi.label is None:
        if card.per_class == "only":
            raise UsageError(f"KPI '{kpi}': '{kpi.metric}' is measured a class.", hint=f"Write {kpi.metric}[class].")
        return
    if not card.per_class:
        raise UsageError(f"KPI '{kpi}': '{kpi.metric}' is not measured a class.", hint="Leave the [class] away.")
    _check_choice(kpi, "class", kpi.label, classes.names)


def check_range(kpi: Kpi, unit: str) -> None:
    """Refuse a bound outside of what a metric of a unit can be, or one that no value keeps, such as f1 > 1.

    Raises:
        UsageError: saying what can be.
    """
    if unit == SHARE and abs(kpi.bound) > _LARGEST_SHARE_BOUND:
        raise UsageError(
            f"KPI '{kpi}': '{kpi.metric}' is a share between 0 and 1.",
            hint=f"{kpi.bound:g} % is written {kpi.bound / 100:g} or {kpi.bound:g}%.",
        )
    low, high = _RANGES.get(unit, (-math.inf, math.inf))
    best = high if kpi.op.startswith(">") else low
    if low <= kpi.bound <= high and OPERATORS[kpi.op](best, kpi.bound):
        return
    span = f"is at most {high:g}" if math.isinf(low) else f"lies between {low:g} and {high:g}"
    share = f"is a share and {span}" if unit == SHARE else span
    never = "no value can be there" if low <= kpi.bound <= high else "the bound lies outside"
    example = 0.9 if kpi.op.startswith(">") else 0.1
    raise UsageError(f"KPI '{kpi}': '{kpi.metric}' {share}: {never}.", hint=f"Such as '{kpi.key} {kpi.op} {example}'.")


def _check_choice(kpi: Kpi, what: str, name: str | None, known: tuple[str, ...]) -> None:
    if name is None or name in known:
        return
    guess = suggestion(name, known)
    hint = f"Did you mean '{guess}'?" if guess else f"Known: {', '.join(known[:20])}{' …' if len(known) > 20 else ''}."
    raise UsageError(f"KPI '{kpi}': no {what} is called '{name}'.", hint=hint)


@dataclass(frozen=True, slots=True, eq=False)
class MeasureRequest:
    """What to measure.

    Attributes:
        task: `classify`, `multilabel` or `regress`.
        truth: int64 (N,) class ids, bool (N, C), or float64 (N,) values, by task.
        predictions: of the same photos in the same order.
        classes: the class map; empty for `regress`.
        thresholds: a class; `multilabel` says yes at or above it; 0.5 each when empty.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """

    task: str
    truth: np.ndarray[Any, np.dtype[Any]]
    predictions: Predictions
    classes: ClassMap
    _: KW_ONLY
    thresholds: tuple[float, ...] = ()
    resamples: int = 1000
    seed: int = 0


def measure(request: MeasureRequest) -> Measurement:
    """Measure every metric of a task.

    Raises:
        DataError: shapes do not fit, class ids are out of range, or a score is not a number.
    """
    from vision_cli.metrics import subject

    return subject.measure(subject.checked(request))
