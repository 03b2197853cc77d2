"""Photos with rectangles, as COCO files, and a model that says what a test wants of each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vision_cli import formats
from vision_cli.core import rle
from vision_cli.core.artefact import Card
from vision_cli.core.config import SourceConfig
from vision_cli.core.contracts import Batch
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.preprocess import Preprocess
from vision_cli.stages import place_truth

WIDTH, HEIGHT = 64, 48
NAMES = ("person", "road", "sky")
THINGS = (0,)
SEEN = Preprocess((WIDTH, HEIGHT), "stretch")
Rectangle = tuple[int, int, int, int, int]
"""Class, left, top, right, bottom."""
SCENES: list[list[Rectangle]] = [
    [(2, 0, 0, 64, 20), (1, 0, 20, 64, 48), (0, 8, 10, 20, 40), (0, 40, 12, 50, 44)],
    [(2, 0, 0, 64, 16), (1, 0, 24, 64, 48)],
    [(1, 0, 30, 64, 48), (0, 4, 4, 24, 36), (0, 30, 20, 40, 40), (0, 44, 20, 60, 46)],
]


def plane(rectangle: Rectangle) -> NDArray[np.bool_]:
    """Return the pixels of a rectangle, bool (H, W)."""
    _, left, top, right, bottom = rectangle
    found = np.zeros((HEIGHT, WIDTH), dtype=bool)
    found[top:bottom, left:right] = True
    return found


def painted(scene: list[Rectangle], background: int) -> NDArray[np.int16]:
    """Return the class of each pixel; smaller rectangles lie on larger ones in all scenes here."""
    found = np.full((HEIGHT, WIDTH), background, dtype=np.int16)
    for rectangle in scene:
        found[plane(rectangle)] = rectangle[0]
    return found


def dataset(folder: Path, task: str) -> Dataset:
    """Write photos and labels, and read them as a stage does."""
    annotations = []
    for photo, scene in enumerate(SCENES):
        Image.new("RGB", (WIDTH, HEIGHT), (photo, 0, 0)).save(folder / f"{photo}.png")
        for rectangle in scene:
            name, left, top, right, bottom = rectangle
            counts = rle.to_text(rle.encode(plane(rectangle)))
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": photo + 1,
                    "category_id": name + 1,
                    "bbox": [left, top, right - left, bottom - top],
                    "area": (right - left) * (bottom - top),
                    "iscrowd": 0,
                    "segmentation": {"size": [HEIGHT, WIDTH], "counts": counts},
                }
            )
    images = [
        {"id": photo + 1, "file_name": f"{photo}.png", "width": WIDTH, "height": HEIGHT} for photo in range(len(SCENES))
    ]
    categories = [{"id": row + 1, "name": name} for row, name in enumerate(NAMES)]
    document = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "labels.json").write_text(json.dumps(document), encoding="utf-8")
    found = formats.read("data", SourceConfig(path=str(folder)), folder)
    return place_truth.prepared(found, task)


class Oracle:
    """A model that says what a function of the photo's number gives."""

    runtime, size_mb = "torch", 1.0

    def __init__(self, task: str, classes: ClassMap, answer: Callable[[int], tuple[Batch, ...]]) -> None:
        layout = "panoptic" if task == "panoptic" else "pixels"
        decode = PlaceDecode(layout, things=THINGS)  # type: ignore[arg-type]
        self.card = Card(task, classes, SEEN, decode, "oracle", {}, "MIT", "oracle", "2026-01-01")
        self._answer, self._seen = answer, 0

    def run_all(self, batch: Batch) -> tuple[Batch, ...]:
        """Answer the next photos."""
        first, self._seen = self._seen, self._seen + len(batch)
        answers = [self._answer(photo) for photo in range(first, self._seen)]
        return tuple(np.stack(parts) for parts in zip(*answers, strict=True))

    def run(self, batch: Batch) -> Batch:
        """Return the first output."""
        return self.run_all(batch)[0]


def logits(classes: NDArray[np.int16], number: int) -> Batch:
    """Return float32 (C, H, W) that say a class for each pixel."""
    return (np.arange(number)[:, None, None] == classes).astype(np.float32) * 9


def panoptic_outputs(scene: list[Rectangle]) -> tuple[Batch, Batch, Batch]:
    """Return what a panoptic network would say of a scene: boxes, masks, pixels."""
    boxes = np.full((5, 6), -1, dtype=np.float32)
    for row, (name, *edges) in enumerate(each for each in scene if each[0] in THINGS):
        boxes[row] = (*edges, 0.9, name)
    return boxes, np.ones((5, 28, 28), dtype=np.float32), logits(painted(scene, 0), len(NAMES))
