"""Boxes that go through YOLO's shares, and photos that are not there."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vision_cli.formats.yolo.rows import forms, geometry, parse
from vision_cli.formats.yolo.snapping import snapped
from vision_cli.stages.converting.convert import Conversion, ConvertRequest, convert

BCCD = Path(__file__).parents[3] / "shared/data/bccd_voc/BCCD"
SIDES = [(640, 480), (1333, 800), (333, 500), (4000, 3001)]


def object_text(box: tuple[int, int, int, int]) -> str:
    edges = "".join(f"<{name}>{n}</{name}>" for name, n in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
    return f"<object><name>cell</name><bndbox>{edges}</bndbox></object>"


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    """Make VOC's boxes on photos of odd sizes: at each edge, one pixel wide, the whole photo, anywhere."""
    source, draw = tmp_path / "cells", np.random.default_rng(7)
    (source / "Annotations").mkdir(parents=True)
    (source / "JPEGImages").mkdir()
    for number, (width, height) in enumerate(SIDES):
        corners = [np.sort(draw.integers(1, side + 1, (40, 2)), axis=1) for side in (width, height)]
        boxes = [(x1, y1, x2, y2) for (x1, x2), (y1, y2) in zip(*(each.tolist() for each in corners), strict=True)]
        boxes += [(1, 1, width, height), (1, 1, 1, 1), (width, 5, width, 9), (5, height, 9, height)]
        size = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
        text = f"<filename>{number}.jpg</filename>{size}{''.join(map(object_text, boxes))}"
        (source / "Annotations" / f"{number}.xml").write_text(f"<annotation>{text}</annotation>")
        Image.new("L", (width, height)).save(source / "JPEGImages" / f"{number}.jpg")
    return source


def converted(source: Path, target: Path, to: str, pixels: str = "target", **more: object) -> Conversion:
    allowed = frozenset({"truncated", "difficult", "occluded", "attributes", "metadata", "no-area"})
    done = convert(ConvertRequest(source, target, to, pixels=pixels, verify=True, allowed=allowed, **more))  # type: ignore[arg-type]
    assert done.written, done
    return done


def edges_of(folder: Path) -> dict[str, list[list[str]]]:
    """Return the texts of each file's boxes, sorted."""
    found = {}
    for path in folder.rglob("*.xml"):
        boxes = ElementTree.parse(path).iter("bndbox")  # noqa: S314
        found[path.name] = sorted(
            [str(box.findtext(name)) for name in ("xmin", "ymin", "xmax", "ymax")] for box in boxes
        )
    return found


def coco_boxes(folder: Path) -> list[tuple[str, list[float]]]:
    found = []
    for path in folder.rglob("*.json"):
        data = json.loads(path.read_text())
        names = {image["id"]: Path(image["file_name"]).name for image in data["images"]}
        found += [(names[item["image_id"]], item["bbox"]) for item in data["annotations"]]
    return sorted(found)


def check_there_and_back(source: Path, folder: Path, pixels: str) -> None:
    converted(source, folder / "yolo", "yolo", pixels)
    back = converted(folder / "yolo", folder / "voc", "voc", pixels)
    assert "no area" not in back.report.annotations.dropped
    again = converted(folder / "voc", folder / "coco", "coco", pixels)
    assert not [note for note in again.report.notes if "begin below 1" in note]
    assert again.report.source_pixels == "inclusive-1"
    converted(source, folder / "direct", "coco", pixels)
    direct = coco_boxes(folder / "direct")
    if pixels == "keep":  # YOLO holds no box without area between its edges
        direct = [(name, box) for name, box in direct if box[2] and box[3]]
    else:
        assert edges_of(folder / "voc") == edges_of(source)
    assert direct
    assert coco_boxes(folder / "coco") == direct
    assert all(text.isdigit() for boxes in edges_of(folder / "voc").values() for box in boxes for text in box)
    converted(folder / "yolo", folder / "same", "yolo")
    for path in (folder / "yolo" / "labels").rglob("*.txt"):
        assert (folder / "same" / path.relative_to(folder / "yolo")).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("pixels", ["keep", "target"])
def test_boxes_that_go_through_yolo_are_those_that_went_in(cells: Path, tmp_path: Path, pixels: str) -> None:
    check_there_and_back(cells, tmp_path / "out", pixels)


@pytest.mark.skipif(not BCCD.is_dir(), reason="real data is not there")
@pytest.mark.parametrize("pixels", ["keep", "target"])
def test_real_boxes_that_go_through_yolo_are_those_that_went_in(tmp_path: Path, pixels: str) -> None:
    check_there_and_back(BCCD, tmp_path, pixels)


@pytest.mark.parametrize("pixels", ["keep", "target"])
def test_a_box_that_is_one_pixel_wide(cells: Path, tmp_path: Path, pixels: str) -> None:
    request = ConvertRequest(cells, tmp_path / "out", "yolo", pixels=pixels, dry_run=True)  # type: ignore[arg-type]
    report = convert(request).report
    flat = sum(x1 == x2 or y1 == y2 for boxes in edges_of(cells).values() for x1, y1, x2, y2 in boxes)
    reason = "one pixel wide or high, which is no area between edges"
    assert report.annotations.dropped == ({reason: flat} if pixels == "keep" else {})
    kitti = convert(ConvertRequest(cells, tmp_path / "kitti", "kitti", dry_run=True)).report
    assert not kitti.annotations.dropped  # counts the last pixel, too


@pytest.mark.parametrize("digits", [6, 7, 8, 9, 10, 12, 16])
def test_whole_pixels_come_back_from_any_number_of_decimals(digits: int) -> None:
    draw, width, height = np.random.default_rng(digits), 640, 427
    low = draw.integers(0, (600, 400), (300, 2))
    high = low + draw.integers(1, 27, (300, 2))
    shares = np.hstack([(low + high) / 2, high - low]) / (width, height, width, height)
    rows = parse(["".join("0 " + " ".join(f"{v:.{digits}f}" for v in row) + "\n" for row in shares).encode()])
    boxes = geometry(rows, forms(rows, None), np.tile((float(width), float(height)), (300, 1))).boxes
    assert np.array_equal(boxes, np.hstack([low, high - low]))


def test_what_decimals_tell_apart_from_whole_pixels_stays() -> None:
    rows = parse([b"0 0.1000000000 0.5 0.0500012345 0.25\n0 0.500000 0.500000 0.000001 0.000001\n"])
    boxes = geometry(rows, forms(rows, None), np.full((2, 2), 640.0)).boxes
    assert boxes[0] == pytest.approx([(0.1 - 0.0500012345 / 2) * 640, 240, 0.0500012345 * 640, 160], abs=1e-8, rel=0)
    assert boxes[0, 2] != 32
    assert boxes[1, 2:] == pytest.approx([0.00064, 0.00064])  # a speck stays a speck
    assert snapped(np.array([12.340001, 12.34001]), np.full(2, 2e-6)).tolist() == [12.34, 12.34001]
