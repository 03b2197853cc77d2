"""Panoptic quality: against torchmetrics and a slow reading of the published evaluation."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from simulated_pixels import answered_segments, as_answer, numbered, segments
from torchmetrics.detection import PanopticQuality

from vision_cli.core.dataset import ClassMap
from vision_cli.core.decoding.answers import PhotoSegments
from vision_cli.core.errors import DataError
from vision_cli.core.kpi import parse
from vision_cli.core.truth_maps import TrueSegments
from vision_cli.metrics import check_kpi, metric_card, names_of
from vision_cli.metrics.panoptic import measuring
from vision_cli.metrics.panoptic.tallies import Tallies, compared

NAMES = ("person", "car", "tree", "road", "sky")
THINGS = (0, 1)
C = len(NAMES)
Pair = tuple[TrueSegments, PhotoSegments]


def pairs(seed: int, photos: int = 10) -> list[Pair]:
    rng = np.random.default_rng(seed)
    truths = [segments(rng, C, len(THINGS)) for _ in range(photos)]
    return [(truth, answered_segments(rng, truth, C)) for truth in truths]


def tallied(found: list[Pair]) -> Tallies:
    tallies = Tallies(C)
    for truth, said in found:
        tallies.add(truth, said)
    return tallies


def slow(found: list[Pair], classes: int = C) -> dict[int, list[float]]:
    """Return IoU sum, found, false and missed of each class, by sets of pixels, as panopticapi's rules say them."""
    result = {name: [0.0, 0, 0, 0] for name in range(classes)}
    for truth, said in found:
        true = [set(np.flatnonzero(truth.ids.ravel() == row + 1).tolist()) for row in range(len(truth.classes))]
        drawn = [set(np.flatnonzero(said.ids.ravel() == row + 1).tolist()) for row in range(len(said.classes))]
        void = set(np.flatnonzero(truth.ids.ravel() == 0).tolist())
        taken, hit = set(), set()
        for a, pixels in enumerate(true):
            for b, others in enumerate(drawn):
                if truth.crowd[a] or truth.classes[a] != said.classes[b]:
                    continue
                iou = len(pixels & others) / len(pixels | (others - void))
                if iou > 0.5:
                    result[int(truth.classes[a])][0] += iou
                    result[int(truth.classes[a])][1] += 1
                    taken.add(b)
                    hit.add(a)
        for a in set(range(len(true))) - hit:
            if not truth.crowd[a]:
                result[int(truth.classes[a])][3] += 1
        for b in set(range(len(drawn))) - taken:
            crowds = [each for each, name in enumerate(truth.classes) if truth.crowd[each] and name == said.classes[b]]
            excused = void.union(*(true[each] for each in crowds))
            if len(drawn[b] & excused) / len(drawn[b]) <= 0.5:
                result[int(said.classes[b])][2] += 1
    return result


def qualities(sums: dict[int, list[float]]) -> dict[int, tuple[float, float, float]]:
    found = {}
    for name, (iou, hits, false, missed) in sums.items():
        whole = hits + 0.5 * false + 0.5 * missed
        if whole:
            found[name] = (iou / whole, iou / hits if hits else 0.0, hits / whole)
    return found


@pytest.mark.parametrize("seed", range(6))
def test_figures_are_those_of_the_published_rules(seed: int) -> None:
    scenes = pairs(seed)
    assert any(truth.crowd.any() for truth, _ in scenes)
    sums = slow(scenes)
    assert pytest.approx(np.array([sums[name] for name in range(C)])) == tallied(scenes).sums.sum(axis=0).T
    found = measuring.measure(tallied(scenes), NAMES, THINGS, resamples=20).values
    expected = qualities(sums)
    for name, figures in expected.items():
        for key, figure in zip(("pq", "sq", "rq"), figures, strict=True):
            assert found[f"{key}[{NAMES[name]}]"] == pytest.approx(figure, abs=1e-12)
    for ending, chosen in (("", range(C)), ("_th", THINGS), ("_st", (2, 3, 4))):
        for place, key in enumerate(("pq", "sq", "rq")):
            mean = np.mean([expected[name][place] for name in chosen if name in expected])
            assert found[f"{key}{ending}"] == pytest.approx(mean, abs=1e-12)
    assert measuring.panoptic_quality(tallied(scenes)) == pytest.approx(found["pq"])


def torch_map(ids: Any, classes: Any, void: int) -> torch.Tensor:
    names = np.concatenate([[void], classes])[ids]
    return torch.from_numpy(np.stack([names, ids], axis=-1)[None].astype(np.int64))


def test_figures_are_those_of_torchmetrics() -> None:
    """Where it follows the published rules: without crowds, and where every pixel is said (it forgives misses there).

    It takes stuff of a photo for one segment, and so is it said here.
    """
    scenes = []
    for truth, said in pairs(11):
        clean = TrueSegments(truth.ids, truth.classes, np.zeros_like(truth.crowd))
        everywhere = np.where(said.ids == 0, len(said) + 1, said.ids)
        classes = np.append(said.classes, 3)
        own = np.where(np.isin(classes, THINGS), np.arange(len(classes)), -1 - classes)
        _, first, again = np.unique(own, return_index=True, return_inverse=True)
        ids = (again + 1)[everywhere - 1].astype(np.int32)
        scenes.append((clean, as_answer(TrueSegments(ids, classes[first], np.zeros(len(first), dtype=bool)))))
    metric = PanopticQuality(
        set(THINGS), {2, 3, 4}, return_per_class=True, return_sq_and_rq=True, allow_unknown_preds_category=True
    )
    for truth, said in scenes:
        metric.update(torch_map(said.ids, said.classes, C + 7), torch_map(truth.ids, truth.classes, C + 7))
    found = measuring.measure(tallied(scenes), NAMES, THINGS, resamples=20).values
    for row, label in zip(metric.compute().numpy().reshape(C, 3), NAMES, strict=True):
        assert [found[f"{key}[{label}]"] for key in ("pq", "sq", "rq")] == pytest.approx(row.tolist(), abs=1e-6)


def test_perfect_is_one_and_nothing_is_zero() -> None:
    truths = [truth for truth, _ in pairs(2)]
    without_crowds = [TrueSegments(each.ids, each.classes, np.zeros_like(each.crowd)) for each in truths]
    perfect = measuring.measure(tallied([(each, as_answer(each)) for each in without_crowds]), NAMES, THINGS)
    assert set(perfect.values.values()) == {1.0}
    assert all(0 < each.low < 1 for each in perfect.intervals.values())
    crowds_said = tallied([(each, as_answer(each)) for each in truths])
    assert set(measuring.measure(crowds_said, NAMES, THINGS).values.values()) == {1.0}
    none = np.empty(0)
    empty = [
        (each, PhotoSegments(np.zeros_like(each.ids), none.astype(np.int64), none, none.astype(bool)))
        for each in truths
    ]
    assert set(measuring.measure(tallied(empty), NAMES, THINGS).values.values()) == {0.0}
    assert measuring.panoptic_quality(Tallies(C)) == 0.0


def block(rows: list[tuple[int, int, int]], classes: list[int], crowd: list[int] = []) -> TrueSegments:  # noqa: B006
    """Return segments on a strip of 100 pixels: (first, end, segment)."""
    ids = np.zeros((1, 100), dtype=np.int32)
    for first, end, number in rows:
        ids[0, first:end] = number
    flags = np.isin(np.arange(len(classes)), crowd)
    return TrueSegments(ids, np.array(classes, dtype=np.int64), flags)


@pytest.mark.parametrize(
    ("truth", "said", "sums"),
    [
        # An IoU of a half is not over a half.
        (block([(0, 40, 1), (40, 100, 2)], [0, 2]), block([(0, 20, 1), (20, 100, 2)], [0, 2]), [0, 0, 1, 1]),
        # Void does not count as said: 30 of 40 pixels lie on it, and 10 of 11 are found.
        (block([(0, 11, 1)], [0]), block([(1, 41, 1)], [0]), [10 / 11, 1, 0, 0]),
        # Said on void by half: false. By more than half: not.
        (block([(50, 100, 1)], [2]), block([(40, 60, 1)], [0]), [0, 0, 1, 0]),
        (block([(50, 100, 1)], [2]), block([(39, 60, 1)], [0]), [0, 0, 0, 0]),
        # A crowd excuses its class only, and is not missed.
        (block([(0, 100, 1)], [0], [0]), block([(0, 9, 1)], [0]), [0, 0, 0, 0]),
        (block([(0, 100, 1)], [1], [0]), block([(0, 9, 1)], [0]), [0, 0, 1, 0]),
    ],
)
def test_void_and_crowds(truth: TrueSegments, said: TrueSegments, sums: list[float]) -> None:
    assert compared(truth, as_answer(said), C)[:, 0] == pytest.approx(sums)


def test_intervals_narrow_with_photos_and_keep_to_their_seed() -> None:
    few, many = (
        measuring.measure(tallied(pairs(3, photos)), NAMES, THINGS, resamples=400).intervals for photos in (12, 192)
    )
    for key in ("pq", "pq_th", "pq_st", "pq[car]", "rq[sky]"):
        assert 2 < (few[key].high - few[key].low) / (many[key].high - many[key].low) < 8, key  # About the root of 16.
    tallies = tallied(pairs(3))
    first, again, other = (
        measuring.measure(tallies, NAMES, THINGS, resamples=50, seed=seed).intervals for seed in (1, 1, 2)
    )
    assert first == again
    assert first["pq"] != other["pq"]


def test_every_line_of_the_table_is_measured() -> None:
    found = measuring.measure(tallied(pairs(7)), NAMES, THINGS, resamples=20)
    keys = set()
    for name in names_of("panoptic"):
        card = metric_card(name, "panoptic")
        if card.source == "predictions":
            keys |= {name} | ({f"{name}[{label}]" for label in NAMES} if card.per_class else set())
    assert found.values.keys() == keys == found.intervals.keys()
    for text in ("pq>0.4", "pq[person]>0.1", "pq_th>0.2", "pq_st>0.2"):
        check_kpi(parse(text), "panoptic", ClassMap(NAMES))
        assert found.judge(parse(text), runtime="torch")


def test_photos_of_their_own_are_those_measured_alone() -> None:
    scenes = pairs(6, photos=3)
    own = measuring.of_photos(tallied(scenes), NAMES, THINGS)
    for place, pair in enumerate(scenes):
        alone = measuring.measure(tallied([pair]), NAMES, THINGS, resamples=2).values
        for key, each in alone.items():
            assert own[key][place] == pytest.approx(math.nan if each is None else each, nan_ok=True)


def test_no_photos_and_absent_classes() -> None:
    assert dict(measuring.measure(Tallies(C), NAMES, THINGS).values) == {}
    strip = block([(0, 50, 1)], [2])
    found = measuring.measure(tallied([(strip, as_answer(block([(0, 50, 1), (50, 100, 2)], [2, 2])))]), NAMES, THINGS)
    assert found.values["pq"] == found.values["pq[tree]"] == 1.0
    assert (found.values["pq_th"], found.values["pq[person]"]) == (None, None)
    assert "no segment of 'person', 'car', 'road', 'sky'" in found.warnings[0]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (TrueSegments(np.zeros((2, 50), np.int32), np.empty(0, np.int64), np.empty(0, bool)), "the answer is of"),
        (block([(0, 5, 2)], [0]), "numbers of the answer run to 2, and there are 1"),
        (block([(0, 5, 1)], [C]), "a class of the answer is not one of 5"),
    ],
)
def test_segments_that_do_not_fit_are_refused(said: TrueSegments, message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        compared(block([(0, 5, 1)], [0]), as_answer(said), C)


def test_sample_of_coco(shared_data: Path) -> None:
    """The photos that panopticapi comes with: their own answer is perfect, and a shifted one as the slow rules say."""
    from PIL import Image

    folder = shared_data / "panopticapi_sample" / "sample_data"
    document = json.loads((folder / "panoptic_examples.json").read_text(encoding="utf-8"))
    classes = {each["id"]: row for row, each in enumerate(document["categories"])}
    things = [classes[each["id"]] for each in document["categories"] if each["isthing"]]
    perfect, shifted = Tallies(len(classes)), Tallies(len(classes))
    scenes = []
    for annotation in document["annotations"]:
        picture = np.asarray(Image.open(folder / "panoptic_examples" / annotation["file_name"])).astype(np.int64)
        codes = (picture * [1, 256, 65536]).sum(axis=2)
        infos = annotation["segments_info"]
        ids = np.zeros(codes.shape, dtype=np.int32)
        for number, info in enumerate(infos, start=1):
            ids[codes == info["id"]] = number
        names = np.array([classes[info["category_id"]] for info in infos])
        truth = numbered(ids, names, np.array([bool(info["iscrowd"]) for info in infos]))
        assert np.bincount(truth.ids.ravel())[1:].tolist() == [info["area"] for info in infos]
        moved = np.roll(truth.ids, (6, -9), axis=(0, 1))
        no_flags = np.zeros(len(truth.classes), dtype=bool)
        scenes.append((truth, as_answer(numbered(moved, truth.classes, no_flags))))
        perfect.add(truth, as_answer(truth))
        shifted.add(*scenes[-1])
    labels = tuple(f"class {row}" for row in range(len(classes)))
    found = measuring.measure(perfect, labels, things, resamples=5).values
    assert (found["pq"], found["pq_th"], found["pq_st"]) == (1.0, 1.0, 1.0)
    expected = qualities(slow(scenes, len(classes)))
    found = measuring.measure(shifted, labels, things, resamples=5).values
    assert found["pq"] == pytest.approx(np.mean([each[0] for each in expected.values()]), abs=1e-12)
    assert 0.2 < (found["pq"] or 0) < 0.9
