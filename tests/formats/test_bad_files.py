"""Hostile label files of single formats: refused in words, at once, with little memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vision_cli.core.errors import DataError
from vision_cli.formats import FORMATS, ReadOptions

HUGE = 3 << 30
FILES = {
    **dict.fromkeys(("coco", "lvis", "panoptic", "labelstudio", "labelme"), "a.json"),
    **dict.fromkeys(("cvat", "voc"), "a.xml"),
    **dict.fromkeys(("csv", "openimages"), "a.csv"),
    **{"huggingface": "metadata.jsonl", "tfrecord": "a.tfrecord", "webdataset": "a.tar", "yolo": "data.yaml"},
}
DOCUMENT: dict[str, Any] = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 10, "height": 10}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 3, 3], "area": 9, "iscrowd": 0}],
    "categories": [{"id": 1, "name": "x"}],
}


def refusal(name: str, path: Path) -> str:
    with pytest.raises(DataError) as caught:
        FORMATS.load(name).read(path, ReadOptions("d", sizes=False))
    return "\n".join([caught.value.message, *caught.value.details])


@pytest.mark.parametrize(("name", "file"), FILES.items())
def test_three_gigabytes_of_nothing_are_refused(name: str, file: str, tmp_path: Path) -> None:
    with (tmp_path / file).open("wb") as out:
        out.write(b'{"images": [], "annotations": [], "categories": [], "x": "')
        out.truncate(HUGE)  # a sparse file: it takes no room
    assert file in refusal(name, tmp_path / file)


@pytest.mark.parametrize("name", ["coco", "lvis", "labelme", "labelstudio", "panoptic"])
def test_utf_16_is_no_json(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(json.dumps(DOCUMENT).encode("utf-16"))
    assert "a.json" in refusal(name, tmp_path / "a.json")


@pytest.mark.parametrize("seed", range(8))
def test_results_whose_masks_are_random_bytes(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    counts = bytes(rng.integers(48, 111, (1, 50, 10_000)[seed % 3]).tolist()).decode()
    (tmp_path / "truth.json").write_text(json.dumps(DOCUMENT))
    found = {"image_id": 1, "category_id": 1, "score": 0.5, "segmentation": {"size": [10, 10], "counts": counts}}
    (tmp_path / "results.json").write_text(json.dumps([found]))
    assert "annotations[0]" in refusal("coco", tmp_path / "results.json")


def panoptic(folder: Path, picture: Image.Image, kind: str = "PNG") -> Path:
    pictures = folder / "annotations/panoptic_train"
    pictures.mkdir(parents=True)
    picture.save(pictures / "a.png", kind)
    segment = {"id": 1, "category_id": 1, "area": 9, "bbox": [2, 2, 3, 3], "iscrowd": 0}
    labels = {"image_id": 1, "file_name": "a.png", "segments_info": [segment]}
    (folder / "annotations/panoptic_train.json").write_text(json.dumps({**DOCUMENT, "annotations": [labels]}))
    return folder


def segments() -> np.ndarray[Any, np.dtype[np.uint8]]:
    pixels = np.zeros((10, 10, 3), np.uint8)
    pixels[2:5, 2:5, 0] = 1
    return pixels


def test_panoptic_pictures_of_other_kinds_are_refused(tmp_path: Path) -> None:
    good = Image.fromarray(segments())
    more = segments()
    more[0, 0, 0] = 9
    dataset = FORMATS.load("panoptic").read(panoptic(tmp_path / "good", good), ReadOptions("d", sizes=False))
    assert dataset.annotations.num_rows == 1
    refused = {
        "palette": (good.convert("P"), "PNG"),
        "jpeg": (good, "JPEG"),
        "grey": (good.convert("L"), "PNG"),
        "16 bit": (Image.fromarray(segments()[:, :, 0].astype(np.uint16)), "PNG"),
        "unknown id": (Image.fromarray(more), "PNG"),
        "no pixel": (Image.fromarray(segments() * 0), "PNG"),
        "size": (Image.fromarray(segments()[:5]), "PNG"),
    }
    for name, (picture, kind) in refused.items():
        told = refusal("panoptic", panoptic(tmp_path / name, picture, kind))
        assert "a.png" in told or "annotations[0]" in told, name


@pytest.mark.parametrize("text", ["nan", "1_0", "\uff11", "1e999"])
def test_numbers_that_only_python_takes(text: str, tmp_path: Path) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "a.jpg")
    (tmp_path / "a.csv").write_text(f"path,label,xmin,ymin,xmax,ymax\na.jpg,x,{text},1,12,5\n", encoding="utf-8")
    assert "a.csv:2" in refusal("csv", tmp_path / "a.csv")
    box = f'<box label="x" xtl="{text}" ytl="1" xbr="12" ybr="5"/>'
    (tmp_path / "a.xml").write_text(
        f'<annotations><image id="0" name="a.jpg" width="20" height="20">{box}</image></annotations>', encoding="utf-8"
    )
    assert text in refusal("cvat", tmp_path / "a.xml")
