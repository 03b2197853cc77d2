"""Folders of semantic masks: layouts, classes, values, written again, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from vision_cli.core import outline
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import ReadOptions, WriteOptions, mask_folders, masks, panoptic
from vision_cli.imaging.masks import voc_palette

SHARED = Path(__file__).parents[3] / "shared/data"
ASSETS = SHARED / "datumaro_assets/tests/assets"
real = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not here")
OPTIONS = ReadOptions("data")

VALUES = np.array([[0, 1, 1, 255], [2, 2, 1, 255], [2, 0, 0, 0]], dtype=np.uint8)
COLOURS = {"void": (0, 0, 0), "road": (128, 64, 128), "car": (0, 0, 142)}


def photo(path: Path, size: tuple[int, int] = (4, 3)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)


def mask(path: Path, values: np.ndarray = VALUES) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def make(root: Path, values: np.ndarray = VALUES, classes: str | None = "sky\nroad\ncar\n", name: str = "a") -> Path:
    photo(root / f"images/{name}.jpg", (values.shape[1], values.shape[0]))
    mask(root / f"masks/{name}.png", values)
    if classes is not None:
        (root / "classes.txt").write_text(classes)
    return root


def coloured(values: np.ndarray, table: dict[str, tuple[int, int, int]] | None = None) -> np.ndarray:
    return np.array(list((table or COLOURS).values()), dtype=np.uint8)[values]


def written(data: Dataset, folder: Path, workers: int = 1) -> Path:
    """Write a set, and photos of its sizes."""
    folder.mkdir()
    places = masks.write(data, folder, WriteOptions(workers)).photos
    for row, place in enumerate(places):
        photo(folder / str(place), (data.images["width"][row].as_py(), data.images["height"][row].as_py()))
    return folder


def regions(data: Dataset) -> dict[str, dict[str, list[list[int]]]]:
    """Return the pixels of each class on each photo."""
    found: dict[str, dict[str, list[list[int]]]] = {}
    for row in data.annotations.to_pylist():
        path = data.images["path"][row["image_id"]].as_py()
        shape = outline.parse(row["outline"])
        assert isinstance(shape, outline.Runs)
        pixels = np.argwhere(outline.mask(shape, shape.width, shape.height)).tolist()
        assert row["area"] == len(pixels)
        found.setdefault(path, {})[data.classes.names[row["class_id"]]] = pixels
    return found


def test_each_class_on_a_photo_is_an_annotation(tmp_path):
    data = masks.read(make(tmp_path), OPTIONS)
    assert masks.detect(tmp_path) == "masks beside photos, such as masks/a.png of images/a.jpg"
    assert data.classes.names == ("sky", "road", "car")
    assert data.origins["data"].class_ids == {"sky": 0, "road": 1, "car": 2}
    assert data.images["mask"].to_pylist() == ["masks/a.png"]
    wanted = {name: np.argwhere(number == VALUES).tolist() for number, name in enumerate(data.classes.names)}
    assert regions(data) == {"images/a.jpg": wanted}


@pytest.mark.parametrize(
    ("photos", "split"),
    [
        ({"images/x.jpg": "masks/x.png"}, None),
        ({"images/train/x.jpg": "masks/train/x.png"}, "train"),
        ({"val2017/images/x.jpg": "val2017/labels/x.png"}, "val"),
        ({"test/x.png": "testannot/x.png"}, "test"),
        ({"x.jpg": "x_mask.png"}, None),
        ({"RGB/x.png": "GT/x.png"}, None),
        ({"images/x.jpg": "masks/x_mask.png"}, None),
        ({"JPEGImages/x.jpg": "SegmentationClass/x.png"}, None),
        ({"701_StillsRaw/x.png": "701_StillsRaw/x_L.png"}, None),
    ],
)
def test_layouts(tmp_path, photos, split):
    for name, label in photos.items():
        photo(tmp_path / name)
        mask(tmp_path / label)
    data = masks.read(tmp_path, OPTIONS)
    assert data.images["path"].to_pylist() == list(photos)
    assert data.images["mask"].to_pylist() == list(photos.values())
    assert data.images["split"].to_pylist() == [split]
    assert masks.detect(tmp_path)


def test_photos_that_lie_elsewhere(tmp_path):
    photo(tmp_path / "photos/train/a.jpg")
    photo(tmp_path / "photos/train/b.jpg")
    mask(tmp_path / "set/masks/train/a.png")
    (tmp_path / "set/config.yaml").write_text("path: x\nclasses:\n  0: sky\n  1: road\n  2: car\n")
    data = masks.read(tmp_path / "set", replace(OPTIONS, images=tmp_path / "photos"))
    assert data.images["path"].to_pylist() == ["photos/train/a.jpg", "photos/train/b.jpg"]
    assert data.images["mask"].to_pylist() == ["set/masks/train/a.png", None]
    assert "1 photos have no mask." in data.notes
    assert len(regions(data)["photos/train/a.jpg"]) == 3


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("label_colors.txt", "0 0 0\tvoid\n128 64 128\t\troad\n0 0 142\tcar\n"),
        ("classes.txt", "void 0 0 0\nroad 128 64 128\ncar 0 0 142\n"),
        ("labelmap.txt", "# label:color_rgb:parts:actions\nvoid:0,0,0::\nroad:128,64,128::\ncar:0,0,142::\n"),
        ("class_dict.csv", "name,r,g,b\nvoid,0,0,0\nroad,128,64,128\ncar,0,0,142\n"),
        ("classes.json", json.dumps({name: list(colour) for name, colour in COLOURS.items()})),
        ("config.json", json.dumps({"labels": [{"name": name, "color": colour} for name, colour in COLOURS.items()]})),
        (
            "dataset_meta.json",
            json.dumps(
                {
                    "label_map": {str(number): name for number, name in enumerate(COLOURS)},
                    "segmentation_colors": list(COLOURS.values()),
                }
            ),
        ),
    ],
)
def test_files_of_colours(tmp_path, name, text):
    make(tmp_path / "in", coloured(np.minimum(VALUES, 2)), classes=None)
    (tmp_path / "in" / name).write_text(text)
    data = masks.read(tmp_path / "in", OPTIONS)
    assert data.classes.names == ("void", "road", "car")
    assert regions(data)["images/a.jpg"]["road"] == np.argwhere(VALUES == 1).tolist()
    folder = written(data, tmp_path / "out")
    assert (np.asarray(Image.open(folder / "masks/a.png")) == coloured(np.minimum(VALUES, 2))).all()
    assert regions(masks.read(folder, OPTIONS)) == regions(data)


def test_several_files_of_classes_are_ambiguous(tmp_path):
    make(tmp_path)
    (tmp_path / "label_colors.txt").write_text("0 0 0 void\n")
    with pytest.raises(DataError, match=r"2 files may say what the classes are: classes.txt, label_colors.txt"):
        masks.read(tmp_path, OPTIONS)


def test_without_names_values_are_names(tmp_path):
    data = masks.read(make(tmp_path / "grey", classes=None), OPTIONS)
    assert data.classes.names == ("0", "1", "2")
    assert "No file names the classes: they are called by their values." in data.notes
    data = masks.read(make(tmp_path / "colour", coloured(np.minimum(VALUES, 2)), None), OPTIONS)
    assert data.classes.names == ("#000000", "#00008e", "#804080")
    both = np.where(VALUES == 1, 255, 0).astype(np.uint8)
    data = masks.read(make(tmp_path / "binary", both, None), OPTIONS)
    assert data.classes.names == ("255",)
    assert regions(data)["images/a.jpg"] == {"255": np.argwhere(VALUES == 1).tolist()}


def test_values_outside_the_map_are_refused_with_their_pixels(tmp_path):
    make(tmp_path, classes="sky\nroad\n")
    make(tmp_path, np.full((2, 2), 77, np.uint8), None, name="b")
    with pytest.raises(DataError, match="2 bad masks of 2: 2 values of no class") as caught:
        masks.read(tmp_path, OPTIONS)
    assert caught.value.details[0] == "images/a.jpg: 3 pixels of its mask are 2, which is no class"
    assert caught.value.details[1] == "images/b.jpg: 4 pixels of its mask are 77, which is no class"


def test_colours_off_by_one_are_refused_with_the_nearest(tmp_path):
    picture = coloured(np.minimum(VALUES, 2))
    picture[0, 1:3] += 1
    make(tmp_path, picture, None)
    (tmp_path / "label_colors.txt").write_text("0 0 0 void\n128 64 128 road\n0 0 142 car\n")
    with pytest.raises(DataError, match="1 values of no class") as caught:
        masks.read(tmp_path, OPTIONS)
    assert "2 pixels of its mask are of the colour (129, 65, 129)" in caught.value.details[0]
    assert "the nearest is 'road' (128, 64, 128)" in caught.value.details[0]


def test_16_bits_count_as_they_are(tmp_path):
    deep = VALUES.astype(np.uint16)
    deep[VALUES == 255] = 65_535
    assert regions(masks.read(make(tmp_path / "a", deep), OPTIONS)) == regions(
        masks.read(make(tmp_path / "b"), OPTIONS)
    )
    deep[0, 0] = 256
    with pytest.raises(DataError, match="1 values of no class") as caught:
        masks.read(make(tmp_path / "c", deep), OPTIONS)
    assert "1 pixels of its mask are 256" in caught.value.details[0]


@pytest.mark.parametrize(
    ("spoil", "message", "detail"),
    [
        (lambda root: photo(root / "images/a.jpg", (3, 4)), "1 sizes that differ", "3 x 4 pixels, its mask 4 x 3"),
        (lambda root: mask(root / "masks/z.png"), "1 masks without photo", "masks/z.png"),
        (lambda root: mask(root / "masks/a.bmp"), "1 ambiguous masks", "images/a.jpg"),
        (lambda root: (root / "masks/a.png").write_bytes(b""), "1 unreadable masks", "is empty"),
        (lambda root: (root / "images/a.jpg").write_bytes(b"no"), "1 unreadable photos", "is not a photo"),
        (
            lambda root: Image.fromarray(VALUES).save(root / "masks/a.png", "JPEG"),
            "1 unreadable masks",
            "JPEG picture cannot hold labels",
        ),
        (lambda root: mask(root / "masks/a.png", coloured(np.minimum(VALUES, 2))), "values of no class", "no colours"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, spoil, message, detail):
    spoil(make(tmp_path))
    with pytest.raises(DataError, match=message) as caught:
        masks.read(tmp_path, OPTIONS)
    assert detail in " ".join(caught.value.details)


def test_no_masks_at_all(tmp_path):
    photo(tmp_path / "images/a.jpg")
    assert masks.detect(tmp_path) is None
    with pytest.raises(DataError, match="no photo has a mask"):
        masks.read(tmp_path, OPTIONS)


def test_other_formats_are_not_claimed(tmp_path):
    make(tmp_path)
    for name in ("Annotations", "ImageSets", "gtFine"):
        (tmp_path / name).mkdir()
        assert masks.detect(tmp_path) is None
        (tmp_path / name).rmdir()


def test_palette_and_ignored_pixels_survive(tmp_path):
    make(tmp_path / "in")
    image = Image.fromarray(VALUES).convert("L")
    image.putpalette(voc_palette().tobytes(), "RGB")
    image.save(tmp_path / "in/masks/a.png")
    folder = written(masks.read(tmp_path / "in", OPTIONS), tmp_path / "out")
    back = Image.open(folder / "masks/a.png")
    assert back.mode == "P"
    assert (np.asarray(back) == VALUES).all()
    assert back.getpalette("RGB") == voc_palette().ravel().tolist()


def test_palette_colours_name_the_classes_of_a_labelmap(tmp_path):
    """CVAT's masks have VOC's palette but indices of their own; then the colours decide."""
    make(tmp_path, classes=None)
    image = Image.fromarray(np.minimum(VALUES, 2)).convert("L")
    image.putpalette([0, 0, 0, 0, 0, 142, 128, 64, 128], "RGB")
    image.save(tmp_path / "masks/a.png")
    (tmp_path / "labelmap.txt").write_text("void:0,0,0::\nroad:128,64,128::\ncar:0,0,142::\n")
    found = regions(masks.read(tmp_path, OPTIONS))["images/a.jpg"]
    assert found["car"] == np.argwhere(VALUES == 1).tolist()


def test_hostile_class_names_come_back(tmp_path):
    names = ["<script>", "[/]", "a\nb", "🐈", "x" * 10_000, "../x", "1 2 3", "# no comment", "null"]
    make(tmp_path / "in", classes=None)
    (tmp_path / "in/classes.json").write_text(json.dumps(names))
    data = masks.read(tmp_path / "in", OPTIONS)
    assert masks.read(written(data, tmp_path / "out"), OPTIONS).classes.names == tuple(names)


def test_photos_without_mask_stay_without(tmp_path):
    photo(make(tmp_path / "in") / "images/b.jpg")
    folder = written(masks.read(tmp_path / "in", OPTIONS), tmp_path / "out")
    assert [path.name for path in (folder / "masks").iterdir()] == ["a.png"]
    assert len(masks.read(folder, OPTIONS)) == 2


@settings(max_examples=25, deadline=None)
@given(
    arrays.arrays(
        np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.sampled_from([0, 1, 2, 9, 255])
    ),
    st.booleans(),
)
def test_any_mask_comes_back(tmp_path_factory, values, named):
    root = tmp_path_factory.mktemp("m")
    data = masks.read(make(root / "in", values, "0 sky\n1 road\n2 car\n9 tram\n" if named else None), OPTIONS)
    folder = written(data, root / "out", workers=8)
    if 255 not in values or set(values.ravel().tolist()) != {0, 255} or named:
        assert (np.asarray(Image.open(folder / "masks/a.png")) == values).all()
    again = masks.read(folder, OPTIONS)
    assert regions(again) == regions(data)
    assert again.classes == data.classes


def test_objects_of_one_class_join_and_it_is_said(tmp_path):
    ids = np.array([[1, 1, 2], [0, 2, 3]])
    (tmp_path / "in/panoptic").mkdir(parents=True)
    picture = np.stack([ids, ids * 0, ids * 0], axis=-1).astype(np.uint8)
    Image.fromarray(picture).save(tmp_path / "in/panoptic/a.png")
    segments = [{"id": number, "category_id": (5, 5, 6)[number - 1], "iscrowd": number == 3} for number in (1, 2, 3)]
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 3, "height": 2}],
        "annotations": [{"image_id": 1, "file_name": "a.png", "segments_info": segments}],
        "categories": [{"id": 5, "name": "cat"}, {"id": 6, "name": "sky"}],
    }
    (tmp_path / "in/panoptic.json").write_text(json.dumps(document).replace("true", "1").replace("false", "0"))
    data = panoptic.read(tmp_path / "in", OPTIONS)
    said = {loss.name: loss.rows.tolist() for loss in masks.losses(data)}
    assert said == {"instances": [True, True, False], "crowd": [False, False, True]}
    folder = written(data, tmp_path / "out")
    assert np.asarray(Image.open(folder / "masks/a.png")).tolist() == [[5, 5, 5], [0, 5, 6]]
    assert regions(masks.read(folder, OPTIONS))["images/a.jpg"]["cat"] == np.argwhere((ids == 1) | (ids == 2)).tolist()


@real
@pytest.mark.parametrize(
    ("place", "photos", "regions_found"),
    [
        ("camvid_dataset", 4, 10),
        ("common_semantic_segmentation_dataset/dataset", 2, 4),
        ("kaggle_dataset/image_mask", 2, 4),
        ("kaggle_dataset/image_mask_with_labelmap", 3, 9),
        ("synthia_dataset/al", 2, 5),
        ("synthia_dataset/rand", 2, 7),
        ("synthia_dataset/rand_custom_labelmap", 2, 5),
        ("synthia_dataset/rand_meta_file", 2, 5),
        ("synthia_dataset/sf", 2, 5),
    ],
)
def test_assets_are_read(tmp_path, place, photos, regions_found):
    data = masks.read(ASSETS / place, OPTIONS)
    assert (len(data), data.annotations.num_rows) == (photos, regions_found)
    wanted = 0
    for name in data.images["mask"].to_pylist():
        values = np.asarray(Image.open(ASSETS / place / name)).astype(int)
        wanted += len(np.unique(values if values.ndim == 2 else values[..., :3] @ [1, 256, 65_536]))
    assert wanted == regions_found


@real
@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("common_semantic_segmentation_dataset/non_standard_dataset", "2 masks have no photo: masks/gt_0001.png"),
        ("mapillary_vistas_dataset", "masks have no photo: train/v1.2/labels/2.png"),
        ("mvtec_dataset/category_0", "2 masks have no photo: ground_truth/label_1/000_mask.png"),
        ("ade20k2017_dataset/dataset", ""),
        ("ade20k2020_dataset/dataset", ""),
    ],
)
def test_assets_of_other_layouts_are_refused(place, message):
    with pytest.raises(DataError, match="no photo has a mask") as caught:
        masks.read(ASSETS / place, OPTIONS)
    assert message in " ".join(caught.value.details)


@real
def test_real_masks_agree_with_the_panoptic_data_they_were_made_of():
    root = SHARED / "coco128_train"
    data = masks.read(root / "semantic_segmentation", replace(OPTIONS, images=root / "images"))
    source = panoptic.read(root / "panoptic_segmentation", OPTIONS)
    assert sum(each is not None for each in data.images["mask"].to_pylist()) == len(source) == 100
    pairs = set()
    names = [Path(path).name for path in source.images["path"].to_pylist()]
    for photo_id, class_id in zip(source.annotations["image_id"], source.annotations["class_id"], strict=True):
        pairs.add((names[photo_id.as_py()], source.classes.names[class_id.as_py()]))
    found = set()
    for row in data.annotations.select(["image_id", "class_id"]).to_pylist():
        name = data.classes.names[row["class_id"]]
        if name != "unlabeled":
            found.add((Path(data.images["path"][row["image_id"]].as_py()).name, name))
    assert found == pairs


def test_pairs_keep_apart_what_is_neither_photo_nor_mask():
    found = mask_folders.paired(["RGB/1.png", "Depth/1.png", "GT/1.png", "RGB/2.png"])
    assert found.photos == ["RGB/1.png", "RGB/2.png"]
    assert found.masks == {"RGB/1.png": "GT/1.png"}
    assert found.others == ["Depth/1.png"]
