"""Blocks of records by columns: the same data, and the same refusals, as reading them row by row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import ReadOptions, huggingface
from vision_cli.formats.record_columns import ColumnReader

SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
POLYGON = [[1.5, 2, 30.25, 4, 5, 6.125]]
MASK = {"size": [6, 8], "counts": [0, 10, 38]}
PLAIN: dict[str, Any] = {
    "bbox": [[1.5, 2, 3, 4], [5, 6, 7.25, 8]],
    "categories": ["car", "a:b"],
    "id": [7, "x"],
    "area": [12, 3.5],
    "iscrowd": [0, True],
    "segmentation": [POLYGON, MASK],
    "keypoints": [[1, 2, 2], None],
    "attributes": ['{"a":1}', {"b": [1, None]}],
    "occluded": [2, None],
    "score": [0.5, None],
}

scalars = st.one_of(
    *(st.none(), st.booleans(), st.integers(-3, 300), st.floats(allow_nan=False, width=32)),
    st.text('a:é"{', max_size=4),
)
names = st.sampled_from(["weather", "id", "id_", "a:b", "camera", "split", "größe"])
odd = st.sampled_from(
    [None, [], [None, None], [1, 2], ["1", 1.0], [[1, 2, 3], [1, 2, 3, 4]], [POLYGON, []], [{}, MASK], [True, "car"]]
)
objects = st.dictionaries(st.sampled_from([*PLAIN, "category", "colour"]), odd, max_size=2).map(lambda odd: PLAIN | odd)
some = st.sets(st.sampled_from(list(PLAIN))).flatmap(
    lambda left_out: objects.map(lambda found: {k: v for k, v in found.items() if k not in left_out})
)
records = st.fixed_dictionaries(
    {},
    optional={
        "width": st.sampled_from([8, 8, 8, 0, 5.5]),
        "height": st.sampled_from([6, 6, 6, None]),
        "image_id": st.sampled_from([1, "b", None, 1.5]),
        "group": st.sampled_from(["g", 3, None]),
        "objects": st.one_of(st.just(PLAIN), some, some, st.none(), st.just({})),
    },
)
rows = st.lists(st.tuples(records, st.dictionaries(names, scalars, max_size=3)), min_size=1, max_size=6)


def outcome(path: Path) -> Any:
    try:
        return huggingface.read(path, ReadOptions("h", sizes=False))
    except DataError as error:
        return [error.message, *error.details]


def same(one: Any, other: Any) -> None:
    if isinstance(one, Dataset):
        assert isinstance(other, Dataset), other
        assert one.images.equals(other.images)
        assert one.annotations.equals(other.annotations)
        assert one.classes == other.classes
        assert one.origins == other.origins
    else:
        assert one == other


@SETTINGS
@given(rows=rows, repeat=st.booleans(), named=st.booleans())
def test_by_columns_and_row_by_row_is_the_same(
    rows: list[Any], repeat: bool, named: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("h")
    texts = [json.dumps({"file_name": f"{n}.png", **record, **more}) for n, (record, more) in enumerate(rows)]
    if repeat:
        texts[-1] = texts[-1][:-1] + ', "weather": 1}'
    (folder / "metadata.jsonl").write_text("\n".join(texts), encoding="utf-8")
    if named:
        (folder / "classes.txt").write_text("car\na:b\n")
    found = outcome(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ColumnReader, "photos", lambda *_: None)
        same(found, outcome(folder))


def write(folder: Path, *lines: bytes) -> Path:
    (folder / "metadata.jsonl").write_bytes(b"\n".join(lines))
    return folder


def line(name: str, **objects: Any) -> bytes:
    return json.dumps({"file_name": name, "width": 8, "height": 6, "objects": {**PLAIN, **objects}}).encode()


def test_plain_lines_go_by_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[bool] = []
    add = ColumnReader.add

    def noted(*args: Any) -> bool:
        taken.append(add(*args))
        return taken[-1]

    monkeypatch.setattr(ColumnReader, "add", noted)
    dataset = outcome(
        write(tmp_path, b"\xef\xbb\xbf" + line("a.png"), b"", line("b.png", id=[8, 9]), b'{"file_name":"c.png"}')
    )
    assert taken == [True]
    assert dataset.annotations["image_id"].to_pylist() == [0, 0, 1, 1]
    assert dataset.annotations["w"].to_pylist() == [3.0, 7.25] * 2
    assert dataset.annotations["iscrowd"].to_pylist() == [False, True] * 2
    assert dataset.annotations["source_id"].to_pylist() == ["7", "x", "8", "9"]
    assert dataset.annotations["outline_parts"].to_pylist() == [1, -1] * 2
    assert json.loads(dataset.annotations["outline"][0].as_py()) == POLYGON
    assert dataset.classes.names == ("car", "a:b")


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (line("b.png")[:-2] + b', "id": [1, 2]}}', "the key 'id' is repeated"),
        (line("b.png").replace(b'"size"', b'"size": [6, 8], "size"'), "the key 'size' is repeated"),
        (line("b.png")[:-2] + rb', "i\u0064": [1, 2]}, "n": "\u003a"}', "the key 'id' is repeated"),
        (line("b.png", bbox=[[1, 2, 3, 4], [1, 2, 3, -4]]), "negative width or height"),
        (line("b.png", area=[1, 2, 3]), "the lists differ in length"),
        (line("b.png").replace(b"12", b"1e999"), "1e999 is no finite number"),
        (line("b.png", segmentation=[[[1, 2, 3, 4, 5]], MASK]), "the outline"),
        (line("../b.png"), "leads out of it"),
        (b'{"file_name": "b.png"}, {"file_name": "c.png"}', "no JSON at character 22"),
        (b'{"file_name": "b.png", "weather": "\xff"}', "not UTF-8"),
        (rb'{"file_name": "b.png", "weather": "\ud800"}', "half of a surrogate pair"),
        (b'{"file_name": "b.png", "temperature": 1e999}', "no finite number"),
        (b'{"file_name": "b.png", "objects": ' + b"[" * 200_000, "nested too deeply"),
    ],
)
def test_a_bad_line_among_good_ones_is_named(bad: bytes, words: str, tmp_path: Path) -> None:
    found = outcome(write(tmp_path, line("a.png"), bad, line("d.png")))
    assert isinstance(found, list)
    assert words in "\n".join(found)
    assert "metadata.jsonl:2" in "\n".join(found)
