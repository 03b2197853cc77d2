"""Real data sets, defects included: each is read or refused in words; counts are those that their sources publish."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import pytest
from asset_outcomes import MADE_ELSEWHERE, NOTHING, files, folders, outcome
from asset_table import TABLE

from vision_cli.core.errors import VisionError
from vision_cli.formats import FORMATS, ReadOptions

SHARED = Path(__file__).parents[3] / "shared" / "data"
SECONDS = 20.0

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="needs the real data sets in ../shared/data")


def place_of(name: str) -> Path:
    return SHARED / (f"{MADE_ELSEWHERE}/{name[1:]}" if name.startswith("@") else name)


def rows() -> dict[str, str]:
    pairs = (line.split(" | ", 1) for line in TABLE.strip().splitlines())
    return {name: text.strip() for name, text in pairs}


@pytest.fixture(scope="module")
def expected():
    return json.loads((SHARED / "expected.json").read_text())


@pytest.mark.parametrize(("name", "text"), rows().items())
def test_read_or_refused_as_the_table_says(name, text):
    start = time.monotonic()
    assert outcome(place_of(name)) == text
    assert time.monotonic() - start < SECONDS


@pytest.mark.parametrize("name", [name for name, text in rows().items() if " refused: " in text])
def test_each_refusal_says_what_to_do(name):
    with pytest.raises(VisionError) as caught:
        FORMATS.load(rows()[name].split()[0]).read(place_of(name), ReadOptions("data"))
    assert caught.value.hint


def test_nothing_else_fits_anything():
    """Every other folder and file is told to be of no format: no guess, no traceback."""
    known = {place_of(name) for name in rows()}
    others = [path for path in (*folders(SHARED), *files(SHARED)) if path not in known]
    assert len(others) > 500
    assert [path for path in others if outcome(path) != NOTHING] == []


@pytest.mark.parametrize("name", list(FORMATS))
def test_no_format_stumbles_over_the_data_of_another(name):
    format = FORMATS.load(name)
    for path in sorted((SHARED / MADE_ELSEWHERE).iterdir()):
        try:
            format.read(path, ReadOptions("data"))
        except VisionError as error:
            assert error.exit_code in (2, 3, 5)  # noqa: PT017
            assert error.message  # noqa: PT017


def read(name: str, path: str, images: str | None = None):
    options = ReadOptions("data", images=SHARED / images if images else None)
    return FORMATS.load(name).read(SHARED / path, options)


def counts(dataset) -> Counter[str]:
    return Counter(dataset.classes.names[index] for index in dataset.annotations["class_id"].to_pylist())


@pytest.mark.parametrize(("name", "path"), [("bccd_voc", "bccd_voc/BCCD"), ("raccoon_voc", "raccoon_voc")])
def test_voc_counts(expected, name, path):
    dataset, known = read("voc", path), expected[name]
    assert len(dataset) == known["images"]
    assert dataset.annotations.num_rows == known["boxes"]
    assert counts(dataset) == known["per_class"]
    table = dataset.annotations
    flat = [
        (dataset.images["path"][row["image_id"]].as_py().rpartition("/")[2].rpartition(".")[0], row["x"], row["y"])
        for row in table.select(["image_id", "x", "y", "w", "h"]).to_pylist()
        if row["w"] <= 0 or row["h"] <= 0
    ]
    assert sorted(flat) == sorted(
        (file.removesuffix(".xml"), left, top) for file, _, (left, top, _, _) in known["degenerate_boxes"]
    )


def test_coco128_boxes(expected):
    """941 boxes are in the label files; 12 of them in the two files that have no photo."""
    dataset, known = read("yolo", "coco128_train/object_detection", "coco128_train/images"), expected["coco128_train"]
    orphans = [
        (SHARED / f"coco128_train/object_detection/labels/train2017/{stem}.txt").read_text().split("\n")
        for stem in known["labels_without_image"]
    ]
    left_out = Counter(line.split()[0] for lines in orphans for line in lines if line.strip())
    assert len(dataset) == known["images"]
    assert dataset.annotations.num_rows == known["det_boxes"] - left_out.total()
    ids = Counter(str(index) for index in dataset.annotations["class_id"].to_pylist())
    assert ids + left_out == Counter(known["det_per_class_id"])
    labelled = set(dataset.annotations["image_id"].to_pylist())
    bare = [path for row, path in enumerate(dataset.images["path"].to_pylist()) if row not in labelled]
    assert [Path(path).stem for path in bare] == known["images_without_label"]


def test_coco128_polygons(expected):
    dataset = read("yolo", "coco128_train/instance_segmentation", "coco128_train/images")
    assert dataset.annotations.num_rows == expected["coco128_train"]["inst_polygons"]


def test_coco128_panoptic(expected):
    dataset, known = read("panoptic", "coco128_train/panoptic_segmentation"), expected["coco128_train"]
    assert len(dataset) == known["panoptic_images"]
    assert dataset.annotations.num_rows == known["panoptic_segments"]
    assert sum(dataset.annotations["iscrowd"].to_pylist()) == known["panoptic_crowd"]


def test_clothing(expected):
    dataset = read("imagefolder", "clothing_small")
    found = Counter(tuple(path.split("/")[:2]) for path in dataset.images["path"].to_pylist())
    assert {"/".join(folders): number for folders, number in found.items()} == expected["clothing_small"]
    assert counts(dataset).total() == len(dataset)


def test_coco_golden():
    """As the file itself says, read by the standard library."""
    truth = json.loads((SHARED / "coco_golden/instances_val2014_100.json").read_text())
    dataset = read("coco", "coco_golden/instances_val2014_100.json")
    names = {each["id"]: each["name"] for each in truth["categories"]}
    assert len(dataset) == len(truth["images"])
    assert counts(dataset) == Counter(names[each["category_id"]] for each in truth["annotations"])
    assert sum(dataset.annotations["iscrowd"].to_pylist()) == sum(each["iscrowd"] for each in truth["annotations"])
    boxes = dataset.annotations.select(["x", "y", "w", "h"]).to_pylist()
    assert [list(box.values()) for box in boxes] == [list(map(float, each["bbox"])) for each in truth["annotations"]]
