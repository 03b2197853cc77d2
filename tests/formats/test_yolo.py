"""YOLO: layouts, rows, every bad row with its line, and bytes that come back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vision_cli.core import yaml_source
from vision_cli.core.columns import IMAGE_COLUMNS
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import ReadOptions, WriteOptions, yolo
from vision_cli.formats.yolo import text as yolo_text
from vision_cli.formats.yolo import yaml as yolo_yaml

NAMES = [
    "<script>",
    "[/]",
    "a\nb",
    "\U0001f600",
    "../x",
    "no",
    "yes",
    "1e3",
    'q"\\',
    "trailing ",
    "null",
    "é\x85\u2028",
]


def read(path: Path, images: Path | None = None) -> Dataset:
    return yolo.read(path, ReadOptions("yolo", images))


@pytest.fixture
def folder(write, tmp_path: Path):
    """Return a function that makes a set of one 200 x 100 photo with these rows."""

    def make(rows: str | bytes, yaml: str = "train: images/train\nnames: [cat, dog]\n") -> Path:
        write("images/train/a.jpg", size=(200, 100))
        label = tmp_path / "labels/train/a.txt"
        label.parent.mkdir(parents=True, exist_ok=True)
        label.write_bytes(rows if isinstance(rows, bytes) else rows.encode())
        (tmp_path / "data.yaml").write_text(yaml, encoding="utf-8")
        return tmp_path

    return make


def boxes(dataset: Dataset) -> list[list[float]]:
    return np.stack([dataset.annotations[name].to_numpy() for name in "xywh"], axis=1).tolist()


def test_shares_become_pixels(folder) -> None:
    dataset = read(folder("1 0.5 0.5 0.25 0.5\n"))
    assert boxes(dataset) == [[75.0, 25.0, 50.0, 50.0]]
    assert dataset.classes.names == ("cat", "dog")
    assert dataset.annotations["class_id"].to_pylist() == [1]
    assert dataset.splits().tolist() == ["train"]
    assert "outline" not in dataset.annotations.column_names


def test_boxes_and_polygons_in_one_file(folder) -> None:
    dataset = read(folder("0 0.5 0.5 0.25 0.5\n1 0.1 0.1 0.2 0.1 0.2 0.3\n0 0 0 1 0 1 1 0 1\n"))
    assert dataset.annotations["outline_parts"].to_pylist() == [0, 1, 1]
    outlines = dataset.annotations["outline"].to_pylist()
    assert outlines[0] is None
    assert json.loads(outlines[1]) == [[20.0, 10.0, 40.0, 10.0, 40.0, 30.0]]
    assert boxes(dataset)[1:] == [[20.0, 10.0, 20.0, 20.0], [0.0, 0.0, 200.0, 100.0]]


def test_keypoints(folder) -> None:
    yaml = "train: images/train\nnames: [cat]\nkpt_shape: [2, 3]\nflip_idx: [1, 0]\n"
    dataset = read(folder("0 0.5 0.5 0.5 0.5 0.1 0.2 2 0 0 0\n0 0.5 0.5 0.5 0.5 0 0 0 0 0 0\n", yaml))
    texts = dataset.annotations["keypoints"].to_pylist()
    assert json.loads(texts[0]) == [20.0, 20.0, 2, 0.0, 0.0, 0]
    assert texts[1] is None


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("0 .5 .5 .1 .1\n-1 0.5 0.5 0.1 0.1\n", "a.txt:2: class '-1'"),
        ("2 0.5 0.5 0.1 0.1\n", "a.txt:1: class '2'"),
        ("999999 0.5 0.5 0.1 0.1\n", "class '999999'"),
        ("0.5 0.5 0.5 0.1 0.1\n", "class '0.5'"),
        ("\n\n0 1.02 0.5 0.1 0.1\n", "a.txt:3: '1.02' is no share"),
        ("0 120 64 30 30\n", "'120' is no share"),
        ("0 nan 0.5 0.1 0.1\n", "'nan' is not a number"),
        ("0 1e999 0.5 0.1 0.1\n", "'1e999'"),
        ("0 0_1 0.5 0.1 0.1\n", "'0_1' is not a number"),
        ("0 \u0660.5 0.5 0.1 0.1\n", "is not a number"),
        ("0 0.5 0.5 0.1\n", "3 values behind the class"),
        ("0 0.5 0.5 0.1 0.1\n0 0.5 0.5 0.1 0.1 0.9\n", "a.txt:2: 5 values"),
        ("0\n", "0 values"),
        ("0 0.5 0.5 -0.005 0.1\n", "negative"),
        (b"\xff\xfe\x00\n", "is not a number"),
    ],
)
def test_bad_rows_are_named_with_their_line(folder, rows: str | bytes, words: str) -> None:
    with pytest.raises(DataError) as caught:
        read(folder(rows))
    assert words in "\n".join(caught.value.details)
    assert caught.value.hint


def test_all_bad_rows_are_counted(folder) -> None:
    with pytest.raises(DataError, match=r"13 bad .*: 12 unknown classes, 1 values that are no numbers"):
        read(folder("7 .5 .5 .1 .1\n" * 12 + "0 x .5 .1 .1\n"))


def test_a_hundredth_beyond_is_kept(folder) -> None:
    assert boxes(read(folder("0 1.005 0.5 0.01 0.5\n")))[0][0] == pytest.approx(200)


@pytest.mark.parametrize(
    ("yaml", "words"),
    [
        ("train: images/train\nnames: !!python/object/apply:os.system [id]\n", "tag"),
        (
            "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(1200)) + "names: [c]\ntrain: x\n",
            "alias",
        ),
        ("train: images/train\nnames: [cat, cat]\n", "twice"),
        ("train: images/train\nnames: [cat, '']\n", "have no name"),
        ("train: images/train\nnames: {a: cat}\n", "neither a list nor a map"),
        ("train: images/train\nnc: 3\nnames: [cat, dog]\n", "nc is 3"),
        ("train: {a: b}\nnames: [cat]\n", "no place of photos"),
        ("train: images/train\nnames: [cat]\nkpt_shape: [2, 9]\n", "kpt_shape"),
        ("train: ../../etc\nnames: [cat]\n", "no photo was found"),
        ("train: /etc\nnames: [cat]\n", "no photo was found"),
    ],
)
def test_bad_yaml(folder, yaml: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        read(folder("0 .5 .5 .1 .1\n", yaml))
    assert words in f"{caught.value.message} {caught.value.details}"


def test_a_download_is_never_run(folder, tmp_path: Path) -> None:
    yaml = "train: images/train\nnames: [cat]\ndownload: |\n  open('ran', 'w')\n"
    dataset = read(folder("0 .5 .5 .1 .1\n", yaml))
    assert any("never run" in note for note in dataset.notes)
    written = tmp_path / "out"
    written.mkdir()
    yolo.write(dataset, written, WriteOptions())
    assert "open(" not in (written / "data.yaml").read_text()


@pytest.mark.parametrize("train", ["images/train", "[images/train]", "list.txt", "../images/train", "./images/train/"])
def test_places_of_a_split(folder, tmp_path: Path, train: str) -> None:
    (tmp_path / "list.txt").write_text("./images/train/a.jpg\n\nimages/train/a.jpg\n")
    dataset = read(folder("0 .5 .5 .1 .1\n", f"path: /content/somewhere\ntrain: {train}\nnames: {{0: cat}}\n"))
    assert dataset.images["path"].to_pylist() == ["images/train/a.jpg"]
    assert dataset.annotations.num_rows == 1


def test_listed_photos_must_be_there(folder, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("images/train/a.jpg\nimages/train/b.jpg\n/etc/passwd\n../../x.jpg\n")
    with pytest.raises(DataError, match="3 missing photos") as caught:
        read(folder("0 .5 .5 .1 .1\n", "train: list.txt\nnames: [cat]\n"))
    assert caught.value.details[0].startswith("list.txt:2: images/train/b.jpg")


def test_without_any_names_classes_are_numbers(folder, tmp_path: Path) -> None:
    root = folder("2 .5 .5 .1 .1\n")
    (root / "data.yaml").unlink()
    dataset = read(root)
    assert dataset.classes.names == ("0", "1", "2")
    assert "called by their numbers" in dataset.notes[0]
    assert dataset.splits().tolist() == ["train"]
    assert yolo.detect(root) == "rows of class and shares in labels/train/a.txt"


def test_real_boxes_and_polygons_come_back_to_the_byte(shared_data: Path, tmp_path: Path) -> None:
    expected = json.loads((shared_data / "expected.json").read_text())["coco128_train"]
    for kind, number in (
        ("object_detection", expected["det_boxes"]),
        ("instance_segmentation", expected["inst_polygons"]),
    ):
        root = shared_data / "coco128_train" / kind
        dataset = read(root, shared_data / "coco128_train/images")
        orphans = [f for name in expected["labels_without_image"] for f in root.glob(f"labels/*/{name}.txt")]
        left_out = sum(len(file.read_text().splitlines()) for file in orphans)
        assert len(dataset) == expected["images"]
        assert dataset.annotations.num_rows == number - left_out
        target = tmp_path / kind
        target.mkdir()
        written = yolo.write(dataset, target, WriteOptions())
        for path, place in zip(dataset.images["path"].to_pylist(), written.photos, strict=True):
            source = root / "labels" / Path(path).with_suffix(".txt")
            copy = target / str(place).replace("images/", "labels/", 1).replace(".jpg", ".txt")
            assert copy.exists() == source.exists()
            assert not source.exists() or copy.read_bytes() == source.read_bytes()


def test_notes_count_photos_and_labels_without_the_other(shared_data: Path) -> None:
    root = shared_data / "coco128_train/object_detection"
    notes = " ".join(read(root, shared_data / "coco128_train/images").notes)
    assert "2 photos have no label file" in notes
    assert "2 label files have no photo" in notes
    assert "000000000656.txt" in notes


@pytest.mark.parametrize(("asset", "photos", "rows"), [("strict", 1, 2), ("labels", 2, 4)])
def test_assets_of_darknet(shared_data: Path, asset: str, photos: int, rows: int) -> None:
    root = shared_data / "datumaro_assets/tests/assets/yolo_dataset" / asset
    dataset = read(root)
    assert yolo.detect(root)
    assert (len(dataset), dataset.annotations.num_rows) == (photos, rows)
    assert dataset.classes.names == tuple(f"label_{n}" for n in range(10))


@pytest.mark.parametrize(
    "rows", ["0 .5 .5 .1 .1", "0 .5 .5 .1 .1\r\n\r\n1  0.25\t.5 1e-1 .1 \n\n", "\n", "", "0 0 0 1 0 1 1\n"]
)
def test_bytes_come_back_whatever_the_blanks(folder, tmp_path: Path, rows: str) -> None:
    target = tmp_path / "out"
    target.mkdir()
    yolo.write(read(folder(rows.encode())), target, WriteOptions())
    assert (target / "labels/train/a.txt").read_bytes() == rows.encode()


def test_only_what_changed_is_written_anew(folder, tmp_path: Path) -> None:
    dataset = read(folder("0 .50 .50 .10 .10\n1 .5 .5 .2 .2\n"))
    moved = dataset.annotations.set_column(5, "x", pa.array([dataset.annotations["x"][0].as_py(), 0.0]))
    swapped = Dataset(dataset.images, moved, ClassMap(("dog", "cat")), dataset.roots, (), dataset.origins)
    target = tmp_path / "out"
    target.mkdir()
    written = yolo.write(swapped, target, WriteOptions())
    assert (
        target / "labels/train/a.txt"
    ).read_text() == "0 .50 .50 .10 .10\n1 0.100000000 0.500000000 0.200000000 0.200000000\n"
    assert written.class_ids == {"dog": 0, "cat": 1}


def make(
    sizes: list[tuple[int, int]], rows: list[tuple[int, int, float, float, float, float]], names=("a", "b")
) -> Dataset:
    number = len(sizes)
    images = pa.table(
        {
            **{"id": range(number), "source": ["s"] * number, "path": [f"{row}.jpg" for row in range(number)]},
            **{"width": [w for w, _ in sizes], "height": [h for _, h in sizes]},
            **{"split": [None] * number, "group": [None] * number},
        },
        schema=IMAGE_COLUMNS,
    )
    columns = list(zip(*rows, strict=True)) or [[]] * 6
    table = {
        "id": pa.array(range(len(rows)), pa.int64()),
        "image_id": pa.array(columns[0], pa.int64()),
        "class_id": pa.array(columns[1], pa.int32()),
        "value": pa.nulls(len(rows), pa.float64()),
        **{name: pa.array(column, pa.float64()) for name, column in zip("xywh", columns[2:], strict=True)},
    }
    return Dataset(images, pa.table(table), ClassMap(tuple(names)), {"s": Path("/nowhere")})


@st.composite
def framed(draw: st.DrawFn) -> Dataset:
    sizes = draw(st.lists(st.tuples(st.integers(1, 5000), st.integers(1, 5000)), min_size=1, max_size=4))
    rows = []
    for _ in range(draw(st.integers(0, 8))):
        photo = draw(st.integers(0, len(sizes) - 1))
        shares = [draw(st.floats(0, 1)) for _ in range(4)]
        width, height = sizes[photo]
        x, y = shares[0] * width, shares[1] * height
        rows.append((photo, draw(st.integers(0, 1)), x, y, shares[2] * (width - x), shares[3] * (height - y)))
    return make(sizes, rows)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(framed())
def test_boxes_come_back_within_a_millionth_pixel(tmp_path_factory: pytest.TempPathFactory, dataset: Dataset) -> None:
    target = tmp_path_factory.mktemp("yolo")
    written = yolo.write(dataset, target, WriteOptions())
    sizes = dict(
        zip(
            written.photos, zip(*(dataset.images[c].to_pylist() for c in ("width", "height")), strict=True), strict=True
        )
    )
    table = dataset.annotations.to_pylist()
    for row, place in enumerate(written.photos):
        label = target / str(place).replace("images/", "labels/").replace(".jpg", ".txt")
        lines = label.read_text().splitlines()
        own = [item for item in table if item["image_id"] == row]
        assert len(lines) == len(own)
        for line, item in zip(lines, own, strict=True):
            class_id, cx, cy, w, h = map(float, line.split())
            width, height = sizes[place]
            found = ((cx - w / 2) * width, (cy - h / 2) * height, w * width, h * height)
            assert class_id == item["class_id"]
            assert found == pytest.approx([item[name] for name in "xywh"], abs=yolo_text.READ_BACK_PX, rel=0)


def test_outlines_of_one_polygon_are_rows_and_others_boxes(tmp_path: Path) -> None:
    rows = [(0, 0, 10, 10, 20, 20), (0, 1, 10, 10, 20, 20), (0, 0, 10, 10, 20, 20), (0, 0, 0, 0, 9, 9)]
    dataset = make([(100, 50)], rows)
    outlines = [b"[[10,10,30,10,30,30]]", b"[[10,10,30,10,30,30],[1,1,2,2,3,1]]", b"[[10,10,30,30]]", None]
    table = dataset.annotations.append_column("outline", pa.array(outlines, pa.binary()))
    table = table.append_column("outline_parts", pa.array([1, 2, 1, 0], pa.int16()))
    dataset = Dataset(dataset.images, table, dataset.classes, dataset.roots)
    yolo.write(dataset, tmp_path, WriteOptions())
    lines = [list(map(float, line.split())) for line in (tmp_path / "labels/train/0.txt").read_text().splitlines()]
    box = [0.2, 0.4, 0.2, 0.4]
    assert lines == [[0, 0.1, 0.2, 0.3, 0.2, 0.3, 0.6], [1, *box], [0, *box], [0, 0.045, 0.09, 0.09, 0.18]]
    broken = next(loss for loss in yolo.losses(dataset) if loss.name == "polygons")
    assert broken.rows.tolist() == [False, False, True, False]


def test_keypoints_are_padded_to_one_shape(tmp_path: Path) -> None:
    dataset = make([(100, 50)], [(0, 0, 10, 10, 20, 20), (0, 1, 10, 10, 20, 20)])
    points = pa.array([b"[10,10,2,20.5,5,1]", None], pa.binary())
    dataset = Dataset(
        dataset.images, dataset.annotations.append_column("keypoints", points), dataset.classes, dataset.roots
    )
    yolo.write(dataset, tmp_path, WriteOptions())
    lines = [list(map(float, line.split())) for line in (tmp_path / "labels/train/0.txt").read_text().splitlines()]
    box = [0.2, 0.4, 0.2, 0.4]
    assert lines == [[0, *box, 0.1, 0.2, 2, 0.205, 0.1, 1], [1, *box, 0, 0, 0, 0, 0, 0]]
    assert "kpt_shape: [2, 3]" in (tmp_path / "data.yaml").read_text()


def test_photos_without_a_split_go_to_train(tmp_path: Path) -> None:
    written = yolo.write(make([(4, 3), (4, 3)], [(1, 0, 0, 0, 1, 1)]), tmp_path, WriteOptions())
    assert list(written.photos) == ["images/train/0.jpg", "images/train/1.jpg"]
    assert written.notes == ["2 photos have no split of train, val and test; they went to train."]
    assert (tmp_path / "labels/train/0.txt").read_bytes() == b""


def test_losses_are_told_by_reason() -> None:
    rows = [(0, 0, 0, 0, 10, 10), (0, 0, -50, 0, 60, 10), (0, 0, 300, 0, 10, 10), (1, 0, 0, 0, 1, 1)]
    found = {(loss.name, loss.reason): loss.rows.tolist() for loss in yolo.losses(make([(100, 100), (0, 0)], rows))}
    assert found == {
        ("size", "photo of unknown size"): [False, False, False, True],
        ("out-of-frame", "out of frame"): [False, False, True, False],
        ("out-of-frame", "partly out of frame, clipped"): [False, True, False, False],
    }


@pytest.mark.parametrize("digits", [6, 7, 9, 12])
def test_decimals_are_those_of_printf(digits: int) -> None:
    values = np.concatenate([np.random.default_rng(3).random(2000), [0.0, 1.0, 0.5, 1e-12]])
    found = [bytes(row).decode().removeprefix(" ") for row in yolo_text.cells(values, digits)]
    assert [abs(float(text) - value) <= 0.5001 * 10**-digits for text, value in zip(found, values, strict=True)]
    assert found[:1000] == [f"{value:.{digits}f}" for value in values[:1000]]


def test_any_class_name_survives_yaml() -> None:
    text = yolo_yaml.render(dict(enumerate(NAMES)), ["train"], None, None).decode()
    assert list(yaml_source.parse(text, "data.yaml").tree["names"].values()) == NAMES


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=8))
def test_quoting_is_read_back(name: str) -> None:
    assert yaml_source.parse(f"k: {yolo_yaml.quoted(name)}", "x").tree == {"k": name}


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=60))
def test_any_bytes_end_in_a_value_or_a_data_error(folder, content: bytes) -> None:
    root = folder(content)
    try:
        dataset = read(root)
    except DataError:
        return
    assert np.isfinite(boxes(dataset)).all()
