"""Figures by weight are those of photos that are really drawn again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from simulated_objects import scene
from simulated_pixels import answered, blocks
from simulated_predictions import Array, classified, labelled, names

from vision_cli.core.dataset import ClassMap
from vision_cli.core.predictions import Predictions
from vision_cli.metrics import METRICS, MeasureRequest, measure
from vision_cli.metrics.detection import ObjectsRequest
from vision_cli.metrics.detection.arrays import by_class, whole
from vision_cli.metrics.detection.evaluator import evaluate
from vision_cli.metrics.semantic.tallies import Tallies
from vision_cli.metrics.subject import checked
from vision_cli.metrics.weighted import Part
from vision_cli.metrics.weighted import objects as weighted_objects
from vision_cli.metrics.weighted.photos import parts


def request(task: str, rng: np.random.Generator, n: int = 60) -> MeasureRequest:
    """Draw truth and answers with ties and classes that some draws lose."""
    if task == "classify":
        truth, said = classified(rng, n, 6, 1.0, decimals=2)
        return MeasureRequest(task, truth, said, names(6), resamples=2)
    if task == "multilabel":
        truth, said = labelled(rng, n, 4, decimals=2)
        return MeasureRequest(task, truth, said, names(4), thresholds=(0.3, 0.5, 0.5, 0.7), resamples=2)
    truth = rng.normal(size=n)
    values = (truth + rng.normal(size=n))[:, None]
    return MeasureRequest(task, truth, Predictions(values, values), ClassMap(), resamples=2)


def read(found: list[Part], weights: Array) -> dict[str, float]:
    return {key: float(each) for part in found for key, each in zip(part.keys, part.figures(weights)[0], strict=True)}


@pytest.mark.parametrize("task", ["classify", "multilabel", "regress"])
def test_weights_are_photos_drawn_again(task: str) -> None:
    rng = np.random.default_rng(3)
    asked = request(task, rng)
    weighted = parts(checked(asked), set(METRICS))
    for draw in range(4):
        rows = np.arange(60) if draw == 0 else rng.integers(0, 60, 60)
        said = Predictions(asked.predictions.scores[rows], asked.predictions.raw[rows])
        expected = measure(replace(asked, truth=asked.truth[rows], predictions=said)).values
        found = read(weighted, np.bincount(rows, minlength=60).astype(np.float64)[None])
        missing = set(expected) - set(found)
        assert missing == ({"max_error"} if task == "regress" else set())
        for key, value in expected.items():
            if key not in missing:
                assert found[key] == pytest.approx(np.nan if value is None else value, nan_ok=True), key


def test_only_what_is_asked_is_computed() -> None:
    asked = checked(request("classify", np.random.default_rng(0)))
    assert [part.keys for part in parts(asked, {"log_loss"})] == [("log_loss",)]
    assert parts(asked, {"miou"}) == []


def test_objects_by_weight_are_the_evaluators() -> None:
    truth, said = scene(4, photos=25, objects=8)
    found = weighted_objects.parts(
        ObjectsRequest(truth, said, ClassMap(("a", "b", "c"))), ("ap50", "ap", "ap60", "recall", "f1")
    )
    figures = read(found, np.ones((1, 25)))
    judged = evaluate(truth, said, 3, more_ious=(0.6,))
    for name in ("ap50", "ap", "ap60"):
        assert figures[name] == pytest.approx(whole(judged, name), abs=0.01)
        assert [figures[f"{name}[{label}]"] for label in "abc"] == pytest.approx(by_class(judged, name), abs=0.01)
    assert {"recall", "recall[a]", "f1[c]", "f1_micro"} <= set(figures)


def pixel_tallies(number: int) -> Tallies:
    """Tally so many photos; fewer are the first of more."""
    found = Tallies(3)
    for seed in range(number):
        rng = np.random.default_rng(seed)
        truth = blocks(rng, 3)
        found.add(truth, answered(rng, truth, 3))
    return found


def test_pixels_by_weight_are_those_of_the_photos_left() -> None:
    from vision_cli.metrics.semantic.measuring import measure as measure_pixels
    from vision_cli.metrics.semantic.measuring import questions
    from vision_cli.metrics.weighted.sums import parts as of_sums

    labels = ("a", "b", "c")
    every, half = (pixel_tallies(number) for number in (12, 6))
    weights = np.repeat([1.0, 0.0], 6)[None]
    found = read(of_sums(questions(every, labels), {"miou", "boundary_f1"}), weights)
    expected = measure_pixels(half, labels, resamples=2).values
    for key in ("miou", "iou[a]", "dice", "pixel_accuracy"):
        assert found[key] == pytest.approx(expected[key]), key
