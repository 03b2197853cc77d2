"""COCO's numbers: published ones, pycocotools' arrays, perfect and empty detections."""

from __future__ import annotations

import json
from dataclasses import replace

import coco_golden
import numpy as np
import pytest
from simulated_objects import nothing, perfect, scene, with_masks

from vision_cli.core.dataset import ClassMap
from vision_cli.core.detections import Detections, Truth
from vision_cli.core.errors import AnswerIsNo, DataError
from vision_cli.core.kpi import parse
from vision_cli.metrics import METRICS, check_kpi, metric_card, names_of
from vision_cli.metrics.detection import ObjectsRequest, arrays, measure
from vision_cli.metrics.detection.crosscheck import crosscheck
from vision_cli.metrics.detection.evaluator import FALSE, HIT, IGNORED, Kind, Verdicts, evaluate

NAMES = ClassMap(("car", "pedestrian", "a b"))
golden = pytest.mark.skipif(not coco_golden.FOLDER.is_dir(), reason="the shared data is not here")


def scene_of(kind: Kind, seed: int = 0, photos: int = 30) -> tuple[Truth, Detections]:
    truth, detections = scene(seed, photos)
    return (with_masks(truth), with_masks(detections)) if kind == "masks" else (truth, detections)  # type: ignore[return-value]


@golden
@pytest.mark.parametrize("kind", ["boxes", "masks"])
def test_the_published_twelve_numbers(kind: Kind) -> None:
    truth, detections, n_classes = coco_golden.read(kind)
    classes = ClassMap(tuple(f"c{row}" for row in range(n_classes)))
    found = measure(ObjectsRequest(truth, detections, classes, kind=kind, resamples=20)).measurement.values
    assert [found[name] for name in arrays.TWELVE] == pytest.approx(coco_golden.expected(kind), abs=1e-6)


@golden
@pytest.mark.parametrize("kind", ["boxes", "masks"])
def test_the_arrays_are_those_of_pycocotools(kind: Kind) -> None:
    truth, detections, n_classes = coco_golden.read(kind)
    judged = evaluate(truth, detections, n_classes, kind=kind, more_ious=(0.3,))
    assert crosscheck(judged) == {"precision": 0.0, "recall": 0.0, "scores": 0.0}
    assert judged.precision.shape == (11, 101, n_classes, 4, 3)


@pytest.mark.parametrize("kind", ["boxes", "masks"])
@pytest.mark.parametrize("seed", range(4))
def test_the_arrays_of_a_simulation_are_those_of_pycocotools(kind: Kind, seed: int) -> None:
    truth, detections = scene_of(kind, seed)
    judged = evaluate(truth, detections, 3, kind=kind)
    assert max(crosscheck(judged).values()) == 0
    assert 0.05 < (arrays.whole(judged, "ap") or 0) < 0.95


def test_a_crosscheck_that_fails_says_what() -> None:
    judged = evaluate(*scene(), 3)
    wrong = replace(judged, recall=judged.recall + 2e-6)
    with pytest.raises(AnswerIsNo, match="differ: recall by 2e-06"):
        crosscheck(wrong)
    assert crosscheck(replace(judged, recall=judged.recall + 1e-7))["recall"] == pytest.approx(1e-7)


@pytest.mark.parametrize("kind", ["boxes", "masks"])
def test_perfect_detections_give_one(kind: Kind) -> None:
    truth, _ = scene_of(kind, photos=90)
    # One object a class and photo: with two, one detection a class and photo (AR 1) cannot find all.
    _, first = np.unique(truth.photo * 3 + truth.class_id, return_index=True)
    truth = truth.select(first)
    found = measure(ObjectsRequest(truth, perfect(truth), NAMES, kind=kind, names=("ap35",), resamples=50))
    values, intervals = found.measurement.values, found.measurement.intervals
    assert len(values) > 80
    for key, value in values.items():
        lower = metric_card(key.split("[")[0], "detect").better == "lower"
        assert value == pytest.approx(0.0 if lower else 1.0, abs=1e-12), key
        assert key.startswith("count") or intervals[key].low <= value <= intervals[key].high
    assert intervals["ap50"].low < 0.999  # A finite number of photos shows no certainty.
    assert sum(found.errors.values()) == 0
    assert (found.confusion[:3, :3].sum(), found.confusion.sum()) == ((~truth.ignored).sum(),) * 2


@pytest.mark.parametrize("kind", ["boxes", "masks"])
def test_no_detections_give_zero(kind: Kind) -> None:
    truth, detections = scene_of(kind)
    found = measure(ObjectsRequest(truth, nothing(detections), NAMES, kind=kind, names=("ap60",), resamples=50))
    number = int((~truth.ignored).sum())
    shares = {key: value for key, value in found.measurement.values.items() if not key.startswith(("count", "error"))}
    assert set(shares.values()) == {0.0}
    assert found.measurement.values["count_mae"] == pytest.approx(number / truth.n_photos)
    assert found.measurement.values["count_under"] == found.measurement.values["count_mae"]
    assert (found.errors["missed"], found.confusion[:3, 3].sum()) == (number, number)


def test_every_line_of_the_table_is_measured_and_nothing_else() -> None:
    truth, detections = scene()
    found = measure(ObjectsRequest(truth, detections, NAMES, confidences=(0.5,), resamples=40)).measurement
    wanted = set()
    for name in names_of("detect"):
        card = metric_card(name, "detect")
        if card.source == "predictions" and not name.startswith("oks"):
            wanted |= {name} | ({f"{name}[{label}]" for label in NAMES.names} if card.per_class else set())
    assert found.values.keys() == wanted
    assert found.intervals.keys() == wanted
    for key, interval in found.intervals.items():
        assert interval.low <= (found.values[key] or 0) <= interval.high, key
    assert found.n_photos == 30


@pytest.mark.parametrize(
    "text",
    [
        *("ap50>0.6", "ap_small>0.2", "recall[pedestrian]>=0.9", "count_mae<1", "f1>0.98", "ap60[a b]>0.5"),
        *("ap>0.4", "ap01>0.5", "error_background<5%", "latency_ms<33 @ tflite", "ar_100>=0.5", "voc2012_ap>0.7"),
    ],
)
@pytest.mark.parametrize("task", ["detect", "instance"])
def test_a_kpi_of_objects(text: str, task: str) -> None:
    kpi = parse(text)
    check_kpi(kpi, task, NAMES)
    if kpi.metric in METRICS and metric_card(kpi.metric).source == "stage":
        return
    found = measure(ObjectsRequest(*scene(), NAMES, confidences=(0.5,), names=(kpi.metric,), resamples=200))
    judgement = found.measurement.judge(parse(text, confidence=0.9), runtime="torch")
    assert judgement.verdict in ("pass", "fail", "not enough evidence")
    assert judgement.interval is not None
    assert judgement.interval.confidence == 0.9


@pytest.mark.parametrize(
    ("text", "task", "message"),
    [
        ("ap60>0.5", "multilabel", "unknown metric 'ap60'"),
        ("ap00>0.5", "detect", "unknown metric 'ap00'"),
        ("ap60>0.5", "semantic", "unknown metric 'ap60'"),
        ("count_mae<0", "detect", "no value can be there"),
        ("ap50[cat]>0.5", "detect", "no class is called 'cat'"),
        ("error_class[car]<0.1", "detect", "not measured a class"),
        ("top1>0.5", "detect", "'top1' is measured for classify"),
    ],
)
def test_a_kpi_that_objects_do_not_have(text: str, task: str, message: str) -> None:
    with pytest.raises(Exception, match=message):
        check_kpi(parse(text), task, NAMES)


def test_a_name_means_what_its_task_means() -> None:
    assert metric_card("ap").per_class == "only"
    assert metric_card("ap", "detect").per_class is True
    assert metric_card("f1", "instance").module != metric_card("f1").module


def test_order_and_codes_are_the_librarys() -> None:
    """The library's private table of outcomes is read by its order and its codes."""
    truth, detections = scene()
    judged = evaluate(truth, detections, 3)
    verdicts = judged.verdicts("all", judged.order())
    matching = judged.matching()
    assert np.array_equal(verdicts.outcomes[:, 0], matching.outcomes[verdicts.rows])
    assert {IGNORED, HIT, FALSE} == set(np.unique(verdicts.outcomes).tolist())
    rows, scores = judged.order()
    with pytest.raises(DataError, match="orders its verdicts otherwise"):
        judged.verdicts("all", (rows[::-1], scores[::-1]))


def test_a_limit_keeps_the_first_of_each_class_and_photo() -> None:
    truth, detections = scene(objects=12)
    judged = evaluate(truth, detections, 3)
    kept = judged.verdicts("all", judged.order()).limited(judged, 2)
    assert isinstance(kept, Verdicts)
    group = detections.class_id[kept.rows] * 1000 + detections.photo[kept.rows]
    assert np.unique(group, return_counts=True)[1].max() == 2
    for one in np.unique(group):
        own = detections.class_id * 1000 + detections.photo == one
        assert detections.scores[kept.rows[group == one]].min() >= np.sort(detections.scores[own])[::-1][:2].min()


def test_what_difficult_objects_and_crowds_do() -> None:
    """A detection on an object that need not be found counts neither way."""
    sizes = np.array([[100, 100]])
    boxes = np.array([[10.0, 10, 20, 20], [50, 50, 40, 40]])
    for flag in ("crowd", "difficult"):
        flags = {"crowd": np.zeros(2, np.bool_), "difficult": np.zeros(2, np.bool_), flag: np.array([False, True])}
        truth = Truth(sizes, np.zeros(2, np.int64), np.zeros(2, np.int64), boxes, areas=np.full(2, 400.0), **flags)
        said = Detections(sizes, np.zeros(2, np.int64), np.zeros(2, np.int64), boxes, scores=np.array([0.8, 0.9]))
        found = measure(ObjectsRequest(truth, said, ClassMap(("a",)), confidences=(0.5,), resamples=5))
        for key in ("ap", "ap50", "voc2012_ap", "precision", "recall", "f1"):
            assert found.measurement.values[key] == 1.0, (flag, key)
        assert found.measurement.values["count_mae"] == 0.0


def test_no_photos_and_absent_classes() -> None:
    truth, detections = scene()
    empty = np.zeros(0, np.int64)
    none = {"areas": np.zeros(0), "crowd": empty > 0, "difficult": empty > 0}
    sizes = np.zeros((0, 2), np.int64)
    request = ObjectsRequest(
        Truth(sizes, empty, empty, np.zeros((0, 4)), **none),
        Detections(sizes, empty, empty, np.zeros((0, 4)), scores=np.zeros(0)),
        NAMES,
    )
    found = measure(request).measurement
    assert (dict(found.values), found.n_photos) == ({}, 0)
    more = ClassMap((*NAMES.names, "absent"))
    found = measure(ObjectsRequest(truth, detections, more, resamples=20)).measurement
    assert found.values["ap[absent]"] is found.values["recall[absent]"] is None
    same = measure(ObjectsRequest(truth, detections, NAMES, resamples=20)).measurement
    assert found.values["ap50"] == same.values["ap50"]
    assert "no object of 'absent'" in found.warnings[0]
    assert "no confidence was chosen" in found.warnings[1]


def test_masks_are_needed_where_there_are_objects() -> None:
    truth, said = scene_of("masks")
    bare = replace(said, masks=None)
    with pytest.raises(DataError, match="both need masks"):
        measure(ObjectsRequest(truth, bare, NAMES, kind="masks"))
    found = measure(ObjectsRequest(truth, nothing(bare), NAMES, kind="masks", resamples=5)).measurement.values
    assert found["ap"] == 0.0


def test_labels_and_detections_of_other_photos() -> None:
    truth, said = scene()
    with pytest.raises(DataError, match="labels of 30 photos and detections in 29 do not fit"):
        measure(ObjectsRequest(truth, replace(said, sizes=said.sizes[:-1]), NAMES))


def test_no_objects_at_all() -> None:
    truth, detections = scene()
    found = measure(ObjectsRequest(truth.select(np.zeros(len(truth), np.bool_)), detections, NAMES, resamples=20))
    assert found.measurement.values["ap"] is None
    assert found.measurement.values["count_over"] == pytest.approx((detections.scores >= 0.5).sum() / 30)
    assert found.errors["background"] == len(detections)


def test_the_curve_is_the_area_of_ap50() -> None:
    truth, detections = scene()
    found = measure(ObjectsRequest(truth, detections, NAMES, resamples=5))
    assert found.curves.precision.mean() == pytest.approx(found.measurement.values["ap50"])
    listed = found.curves.as_json(NAMES.names)
    assert set(listed) == set(NAMES.names)
    assert all(len(column) == 101 for column in listed["car"].values())
    assert found.settings["evaluator"] == "ultrafast-pycocotools"
    assert "crosscheck" not in found.settings


def test_what_a_run_keeps_beside_the_measurement() -> None:
    found = measure(ObjectsRequest(*scene(), NAMES, confidences=(0.3, 0.4, 0.5), crosscheck=True, resamples=5))
    kept = json.loads(json.dumps(found.as_json(NAMES.names)))
    assert kept["confusion"]["classes"] == ["car", "pedestrian", "a b", "background"]
    assert len(kept["confusion"]["matrix"]) == 4
    assert kept["evaluation"]["confidence"] == [0.3, 0.4, 0.5]
    assert kept["evaluation"]["crosscheck"] == {"precision": 0.0, "recall": 0.0, "scores": 0.0}
    assert set(kept["errors"]) == {"class", "location", "both", "duplicate", "background", "missed"}
