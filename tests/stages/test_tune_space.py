"""`vision tune`: what can be searched, and what is refused by its key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vision_cli.core import project as projects
from vision_cli.core.errors import UsageError
from vision_cli.stages.searching.axis import Axis
from vision_cli.stages.tuning import applied, space
from vision_cli.stages.tuning.space import Facts

pytest.importorskip("optuna")

OF_TIMM = Facts("timm", (224, 224))


def knobs(tmp_path: Path, search: str, facts: Facts = OF_TIMM) -> tuple[Any, ...]:
    file = tmp_path / "vision.yaml"
    file.write_text(f"name: x\ntune: {{search: {search}}}\n")
    loaded = projects.load(file)
    return space.space(loaded, loaded.config.tune.search, facts)


@pytest.mark.parametrize(
    ("search", "match"),
    [
        ("{learning_rat: null}", "tune.search.learning_rat: no such setting.*'learning_rate'"),
        ("{learning_rate: [0, 0.1]}", "tune.search.learning_rate: a range by ratios begins above 0"),
        ("{learning_rate: [-1, 0.1]}", "tune.search.learning_rate"),
        ("{learning_rate: [0.1, 0.01]}", "tune.search.learning_rate: .0.1, 0.01. is no range"),
        ("{learning_rate: [0.1, 0.1]}", "is no range"),
        ("{learning_rate: [0.1, 20]}", "tune.search.learning_rate: 20: .*less than or equal to 10"),
        ("{learning_rate: [low, high]}", "tune.search.learning_rate.*no range of numbers"),
        ("{dropout: [0, 1]}", "tune.search.dropout: 1.*less than 1"),
        ("{augment: []}", "tune.search.augment: the list is empty"),
        ("{augment: [none]}", "tune.search.augment: one value"),
        ("{augment: [none, wild]}", "tune.search.augment: wild: .*'medium'"),
        ("{augment: {low: 0, high: 1}}", "tune.search.augment: .*no number"),
        ("{optimizer: [adamw, rmsprop]}", "tune.search.optimizer: rmsprop"),
        ("{backbone: null}", "tune.search.backbone: there is no usual range"),
        ("{backbone: [tf_efficientnet_lite0, resnot18]}", "tune.search.backbone: the family 'timm' has no backbone"),
        ("{image_size: [160, 9]}", "tune.search.image_size: 9: .*between 32 and 4096"),
        ("{image_size: {low: 160, high: 320, step: 500}}", "tune.search.image_size: 0 steps"),
        ("{batch_size: {low: 1.5, high: 4}}", "tune.search.batch_size: .*whole number"),
        ("{family: [timm, features]}", "tune.search.family: model.family is not searched"),
        ("{seed: [1, 9]}", "tune.search.seed: train.seed is not searched"),
        ("{augment: null, augmentation: null}", "both train.augment"),
    ],
)
def test_wrong_searches_are_refused_naming_the_key(tmp_path, search, match):
    pytest.importorskip("timm")
    with pytest.raises(UsageError) as refused:
        knobs(tmp_path, search)
    import re

    assert re.search(match, f"{refused.value.message} {refused.value.hint}")


@pytest.mark.parametrize(
    ("search", "match"),
    [
        ("{learning_rate: {low: 1}}", "a range has low and high"),
        ("{learning_rate: {}}", "say low and high, or choice"),
        ("{learning_rate: {low: 1, high: 2, log: true, step: 1}}", "step and log"),
        ("{learning_rate: 3}", "tune.search.learning_rate"),
    ],
)
def test_wrong_ranges_are_refused_by_the_project_file(tmp_path, search, match):
    with pytest.raises(UsageError) as refused:
        knobs(tmp_path, search)
    assert match in f"{refused.value.message} {refused.value.details}"


@pytest.mark.parametrize(
    "search",
    [
        "{learning_rate: [0.0001, 0.1], weight_decay: null, dropout: [0, 0.5], augment: null, optimizer: null}",
        "{image_size: [160, 192, [224, 160]], schedule: null, freeze: [backbone, none, 3 stages], batch_size: [8, 64]}",
        "{image_size: {low: 128, high: 256, step: 32}, mixup: null, label_smoothing: null, layer_decay: null}",
        "{classifier: null, C: [0.1, 10], pca: [4, 64], neighbours: null, multi_scale: null, clip_gradient: [0, 5]}",
    ],
)
def test_every_point_of_the_space_is_a_valid_project_and_comes_back(tmp_path, search):
    settings = knobs(tmp_path, search)
    loaded = projects.load(tmp_path / "vision.yaml")
    rng = np.random.default_rng(7)
    for _ in range(20):
        place = {each.key: drawn(each.axis, rng) for each in settings}
        values = space.settings_at(settings, place)
        config = applied.with_settings(loaded, values).config
        for each in settings:
            now = applied.value_of(config, each.key)
            back = each.place(now)
            assert back is not None, (each.key, now)
            assert each.value({each.key: back}) == values[each.key], (each.key, now)


def test_the_rate_is_searched_around_the_range_test(tmp_path):
    (rate,) = knobs(tmp_path, "{learning_rate: null}", Facts("timm", suggestion=0.02))
    assert (rate.axis.low, rate.axis.high, rate.axis.log) == (pytest.approx(0.002), pytest.approx(0.2), True)


def drawn(axis: Axis, rng: np.random.Generator) -> float | int | str:
    if axis.words:
        return str(rng.choice(axis.words))
    ends = (axis.low, axis.high)
    value = np.exp(rng.uniform(*np.log(ends))) if axis.log else rng.uniform(*ends)
    return round(value) if axis.whole else float(value)
