"""`vision train --curve`, and the verdict on overfitting at the end of a training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import stage_projects as small

from vision_cli.core import project as projects
from vision_cli.core.errors import UsageError
from vision_cli.core.progress import Silent
from vision_cli.stages.data import load_view
from vision_cli.stages.training import curve as curves

FEATURES = (
    "{family: features, backbone: test_resnet, weights: none, input: {size: 64}, features: {classifier: logistic}}"
)
THREE = ("winter", "summer", "no")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = small.write_project(tmp_path_factory.mktemp("curve"), "photos", kpis="[top1 > 0.99]", model=FEATURES)
    small.class_folders(folder / "photos", 48, THREE)
    return folder


@pytest.mark.parametrize("text", ["25,50,100", "25%,50%,100%", " 100 , 25,50 "])
def test_shares_as_people_write_them(text: str) -> None:
    assert curves.shares(text) == (0.25, 0.5, 1.0)


@pytest.mark.parametrize("text", ["", "50", "0,50", "50,120", "a,b", "nan,50"])
def test_shares_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="--curve"):
        curves.shares(text)


def test_parts_hold_one_another_and_validation_stays(photos: Path) -> None:
    opened = projects.load(photos / "vision.yaml")
    work = curves._prepared(curves.CurveRequest(opened, (0.25, 0.5, 1.0)))
    data = load_view(opened).dataset
    seen: dict[tuple[int, int], set[int]] = {}
    for draw, place, part in work.parts():
        assert part.part("val").images["id"].to_pylist() == data.split("val").images["id"].to_pylist()
        assert not len(part.part("test"))
        learns = part.part("train")
        seen[draw, place] = set(learns.images["id"].to_pylist())
        counts = np.bincount(learns.class_ids(), minlength=3)
        assert counts.max() - counts.min() <= 1
    assert seen[0, 0] < seen[0, 1] < seen[0, 2]
    assert seen[0, 0] != seen[1, 0]
    assert sorted(seen) == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 0), (2, 1)]
    assert len(seen[0, 0]) == pytest.approx(len(seen[0, 2]) / 4, abs=2)


def test_the_last_point_is_what_training_on_all_gives(photos: Path) -> None:
    result = small.done(photos, "train", "--curve", "25,50,75,100", "--json").document
    trained = small.done(photos, "train", "--json").document
    assert [point["share"] for point in result["points"]] == [0.25, 0.5, 0.75, 1.0]
    assert result["points"][-1]["value"] == pytest.approx(trained["metrics"]["top1"])
    assert result["points"][-1]["photos"] == result["photos"] == trained["photos"]["train"]
    assert result["twice"]["low"] <= result["twice"]["value"] <= result["twice"]["high"]
    assert set(result["needs"]) == {"top1 > 0.99"}
    assert json.loads((Path(result["run"]) / "result.json").read_text())["metric"] == "top1"


def test_three_points_say_how_many_a_kpi_needs_to_nobody(photos: Path) -> None:
    result = small.done(photos, "train", "--curve", "25,50,100").out
    assert "cannot tell from 3 points" in result


def test_refusals(photos: Path) -> None:
    both = small.call(photos, "train", "--curve", "25,100", "--overfit", "8")
    assert both.code == 2
    assert "--curve" in both.err
    few = small.call(photos, "train", "--curve", "25,100", "data.split.val=0.05", "data.split.train=0.65")
    assert few.code == 3
    assert "say too little" in few.err


def test_a_network_is_trained_once_a_share_and_resumes(tmp_path: Path) -> None:
    folder = small.write_project(tmp_path, "photos", train=small.QUICK.replace("epochs: 6", "epochs: 2"))
    small.class_folders(folder / "photos", 40, THREE)
    result = small.done(folder, "train", "--curve", "50,100", "--json").document
    run = Path(result["run"])
    assert sorted(path.name for path in run.glob("share-*")) == ["share-100", "share-50"]
    kept = (run / "share-50/model/model.safetensors").stat().st_mtime_ns
    (run / "result.json").unlink()
    again = small.done(folder, "train", "--curve", "50,100", "--resume", "--json").document
    assert again["points"] == result["points"]
    assert (run / "share-50/model/model.safetensors").stat().st_mtime_ns == kept
    changed = small.call(folder, "train", "--curve", "50,100", "--resume")
    assert changed.code == 2
    assert "complete" in changed.err


def test_a_training_ends_with_a_verdict_in_result_and_report(tmp_path: Path) -> None:
    folder = small.write_project(tmp_path, "photos")
    small.class_folders(folder / "photos", 16, THREE)
    result = small.done(folder, "train", "--json").document
    assert result["fit"]["verdict"] in ("overfits", "hardly learns", "not finished", "fits")
    small.done(folder, "report", "--output", "page.html")
    page = (folder / "page.html").read_text()
    assert f"Learned or learned by heart: {result['fit']['verdict']}" in page
    for each in result["fit"]["try"]:
        assert each.split("`")[0].split('"')[0] in page
    by_heart = small.call(folder, "train", "--overfit", "6", "--epochs", "2", "--json").document
    assert "fit" not in by_heart


def test_silent_library_use(photos: Path) -> None:
    result = curves.curve(
        curves.CurveRequest(projects.load(photos / "vision.yaml"), (0.5, 1.0), dry_run=True), Silent()
    )
    assert result.points == ()
    assert "would learn from 50%, 100%" in result.why
