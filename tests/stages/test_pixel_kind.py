"""Models of pixels and segments measured on photos, and judged while they learn: against maps that the test paints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pixel_sets import HEIGHT, NAMES, SCENES, SEEN, THINGS, WIDTH, Oracle, dataset, logits, painted, panoptic_outputs
from sklearn.metrics import jaccard_score

from vision_cli.core.config import SourceConfig
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError
from vision_cli.core.kpi import parse
from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.progress import Silent
from vision_cli.stages import place_truth
from vision_cli.stages.kinds.kind import Measured, Wanted, kind_of
from vision_cli.stages.training.judges import judge_of
from vision_cli.training.places.scenes import Scenes

BACKGROUND = 3
"""The class of pixels that no outline covers, after the three others."""


def measured(folder: Path, task: str, answer: Any) -> tuple[Measured, Any, Any]:
    """Return figures, columns of photos, and the card."""
    data = dataset(folder, task)
    runner = Oracle(task, data.classes, answer)
    kind = kind_of(task)
    card, said = kind.chosen(runner.card, kind.say(runner, data, Silent(), "evaluate"), data)
    return kind.measure(card, said, data, Wanted(resamples=30)), kind.columns(card, said, data), card


def test_a_perfect_semantic_model(tmp_path: Path) -> None:
    found, columns, card = measured(tmp_path, "semantic", lambda photo: (logits(painted(SCENES[photo], 3), 4),))
    assert card.classes.names == (*NAMES, "background")
    assert set(found.measurement.values.values()) == {1.0}
    assert found.measurement.n_photos == len(SCENES)
    assert found.measurement.judge(parse("iou[road]>0.3"), runtime="torch").met
    assert columns["truth"] == columns["predicted"]
    assert columns["truth"][1] == ["road", "sky", "background"]
    assert pa.table(columns).num_rows == len(SCENES)
    assert np.array(found.more["confusion"]).sum() == len(SCENES) * WIDTH * HEIGHT


def test_a_semantic_model_that_sees_road_only(tmp_path: Path) -> None:
    road = np.ones((HEIGHT, WIDTH), dtype=np.int16)
    found, columns, _ = measured(tmp_path, "semantic", lambda _: (logits(road, 4),))
    truth = np.stack([painted(scene, BACKGROUND) for scene in SCENES])
    said = np.ones_like(truth)
    iou = jaccard_score(truth.ravel(), said.ravel(), labels=range(4), average=None, zero_division=0)
    values = found.measurement.values
    assert [values[f"iou[{name}]"] for name in (*NAMES, "background")] == pytest.approx(iou.tolist())
    assert values["miou"] == pytest.approx(iou.mean())
    assert columns["pixel_accuracy"] == pytest.approx((truth == said).mean(axis=(1, 2)).tolist())
    of_photo = [jaccard_score(a.ravel(), b.ravel(), labels=np.union1d(a, b), average="macro", zero_division=0)
                for a, b in zip(truth, said, strict=True)]  # fmt: skip
    assert columns["miou"] == pytest.approx(of_photo)
    assert columns["boundary_f1"] == [0.0, 0.0, 0.0]
    assert columns["predicted"] == [["road"]] * 3


def test_what_a_crop_does_not_show_is_missed(tmp_path: Path) -> None:
    data = dataset(tmp_path, "semantic")
    runner = Oracle("semantic", data.classes, lambda photo: (logits(painted(SCENES[photo], 3)[:, 8:56], 4),))
    runner.card = replace(runner.card, preprocess=replace(SEEN, size_px=(48, 48), resize="crop", crop_pct=1.0))
    said = kind_of("semantic").say(runner, data, Silent(), "evaluate")
    assert said.confusion[:, -1].sum() == len(SCENES) * 16 * HEIGHT
    assert said.confusion[:, :-1].sum() == said.confusion.diagonal().sum() == len(SCENES) * 48 * HEIGHT


def test_a_perfect_panoptic_model(tmp_path: Path) -> None:
    found, columns, _ = measured(tmp_path, "panoptic", lambda photo: panoptic_outputs(SCENES[photo]))
    values = found.measurement.values
    assert (values["rq"], values["rq_th"], values["rq_st"]) == (1.0, 1.0, 1.0)
    assert values["pq_th"] > 0.95  # type: ignore[operator]
    assert values["pq_st"] > 0.95  # type: ignore[operator]
    assert found.more["segments"]["person"] == {"found": 5, "false": 0, "missed": 0}
    assert found.more["segments"]["sky"] == {"found": 2, "false": 0, "missed": 0}
    assert (columns["found"].tolist(), columns["missed"].tolist()) == ([4, 2, 4], [0, 0, 0])
    assert columns["truth"] == columns["predicted"] == [list(NAMES), ["road", "sky"], ["person", "road"]]
    assert pa.table(columns).num_rows == len(SCENES)


def test_a_panoptic_model_that_misses_and_invents(tmp_path: Path) -> None:
    """Of the first photo one person is missed; of the second, one is seen on the road."""
    told = [[each for each in SCENES[0] if each[1] != 40], [*SCENES[1], (0, 4, 26, 20, 46)], SCENES[2]]
    found, columns, _ = measured(tmp_path, "panoptic", lambda photo: panoptic_outputs(told[photo]))
    assert found.more["segments"]["person"] == {"found": 4, "false": 1, "missed": 1}
    assert found.measurement.values["rq[person]"] == pytest.approx(4 / 5)
    assert (columns["false"].tolist(), columns["missed"].tolist()) == ([0, 1, 0], [1, 0, 0])
    assert columns["rq"][1] == pytest.approx(2 / 3)


def test_labels_of_another_size_are_refused_with_the_photo(tmp_path: Path) -> None:
    from PIL import Image

    data = dataset(tmp_path, "semantic")
    Image.new("RGB", (HEIGHT, WIDTH)).save(tmp_path / "1.png")
    runner = Oracle("semantic", data.classes, lambda photo: (logits(painted(SCENES[photo], 3), 4),))
    with pytest.raises(DataError, match=r"1\.png: pixels: the labels are of a photo \(48, 64\)"):
        kind_of("semantic").say(runner, data, Silent(), "evaluate")


@pytest.mark.parametrize("task", ["semantic", "panoptic"])
def test_judges_of_validation_photos(tmp_path: Path, task: str) -> None:
    data = dataset(tmp_path, task)
    truth = place_truth.truth(data, data.classes, task)
    things = np.isin(np.arange(len(data.classes)), THINGS)
    val = Scenes(task, data.paths(), truth, things, place_truth.background(data))
    layout: Any = "panoptic" if task == "panoptic" else "pixels"
    network: Any = SimpleNamespace(decode=PlaceDecode(layout, things=THINGS), preprocess=SEEN)

    def score(told: list[Any], batches: list[slice]) -> float:
        judge = judge_of(network, val)()
        for batch in batches:
            if task == "panoptic":
                raw = [panoptic_outputs(scene) for scene in told[batch]]
            else:
                raw = [(logits(painted(scene, BACKGROUND), 4),) for scene in told[batch]]  # type: ignore[misc]
            judge.see(tuple(np.stack(parts) for parts in zip(*raw, strict=True)))
        return judge.score()

    best = score(SCENES, [slice(0, 2), slice(2, 3)])
    assert best > 0.97
    worse = score([SCENES[0][:2], *SCENES[1:]], [slice(0, 3)])
    assert 0.5 < worse < best - 0.05
    assert judge_of(network, val)().score() == 0.0


def test_masks_of_coco_are_perfect_against_themselves(shared_data: Path, tmp_path: Path) -> None:
    """A real panoptic set, crowds and void in it: what its own files say is measured as perfect."""
    from vision_cli import formats
    from vision_cli.core.decoding.answers import PhotoSegments
    from vision_cli.metrics.panoptic.measuring import measure
    from vision_cli.metrics.panoptic.tallies import Tallies
    from vision_cli.stages.kinds import comparing

    folder = shared_data / "coco128_train" / "panoptic_segmentation"
    read = formats.read("data", SourceConfig(path=str(folder), format="panoptic"), folder)
    data = place_truth.prepared(read.select(np.arange(len(read)) < 12), "panoptic")
    labels = comparing.Labels(place_truth.truth(data, data.classes, "panoptic"), place_truth.things(data))
    assert 0 < labels.things.sum() < len(labels.things)
    tallies = Tallies(len(data.classes))
    from vision_cli.core.truth_maps import segment_map

    for photo in range(len(data)):
        own = segment_map(labels.truth, photo, labels.things)
        ones = np.ones(len(own.classes))
        comparing.add(tallies, labels, PhotoSegments(own.ids, own.classes, ones, ones > 0))
    crowds = int(labels.truth.crowd.sum())
    found = tallies.sums.sum(axis=(0, 2))
    # One segment an annotation: none of such a file lies on another, and stuff is one segment a class already.
    assert found[1] == len(labels.truth) - crowds
    assert (found[2], found[3]) == (0, 0)
    things = tuple(np.flatnonzero(labels.things).tolist())
    assert measure(tallies, data.classes.names, things, resamples=5).values["pq"] == 1.0


def test_answers_of_another_kind_are_refused(tmp_path: Path) -> None:
    data = dataset(tmp_path, "semantic")
    runner = Oracle("panoptic", data.classes, lambda photo: panoptic_outputs(SCENES[photo]))
    runner.card = replace(runner.card, task="semantic", classes=ClassMap((*NAMES, "background")))
    with pytest.raises(DataError, match="not what the task asks for"):
        kind_of("semantic").say(runner, data, Silent(), "evaluate")
