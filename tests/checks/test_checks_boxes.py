"""Boxes, outlines and classes against rows whose defects are known."""

from __future__ import annotations

import json

import numpy as np
import pytest
from made_checks import annotations, dataset, find, request

from vision_cli import checks
from vision_cli.checks.settings import Settings
from vision_cli.core.errors import UsageError

PHOTO = [{}]


def test_flat_boxes_are_found_and_one_pixel_is_not_flat() -> None:
    boxes = [(0, 0, (5, 5, 0, 9)), (0, 0, (5, 5, 9, -1)), (0, 0, (5, 5, 1, 1)), (0, 1, (0, 0, 50, 50))]
    (found,) = find("box-without-area", request(dataset(PHOTO, boxes)))
    assert found.where.annotations.tolist() == [0, 1]
    assert (found.severity, found.figure, found.fixable) == ("error", 2.0, "drop-flat-boxes")
    assert found.reason.startswith("2 boxes of 4 have")


@pytest.mark.parametrize(("pixels", "inside", "over"), [
    ("exclusive", (0, 0, 100, 80), (0, 0, 102, 80)),
    ("inclusive-0", (0, 0, 99, 79), (0, 0, 101, 79)),
    ("inclusive-1", (1, 1, 99, 79), (1, 1, 101, 79)),
])  # fmt: skip
def test_the_whole_photo_is_inside_in_every_convention(pixels: str, inside: list[float], over: list[float]) -> None:
    data = dataset(PHOTO, [(0, 0, inside), (0, 0, over)], pixels=pixels)
    (found,) = find("box-over-edge", request(data))
    assert found.where.annotations.tolist() == [1]
    assert found.where.values.tolist() == [2.0]
    (exact,) = find("box-over-edge", request(data, edge_px=0))
    assert exact.where.annotations.tolist() == [1]


def test_boxes_beside_the_photo_are_no_boxes_over_its_edge() -> None:
    boxes = [(0, 0, (100, 0, 5, 5)), (0, 0, (-9, 3, 9, 5)), (0, 0, (0, 90, 5, 5)), (0, 0, (-5, 0, 9, 9))]
    asked = request(dataset(PHOTO, boxes))
    assert annotations(find("box-outside", asked)) == [0, 1, 2]
    assert annotations(find("box-over-edge", asked)) == [3]


def test_twins_have_photo_and_class_in_common() -> None:
    a, near, far = (10, 10, 40, 40), (10, 10, 40, 41), (12, 12, 40, 40)
    boxes = [(0, 0, a), (0, 1, a), (1, 0, a), (0, 0, far), (0, 0, near), (0, 0, a)]
    (found,) = find("box-twice", request(dataset([{}, {}], boxes)))
    assert sorted(found.where.annotations.tolist()) == [4, 5]
    assert dict(zip(found.where.annotations.tolist(), found.where.others.tolist(), strict=True))[5] == 0
    assert "1 of them exactly" in found.reason


def test_twins_agree_with_every_pair_compared() -> None:
    rng = np.random.default_rng(3)
    corners = rng.integers(0, 12, (400, 2))
    sides = rng.integers(20, 24, (400, 2))
    boxes = [
        (int(rng.integers(3)), int(rng.integers(2)), (*corner, *side))
        for corner, side in zip(corners, sides, strict=True)
    ]

    def iou(one: tuple[float, ...], two: tuple[float, ...]) -> float:
        width = min(one[0] + one[2], two[0] + two[2]) - max(one[0], two[0])
        height = min(one[1] + one[3], two[1] + two[3]) - max(one[1], two[1])
        inside = max(width, 0) * max(height, 0)
        return inside / (one[2] * one[3] + two[2] * two[3] - inside)

    expected = {
        later
        for later in range(400)
        for earlier in range(later)
        if boxes[earlier][:2] == boxes[later][:2] and iou(boxes[earlier][2], boxes[later][2]) > 0.95
    }
    assert len(expected) > 20
    assert set(annotations(find("box-twice", request(dataset([{}] * 3, boxes))))) == expected


def test_sizes_are_judged_at_the_training_size() -> None:
    photos = [{"width": 4000, "height": 3000}, {"width": 200, "height": 100}]
    boxes = [(0, 0, (0, 0, 20, 20)), (1, 0, (0, 0, 20, 20)), (1, 0, (0, 0, 200, 99)), (1, 0, (0, 0, 3, 3))]
    asked = request(dataset(photos, boxes), train_px=(400, 400))
    assert annotations(find("box-tiny", asked)) == [0, 3]  # 20 px become 2; a small photo is not enlarged
    assert annotations(find("box-huge", asked)) == [2]


def outlines() -> list[bytes]:
    square, bow = [10, 10, 30, 10, 30, 30, 10, 30], [10, 10, 30, 30, 30, 10, 10, 30]
    notch = [10, 10, 30, 10, 30, 30, 20, 12, 10, 30]
    out = [90, 10, 110, 10, 110, 30]
    mask = {"size": [80, 100], "counts": [0, 8000]}
    return [json.dumps(each).encode() for each in ([square], [bow], [notch], [out], [square, bow], mask)] + [
        b"[[1, 2, 3]]"
    ]


def test_outlines() -> None:
    boxes = [(0, 0, (10, 10, 20, 20))] * 3 + [
        (0, 0, (90, 10, 20, 20)),
        (0, 0, (10, 10, 20, 20)),
        (0, 0, (0, 0, 100, 80)),
        (0, 0, (1, 1, 2, 2)),
    ]
    asked = request(dataset(PHOTO, boxes, outline=outlines()))
    assert annotations(find("outline-crosses-itself", asked)) == [1, 4]
    assert annotations(find("outline-over-edge", asked)) == [3]
    assert annotations(find("outline-off-box", asked)) == []
    (broken,) = find("outline-broken", asked)
    assert broken.where.annotations.tolist() == [6]
    assert "3 values" in broken.reason


def test_outlines_that_disagree_with_their_box() -> None:
    boxes = [(0, 0, (10, 10, 20, 20)), (0, 0, (10, 10, 20, 30))]
    asked = request(dataset(PHOTO, boxes, outline=outlines()[:1] * 2))
    (found,) = find("outline-off-box", asked)
    assert found.where.annotations.tolist() == [1]
    assert found.where.values.tolist() == [10.0]


def test_crossing_agrees_with_every_pair_of_edges() -> None:
    rng = np.random.default_rng(5)
    rings = [rng.integers(0, 12, 2 * rng.integers(3, 9)).tolist() for _ in range(400)]
    rings += [np.round(rng.normal(40, 9, 2 * rng.integers(3, 7)), 2).tolist() for _ in range(400)]
    data = dataset(PHOTO, [(0, 0, (0, 0, 9, 9))] * len(rings), outline=[json.dumps([ring]).encode() for ring in rings])
    facts = request(data).outlines
    assert facts is not None
    expected = [_crosses(np.array(ring, float).reshape(-1, 2)) for ring in rings]
    assert 100 < sum(expected) < 700
    wrong = [rings[at] for at in range(len(rings)) if expected[at] and not facts.crossing[at]]
    assert not wrong


def _crosses(ring: np.ndarray) -> bool:
    """Tell whether two edges cross at a point inside of both."""
    edges = [(ring[at], ring[(at + 1) % len(ring)]) for at in range(len(ring))]

    def side(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
        return float(np.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])))

    return any(
        side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
        for at, (a, b) in enumerate(edges)
        for c, d in edges[at + 1 :]
    )


def test_classes() -> None:
    photos = [{"split": "train"}] * 30 + [{"split": "test"}] * 3
    boxes = [(row, 0, (1, 1, 9, 9)) for row in range(33)] + [(2, 1, (1, 1, 9, 9)), (3, None, (1, 1, 9, 9))]
    asked = request(dataset(photos, boxes, classes=("cat", "dog", "cow")))
    assert annotations(find("class-outside", asked)) == [34]
    assert find("class-unused", asked)[0].reason == "1 of 3 classes have no annotation: cow."
    rare = find("class-rare", asked)[0]
    assert (rare.figure, rare.where.annotations.tolist()) == (1.0, [33])
    assert find("class-imbalance", asked)[0].figure == 33.0
    assert not find("class-imbalance", request(dataset(photos, boxes), imbalance=40))
    assert "test has no dog" in find("class-missing-in-split", asked)[0].reason


def test_nothing_is_found_where_nothing_is() -> None:
    empty = request(dataset([], [], classes=()))
    for name in checks.CHECKS:
        if checks.card(name).reads in ("labels", "outlines", "files"):
            assert not find(name, empty), name


def test_unknown_names_are_refused_with_a_guess() -> None:
    with pytest.raises(UsageError) as error:
        checks.chosen(["box-twise"])
    assert error.value.hint == "Did you mean 'box-twice'? `vision data check --list` lists all."
    with pytest.raises(UsageError, match="no threshold is called 'blurr'"):
        Settings().with_words(["blurr=1"])
    for word in ("blur=", "blur=nan", "blur=-1", "train_px=0", "train_px=axb"):
        with pytest.raises(UsageError, match="is no number"):
            Settings().with_words([word])
    assert Settings().with_words(["train_px=320", "blur=0.7"]) == Settings(train_px=(320, 320), blur=0.7)


@pytest.mark.parametrize("name", list(checks.CHECKS))
def test_every_check_is_a_function_of_its_module(name: str) -> None:
    assert callable(getattr(checks.CHECKS.load(name), name.replace("-", "_")))
    assert checks.card(name).severity in ("error", "warning", "info")
