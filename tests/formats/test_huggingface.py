"""Hugging Face folders: the examples of the library's documentation, every metadata file, round trips, bad rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import made_sets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from PIL import Image

from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import ReadOptions, WriteOptions
from vision_cli.formats import huggingface as hf_folder

SETTINGS = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def photos(folder: Path, *names: str, size: tuple[int, int] = (8, 6)) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size).save(folder / name)


def lines(folder: Path, *rows: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    (folder / "metadata.jsonl").write_text(text, encoding="utf-8")
    return folder


def read(path: Path) -> Dataset:
    return hf_folder.read(path, ReadOptions("h"))


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read(path)
    return "\n".join([caught.value.message, *caught.value.details])


def boxes(dataset: Dataset) -> list[tuple[Any, ...]]:
    names = dataset.classes.names
    rows = dataset.annotations.to_pylist()
    return [(r["image_id"], names[r["class_id"]], r["x"], r["y"], r["w"], r["h"]) for r in rows]


def test_object_detection_as_the_documentation_shows_it(tmp_path: Path) -> None:
    # https://huggingface.co/docs/datasets/image_dataset#object-detection
    photos(tmp_path, "0001.png", "0002.png", "0003.png")
    lines(
        tmp_path,
        '{"file_name": "0001.png", "objects": {"bbox": [[302.0, 109.0, 73.0, 52.0]], "categories": [0]}}',
        '{"file_name": "0002.png", "objects": {"bbox": [[810.0, 100.0, 57.0, 28.0]], "categories": [1]}}',
        '{"file_name": "0003.png", "objects": {"bbox": [[160.0, 31.0, 248.0, 616.0], [741.0, 68.0, 202.0, 401.0]],'
        ' "categories": [2, 2]}}',
    )
    dataset = read(tmp_path)
    assert boxes(dataset) == [
        (0, "0", 302, 109, 73, 52),
        (1, "1", 810, 100, 57, 28),
        (2, "2", 160, 31, 248, 616),
        (2, "2", 741, 68, 202, 401),
    ]
    assert dataset.images["width"].to_pylist() == [8, 8, 8]
    assert hf_folder.detect(tmp_path) == "metadata.jsonl with the fields file_name, objects"


def test_captions_as_the_documentation_shows_them(tmp_path: Path) -> None:
    photos(tmp_path, "0001.png", "0002.png")
    text = "file_name,additional_feature\n0001.png,This is a first value\n0002.png,\n"
    (tmp_path / "metadata.csv").write_text(text)
    dataset = read(tmp_path)
    assert dataset.images["additional_feature"].to_pylist() == ["This is a first value", None]
    assert dataset.annotations.num_rows == 0


def test_numbers_get_the_names_of_the_readme_and_are_written_back_as_numbers(tmp_path: Path) -> None:
    # The front matter as https://huggingface.co/datasets/cppe-5 has it.
    card = """---
license: other
dataset_info:
  features:
  - name: image_id
    dtype: int64
  - name: objects
    sequence:
    - name: category
      dtype:
        class_label:
          names:
            '0': Coverall
            '1': Face_Shield
---
# A card
"""
    source = lines(
        tmp_path / "in/train",
        {"file_name": "1.png", "image_id": 15, "width": 943, "height": 663, "objects": {
            "id": [114, 115], "area": [3796, 1596], "bbox": [[302.0, 109.0, 73.0, 52.0], [810.5, 100.0, 57.0, 28.0]],
            "category": [1, 0]}},
    ).parent  # fmt: skip
    photos(source, "train/1.png")
    (source / "README.md").write_text(card)
    dataset = read(source)
    assert dataset.classes.names == ("Coverall", "Face_Shield")
    assert boxes(dataset) == [(0, "Face_Shield", 302, 109, 73, 52), (0, "Coverall", 810.5, 100, 57, 28)]
    image = dataset.images.to_pylist()[0]
    assert (image["source_id"], image["width"], image["height"], image["split"]) == ("15", 943, 663, "train")
    assert dataset.annotations["source_id"].to_pylist() == ["114", "115"]
    (tmp_path / "out").mkdir()
    written = hf_folder.write(dataset, tmp_path / "out", WriteOptions())
    assert (tmp_path / "out/README.md").read_text() == card
    assert written.class_ids == {"Coverall": 0, "Face_Shield": 1}
    row = json.loads((tmp_path / "out/train/metadata.jsonl").read_text())
    assert row["image_id"] == 15
    assert row["objects"]["categories"] == [1, 0]
    assert row["objects"]["id"] == [114, 115]
    assert written.photos == ["train/1.png"]


def test_splits_are_folders_with_metadata_of_their_own_or_below_one(tmp_path: Path) -> None:
    rows = [{"file_name": "train/a.png", "label": "cat"}, {"file_name": "test/b.png", "label": "dog"}]
    photos(lines(tmp_path / "one", *rows), "train/a.png", "test/b.png")
    for split, row in (
        ("train", {"file_name": "a.png", "label": 0}),
        ("validation", {"file_name": "x/b.png", "label": 1}),
    ):
        lines(tmp_path / f"two/data/{split}", row)
    photos(tmp_path / "two/data", "train/a.png", "validation/x/b.png")
    (tmp_path / "two/classes.txt").write_text("cat\ndog\n")
    assert read(tmp_path / "one").images["split"].to_pylist() == ["train", "test"]
    two = read(tmp_path / "two")
    assert two.images["path"].to_pylist() == ["data/train/a.png", "data/validation/x/b.png"]
    assert two.images["split"].to_pylist() == ["train", "val"]
    assert two.classes.names == ("cat", "dog")
    assert all(path.is_file() for path in two.paths())


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_every_metadata_file_says_the_same(kind: str, tmp_path: Path) -> None:
    photos(tmp_path, "a.png", "b.png")
    objects = {"bbox": [[1.5, 2.0, 3.0, 4.0]], "categories": ["cat"], "score": [0.5]}
    rows = [
        {"file_name": "a.png", "objects": objects, "weather": 'née, "wet"'},
        {"file_name": "b.png", "objects": {"bbox": [], "categories": [], "score": []}, "weather": None},
    ]
    if kind == "jsonl":
        lines(tmp_path, "\ufeff" + json.dumps(rows[0]), "", rows[1])
    elif kind == "csv":
        cells = [[row["file_name"], json.dumps(row["objects"]), row["weather"] or ""] for row in rows]
        quoted = [",".join('"' + str(cell).replace('"', '""') + '"' for cell in row) for row in cells]
        (tmp_path / "metadata.csv").write_text("\r\n".join(["file_name,objects,weather", *quoted]))
    else:
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "metadata.parquet")
    assert f"metadata.{kind} with the fields file_name" in str(hf_folder.detect(tmp_path))
    dataset = read(tmp_path)
    assert boxes(dataset) == [(0, "cat", 1.5, 2, 3, 4)]
    assert dataset.annotations["score"].to_pylist() == [0.5]
    assert dataset.images["weather"].to_pylist() == ['née, "wet"', None]


@SETTINGS
@given(dataset=made_sets.datasets(named=False))
def test_what_is_written_is_read(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("h")
    written = hf_folder.write(dataset, folder, WriteOptions())
    for image, path in zip(dataset.images.to_pylist(), written.photos, strict=True):
        photos(folder, str(path), size=(image["width"], image["height"]))
    back = read(folder)
    assert made_sets.values(back) == made_sets.values(dataset)
    assert back.classes == dataset.classes


@pytest.mark.parametrize(
    ("rows", "layout"),
    [
        ([{"image_id": 0, "class_id": 1}], "label"),
        ([{"image_id": 0, "class_id": 1}, {"image_id": 0, "class_id": 0}], "labels"),
        ([{"image_id": 0, "class_id": None, "value": 2.5}], "value"),
        ([{"image_id": 0, "class_id": 1}, {"image_id": 1, "class_id": None, "value": 2.5}], "objects"),
        ([{"image_id": 0, "class_id": None}], "objects"),
    ],
)
def test_labels_of_whole_photos_take_the_simplest_field(
    rows: list[dict[str, Any]], layout: str, tmp_path: Path
) -> None:
    images = [{"id": n, "source": "s", "path": f"{n}.png", "width": 8, "height": 6} for n in range(2)]
    dataset = made_sets.dataset_of(images, rows, ("a", "b"), {"label": ["x", None]})
    hf_folder.write(dataset, tmp_path, WriteOptions())
    first = json.loads((tmp_path / "data/metadata.jsonl").read_text().splitlines()[0])
    assert layout in first
    assert first["label_"] == "x"
    photos(tmp_path, "data/0.png", "data/1.png")
    back = read(tmp_path)
    assert [a["annotations"] for a in made_sets.values(back).values()] == [
        a["annotations"] for a in made_sets.values(dataset).values()
    ]


def test_outlines_with_line_breaks_stay_on_their_line(tmp_path: Path) -> None:
    images = [{"id": 0, "source": "s", "path": "0.png", "width": 8, "height": 6}]
    mask = {"size": [6, 8], "counts": [10, 5, 33]}
    rows = [
        {"image_id": 0, "class_id": 0, "outline": b"[[0, 0,\r\n 1, 0, 1, 1]]", "outline_parts": 1},
        {"image_id": 0, "class_id": 0, "outline": json.dumps(mask, indent=1).encode(), "outline_parts": -1},
    ]
    dataset = made_sets.dataset_of(images, rows, ("a",), {})
    hf_folder.write(dataset, tmp_path, WriteOptions())
    (row,) = (tmp_path / "data/metadata.jsonl").read_text().splitlines()
    assert json.loads(row)["objects"]["segmentation"] == [[[0, 0, 1, 0, 1, 1]], mask]
    photos(tmp_path, "data/0.png")
    assert read(tmp_path).annotations["outline_parts"].to_pylist() == [1, -1]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"file_name": "../x.png"}, "metadata.jsonl:1: '../x.png' leads out of it"),
        ({"file_name": "/etc/passwd"}, "leads out of it"),
        ({"file_name": ""}, "file_name is ''"),
        ({"file": "a.png"}, "file_name is None"),
        ({"file_name": 5}, "file_name is 5"),
        ({"file_name": "a.wav"}, "1 files that are no photos"),
        ({"file_name": "a.mp4"}, "metadata.jsonl:1: a.mp4"),
        ({"file_name": "none.png"}, "none.png is not in"),
        ({"file_name": "x" * 5000 + ".png"}, "1 missing photos"),
        ({"file_name": "broken.png"}, "broken.png"),
        ({"file_name": "a.png", "label": True}, "True is no class name or class id"),
        ({"file_name": "a.png", "label": {"a": 1}}, "is no class name"),
        ({"file_name": "a.png", "objects": {"bbox": [[1, 2, 3, 4]], "categories": []}}, "differ in length"),
        ({"file_name": "a.png", "objects": {"bbox": 5}}, "differ in length"),
        ({"file_name": "a.png", "objects": {"bbox": [["1", 2, 3, 4]]}}, "'1' is no finite number"),
        ({"file_name": "a.png", "objects": {"track_id": [2**64]}}, "is no whole number"),
        ({"file_name": "a.png", "objects": {"iscrowd": [2]}}, "2 is no flag"),
        ({"file_name": "a.png", "objects": {"keypoints": [[1, 2]]}}, "the keypoints [1, 2]"),
        ({"file_name": "a.png", "objects": {"attributes": ["[1]"]}}, "are no JSON object"),
        ({"file_name": "a.png", "image_id": [1]}, "[1] is no id"),
        ({"file_name": "a.png", "width": 1e3, "height": 5}, "width and height are"),
        ("[1]", "metadata.jsonl:1: the row is no JSON object"),
        ('{"file_name": "a.png", "x": NaN}', "NaN is no JSON number"),
        ('{"file_name": "a.png", "file_name": "b.png"}', "the key 'file_name' is repeated"),
        ('{"file_name": "a.p', "metadata.jsonl:1: no JSON at character"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_wrong_rows_are_refused_with_their_line(row: Any, expected: str, tmp_path: Path) -> None:
    photos(tmp_path, "a.png", "good.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n")
    told = refusal(lines(tmp_path, row, {"file_name": "good.png"}))
    assert expected in told


def test_all_that_is_wrong_is_counted_at_once(tmp_path: Path) -> None:
    rows = [{"file_name": "../x.png"}] * 12 + [{"file_name": "a.mp3"}] * 3 + [{"file_name": "a.png"}] * 2
    photos(tmp_path, "a.png")
    told = refusal(lines(tmp_path, *rows))
    assert "12 paths out of the folder, 3 files that are no photos, 1 repeated photos" in told
    assert "and 6 more" in told


def test_folders_that_are_not_clear_are_refused(tmp_path: Path) -> None:
    assert "none of metadata.jsonl, metadata.csv, metadata.parquet is there" in refusal(tmp_path)
    lines(tmp_path, {"file_name": "a.png"})
    (tmp_path / "metadata.csv").write_text("file_name\na.png\n")
    assert "several metadata files lie in one folder" in refusal(tmp_path)
    (tmp_path / "metadata.csv").unlink()
    lines(tmp_path)
    assert "the metadata names no photo" in refusal(tmp_path)
    (tmp_path / "README.md").write_text("---\na: [\n---\n")
    assert "README.md" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"file_name,a\nx.png,1,2\n", "metadata.csv:2: 3 cells, and the header has 2"),
        (b"file_name,a,a\n", "metadata.csv:1: a column stands twice"),
        (b'file_name\n"x', "metadata.csv:2"),
        (b"file_name\n\xff.png\n", "not UTF-8"),
        (b'file_name,objects\na.png,"{""bbox"": ["\n', "metadata.csv:2"),
    ],
)
def test_a_wrong_csv_is_refused_with_its_line(content: bytes, expected: str, tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_bytes(content)
    assert expected in refusal(tmp_path)


def test_a_wrong_parquet_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"file_name": ["a.png"]}), tmp_path / "metadata.parquet")
    whole = (tmp_path / "metadata.parquet").read_bytes()
    (tmp_path / "metadata.parquet").write_bytes(whole[: len(whole) // 2])
    assert hf_folder.detect(tmp_path) is None
    assert "the Parquet file is refused" in refusal(tmp_path)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    photos(tmp_path / "other", "secret.png")
    folder = lines(tmp_path / "set", {"file_name": "a.png"})
    (folder / "a.png").symlink_to(tmp_path / "other/secret.png")
    assert "leads out of" in refusal(folder)


def test_photos_with_a_stated_size_may_be_missing(tmp_path: Path) -> None:
    dataset = read(lines(tmp_path, {"file_name": "a.png", "width": 5, "height": 4}))
    assert dataset.images["height"].to_pylist() == [4]


def test_metadata_of_several_types_becomes_text(tmp_path: Path) -> None:
    values = [
        {"n": 1, "m": 1, "b": True, "l": [1], "x": 1},
        {"n": 2.5, "m": "a", "b": None, "l": {"k": [2]}, "x": 2**70},
    ]
    rows = [{"file_name": f"{i}.png", "width": 5, "height": 4, **row} for i, row in enumerate(values)]
    images = read(lines(tmp_path, *rows)).images
    assert images["n"].to_pylist() == [1.0, 2.5]
    assert images["m"].to_pylist() == ["1", "a"]
    assert images["b"].to_pylist() == [True, None]
    assert images["l"].to_pylist() == ["[1]", '{"k":[2]}']
    assert images["x"].to_pylist() == ["1", str(2**70)]


def test_fields_called_like_our_columns_do_not_hide_them(tmp_path: Path) -> None:
    row = {"file_name": "a.png", "width": 5, "height": 4, "id": 7, "path": "x", "source": "web", "record": "r"}
    dataset = read(lines(tmp_path, row))
    image = dataset.images.to_pylist()[0]
    assert (image["id"], image["path"], image["source"]) == (0, "a.png", "h")
    assert (image["id_"], image["path_"], image["source_"], image["record_"]) == (7, "x", "web", "r")


def test_damaged_parquet_never_ends_the_process(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    objects = {"bbox": [[1.0, 2.0, 3.0, 4.0]], "categories": ["x"]}
    rows = [{"file_name": f"{i}.png", "width": 5, "height": 4, "objects": objects} for i in range(50)]
    path = tmp_path / "metadata.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    whole, refused = path.read_bytes(), 0
    for _ in range(200):
        content = bytearray(whole)
        for place in rng.integers(4, len(content) - 4, rng.choice((1, 2, 6))).tolist():
            content[place] = int(rng.integers(256))
        path.write_bytes(bytes(content))
        try:
            hf_folder.detect(tmp_path)
            read(tmp_path)
        except DataError:
            refused += 1
    assert refused > 100
