"""COCO panoptic: real data of two sources, written again, and everything that does not agree."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from vision_cli.core import outline, outline_columns
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import ReadOptions, WriteOptions, painting, panoptic

SHARED = Path(__file__).parents[3] / "shared/data"
real = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not here")
OPTIONS = ReadOptions("data")

IDS = np.array([[0, 7, 7, 7], [70_000, 70_000, 7, 256], [70_000, 70_000, 256, 256]])
SEGMENTS = [
    {"id": 7, "category_id": 3, "iscrowd": 0, "bbox": [1, 0, 3, 2], "area": 4},
    {"id": 70_000, "category_id": 9, "iscrowd": 1, "bbox": [0, 1, 2, 2], "area": 4, "note": "x"},
    {"id": 256, "category_id": 3, "iscrowd": 0, "bbox": [2, 1, 2, 2], "area": 3},
]
DOCUMENT = {
    "info": {"year": 2018},
    "images": [{"id": 5, "file_name": "a.jpg", "width": 4, "height": 3, "license": 2}],
    "annotations": [{"image_id": 5, "file_name": "a.png", "segments_info": SEGMENTS}],
    "categories": [
        {"id": 9, "name": "sky", "isthing": 0, "color": [1, 2, 3]},
        {"id": 3, "name": "cat", "isthing": 1, "supercategory": "animal"},
    ],
}


def colours(ids: np.ndarray) -> Image.Image:
    """Return the picture of ids, by the definition R + 256 G + 65536 B."""
    return Image.fromarray(np.stack([ids % 256, ids // 256 % 256, ids // 65_536], axis=-1).astype(np.uint8))


def make(root: Path, document: Any = None, ids: np.ndarray = IDS) -> Path:
    """Write a panoptic set of one photo."""
    (root / "annotations/panoptic_val").mkdir(parents=True)
    (root / "val2017").mkdir()
    Image.new("RGB", (4, 3)).save(root / "val2017/a.jpg")
    colours(ids).save(root / "annotations/panoptic_val/a.png")
    document = DOCUMENT if document is None else document
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    (root / "annotations/panoptic_val.json").write_bytes(text)
    return root


def test_the_one_json_further_below_is_found(tmp_path: Path) -> None:
    make(tmp_path / "made")
    (tmp_path / "set/labels/deep").mkdir(parents=True)
    (tmp_path / "made/annotations").rename(tmp_path / "set/labels/deep/here")
    (tmp_path / "made/val2017").rename(tmp_path / "set/photos")
    assert panoptic.detect(tmp_path / "set") == "panoptic_val.json with segments_info"
    read = panoptic.read(tmp_path / "set", OPTIONS)
    assert read.images["path"].to_pylist() == ["photos/a.jpg"]
    assert len(read.annotations) == len(SEGMENTS)
    make(tmp_path / "set/other")
    assert panoptic.detect(tmp_path / "set") is None
    with pytest.raises(DataError, match="no JSON with segments_info"):
        panoptic.read(tmp_path / "set", OPTIONS)


def test_a_json_without_its_pngs_is_not_looked_for_below(tmp_path: Path) -> None:
    make(tmp_path / "set/labels")
    for picture in (tmp_path / "set/labels/annotations/panoptic_val").iterdir():
        picture.unlink()
    assert panoptic.detect(tmp_path / "set") is None


def changed(**members: Any) -> dict[str, Any]:
    return {**DOCUMENT, **members}


def segments(**members: Any) -> dict[str, Any]:
    """Return the document with the first segment changed."""
    first = {**SEGMENTS[0], **members}
    return changed(annotations=[{**DOCUMENT["annotations"][0], "segments_info": [first, *SEGMENTS[1:]]}])


def written(data: Dataset, folder: Path, workers: int = 1) -> Path:
    folder.mkdir()
    panoptic.write(data, folder, WriteOptions(workers))
    return folder


def test_what_is_read(tmp_path):
    data = panoptic.read(make(tmp_path), OPTIONS)
    assert panoptic.detect(tmp_path) == "panoptic_val.json with segments_info"
    photo = data.images.to_pylist()[0]
    assert (photo["path"], photo["width"], photo["height"], photo["split"]) == ("val2017/a.jpg", 4, 3, "val")
    assert (photo["source_id"], photo["license"]) == ("5", 2)
    assert photo["mask"] == "annotations/panoptic_val/a.png"
    assert data.classes.names == ("sky", "cat")
    rows = data.annotations.to_pylist()
    assert [(row["source_id"], row["class_id"], row["iscrowd"], row["area"]) for row in rows] == [
        ("7", 1, False, 4),
        ("70000", 0, True, 4),
        ("256", 1, False, 3),
    ]
    assert [row["attributes"] for row in rows] == [None, '{"note":"x"}', None]
    for row, number in zip(rows, (7, 70_000, 256), strict=True):
        assert (outline.mask(outline.parse(row["outline"]), 4, 3) == (number == IDS)).all()
        assert row["outline_parts"] == -1
    origin = data.origins["data"]
    assert origin.class_ids == {"sky": 9, "cat": 3}
    assert json.loads(origin.class_records["sky"])["isthing"] == 0
    assert json.loads(origin.header["info"]) == {"year": 2018}


def test_the_same_document_comes_out(tmp_path):
    data = panoptic.read(make(tmp_path / "in"), OPTIONS)
    folder = written(data, tmp_path / "out")
    assert json.loads((folder / "annotations/panoptic_val.json").read_bytes()) == DOCUMENT
    picture = np.asarray(Image.open(folder / "annotations/panoptic_val/a.png")).astype(int)
    assert (picture @ [1, 256, 65_536] == IDS).all()


def test_pictures_stay_closed_where_no_masks_are_needed(tmp_path):
    make(tmp_path)
    (tmp_path / "annotations/panoptic_val/a.png").write_bytes(b"never looked at")
    data = panoptic.read(tmp_path, replace(OPTIONS, need=frozenset({"box"})))
    assert "outline" not in data.annotations.column_names
    assert data.annotations["outline_parts"].to_pylist() == [-1] * 3
    assert data.annotations["w"].to_pylist() == [3, 2, 2]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (segments(id=8), "no pixel of a.png is 8"),
        (segments(id=8), "4 pixels are 7, which segments_info does not name"),
        (segments(id=0), "0 is no segment id"),
        (segments(id=1 << 24), "is no segment id"),
        (segments(id="7"), "'7' is no segment id"),
        (segments(id=256), "segment 256 stands there twice"),
        (segments(category_id=4), "segment 7: no category 4"),
        (segments(bbox=[1, 2, 3]), "segment 7: bbox"),
        (segments(bbox=["1", 2, 3, 4]), "segment 7: bbox"),
        (segments(area="4"), "segment 7: area '4'"),
        (segments(iscrowd=2), "iscrowd 2"),
        (changed(images=[]), "no photo has the id 5"),
        (changed(annotations=DOCUMENT["annotations"] * 2), "has an annotation already"),
        (changed(images=DOCUMENT["images"] * 2), "several photos have the id 5"),
        (changed(images=[{**DOCUMENT["images"][0], "width": 0}]), r"width and height are \[0, 3\]"),
        (changed(images=[{**DOCUMENT["images"][0], "width": 5}]), "a.png has 4 x 3 pixels, the photo 5 x 3"),
        (changed(images=[{**DOCUMENT["images"][0], "file_name": "../../etc/passwd"}]), "leads out of the folder"),
        (
            changed(annotations=[{**DOCUMENT["annotations"][0], "file_name": "../../x.png"}]),
            "leads out of panoptic_val",
        ),
        (changed(annotations=[{**DOCUMENT["annotations"][0], "file_name": "b.png"}]), "b.png: the mask does not exist"),
        (changed(annotations=[{**DOCUMENT["annotations"][0], "segments_info": 3}]), "is no list of objects"),
        (changed(categories=DOCUMENT["categories"] * 2), "stands there twice"),
        (changed(categories=[{"id": 9}]), "needs an id and a name"),
        (changed(categories=[1]), r"categories\[0\] is no object"),
        (changed(images={}), "images is no list"),
    ],
)
def test_what_does_not_agree_is_refused(tmp_path, document, message):
    with pytest.raises(DataError) as caught:
        panoptic.read(make(tmp_path, document), OPTIONS)
    assert "panoptic_val.json" in " ".join([caught.value.message, *caught.value.details])
    assert re.search(message, " ".join([caught.value.message, *caught.value.details]))


@pytest.mark.parametrize(
    "text",
    [
        b'{"segments_info": NaN}',
        b'{"images": [], "images": [], "annotations": [], "categories": [], "x": "segments_info"}',
        b'{"annotations": [{"segments_info": ' + b"[" * 100_000,
        json.dumps(DOCUMENT).encode()[:-30],
        json.dumps(DOCUMENT).encode().replace(b"2018", b"1e999"),
        json.dumps(DOCUMENT).encode().replace(b'"iscrowd": 1', b'"iscrowd": 1, "iscrowd": 0'),
        b'["segments_info"]',
    ],
)
def test_bad_json_is_refused_with_its_byte(tmp_path, text):
    with pytest.raises(DataError, match=r"panoptic_val.json"):
        panoptic.read(make(tmp_path, text).joinpath("annotations/panoptic_val.json"), OPTIONS)


@pytest.mark.parametrize("kind", ["palette", "jpeg", "grey", "deep"])
def test_pictures_that_hold_other_numbers_are_refused(tmp_path, kind):
    make(tmp_path)
    place = tmp_path / "annotations/panoptic_val/a.png"
    picture = colours(IDS)
    if kind == "jpeg":
        picture.save(place, "JPEG")
    else:
        picture.convert({"palette": "P", "grey": "L"}.get(kind, "I;16")).save(place)
    with pytest.raises(DataError, match="1 bad pictures") as caught:
        panoptic.read(tmp_path, OPTIONS)
    assert "need a PNG of 8-bit RGB" in caught.value.details[0]


def test_all_problems_at_once(tmp_path):
    document = segments(id=8, category_id=77)
    document["images"] = [*DOCUMENT["images"], {"id": "x"}]
    with pytest.raises(DataError, match=r"5 bad|4 bad|3 bad") as caught:
        panoptic.read(make(tmp_path, document), OPTIONS)
    assert len(caught.value.details) >= 3


def test_hostile_names_and_ids_come_back(tmp_path):
    names = ["<script>", "[/]", "a\nb", "🐈", "x" * 10_000, "../x"]
    document = changed(
        images=[{**DOCUMENT["images"][0], "id": "photo one", "coco_url": "<b>"}],
        annotations=[{**DOCUMENT["annotations"][0], "image_id": "photo one", "segments_info": []}],
        categories=[{"id": number, "name": name, "isthing": 1} for number, name in enumerate(names)],
    )
    data = panoptic.read(make(tmp_path / "in", document, IDS * 0), OPTIONS)
    assert data.classes.names == tuple(names)
    folder = written(data, tmp_path / "out")
    again = json.loads((folder / "annotations/panoptic_val.json").read_bytes())
    assert again == document


def test_two_files_are_two_splits_and_must_agree(tmp_path):
    make(tmp_path)
    other = changed(images=[{**DOCUMENT["images"][0], "file_name": "b.jpg"}], info={"year": 1})
    (tmp_path / "annotations/panoptic_train2017.json").write_text(json.dumps(other))
    (tmp_path / "annotations/panoptic_train2017").mkdir()
    colours(IDS).save(tmp_path / "annotations/panoptic_train2017/a.png")
    data = panoptic.read(tmp_path, OPTIONS)
    assert data.images["split"].to_pylist() == ["train", "val"]
    assert any("`info` is left out" in note for note in data.notes)
    other["categories"] = [{"id": 9, "name": "cat"}, {"id": 3, "name": "sky"}]
    (tmp_path / "annotations/panoptic_train2017.json").write_text(json.dumps(other))
    with pytest.raises(DataError, match="2 differing categories"):
        panoptic.read(tmp_path, OPTIONS)


def test_later_objects_cover_earlier_ones_and_it_is_said(tmp_path):
    data = panoptic.read(make(tmp_path / "in"), OPTIONS)
    square = outline.of_polygons([[0, 0, 4, 0, 4, 3, 0, 3]])
    half = outline.of_polygons([[0, 0, 2, 0, 2, 3, 0, 3]])
    rows = {"id": [0, 1, 2, 3], "image_id": [0] * 4, "class_id": [0, 1, 0, 1], "value": [None] * 4}
    table = pa.table({**rows, "source_id": ["1", "99999999999", "1", None], "outline": [half, half, square, half]})
    origins = {"data": replace(data.origins["data"], format="coco")}
    data = replace(data, annotations=table, origins=origins)
    said = {(loss.name, loss.kind): loss.rows.tolist() for loss in panoptic.losses(data)}
    assert said == {
        ("overlaps", "annotation"): [True, True, False, False],
        ("overlaps", "detail"): [False, False, True, False],
        ("ids", "detail"): [False, True, True, False],
    }
    folder = written(data, tmp_path / "out")
    found = json.loads((folder / "annotations/panoptic_val.json").read_bytes())["annotations"][0]["segments_info"]
    assert [(each["id"], each["area"], each["bbox"]) for each in found] == [(3, 6, [2, 0, 2, 3]), (4, 6, [0, 0, 2, 3])]


@settings(max_examples=25, deadline=None)
@given(arrays.arrays(np.int64, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.integers(0, (1 << 24) - 1)))
def test_any_picture_comes_back(tmp_path_factory, ids):
    root = tmp_path_factory.mktemp("p")
    numbers = [int(number) for number in np.unique(ids) if number]
    document = changed(
        images=[{"id": 1, "file_name": "a.jpg", "width": ids.shape[1], "height": ids.shape[0]}],
        annotations=[
            {
                "image_id": 1,
                "file_name": "a.png",
                "segments_info": [{"id": number, "category_id": 3} for number in numbers],
            }
        ],
    )
    data = panoptic.read(make(root / "in", document, ids), OPTIONS)
    folder = written(data, root / "out", workers=8)
    picture = np.asarray(Image.open(folder / "annotations/panoptic_val/a.png")).astype(np.int64)
    assert (picture @ np.array([1, 256, 65_536]) == ids).all()
    found = json.loads((folder / "annotations/panoptic_val.json").read_bytes())["annotations"][0]["segments_info"]
    assert [(each["id"], each["area"]) for each in found] == [
        (number, int((ids == number).sum())) for number in numbers
    ]


@real
def test_real_coco_counts(tmp_path):
    expected = json.loads((SHARED / "expected.json").read_bytes())["coco128_train"]
    root = SHARED / "coco128_train"
    data = panoptic.read(root / "panoptic_segmentation", replace(OPTIONS, images=root / "images"))
    assert len(data) == expected["panoptic_images"]
    assert data.annotations.num_rows == expected["panoptic_segments"]
    assert sum(data.annotations["iscrowd"].to_pylist()) == expected["panoptic_crowd"]
    assert all(path.is_file() for path in data.paths())
    # What COCO states of each segment is what its pixels say.
    assert (outline_columns.areas(data.annotations["outline"]) == data.annotations["area"].to_numpy()).all()
    stated = np.stack([data.annotations[side].to_numpy() for side in "xywh"], axis=1)
    assert (outline_columns.boxes(data.annotations["outline"]) == stated).all()


@real
def test_real_coco_comes_out_as_it_went_in(tmp_path):
    root = SHARED / "coco128_train/panoptic_segmentation"
    folder = written(panoptic.read(root, OPTIONS), tmp_path / "out")
    before = json.loads((root / "annotations/panoptic_train2017.json").read_bytes())
    after = json.loads((folder / "annotations/panoptic_train.json").read_bytes())
    by_photo = {each["image_id"]: each for each in before.pop("annotations")}
    assert {each["image_id"]: each for each in after.pop("annotations")} == by_photo
    assert after == before
    for name in ("000000000009.png", "000000000387.png"):
        old = Image.open(root / "annotations/panoptic_train2017" / name)
        assert (np.asarray(old) == np.asarray(Image.open(folder / "annotations/panoptic_train" / name))).all()


@real
def test_two_channels_say_the_same_and_panopticapi_agrees():
    folder = SHARED / "panopticapi_sample/sample_data"
    one = panoptic.read(folder / "panoptic_examples.json", OPTIONS)
    other = panoptic.read(folder / "images_info_examples.json", OPTIONS)
    assert one.annotations.num_rows == other.annotations.num_rows == 50

    def masks(data: Dataset) -> set[tuple[int, int, bytes]]:
        table = data.annotations
        return set(zip(*(table[name].to_pylist() for name in ("image_id", "class_id", "outline")), strict=True))

    assert masks(one) == masks(other)
    # panopticapi's own conversion of the same photos to run-length masks.
    detection = json.loads((folder / "panoptic_coco_detection_format.json").read_bytes())["annotations"]
    names = one.images["source_id"].to_pylist()
    ids = one.origins["data"].class_ids
    wanted = {
        (names.index(str(each["image_id"])), each["category_id"], each["segmentation"]["counts"]) for each in detection
    }
    found = {
        (photo, ids[one.classes.names[class_id]], json.loads(data)["counts"]) for photo, class_id, data in masks(one)
    }
    assert found == wanted


@real
@pytest.mark.parametrize(
    ("place", "photos", "segments_found"),
    [
        ("coco_dataset/coco", 2, 3),
        ("mapillary_vistas_dataset/train/v1.2/panoptic", 1, 5),
        ("mapillary_vistas_dataset/val/v2.0/panoptic", 2, 5),
    ],
)
def test_assets_are_read(place, photos, segments_found):
    data = panoptic.read(SHARED / "datumaro_assets/tests/assets" / place, OPTIONS)
    assert (len(data), data.annotations.num_rows) == (photos, segments_found)
    assert painting.overlap_losses(data) == []


@real
def test_an_asset_of_another_size_than_its_photo_is_refused():
    with pytest.raises(DataError, match="1 bad pictures") as caught:
        panoptic.read(SHARED / "datumaro_assets/tests/assets/coco_dataset/coco_panoptic", OPTIONS)
    assert "annotations[0], photo 5: a.png has 5 x 5 pixels, the photo 10 x 5" in caught.value.details[0]
