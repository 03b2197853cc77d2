"""`vision tune --on ray`: the same scores as here, and refused by name where Ray is missing."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import stage_projects as small

from vision_cli.core import project as projects
from vision_cli.core.errors import MissingPartError, ResourceError
from vision_cli.core.progress import Silent
from vision_cli.stages.tuning import on_ray
from vision_cli.stages.tuning.request import TuneRequest
from vision_cli.stages.tuning.trying import Trying
from vision_cli.stages.tuning.tune import tune

pytest.importorskip("optuna")

HAS_RAY = importlib.util.find_spec("ray") is not None
MODEL = "{family: timm, backbone: test_resnet, weights: none, input: {size: 32}, dropout: 0}"
TRAIN = "{epochs: 2, workers: 0, freeze: none, augment: none, batch_size: 12}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project of a tiny network."""
    folder = small.write_project(tmp_path / "project", "photos", model=MODEL, train=TRAIN)
    for side, photos, seed in (("train", 6, 1), ("val", 6, 2)):
        small.class_folders(folder / "photos" / side, photos, ("winter", "summer", "no"), seed)
    return folder


def asked(root: Path, **options) -> TuneRequest:
    words = ("tune.range_test=none", "tune.search={learning_rate: [0.001, 0.1]}")
    loaded = projects.load(root / "vision.yaml", words)
    return TuneRequest(loaded, trials=2, confirm=0, pruner="none", offline=True, **options)


@pytest.mark.skipif(HAS_RAY, reason="Ray is here")
def test_without_ray_it_says_what_to_install(root):
    with pytest.raises(MissingPartError) as refused:
        tune(asked(root, on="ray"), Silent())
    assert "ray" in f"{refused.value.message} {refused.value.hint}"
    assert not (root / "runs").exists()


@pytest.mark.slow
@pytest.mark.skipif(not HAS_RAY, reason="Ray is not installed: pip install 'vision-cli[ray]'")
def test_a_cluster_finds_the_scores_that_this_process_finds(root):
    here = tune(asked(root), Silent())
    there = tune(asked(root, on="ray", jobs=2), Silent())
    scores = {each.number: (dict(each.settings), each.score) for each in here.trials}
    assert {each.number: (dict(each.settings), each.score) for each in there.trials} == scores


def test_a_machine_that_sees_another_project_is_refused(root, tmp_path):
    from vision_cli.stages.data import load_view

    loaded = projects.load(root / "vision.yaml")
    digest = load_view(loaded, remember=False).without_test().dataset.digest()
    trying = Trying(loaded, "top1", root, True)
    on_ray._check_view(trying, digest)
    next((root / "photos/val").rglob("*.jpg")).unlink()
    with pytest.raises(ResourceError, match="other photos or labels"):
        on_ray._check_view(trying, digest)
    with pytest.raises(ResourceError, match="has no"):
        on_ray._check_view(Trying(loaded, "top1", tmp_path / "elsewhere", True), digest)
