"""Facts about photos from JSON and CSV files, and times in them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pyarrow as pa
import pytest

from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.photo_labels import PhotoColumns, PhotoLabels, build
from vision_cli.formats import iso_times, metadata, sidecars

PATHS = ["train/drive_1/000001.png", "train/drive_1/000002.png", "train/drive_2/000001.png", "test/x.jpg"]


def photos(paths: list[str] = PATHS, **columns: list[object]) -> Dataset:
    return build(
        "s", Path("/data"), PhotoColumns(paths, [(4, 3)] * len(paths), [None] * len(paths), columns), PhotoLabels()
    )


def given(folder: Path, content: object, name: str = "facts.json") -> Path:
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False))
    return file


FACT = {"scene": "city"}


@pytest.mark.parametrize(
    ("content", "kind", "scenes"),
    [
        ({"train/drive_1/000001.png": FACT}, "path", ["city", None, None, None]),
        ({"train/drive_1/000001": FACT, "test/x": {}}, "path", ["city", None, None, None]),
        ({"./train\\drive_1\\000002.png": FACT}, "path", [None, "city", None, None]),
        ({"x.jpg": FACT, "000002.png": FACT}, "name", [None, "city", None, "city"]),
        ({"x": FACT, "000002": FACT}, "stem", [None, "city", None, "city"]),
        ({"drive_1": FACT}, "folder", ["city", "city", None, None]),
        ({"train": {"scene": "a"}, "train/drive_2": {"scene": "b"}}, "folder", ["a", "a", "b", None]),
        ([{"path": "test/x.jpg", "scene": "city"}], "path", [None, None, None, "city"]),
        ({"photos": [{"file_name": "x.jpg", "scene": "city"}]}, "name", [None, None, None, "city"]),
        ([{"drive": "drive_2", "scene": "city"}], "folder", [None, None, "city", None]),
        ("path,scene\ntest/x.jpg,city\n", "path", [None, None, None, "city"]),
        ('\ufeffDrive;scene\ndrive_2;"a;b"\n', "folder", [None, None, "a;b", None]),
        ("stem\tscene\nx\tcity\n\n", "stem", [None, None, None, "city"]),
    ],
)
def test_keys_find_their_photos(tmp_path: Path, content: object, kind: str, scenes: list[str | None]) -> None:
    file = given(tmp_path, content, "facts.csv" if isinstance(content, str) else "facts.json")
    found = metadata.attach(photos(), file, None)
    assert found.images["scene"].to_pylist() == scenes
    assert f", by {kind}" in found.notes[0]


def test_a_column_of_both_sides(tmp_path: Path) -> None:
    file = given(tmp_path, "camera,lens\nleft,35\nright,50\n", "facts.csv")
    dataset = photos(camera=["left", "right", None, "left"])
    found = metadata.attach(dataset, file, "camera")
    assert found.images["lens"].to_pylist() == [35, 50, None, 35]
    assert found.notes == ("facts.csv: 2 of 2 keys belong to 3 of 4 photos, by the column 'camera'.",)


def test_what_has_no_photo_is_counted(tmp_path: Path) -> None:
    file = given(tmp_path, {"drive_1": FACT, **{f"gone_{row}": FACT for row in range(5)}})
    notes = metadata.attach(photos(), file, None).notes
    assert notes == (
        "facts.json: 1 of 6 keys belong to 2 of 4 photos, by folder; without photo: gone_0, gone_1, gone_2 and 2 more.",
    )


def test_types_of_cells(tmp_path: Path) -> None:
    rows = ["stem,i,f,b,zeros,t,empty,day", "x,1,1.5,true,007,=1+1,,2024-05-01", "000002,-20,2e3,FALSE,1,,,2024-05-02"]
    images = metadata.attach(photos(), given(tmp_path, "\n".join(rows), "facts.csv"), None).images
    found = {
        name: (str(images[name].type), [images[name].to_pylist()[row] for row in (3, 1)])
        for name in images.column_names[7:]
    }
    assert found == {
        "i": ("int64", [1, -20]),
        "f": ("double", [1.5, 2000.0]),
        "b": ("bool", [True, False]),
        "zeros": ("string", ["007", "1"]),
        "t": ("string", ["=1+1", None]),
        "empty": ("string", [None, None]),
        "day": ("date32[day]", [dt.date(2024, 5, 1), dt.date(2024, 5, 2)]),
    }


def test_json_values_keep_their_types(tmp_path: Path) -> None:
    facts = {"x": {"n": 1, "mixed": 1, "list": [1, {"a": None}], "big": 2**70}, "000002": {"n": 2.5, "mixed": "a"}}
    images = metadata.attach(photos(), given(tmp_path, facts), None).images
    assert images["n"].to_pylist() == [None, 2.5, None, 1.0]
    assert images["mixed"].to_pylist() == [None, "a", None, "1"]
    assert images["list"].to_pylist()[3] == '[1,{"a":null}]'
    assert images["big"].to_pylist()[3] == str(2**70)


def test_a_file_replaces_what_the_format_says_and_counts(tmp_path: Path) -> None:
    dataset = photos(scene=["a", "b", None, "city"])
    found = metadata.attach(dataset, given(tmp_path, {"drive_1": FACT, "drive_2": FACT, "test": FACT}), None)
    assert found.images["scene"].to_pylist() == ["city"] * 4
    assert "2 photos had another 'scene', which was replaced." in found.notes[1]


def test_rows_of_one_key_that_differ_are_counted(tmp_path: Path) -> None:
    file = given(tmp_path, "stem,scene\nx,one\nx,two\nx,one\n", "facts.csv")
    found = metadata.attach(photos(), file, None)
    assert found.images["scene"].to_pylist()[3] == "one"
    assert "1 later rows say something else" in found.notes[1]


def test_columns_of_ours(tmp_path: Path) -> None:
    facts = [{"path": "test/x.jpg", "width": 9, "split": "validation", "group": 7}]
    found = metadata.attach(photos(), given(tmp_path, facts), None)
    row = found.images.to_pylist()[3]
    assert (row["width"], row["split"], row["group"]) == (4, "val", "7")
    assert "'width' is left out: it is a column of ours" in found.notes[1]


@pytest.mark.parametrize(
    ("content", "name", "by", "message"),
    [
        (None, "gone.json", None, "does not exist"),
        ("", "f.json", None, "is empty at byte 0"),
        ('{"a": {"x": NaN}}', "f.json", None, "malformed"),
        ('{"a": {}, "a": {}}', "f.json", None, "holds the name 'a' twice"),
        ('{"a": ' * 3000, "f.json", None, "JSON"),
        ("3", "f.json", None, "expected an object or a list of objects, got 3"),
        ('{"x.jpg": "city"}', "f.json", None, "members that are no objects"),
        ('[{"path": "x"}, 3]', "f.json", None, "entry 2: 3"),
        ('[{"who": "x"}]', "f.json", None, "no column says which photo a row is about"),
        ('[{"drive": "x"}]', "f.json", "driev", "has no column 'driev'"),
        ("stem,a\nx\n", "f.csv", None, "f.csv:2: 1 columns where the header has 2"),
        ('stem,a\nx,"b\n', "f.csv", None, "cannot be parsed"),
        ("stem,a,a\nx,1,2\n", "f.csv", None, "stands there twice or has no name"),
        ("a\x00\xff", "f.csv", None, "column"),
        ('{"nobody": {"a": 1}}', "f.json", None, "none of its 1 keys belongs to a photo"),
        ('{"000001": {"a": 1}}', "f.json", None, "1 keys are the stem of several photos"),
        ('[{"path": "test/x.jpg", "split": "hold-out"}]', "f.json", None, "no splits are called hold-out"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, content: str | None, name: str, by: str | None, message: str) -> None:
    file = tmp_path / name if content is None else given(tmp_path, content, name)
    with pytest.raises(DataError) as caught:
        metadata.attach(photos(), file, by)
    assert message in "\n".join([caught.value.message, *caught.value.details])
    assert str(file) in caught.value.message


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    file.write_bytes(b"stem,a\n\xff,1\n")
    with pytest.raises(DataError, match="not UTF-8 text at byte 7"):
        sidecars.read(file, None)


def test_a_stem_of_several_photos_can_be_meant(tmp_path: Path) -> None:
    found = metadata.attach(photos(), given(tmp_path, {"000001": FACT}), "stem")
    assert found.images["scene"].to_pylist() == ["city", None, "city", None]


def test_hostile_names_are_values_like_others(tmp_path: Path) -> None:
    paths = ["<script>/a.png", "[/]/b\n.png", "😀/c.png"]
    facts = {"<script>": {"a b'\"": 1}, "[/]": {"a b'\"": 2}, "😀": {"a b'\"": 3}, "../x": {}}
    found = metadata.attach(photos(paths), given(tmp_path, facts), None)
    assert found.images["a b'\""].to_pylist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("texts", "kind", "values", "offsets"),
    [
        (["2024-05-01T20:15:00", None], "timestamp[us]", [dt.datetime(2024, 5, 1, 20, 15), None], None),
        (["2013-11-14 17:02:52"], "timestamp[us]", [dt.datetime(2013, 11, 14, 17, 2, 52)], None),
        (["2024-05-01T20:15"], "timestamp[us]", [dt.datetime(2024, 5, 1, 20, 15)], None),
        (["2024-05-01T20:15:00.123456789"], "timestamp[us]", [dt.datetime(2024, 5, 1, 20, 15, 0, 123456)], None),
        (["2024-05-01T20:15:00+05:30"], "timestamp[us]", [dt.datetime(2024, 5, 1, 20, 15)], [330]),
        (
            ["2024-05-01T20:15:00Z", "2024-05-01T20:15:00"],
            "timestamp[us]",
            [dt.datetime(2024, 5, 1, 20, 15)] * 2,
            [0, None],
        ),
        (["2024-05-01", None], "date32[day]", [dt.date(2024, 5, 1), None], None),
        (["2024-05-01", "soon"], "string", ["2024-05-01", "soon"], None),
        (["2024-02-31"], "string", ["2024-02-31"], None),
        (["2024-05-01T25:00:00"], "string", ["2024-05-01T25:00:00"], None),
        (["\uff12\uff10\uff12\uff14-05-01"], "string", ["\uff12\uff10\uff12\uff14-05-01"], None),
        ([None, None], "string", [None, None], None),
    ],
)
def test_times(texts: list[str | None], kind: str, values: list[object], offsets: list[int | None] | None) -> None:
    table = pa.table({"when": pa.array(texts, pa.string()), "after": [1] * len(texts)})
    found = iso_times.with_times(table, "when")
    assert (str(found["when"].type), found["when"].to_pylist()) == (kind, values)
    assert (found["when_utc_offset_min"].to_pylist() if offsets else None) == offsets
    assert found.column_names[-1] == "after"


def test_times_of_a_format_become_timestamps() -> None:
    dataset = iso_times.typed(photos(date_captured=["2013-11-14 17:02:52"] * 4))
    assert pa.types.is_timestamp(dataset.images["date_captured"].type)
    assert iso_times.typed(dataset) is dataset
