"""How well maps of evidence point, and whether they ask the weights: the figures of docs/explain.md.

    python bench/explain.py [YOLO-FOLDER --images PHOTOS] [--scorecam 100]
    python bench/explain.py --detector RUN ../shared/data/bccd_voc/BCCD

The pointing game (J. Zhang et al. 2016, section 4.2): a map points at an object if its maximum lies in one of the
object's boxes. For EfficientNet-Lite0 with ImageNet's classes: each class of a photo that ImageNet has by name. Chance
is the boxes' share of what the network sees, and the middle of the photo is where photographers put things. For a
detector: the boxes that it answers, without those that cover more than half of the photo.

Sanity check (J. Adebayo et al. 2018): the rank correlation of maps with those of weights drawn by chance.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr  # type: ignore[import-untyped]
from torch import nn

from vision_cli import formats
from vision_cli.core import project
from vision_cli.core.config import SourceConfig
from vision_cli.core.progress import Silent
from vision_cli.models import known
from vision_cli.models.explaining import GRADCAM, HIRESCAM, SCORECAM
from vision_cli.stages.explaining import evidence, found, subject
from vision_cli.stages.explaining.asked import ExplainRequest, How

_COCO = Path(__file__).parents[2] / "shared" / "data" / "coco128_train"
Boxes = np.ndarray[Any, np.dtype[np.float64]]


def main() -> None:
    """Print one table."""
    words = argparse.ArgumentParser()
    words.add_argument("data", type=Path, nargs="?", default=_COCO / "object_detection")
    words.add_argument("--images", type=Path, default=_COCO / "images")
    words.add_argument("--detector", type=Path)
    words.add_argument("--scorecam", type=int, default=0)
    words.add_argument("--photos", type=int, default=200)
    given = words.parse_args()
    torch.set_num_threads(1)
    if not given.data.is_dir():
        print(f"{given.data} is not here: nothing to measure")
        return
    if given.detector:
        detector(given.data, given.detector, given.photos)
    else:
        classifier(given.data, given.images, given.scorecam, given.photos)


def classifier(path: Path, images: Path, channels: int, most: int) -> None:
    """Point at objects of classes that ImageNet has."""
    objects = by_class(path, images)[:most]
    print(f"{len(objects)} times a class in a photo, of {len({each.name for each in objects})} classes")
    print_points(GRADCAM, point(objects, How(GRADCAM)))
    if channels:
        print_points(SCORECAM, point(objects, How(SCORECAM, channels=channels)))
    print_sanity([each for each in objects if each.alone])


@dataclass(frozen=True, slots=True, eq=False)
class Object:
    """A class in a photo: its boxes, left, top, right, bottom in pixels, and whether the photo has no other class."""

    photo: Path
    name: str
    boxes: Boxes
    alone: bool


@dataclass(frozen=True, slots=True)
class OfClasses:
    """The log of the summed exponentials of some of a network's outputs."""

    network: Any
    columns: tuple[int, ...]

    def __call__(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the scores (N,)."""
        found: torch.Tensor = self.network(batch)[:, list(self.columns)].logsumexp(dim=1)
        return found


def columns_of(name: str) -> tuple[int, ...]:
    """Return ImageNet's classes of a name."""
    return tuple(each.index for each in known.known([name]) if each.dataset == "imagenet-1k")


def by_class(path: Path, images: Path) -> list[Object]:
    """Return each class that ImageNet has, in each photo that has it."""
    dataset = formats.read("data", SourceConfig(path=str(path), images=str(images)), path)
    names, there = dataset.classes.names, dict(zip(dataset.images["id"].to_pylist(), dataset.paths(), strict=True))
    found: dict[tuple[Any, str], list[list[float]]] = {}
    for row in dataset.annotations.to_pylist():
        box = [row["x"], row["y"], row["x"] + row["w"], row["y"] + row["h"]]
        found.setdefault((row["image_id"], names[row["class_id"]]), []).append(box)
    each = Counter(image for image, _ in found)
    return [
        Object(there[image], name, np.array(boxes), each[image] == 1)
        for (image, name), boxes in found.items()
        if columns_of(name)
    ]


def point(objects: list[Object], how: How) -> list[tuple[bool, float, bool]]:
    """Return whether each map points at the object, the chance that it would, and whether the middle does."""
    rows, look = [], opened(how)
    for each in objects:
        seen = evidence.see(each.photo, look.subject.card.preprocess)
        score = OfClasses(look.subject.network, columns_of(each.name))
        part = evidence.explained(look, seen, evidence.Ask(look.spot(), score, GRADCAM, each.name, None))
        looked = ~np.isnan(evidence.spread(part, seen.size_px, look.subject.card.preprocess))
        inside = painted(each.boxes, seen.size_px) & looked
        y, x = seen.size_px[1] // 2, seen.size_px[0] // 2
        if inside.any():  # else the network did not see it
            hit = part.peak is not None and bool(inside[part.peak[1], part.peak[0]])
            rows.append((hit, float(inside.sum() / looked.sum()), bool(inside[y, x])))
    return rows


def painted(boxes: Boxes, size_px: tuple[int, int]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which pixels lie in a box."""
    found = np.zeros((size_px[1], size_px[0]), bool)
    for left, top, right, bottom in boxes.round().astype(int).tolist():
        found[max(0, top) : bottom, max(0, left) : right] = True
    return found


@cache
def opened(how: How) -> evidence.Look:
    """Return EfficientNet-Lite0 with ImageNet's classes."""
    request = ExplainRequest(project.load(), model=Path("efficientnet_lite0"), how=how, classes=("all",), offline=True)
    return evidence.open_look(subject.opened(request, Silent()), how, Silent())


def print_points(method: str, rows: list[tuple[bool, float, bool]]) -> None:
    """Print how often maps point, in all and at small objects."""
    hits, chances, middles = (np.array(column, float) for column in zip(*rows, strict=True))
    small = chances < 0.3
    print(f"{method:9} points {hits.mean():.1%}  chance {chances.mean():.1%}  middle {middles.mean():.1%}  ", end="")
    if small.any():
        few = f"{hits[small].mean():.1%}  chance {chances[small].mean():.1%}  middle {middles[small].mean():.1%}"
        print(f"| {int(small.sum())} objects below 30 % of the photo: {few}", end="")
    print()


def print_sanity(objects: list[Object]) -> None:
    """Print how alike maps of the trained weights and of weights by chance are."""
    for what, parts in (("head", "head"), ("all", "")):
        found = [alike(each, parts, seed) for seed, each in enumerate(objects[:12])]
        print(f"sanity {what:5} rank correlation {np.mean(found):+.2f} ± {np.std(found):.2f}, {len(found)} photos")


def alike(each: Object, parts: str, seed: int) -> float:
    """Return the rank correlation of a photo's map with that of weights by chance."""
    maps = []
    for randomised in (False, True):
        look = copy.deepcopy(opened(How(GRADCAM))) if randomised else opened(How(GRADCAM))
        if randomised:
            drawn(look.subject.network, parts, seed)
            look = evidence.open_look(look.subject, look.how, Silent())
        seen = evidence.see(each.photo, look.subject.card.preprocess)
        score = OfClasses(look.subject.network, columns_of(each.name))
        maps.append(evidence.explained(look, seen, evidence.Ask(look.spot(), score, GRADCAM, each.name, None)).heat)
    return 0.0 if min(map(np.ptp, maps)) == 0 else float(spearmanr(maps[0].ravel(), maps[1].ravel()).statistic)


def drawn(network: nn.Module, parts: str, seed: int) -> None:
    """Draw the weights of convolutions and linear layers anew, with the spread that they had."""
    torch.manual_seed(seed)
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear) and name.startswith(parts):
            nn.init.normal_(module.weight, std=module.weight.std().item())


def detector(path: Path, run: Path, most: int) -> None:
    """Point at the boxes that a detector answers."""
    photos = [each for each in sorted(path.rglob("*.jpg"))][:most]
    for method in (HIRESCAM, GRADCAM):
        how = How(method)
        request = ExplainRequest(project.load(), model=run, how=how, offline=True)
        look = evidence.open_look(subject.opened(request, Silent()), how, Silent())
        hits, chances, start = [], [], time.process_time()
        for photo in photos:
            row = found.explain(look, evidence.see(photo, look.subject.card.preprocess))
            for part in row.parts:
                left, top, right, bottom = part.box or (0, 0, 0, 0)
                share = (right - left) * (bottom - top) / (row.size_px[0] * row.size_px[1])
                if share < 0.5:
                    x, y = part.peak or (-1, -1)
                    hits.append(left <= x < right and top <= y < bottom)
                    chances.append(share)
        each = (time.process_time() - start) / max(len(hits), 1)
        print(
            f"{method:9} {len(hits)} boxes in {len(photos)} photos: points {np.mean(hits):.1%}, "
            f"chance {np.mean(chances):.1%}, {each * 1000:.0f} CPU ms a box"
        )


if __name__ == "__main__":
    main()
