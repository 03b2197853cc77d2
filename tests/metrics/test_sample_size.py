"""The advice on sample sizes against the gate itself: so many photos prove the KPI as often as it says.

Test sets are drawn here, with numpy alone; the verdict is that of `core.kpi.judge` over the metrics' own intervals.
"""

import numpy as np
import pytest

from vision_cli.core import kpi
from vision_cli.core.dataset import ClassMap
from vision_cli.core.detections import Detections, Truth
from vision_cli.metrics import classification, decisions, regression, sample_size, speed
from vision_cli.metrics.detection import ObjectsRequest, measure
from vision_cli.metrics.intervals import wilson
from vision_cli.metrics.sample_size import POWER, Classes, Goal
from vision_cli.metrics.subject import Subject

SETS = 300
LEAST, MOST = 0.73, 0.89
"""Three standard errors of 300 draws around 0.8, and above it what whole numbers of errors add."""


def subject(task, truth, scores, names):
    return Subject(task, truth, scores, names, np.full(len(names), 0.5), resamples=200)


def answers(truth, wrong, classes, rng):
    """Return one-hot scores; each wrong answer is evenly any of the other classes."""
    said = np.where(wrong, (truth + rng.integers(1, classes, len(truth))) % classes, truth)
    return np.eye(classes)[said]


def classified(n, classes, true, rng):
    truth = rng.integers(0, classes, n)
    return subject(
        "classify", truth, answers(truth, rng.random(n) > true, classes, rng), tuple(map(str, range(classes)))
    )


def passes(target, figures, n):
    found = kpi.parse(target, confidence=0.95)
    intervals = {key: spread.at(0.95) for key, spread in figures.spreads.items()}
    return kpi.judge(found, figures.values, {k: v for k, v in intervals.items() if v}, n_photos=n, runtime="torch").met


def share_proved(target, n, measured):
    rng = np.random.default_rng(1)
    return np.mean([passes(target, measured(rng), n) for _ in range(SETS)])


@pytest.mark.parametrize(("bound", "true"), [(0.9, 0.95), (0.8, 0.9), (0.98, 0.99)])
def test_accuracy_is_proved_as_often_as_the_advice_says(bound, true):
    n = sample_size.trials_of_share(Goal(bound, true))
    found = share_proved(f"top1 > {bound}", n, lambda rng: classification.measure(classified(n, 3, true, rng)))
    assert LEAST < found < MOST


@pytest.mark.parametrize(("bound", "true", "classes"), [(0.9, 0.95, 2), (0.8, 0.9, 5), (0.9, 0.95, 10)])
def test_macro_f1_is_proved_as_often_as_the_advice_says(bound, true, classes):
    n = sample_size.photos_of_average(
        Goal(bound, true), Classes((1 / classes,) * classes, f_score=True, exclusive=True)
    )
    found = share_proved(f"f1 > {bound}", n, lambda rng: decisions.measure(classified(n, classes, true, rng)))
    assert LEAST < found < MOST


def test_multilabel_f1_is_proved_as_often_as_the_advice_says():
    classes, share, true = 6, 0.3, 0.9
    n = sample_size.photos_of_average(Goal(0.85, true), Classes((share,) * classes, f_score=True))

    def measured(rng):
        truth = rng.random((n, classes)) < share
        flipped = np.where(
            truth, rng.random(truth.shape) > true, rng.random(truth.shape) < (1 - true) * share / (1 - share)
        )
        return decisions.measure(
            subject("multilabel", truth, (truth ^ flipped).astype(float), tuple(map(str, range(classes))))
        )

    assert LEAST < share_proved("f1 > 0.85", n, measured) < MOST


def test_mean_absolute_error_is_proved_as_often_as_the_advice_says():
    bound, true = 2.0, 1.6
    spread = np.sqrt(np.pi / 2 - 1)  # of the absolute value of a normal error
    n = sample_size.photos_of_mean(Goal(bound, true), spread)

    def measured(rng):
        truth = rng.normal(0, 10, n)
        return regression.measure(
            subject("regress", truth, (truth + rng.normal(0, true * np.sqrt(np.pi / 2), n))[:, None], ("value",))
        )

    assert LEAST < share_proved("mae < 2", n, measured) < MOST


def test_the_95th_percentile_is_proved_as_often_as_the_advice_says():
    n = sample_size.photos_of_percentile(0.95, 0.98)
    bound = -np.log(0.02)  # 98 % of exponential times lie below it
    rng = np.random.default_rng(2)
    found = []
    for _ in range(SETS):
        measurement = speed.measure_latency(rng.exponential(1, n))
        target = kpi.parse(f"latency_ms.p95 < {bound:.9f}", confidence=0.95)
        found.append(kpi.judge(target, measurement.values, measurement.intervals, n_photos=n, runtime="torch").met)
    assert LEAST < np.mean(found) < MOST


@pytest.mark.parametrize("trials", [7, 40, 1000])
def test_many_lower_ends_are_those_of_wilson(trials):
    hits = np.arange(trials + 1)
    ends = sample_size.lower(hits / trials, np.full(trials + 1, float(trials)), Goal(0.5, 0.6).z)
    assert ends == pytest.approx([wilson(hit / trials, trials, 0.95).low for hit in hits], abs=1e-12)


def test_fewer_photos_prove_less_and_a_higher_bound_takes_more():
    sizes = [sample_size.trials_of_share(Goal(bound, (1 + bound) / 2)) for bound in (0.5, 0.8, 0.9, 0.98, 0.99)]
    assert sizes == sorted(sizes)
    rng = np.random.default_rng(3)
    half = sizes[2] // 2
    found = [passes("top1 > 0.9", classification.measure(classified(half, 3, 0.95, rng)), half) for _ in range(SETS)]
    assert np.mean(found) < POWER - 0.2


def test_what_no_number_of_photos_proves_has_no_size():
    assert sample_size.trials_of_share(Goal(0.9, 0.9)) is None
    assert sample_size.photos_of_average(Goal(0.9, 0.85), Classes((0.5, 0.5))) is None
    assert sample_size.photos_of_mean(Goal(1.0, 1.0), 0.7) is None
    assert sample_size.photos_of_percentile(0.95, 0.95) is None


def found_objects(photos, rng):
    """Return two objects a photo, of which 65 % are found, and 0.3 false boxes an object: an AP50 of about 0.64."""
    truth_photo = np.repeat(np.arange(photos), 2)
    truth = np.tile([[10.0, 10.0, 20.0, 20.0], [60.0, 60.0, 20.0, 20.0]], (photos, 1))
    hit = np.flatnonzero(rng.random(len(truth)) < 0.65)
    false = rng.integers(0, photos, rng.poisson(0.3 * len(truth)))
    nowhere = np.tile([[110.0, 110.0, 20.0, 20.0]], (len(false), 1))
    sizes = np.full((photos, 2), 160)
    said = Detections(
        sizes,
        np.concatenate([truth_photo[hit], false]),
        np.zeros(len(hit) + len(false), np.int64),
        np.concatenate([truth[hit], nowhere]),
        scores=np.concatenate([rng.beta(4, 1.5, len(hit)), rng.beta(1.5, 4, len(false))]),
    )
    flags = np.zeros(len(truth), np.bool_)
    areas = np.full(len(truth), 400.0)
    no_class = np.zeros(len(truth), np.int64)
    return Truth(sizes, truth_photo, no_class, truth, areas=areas, crowd=flags, difficult=flags), said


def test_an_object_is_about_one_trial_of_ap50():
    rng = np.random.default_rng(4)
    names = ClassMap(("thing",))
    whole = measure(ObjectsRequest(*found_objects(4000, rng), names, resamples=1)).measurement.values["ap50"]
    photos = -(-sample_size.trials_of_share(Goal(whole - 0.12, whole)) // 2)
    target = kpi.parse(f"ap50 > {whole - 0.12:.6f}", confidence=0.95)
    met = []
    for _ in range(100):
        found = measure(ObjectsRequest(*found_objects(photos, rng), names, resamples=100)).measurement
        met.append(kpi.judge(target, found.values, found.intervals, n_photos=photos, runtime="torch").met)
    assert 0.66 < np.mean(met) < 0.94  # three standard errors of 100 draws
