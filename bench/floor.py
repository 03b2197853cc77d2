"""The least that a conversion from COCO can cost here: typed decoding, columns, plain writes; no check, no report.

Usage: python bench/floor.py COCO.json FOLDER {kitti,voc,yolo,yolo-outlines}
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import msgspec

Box = tuple[float, float, float, float]


class Image(msgspec.Struct, gc=False):
    """The members that files need."""

    id: int
    width: int
    height: int
    file_name: str


class Annotation(msgspec.Struct, gc=False):
    """Likewise; outlines are left raw."""

    image_id: int
    category_id: int
    bbox: Box
    segmentation: msgspec.Raw
    iscrowd: int = 0


class Category(msgspec.Struct, gc=False):
    """A class."""

    id: int
    name: str


class Coco(msgspec.Struct):
    """A file."""

    images: list[Image]
    annotations: list[Annotation]
    categories: list[Category]


RINGS = msgspec.json.Decoder(list[list[float]])
VOC = (
    "<annotation><filename>{}</filename>"
    "<size><width>{}</width><height>{}</height><depth>3</depth></size>{}</annotation>"
)
OBJECT = "<object><name>{}</name><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"


def kitti(image: Image, rows: list[Annotation], names: dict[int, str]) -> str:
    """Return a label file."""
    lines = []
    for row in rows:
        x, y, w, h = row.bbox
        lines.append(f"{names[row.category_id]} 0 0 -10 {x} {y} {x + w} {y + h} -1 -1 -1 -1000 -1000 -1000 -10\n")
    return "".join(lines)


def voc(image: Image, rows: list[Annotation], names: dict[int, str]) -> str:
    """Return a label file."""
    objects = []
    for row in rows:
        x, y, w, h = row.bbox
        objects.append(OBJECT.format(names[row.category_id], x, y, x + w, y + h))
    return VOC.format(image.file_name, image.width, image.height, "".join(objects))


def yolo(image: Image, rows: list[Annotation], names: dict[int, int]) -> str:
    """Return a label file of boxes: what the peers write."""
    lines, width, height = [], image.width, image.height
    for row in rows:
        x, y, w, h = row.bbox
        lines.append(
            f"{names[row.category_id]} {(x + w / 2) / width:.6f} {(y + h / 2) / height:.6f} "
            f"{w / width:.6f} {h / height:.6f}\n"
        )
    return "".join(lines)


def yolo_outlines(image: Image, rows: list[Annotation], names: dict[int, int]) -> str:
    """Return a label file of the first polygon of each."""
    lines = []
    for row in rows:
        ring = RINGS.decode(row.segmentation)[0]
        ring[::2] = [x / image.width for x in ring[::2]]
        ring[1::2] = [y / image.height for y in ring[1::2]]
        lines.append(f"{names[row.category_id]} " + " ".join([f"{value:.6f}" for value in ring]) + "\n")
    return "".join(lines)


RENDERERS: dict[str, Callable[..., str]] = {"kitti": kitti, "voc": voc, "yolo": yolo, "yolo-outlines": yolo_outlines}


def main(source: str, target: str, to: str) -> None:
    """Convert."""
    coco = msgspec.json.decode(Path(source).read_bytes(), type=Coco)
    names = {
        c.id: index if to.startswith("yolo") else c.name.replace(" ", "_") for index, c in enumerate(coco.categories)
    }
    owned = defaultdict(list)
    for row in coco.annotations:
        if not row.iscrowd:
            owned[row.image_id].append(row)
    Path(target).mkdir(parents=True)
    suffix, render = "xml" if to == "voc" else "txt", RENDERERS[to]
    for image in coco.images:
        handle = os.open(f"{target}/{image.file_name[:-4]}.{suffix}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        os.write(handle, render(image, owned[image.id], names).encode())
        os.close(handle)


if __name__ == "__main__" and len(sys.argv) == 4:  # `make bench` runs every file of the folder
    main(*sys.argv[1:])
