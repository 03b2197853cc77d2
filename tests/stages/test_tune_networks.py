"""`vision tune` of networks that learn in epochs: the range test, and trials that end early."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import stage_projects as small
from tune_made import THREE, asked

from vision_cli.core.errors import UsageError
from vision_cli.core.progress import Silent
from vision_cli.stages.searching.trial import DONE, PRUNED, SEARCH
from vision_cli.stages.tuning.request import TuneResult
from vision_cli.stages.tuning.tune import tune

pytest.importorskip("optuna")


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TuneResult]:
    """A search of a tiny network that learns as a whole, with its range test."""
    model = "{family: timm, backbone: test_resnet, weights: none, input: {size: 32}, dropout: 0}"
    train = "{epochs: 3, workers: 0, freeze: none, augment: none, batch_size: 12}"
    root = small.write_project(tmp_path_factory.mktemp("net"), "photos", model=model, train=train)
    for side, photos, seed in (("train", 8, 1), ("val", 6, 2)):
        small.class_folders(root / "photos" / side, photos, THREE, seed)
    (root / "vision.yaml").write_text(
        (root / "vision.yaml").read_text()
        + "tune: {trials: 6, confirm: 1, range_test: {low: 0.0001, high: 10, steps: 30},\n"
        + "  search: {learning_rate: null, optimizer: null}}\n"
    )
    return root, tune(asked(root), Silent())


def test_the_range_test_comes_first_and_the_rate_is_searched_around_it(network):
    _, found = network
    test = found.range_test
    assert test is not None
    assert test.path.is_file()
    assert test.plot.read_text().startswith("<svg")
    rates = json.loads(test.path.read_text())["rates"]
    np.testing.assert_allclose(rates, np.geomspace(1e-4, 10, 30)[: len(rates)], rtol=1e-9)
    assert test.suggestion is not None
    drawn_rates = [each.settings["train.learning_rate"] for each in found.trials if each.origin == SEARCH]
    assert all(0.09 * test.suggestion < rate < 11 * test.suggestion for rate in drawn_rates)
    assert "Learning-rate range test" in (found.run / "report.html").read_text()


def test_epochs_are_judged_and_hopeless_trials_ended(network):
    _, found = network
    whole = [each for each in found.trials if each.state == DONE]
    assert all(len(each.scores) == 3 and None not in each.scores for each in whole)
    assert all(1 <= len(each.scores) < 3 for each in found.trials if each.state == PRUNED)
    assert {each.state for each in found.trials} <= {DONE, PRUNED}


def test_range_only_and_a_resume_that_does_not_test_again(network, tmp_path):
    root, found = network
    root = small.copied(root, tmp_path / "net")
    alone = small.done(root, "tune", "--range-only", "--json", "--offline").document
    assert alone["trials"] == []
    assert alone["range_test"]["suggestion"] == found.range_test.suggestion
    before = (root / "runs/tune/latest/range_test.json").stat().st_mtime_ns
    went_on = small.done(root, "tune", "--resume", "--trials", "1", "--confirm", "0", "--json", "--offline").document
    assert len(went_on["trials"]) == 2
    assert (root / "runs/tune/latest/range_test.json").stat().st_mtime_ns == before


def test_detectors_have_a_range_test_and_a_search_too(tmp_path):
    (tmp_path / "photos").mkdir()
    rng = np.random.default_rng(4)
    rows = ["path,x,y,w,h,class"]
    for number in range(12):
        left, top = rng.integers(4, 36, 2)
        photo = rng.normal(90, 12, (64, 64, 3))
        photo[top : top + 24, left : left + 24] = (220, 40, 40)
        small.save(tmp_path / "photos" / f"{number}.jpg", photo)
        rows.append(f"{number}.jpg,{left},{top},24,24,thing")
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "vision.yaml").write_text(
        "name: d\ntask: detect\ndata:\n  sources: {one: {path: labels.csv, images: photos}}\n"
        "  split: {train: 0.5, val: 0.5, test: 0}\n"
        "model: {weights: none, backbone: test_resnet, input: {size: 64}}\n"
        "train: {epochs: 2, workers: 0, augment: none, batch_size: 3}\n"
        "tune: {range_test: {low: 0.0001, high: 1, steps: 20}, search: {learning_rate: null, weight_decay: null}}\n"
    )
    found = tune(asked(tmp_path, trials=1, confirm=0), Silent())
    assert found.metric == "ap50"
    assert found.range_test is not None
    assert len(found.range_test.rates) >= 10
    assert [len(each.scores) for each in found.trials] == [2, 2]
    with pytest.raises(UsageError, match=r"model\.dropout has no effect"):
        tune(asked(tmp_path, "tune.search={dropout: [0, 0.5]}"), Silent())
