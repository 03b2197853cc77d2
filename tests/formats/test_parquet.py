"""The format `vision`: all of a Dataset comes back, and files of anybody else are refused, never decoded blindly."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import made_sets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings

from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.origin import Origin
from vision_cli.formats import ReadOptions, WriteOptions, imagefolder, parquet
from vision_cli.formats.parquet.table import read_table, write_table

SETTINGS = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def tables(dataset: Dataset) -> tuple[pa.Table, pa.Table]:
    return dataset.images, dataset.annotations


def sample() -> Dataset:
    rows = [
        {"image_id": 0, "class_id": 1, "x": -0.0, "y": 5e-324, "w": 1e300, "h": 0.1 + 0.2, "record": b"\x00\xff\n"},
        {"image_id": 2, "class_id": None, "attributes": '{"a": "\\u0000"}'},
    ]
    images = [
        {"id": number, "source": "s", "path": f"a/{number}.jpg", "width": 5, "height": 4, "record": b"{}"}
        for number in range(3)
    ]
    metadata: dict[str, list[Any]] = {"nested": [[1, 2], None, []], "flag": [True, None, False]}
    dataset = made_sets.dataset_of(images, rows, ("two\nlines", "😀"), metadata)
    origin = Origin(
        "kitti",
        "inclusive-0",
        {"😀": 7},
        {"😀": b"\xff\x00raw"},
        {"info": b'{"a": 1}', "odd": bytes(range(256))},
        ("calib/0.txt",),
    )
    return replace(dataset, origins={"s": origin}, notes=("one photo <b>less</b>", ""))


@SETTINGS
@given(dataset=made_sets.datasets())
def test_everything_comes_back(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("version")
    parquet.write(dataset, folder, WriteOptions())
    back = parquet.load(folder)
    assert all(one.equals(other) for one, other in zip(tables(back), tables(dataset), strict=True))
    assert (back.classes, back.notes, back.origins) == (dataset.classes, dataset.notes, dataset.origins)
    assert back.roots == {"s": folder / "photos"}


def test_bytes_floats_types_and_origins_come_back(tmp_path: Path) -> None:
    dataset = sample()
    typed = dataset.images.append_column("at", pa.array([0, 1, None], pa.timestamp("us", "UTC")))
    typed = typed.append_column("kind", pa.array(["a", "b", "a"]).dictionary_encode())
    dataset = replace(dataset, images=typed)
    written = parquet.write(dataset, tmp_path, WriteOptions())
    assert written.photos == ["photos/a/0.jpg", "photos/a/1.jpg", "photos/a/2.jpg"]
    back = parquet.read(tmp_path, ReadOptions("s"))
    assert back.images.equals(dataset.images)
    assert back.images.schema.equals(dataset.images.schema)
    assert back.annotations.equals(dataset.annotations)
    assert str(back.annotations["x"][0].as_py()) == "-0.0"
    assert (back.notes, back.origins, back.classes) == (dataset.notes, dataset.origins, dataset.classes)
    manifest = json.loads((tmp_path / "dataset.json").read_text())
    header = manifest["origins"]["s"]["header"]
    assert header["info"] == {"text": '{"a": 1}'}
    assert set(header["odd"]) == {"base64"}


def test_the_same_rows_give_the_same_bytes_however_they_are_chunked(tmp_path: Path) -> None:
    table = pa.table({"id": range(200_000), "name": [str(n % 7) for n in range(200_000)]})
    pieces = pa.concat_tables([table.slice(start, 33_333) for start in range(0, 200_000, 33_333)])
    write_table(tmp_path / "one.parquet", table)
    write_table(tmp_path / "two.parquet", pieces)
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    assert read_table(tmp_path / "two.parquet").equals(table)
    assert read_table(tmp_path / "two.parquet", ["name", "absent"]).column_names == ["name"]


def test_several_sources_keep_their_folders_apart(tmp_path: Path) -> None:
    dataset = sample()
    images = dataset.images.set_column(1, "source", pa.array(["a b", "a/b", "../x"]))
    roots = {"a b": Path("one"), "a/b": Path("two"), "../x": Path("three")}
    dataset = replace(dataset, images=images, roots=roots, origins={"a b": Origin("coco")})
    written = parquet.write(dataset, tmp_path, WriteOptions())
    assert written.photos == ["photos/0-a-b/a/0.jpg", "photos/1-a-b/a/1.jpg", "photos/x/a/2.jpg"]
    assert parquet.load(tmp_path).images.equals(images)
    back = parquet.read(tmp_path, ReadOptions("mine"))
    assert back.images["source"].to_pylist() == ["mine/a b", "mine/a/b", "mine/../x"]
    assert list(back.roots.values()) == [tmp_path / f"photos/{name}" for name in ("0-a-b", "1-a-b", "x")]
    assert list(back.origins) == ["mine/a b"]


def test_long_columns_that_nobody_needs_stay_on_the_disk(tmp_path: Path) -> None:
    rows = [{"image_id": 0, "class_id": 0, "outline": b"[[0,0,1,0,1,1]]", "outline_parts": 1, "keypoints": b"[1,2,2]"}]
    dataset = made_sets.dataset_of(
        [{"id": 0, "source": "s", "path": "a.jpg", "width": 5, "height": 4}], rows, ("a",), {}
    )
    parquet.write(dataset, tmp_path, WriteOptions())
    names = parquet.read(tmp_path, ReadOptions("s", need=frozenset({"box", "keypoints"}))).annotations.column_names
    assert "outline" not in names
    assert {"outline_parts", "keypoints"} <= set(names)


def test_real_photos_are_found_below_the_version(tmp_path: Path, shared_data: Path) -> None:
    dataset = imagefolder.read(shared_data / "clothing_small", ReadOptions("s"))
    written = parquet.write(dataset, tmp_path, WriteOptions())
    (tmp_path / "photos").symlink_to(shared_data / "clothing_small")
    assert "leads out of" in refusal(tmp_path)
    (tmp_path / "photos").unlink()
    back = parquet.read(tmp_path, ReadOptions("s", images=shared_data / "clothing_small"))
    assert back.paths() == dataset.paths()
    assert back.digest() == dataset.digest()
    assert len(written.photos) == 640


def test_a_version_is_detected_by_its_manifest(tmp_path: Path) -> None:
    assert parquet.detect(tmp_path) is None
    parquet.write(sample(), tmp_path, WriteOptions())
    assert parquet.detect(tmp_path) == parquet.detect(tmp_path / "dataset.json")
    assert "dataset.json" in str(parquet.detect(tmp_path))
    for text in ("{}", "[1]", "\xff", "[" * 100_000, '{"format": "other"}'):
        (tmp_path / "dataset.json").write_text(text, encoding="latin-1")
        assert parquet.detect(tmp_path) is None


@pytest.fixture
def version(tmp_path: Path) -> Path:
    parquet.write(sample(), tmp_path, WriteOptions())
    return tmp_path


def refusal(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        parquet.load(folder)
    return "\n".join([caught.value.message, *caught.value.details])


def change(folder: Path, how: Callable[[dict[str, Any]], Any]) -> None:
    path = folder / "dataset.json"
    document = json.loads(path.read_text())
    how(document)
    path.write_text(json.dumps(document))


def sign(folder: Path) -> None:
    """Make the manifest agree with the tables, as an attacker would."""
    for name in ("images", "annotations"):
        digest = hashlib.sha256((folder / f"{name}.parquet").read_bytes()).hexdigest()
        change(folder, lambda document, name=name, digest=digest: document[name].update(sha256=digest))


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (lambda d: d.update(version=99), "version 99; this program reads 'vision', version 1"),
        (lambda d: d.update(format="coco"), "the format is 'coco'"),
        (lambda d: d.update(classes=["a", "b"]), "the classes are not those of class_digest"),
        (lambda d: d.update(classes=["a", "a"]), "class names must be distinct"),
        (lambda d: d.update(more=1), "unknown field `more`"),
        (lambda d: d.update(notes=5), "Expected `array`"),
        (lambda d: d["roots"].update(s="../elsewhere"), "leads out of"),
        (lambda d: d["roots"].update(s="/etc"), "leads out of"),
        (lambda d: d.update(roots={}), "1 sources have no folder"),
        (lambda d: d["origins"]["s"].update(pixels="odd"), "Invalid enum value"),
        (lambda d: d["origins"]["s"]["header"].update(odd={"base64": "?"}), "is no base64"),
        (lambda d: d["origins"]["s"]["header"].update(odd={}), "has neither text nor base64"),
        (lambda d: d["images"].update(sha256="00"), "images.parquet: not the file that dataset.json describes"),
    ],
)
def test_a_changed_manifest_is_refused(how: Callable[[dict[str, Any]], Any], expected: str, version: Path) -> None:
    change(version, how)
    assert expected in refusal(version)


@pytest.mark.parametrize("content", ["", "{", "[" * 100_000, '{"format": "vision", "version": 1}'])
def test_a_broken_manifest_is_refused(content: str, version: Path) -> None:
    (version / "dataset.json").write_text(content)
    assert "dataset.json" in refusal(version)


def test_a_missing_table_is_refused(version: Path) -> None:
    (version / "annotations.parquet").unlink()
    assert "annotations.parquet: a version has this file, and it is missing" in refusal(version)


def test_a_cut_or_changed_table_is_refused_before_it_is_decoded(version: Path) -> None:
    path = version / "images.parquet"
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], whole[:-1], b"", whole[:40] + b"\x00" + whole[41:]):
        path.write_bytes(content)
        assert "not the file that dataset.json describes" in refusal(version)


def test_damaged_tables_with_a_right_checksum_never_end_the_process(version: Path) -> None:
    path, rng = version / "images.parquet", np.random.default_rng(7)
    whole = path.read_bytes()
    refused = 0
    for _ in range(150):
        content = bytearray(whole)
        for place in rng.integers(4, len(content) - 4, rng.choice((1, 3, 20))).tolist():
            content[place] = int(rng.integers(256))
        path.write_bytes(bytes(content))
        sign(version)
        try:
            parquet.load(version)
        except DataError:
            refused += 1
    assert refused > 50


@pytest.mark.parametrize(
    ("name", "make", "expected"),
    [
        ("images", lambda t: t.select(["id", "path"]), "the first columns are"),
        ("images", lambda t: t.set_column(3, "width", t["width"].cast(pa.float64())), "column width is double"),
        ("images", lambda t: t.set_column(0, "id", pa.array([0, 0, 1])), "column id has repeated"),
        ("images", lambda t: t.set_column(2, "path", pa.array(["a", "b", None])), "column path has 1 rows without"),
        ("images", lambda t: t.set_column(2, "path", pa.array(["a", "b", "../../c"])), "leads out of"),
        ("images", lambda t: t.set_column(2, "path", pa.array(["a", "b", "/etc/passwd"])), "leads out of"),
        ("images", lambda t: t.set_column(3, "width", pa.array([1, 2, -3], pa.int32())), "a negative size"),
        ("annotations", lambda t: t.set_column(1, "image_id", pa.array([0, 9])), "1 annotations are of photos that"),
        ("annotations", lambda t: t.set_column(2, "class_id", pa.array([5, -1], pa.int32())), "2 annotations have a"),
        ("annotations", lambda t: t.append_column("boom", pa.array([1, 2])), "column boom is none of an annotation"),
    ],
)
def test_foreign_tables_are_refused(
    name: str, make: Callable[[pa.Table], pa.Table], expected: str, version: Path
) -> None:
    path = version / f"{name}.parquet"
    pq.write_table(make(pq.read_table(path)), path)
    sign(version)
    assert expected in refusal(version)


def test_text_that_is_not_utf8_is_refused(version: Path) -> None:
    path = version / "images.parquet"
    table = pq.read_table(path)
    offsets = pa.py_buffer(np.arange(4, dtype=np.int32).tobytes())
    bad = pa.StringArray.from_buffers(3, offsets, pa.py_buffer(b"a\xff\xfe"))
    pq.write_table(table.set_column(2, "path", bad), path)
    sign(version)
    assert "images.parquet: the Parquet file is refused" in refusal(version)


def test_kilobytes_that_unfold_to_gigabytes_are_refused(tmp_path: Path) -> None:
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int32()), pa.array(["z" * 1_000_000]))
    path = tmp_path / "bomb.parquet"
    pq.write_table(pa.table({"path": text}), path, store_schema=False)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(DataError, match=r"unfold to 4,096,000,000 bytes"):
        read_table(path)
    zeros = pa.array(np.zeros(1 << 25, dtype=np.int64))
    pq.write_table(pa.table({"n": zeros}), path, use_dictionary=False, compression="zstd")
    assert path.stat().st_size < 200_000
    with pytest.raises(DataError, match=r"bytes announce"):
        read_table(path)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" * 3, b"PAR1" + b"\xff" * 100 + b"PAR1", b"x" * 1000])
def test_what_is_no_parquet_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"x\.parquet: the Parquet file is refused"):
        read_table(tmp_path / "x.parquet")


def test_an_empty_set_comes_back(tmp_path: Path) -> None:
    dataset = made_sets.dataset_of([], [], (), {})
    dataset = replace(dataset, classes=ClassMap())
    parquet.write(dataset, tmp_path, WriteOptions())
    back = parquet.read(tmp_path, ReadOptions("other"))
    assert (len(back), back.annotations.num_rows, list(back.roots)) == (0, 0, ["other"])
