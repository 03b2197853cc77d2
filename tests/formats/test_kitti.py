"""KITTI object labels: what is read, what is refused, and that bytes come back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import ReadOptions, WriteOptions, kitti
from vision_cli.formats.kitti.lines import name_of, split_lines, type_of

# The first line stands in the readme of many tools; the second is a region as the development kit writes it.
CAR = "Car 0.37 2 -1.57 599.41 156.40 629.75 189.25 2.85 2.63 12.34 0.47 1.49 69.44 -1.56"
REGION = "DontCare -1 -1 -10 503.89 169.71 590.61 190.13 -1 -1 -1 -1000 -1000 -1000 -10"
OPTIONS = ReadOptions("street")


def lay(write, text: str | bytes, name: str = "training/label_2/000000.txt", photo: str | None = None) -> None:
    write(name, content=text if isinstance(text, bytes) else text.encode())
    photo = photo or name.replace("label_2", "image_2").replace(".txt", ".png")
    write(photo, size=(1242, 375))


def written(dataset: Dataset, folder: Path) -> dict[str, bytes]:
    folder.mkdir(exist_ok=True)
    kitti.write(dataset, folder, WriteOptions())
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def boxes(
    *rows: tuple[float, ...], names: tuple[str, ...] = ("car",), splits: list[str | None] | None = None
) -> Dataset:
    """Build a set of one box a photo, as a format of edges would."""
    splits = splits or [None] * len(rows)
    images = {
        "id": range(len(rows)), "source": ["s"] * len(rows), "path": [f"{row:03d}.jpg" for row in range(len(rows))],
        "width": [100] * len(rows), "height": [80] * len(rows), "split": splits, "group": [None] * len(rows),
    }  # fmt: skip
    columns = {name: pa.array([row[at] for row in rows], pa.float64()) for at, name in enumerate("xywh")}
    base = {
        "id": pa.array(range(len(rows)), pa.int64()), "image_id": pa.array(range(len(rows)), pa.int64()),
        "class_id": pa.array([0] * len(rows), pa.int32()), "value": pa.nulls(len(rows), pa.float64()),
    }  # fmt: skip
    schema = pa.schema([*ANNOTATION_COLUMNS, *(pa.field(name, pa.float64()) for name in "xywh")])
    tables = pa.table(images, schema=IMAGE_COLUMNS), pa.table({**base, **columns}, schema=schema)
    return Dataset(*tables, ClassMap(names), {"s": Path()})


def test_columns_say_what_the_line_says(write, tmp_path: Path) -> None:
    lay(write, f"{CAR}\n{REGION}\n")
    dataset = kitti.read(tmp_path, OPTIONS)
    car, region = dataset.annotations.drop_columns(["record"]).to_pylist()
    assert car == {
        **{"id": 0, "image_id": 0, "class_id": 0, "value": None, "x": 599.41, "y": 156.4, "w": 30.34, "h": 32.85},
        **{"truncated": 0.37, "occluded": 2, "alpha": -1.57, "height_m": 2.85, "width_m": 2.63, "length_m": 12.34},
        **{"x_m": 0.47, "y_m": 1.49, "z_m": 69.44, "rotation_y": -1.56},
    }
    unknown = ("truncated", "occluded", "alpha", "height_m", "width_m", "length_m", "x_m", "y_m", "z_m", "rotation_y")
    assert [region[name] for name in unknown] == [None] * 10
    assert dataset.classes.names == ("Car", "DontCare")
    assert dataset.origins["street"].pixels == "inclusive-0"
    assert dataset.images.select(["path", "width", "height", "split"]).to_pylist() == [
        {"path": "training/image_2/000000.png", "width": 1242, "height": 375, "split": "train"}
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"{CAR}\n{REGION}\n",
        f"{CAR}\r\n{REGION}\r\n",
        f"{CAR}\n{REGION}",
        f"\n\n{CAR}\n\n{REGION}\n\n",
        f"{CAR} 0.953\n{REGION} -1.25\n",
        f"{CAR}\n{CAR} 0.5\n",
        f"  {CAR.replace(' ', '  ')} \n",
        CAR.replace("0.37", "+.370") + "\n",
        CAR.replace("Car", "Größe") + "\n",
        "",
        "\n",
    ],
)
def test_the_bytes_come_back(write, tmp_path: Path, text: str) -> None:
    lay(write, text.encode())
    dataset = kitti.read(tmp_path, OPTIONS)
    assert written(dataset, tmp_path.parent / f"{tmp_path.name}-out") == {"training/label_2/000000.txt": text.encode()}


def test_only_what_changed_is_written_anew(write, tmp_path: Path) -> None:
    lay(write, f"{CAR}\r\n{REGION}\r\n{CAR}")
    dataset = kitti.read(tmp_path, OPTIONS)
    table = dataset.annotations
    for name, values in {"w": [30.34, 86.72, 40.0], "occluded": [None, None, 2], "score": [None, None, 0.5]}.items():
        column = pa.array(values, pa.int8() if name == "occluded" else pa.float64())
        at = table.schema.get_field_index(name)
        table = table.append_column(name, column) if at < 0 else table.set_column(at, name, column)
    changed = replace(dataset, annotations=table, classes=ClassMap(("big car", "DontCare")))
    lines = written(changed, tmp_path / "out")["training/label_2/000000.txt"].decode().split("\r\n")
    assert lines[0] == CAR.replace("Car", "big%20car").replace(" 2 -1.57", " -1 -1.57")
    assert lines[1] == REGION
    assert lines[2] == CAR.replace("Car", "big%20car").replace("629.75", "639.41") + " 0.5"


def test_rows_that_are_gone_leave_whole_lines(write, tmp_path: Path) -> None:
    lay(write, f"{CAR}\n{REGION}")
    dataset = kitti.read(tmp_path, OPTIONS)
    both = pa.concat_tables([dataset.annotations.slice(1), dataset.annotations.slice(0, 1)])
    files = written(replace(dataset, annotations=both), tmp_path / "out")
    assert files == {"training/label_2/000000.txt": f"{REGION}\n{CAR}\n".encode()}


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (CAR.rsplit(" ", 1)[0], "has 14 columns"),
        (f"{CAR} 1 2", "has 17 columns; 17 are KITTI's tracking labels"),
        (CAR.replace(" ", "\t", 1), "not by tabs"),
        (CAR.replace("599.41", "nan"), "left is"),
        (CAR.replace("2.85", "inf"), "height_m is"),
        (CAR.replace("2.85", "1e999"), "height_m is not a finite number"),
        (CAR.replace("69.44", "1_0"), "z_m is '1_0'"),
        (CAR.replace("69.44", "\uff16\uff19"), "z_m is '\uff16\uff19'"),
        (CAR.replace("69.44", "0x10"), "z_m is '0x10'"),
        (CAR.replace(" 2 -1.57", " 4 -1.57"), "occluded is 0, 1, 2 or 3"),
        (CAR.replace("0.37", "1.5"), "truncated lies between 0 and 1"),
        (CAR.replace("629.75", "599.40"), "right is left of left"),
    ],
)
def test_bad_lines_are_refused_with_file_and_line(write, tmp_path: Path, line: str, what: str) -> None:
    lay(write, f"{REGION}\n\n{line}\n")
    with pytest.raises(DataError) as refused:
        kitti.read(tmp_path, OPTIONS)
    assert "1 bad" in refused.value.message
    (detail,) = refused.value.details
    assert detail.startswith("training/label_2/000000.txt:3: ")
    assert what in detail


def test_all_bad_lines_are_told_at_once_and_ten_are_shown(write, tmp_path: Path) -> None:
    lay(write, b"Car \xff\n" * 20 + b"Car\n" * 5)
    with pytest.raises(DataError, match="25 bad lines of 25: 25 lines of other than 15 or 16 columns") as refused:
        kitti.read(tmp_path, OPTIONS)
    assert len(refused.value.details) == 11


def test_a_type_that_is_not_utf8_is_refused(write, tmp_path: Path) -> None:
    lay(write, CAR.replace("Car", "C").encode().replace(b"C", b"\xff", 1))
    with pytest.raises(DataError) as refused:
        kitti.read(tmp_path, OPTIONS)
    assert "the type is not UTF-8 text" in refused.value.details[0]


def test_labels_without_photo_are_refused_where_others_have_one(write, tmp_path: Path) -> None:
    lay(write, CAR)
    write("training/label_2/000001.txt", content=CAR.encode())
    with pytest.raises(DataError, match="1 labels without photo") as refused:
        kitti.read(tmp_path, OPTIONS)
    assert refused.value.details == ("training/label_2/000001.txt: no photo training/image_2/000001.*",)


def test_labels_alone_are_read_without_sizes_and_noted(write, tmp_path: Path) -> None:
    write("label_2/7.txt", content=CAR.encode())
    dataset = kitti.read(tmp_path, OPTIONS)
    assert dataset.images.select(["path", "width"]).to_pylist() == [{"path": "image_2/7.png", "width": None}]
    assert "no photo is there" in dataset.notes[0]


def test_photos_without_labels_stay_and_get_no_file_again(write, tmp_path: Path) -> None:
    lay(write, CAR)
    write("testing/image_2/000000.png", size=(8, 4))
    write("training/calib/000000.txt", content=b"P0: 1 2 3\n")
    dataset = kitti.read(tmp_path, OPTIONS)
    assert dataset.images["split"].to_pylist() == ["test", "train"]
    assert dataset.origins["street"].companions == ("training/calib/000000.txt",)
    assert list(written(dataset, tmp_path / "out")) == ["training/label_2/000000.txt"]


@pytest.mark.parametrize(
    ("label", "photo"),
    [("labels/a.txt", "images/a.png"), ("a.txt", "a.png"), ("x/label_2/val/a.txt", "x/image_2/val/a.png")],
)
def test_layouts_come_back(write, tmp_path: Path, label: str, photo: str) -> None:
    lay(write, CAR, label, photo)
    dataset = kitti.read(tmp_path, OPTIONS)
    assert dataset.images["path"].to_pylist() == [photo]
    assert dataset.images["width"].to_pylist() == [1242]
    assert list(written(dataset, tmp_path.parent / f"{tmp_path.name}-out")) == [label]


def test_lists_of_splits_are_read_and_kept(write, tmp_path: Path) -> None:
    for number in range(3):
        lay(write, CAR, f"training/label_2/00000{number}.txt")
    write("ImageSets/train.txt", content=b"000000\r\n000002")
    write("ImageSets/val.txt", content=b"000001\n000009\n")
    dataset = kitti.read(tmp_path, OPTIONS)
    assert dataset.images["split"].to_pylist() == ["train", "val", "train"]
    assert "1 names in ImageSets have no photo: 000009 (val)." in dataset.notes
    kept = written(dataset, tmp_path / "one")
    assert kept["ImageSets/train.txt"] == b"000000\r\n000002"
    moved = written(dataset.with_splits(["val", "val", "train"]), tmp_path / "two")
    assert moved["ImageSets/train.txt"] == b"000002\n"
    assert moved["ImageSets/val.txt"] == b"000000\n000001\n"


def test_other_formats_get_the_development_kits_unknown_values(tmp_path: Path) -> None:
    files = written(boxes((1.5, 2, 30.25, 4), splits=["val"]), tmp_path / "out")
    line = b"car -1 -1 -10 1.5 2 31.75 6 -1 -1 -1 -1000 -1000 -1000 -10\n"
    assert files == {"training/label_2/000.txt": line, "ImageSets/val.txt": b"000\n"}


def test_an_empty_set_and_photos_without_labels(tmp_path: Path) -> None:
    empty = boxes()
    assert written(empty, tmp_path / "one") == {}
    bare = boxes((0, 0, 1, 1))
    assert written(replace(bare, annotations=bare.annotations.slice(0, 0)), tmp_path / "two") == {
        "training/label_2/000.txt": b""
    }


NAMES = ["<script>", "[/]", "a b", "a%20b", "50%", "new\nline", "../x", "🚗", "   ", "\u3000wide"]


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_come_back_and_are_told(tmp_path: Path, name: str) -> None:
    dataset = boxes((1, 2, 3, 4), names=(name,))
    written(dataset, tmp_path / "out")
    again = kitti.read(tmp_path / "out", OPTIONS)
    assert again.classes.names == (name,)
    told = kitti.losses(dataset)
    assert [loss.allowed for loss in told] == ([True] if type_of(name) != name else [])


@given(st.text(min_size=1).filter(lambda text: not any("\ud800" <= letter <= "\udfff" for letter in text)))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_type_of_is_one_word_and_is_undone(name: str) -> None:
    word = type_of(name)
    assert len(word.split()) == 1
    assert name_of(word) == name


@given(st.binary(max_size=60))
@settings(max_examples=200, derandomize=True, deadline=None)
def test_records_joined_are_the_file(content: bytes) -> None:
    records = split_lines(content)
    assert b"".join(records) == (content if content.strip() else b"".join(records))
    assert all(record.strip() for record in records)


sides = st.floats(0, 1e6, allow_subnormal=False) | st.integers(0, 100_000).map(lambda number: number / 100)


@given(st.lists(st.tuples(sides, sides, sides, sides), min_size=1, max_size=5))
@settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_boxes_of_other_formats_come_back_to_the_last_bit(tmp_path_factory, rows) -> None:
    folder = tmp_path_factory.mktemp("kitti")
    dataset = boxes(*rows)
    written(dataset, folder)
    again = kitti.read(folder, OPTIONS).annotations
    for name in "xywh":
        assert again[name].to_pylist() == dataset.annotations[name].to_pylist()


def test_the_same_bytes_however_rows_are_ordered(tmp_path: Path) -> None:
    dataset = boxes((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12))
    turned = replace(dataset, annotations=dataset.annotations.take(pa.array([2, 0, 1])))
    assert written(dataset, tmp_path / "one") == written(turned, tmp_path / "two")


def test_detect_tells_kitti_from_yolo(write, tmp_path: Path) -> None:
    write("yolo/labels/a.txt", content=b"0 0.5 0.5 0.1 0.1\n")
    write("kitti/labels/a.txt", content=f"\n{CAR}\n".encode())
    assert kitti.detect(tmp_path / "yolo") is None
    assert kitti.detect(tmp_path / "kitti") == "labels/a.txt with 15 columns"
    assert kitti.detect(tmp_path / "kitti/labels/a.txt") is None
    with pytest.raises(DataError, match="no KITTI label file"):
        kitti.read(write("none/a.jpg").parent, OPTIONS)


def test_links_out_of_the_folder_and_pipes_are_refused(write, tmp_path: Path) -> None:
    lay(write, CAR, "set/label_2/0.txt")
    secret = write("secret.txt", content=CAR.encode())
    (tmp_path / "set/label_2/1.txt").symlink_to(secret)
    with pytest.raises(DataError) as refused:
        kitti.read(tmp_path / "set", OPTIONS)
    assert refused.value.details == ("label_2/1.txt: the link leads out of the folder.",)


# Independent of the reader: Python's own float and split, on data of other people.
@pytest.mark.parametrize("name", ["kitti_3d", "kitti_3d_with_subset", "kitti_detection"])
def test_published_sets_come_back_and_agree_with_a_slow_parser(shared_data: Path, tmp_path: Path, name: str) -> None:
    folder = shared_data / "datumaro_assets/tests/assets/kitti_dataset" / name
    dataset = kitti.read(folder, OPTIONS)
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("label_2/**/*.txt")}
    assert written(dataset, tmp_path / "out") == files
    lines = [line.split() for key in sorted(files) for line in files[key].decode().splitlines()]
    names = [dataset.classes.names[number] for number in dataset.annotations["class_id"].to_pylist()]
    assert names == [words[0] for words in lines]
    edges = np.array([[float(word) for word in words[4:8]] for words in lines])
    found = np.stack([dataset.annotations[side].to_numpy() for side in "xywh"], axis=1)
    np.testing.assert_array_equal(np.concatenate([found[:, :2], found[:, :2] + found[:, 2:]], axis=1), edges)
    assert json.loads(dataset.origins["street"].header["layout"])


@pytest.mark.parametrize("name", ["kitti_raw", "kitti_segmentation"])
def test_other_sets_of_kitti_are_refused_by_name(shared_data: Path, name: str) -> None:
    folder = shared_data / "datumaro_assets/tests/assets/kitti_dataset" / name
    assert kitti.detect(folder) is None
    with pytest.raises(DataError, match=f"{name}: no KITTI label file is there"):
        kitti.read(folder, OPTIONS)


def test_a_set_without_a_column_of_boxes_is_written(tmp_path: Path) -> None:
    bare = boxes((0, 0, 1, 1))
    table = bare.annotations.slice(0, 0).drop_columns(["x", "y", "w", "h"])
    assert written(replace(bare, annotations=table), tmp_path / "out") == {"training/label_2/000.txt": b""}


def test_photos_elsewhere_are_found_by_stem_and_labels_of_one_name_refused(write, tmp_path: Path) -> None:
    write("set/label_2/train/0.txt", content=CAR.encode())
    write("photos/0.png", size=(1242, 375))
    options = replace(OPTIONS, images=tmp_path / "photos")
    dataset = kitti.read(tmp_path / "set", options)
    assert (dataset.images["path"].to_pylist(), dataset.roots["street"]) == (["0.png"], tmp_path / "photos")
    write("set/label_2/val/0.txt", content=CAR.encode())
    with pytest.raises(DataError, match="1 label files have the name of another one"):
        kitti.read(tmp_path / "set", options)


def test_links_that_loop_or_lead_nowhere_do_no_harm(write, tmp_path: Path) -> None:
    lay(write, CAR)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "around").symlink_to(tmp_path)
    (tmp_path / "training/calib").symlink_to("nowhere")
    assert kitti.detect(tmp_path) == "training/label_2/000000.txt with 15 columns"
    assert len(kitti.read(tmp_path, OPTIONS)) == 1
