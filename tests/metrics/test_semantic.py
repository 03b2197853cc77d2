"""Metrics of pixels: against scikit-learn, torchmetrics and slow readings of the papers."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from simulated_pixels import IGNORED, Classes, answered, blocks
from sklearn.metrics import confusion_matrix, f1_score, jaccard_score
from torchmetrics.segmentation import DiceScore, MeanIoU

from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.kpi import parse
from vision_cli.metrics import check_kpi, metric_card, names_of
from vision_cli.metrics.semantic import measuring
from vision_cli.metrics.semantic.boundaries import boundary_f1
from vision_cli.metrics.semantic.tallies import Tallies, confusion_of

NAMES = ("road", "sky", "pole", "car")
C = len(NAMES)


def maps(seed: int, photos: int = 12, *, ignored: bool = True) -> list[tuple[Classes, Classes]]:
    rng = np.random.default_rng(seed)
    truths = [blocks(rng, C, ignored=ignored) for _ in range(photos)]
    return [(truth, answered(rng, truth, C)) for truth in truths]


def tallied(pairs: list[tuple[Classes, Classes]], *, boundaries: bool = True) -> Tallies:
    tallies = Tallies(C, boundaries=boundaries)
    for truth, said in pairs:
        tallies.add(truth, said)
    return tallies


def values(pairs: list[tuple[Classes, Classes]], resamples: int = 20) -> dict[str, float | None]:
    return dict(measuring.measure(tallied(pairs), NAMES, resamples=resamples).values)


def flat(pairs: list[tuple[Classes, Classes]]) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Return the labelled pixels of all photos; what was not said is class C."""
    truth = np.concatenate([each.ravel() for each, _ in pairs])
    said = np.concatenate([each.ravel() for _, each in pairs])
    return truth[truth != IGNORED], np.where(said == IGNORED, C, said)[truth != IGNORED]


@pytest.mark.parametrize("seed", range(4))
def test_counts_and_figures_are_those_of_scikit_learn(seed: int) -> None:
    pairs = maps(seed)
    truth, said = flat(pairs)
    tallies = tallied(pairs)
    expected = confusion_matrix(truth, said, labels=range(C + 1))[:C]
    assert (tallies.confusion == expected).all()
    found = values(pairs)
    iou = jaccard_score(truth, said, labels=range(C), average=None)
    dice = f1_score(truth, said, labels=range(C), average=None)
    recall = expected.diagonal() / expected.sum(axis=1)
    for index, name in enumerate(NAMES):
        assert found[f"iou[{name}]"] == pytest.approx(iou[index], abs=1e-12)
        assert found[f"dice[{name}]"] == pytest.approx(dice[index], abs=1e-12)
        assert found[f"pixel_accuracy[{name}]"] == pytest.approx(recall[index], abs=1e-12)
    assert found["miou"] == pytest.approx(iou.mean(), abs=1e-12)
    assert found["dice"] == pytest.approx(dice.mean(), abs=1e-12)
    assert found["mean_accuracy"] == pytest.approx(recall.mean(), abs=1e-12)
    assert found["pixel_accuracy"] == pytest.approx((truth == said).mean(), abs=1e-12)
    assert found["fw_iou"] == pytest.approx(jaccard_score(truth, said, labels=range(C), average="weighted"), abs=1e-12)


def test_figures_of_a_photo_are_those_of_torchmetrics() -> None:
    """torchmetrics measures a photo at a time; without ignored pixels both see the same."""
    rng = np.random.default_rng(3)
    pairs = [(blocks(rng, C, ignored=False), blocks(rng, C, ignored=False)) for _ in range(5)]
    own = measuring.of_photos(tallied(pairs), NAMES)
    for place, (truth, said) in enumerate(pairs):
        tensors = [torch.from_numpy(each[None].astype(np.int64)) for each in (said, truth)]
        iou = MeanIoU(C, per_class=True, input_format="index")(*tensors)
        dice = DiceScore(C, average="none", input_format="index")(*tensors)
        for index, name in enumerate(NAMES):
            if np.isfinite(own[f"iou[{name}]"][place]):
                assert own[f"iou[{name}]"][place] == pytest.approx(float(iou[index]), abs=1e-6)
                assert own[f"dice[{name}]"][place] == pytest.approx(float(dice.reshape(-1)[index]), abs=1e-6)
            else:
                assert float(iou[index]) <= 0


def slow_boundary_f1(truth: Classes, said: Classes, name: int) -> float:
    """Read the paper pixel by pixel; nothing is ignored here."""
    height, width = truth.shape
    limit = 0.0075 * math.sqrt(height**2 + width**2)

    def outline(classes: Classes) -> list[tuple[int, int]]:
        found = []
        for y in range(height):
            for x in range(width):
                around = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
                inside = [(b, a) for b, a in around if 0 <= b < height and 0 <= a < width]
                if classes[y, x] == name and any(classes[spot] != name for spot in inside):
                    found.append((y, x))
        return found

    true, drawn = outline(truth), outline(said)
    if not true and not drawn:
        return math.nan

    def near(pixels: list[tuple[int, int]], others: list[tuple[int, int]]) -> float:
        if not pixels:
            return 1.0
        hits = [any(math.dist(one, other) < limit for other in others) for one in pixels]
        return sum(hits) / len(hits)

    precision, recall = near(drawn, true), near(true, drawn)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@pytest.mark.parametrize("size", [(30, 40), (90, 120), (120, 160)])
def test_boundary_f1_is_that_of_the_paper(size: tuple[int, int]) -> None:
    """Tolerances of 0.375, 1.125 and 1.5 pixels."""
    rng = np.random.default_rng(size[0])
    for _ in range(3):
        truth = blocks(rng, C, size, ignored=False)
        said = np.roll(truth, (int(rng.integers(-1, 2)), int(rng.integers(-1, 2))), axis=(0, 1))
        said[5:15, 5:15] = 2
        expected = [slow_boundary_f1(truth, said, name) for name in range(C)]
        assert boundary_f1(truth, said, C) == pytest.approx(expected, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize(("shift", "found"), [(5, 1.0), (6, 0.0), (7, 0.0)])
def test_boundaries_at_the_tolerance_are_not_near_enough(shift: int, found: float) -> None:
    """640 x 480 has a diagonal of 800: the tolerance is 6 pixels, and distances must lie below it."""
    truth = np.zeros((480, 640), dtype=np.int16)
    truth[:, 300:] = 1
    said = np.zeros((480, 640), dtype=np.int16)
    said[:, 300 + shift :] = 1
    assert boundary_f1(truth, said, 2) == pytest.approx([found, found])


def test_a_border_to_be_ignored_hides_the_boundary_in_its_middle() -> None:
    """As Pascal VOC has it around objects: 5 pixels in which nothing is known."""
    truth = np.zeros((480, 640), dtype=np.int16)
    truth[:, 300:] = 1
    truth[:, 298:303] = IGNORED
    for edge, found in ((298, 1.0), (300, 1.0), (303, 1.0), (310, 0.0)):
        said = np.zeros((480, 640), dtype=np.int16)
        said[:, edge:] = 1
        assert boundary_f1(truth, said, 2) == pytest.approx([found, found])
    anything = np.where(truth == IGNORED, np.random.default_rng(0).integers(0, 2, truth.shape), truth).astype(np.int16)
    assert boundary_f1(truth, anything, 2) == pytest.approx([1.0, 1.0])


def test_no_boundary_is_asked_for_deep_inside_of_what_is_ignored() -> None:
    """As Cityscapes' own car: the road ends somewhere below, and nobody says where."""
    truth = np.zeros((480, 640), dtype=np.int16)
    truth[:200] = 1
    truth[300:] = IGNORED
    said = np.zeros((480, 640), dtype=np.int16)
    said[:200] = 1
    said[400:] = 1
    assert boundary_f1(truth, said, 3) == pytest.approx([1.0, 1.0, math.nan], nan_ok=True)


def test_perfect_is_one_and_nothing_is_zero() -> None:
    pairs = maps(1)
    perfect = measuring.measure(tallied([(truth, truth) for truth, _ in pairs]), NAMES, resamples=50)
    assert set(perfect.values.values()) == {1.0}
    assert all(0 < each.low < 1 and each.high == pytest.approx(1) for each in perfect.intervals.values())
    nothing = [(truth, np.full_like(truth, IGNORED)) for truth, _ in pairs]
    assert set(values(nothing).values()) == {0.0}
    ignored_differs = [(truth, np.where(truth == IGNORED, 3, truth).astype(np.int16)) for truth, _ in pairs]
    found = values(ignored_differs)
    assert {found["miou"], found["dice"], found["pixel_accuracy"]} == {1.0}


def test_pixels_that_are_ignored_change_nothing() -> None:
    pairs = maps(2)
    other = [(truth, np.where(truth == IGNORED, (said + 1) % C, said).astype(np.int16)) for truth, said in pairs]
    one, two = tallied(pairs, boundaries=False), tallied(other, boundaries=False)
    assert (one.counts == two.counts).all()
    assert (one.confusion == two.confusion).all()


def test_classes_that_are_nowhere_are_left_out_and_those_only_said_are_zero() -> None:
    truth = np.zeros((8, 8), dtype=np.int16)
    truth[4:] = 1
    said = truth.copy()
    said[0, 0] = 2
    found = measuring.measure(tallied([(truth, said)]), NAMES, resamples=5)
    assert (found.values["iou[pole]"], found.values["iou[car]"]) == (0.0, None)
    assert found.values["pixel_accuracy[pole]"] is None
    assert found.values["miou"] == pytest.approx((31 / 32 + 1 + 0) / 3)
    assert "no labelled pixel of 'pole', 'car'" in found.warnings[0]
    assert not found.judge(parse("iou[car]>0.1"), runtime="torch").met


def test_a_rare_class_that_pixel_accuracy_hides_is_named() -> None:
    truth = np.zeros((100, 100), dtype=np.int16)
    truth[50:], truth[:3, :50], truth[60:63, :50] = 1, 2, 3
    said = np.where(truth == 2, 0, truth).astype(np.int16)
    warning = next(each for each in measuring.measure(tallied([(truth, said)]), NAMES).warnings if "rare" in each)
    assert re.search(r"pixel accuracy is 0\.9\d, but 'pole' \(1\.50% of the pixels\) has an IoU of 0\.00", warning)
    assert "'car'" not in warning
    assert not any("rare" in each for each in measuring.measure(tallied([(truth, truth)]), NAMES).warnings)


def test_intervals_come_from_photos() -> None:
    """The standard error behind an interval is that of photos drawn again, one by one."""
    pairs = maps(5, photos=30)
    tallies = tallied(pairs)
    found = measuring.measure(tallies, NAMES, resamples=4000)
    rng = np.random.default_rng(9)
    drawn = []
    for _ in range(600):
        chosen = [pairs[place] for place in rng.integers(0, 30, 30)]
        matrix = sum(confusion_of(truth, said, C) for truth, said in chosen)[:, :C]  # type: ignore[index]
        outside = sum(confusion_of(truth, said, C)[0, C] for truth, said in chosen)
        drawn.append(matrix[0, 0] / (matrix[0].sum() + outside + matrix[:, 0].sum() - matrix[0, 0]))
    interval = found.intervals["iou[road]"]
    assert (interval.high - interval.low) / (2 * 1.96) == pytest.approx(np.std(drawn), rel=0.1)
    again = measuring.measure(tallies, NAMES, resamples=50, seed=4), measuring.measure(tallies, NAMES, resamples=50)
    assert again[0].intervals["miou"] != again[1].intervals["miou"]
    assert again[0].intervals == measuring.measure(tallies, NAMES, resamples=50, seed=4).intervals
    for key, each in found.intervals.items():
        assert each.low <= (found.values[key] or 0) <= each.high


def test_photos_of_their_own_are_those_measured_alone() -> None:
    pairs = maps(6, photos=3)
    own = measuring.of_photos(tallied(pairs), NAMES)
    for place, pair in enumerate(pairs):
        alone = values([pair])
        for key, each in alone.items():
            if key in own:
                assert own[key][place] == pytest.approx(math.nan if each is None else each, nan_ok=True)


def test_every_line_of_the_table_is_measured() -> None:
    found = measuring.measure(tallied(maps(7)), NAMES, resamples=20)
    keys = set()
    for name in names_of("semantic"):
        card = metric_card(name, "semantic")
        if card.source == "predictions":
            keys |= {name} if card.per_class != "only" else set()
            keys |= {f"{name}[{label}]" for label in NAMES} if card.per_class else set()
    assert found.values.keys() == keys == found.intervals.keys()


@pytest.mark.parametrize("text", ["iou[road]>0.7", "miou>0.6", "boundary_f1>0.5", "dice[car]>0.5", "fw_iou>0.1"])
def test_kpis(text: str) -> None:
    check_kpi(parse(text), "semantic", ClassMap(NAMES))
    assert measuring.measure(tallied([(truth, truth) for truth, _ in maps(1)]), NAMES).judge(
        parse(text), runtime="torch"
    )


@pytest.mark.parametrize(
    ("text", "task", "message"),
    [
        ("iou>0.7", "semantic", "measured a class"),
        ("iou[rode]>0.7", "semantic", "no class is called 'rode'"),
        ("miou>60", "semantic", "share between 0 and 1"),
        ("miou>0.6", "detect", "measured for semantic"),
        ("moiu>0.6", "semantic", "unknown metric"),
    ],
)
def test_kpis_that_cannot_be_judged(text: str, task: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_kpi(parse(text), task, ClassMap(NAMES))
    assert re.search(message, f"{caught.value.message} {caught.value.hint}")


@pytest.mark.parametrize(
    ("truth", "said", "message"),
    [
        (np.zeros((4, 5), np.int16), np.zeros((5, 4), np.int16), r"photo \(4, 5\), and the answer is of \(5, 4\)"),
        (np.full((4, 5), C, np.int16), np.zeros((4, 5), np.int16), "classes of the labels run from 4 to 4"),
        (np.zeros((4, 5), np.int16), np.full((4, 5), -2, np.int16), "classes of the answer run from -2"),
    ],
)
def test_maps_that_do_not_fit_are_refused(truth: Classes, said: Classes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        tallied([(truth, said)])


def test_no_photos_measure_nothing() -> None:
    assert dict(measuring.measure(Tallies(C), NAMES).values) == {}
    assert measuring.mean_iou(Tallies(C)) == 0.0
    unlabelled = np.full((4, 4), IGNORED, dtype=np.int16)
    assert set(values([(unlabelled, np.zeros_like(unlabelled))]).values()) == {None}


def test_masks_of_coco_against_themselves_shifted(shared_data: Path) -> None:
    """Real masks with their ignored pixels, against scikit-learn over all labelled pixels."""
    from PIL import Image

    files = sorted((shared_data / "coco128_train" / "semantic_segmentation" / "masks").rglob("*.png"))[:10]
    pairs = []
    for file in files:
        picture = np.asarray(Image.open(file)).astype(np.int16)
        truth = np.where(picture == 255, IGNORED, picture).astype(np.int16)
        said = np.roll(truth, 4, axis=1)
        pairs.append((truth, np.where(said == IGNORED, 0, said).astype(np.int16)))
    number = int(max(truth.max() for truth, _ in pairs)) + 1
    tallies = Tallies(number)
    for pair in pairs:
        tallies.add(*pair)
    names = tuple(f"class {index}" for index in range(number))
    found = measuring.measure(tallies, names, resamples=20).values
    truth, said = flat(pairs)
    there = np.union1d(truth, said)
    expected = jaccard_score(truth, said, labels=there, average=None)
    assert found["miou"] == pytest.approx(expected.mean(), abs=1e-12)
    assert 0.5 < (found["boundary_f1"] or 0) <= 1
