"""COCO files of the shape of train2017, made up: 7.3 objects a photo, outlines of 15 to 32 points, 1 % crowds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

SHAPES = {"val2017": (5_000, 36_800), "fifth": (24_000, 170_000), "train2017": (118_000, 860_000)}
"""Photos and annotations."""

_CLASSES = 80
_OUTLINES = 4_000
_CROWDS = 100
_BLOCK = 20_000


def generate(path: Path, photos: int, annotations: int) -> None:
    """Write one file; the same bytes each time."""
    rng = np.random.default_rng(7)
    sizes = rng.integers(320, 641, (photos, 2))
    sizes[:, :] = np.where(sizes.max(axis=1, keepdims=True) < 480, 480, sizes)
    bodies = [_outline(rng) for _ in range(_OUTLINES)]
    owners = rng.integers(0, photos - photos // 100, annotations)  # the last hundredth has no label
    with path.open("w", encoding="ascii") as file:
        file.write(
            '{"info": {"description": "made up", "year": 2017}, "licenses": [{"id": 1, "name": "CC0"}], "images": ['
        )
        for start in range(0, photos, _BLOCK):
            rows = range(start, min(start + _BLOCK, photos))
            file.write((", " if start else "") + ", ".join(_photo(row, *sizes[row].tolist()) for row in rows))
        file.write('], "annotations": [')
        for start in range(0, annotations, _BLOCK):
            rows = range(start, min(start + _BLOCK, annotations))
            block = ", ".join(_annotation(row, int(owners[row]), sizes[owners[row]], bodies) for row in rows)
            file.write((", " if start else "") + block)
        names = (f'{{"supercategory": "thing", "id": {n}, "name": "class {n}"}}' for n in range(1, _CLASSES + 1))
        file.write('], "categories": [' + ", ".join(names) + "]}")


def _photo(row: int, width: int, height: int) -> str:
    name = f"{row * 5 + 9:012d}.jpg"
    return (
        f'{{"license": 1, "file_name": "{name}", "coco_url": "http://images.example.org/train2017/{name}", '
        f'"height": {height}, "width": {width}, "date_captured": "2013-11-14 17:02:52", '
        f'"flickr_url": "http://farm9.example.org/8186/{row:010d}_z.jpg", "id": {row * 5 + 9}}}'
    )


def _outline(rng: np.random.Generator) -> tuple[str, str, str]:
    """Return the texts of an outline within 320 x 300 pixels, its area and its box."""
    points = int(rng.integers(15, 33))
    angles = np.sort(rng.uniform(0, 2 * np.pi, points))
    radius = rng.uniform(5, 70) * rng.uniform(0.6, 1, points)
    centre = rng.uniform([134, 76], [186, 224])
    xy = np.round(centre + np.stack([np.cos(angles), np.sin(angles)], 1) * radius[:, None] * [1.9, 1], 2)
    left, top = xy.min(axis=0)
    width, height = np.round(xy.max(axis=0) - xy.min(axis=0), 2)
    x, y = xy.T
    area = abs(float(x @ np.roll(y, 1) - y @ np.roll(x, 1))) / 2
    parts = [xy] if rng.uniform() < 0.9 else [xy[: points // 2], xy[points // 2 :]]
    text = ", ".join("[" + ", ".join(map(str, part.ravel().tolist())) + "]" for part in parts)
    return f"[{text}]", str(area), f"[{left}, {top}, {width}, {height}]"


def _annotation(
    row: int, owner: int, size: np.ndarray[tuple[int], np.dtype[np.int64]], bodies: list[tuple[str, str, str]]
) -> str:
    outline, area, box = bodies[row % _OUTLINES]
    crowd = int(row % _CROWDS == 0)
    if crowd:
        width, height = size.tolist()
        outline = f'{{"counts": [{height * 10}, {height * 90}, {height * (width - 100)}], "size": [{height}, {width}]}}'
        area, box = str(height * 90), f"[10.0, 0.0, 90.0, {height}.0]"
    return (
        f'{{"segmentation": {outline}, "area": {area}, "iscrowd": {crowd}, "image_id": {owner * 5 + 9}, '
        f'"bbox": {box}, "category_id": {row * 7919 % _CLASSES + 1}, "id": {row + 1}}}'
    )
