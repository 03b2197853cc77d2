"""TFRecord: real files of others, and Examples by a tiny writer of the test's own, whole and damaged."""

from __future__ import annotations

import gzip
import io
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import ReadOptions, tfrecord
from vision_cli.formats.crc32c import crc32c
from vision_cli.formats.label_map import read_label_map
from vision_cli.formats.tfrecord.wire import example

MAP = r"""item { id: 1 name: "cat" }
item {
  name: 'd\'og\303\251', # said
  id: 2
  keypoints { id: 5 label: "x" }
}
"""


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("VISION_CACHE", str(folder))
    return folder


def slow_crc(data: bytes) -> int:
    """Compute CRC-32C bit by bit, as RFC 3720 defines it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def mask(crc: int) -> bytes:
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32)


def varint(value: int) -> bytes:
    value %= 1 << 64
    found = b""
    while value > 127:
        found, value = found + bytes([value & 127 | 128]), value >> 7
    return found + bytes([value])


def message(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def feature(values: list[Any], *, packed: bool) -> bytes:
    if values and isinstance(values[0], bytes):
        return message(1, b"".join(message(1, value) for value in values))
    if values and isinstance(values[0], float):
        if packed:
            return message(2, message(1, struct.pack(f"<{len(values)}f", *values)))
        return message(2, b"".join(b"\x0d" + struct.pack("<f", value) for value in values))
    if packed:
        return message(3, message(1, b"".join(map(varint, values))))
    return message(3, b"".join(b"\x08" + varint(value) for value in values))


def record(data: bytes) -> bytes:
    head = struct.pack("<Q", len(data))
    return head + mask(slow_crc(head)) + data + mask(slow_crc(data))


def encoded_example(features: dict[str, list[Any]], *, packed: bool = True) -> bytes:
    entries = [
        message(1, name.encode()) + message(2, feature(values, packed=packed)) for name, values in features.items()
    ]
    return message(1, b"".join(message(1, entry) for entry in entries))


def jpeg(size: tuple[int, int] = (20, 10)) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, (9, 9, 9)).save(content, "JPEG")
    return content.getvalue()


def boxed(**more: Any) -> dict[str, list[Any]]:
    edges = {"xmin": [0.25, 0.0], "ymin": [0.5, 0.0], "xmax": [0.5, 1.0], "ymax": [1.0, 0.5]}
    return {
        "image/encoded": [jpeg()],
        **{f"image/object/bbox/{name}": values for name, values in edges.items()},
        "image/object/class/label": [2, 1],
        **more,
    }


def write(path: Path, *examples: dict[str, list[Any]], packed: bool = True) -> Path:
    path.write_bytes(b"".join(record(encoded_example(found, packed=packed)) for found in examples))
    return path


def read(path: Path) -> Dataset:
    return tfrecord.read(path, ReadOptions("t"))


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read(path)
    return "\n".join([caught.value.message, *caught.value.details])


def test_the_checksum_is_that_of_the_standard() -> None:
    # RFC 3720, appendix B.4.
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert crc32c(b"123456789") == 0xE3069283


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=1500))
def test_the_checksum_is_that_of_the_slow_way(data: bytes) -> None:
    assert crc32c(data) == slow_crc(data)


def test_the_object_detection_files_of_another_tool(shared_data: Path) -> None:
    folder = shared_data / "datumaro_assets/tests/assets/tf_detection_api_dataset"
    assert "test.tfrecord" in str(tfrecord.detect(folder))
    dataset = read(folder)
    images = dataset.images.to_pylist()
    assert [(i["path"], i["width"], i["height"], i["split"], i["source_id"]) for i in images] == [
        ("test.tfrecord/3.jpg", 4, 5, "test", "3"),
        ("train.tfrecord/1.jpg", 16, 16, "train", "1"),
        ("val.tfrecord/2.jpg", 8, 8, "val", "2"),
    ]
    # As Datumaro's own test of these files lists them.
    names = dataset.classes.names
    assert names == tuple(f"label_{number}" for number in range(10))
    rows = dataset.annotations.to_pylist()
    assert [
        (r["image_id"], None if r["class_id"] is None else names[r["class_id"]], r["x"], r["y"], r["w"], r["h"])
        for r in rows
    ] == [
        (1, "label_2", 0, 4, 4, 8),
        (1, "label_3", 0, 4, 4, 4),
        (1, None, 2, 4, 4, 4),
        (2, "label_3", 1, 2, 4, 2),
    ]
    for path, size in zip(dataset.paths(), [(4, 5), (16, 16), (8, 8)], strict=True):
        assert path.read_bytes()[:2] == b"\xff\xd8"
        assert size[0] > 0


def test_examples_without_photos_name_files(shared_data: Path) -> None:
    dataset = read(shared_data / "datumaro_assets/tests/assets/roboflow_dataset/tfrecord")
    assert dataset.images["path"].to_pylist() == ["train_001.jpg", "train_002.jpg", "val_001.jpg"]
    assert dataset.images["split"].to_pylist() == ["train", "train", "val"]
    assert dataset.annotations["w"].to_pylist() == pytest.approx([3, 2, 1, 9])


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("name", ["x.record", "train.record-00000-of-00002", "x.tfrecord.gz", "x-train.tfrec"])
def test_every_way_to_write_numbers_and_files(name: str, packed: bool, tmp_path: Path) -> None:
    (tmp_path / "label_map.pbtxt").write_text(MAP, encoding="utf-8")
    path = write(tmp_path / name, boxed(), packed=packed)
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    assert tfrecord.detect(tmp_path) is not None
    dataset = read(tmp_path)
    assert dataset.classes.names == ("cat", "d'ogé")
    rows = dataset.annotations.to_pylist()
    assert [(r["class_id"], r["x"], r["y"], r["w"], r["h"]) for r in rows] == [(1, 5, 5, 5, 5), (0, 0, 0, 20, 5)]
    assert dataset.images["split"].to_pylist() == ["train" if "train" in name else None]
    assert dataset.origins["t"].class_ids == {"cat": 1, "d'ogé": 2}
    assert dataset.paths()[0].read_bytes() == jpeg()


def test_flags_ids_and_further_features_are_kept(tmp_path: Path) -> None:
    more = {
        "image/object/difficult": [0, 1],
        "image/object/truncated": [1, 0],
        "image/object/is_crowd": [1, 0],
        "image/object/area": [25.0, 100.0],
        "image/object/view": [b"Rear", b""],
        "image/object/mask": [b"png", b"png"],
        "image/class/text": [b"street", b"night"],
        "image/source_id": [b"42"],
        "image/filename": [b"a/b.jpeg"],
        "image/camera": [b"left"],
        "image/gain": [-3],
        "image/object/class/text": [b"dog", b"cat"],
    }
    dataset = read(write(tmp_path / "x.tfrecord", boxed(**more)))
    image = dataset.images.to_pylist()[0]
    assert (image["path"], image["source_id"], image["camera"], image["gain"]) == (
        "x.tfrecord/a/b.jpeg",
        "42",
        "left",
        -3,
    )
    names = dataset.classes.names
    rows = dataset.annotations.to_pylist()
    assert [names[row["class_id"]] for row in rows] == ["street", "night", "dog", "cat"]
    assert [(r["difficult"], r["truncated"], r["iscrowd"], r["area"]) for r in rows[2:]] == [
        (False, 1, True, 25),
        (True, 0, False, 100),
    ]
    assert [row["attributes"] for row in rows[2:]] == ['{"view":"Rear"}', '{"view":""}']
    assert dataset.notes == ("2 masks (image/object/mask) are left out; the boxes are read.",)


def test_names_that_lead_out_or_repeat_get_a_place_of_their_own(tmp_path: Path, cache: Path) -> None:
    names = [b"../../evil.jpg", b"/etc/evil.jpg", b"same.jpg", b"same.jpg", b"plain"]
    dataset = read(write(tmp_path / "x.tfrecord", *(boxed(**{"image/filename": [name]}) for name in names)))
    assert dataset.images["path"].to_pylist() == [
        "x.tfrecord/evil.jpg",
        "x.tfrecord/000002/evil.jpg",
        "x.tfrecord/same.jpg",
        "x.tfrecord/000004/same.jpg",
        "x.tfrecord/plain.jpg",
    ]
    assert all(path.is_relative_to(cache) and path.read_bytes() == jpeg() for path in dataset.paths())
    assert "2 photos have names that lead out" in dataset.notes[0]


def test_a_file_cut_anywhere_but_between_records_is_refused(tmp_path: Path, cache: Path) -> None:
    path = write(tmp_path / "x.tfrecord", boxed(), boxed())
    whole = path.read_bytes()
    for size in range(1, len(whole), 97):
        if size != len(whole) // 2:
            path.write_bytes(whole[:size])
            number = 1 if size < len(whole) // 2 else 2
            offset = 0 if number == 1 else len(whole) // 2
            assert f"cut inside of record {number} at byte {offset:,}" in refusal(path)
    path.write_bytes(gzip.compress(whole)[:-20])
    assert "gzip data is cut" in refusal(path)
    assert not cache.joinpath("unpacked").exists()


def test_every_flipped_byte_is_found(tmp_path: Path) -> None:
    path = write(tmp_path / "x.tfrecord", boxed())
    whole = path.read_bytes()
    for place in (0, 7, 8, 11, 12, 50, len(whole) - 5, len(whole) - 1):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        part = "length" if place < 12 else "content"
        assert f"record 1 at byte 0: the checksum of its {part} is wrong" in refusal(path)


def test_a_length_is_not_believed(tmp_path: Path) -> None:
    for length, expected in ((2**62, "the limit is 536,870,912"), (2**28, "cut inside of record 1")):
        head = struct.pack("<Q", length)
        (tmp_path / "x.tfrecord").write_bytes(head + mask(slow_crc(head)) + b"x" * 100)
        assert expected in refusal(tmp_path)


def test_a_bomb_is_refused_while_it_unfolds(tmp_path: Path) -> None:
    head = struct.pack("<Q", 300_000_000)
    content = gzip.compress(head + mask(slow_crc(head)) + bytes(300_000_000), compresslevel=6)
    (tmp_path / "x.tfrecord").write_bytes(content)
    assert "it unfolds to more than" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"image/object/bbox/xmin": [0.25]}, "differ in number"),
        ({"image/object/class/label": [1]}, "2 boxes and 1 classes"),
        ({"image/object/class/label": [1, 9]}, "label 9 is not in the label map of 2 items"),
        ({"image/object/bbox/xmax": [0.1, 1.0]}, "ends before it begins"),
        ({"image/object/bbox/xmax": [250.0, 1.0]}, "is not of shares"),
        ({"image/object/bbox/xmax": [float("nan"), 1.0]}, "is not of shares"),
        ({"image/object/bbox/xmax": [1, 1]}, "is not of shares"),
        ({"image/object/difficult": [1]}, "not as many of difficult (1)"),
        ({"image/object/class/text": [b"\xff", b"x"]}, "is not UTF-8"),
        ({"image/object/class/text": [1, 2]}, "is of another type"),
        ({"image/width": [0], "image/height": [5]}, "the size 0 x 5 is none"),
        ({"image/source_id": [1.5]}, "is no single text"),
        ({"image/encoded": [b"GIF98"]}, "no photo of a known kind"),
        ({"image/encoded": [b""]}, "neither image/encoded nor image/filename"),
        ({"image/encoded": [jpeg()[:30]]}, "cannot be read"),
    ],
)
def test_wrong_features_are_refused_with_their_record(
    more: dict[str, list[Any]], expected: str, tmp_path: Path
) -> None:
    (tmp_path / "label_map.pbtxt").write_text(MAP, encoding="utf-8")
    told = refusal(write(tmp_path / "x.tfrecord", boxed(), boxed(**more)))
    assert expected in told
    assert "x.tfrecord: record 2 at byte" in told


def test_paths_of_examples_without_photos_stay_in_the_folder(tmp_path: Path) -> None:
    found = {"image/filename": [b"../x.jpg"], "image/width": [5], "image/height": [5]}
    assert "leads out of" in refusal(write(tmp_path / "x.tfrecord", found))
    write(tmp_path / "x.tfrecord", found, boxed())
    assert "1 Examples hold a photo and 1 do not" in refusal(tmp_path)


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=200))
def test_no_bytes_end_the_parser(data: bytes) -> None:
    try:
        found = example(data)
    except ValueError:
        return
    assert isinstance(found, dict)


@settings(max_examples=50, deadline=None)
@given(
    found=st.dictionaries(
        st.text(max_size=9),
        st.one_of(
            st.lists(st.binary(max_size=9), min_size=1, max_size=4),
            st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=4),
            st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=4),
        ),
        max_size=5,
    ),
    packed=st.booleans(),
)
def test_every_example_is_parsed(found: dict[str, list[Any]], packed: bool) -> None:
    assert example(encoded_example(found, packed=packed)) == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "there is no item"),
        ("item { id: 1 }", "label_map.pbtxt:1: an item needs an id and a name"),
        ('\nitem { id: -1 name: "a" }', "label_map.pbtxt:2: an item needs an id and a name"),
        ('item { id: 1 name: "a" } item { id: 1 name: "b" }', "stands twice"),
        ('item { id: 1 name: "a"', "the item does not end"),
        ("}", "a bracket closes nothing"),
        ("thing { }", "'item {' was expected, not 'thing'"),
        ("item " + "{" * 100_000, "'item {' was expected"),
        ("<html>%", "'item {' was expected, not ''"),
        ('item { id: 1 name: "a }', "is no label map"),
        ("\0\0", "is no label map"),
    ],
)
def test_a_wrong_label_map_is_refused_with_its_line(text: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "label_map.pbtxt").write_text(text)
    with pytest.raises(DataError) as caught:
        read_label_map(tmp_path / "label_map.pbtxt")
    assert expected in caught.value.message


def test_label_maps_that_differ_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "x.tfrecord", boxed())
    (tmp_path / "a.pbtxt").write_text(MAP, encoding="utf-8")
    (tmp_path / "b.pbtxt").write_text('item { id: 1 name: "bird" }')
    assert "2 label maps differ" in refusal(tmp_path)


def test_what_is_no_tfrecord_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.tfrecord").write_bytes(b"x" * 100)
    assert tfrecord.detect(tmp_path) is None
    assert "record 1 at byte 0: the checksum of its length is wrong" in refusal(tmp_path)
    (tmp_path / "x.tfrecord").unlink()
    assert "there is no TFRecord file" in refusal(tmp_path)
