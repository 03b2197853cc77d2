"""The id of a version: the same for the same content however it lies in memory, another for any other content."""

import datetime
import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
import version_sets as sets

from vision_cli.formats import WriteOptions, parquet
from vision_cli.versions.contents import FILES
from vision_cli.versions.identity import table_id, version_id

PHOTOS = [
    {"path": "a.jpg", "split": "train", "scene": "city", "labels": [{"class": "cat", "x": 1.0, "y": 2.0}]},
    {"path": "b é.jpg", "split": None, "scene": None, "labels": [{"class": "dog", "attributes": '{"a": 1}'}]},
    {"path": "c.jpg", "split": "test", "scene": "", "labels": []},
]
NO_FILES = FILES.empty_table()


def made(**change):
    return sets.dataset([{**photo, **change} for photo in PHOTOS], ["cat", "dog"])


def of(dataset, files=NO_FILES):
    return version_id(dataset, files)


def test_it_is_64_hex_digits_and_knows_no_folder_and_no_note():
    one = made()
    assert len(of(one)) == 64
    assert of(one) == of(replace(one, roots={"s": Path("/elsewhere")}, notes=("read at noon",)))


def test_chunks_slices_and_dictionaries_do_not_count():
    one = made()
    images = pa.concat_tables([one.images.slice(0, 1), one.images.slice(1)])
    padded = pa.concat_tables([one.images, one.images]).slice(3, 3)
    assert padded.num_rows == 3
    encoded = one.images.set_column(1, "source", one.images["source"].dictionary_encode())
    for table in (images, images.combine_chunks(), padded, encoded):
        assert of(replace(one, images=table)) == of(one)


def test_what_lies_under_a_null_does_not_count():
    hidden = pa.Array.from_buffers(
        pa.float64(), 2, [pa.py_buffer(b"\x01"), pa.py_buffer(pa.array([1.5, 7.5]).buffers()[1])]
    )
    assert table_id(pa.table({"x": hidden})) == table_id(pa.table({"x": pa.array([1.5, None])}))
    assert table_id(pa.table({"x": pa.array([1.5, 0.0])})) != table_id(pa.table({"x": pa.array([1.5, None])}))


def changed():
    one = made()
    yield "split", made(split="train")
    yield "path", sets.dataset([{**PHOTOS[0], "path": "z.jpg"}, *PHOTOS[1:]], ["cat", "dog"])
    yield "metadata", made(scene="x")
    yield "null or empty", made(scene="")
    yield "order of photos", sets.dataset(PHOTOS[::-1], ["cat", "dog"])
    yield "order of classes", sets.dataset(PHOTOS, ["dog", "cat"])
    yield "another class", sets.dataset(PHOTOS, ["cat", "dog", "cow"])
    yield "pixels", sets.dataset(PHOTOS, ["cat", "dog"], pixels="inclusive-1")
    yield "header", sets.dataset(PHOTOS, ["cat", "dog"], header={"info": b"x"})
    yield "type", replace(one, images=one.images.set_column(3, "width", one.images["width"].cast(pa.int64())))
    yield "name", replace(one, images=one.images.rename_columns([*one.images.column_names[:-1], "place"]))


@pytest.mark.parametrize(("what", "other"), list(changed()), ids=lambda each: each if isinstance(each, str) else "")
def test_anything_else_counts(what, other):
    assert of(other) != of(made())


def test_texts_cannot_flow_into_each_other():
    assert table_id(pa.table({"x": ["ab", "c"]})) != table_id(pa.table({"x": ["a", "bc"]}))


def test_the_hash_of_a_photo_counts():
    rows = [[hashlib.sha256(text).hexdigest() for text in texts] for texts in ((b"1", b"2"), (b"1", b"3"))]
    files = [pa.table([["s", "s"], ["a", "b"], row, [1, 1]], schema=FILES) for row in rows]
    assert of(made(), files[0]) != of(made(), files[1])


def test_every_type_of_metadata_survives_parquet(tmp_path):
    noon = datetime.datetime(2026, 1, 2, 12, 30)
    columns = {
        "when_s": pa.array([noon, None, noon], pa.timestamp("s")),
        "when_ns": pa.array([1, None, 3], pa.timestamp("ns")),
        "when_utc": pa.array([noon] * 3, pa.timestamp("us", "UTC")),
        "day": pa.array([noon.date(), None, noon.date()], pa.date32()),
        "flag": pa.array([True, None, False]),
        "small": pa.array([1, None, 3], pa.uint8()),
        "half": pa.array([0.1, float("nan"), None], pa.float32()),
        "words": pa.array([["a", None], [], None], pa.list_(pa.string())),
        "place": pa.array([{"x": 1.5}, None, {"x": None}]),
        "nothing": pa.nulls(3),
        "kind": pa.array(["a", "b", "a"]).dictionary_encode(),
    }
    one, images = made(), made().images
    for name, column in columns.items():
        images = images.append_column(name, column)
    one = replace(one, images=images)
    folder = tmp_path / "v"
    parquet.write(one, folder, WriteOptions())
    assert of(parquet.load(folder)) == of(one)


def test_another_process_with_another_hash_seed_says_the_same(tmp_path):
    code = "import test_identity as t; print(t.of(t.made()))"
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=Path(__file__).parent,
            env={"PYTHONHASHSEED": seed, "LC_ALL": locale, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, locale in (("1", "C"), ("2", "C.UTF-8"))
    }
    assert found == {of(made()) + "\n"}
