"""The table of metrics, and what a KPI may ask of it."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest
from simulated_predictions import classified, labelled, names

from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.kpi import parse
from vision_cli.core.predictions import Predictions
from vision_cli.core.tasks import TASKS
from vision_cli.metrics import METRICS, MeasureRequest, check_kpi, measure, metric_card, names_of, ratings, speed

SEASONS = ClassMap(("summer", "winter", "[/]", "a b"))
RNG = np.random.default_rng(5)


@pytest.mark.parametrize("name", list(METRICS))
def test_every_line_loads_and_says_all(name: str) -> None:
    card = metric_card(name)
    assert METRICS.load(name).__doc__
    assert card.summary
    assert card.unit
    assert card.better in ("higher", "lower")
    assert set(card.tasks) <= set(TASKS)
    assert all(task in card.tasks and task in other.tasks for task, other in card.by_task.items())


@pytest.mark.parametrize("task", ["classify", "multilabel", "regress"])
def test_every_line_of_a_task_is_measured_and_nothing_else(task: str) -> None:
    """A KPI that the table allows must find its key in what `measure` returns."""
    if task == "classify":
        truth, predictions = classified(RNG, 50, 4, 1.0)
    elif task == "multilabel":
        truth, predictions = labelled(RNG, 50, 4)
    else:
        values = RNG.normal(size=(50, 1))
        truth, predictions = RNG.normal(size=50), Predictions(values, values)
    classes = SEASONS if task != "regress" else ClassMap()
    found = measure(MeasureRequest(task, truth, predictions, classes, resamples=20))
    keys = set()
    for name in names_of(task):
        card = metric_card(name)
        if card.source == "predictions":
            keys |= {name} if card.per_class != "only" else set()
            keys |= {f"{name}[{label}]" for label in classes.names} if card.per_class else set()
    assert found.values.keys() == keys
    assert all(value is not None for value in found.values.values())
    assert found.intervals.keys() == keys - {"max_error"}
    for key, interval in found.intervals.items():
        assert interval.low <= (found.values[key] or 0) <= interval.high


def test_ratings_and_speed_lines_are_measured() -> None:
    people = ratings.read_ratings("photo,rater,rating\na,x,yes\nb,x,no\na,y,yes\nb,y,yes\n", "r.csv")
    found = ratings.measure_ratings(people, resamples=20).values.keys()
    assert found == {name for name in METRICS if metric_card(name).source == "ratings"}
    assert speed.measure_latency([1.0, 2.0]).values.keys() <= set(METRICS)


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("f1>0.98", "classify"),
        ("F1[winter]>0.98", "classify"),
        ("recall[[/]]>98%", "multilabel"),
        ("precision[a b]>0.5", "multilabel"),
        ("ap[winter]>0.5", "multilabel"),
        ("latency_ms<33 @ tflite", "regress"),
        ("mae<3", "regress"),
        ("top1>=0", "classify"),
        ("f1>=1", "classify"),
        ("top1_error<=0", "classify"),
        ("fleiss_kappa>-0.5", "classify"),
        ("r2>-3", "regress"),
        ("acceptance>0.8", "classify"),
        ("size_mb<300", "classify"),
    ],
)
def test_a_kpi_that_can_be_judged(text: str, task: str) -> None:
    check_kpi(parse(text), task, SEASONS if task != "regress" else ClassMap())


@pytest.mark.parametrize(
    ("text", "task", "message"),
    [
        ("f2>0.98", "classify", "unknown metric 'f2'.*Known: .*f1"),
        ("balanced_acuracy>0.9", "classify", "Did you mean 'balanced_accuracy'"),
        ("zzzzzz>0.9", "classify", "unknown metric 'zzzzzz'.*Known: top1"),
        ("latency_ms.p90<33", "classify", "Did you mean 'latency_ms.p"),
        ("mae<3", "classify", "'mae' is measured for regress, and the task is classify"),
        ("f1>0.9", "regress", "'f1' is measured for classify and multilabel.*mae"),
        ("f1>1.1", "classify", "is a share and lies between 0 and 1: the bound lies outside"),
        ("f1>1", "classify", "between 0 and 1: no value can be there"),
        ("r2>1.5", "regress", "is at most 1"),
        ("fleiss_kappa>2", "classify", "between -1 and 1"),
        ("ece<0.1", "multilabel", "'ece' is measured for classify"),
        ("f1[wintr]>0.9", "classify", "no class is called 'wintr'.*Did you mean 'winter'"),
        ("f1[xyz]>0.9", "classify", "Known: summer, winter"),
        ("f1[ winter]>0.9", "classify", "no class is called ' winter'"),
        ("top1[winter]>0.9", "classify", "not measured a class"),
        ("ap>0.9", "multilabel", r"Write ap\[class\]"),
        ("f1>98", "classify", "share between 0 and 1.*0.98 or 98%"),
        ("top5_error<10", "classify", "share between 0 and 1"),
        ("latency_ms<33 @ tflit", "classify", "no runtime is called 'tflit'.*Did you mean 'tflite'"),
    ],
)
def test_a_kpi_that_cannot_be_judged_is_refused_with_a_guess(text: str, task: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_kpi(parse(text), task, SEASONS)
    assert caught.value.exit_code == 2
    assert re.search(message, f"{caught.value.message} {caught.value.hint}", re.DOTALL)


def test_the_table_imports_nothing_heavy() -> None:
    heavy = ("numpy", "pyarrow", "torch", "sklearn", "scipy", "pydantic")
    code = f"import sys, vision_cli.metrics; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_measuring_needs_neither_torch_nor_sklearn() -> None:
    code = (
        "import sys, numpy as np\nfrom vision_cli.metrics import MeasureRequest, measure\n"
        "from vision_cli.core.dataset import ClassMap\nfrom vision_cli.core.predictions import Predictions\n"
        "s = np.eye(2)[[0, 1, 1]]\n"
        "measure(MeasureRequest('classify', np.array([0, 1, 0]), Predictions(s, s), ClassMap(('a', 'b'))))\n"
        "print([m for m in ('torch', 'sklearn', 'scipy', 'cv2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


SCORES = np.full((3, 2), 0.5)


@pytest.mark.parametrize(
    ("task", "truth", "scores", "n_classes", "message"),
    [
        ("classify", np.array([0, 1]), SCORES, 2, "do not fit"),
        ("classify", np.array([0, 1, 0]), SCORES, 3, "do not fit"),
        ("classify", np.array([0, 1, 2]), SCORES, 2, "class ids run from 0 to 2"),
        ("classify", np.array([0, 1, -1]), SCORES, 2, "class ids run from -1"),
        ("classify", np.array([0, 1, 1]), np.full((3, 2), np.nan), 2, "not a number on 3 of 3"),
        ("multilabel", np.zeros((3, 1), bool), SCORES, 2, "do not fit"),
        ("multilabel", np.zeros(3, bool), SCORES, 2, "do not fit"),
        ("regress", np.zeros(3), SCORES, 0, "do not fit"),
        ("regress", np.array([0.0, np.nan, 1.0]), SCORES[:, :1], 0, "not a finite number"),
        ("regress", np.zeros(3), np.array([[1.0], [np.inf], [2.0]]), 0, "not a number on 1 of 3"),
    ],
)
def test_what_does_not_fit_is_refused(task: str, truth, scores, n_classes: int, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DataError, match=message):
        measure(MeasureRequest(task, truth, Predictions(scores, scores), names(n_classes)))


def test_a_threshold_a_class_is_demanded() -> None:
    with pytest.raises(DataError, match="expected 2 thresholds"):
        measure(
            MeasureRequest(
                "multilabel", np.zeros((3, 2), bool), Predictions(SCORES, SCORES), names(2), thresholds=(0.5,)
            )
        )


def test_no_photos_measure_nothing() -> None:
    empty = np.zeros((0, 2))
    found = measure(MeasureRequest("classify", np.zeros(0, np.int64), Predictions(empty, empty), names(2)))
    assert (dict(found.values), found.n_photos) == ({}, 0)
    assert "no photos" in found.warnings[0]
    assert not found.judge(parse("f1>=0"), runtime="torch").met


def test_the_seed_decides_the_intervals() -> None:
    truth, predictions = classified(np.random.default_rng(1), 200, 3, 1.0)
    first, again, other = (
        measure(MeasureRequest("classify", truth, predictions, names(3), seed=seed)) for seed in (1, 1, 2)
    )
    assert first.intervals == again.intervals
    assert first.intervals["log_loss"] != other.intervals["log_loss"]


def test_latency_percentiles_have_intervals() -> None:
    times = np.random.default_rng(0).lognormal(3.0, 0.2, 400)
    found = speed.measure_latency(times.tolist())
    assert found.values["latency_ms.p95"] == pytest.approx(float(np.percentile(times, 95)))
    interval = found.intervals["latency_ms.p50"]
    assert interval.low < 20.0855 < interval.high  # exp(3), the true median
    assert found.judge(parse("latency_ms < 1000", confidence=0.99), runtime="torch").met
    assert speed.measure_latency([]).values == {"latency_ms.p50": None, "latency_ms.p95": None}
    assert speed.measure_latency([1.0, float("nan")]).values["latency_ms.p50"] is None
