"""Which anchor learns which object, and the loss of it, against slow references."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torchvision.ops import box_iou, complete_box_iou_loss

from vision_cli.core.place_decode import Level
from vision_cli.core.place_targets import PlaceTargets
from vision_cli.models.places import anchors, dense_loss
from vision_cli.models.places.assignment import assign
from vision_cli.models.places.objects import ious, rectangular

LEVELS = (Level(8, ((12.0, 20.0), (30.0, 18.0))), Level(16, ((40.0, 44.0),)))
SIZE = (64, 48)


def made(objects: list[list[tuple[Any, int, bool]]]) -> PlaceTargets:
    rows = [(index, *row) for index, photo in enumerate(objects) for row in photo]
    return PlaceTargets(
        len(objects),
        torch.tensor([row[0] for row in rows], dtype=torch.int64),
        torch.tensor([row[1] for row in rows], dtype=torch.float32).reshape(-1, 4),
        torch.tensor([row[2] for row in rows], dtype=torch.int64),
        torch.tensor([row[3] for row in rows], dtype=torch.bool),
    )


def scene(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, PlaceTargets]:
    generator = torch.Generator().manual_seed(seed)
    grid = anchors.over_grid(LEVELS, SIZE)
    offsets = torch.randn(3, len(grid), 4, generator=generator)
    boxes = anchors.decode(offsets, grid, (10.0, 10.0, 5.0, 5.0))
    logits = torch.randn(3, len(grid), 3, generator=generator) * 2
    low = torch.rand(9, 2, generator=generator) * torch.tensor([40.0, 30.0])
    high = low + 4 + torch.rand(9, 2, generator=generator) * 30
    rows = [[*a, *b] for a, b in zip(low.tolist(), high.tolist(), strict=True)]
    targets = made(
        [[(row, i % 3, i == 1) for i, row in enumerate(rows[:5])], [], [(row, 0, False) for row in rows[5:]]]
    )
    return grid, boxes, logits, anchors.strides_over_grid(LEVELS, SIZE), targets


def slowly(grid: Any, boxes: Any, scores: Any, strides: Any, targets: PlaceTargets, photo: int) -> dict[int, Any]:
    """Return anchor -> (object's box, label, quality) of one photo, by loops."""
    objects = [
        (box, int(label))
        for index, box, label, crowd in zip(
            targets.photo.tolist(), targets.boxes, targets.labels, targets.crowd.tolist(), strict=True
        )
        if index == photo and not crowd
    ]
    wanted: dict[int, list[tuple[float, int]]] = {}
    values = {}
    for number, (box, label) in enumerate(objects):
        found = []
        for a in range(len(grid)):
            x, y = float(grid[a, 0] + grid[a, 2]) / 2, float(grid[a, 1] + grid[a, 3]) / 2
            cx, cy = float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
            w, h = max(float(box[2] - box[0]), float(strides[a])), max(float(box[3] - box[1]), float(strides[a]))
            if abs(x - cx) <= w / 2 and abs(y - cy) <= h / 2:
                iou = float(box_iou(box[None], boxes[photo, a][None]))
                values[number, a] = (math.sqrt(float(scores[photo, a, label])) * iou**6, iou)
                found.append((values[number, a][0], a))
        for value, a in sorted(found, reverse=True)[:10]:
            if value > 0:
                wanted.setdefault(a, []).append((values[number, a][1], number))
    owner = {a: max(each)[1] for a, each in wanted.items()}
    answer = {}
    for a, number in owner.items():
        mine = [b for b, other in owner.items() if other == number]
        most = max(values[number, b][0] for b in mine)
        best = max(values[number, b][1] for b in mine)
        answer[a] = (objects[number], values[number, a][0] / most * best)
    return answer


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_assignment_is_that_of_plain_loops(seed: int) -> None:
    grid, boxes, logits, strides, targets = scene(seed)
    objects = rectangular(targets)
    found = assign(logits.sigmoid(), boxes, grid, strides, objects)
    for photo in range(3):
        expected = slowly(grid, boxes, logits.sigmoid(), strides, targets, photo)
        assert set(found.positive[photo].nonzero()[:, 0].tolist()) == set(expected)
        for a, ((box, label), quality) in expected.items():
            assert torch.equal(objects.boxes[photo, found.object[photo, a]], box)
            assert int(objects.labels[photo, found.object[photo, a]]) == label
            assert float(found.quality[photo, a]) == pytest.approx(quality, abs=1e-5)


def test_every_object_is_learned_however_small() -> None:
    grid = anchors.over_grid(LEVELS, SIZE)
    strides = anchors.strides_over_grid(LEVELS, SIZE)
    targets = made([[((20.5, 20.5, 21.5, 21.5), 0, False), ((0.0, 0.0, 1.0, 1.0), 1, False)]])
    found = assign(torch.full((1, len(grid), 2), 0.01), grid[None], grid, strides, rectangular(targets))
    assert set(found.object[0][found.positive[0]].tolist()) == {0, 1}


def test_the_loss_is_the_formula() -> None:
    grid, boxes, logits, strides, targets = scene()
    found = dense_loss.losses(logits, boxes, grid, strides, targets)
    scores, classes, box_loss, total = logits.sigmoid(), 0.0, 0.0, 0.0
    crowd = targets.boxes[targets.crowd][0]
    for photo in range(3):
        expected = slowly(grid, boxes, scores, strides, targets, photo)
        for a in range(len(grid)):
            (box, label), quality = expected.get(a, ((None, -1), 0.0))
            total += quality
            if box is not None:
                box_loss += quality * float(complete_box_iou_loss(boxes[photo, a], box))
            elif photo == 0 and shared(grid[a], crowd) > 0.5:
                continue
            for k in range(3):
                wanted, score = (quality if k == label else 0.0), float(scores[photo, a, k])
                classes -= wanted * math.log(score) + (1 - wanted) * math.log(1 - score)
    assert float(found["class"]) == pytest.approx(classes / total, rel=1e-4)
    assert float(found["box"]) == pytest.approx(2.5 * box_loss / total, rel=1e-4)


def shared(anchor: torch.Tensor, region: torch.Tensor) -> float:
    width = max(0.0, float(min(anchor[2], region[2]) - max(anchor[0], region[0])))
    height = max(0.0, float(min(anchor[3], region[3]) - max(anchor[1], region[1])))
    return width * height / float((anchor[2:] - anchor[:2]).prod())


def test_what_is_scored_in_a_crowd_costs_nothing() -> None:
    grid = anchors.over_grid(LEVELS, SIZE)
    strides = anchors.strides_over_grid(LEVELS, SIZE)
    targets = made([[((-1.0, -1.0, 65.0, 49.0), 0, True)]])
    inside = torch.tensor([shared(anchor, targets.boxes[0]) > 0.5 for anchor in grid])
    logits = torch.full((1, len(grid), 2), -20.0)
    logits[0, inside] = 5.0
    assert float(dense_loss.losses(logits, grid[None], grid, strides, targets)["class"]) < 1e-4
    assert float(dense_loss.losses(logits, grid[None], grid, strides, made([[]]))["class"]) > 1.0


def test_photos_without_objects_have_a_gradient() -> None:
    grid, boxes, logits, strides, _ = scene()
    logits.requires_grad_()
    found = dense_loss.losses(logits, boxes, grid, strides, made([[], [], []]))
    (found["class"] + found["box"]).backward()
    assert float(found["box"]) == 0
    assert logits.grad is not None
    assert float(logits.grad.min()) > 0


def test_objects_without_an_area_are_left_out() -> None:
    found = rectangular(made([[((1.0, 1.0, 1.0, 9.0), 0, False), ((1.0, 1.0, 5.0, 9.0), 2, False)], []]))
    assert found.boxes.tolist() == [[[1.0, 1.0, 5.0, 9.0]], [[0.0] * 4]]
    assert found.labels.tolist() == [[2], [0]]
    assert found.real.tolist() == [[True], [False]]


def test_overlaps_are_those_of_torchvision() -> None:
    grid, boxes, _, _, targets = scene()
    ours = ious(targets.boxes[None], boxes[:1])[0]
    torch.testing.assert_close(ours, box_iou(targets.boxes, boxes[0]))
    assert len(grid) == ours.shape[1]
