"""Small torch networks that follow `core.contracts.PlaceNetwork`, for every layout, and their cards."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torchvision.ops import batched_nms

from vision_cli.core.artefact import Card
from vision_cli.core.dataset import ClassMap
from vision_cli.core.place_decode import Level, PlaceDecode
from vision_cli.core.preprocess import Preprocess

NAMES = ("platelets", "red", "white")
SIZE = (96, 64)
ANCHORS = (Level(8, ((14.0, 10.0), (8.0, 22.0))), Level(16, ((30.0, 34.0), (50.0, 40.0))))
POINTS = (Level(8), Level(16))


def trunk() -> torch.nn.Module:
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 16, 5, 4, 2),
        torch.nn.BatchNorm2d(16),
        torch.nn.ReLU6(),
        torch.nn.Conv2d(16, 32, 3, 2, 1),
        torch.nn.SiLU(),
    )


class Dense(torch.nn.Module):
    """Layouts `anchors` and `points`: maps of strides 8 and 16."""

    def __init__(self, anchors: int, width: int) -> None:
        super().__init__()
        self.backbone = trunk()
        self.down = torch.nn.Conv2d(32, 32, 3, 2, 1)
        self.head = torch.nn.ModuleList(torch.nn.Conv2d(32, anchors * width, 3, 1, 1) for _ in range(2))
        self.width = width

    def forward(self, photos: torch.Tensor) -> tuple[torch.Tensor, ...]:
        first = self.backbone(photos)
        maps = (first, self.down(first))
        rows = [head(each).permute(0, 2, 3, 1).flatten(1) for head, each in zip(self.head, maps, strict=True)]
        return (torch.cat([row.unflatten(1, (-1, self.width)) for row in rows], dim=1),)


class Pixels(torch.nn.Module):
    """Layout `pixels`, stride 8."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = trunk()
        self.head = torch.nn.Conv2d(32, len(NAMES), 3, 1, 1)

    def forward(self, photos: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (self.head(self.backbone(photos)),)


class Panoptic(torch.nn.Module):
    """Layout `panoptic`, and `boxes` with masks: the best four cells of the map, as boxes around them."""

    def __init__(self, *, pixels: bool) -> None:
        super().__init__()
        self.backbone = trunk()
        self.head = torch.nn.Conv2d(32, len(NAMES), 3, 1, 1)
        self.masks = torch.nn.Linear(32, 7 * 7)
        self.pixels = pixels

    def forward(self, photos: torch.Tensor) -> tuple[torch.Tensor, ...]:
        maps = self.backbone(photos)
        logits = self.head(maps)
        score, place = logits[:, 0].sigmoid().flatten(1).topk(4, dim=1)
        x, y = place % logits.shape[3], place // logits.shape[3]
        corner = torch.stack([x * 8.0 - 8, y * 8.0 - 8, x * 8.0 + 20, y * 8.0 + 16], dim=2)
        boxes = torch.cat([corner, score[..., None], (place % 2)[..., None].float()], dim=2)
        features = maps.flatten(2).gather(2, place[:, None].expand(-1, 32, -1)).transpose(1, 2)
        masks = (20 * self.masks(features)).sigmoid().unflatten(2, (7, 7))
        return (boxes, masks, logits) if self.pixels else (boxes, masks)


class Grid(torch.nn.Module):
    """Layout `boxes` with places in the graph: constants that half precision would move by half a pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = trunk()
        self.head = torch.nn.Conv2d(32, 6, 1)
        self.register_buffer("places", torch.tensor([[[1001.3, 1003.3, 1501.6, 1503.4, 0.0, 0.0]]]).repeat(1, 96, 1))

    def forward(self, photos: torch.Tensor) -> tuple[torch.Tensor, ...]:
        rows = self.head(self.backbone(photos)).flatten(2).transpose(1, 2).tanh()
        return (0.01 * rows + self.places,)


class Regions(torch.nn.Module):
    """Layout `boxes` of as many boxes as the photo has, filled up with empty rows: no shape is known before."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = trunk()
        self.head = torch.nn.Conv2d(32, 5, 1)

    def forward(self, photos: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (torch.stack([self.rows(each) for each in self.head(self.backbone(photos))]),)

    def rows(self, maps: torch.Tensor) -> torch.Tensor:
        values = maps.flatten(1).T
        boxes = torch.cat([values[:, :2] * 10 + 30, values[:, :2] * 10 + 30 + values[:, 2:4].abs() * 20 + 1], dim=1)
        kept = batched_nms(boxes, values[:, 4].sigmoid(), torch.zeros(len(values), dtype=torch.int64), 0.3)
        rows = torch.cat([boxes[kept], values[kept, 4:].sigmoid(), torch.zeros(len(kept), 1)], dim=1)
        return torch.cat([rows, rows.new_full((40, 6), -1.0)])[:40]


def network_and_card(layout: str, activation: Any = "softmax") -> tuple[Any, Card]:
    torch.manual_seed(0)
    more = int(activation == "softmax")
    match layout:
        case "anchors":
            network, task = Dense(2, 4 + len(NAMES) + more), "detect"
            decode = PlaceDecode("anchors", activation, ANCHORS, max_detections=30, score_floor=0.05, nms_iou=0.4)
        case "points":
            network, task = Dense(1, 4 + len(NAMES) + more + 1), "detect"
            decode = PlaceDecode("points", activation, POINTS, max_detections=25, score_floor=0.1, nms_iou=0.6)
        case "boxes":
            network, task, decode = Panoptic(pixels=False), "instance", PlaceDecode("boxes")
        case "grid":
            network, task, decode = Grid(), "detect", PlaceDecode("boxes")
        case "regions":
            network, task, decode = Regions(), "detect", PlaceDecode("boxes")
        case "pixels":
            network, task, decode = Pixels(), "semantic", PlaceDecode("pixels")
        case _:
            network, task, decode = Panoptic(pixels=True), "panoptic", PlaceDecode("panoptic", things=(0, 1))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(2.5 if parameter.ndim > 1 else 1)
    network.decode, network.preprocess = decode, preprocess()
    return network.eval(), _card(task, decode)


def preprocess() -> Preprocess:
    return Preprocess(size_px=SIZE, resize="letterbox", mean=(0.5,) * 3, std=(0.25,) * 3)


def _card(task: str, decode: PlaceDecode) -> Card:
    return Card(
        task=task,
        classes=ClassMap(NAMES),
        preprocess=preprocess(),
        decode=decode,
        family="small",
        model={},
        licence="Apache-2.0",
        name="cells",
        created="2025-01-01T00:00:00Z",
    )


def photos(number: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(0).standard_normal((number, 3, SIZE[1], SIZE[0])).astype(np.float32)


def answers(network: Any, batch: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], ...]:
    with torch.no_grad():
        return tuple(each.numpy() for each in network(torch.from_numpy(batch)))
