"""COCO in: what a file says is what the data set says, and everything odd is taken or named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from coco_sets import RUNS, SQUARE, box, document, photo, read, said, save, slowly

from vision_cli.core.errors import DataError
from vision_cli.formats import coco
from vision_cli.formats.coco import stream as coco_stream


def test_reading_says_what_the_file_says(tmp_path: Path) -> None:
    content = document(
        [
            box(5, segmentation=[SQUARE[0], SQUARE[0][:6]]),
            box(0, 2, 7, segmentation=RUNS, iscrowd=1, area=960, bbox=[10, 0, 20, 48]),
            box(9, 1, 7, segmentation=[], bbox=[61, 22.75, 504, 609.67]),
            {"id": 3, "image_id": 2, "category_id": 1},
        ]
    )
    data = read(save(tmp_path / "a.json", content))
    assert said(data) == slowly(content)
    assert data.annotations["outline_parts"].to_pylist() == [2, -1, 0, 0]
    assert data.annotations["source_id"].to_pylist() == ["5", "0", "9", "3"]
    assert data.classes.names == ("cat", "dog")
    assert data.images.select(["path", "width", "height", "source_id"]).to_pylist()[1] == {
        "path": "2.jpg",
        "width": 64,
        "height": 48,
        "source_id": "2",
    }
    origin = data.origins["s"]
    assert (origin.format, origin.pixels, dict(origin.class_ids)) == ("coco", "exclusive", {"cat": 1, "dog": 7})
    assert json.loads(origin.header["info"]) == {"year": 2017, "note": "é"}
    assert json.loads(origin.class_records["cat"]) == content["categories"][0]


def test_real_ground_truth_equals_a_slow_parser(shared_data: Path) -> None:
    path = shared_data / "coco_golden/instances_val2014_100.json"
    data = read(path)
    assert said(data) == slowly(json.loads(path.read_bytes()))
    assert (len(data), data.annotations.num_rows, len(data.classes)) == (100, 839, 80)


def test_records_come_byte_for_byte(tmp_path: Path) -> None:
    record = b'{ "id":1 ,"bbox":[1.0,2,3.50,4e0], "image_id": 1,"category_id":1, "x y": {"b": [1.00]}}'
    path = save(
        tmp_path / "a.json",
        json.dumps(document([])).encode().replace(b'"annotations": []', b'"annotations": [%b]' % record),
    )
    data = read(path)
    assert data.annotations["record"].to_pylist() == [record]
    assert data.annotations["attributes"].to_pylist() == ['{"x y":{"b": [1.00]}}']
    assert data.images["record"].to_pylist() == [json.dumps(photo(n)).encode() for n in (1, 2)]


def test_attributes_of_an_annotation_stand_by_themselves(tmp_path: Path) -> None:
    more = [
        {"attributes": {"hidden": True}},
        {"attributes": {"a": 1}, "b": "é"},
        {"attributes": {"a": 1}, "a": 2},
        {},
    ]
    content = document([box(n, **item) for n, item in enumerate(more)])
    found = read(save(tmp_path / "a.json", content)).annotations["attributes"].to_pylist()
    expected = [{"hidden": True}, {"a": 1, "b": "é"}, {"attributes": {"a": 1}, "a": 2}, None]
    assert [None if text is None else json.loads(text) for text in found] == expected


def test_photo_members_become_metadata(tmp_path: Path) -> None:
    images = [
        photo(1, date_captured="2013-11-14", license=4, fog=0.5, path="x", tags=[1, 2], deep={"a": [1]}),
        photo(2, fog=1, tags=[], flag=True),
    ]
    table = read(save(tmp_path / "a.json", document(images=images))).images
    found = {name: table[name].to_pylist() for name in table.column_names[8:]}
    assert found == {
        "record": [json.dumps(image).encode() for image in images],
        "license": [4, None],
        "date_captured": ["2013-11-14", None],
        "fog": [0.5, 1.0],
        "path_": ["x", None],
        "tags": [[1, 2], []],
        "deep": ['{"a":[1]}', None],
        "flag": [None, True],
    }


def test_what_is_not_needed_is_left_out_and_what_is_counted_stays(tmp_path: Path) -> None:
    keypoints = [1, 2, 2, 0, 0, 0]
    path = save(tmp_path / "a.json", document([box(keypoints=keypoints, num_keypoints=1, extra=1)]))
    data = read(path, need=frozenset({"box", "class"}))
    assert {"outline", "record"}.isdisjoint(data.annotations.column_names)
    assert "record" not in data.images.column_names
    kept = data.annotations.select(["outline_parts", "iscrowd", "attributes", "area", "source_id"]).to_pylist()
    assert kept == [
        {"outline_parts": 1, "iscrowd": False, "attributes": '{"extra":1}', "area": 210.125, "source_id": "1"}
    ]
    assert json.loads(data.annotations["keypoints"][0].as_py()) == keypoints


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a", "a", "b"], ["a [id 0]", "a [id 1]", "b"]),
        (["", "", "x"], ["[id 0]", "[id 1]", "x"]),
        (["a", "a", "a [id 0]"], ["a [id 0]'", "a [id 1]", "a [id 0]"]),
        (["n" * 10_000, "<script>", "[/]"], ["n" * 10_000, "<script>", "[/]"]),
        (["../x", "a\nb", "\u202e\U0001f600"], ["../x", "a\nb", "\u202e\U0001f600"]),
    ],
)
def test_class_names_are_kept_and_made_distinct(tmp_path: Path, names: list[str], expected: list[str]) -> None:
    categories = [{"id": index, "name": name} for index, name in enumerate(names)]
    data = read(save(tmp_path / "a.json", document(categories=categories)))
    assert list(data.classes.names) == expected
    assert [json.loads(record)["name"] for record in data.origins["s"].class_records.values()] == names


def test_ids_may_be_texts_zero_or_large(tmp_path: Path) -> None:
    content = document(
        [box("x", "p", "c"), box(0, 0, 0), box(2**63 - 1, 0, 0)],
        images=[photo("p"), photo(0)],
        categories=[{"id": "c", "name": "C"}, {"id": 0, "name": "D"}],
    )
    data = read(save(tmp_path / "a.json", content))
    assert said(data) == slowly(content)
    assert data.annotations["source_id"].to_pylist() == ["x", "0", str(2**63 - 1)]
    assert dict(data.origins["s"].class_ids) == {"D": 0}


BAD: list[tuple[dict[str, Any], str, str]] = [
    (document([box(1), box(1)]), "1 repeated ids", "annotations[1]: id 1 stands before already"),
    (document([box(1), box("1")]), "1 repeated ids", "annotations[1]: id 1 stands before"),
    (document([box(None)]), "1 missing ids", "annotations[0]: there is no id"),
    (document([box(2**63)]), "1 ids out of range", "id 9223372036854775808 has more than 63 bits"),
    (document([box(2**70)]), "1 ids out of range", "has more than 63 bits"),
    (document([box(True)]), "1 bad ids", "id is true; an id is a whole number or a text"),
    (document([box(image=3)]), "1 dangling image ids", "annotations[0] (id 1): image_id 3 is none of the file's"),
    (document([box(image="1")]), "1 dangling image ids", "image_id '1' is none of the file's"),
    (document([box(category=2)]), "1 dangling category ids", "category_id 2 is none of the file's"),
    (document([box(category=None)]), "1 missing category ids", "there is no category_id"),
    (document([box(bbox=[1, 2, -3, 4])]), "1 boxes of negative size", "bbox is [1.0, 2.0, -3.0, 4.0]"),
    (document([box(bbox=[1, 2, 3])]), "1 bad boxes", "bbox is [1, 2, 3]; a box is [x, y, width, height]"),
    (document([box(bbox=["1", 2, 3, 4])]), "1 bad boxes", "a box is four numbers"),
    (document([box(bbox=[1e9, 2, 3, 4])]), "1 bad boxes", "a box stays below 10,000,000 pixels"),
    (document([box(bbox="1 2 3 4")]), "1 bad boxes", "a box is [x, y, width, height]"),
    (document([box(area="12")]), "1 bad numbers", 'area is "12", no number'),
    (document([box(iscrowd=2)]), "1 bad crowd flags", "iscrowd is 2; it is 0 or 1"),
    (document([7]), "1 bad records", "annotations[0]: is 7, no object"),
    (document([box(segmentation=[[1, 2]])]), "1 bad outlines", "polygon 1 of 1 has 2 values"),
    (document([box(segmentation=[SQUARE[0], [1, 2, 3, 4, 5, 6, 7]])]), "1 bad outlines", "polygon 2 of 2 has 7 values"),
    (document([box(segmentation=[[1, 2, 3, 4, 5, 1e9]])]), "1 bad outlines", "polygon 1 of 1 holds 1000000000.0"),
    (document([box(segmentation=[[1, 2, 3, 4, 5, "6"]])]), "1 bad outlines", "polygon 1 of 1 holds 6"),
    (document([box(segmentation=[[1, 2, 3, 4, 5, None]])]), "1 bad outlines", "polygon 1 of 1 holds None"),
    (document([box(segmentation=[[1, 2] * 1_000_000])]), "1 bad outlines", "polygon 1 of 1 has 1,000,000 points"),
    (document([box(segmentation=[1, 2, 3, 4, 5, 6])]), "1 bad outlines", "polygon 1 of 6 is no list of numbers"),
    (document([box(segmentation=7)]), "1 bad outlines", "neither polygons nor a mask: 7"),
    (document([box(segmentation={"size": [48, 64]})]), "1 bad outlines", "missing required field `counts`"),
    (
        document([box(segmentation={**RUNS, "size": [64, 48]})]),
        "1 masks of another size",
        "size is [64, 48], its photo's",
    ),
    (document([box(segmentation={**RUNS, "size": [100_000] * 2})]), "1 bad outlines", "over 100 megapixels"),
    (document([box(segmentation={**RUNS, "counts": ""})]), "1 bad outlines", "it is empty"),
    (document([box(segmentation={**RUNS, "counts": "~}é"})]), "1 bad outlines", "no compressed run-length mask"),
    (document([box(segmentation={**RUNS, "counts": [480, 960, -1]})]), "1 bad outlines", "run length is -1"),
    (document([box(segmentation={**RUNS, "counts": [1.5, 2]})]), "1 bad outlines", "segmentation"),
    (document([box(keypoints=[1, 2])]), "1 bad keypoints", "keypoints are 2 values"),
    (document([box(track_id=2**63)]), "1 bad numbers", "no whole number of 64 bits"),
    (document(images=[photo(1), photo(1)]), "1 repeated ids", "images[1]: id 1 stands before already"),
    (document(images=[photo(1), photo(2, width=0)]), "1 bad photo sizes", "images[1]: width is 0"),
    (document(images=[photo(1, width=10**5, height=10**5)]), "1 bad photo sizes", "100000 x 100000 pixels"),
    (document(images=[photo(1, width="64")]), "1 bad numbers", "images[0]: width is '64', no number"),
    (document(images=[photo(1), 5]), "1 bad photos", "images[1] is 5, no object"),
    *(
        (document(images=[photo(1, file_name=name)]), "1 bad paths", "leads out of the folder")
        for name in ("../x.jpg", "/etc/passwd", "a/../../x", "a\0b", "", "C:\\x.jpg")
    ),
    (document(images=[{"id": 1, "width": 4, "height": 4}]), "1 bad paths", "images[0]: file_name is missing"),
    (document(categories=[{"id": 1}]), "1 categories without a name", "categories[0] has the name 'None'"),
    (document(categories=[{"id": 1, "name": "a"}] * 2), "1 repeated ids", "categories[1] ('a'): id 1 stands before"),
    (
        document(categories=[{"name": "a"}, {"id": 1, "name": "b"}]),
        "1 missing ids",
        "categories[0] ('a'): there is no id",
    ),
]


@pytest.mark.parametrize(
    ("content", "kind", "detail"), BAD, ids=lambda value: value[:40] if isinstance(value, str) else ""
)
def test_bad_records_are_counted_by_kind_and_shown(tmp_path: Path, content: Any, kind: str, detail: str) -> None:
    path = save(tmp_path / "bad.json", content)
    with pytest.raises(DataError) as caught:
        read(path)
    shown = "\n".join(caught.value.details)
    assert str(path) in caught.value.message
    if "segmentation" not in detail:
        assert kind in caught.value.message
        assert detail in shown


def test_all_kinds_are_told_at_once_and_ten_shown(tmp_path: Path) -> None:
    rows = [box(n, image=9, bbox=[0, 0, -1, 1]) for n in range(30)]
    with pytest.raises(DataError) as caught:
        read(save(tmp_path / "bad.json", document(rows)))
    assert "60 bad records" in caught.value.message
    assert "30 dangling image ids" in caught.value.message
    assert "30 boxes of negative size" in caught.value.message
    assert len(caught.value.details) == 11
    assert caught.value.details[-1] == "and 50 more"


TEXT = json.dumps(document()).encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (TEXT[:-30], f"ends too early, at byte {len(TEXT) - 30:,}"),
        (TEXT.replace(b"210.125", b"NaN"), f"malformed: invalid character at byte {TEXT.index(b'210.125'):,}"),
        (TEXT.replace(b"20.5,", b"1e999,"), "bad boxes|bad numbers|out of range"),
        (TEXT.replace(b'"area"', b'"bbox"'), "holds the name 'bbox' twice in one object, at byte"),
        (TEXT.replace(b'"licenses"', b'"info"'), "holds the name 'info' twice in one object, at byte 43"),
        (TEXT.replace(b'"width"', b'"height"', 1), "holds the name 'height' twice"),
        (TEXT.replace(b'"supercategory"', b'"name"'), "holds the name 'name' twice"),
        (TEXT.replace(b"\\u00e9", b"\xff"), "not UTF-8 at byte"),
        (b"", "is empty at byte 0"),
        (TEXT.decode().encode("utf-16"), "UTF-16 or UTF-32"),
        (b"7", "holds no object at byte 0"),
        (b'{"images": 3}', "holds no list of images at byte 11"),
        (b'{"images": [], "annotations": {}}', "holds no list of annotations at byte 30"),
        (b'{"annotations": []}', "there is no list 'images'"),
        (b'{"a": ' * 100_000, "nested too deeply"),
        (TEXT.replace(b'"area": 210.125', b'"x": ' + b"[" * 100_000 + b"]" * 100_000), "nested too deeply"),
    ],
)
def test_a_bad_text_is_refused_with_its_byte(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(save(tmp_path / "bad.json", content))


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    data = read(save(tmp_path / "a.json", b"\xef\xbb\xbf" + TEXT))
    assert said(data) == slowly(document())


@pytest.mark.parametrize("order", [("images", "annotations", "categories"), ("annotations", "categories", "images")])
def test_a_file_in_many_blocks_reads_as_one_in_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: tuple[str, ...]
) -> None:
    rows = [
        box(n, n % 2 + 1, text="}, {", segmentation=RUNS if n % 7 == 0 else SQUARE, nest=[{"a": 1}, {"b": 2}])
        for n in range(200)
    ]
    content = {"info": {"annotations": [{"id": 1}, {"id": 2}]} if order[0] == "images" else {}}
    content |= {name: document(rows)[name] for name in order}
    path = save(tmp_path / "a.json", content)
    whole = read(path)
    assert said(whole) == slowly(content)
    for size in (300, 1000, 5000):
        monkeypatch.setattr(coco_stream, "BLOCK_BYTES", size)
        parts = read(path)
        assert parts.annotations.combine_chunks().equals(whole.annotations.combine_chunks())
        assert parts.images.combine_chunks().equals(whole.images.combine_chunks())
        assert parts.origins == whole.origins


def test_an_error_in_a_late_block_names_its_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coco_stream, "BLOCK_BYTES", 500)
    content = json.dumps(document([box(n) for n in range(100)])).encode()
    at = content.rindex(b"210.125")
    bad = content[:at] + b"NaN" + content[at + 7 :]
    with pytest.raises(DataError, match=f"invalid character at byte {at:,}"):
        read(save(tmp_path / "a.json", bad))
    cut = content[: at + 3]
    with pytest.raises(DataError, match=f"ends too early, at byte {len(cut):,}"):
        read(save(tmp_path / "a.json", cut))


def test_captions_and_panoptic_files_are_refused_by_name(tmp_path: Path) -> None:
    captions = document([{"id": 1, "image_id": 1, "caption": "a cat"}])
    with pytest.raises(DataError, match="1 of 1 annotations are captions"):
        read(save(tmp_path / "captions_val.json", captions))
    panoptic = document([{"image_id": 1, "file_name": "1.png", "segments_info": [{"id": 1, "category_id": 1}]}])
    with pytest.raises(DataError, match="panoptic"):
        read(save(tmp_path / "panoptic_val.json", panoptic))
    assert coco.detect(tmp_path / "panoptic_val.json") is None


def test_sizes_come_from_the_photos_where_they_are_not_said(tmp_path: Path, write: Any) -> None:
    write("1.jpg", size=(4, 3))
    content = document([], images=[{"id": 1, "file_name": "1.jpg"}])
    path = save(tmp_path / "a.json", content)
    assert read(path).images.select(["width", "height"]).to_pylist() == [{"width": 4, "height": 3}]
    assert read(path, sizes=False).images["width"].to_pylist() == [None]
    content["images"].append({"id": 2, "file_name": "2.jpg"})
    with pytest.raises(DataError, match="1 photos without size"):
        read(save(path, content))


def test_empty_sets_are_sets(tmp_path: Path) -> None:
    data = read(save(tmp_path / "a.json", {"images": [], "annotations": [], "categories": []}))
    assert (len(data), data.annotations.num_rows, len(data.classes)) == (0, 0, 0)
    data = read(save(tmp_path / "a.json", {"images": [photo(1)], "categories": []}))
    assert (len(data), data.annotations.num_rows) == (1, 0)


def test_lists_of_objects_in_records_do_not_end_the_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [box(n, parts=[{"a": n}, {"a": 2}, {"a": 3}]) for n in range(300)]
    path = save(tmp_path / "a.json", document(rows))
    monkeypatch.setattr(coco_stream, "BLOCK_BYTES", 2000)
    taken: list[int] = []
    rest = coco_stream.stream(path, lambda text: taken.append(len(msgspec.json.decode(text.data))))
    assert len(taken) > 10
    assert sum(taken) > 280
    assert rest.marked
    assert said(read(path)) == slowly(document(rows))
