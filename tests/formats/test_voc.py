"""Pascal VOC: what is read, what is refused, and that documents come back."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import ReadOptions, WriteOptions, voc
from vision_cli.formats.voc.text import escaped, spelled, unspelled

OPTIONS = ReadOptions("pets")


def thing(box: tuple[object, ...] = (1, 2, 3, 4), name: str = "cat", more: str = "") -> str:
    edges = "".join(f"<{tag}>{edge}</{tag}>" for tag, edge in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
    return f"<object><name>{name}</name>{more}<bndbox>{edges}</bndbox></object>"


def document(*things: str, name: str = "a.jpg", size: tuple[int, int] | None = (20, 10), more: str = "") -> bytes:
    sides = f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>" if size else ""
    body = f"\n\t<filename>{name}</filename>\n\t{sides}{more}\n\t" + "\n\t".join(things)
    return f"<annotation>{body}\n</annotation>\n".encode()


def lay(write, content: bytes, stem: str = "a", photo: tuple[int, int] | None = (20, 10)) -> None:
    write(f"Annotations/{stem}.xml", content=content)
    if photo:
        write(f"JPEGImages/{stem}.jpg", size=photo)


def written(dataset: Dataset, folder: Path) -> dict[str, bytes]:
    folder.mkdir(exist_ok=True, parents=True)
    voc.write(dataset, folder, WriteOptions())
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def with_column(dataset: Dataset, name: str, values: list[object], kind: pa.DataType | None = None) -> Dataset:
    table, column = dataset.annotations, pa.array(values, kind)
    at = table.schema.get_field_index(name)
    table = table.append_column(name, column) if at < 0 else table.set_column(at, name, column)
    return replace(dataset, annotations=table)


def boxes(*rows: tuple[float, ...], names: tuple[str, ...] = ("cat",)) -> Dataset:
    """Build a set of one box a photo, as a format of edges would."""
    images = {
        "id": range(len(rows)), "source": ["s"] * len(rows), "path": [f"{row:03d}.jpg" for row in range(len(rows))],
        "width": [100] * len(rows), "height": [80] * len(rows), "split": pa.nulls(len(rows)),
        "group": pa.nulls(len(rows)),
    }  # fmt: skip
    base = {
        "id": pa.array(range(len(rows)), pa.int64()), "image_id": pa.array(range(len(rows)), pa.int64()),
        "class_id": pa.array([row % len(names) for row in range(len(rows))], pa.int32()),
        "value": pa.nulls(len(rows), pa.float64()),
    }  # fmt: skip
    columns = {name: pa.array([row[at] for row in rows], pa.float64()) for at, name in enumerate("xywh")}
    schema = pa.schema([*ANNOTATION_COLUMNS, *(pa.field(name, pa.float64()) for name in "xywh")])
    tables = pa.table(images, schema=IMAGE_COLUMNS), pa.table({**base, **columns}, schema=schema)
    return Dataset(*tables, ClassMap(names), {"s": Path()})


def test_columns_say_what_the_document_says(write, tmp_path: Path) -> None:
    more = "<pose>Left</pose><truncated>1</truncated><occluded>0</occluded><difficult>1</difficult>"
    part = "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>"
    named = "<attributes><attribute><name>age</name><value>7</value></attribute></attributes>"
    lay(write, document(thing((1.5, "2", 3.25, 4), more=more + part + part + named), more="<scene>street</scene>"))
    write("ImageSets/Main/val.txt", content=b"a\n")
    dataset = voc.read(tmp_path, OPTIONS)
    (row,) = dataset.annotations.drop_columns(["record"]).to_pylist()
    head = {"name": "head", "bndbox": {"xmin": "1"}}
    assert json.loads(row.pop("attributes")) == {"pose": "Left", "part": [head, head], "age": "7"}
    assert row == {
        **{"id": 0, "image_id": 0, "class_id": 0, "value": None, "x": 1.5, "y": 2.0, "w": 1.75, "h": 2.0},
        **{"truncated": 1.0, "occluded": 0, "difficult": True},
    }
    (image,) = dataset.images.drop_columns(["record"]).to_pylist()
    assert image == {
        **{"id": 0, "source": "pets", "path": "JPEGImages/a.jpg", "width": 20, "height": 10},
        **{"split": "val", "group": None, "scene": "street"},
    }
    assert dataset.origins["pets"].pixels == "inclusive-1"


@pytest.mark.parametrize(
    "content",
    [
        document(thing(), thing(("5.50", "1e0", "7.", "+4"), name="dog")),
        document(thing(), "<!-- between -->", thing(), more="<odd a='>'>x<y/></odd>"),
        b"\xef\xbb\xbf<?xml version='1.0'?>\r\n" + document(thing()).replace(b"\n", b"\r\n"),
        b"<?xml version='1.0' encoding='iso-8859-1'?>" + document(thing(name="gr\xfcn")).replace(b"\xc3\xbc", b"\xfc"),
        document(),
        document(thing(name="a &amp; b &#x1F697;")),
        document(thing(more="<truncated>Unspecified</truncated><difficult/>")),
        document(thing((2, 2, 2, 2))),
    ],
)
def test_the_bytes_come_back(write, tmp_path: Path, content: bytes) -> None:
    lay(write, content)
    dataset = voc.read(tmp_path, OPTIONS)
    assert written(dataset, tmp_path / "out") == {"Annotations/a.xml": content}


def test_only_what_changed_is_written_anew(write, tmp_path: Path) -> None:
    content = document(thing(("1.50", 2, 3, 4)), thing((5, 6, 7, 8), name="dog", more="<truncated>0</truncated>"))
    lay(write, content)
    dataset = replace(voc.read(tmp_path, OPTIONS), classes=ClassMap(("cat", "big <dog>")))
    dataset = with_column(dataset, "w", [1.5, 4.0])
    dataset = with_column(dataset, "truncated", [None, 1.0], pa.float64())
    file = written(dataset, tmp_path / "out")["Annotations/a.xml"]
    expected = (
        content.replace(b"<xmax>7<", b"<xmax>9<").replace(b"dog", b"big &lt;dog&gt;").replace(b">0</tr", b">1</tr")
    )
    assert file == expected


def test_objects_that_go_come_and_change_all_over(write, tmp_path: Path) -> None:
    lay(write, document(thing(name="one"), thing(name="two"), thing(name="three")))
    dataset = voc.read(tmp_path, OPTIONS)
    table = dataset.annotations.take(pa.array([2, 1, 1]))
    table = table.set_column(
        table.schema.get_field_index("record"),
        "record",
        pa.array([table["record"][0].as_py(), None, None], pa.binary()),
    )
    table = table.append_column("attributes", pa.array(['{"pose": "Left"}', None, '{"n": 5}']))
    file = written(replace(dataset, annotations=table), tmp_path / "out")["Annotations/a.xml"]
    root = ElementTree.fromstring(file)  # noqa: S314 - our own output
    assert [node.findtext("name") for node in root.iter("object")] == ["three", "two", "two"]
    assert [node.findtext("pose") for node in root.iter("object")] == ["Left", "Unspecified", "Unspecified"]
    again = voc.read(write("out/Annotations/a.xml", content=file).parent, OPTIONS)
    assert again.annotations["attributes"].to_pylist() == ['{"pose": "Left"}', None, '{"n": 5}']
    assert (
        written(replace(dataset, annotations=table.slice(0, 0)), tmp_path / "bare")["Annotations/a.xml"].count(
            b"<object"
        )
        == 0
    )


def test_utf16_is_read_and_written_as_utf8(write, tmp_path: Path) -> None:
    lay(write, ("<?xml version='1.0' encoding='utf-16'?>" + document(thing(name="größe")).decode()).encode("utf-16"))
    (file,) = written(voc.read(tmp_path, OPTIONS), tmp_path / "out").values()
    assert "<name>größe</name>" in file.decode()


BOMB = "<!DOCTYPE a [<!ENTITY b 'xxxxxxxxxx'>" + "".join(
    f"<!ENTITY b{level} '&b{level - 1 if level else ''};&b{level - 1 if level else ''};'>" for level in range(40)
)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (BOMB.encode() + b"]><annotation>&b39;</annotation>", "document types and entities are refused"),
        (b"<!DOCTYPE annotation SYSTEM 'file:///etc/passwd'><annotation/>", "document types and entities are refused"),
        (b"<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><annotation>&e;</annotation>", "are refused"),
        (b"<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://127.0.0.1/x'> %p;]><annotation/>", "are refused"),
        (b"<annotation>&e;</annotation>", "undefined entity"),
        (b"<annotation>" * 200_000, "nested over 32 deep"),
        (document(thing())[:-20], "not well-formed"),
        (b"", "not well-formed"),
        (b"\0\0\0\0", "not well-formed"),
        (b"<annotation>\xff</annotation>", "not well-formed"),
        (b"<?xml version='1.0' encoding='utf-7'?><annotation/>", "the encoding is unknown"),
        (b"<?xml version='1.0' encoding='nonsense'?><annotation/>", "the encoding is unknown"),
        (b"<annotations><image/></annotations>", "the root element is <annotations>"),
    ],
    ids=range(13),
)
def test_dangerous_and_broken_xml_is_refused(write, tmp_path: Path, content: bytes, what: str) -> None:
    lay(write, document(thing()))
    write("Annotations/b.xml", content=content)
    with pytest.raises(DataError, match="1 bad files of 2: 1 annotations that are refused") as refused:
        voc.read(tmp_path, OPTIONS)
    (detail,) = refused.value.details
    assert detail.startswith("Annotations/b.xml: ")
    assert what in detail


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        (thing(("nan", 2, 3, 4)), "xmin is 'nan', not a plain finite number"),
        (thing((1, "1_0", 30, 40)), "ymin is '1_0'"),
        (thing((1, 2, "\uff13", 4)), "xmax is '\uff13'"),
        (thing((1, 2, "1e999", 4)), "xmax is '1e999'"),
        (thing((1, 2, 3, "")), "ymax is ''"),
        (thing((5, 2, 3, 4)), "xmax is less than xmin"),
        (thing(name=""), "has no <name>"),
        ("<object><name>x</name><polygon/></object>", "has no <bndbox>"),
    ],
)
def test_bad_objects_are_refused_with_file_and_number(write, tmp_path: Path, bad: str, what: str) -> None:
    lay(write, document(thing()), "a")
    lay(write, document(thing(), bad, name="b.jpg"), "b")
    with pytest.raises(DataError) as refused:
        voc.read(tmp_path, OPTIONS)
    assert refused.value.details == (
        f"Annotations/b.xml: object 2: {what}{refused.value.details[0].rpartition(what)[2]}",
    )


def test_the_real_size_counts_and_the_stated_one_fills_in(write, tmp_path: Path) -> None:
    lay(write, document(thing(), size=(640, 480)), "a")
    lay(write, document(thing(), size=None, name="b.jpg"), "b")
    lay(write, document(thing(), size=(7, 5), name="c.jpg"), "c", photo=None)
    dataset = voc.read(tmp_path, OPTIONS)
    assert dataset.images.select(["width", "height"]).to_pylist() == [
        {"width": 20, "height": 10}, {"width": 20, "height": 10}, {"width": 7, "height": 5}
    ]  # fmt: skip
    assert "1 photos are not there: JPEGImages/c.jpg." in dataset.notes
    assert "1 annotations state another size than their photo has, which counts: JPEGImages/a.jpg." in dataset.notes
    files = written(dataset, tmp_path / "out")
    assert files["Annotations/a.xml"] == document(thing(), size=(20, 10))
    assert files["Annotations/b.xml"] == document(thing(), size=None, name="b.jpg")


def test_no_photo_and_no_size_is_refused(write, tmp_path: Path) -> None:
    lay(write, document(thing(), size=None), "a", photo=None)
    lay(write, document(thing(), name="b.jpg"), "b")
    with pytest.raises(DataError, match="1 missing photos") as refused:
        voc.read(tmp_path, OPTIONS)
    assert refused.value.details == ("Annotations/a.xml: there is no photo JPEGImages/a.jpg, and no size is stated",)


@pytest.mark.parametrize("named", ["other.jpg", "../../../etc/passwd", "/etc/passwd", "C:\\x\\a.png", "a&#10;b.jpg"])
def test_the_annotations_own_name_decides_over_a_foreign_filename(write, tmp_path: Path, named: str) -> None:
    lay(write, document(thing(), name=named))
    dataset = voc.read(tmp_path, OPTIONS)
    assert dataset.images["path"].to_pylist() == ["JPEGImages/a.jpg"]
    kind = "1 annotations name another photo than that of their own name, which counts: Annotations/a.xml."
    assert (kind in dataset.notes) == ("a.png" not in named or "\\" in named)


def test_the_photo_that_is_named_counts_where_none_has_the_annotations_name(write, tmp_path: Path) -> None:
    write("Annotations/0001.xml", content=document(thing(), name="IMG 7.JPG"))
    write("JPEGImages/IMG 7.JPG", size=(20, 10))
    dataset = voc.read(tmp_path, OPTIONS)
    assert dataset.images["path"].to_pylist() == ["JPEGImages/IMG 7.JPG"]
    assert list(written(dataset, tmp_path / "out")) == ["Annotations/0001.xml"]


@pytest.mark.parametrize(
    ("box", "pixels"),
    [
        *(((0, 2, 19, 9), "inclusive-0"), ((0, 2, 20, 9), "exclusive"), ((1, 1, 20, 10), "inclusive-1")),
        *(
            ((1, 0.99999976, 20, 10), "inclusive-1"),
            ((0, 2, 19.9999997, 9), "exclusive"),
            ((0.5, 2, 9, 9), "inclusive-0"),
        ),
    ],
)
def test_the_origin_of_numbers_is_found_out_and_said(write, tmp_path: Path, box, pixels: str) -> None:
    lay(write, document(thing(box)))
    dataset = voc.read(tmp_path, OPTIONS)
    assert dataset.origins["pets"].pixels == pixels
    assert any("begin below 1" in note for note in dataset.notes) == (pixels != "inclusive-1")
    assert voc.read(tmp_path, replace(OPTIONS, pixels="exclusive")).origins["pets"].pixels == "exclusive"


@pytest.mark.parametrize(
    ("label", "photo"),
    [
        ("Annotations/a.xml", "JPEGImages/a.png"),
        ("deep/VOC2007/Annotations/x/a.xml", "deep/VOC2007/JPEGImages/x/a.JPG"),
        ("ANNOTATIONS/a.XML", "Images/a.jpg"),
        ("train/a.xml", "train/a.jpg"),
        ("a.xml", "a.jpg"),
        ("xmls/a.xml", "a.jpg"),
    ],
)
def test_layouts_come_back(write, tmp_path: Path, label: str, photo: str) -> None:
    write(label, content=document(thing()))
    write(photo, size=(20, 10))
    dataset = voc.read(tmp_path, OPTIONS)
    assert dataset.images["path"].to_pylist() == [photo]
    assert dataset.notes == ()
    assert voc.detect(tmp_path) == f"{label} with 1 objects and their <bndbox>"
    out = written(dataset, tmp_path.parent / f"{tmp_path.name}-out")
    assert [name.lower() for name in out] == [label.lower()]


def test_one_file_is_a_set_too(write, tmp_path: Path) -> None:
    lay(write, document(thing()))
    lay(write, document(thing(), name="b.jpg"), "b")
    file = tmp_path / "Annotations/b.xml"
    assert voc.detect(file) == "b.xml with 1 objects and their <bndbox>"
    assert voc.read(file, replace(OPTIONS, images=tmp_path / "JPEGImages")).annotations.num_rows == 1


def test_splits_photos_without_annotation_and_companions(write, tmp_path: Path) -> None:
    for stem in "abc":
        lay(write, document(thing(), name=f"{stem}.jpg"), stem)
    write("JPEGImages/d.jpg", size=(20, 10))
    write("SegmentationClass/a.png", size=(20, 10))
    lists = {
        "train": b"# of two\r\na\r\nb -1",
        "test": b"d\nz\n",
        "trainval": b"a\nb\nc\n",
        "cat_train": b"a  1\nb -1\n",
    }
    for name, content in lists.items():
        write(f"ImageSets/Main/{name}.txt", content=content)
    dataset = voc.read(tmp_path, OPTIONS)
    assert dataset.images["split"].to_pylist() == ["train", "train", None, "test"]
    assert "1 names in ImageSets have no photo: z (ImageSets/Main/test.txt)." in dataset.notes
    assert dataset.origins["pets"].companions == (
        "ImageSets/Main/cat_train.txt", "ImageSets/Main/trainval.txt", "SegmentationClass/a.png"
    )  # fmt: skip
    out = written(dataset, tmp_path / "out")
    assert (out["ImageSets/Main/train.txt"], out["ImageSets/Main/test.txt"]) == (lists["train"], lists["test"])
    assert "Annotations/d.xml" not in out
    moved = written(dataset.with_splits(["val", "train", None, "test"]), tmp_path / "moved")
    assert (moved["ImageSets/Main/train.txt"], moved["ImageSets/Main/val.txt"]) == (b"b\n", b"a\n")


def test_the_order_of_classes_and_unused_ones_are_kept(tmp_path: Path) -> None:
    dataset = boxes((1, 2, 3, 4), names=("zebra", "ape", "background"))
    out = written(dataset, tmp_path / "out")
    assert out["labelmap.txt"].decode().splitlines()[:3] == [
        "# label:color_rgb:parts:actions", "zebra:0,0,0::", "ape:128,0,0::"
    ]  # fmt: skip
    assert voc.read(tmp_path / "out", OPTIONS).classes.names[:2] == ("zebra", "ape")
    assert "labelmap.txt" not in written(boxes((1, 2, 3, 4), names=("a",)), tmp_path / "sorted")


def test_a_new_document_is_what_vocs_tools_expect(tmp_path: Path) -> None:
    dataset = with_column(boxes((1.5, 2, 30.25, 4)), "occluded", [2], pa.int8())
    root = ElementTree.fromstring(written(dataset, tmp_path / "out")["Annotations/000.xml"])  # noqa: S314
    texts = [(node.tag, node.text) for node in root.iter() if len(node) == 0]
    assert texts == [
        *(("folder", "JPEGImages"), ("filename", "000.jpg"), ("database", "Unknown"), ("width", "100")),
        *(("height", "80"), ("depth", "3"), ("segmented", "0"), ("name", "cat"), ("pose", "Unspecified")),
        *(("truncated", "0"), ("occluded", "2"), ("difficult", "0")),
        *(("xmin", "1.5"), ("ymin", "2"), ("xmax", "31.75"), ("ymax", "6")),
    ]


def test_an_empty_set_and_boxes_that_voc_cannot_say(tmp_path: Path) -> None:
    assert written(boxes(names=()), tmp_path / "out") == {}
    dataset = boxes((1, 2, 0, 4), (1, 2, 3, -1), (1, 2, 3, 4))
    (loss,) = voc.losses(dataset)
    assert (loss.name, loss.rows.tolist()) == ("no-area", [True, True, False])


NAMES = [
    "<script>",
    "[/]",
    "a b",
    " padded\t",
    "new\nline",
    "../x",
    "bell\x07",
    "\ufffe",
    "_x0007_",
    "🚗",
    "&amp;",
    "a\rb",
]


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_come_back_and_are_told(tmp_path: Path, name: str) -> None:
    dataset = boxes((1, 2, 3, 4), names=(name,))
    written(dataset, tmp_path / "out")
    assert voc.read(tmp_path / "out", OPTIONS).classes.names == (name,)
    assert [loss.allowed for loss in voc.losses(dataset)] == ([True] if spelled(name) != name else [])


words = st.text(min_size=1, max_size=8).filter(lambda text: not re.search("[\ud800-\udfff]", text))
values = st.recursive(
    words | st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=4,
)
members = st.dictionaries(
    words | st.sampled_from(["pose", "part", "actions", "attributes"]), values, min_size=1, max_size=3
)
sides = st.floats(0, 1e6, allow_subnormal=False) | st.integers(0, 100_000).map(lambda number: number / 100)
PROPERTY = settings(
    max_examples=40, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@given(st.lists(st.tuples(sides, sides, sides, sides), min_size=1, max_size=4), words, members)
@PROPERTY
def test_values_of_other_formats_come_back_to_the_last_bit(tmp_path_factory, rows, name: str, extra) -> None:
    folder = tmp_path_factory.mktemp("voc")
    texts = [json.dumps(extra), *[None] * (len(rows) - 1)]
    dataset = with_column(boxes(*rows, names=(name,)), "attributes", texts, pa.string())
    written(dataset, folder)
    again = voc.read(folder, OPTIONS)
    for side in "xywh":
        assert again.annotations[side].to_pylist() == dataset.annotations[side].to_pylist()
    assert again.classes.names == (name,)
    assert json.loads(again.annotations["attributes"][0].as_py()) == extra


@given(st.text(max_size=20).filter(lambda text: not re.search("[\ud800-\udfff]", text)))
@settings(max_examples=200, derandomize=True, deadline=None)
def test_spelling_is_undone_and_well_formed(text: str) -> None:
    assert unspelled(spelled(text)) == text
    found = ElementTree.fromstring(f"<a>{escaped(text)}</a>").text  # noqa: S314
    assert (found or "") == spelled(text)


# Truth from outside: the counts that were taken when the data were fetched, and Python's own XML parser.
@pytest.mark.parametrize("name", ["bccd_voc", "raccoon_voc"])
def test_published_sets_have_their_counts_and_come_back_byte_for_byte(
    shared_data: Path, tmp_path: Path, name: str
) -> None:
    expected = json.loads((shared_data / "expected.json").read_bytes())[name]
    dataset = voc.read(shared_data / name, OPTIONS)
    assert len(dataset) == expected["images"]
    names = [dataset.classes.names[number] for number in dataset.annotations["class_id"].to_pylist()]
    assert {each: names.count(each) for each in set(names)} == expected["per_class"]
    flat = [row for row in dataset.annotations.to_pylist() if row["w"] == 0 or row["h"] == 0]
    found = [[row["x"], row["y"], row["x"] + row["w"], row["y"] + row["h"]] for row in flat]
    assert found == [box for _, _, box in expected["degenerate_boxes"]]
    for path, content in written(dataset, tmp_path / "out").items():
        assert content == (shared_data / name / path).read_bytes()
    folder = shared_data / name / expected["annotations_dir"]
    roots = [ElementTree.parse(path) for path in sorted(folder.glob("*.xml"), key=lambda path: path.stem)]  # noqa: S314
    slow = sorted(
        [float(node.findtext(f"bndbox/{tag}")) for tag in ("xmin", "ymax")]
        for root in roots
        for node in root.iter("object")
    )
    fast = dataset.annotations.to_pylist()
    assert sorted([row["x"], row["y"] + row["h"]] for row in fast) == slow


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        *(("kaggle_dataset/relaxed_voc1", 2), ("kaggle_dataset/relaxed_voc2", 2), ("voc_dataset/voc_dataset1", 2)),
        *(("voc_dataset/voc_dataset2", 4), ("voc_dataset/voc_dataset3", 1), ("roboflow_dataset/voc", 4)),
    ],
)
def test_published_oddities_come_back(shared_data: Path, tmp_path: Path, name: str, rows: int) -> None:
    folder = shared_data / "datumaro_assets/tests/assets" / name
    dataset = voc.read(folder, OPTIONS)
    assert dataset.annotations.num_rows == rows
    out = written(dataset, tmp_path / "out")
    assert out == {path: (folder / path).read_bytes() for path in out}
    assert {path for path in out if path.endswith(".xml")} == {
        str(path.relative_to(folder)) for path in folder.rglob("*.xml")
    }


def test_a_set_without_a_column_of_boxes_is_written(tmp_path: Path) -> None:
    bare = boxes((0, 0, 1, 1))
    table = bare.annotations.slice(0, 0).drop_columns(["x", "y", "w", "h"])
    (file,) = written(replace(bare, annotations=table, classes=ClassMap()), tmp_path / "out").values()
    assert file.endswith(b"\t<segmented>0</segmented>\n</annotation>\n")


def test_of_two_photos_with_one_stem_the_named_one_counts(write, tmp_path: Path) -> None:
    lay(write, document(thing(), name="a.png"))
    write("JPEGImages/a.png", size=(20, 10))
    dataset = voc.read(tmp_path, OPTIONS)
    assert dataset.images["path"].to_pylist() == ["JPEGImages/a.jpg", "JPEGImages/a.png"]
    assert dataset.annotations["image_id"].to_pylist() == [1]


def test_two_annotations_of_one_photo_are_refused(write, tmp_path: Path) -> None:
    lay(write, document(thing()))
    write("Annotations/b.xml", content=document(thing()))
    with pytest.raises(DataError) as refused:
        voc.read(tmp_path, OPTIONS)
    assert refused.value.details == ("Annotations/b.xml: JPEGImages/a.jpg has Annotations/a.xml already",)
