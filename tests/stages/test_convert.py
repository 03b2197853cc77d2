"""Conversions of whole data sets: what is written, what is refused, and what stays as it was."""

import json
import os
from dataclasses import replace
from pathlib import Path

import convert_sets as sets
import numpy as np
import pyarrow.compute as pc
import pytest

from vision_cli import formats
from vision_cli.core.conservation import Loss
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError, ResourceError, UsageError
from vision_cli.formats import ReadOptions, kitti, yolo
from vision_cli.stages import target_folder
from vision_cli.stages.converting import convert as stage
from vision_cli.stages.converting.convert import ConvertRequest, convert

FLAGS = frozenset({"truncated", "occluded", "3d"})


@pytest.fixture
def source(tmp_path):
    return sets.kitti(tmp_path / "kitti")


@pytest.fixture
def request_of(source, tmp_path):
    def make(to="yolo", **settings):
        return ConvertRequest(source, tmp_path / "out", to, **{"source_format": "kitti", "allowed": FLAGS, **settings})

    return make


def test_the_report_counts_what_went_in_and_out(request_of, tmp_path):
    done = convert(request_of(verify=True))
    report = done.report
    assert done.written
    assert done.ok
    assert (report.source_format, report.target_format) == ("kitti", "yolo")
    assert (report.images.before, report.images.after, report.unlabelled) == (3, 3, 1)
    assert (report.annotations.before, report.annotations.after) == (4, 4)
    assert report.annotations.changed == {"truncated left out": 1, "occluded left out": 2, "box in 3D left out": 3}
    assert {line.name: (line.target_id, line.annotations.before) for line in report.classes} == {
        "Car": (0, 2),
        "DontCare": (1, 1),
        "Pedestrian": (2, 1),
    }
    assert done.verification.boxes == 4
    assert sets.names(tmp_path) == ["kitti", "out"]


def test_numbers_are_kept_or_shifted_as_asked(request_of, tmp_path):
    """10.50 to 30.50 with the last pixel inclusive is 21 pixels wide."""
    kept, shifted = (convert(request_of(pixels=pixels, force=True)).report for pixels in ("keep", "target"))
    assert (kept.source_pixels, kept.target_pixels) == ("inclusive-0", "inclusive-0")
    assert (shifted.source_pixels, shifted.target_pixels) == ("inclusive-0", "exclusive")
    row = next(tmp_path.glob("out/labels/*/000001.txt")).read_text().splitlines()[0]
    _, x, y, width, height = map(float, row.split())
    assert width * 64 == pytest.approx(21, abs=1e-6)
    assert height * 48 == pytest.approx(11, abs=1e-6)
    assert (x - width / 2) * 64 == pytest.approx(10.5, abs=1e-6)
    assert (y - height / 2) * 48 == pytest.approx(4.25, abs=1e-6)


def test_the_user_knows_the_convention_better(request_of):
    report = convert(request_of(source_pixels="exclusive", pixels="target")).report
    assert (report.source_pixels, report.target_pixels) == ("exclusive", "exclusive")


def test_a_same_format_copy_is_byte_identical(request_of, source, tmp_path):
    (source / "training" / "calib").mkdir()
    (source / "training" / "calib" / "000001.txt").write_text("P0: 1 2 3\n")
    convert(request_of("kitti", allowed=frozenset(), verify=True))
    assert sets.tree(tmp_path / "out") == sets.tree(source)


def test_a_loss_that_is_not_allowed_writes_nothing(request_of, source, tmp_path):
    before = sets.tree(source)
    done = convert(request_of(allowed=frozenset({"occluded"})))
    assert not done.ok
    assert not done.written
    assert done.report.not_allowed == ["truncated", "3d"]
    assert done.report.annotations.changed == {"truncated left out": 1, "occluded left out": 2, "box in 3D left out": 3}
    assert sets.names(tmp_path) == ["kitti"]
    assert sets.tree(source) == before


def test_all_allows_every_loss(request_of):
    assert convert(request_of(allowed=frozenset({"all"}))).written


def test_a_dry_run_writes_nothing(request_of, tmp_path):
    done = convert(request_of(dry_run=True))
    assert done.ok
    assert not done.written
    assert sets.names(tmp_path) == ["kitti"]


def test_same_bytes_from_1_or_8_workers(request_of, tmp_path):
    trees = []
    for workers in (1, 8):
        convert(request_of(workers=workers, force=True))
        trees.append(sets.tree(tmp_path / "out"))
    assert trees[0] == trees[1]


@pytest.mark.parametrize("images", ["copy", "hardlink", "symlink"])
def test_photos_are_there(request_of, source, tmp_path, images):
    convert(request_of(images=images, verify=True))
    (photo,) = (tmp_path / "out" / "images").rglob("000001.jpg")
    original = source / "training" / "image_2" / "000001.jpg"
    assert photo.read_bytes() == original.read_bytes()
    assert photo.is_symlink() == (images == "symlink")
    assert photo.samefile(original) == (images != "copy")


@pytest.mark.parametrize("to", ["yolo", "voc", "coco", "kitti", "csv"])
def test_linked_photos_are_read_again_with_the_permission_alone(request_of, source, tmp_path, to):
    done = convert(request_of(to, images="symlink", allowed=frozenset({"all"}), verify=True))
    assert any("--follow-links" in note for note in done.report.notes)
    before = sets.tree(source)
    back = ConvertRequest(tmp_path / "out", tmp_path / "back", "kitti", allowed=frozenset({"all"}), source_format=to)
    with pytest.raises(DataError, match=r"refused|lie outside|leads out|bad ") as caught:
        convert(back)
    assert caught.value.exit_code == 3
    assert not (tmp_path / "back").exists()
    again = convert(replace(back, links="follow", source_format=None))
    assert again.written
    assert again.report.annotations.after == 4
    photos = sorted((tmp_path / "back").rglob("*.jpg"))
    assert len(photos) == 3
    assert not any(photo.is_symlink() for photo in photos)
    assert sets.tree(source) == before


def test_unused_classes_are_told(tmp_path):
    sets.photo(tmp_path / "coco" / "images" / "a.jpg")
    image = {"id": 1, "file_name": "a.jpg", "width": 64, "height": 48}
    box = {"id": 1, "image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0}
    categories = [{"id": number, "name": name} for number, name in ((1, "cat"), (2, "dog"), (7, "owl"))]
    (tmp_path / "coco" / "labels.json").write_text(
        json.dumps({"images": [image], "annotations": [box], "categories": categories})
    )
    notes = []
    for to in ("yolo", "kitti"):
        request = ConvertRequest(tmp_path / "coco", tmp_path / to, to, allowed=frozenset({"all"}))
        notes += [note for note in convert(request).report.notes if "Classes without" in note]
    assert notes == [
        "Classes without annotation stay in the list of classes: cat, owl.",
        "Classes without annotation are not in the target: cat, owl.",
    ]
    assert len(yolo.read(tmp_path / "yolo", ReadOptions("data")).classes) == 3


def test_text_ids_become_numbers_where_a_format_has_numbers_alone(tmp_path):
    sets.photo(tmp_path / "ours" / "a.jpg")
    rows = "path,id,label,xmin,ymin,xmax,ymax,source_id\n"
    rows += "a.jpg,f-1,cat,1,2,10,20,a7\na.jpg,f-1,cat,3,4,10,20,a8\n"
    (tmp_path / "ours" / "labels.csv").write_text(rows)
    request = ConvertRequest(tmp_path / "ours", tmp_path / "coco", "coco", verify=True)
    done = convert(request)
    assert done.written, done.verification
    assert done.report.annotations.changed == {"id -> new number": 2}
    document = json.loads((tmp_path / "coco" / "annotations" / "instances.json").read_text())
    assert [row["id"] for row in document["annotations"]] == [1, 2]


PROGRAM = """
def write(path, columns):
    images, annotations = columns["images"], columns["annotations"]
    with open(path / "all.txt", "w") as file:
        for photo, label, x in zip(annotations["image"], annotations["label"], annotations["x"]):
            print(images["path"][photo], label, {shift} + x, file=file)
    return [f"photos/{{name}}" for name in images["path"]]


def read(path):
    rows = [line.split() for line in (path / "all.txt").read_text().splitlines()]
    photos = sorted(file.name for file in (path / "photos").iterdir())
    annotations = {{"image": [f"photos/{{row[0]}}" for row in rows], "label": [row[1] for row in rows]}}
    boxes = {{"x": [float(row[2]) for row in rows], **{{name: [1.0] * len(rows) for name in "ywh"}}}}
    return {{"images": {{"path": [f"photos/{{name}}" for name in photos]}}, "annotations": {{**annotations, **boxes}}}}
"""


def test_a_program_of_ones_own_is_a_target(request_of, tmp_path):
    program = tmp_path / "ours.py"
    program.write_text(PROGRAM.format(shift=0))
    done = convert(request_of("mapping", mapping=program, allowed=frozenset()))
    assert done.written
    assert (done.report.source_format, done.report.target_format) == ("kitti", "mapping")
    lines = (tmp_path / "out" / "all.txt").read_text().splitlines()
    assert lines == [
        "000001.jpg Car 10.5",
        "000001.jpg Pedestrian 40.0",
        "000001.jpg DontCare 50.0",
        "000002.jpg Car 5.0",
    ]
    assert len(list((tmp_path / "out" / "photos").glob("*.jpg"))) == 3


def test_what_a_program_reads_back_otherwise_is_not_written(request_of, tmp_path):
    program = tmp_path / "ours.py"
    program.write_text(PROGRAM.format(shift=0))
    done = convert(request_of("mapping", mapping=program, verify=True))
    assert not done.ok
    assert any("4 boxes are others" in each for each in done.verification.differences)
    assert sets.names(tmp_path) == ["kitti", "ours.py"]


@pytest.mark.parametrize(("mapping", "message"), [(None, "none is given"), ("ours.yaml", "ours.yaml is neither")])
def test_a_target_of_ones_own_needs_a_program(request_of, tmp_path, mapping, message):
    file = None if mapping is None else tmp_path / mapping
    with pytest.raises(UsageError, match=message):
        convert(request_of("mapping", mapping=file))
    assert sets.names(tmp_path) == ["kitti"]


def test_labels_alone(request_of, tmp_path):
    done = convert(request_of(images="none", verify=True))
    assert done.written
    assert not list((tmp_path / "out").rglob("*.jpg"))
    assert len(list((tmp_path / "out").rglob("0*.txt"))) >= 2


def test_photos_that_are_not_there(source, request_of, tmp_path, monkeypatch):
    """A reader may let them pass; what is not there cannot be copied."""
    reader = kitti.read

    def read(path, options):
        dataset = reader(path, options)
        (source / "training" / "image_2" / "000002.jpg").unlink()
        return dataset

    monkeypatch.setattr(kitti, "read", read)
    done = convert(request_of())
    assert done.report.not_allowed == ["no-image"]
    assert done.report.images.dropped == {"no such image": 1}
    assert done.report.annotations.dropped == {"no such image": 1}
    sets.photo(source / "training" / "image_2" / "000002.jpg")
    done = convert(request_of(allowed=FLAGS | {"no-image"}))
    assert done.written
    assert [path.name for path in sorted((tmp_path / "out").rglob("*.jpg"))] == ["000001.jpg", "000003.jpg"]
    assert {line.name: line.annotations.after for line in done.report.classes} == {
        "Car": 1,
        "DontCare": 1,
        "Pedestrian": 1,
    }


def test_photos_behind_a_link_out_of_the_source_are_refused(request_of, source, tmp_path, monkeypatch):
    secret = tmp_path / "secret.jpg"
    sets.photo(secret)
    reader = kitti.read

    def read(path, options):
        dataset = reader(path, options)
        photo = source / "training" / "image_2" / "000002.jpg"
        photo.unlink()
        photo.symlink_to(secret)
        return dataset

    monkeypatch.setattr(kitti, "read", read)
    with pytest.raises(DataError, match="1 photos lie outside") as caught:
        convert(request_of())
    assert caught.value.details == ("training/image_2/000002.jpg",)
    assert not (tmp_path / "out").exists()


def test_a_target_that_is_not_empty_needs_force(request_of, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty") as caught:
        convert(request_of())
    assert "--force" in caught.value.hint
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"
    convert(request_of(force=True))
    assert not (tmp_path / "out" / "mine.txt").exists()
    assert sets.names(tmp_path) == ["kitti", "out"]


def test_an_empty_target_is_taken(request_of, tmp_path):
    (tmp_path / "out").mkdir()
    assert convert(request_of()).written


@pytest.mark.parametrize("place", ["kitti/out", "kitti", ".", "kitti/training/../new", "link/out"])
def test_the_source_is_never_in_the_way(request_of, source, tmp_path, place):
    (tmp_path / "link").symlink_to(source)
    before = sets.tree(source)
    with pytest.raises(UsageError, match=r"inside the source|holds the"):
        convert(replace(request_of(force=True), target=tmp_path / place))
    assert sets.tree(source) == before


def test_where_we_stand_is_no_target(request_of, tmp_path, monkeypatch):
    (tmp_path / "out" / "here").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "out" / "here")
    with pytest.raises(UsageError, match="the folder you work in"):
        convert(request_of(force=True))


def test_a_file_is_no_target(request_of, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(UsageError, match="is a file"):
        convert(request_of(force=True))


def test_a_read_only_place_is_refused_before_the_work(request_of, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(kitti, "read", lambda *_: pytest.fail("read before the place was checked"))
    with pytest.raises(ResourceError, match="is read-only"):
        convert(request_of())


def test_a_full_disk_is_refused_before_the_work(request_of, tmp_path, monkeypatch):
    monkeypatch.setattr(target_folder, "free_mb", lambda _: 1.0)
    with pytest.raises(ResourceError, match=r"5\d MB are needed and 1 MB are free"):
        convert(request_of())
    assert sets.names(tmp_path) == ["kitti"]


def test_a_full_disk_in_the_middle_leaves_nothing(request_of, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    convert(request_of())
    before = sets.tree(tmp_path / "out")
    monkeypatch.setattr(stage.photo_copies.shutil, "copyfile", full)
    with pytest.raises(ResourceError, match="No space left"):
        convert(request_of(force=True))
    assert sets.tree(tmp_path / "out") == before
    assert sets.names(tmp_path) == ["kitti", "out"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"to": "imagefolders"}, "unknown dataset format 'imagefolders'"),
        ({"to": "kitti", "source_format": "kity"}, "unknown dataset format 'kity'"),
        ({"allowed": frozenset({"polygones"})}, "no loss is called 'polygones'"),
        ({"mapping": Path("ours.yaml"), "source_format": "csv"}, "--mapping describes the source"),
    ],
)
def test_misspelt_names_are_refused_with_a_guess(request_of, settings, message):
    with pytest.raises(UsageError, match=message) as caught:
        convert(request_of(**settings))
    assert caught.value.hint


def test_a_format_that_is_only_read_is_no_target(request_of, monkeypatch):
    monkeypatch.delattr(yolo, "write")
    with pytest.raises(UsageError, match="'yolo' is only read") as caught:
        convert(request_of())
    assert "vision data formats" in caught.value.hint


def test_a_source_that_is_not_there(request_of, tmp_path):
    for name in (None, "kitti"):  # found by itself, or said
        with pytest.raises(DataError, match="there is no such file or folder"):
            convert(replace(request_of(source_format=name), source=tmp_path / "nowhere"))


def test_verify_finds_a_writer_that_moves_boxes(request_of, tmp_path, monkeypatch):
    writer = yolo.write

    def write(dataset, folder, options):
        table = dataset.annotations
        at = table.schema.get_field_index("x")
        moved = table.set_column(at, "x", pc.add(table["x"], 1.0))
        return writer(replace(dataset, annotations=moved), folder, options)

    monkeypatch.setattr(yolo, "write", write)
    done = convert(request_of(verify=True))
    assert not done.ok
    assert not done.written
    assert "4 boxes are others" in done.verification.differences[0]
    assert sets.names(tmp_path) == ["kitti"]
    assert convert(request_of()).written


def test_verify_finds_a_writer_that_drops_rows_or_swaps_classes(request_of, tmp_path, monkeypatch):
    reader = yolo.read

    def fewer(path, options):
        dataset = reader(path, options)
        return replace(dataset, annotations=dataset.annotations.slice(1))

    def swapped(path, options):
        dataset = reader(path, options)
        return replace(dataset, classes=ClassMap(dataset.classes.names[::-1]))

    for broken, message in ((fewer, "4 annotations were written and 3 read back"), (swapped, "have another class")):
        monkeypatch.setattr(yolo, "read", broken)
        done = convert(request_of(verify=True))
        assert any(message in line for line in done.verification.differences)
        assert not (tmp_path / "out").exists()


def test_verify_tells_what_cannot_be_read_back(request_of, tmp_path, monkeypatch):
    def refuse(path, options):
        raise DataError("labels/1.txt:1: no number.", details=["more"])

    monkeypatch.setattr(yolo, "read", refuse)
    done = convert(request_of(verify=True))
    assert done.verification.differences == ("it cannot be read back: labels/1.txt:1: no number.", "more")
    assert not (tmp_path / "out").exists()


def test_a_formats_own_losses_count_and_gate(request_of, monkeypatch):
    def own(dataset):
        rows = [True] + [False] * (dataset.annotations.num_rows - 1)
        return [Loss("odd", "annotation", "odd one out", np.array(rows))]

    monkeypatch.setattr(yolo, "losses", own)
    monkeypatch.setattr(yolo, "LOSSES", ("odd",), raising=False)
    assert convert(request_of()).report.not_allowed == ["odd"]
    done = convert(request_of(allowed=FLAGS | {"odd"}))
    assert done.report.annotations.dropped == {"odd one out": 1}
    assert done.report.annotations.after == 3


def test_the_reader_is_told_what_is_needed(request_of, monkeypatch):
    seen = []
    reader = kitti.read
    monkeypatch.setattr(kitti, "read", lambda path, options: seen.append(options) or reader(path, options))
    convert(request_of())
    convert(request_of("kitti", force=True, allowed=frozenset()))
    assert [options.need for options in seen] == [yolo.CARRIES, None]
    assert {options.source for options in seen} == {"data"}


def test_nothing_left_is_no_conversion(request_of, monkeypatch, tmp_path):
    """Whole photos are dropped where the target holds none without a label."""
    monkeypatch.setattr(yolo, "CARRIES", frozenset({"value"}))
    done = convert(request_of(allowed=frozenset({"all"})))
    assert done.nothing_left
    assert not done.ok
    assert done.report.images.dropped == {"no label": 1, "no label left": 2}
    assert not (tmp_path / "out").exists()


def test_the_report_as_json(request_of):
    found = json.loads(json.dumps(convert(request_of()).report.as_json()))
    assert found["annotations"] == {
        "in": 4,
        "out": 4,
        "dropped": {},
        "changed": {"truncated left out": 1, "occluded left out": 2, "box in 3D left out": 3},
    }
    assert found["classes"][0]["name"] == "Car"
    assert found["pixels"] == {"in": "inclusive-0", "out": "inclusive-0"}


def test_the_format_is_found_by_itself(request_of):
    assert convert(request_of(source_format=None)).report.source_format == "kitti"


def test_what_was_written_reads_as_itself(request_of, tmp_path):
    convert(request_of(images="copy"))
    assert [name for name, _ in formats.detect(tmp_path / "out")] == ["yolo"]
    assert len(yolo.read(tmp_path / "out", ReadOptions("data"))) == 3


@pytest.mark.parametrize("to", ["yolo", "coco", "voc", "kitti"])
@pytest.mark.parametrize("verify", [False, True])
def test_labels_alone_leave_no_empty_folder(request_of, tmp_path, to, verify):
    done = convert(request_of(to, images="none", verify=verify, allowed=frozenset({"all"})))
    assert done.written
    empty = [path for path in (tmp_path / "out").rglob("*") if path.is_dir() and not any(path.iterdir())]
    assert empty == []
