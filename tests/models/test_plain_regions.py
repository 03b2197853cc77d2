"""Suppression and pooling in operators that every runtime has, against torchvision's own."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torchvision.ops import MultiScaleRoIAlign, batched_nms, nms

from vision_cli import models
from vision_cli.core.config import InputConfig, ModelConfig
from vision_cli.core.dataset import ClassMap
from vision_cli.models.places import fixed_regions, plain_regions
from vision_cli.models.places.request import PlaceRequest

SIDE = 128


def boxes_of(count: int, seed: int, side: float = SIDE) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes in heaps, best first, and their scores."""
    generator = torch.Generator().manual_seed(seed)
    heaps = torch.rand(12, 2, generator=generator) * side
    centres = heaps[torch.randint(12, (count,), generator=generator)] + torch.randn(count, 2, generator=generator) * 4
    sides = torch.rand(count, 2, generator=generator) * 30 + 8
    scores = torch.rand(count, generator=generator).sort(descending=True).values
    return torch.cat([centres - sides / 2, centres + sides / 2], dim=1), scores


@pytest.mark.parametrize("iou", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("seed", range(4))
def test_the_survivors_are_those_of_greedy_suppression(seed: int, iou: float) -> None:
    boxes, scores = boxes_of(400, seed)
    expected = nms(boxes, scores, iou)
    assert 20 < len(expected) < 380
    assert torch.equal(torch.nonzero(plain_regions.kept(boxes, scores, None, iou))[:, 0], expected.sort().values)


def test_classes_do_not_suppress_each_other_nor_what_is_not_there() -> None:
    boxes, scores = boxes_of(300, 9)
    classes = torch.arange(300) % 3
    scores[100:150] = -1.0
    there = torch.nonzero(scores >= 0)[:, 0]
    expected = there[batched_nms(boxes[there], scores[there], classes[there], 0.5)]
    found = torch.nonzero(plain_regions.kept(boxes, scores, classes, 0.5))[:, 0]
    assert torch.equal(found, expected.sort().values)


def test_boxes_without_an_area_cover_nothing() -> None:
    boxes = torch.tensor([[5.0, 5, 5, 5], [5, 5, 5, 5], [0, 0, 9, 9]])
    assert plain_regions.kept(boxes, torch.tensor([0.9, 0.8, 0.7]), None, 0.5).tolist() == [True, True, True]


def test_pooling_is_torchvisions_even_over_the_border() -> None:
    generator = torch.Generator().manual_seed(0)
    levels = {
        str(index): torch.randn(1, 6, 64 >> index, 48 >> index, generator=generator).double() for index in range(3)
    }
    pool = MultiScaleRoIAlign(["0", "1", "2"], 7, 2)
    boxes = boxes_of(200, 1, side=180)[0].double()
    boxes[-1] = torch.tensor([0.0, 0, 192, 256]).double()
    expected = pool(levels, [boxes], [(256, 192)])
    level_of = pool.map_levels([boxes])  # type: ignore[operator,misc]
    assert len(level_of.unique()) > 1
    found = plain_regions.pooled(list(levels.values()), boxes, level_of, pool.scales, 7)  # type: ignore[arg-type]
    assert torch.allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("family", ["fasterrcnn", "maskrcnn"])
def test_a_network_answers_the_same_with_plain_operators(family: str) -> None:
    torch.manual_seed(0)
    task: Any = {"fasterrcnn": "detect", "maskrcnn": "instance"}[family]
    config = ModelConfig(
        family=family, backbone="test_resnet", weights="none", input=InputConfig(size=(SIDE, SIDE), resize="stretch")
    )
    network: Any = models.build_places(config, PlaceRequest(task, ClassMap(("square", "disc"))), offline=True)
    network.eval()
    with torch.no_grad():
        for part in (network.network.rpn.head.cls_logits, network.network.roi_heads.box_predictor.cls_score):
            part.weight.mul_(20)
        batch = torch.randn(2, 3, SIDE, SIDE)
        features = network.features(batch)
        plain, masks = fixed_regions.detections(network.network, features, batch, plain=True)
        expected = network(batch)
    assert (expected[0][..., 5] >= 0).sum() > 20, "nothing is found: nothing is tested"
    assert torch.allclose(plain, expected[0], atol=1e-3)
    assert (masks is None) == (family == "fasterrcnn")
    if masks is not None:
        assert torch.allclose(masks, expected[1], atol=1e-4)
