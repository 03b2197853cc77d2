"""CSV with boxes: kinds of columns, mapping, real files, every bad row, and values that come back."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vision_cli import formats
from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS
from vision_cli.core.config import SourceConfig
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import ReadOptions, WriteOptions, csv_labels
from vision_cli.formats.csv_write import _write_rows


def read(path: Path, images: Path | None = None, **columns: str) -> Dataset:
    return csv_labels.read(path, ReadOptions("table", images, columns=columns))


def boxes(dataset: Dataset) -> list[tuple[float, ...]]:
    return list(zip(*(dataset.annotations[name].to_pylist() for name in "xywh"), strict=True))


@pytest.fixture
def table(write, tmp_path: Path):
    """Return a function that writes a CSV beside two photos of 200 x 100."""
    for name in "ab":
        write(f"{name}.jpg", size=(200, 100))

    def make(text: str) -> Path:
        path = tmp_path / "boxes.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return make


@pytest.mark.parametrize(
    "text",
    [
        "path,label,xmin,ymin,xmax,ymax\na.jpg,cat,10,20,40,60\n",
        "filename;class;x1;y1;x2;y2\na.jpg;cat;10;20;40;60\n",
        "image\tlabel\tx\ty\tw\th\na.jpg\tcat\t10\t20\t30\t40\n",
        "image,label,x,y,width,height\na.jpg,cat,10,20,30,40\n",
        "image,label,cx,cy,w,h\na.jpg,cat,25,40,30,40\n",
        "image,label,x_center,y_center,width,height\na.jpg,cat,0.125,0.4,0.15,0.4\n",
        "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,200,100,cat,10,20,40,60\n",
    ],
)
def test_kinds_of_boxes(table, text: str) -> None:
    dataset = read(table(text))
    assert boxes(dataset) == [pytest.approx((10, 20, 30, 40))]
    assert dataset.classes.names == ("cat",)
    assert dataset.images["width"].to_pylist() == [200]


def test_shares_are_said(table) -> None:
    assert "shares" in read(table("path,label,xmin,ymin,xmax,ymax\na.jpg,c,0,0.25,0.5,1\n")).notes[0]


def test_small_boxes_beside_photo_sizes_are_pixels(table) -> None:
    dataset = read(table("path,width,height,label,xmin,ymin,xmax,ymax\na.jpg,200,100,c,0,0.25,0.5,1\n"))
    assert boxes(dataset) == [(0, 0.25, 0.5, 0.75)]
    assert dataset.notes == ()


def test_widths_are_decimal_differences(table) -> None:
    dataset = read(table("path,label,xmin,ymin,xmax,ymax\na.jpg,c,599.41,1,640.24,2\n"))
    assert dataset.annotations["w"].to_pylist() == [40.83]


def test_columns_may_be_mapped(write, tmp_path: Path) -> None:
    write("a.jpg", size=(200, 100))
    path = tmp_path / "t.csv"
    path.write_text("foto,art,l,o,r,u\na.jpg,cat,1,2,3,4\n")
    columns = {"path": "foto", "label": "art", "xmin": "l", "ymin": "o", "xmax": "r", "ymax": "u"}
    config = SourceConfig(path=str(path), format="csv", columns=columns)
    assert boxes(formats.read("t", config, path)) == [(1, 2, 2, 2)]
    with pytest.raises(DataError, match="no such columns: label: none"):
        csv_labels.read(path, ReadOptions("t", columns={"path": "foto", "label": "none"}))
    with pytest.raises(DataError, match=r"label: ar \(did you mean 'art'\?\)"):  # a part of a name is no name
        csv_labels.read(path, ReadOptions("t", columns={"path": "foto", "label": "ar"}))


def test_photos_may_have_no_box_or_only_a_label(table) -> None:
    dataset = read(table("path,label,xmin,ymin,xmax,ymax\na.jpg,,,,,\nb.jpg,cat,,,,\n"))
    assert len(dataset) == 2
    assert dataset.annotations["image_id"].to_pylist() == [1]
    assert boxes(dataset) == [(None, None, None, None)]


def test_further_columns_are_of_photos_or_of_objects(table) -> None:
    text = "path,label,xmin,ymin,xmax,ymax,camera,colour,difficult\n"
    dataset = read(table(text + "a.jpg,c,1,1,2,2,leica,red,1\na.jpg,c,1,1,3,3,leica,blue,0\nb.jpg,c,1,1,2,2,,,\n"))
    assert dataset.images["camera"].to_pylist() == ["leica", None]
    assert dataset.annotations["attributes"].to_pylist() == ['{"colour":"red"}', '{"colour":"blue"}', None]
    assert dataset.annotations["difficult"].to_pylist() == [True, False, None]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("a.jpg,c,1,1,nan,2", "boxes.csv:2: 'nan' is not a finite number"),
        ("a.jpg,c,1,1,1e999,2", "'1e999'"),
        ("a.jpg,c,1,1,,2", "'' is not a finite number"),
        ("a.jpg,c,5,1,2,2", "boxes.csv:2: box"),
        ("z.jpg,c,1,1,2,2", "z.jpg is not in"),
        ("../a.jpg,c,1,1,2,2", "'../a.jpg' is not below"),
        ("/etc/passwd,c,1,1,2,2", "'/etc/passwd' is not below"),
        ("a.jpg,c,1,1,2", "5 columns where the header has 6"),
    ],
)
def test_bad_rows(table, row: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        read(table(f"path,label,xmin,ymin,xmax,ymax\n{row}\n"))
    assert words in "\n".join(caught.value.details)


def real(shared_data: Path, name: str) -> tuple[Path, Path, dict[str, str]]:
    if name == "raccoon":
        root = shared_data / "raccoon_voc"
        return root / "data/raccoon_labels.csv", root / "images", {}
    root = shared_data / "bccd_voc"
    return root / "test.csv", root / "BCCD/JPEGImages", {"label": "cell_type"}


@pytest.mark.parametrize(("name", "label"), [("raccoon", "class"), ("bccd", "cell_type")])
def test_real_tables(shared_data: Path, name: str, label: str) -> None:
    path, images, columns = real(shared_data, name)
    dataset = read(path, images, **columns)
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    names = [dataset.classes.names[index] for index in dataset.annotations["class_id"].to_pylist()]
    assert names == [row[label] for row in rows]
    edges = [(float(r["xmin"]), float(r["ymin"]), float(r["xmax"]), float(r["ymax"])) for r in rows]
    assert [(x, y, x + w, y + h) for x, y, w, h in boxes(dataset)] == edges
    assert len(dataset) == len({row["filename"] for row in rows})


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=5)
NUMBER = st.one_of(st.floats(-1e6, 1e6), st.decimals(0, 900, places=2).map(float))


@st.composite
def sets(draw: st.DrawFn) -> Dataset:
    names = tuple(sorted(draw(st.sets(TEXT, min_size=1, max_size=4))))
    count = draw(st.integers(1, 3))
    owners = sorted(draw(st.lists(st.integers(0, count - 1), max_size=6)))
    used = [draw(st.integers(0, len(names) - 1)) for _ in owners]
    names = tuple(name for index, name in enumerate(names) if index in used)
    used = [sorted(set(used)).index(index) for index in used]
    size = st.one_of(st.just(0.0), st.floats(0.001, 1e6), st.decimals(1, 900, places=2).map(float))
    number = len(owners)
    images = pa.table(
        {
            **{"id": range(count), "source": ["table"] * count, "path": [f"images/{row}.jpg" for row in range(count)]},
            **{
                "width": [200] * count,
                "height": [100] * count,
                "split": [draw(st.sampled_from(["train", "val", None])) for _ in range(count)],
            },
            "group": [draw(st.one_of(st.none(), TEXT)) for _ in range(count)],
        },
        schema=IMAGE_COLUMNS,
    )
    more = {
        "x": pa.array([draw(NUMBER) for _ in owners], pa.float64()),
        "y": pa.array([draw(NUMBER) for _ in owners], pa.float64()),
        "w": pa.array([draw(size) for _ in owners], pa.float64()),
        "h": pa.array([draw(size) for _ in owners], pa.float64()),
        "score": pa.array([draw(st.one_of(st.none(), st.floats(0, 1))) for _ in owners], pa.float64()),
        "annotator": pa.array([draw(st.one_of(st.none(), TEXT)) for _ in owners], pa.string()),
        "attributes": pa.array([draw(st.sampled_from([None, '{"a": [1, "é"]}'])) for _ in owners], pa.string()),
    }
    base = pa.table(
        {"id": range(number), "image_id": owners, "class_id": used, "value": [None] * number}, schema=ANNOTATION_COLUMNS
    )
    for name, column in more.items():
        base = base.append_column(name, column)
    return Dataset(images, base, ClassMap(names), {"table": Path("/nowhere")})


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(sets())
def test_all_columns_come_back(write, tmp_path: Path, dataset: Dataset) -> None:
    (tmp_path / "labels.csv").unlink(missing_ok=True)
    written = csv_labels.write(dataset, tmp_path, WriteOptions())
    for place in written.photos:
        if not (tmp_path / str(place)).exists():
            write(str(place), size=(200, 100))
    back = read(tmp_path / "labels.csv")
    assert back.classes == dataset.classes
    assert back.images["path"].to_pylist() == dataset.images["path"].to_pylist()
    assert back.splits().tolist() == dataset.splits().tolist()
    assert back.images["group"].to_pylist() == dataset.images["group"].to_pylist()
    for name in ("image_id", "class_id", "x", "y", "score", "annotator", "attributes", "w", "h"):
        if len(dataset.annotations) and dataset.annotations[name].null_count < len(dataset.annotations):
            assert back.annotations[name].to_pylist() == dataset.annotations[name].to_pylist(), name


def test_labels_alone_are_a_row_a_photo(table, tmp_path: Path) -> None:
    dataset = read(table("path,label,split,camera\na.jpg,cat|dog,train,leica\nb.jpg,,val,\n"))
    target = tmp_path / "out"
    target.mkdir()
    csv_labels.write(dataset, target, WriteOptions())
    text = (target / "labels.csv").read_text()
    assert text == "path,label,split,camera\nimages/a.jpg,cat|dog,train,leica\nimages/b.jpg,,val,\n"


def test_a_lone_carriage_return_stays_in_its_cell() -> None:
    stream = io.StringIO(newline="")
    _write_rows(stream, {"path": ["a.jpg", "b.jpg"], "class": ["old\rmac", "plain"], "x": [1.5, None]})
    assert stream.getvalue().splitlines(keepends=True)[-1] == "b.jpg,plain,\n"
    rows = list(csv.reader(io.StringIO(stream.getvalue(), newline="")))
    assert rows == [["path", "class", "x"], ["a.jpg", "old\rmac", "1.5"], ["b.jpg", "plain", ""]]
