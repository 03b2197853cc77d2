"""`--boxes-only`: boxes where the target could hold outlines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vision_cli.core.errors import UsageError
from vision_cli.stages.converting.convert import ConvertRequest, convert

RING = [10.0, 20.0, 30.0, 20.0, 30.0, 60.0]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Write a polygon, two polygons of one object, a mask without a box, and a bare box."""
    boxed = {"image_id": 1, "category_id": 1, "iscrowd": 0, "bbox": [10.0, 20.0, 20.0, 40.0], "area": 400.0}
    mask = {"size": [100, 100], "counts": [510, 20, 80, 20, 9370]}
    rows = [
        {**boxed, "id": 1, "segmentation": [RING]},
        {**boxed, "id": 2, "segmentation": [RING, RING]},
        {"image_id": 1, "category_id": 1, "id": 3, "iscrowd": 0, "segmentation": mask},
        {**boxed, "id": 4, "bbox": [1.0, 2.0, 3.0, 4.0]},
    ]
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 100}],
        "categories": [{"id": 1, "name": "thing"}],
        "annotations": rows,
    }
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content))
    return path


def request(source: Path, to: str, **settings: object) -> ConvertRequest:
    """Return a request of labels alone."""
    return ConvertRequest(
        source, source.parent / "out", to, **{"images": "none", "boxes_only": True, "verify": True, **settings}
    )


def shares(x: float, y: float, w: float, h: float) -> list[float]:
    """Return YOLO's four shares of a photo of 100 x 100."""
    return [(x + w / 2) / 100, (y + h / 2) / 100, w / 100, h / 100]


def test_yolo_gets_boxes_and_the_loss_is_told(source: Path) -> None:
    result = convert(request(source, "yolo"))
    assert result.ok
    changed = result.report.annotations.changed
    assert (changed["polygon -> box"], changed["mask -> box"]) == (2, 1)
    rows = (source.parent / "out" / "labels" / "train" / "a.txt").read_text().splitlines()
    found = [[float(word) for word in row.split()[1:]] for row in rows]
    boxes = [(10, 20, 20, 40), (10, 20, 20, 40), (5, 10, 2, 20), (1, 2, 3, 4)]
    assert found == [pytest.approx(shares(*box), abs=1e-8) for box in boxes]


def test_masks_without_a_box_get_one_where_only_boxes_are_held(source: Path) -> None:
    result = convert(request(source, "voc", boxes_only=False, allowed=frozenset({"polygons", "mask"})))
    assert (result.ok, result.report.annotations.after) == (True, 4)


def test_without_it_the_outline_is_written(source: Path) -> None:
    result = convert(request(source, "yolo", boxes_only=False, allowed=frozenset({"all"})))
    assert result.ok
    first = (source.parent / "out" / "labels" / "train" / "a.txt").read_text().splitlines()[0].split()
    assert [float(word) for word in first[1:]] == pytest.approx([value / 100 for value in RING], abs=1e-8)


def test_the_same_format_forgets_its_own_bytes(source: Path) -> None:
    assert convert(request(source, "coco")).ok
    written = next((source.parent / "out").rglob("*.json"))
    rows = json.loads(written.read_bytes())["annotations"]
    assert [row.get("segmentation") or None for row in rows] == [None] * 4
    assert [row["id"] for row in rows] == [1, 2, 3, 4]
    assert rows[2]["bbox"] == [5, 10, 2, 20]


def test_other_losses_still_need_a_word(source: Path) -> None:
    content = json.loads(source.read_bytes())
    content["annotations"][2]["iscrowd"] = 1
    source.write_text(json.dumps(content))
    result = convert(request(source, "yolo"))
    assert (result.ok, result.report.not_allowed) == (False, ["crowd"])


def test_a_target_without_boxes_is_refused(source: Path) -> None:
    with pytest.raises(UsageError, match="the format 'imagefolder' holds no boxes"):
        convert(request(source, "imagefolder"))
