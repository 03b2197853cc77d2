"""`mapping`: the page's own files are read, every convention, and what a mapping or a program may do wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vision_cli.core.errors import DataError, MissingPartError, UsageError, VisionError
from vision_cli.formats import ReadOptions, WriteOptions, mapping
from vision_cli.formats.mapping.fields import Item, parse_field, parse_template

PAGE = Path(__file__).parents[2] / "docs/formats_of_your_own.md"
BLOCK = re.compile(r"^```\w+ file=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def photo(path: Path, size: tuple[int, int] = (640, 480)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Return a folder with the files of the page, and the photos that they speak of."""
    found = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert [name for name, _ in found] == [
        *("drive/frames.json", "drive.yaml", "boxes/boxes.csv", "boxes.yaml", "scales/monday.log", "scales.py")
    ]
    for name, text in found:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    for name in ("drive/images/0001.png", "drive/images/0002.png", "scales/truck.png", "scales/empty.png"):
        photo(tmp_path / name)
    photo(tmp_path / "boxes/a.png", (200, 100))
    photo(tmp_path / "boxes/b.png", (20, 10))
    return tmp_path


def read(folder: Path, name: str, file: str) -> Any:
    return mapping.read(folder / name, ReadOptions("mine", mapping=folder / file))


def rows(dataset: Any, *names: str) -> list[tuple[Any, ...]]:
    table = dataset.annotations.to_pylist()
    return [(dataset.classes.names[row["class_id"]], *(row[name] for name in names)) for row in table]


def test_the_pages_yaml_reads_the_pages_json(page: Path) -> None:
    dataset = read(page, "drive", "drive.yaml")
    images = dataset.images.to_pylist()
    assert [(i["path"], i["width"], i["height"], i["split"], i["source_id"]) for i in images] == [
        ("images/0001.png", 640, 480, "train", "f-0001"),
        ("images/0002.png", 640, 480, "val", "f-0002"),
    ]
    assert [(i["captured_at"], i["rain"]) for i in images] == [
        ("2026-03-01T20:14:05", True),
        ("2026-03-01T20:14:06", False),
    ]
    assert rows(dataset, "x", "y", "w", "h", "score", "source_id", "attributes") == [
        ("car", 160, 240, 160, 120, 0.93, "a7", '{"color":"red"}'),
        ("pedestrian", 320, 240, 80, 180, None, "a8", None),
    ]
    outline = dataset.annotations["outline"].to_pylist()[1]
    assert json.loads(outline) == [[320, 240, 400, 240, 360, 420]]
    assert dataset.annotations["outline_parts"].to_pylist() == [None, 1]
    assert all(path.is_file() for path in dataset.paths())
    assert dataset.origins["mine"].class_ids == {"car": 1, "pedestrian": 2}


def test_the_pages_yaml_reads_the_pages_table(page: Path) -> None:
    dataset = read(page, "boxes", "boxes.yaml")
    assert dataset.images["path"].to_pylist() == ["a.png", "b.png"]
    assert rows(dataset, "x", "y", "w", "h") == [("car", 75, 25, 50, 50), ("bus", 40, 20, 20, 10)]


def test_the_pages_program_reads_and_writes_the_pages_log(page: Path, tmp_path: Path) -> None:
    dataset = read(page, "scales", "scales.py")
    assert dataset.images["captured_at"].to_pylist() == ["monday 07:31", "monday 07:40"]
    assert rows(dataset, "x", "y", "w", "h") == [("lorry", 12, 40, 188, 80), ("trailer", 220.5, 40, 39.5, 80)]
    target = tmp_path / "out"
    target.mkdir()
    written = mapping.write(dataset, target, WriteOptions(mapping=page / "scales.py"))
    assert written.photos == ["truck.png", "empty.png"]
    assert (target / "day.log").read_text() == (page / "scales/monday.log").read_text()


def test_nobodys_format_is_detected(page: Path) -> None:
    assert [mapping.detect(page / name) for name in ("drive", "boxes", "scales")] == [None] * 3


@pytest.mark.parametrize(
    ("form", "unit", "numbers"),
    [
        ("xywh", "pixels", [20, 10, 50, 20]),
        ("xyxy", "pixels", [20, 10, 70, 30]),
        ("cxcywh", "pixels", [45, 20, 50, 20]),
        ("xyxy", "percent", [10, 10, 35, 30]),
        ("cxcywh", "shares", [0.225, 0.2, 0.25, 0.2]),
        ("xywh", "shares", ["0.1", "0.1", "0.25", "0.2"]),
        ("xywh", "pixels", "20 10 50 20"),
    ],
)
def test_every_convention_of_a_box_gives_the_same_pixels(form: str, unit: str, numbers: Any, tmp_path: Path) -> None:
    record = {"path": "a.png", "w": 200, "h": 100, "objects": [{"box": numbers}]}
    text = "photos: {files: a.json, path: path, width: w, height: h}\n"
    text += f"objects: {{each: 'objects[*]', box: box, form: {form}, unit: {unit}}}"
    dataset = yaml_read(tmp_path, text, record)
    found = dataset.annotations.to_pylist()[0]
    assert [found[name] for name in "xywh"] == pytest.approx([20, 10, 50, 20], abs=1e-12)
    assert found["class_id"] is None


def yaml_read(folder: Path, text: str, document: Any) -> Any:
    (folder / "a.json").write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    (folder / "m.yaml").write_text(text, encoding="utf-8")
    return mapping.read(folder, ReadOptions("mine", mapping=folder / "m.yaml"))


def test_a_width_between_decimals_is_what_it_is_on_paper(tmp_path: Path) -> None:
    text = "photos: {files: a.json, path: p, width: w, height: w}\nobjects: {box: [l, t, r, b], form: xyxy}"
    dataset = yaml_read(tmp_path, text, {"p": "a.png", "w": 900, "l": 599.41, "t": 156.4, "r": 640.24, "b": 189.25})
    row = dataset.annotations.to_pylist()[0]
    assert (row["x"], row["y"], row["w"], row["h"]) == (599.41, 156.4, 40.83, 32.85)


@pytest.mark.parametrize(
    "points",
    [
        [1, 2, 3, 4, 5, 6],
        [[1, 2], [3, 4], [5, 6]],
        [{"x": 1, "y": 2}, {"x": 3, "y": 4}, {"x": 5, "y": 6}],
        [[1, 2, 3, 4, 5, 6]],
    ],
)
def test_every_way_to_write_a_polygon(points: Any, tmp_path: Path) -> None:
    text = "photos: {files: a.json, path: p, width: w, height: w}\nobjects: {each: 'o[*]', polygon: points}"
    dataset = yaml_read(tmp_path, text, {"p": "a.png", "w": 9, "o": [{"points": points}, {"points": []}]})
    assert json.loads(dataset.annotations["outline"].to_pylist()[0]) == [[1, 2, 3, 4, 5, 6]]


def test_objects_in_files_of_their_own_find_their_photos(tmp_path: Path) -> None:
    (tmp_path / "o").mkdir()
    text = '{"of": 7, "name": "a", "x": "\u2028"}\n\n{"of": 8, "name": "b"}\n'  # a line to Python, not to JSON
    (tmp_path / "o/1.jsonl").write_text(text, encoding="utf-8")
    (tmp_path / "o/2.csv").write_text("of,name\nx/b.png,c\n")
    text = """
photos: {files: a.json, each: "[*]", folder: x, path: p, id: id, width: s, height: s, label: all}
objects: {files: "o/*", photo: of, label: name}
"""
    document = [{"p": "a.png", "id": 7, "s": 5, "all": ["whole", "photo"]}, {"p": "b.png", "id": 8, "s": 5}]
    with pytest.raises(DataError) as caught:
        yaml_read(tmp_path, text, document)
    assert "1 objects of no photo" in caught.value.message
    assert "o/2.csv:2: there is no photo 'x/b.png'" in caught.value.details[0]
    (tmp_path / "o/2.csv").write_text("of,name\nb.png,c\n")
    dataset = yaml_read(tmp_path, text, document)
    assert [(row["image_id"], dataset.classes.names[row["class_id"]]) for row in dataset.annotations.to_pylist()] == [
        *((0, "whole"), (0, "photo"), (0, "a"), (1, "b"), (1, "c"))
    ]


def test_names_of_files_and_keys_are_fields(tmp_path: Path) -> None:
    for name in ("day/one", "day/deep/two"):
        (tmp_path / f"{name}.json").parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{name}.json").write_text('{"boxes": {"dog": [1, 2, 3, 4]}}')
        photo(tmp_path / f"{name}.png", (8, 6))
    (tmp_path / "m.yaml").write_text(
        """
photos: {files: "**/*.json", path: "{@file}.png", id: "@name"}
objects: {each: "boxes[*]", label: "@key", box: ["[0]", "[1]", "[2]", "[3]"]}
"""
    )
    dataset = mapping.read(tmp_path, ReadOptions("mine", mapping=tmp_path / "m.yaml"))
    assert dataset.images["path"].to_pylist() == ["day/deep/two.png", "day/one.png"]
    assert dataset.images["source_id"].to_pylist() == ["two", "one"]
    assert dataset.images["width"].to_pylist() == [8, 8]
    assert rows(dataset, "x", "y", "w", "h") == [("dog", 1, 2, 3, 4)] * 2


PHOTOS = "photos: {files: a.json, path: p, width: w, height: w}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "photos"),
        ("photos: {files: a.json}", "photos.path: Field required"),
        (PHOTOS + "objcts: {}", "m.yaml:2: objcts: unknown key; did you mean 'objects'?"),
        (PHOTOS + "objects:\n  boxx: b", "m.yaml:3: objects.boxx: unknown key; did you mean 'box'?"),
        (PHOTOS + "objects: {form: yxyx}", "objects.form: Input should be 'xywh', 'xyxy' or 'cxcywh'"),
        (PHOTOS + "objects: {box: [a, b, c]}", "one field of four numbers or four fields, not 3"),
        (PHOTOS + "objects: {files: x.json}", "`files` and `photo` go together"),
        (PHOTOS + "objects: {label: 'a..b'}", "'a..b' is no field"),
        (PHOTOS + "classes: [a, a]", "a name stands twice"),
        ("photos: {files: a.json, path: '{a'}", "a brace is not closed"),
        ("photos: !!python/object/apply:os.system [true]", "m.yaml:1"),
        ("photos: [", "not valid YAML"),
    ],
)
def test_a_wrong_mapping_is_named_with_its_line(text: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        yaml_read(tmp_path, text or "{}", {"p": "a.png", "w": 5})
    if text.startswith("objects") or "classes" in text:
        assert caught.value.exit_code == 2
    assert expected in "\n".join([caught.value.message, *caught.value.details])


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"p": "../../etc/passwd", "w": 5}, "leads out of"),
        ({"p": "/etc/passwd", "w": 5}, "leads out of"),
        ({"p": 5, "w": 5}, "the photo's path 'p' is 5"),
        ({"p": None, "w": 5}, "the photo's path 'p' is None"),
        ({"p": "a.png", "w": -5}, "-5 is no width or height"),
        ({"p": "a.png", "w": "1_0"}, "'1_0' is no number"),
        ({"p": "a.png", "w": 5, "box": [1, 2, 3]}, "has not four numbers"),
        ({"p": "a.png", "w": 5, "box": [1, 2, -3, 4]}, "negative"),
        ({"p": "a.png", "w": 5, "box": [1, 2, "nan", 4]}, "'nan' is no number"),
        ({"p": "a.png", "w": 5, "box": [1, 2, "٣", 4]}, "is no number"),
        ({"p": "a.png", "w": 5, "box": [1, 2, 3, True]}, "True is no finite number"),
        ({"p": "a.png", "w": 5, "kind": {"a": 1}}, "neither name nor number"),
        ({"p": "a.png", "w": 5, "poly": [1, 2, 3]}, "polygon"),
        ({"p": "a.png", "w": 5, "poly": [1, 2, 3, 4, 5, 1e9]}, "coordinate"),
        ('{"p": "a.png", "p": "b.png"}', "the key 'p' is repeated"),
        ('{"p": "a.png", "w": NaN}', "NaN is no JSON number"),
        ('{"p": "a.png"', "no JSON at character"),
        ("[" * 100_000, "nested too deeply"),
        ("\xff", "no JSON at character 0"),
        ({"p": "none.png", "w": None}, "none.png is not in"),
    ],
)
def test_a_wrong_record_is_refused_with_its_file(document: Any, expected: str, tmp_path: Path) -> None:
    if isinstance(document, dict):
        document = {"box": None, "kind": None, "poly": None, **document}
    with pytest.raises(DataError) as caught:
        yaml_read(tmp_path, PHOTOS + "objects: {box: box, label: kind, polygon: poly}", document)
    told = "\n".join([caught.value.message, *caught.value.details])
    assert expected in told
    assert "a.json" in told or "none.png" in told


def test_a_list_may_be_empty_and_must_be_there(tmp_path: Path) -> None:
    text = 'photos: {files: a.json, each: "frames[*]", path: p}'
    with pytest.raises(DataError, match="no photo is described"):
        yaml_read(tmp_path, text, {"frames": []})
    with pytest.raises(DataError, match=r"nothing is at .* did you mean 'Frames'"):
        yaml_read(tmp_path, text, {"Frames": []})
    with pytest.raises(DataError, match="no file is called"):
        yaml_read(tmp_path, text.replace("a.json", "b*.json"), {})
    with pytest.raises(DataError, match="leads out"):
        yaml_read(tmp_path, text.replace("a.json", "../*.json"), {})


DRIVE_TYPOS = [
    ('path: "{image.name}"', 'path: "{image.nmae}"', "drive.yaml:4: photos.path", "name"),
    ("width: image.size[0]", "width: image.size[2]", "drive.yaml:6: photos.width", None),
    ('id: "@key"', 'id: "@kye"', "drive.yaml:8: photos.id", None),
    ("split: set", "split: sett", "drive.yaml:9: photos.split", "set"),
    ("rain: weather.rain", "rain: weather.rian", "drive.yaml:12: photos.metadata.rain", "rain"),
    ("each: objects[*]", "each: objcts[*]", "drive.yaml:14: objects.each", "objects"),
    ("label: type", "label: tpye", "drive.yaml:15: objects.label", "type"),
    ("box: ltrb", "box: ltbr", "drive.yaml:16: objects.box", "ltrb"),
    ("polygon: outline", "polygon: outlin", "drive.yaml:19: objects.polygon", "outline"),
    ("score: sure", "score: shure", "drive.yaml:20: objects.score", "sure"),
    ("attributes: [color]", "attributes: [colour]", "drive.yaml:22: objects.attributes.colour", "color"),
]


@pytest.mark.parametrize(("right", "wrong", "where", "guess"), DRIVE_TYPOS)
def test_a_field_that_no_record_has_is_refused_with_a_guess(
    right: str, wrong: str, where: str, guess: str | None, page: Path
) -> None:
    text = (page / "drive.yaml").read_text()
    assert right in text
    (page / "drive.yaml").write_text(text.replace(right, wrong))
    with pytest.raises(DataError) as caught:
        read(page, "drive", "drive.yaml")
    assert where in caught.value.message
    assert guess is None or f"did you mean '{guess}'?" in caught.value.message


def test_all_fields_that_no_record_has_are_told_at_once(page: Path) -> None:
    text = (page / "drive.yaml").read_text()
    for right, wrong, _, _ in DRIVE_TYPOS[:5] + DRIVE_TYPOS[6:]:
        text = text.replace(right, wrong)
    (page / "drive.yaml").write_text(text)
    with pytest.raises(DataError, match="10 fields are in no record") as caught:
        read(page, "drive", "drive.yaml")
    assert len(caught.value.details) == 10


@pytest.mark.parametrize("name", ["kinf", "cy2"])
def test_a_column_that_a_table_has_not_is_refused(name: str, page: Path) -> None:
    right = {"kinf": "kind", "cy2": "cy"}[name]
    (page / "boxes.yaml").write_text((page / "boxes.yaml").read_text().replace(right, name, 1))
    with pytest.raises(DataError, match=f"'{name}'; did you mean '{right}'"):
        read(page, "boxes", "boxes.yaml")


def test_a_column_of_empty_cells_is_there(tmp_path: Path) -> None:
    photo(tmp_path / "a.png", (200, 100))
    (tmp_path / "a.csv").write_text("p,kind,x,y,w,h\na.png,,,,,\n")
    (tmp_path / "m.yaml").write_text("photos: {files: a.csv, path: p}\nobjects: {label: kind, box: [x, y, w, h]}")
    assert len(mapping.read(tmp_path, ReadOptions("mine", mapping=tmp_path / "m.yaml"))) == 1


def test_what_empty_records_would_hold_is_not_missed(tmp_path: Path) -> None:
    text = "photos: {files: a.json, each: '[*]', path: p, width: w, height: w, metadata: {rain: weather.rain}}\n"
    text += "objects: {each: 'objects[*]', label: kind, box: 'ends[0].box'}"
    record = {"p": "a.png", "w": 9, "weather": None, "objects": []}
    assert len(yaml_read(tmp_path, text, [record])) == 1
    some = {**record, "p": "b.png", "weather": {"rain": True}, "objects": [{"kind": "car", "ends": []}]}
    assert yaml_read(tmp_path, text, [record, some]).annotations.num_rows == 1


def test_fields_are_walked_without_recursion() -> None:
    document = {"a": [{"b": {"x.y": 1}}, {"b": {"x.y": 2}}, {"c": 3}]}
    item = Item(document, {"@row": "4"})
    assert parse_field("a[*].b['x.y']").of(item) == [1, 2]
    assert parse_field("a[2].c").of(item) == 3
    assert parse_field("a[9].c").of(item) is None
    assert parse_field("@row").of(item) == "4"
    assert parse_template("n{@row}-{a[2].c}.png").of(item) == "n4-3.png"
    assert parse_template("{a}.png").of(item) is None


def program(folder: Path, text: str) -> Any:
    (folder / "ours.py").write_text(text, encoding="utf-8")
    return mapping.read(folder, ReadOptions("mine", mapping=folder / "ours.py"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def read(path:\n", "ours.py:1: no Python"),
        ("import os\n1 / 0\n", "ours.py:2: it raised ZeroDivisionError"),
        ("def read(path):\n    x = {}\n    return x['images']\n", "ours.py:3: read raised KeyError: 'images'"),
        ("def read(path):\n    return 5\n", "read returned no dict"),
        ("def read(path):\n    return {'images': {'path': ['a.png']}, 'boxes': {}}\n", "unknown members: boxes"),
        ("def read(path):\n    return {'images': {'width': [5]}}\n", "images.path is missing"),
        ("def read(path):\n    return {'images': {'path': ['a'], 'width': [5, 6]}}\n", "differ in length"),
        ("def read(path):\n    return {'images': {'path': ['../a'], 'width': [5]}}\n", "leads out of"),
        ("def read(path):\n    return {'images': {'path': [5]}}\n", "images.path"),
        ("def read(path):\n    return {'images': {'path': ['a.png']}}\n", "a.png is not in"),
        ("def read(path):\n    return {'images': {'path': []}, 'pixels': 'odd'}\n", "pixels is one of"),
        ("def write(path):\n    pass\n", "there is no function 'read'"),
    ],
)
def test_a_wrong_program_is_named_with_its_line(text: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(VisionError) as caught:
        program(tmp_path, text)
    assert isinstance(caught.value, DataError | MissingPartError)
    assert expected in "\n".join([caught.value.message, *caught.value.details])


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ("'image': [3], 'label': ['a']", "there is no photo 3"),
        ("'image': ['b.png'], 'label': ['a']", "there is no photo 'b.png'"),
        ("'image': [0], 'label': [5]", "5 is no class name"),
        ("'image': [0], 'colour': ['red']", "annotations.colour is no column"),
        ("'image': [0], 'x': [1.0]", "a box has x, y, w and h"),
        ("'image': [0], 'x': [1.0], 'y': [1.0], 'w': [-1.0], 'h': [1.0]", "negative side"),
        ("'image': [0], 'x': [1.0], 'y': [float('nan')], 'w': [1.0], 'h': [1.0]", "is not four numbers"),
        ("'image': [0], 'outline': [[[1, 2, 3]]]", "annotations.outline[0]"),
        ("'image': [0], 'score': ['high']", "annotations.score"),
    ],
)
def test_wrong_annotations_of_a_program_are_refused(columns: str, expected: str, tmp_path: Path) -> None:
    images = "{'path': ['a.png'], 'width': [5], 'height': [5]}"
    with pytest.raises(DataError) as caught:
        program(tmp_path, f"def read(path):\n    return {{'images': {images}, 'annotations': {{{columns}}}}}\n")
    assert expected in "\n".join([caught.value.message, *caught.value.details])


def test_a_program_keeps_every_column(tmp_path: Path) -> None:
    text = """
def read(path):
    images = {"path": ["a.png", "b.png"], "width": [5, 6], "height": [5, 6], "scene": ["x", None]}
    annotations = {"image": [1, "a.png"], "label": ["cat", None], "outline": [[[0, 0, 1, 0, 1, 1]], None],
                   "attributes": [{"b": 1, "a": [2]}, None], "difficult": [True, None], "value": [None, 2.5]}
    return {"images": images, "annotations": annotations, "notes": ["half of it"], "pixels": "inclusive-1"}
"""
    dataset = program(tmp_path, text)
    first, second = dataset.annotations.to_pylist()
    assert first["attributes"] == '{"b":1,"a":[2]}'
    assert (first["image_id"], second["image_id"], second["value"], first["outline_parts"]) == (1, 0, 2.5, 1)
    assert dataset.notes == ("half of it",)
    assert dataset.origins["mine"].pixels == "inclusive-1"
    assert dataset.images["scene"].to_pylist() == ["x", None]


@pytest.mark.parametrize("returned", ["['a']", "['../a', 'b']", "['/a', 'b']", "5"])
def test_wrong_paths_of_a_programs_write_are_refused(returned: str, page: Path, tmp_path: Path) -> None:
    dataset = read(page, "scales", "scales.py")
    (tmp_path / "w.py").write_text(f"def write(path, columns):\n    return {returned}\n")
    with pytest.raises(DataError, match="write returned"):
        mapping.write(dataset, tmp_path, WriteOptions(mapping=tmp_path / "w.py"))


@pytest.mark.parametrize("file", [None, "x.txt"])
def test_without_a_mapping_nothing_is_guessed(file: str | None, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs a file that ends in"):
        mapping.read(tmp_path, ReadOptions("mine", mapping=None if file is None else tmp_path / file))
    with pytest.raises(UsageError, match=r"ends in \.py"):
        mapping.write(None, tmp_path, WriteOptions(mapping=tmp_path / "x.yaml"))  # type: ignore[arg-type]
