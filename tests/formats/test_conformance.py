"""Every line of the table of formats keeps the room's promises."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rich_data as made

from vision_cli import formats
from vision_cli.core import containment
from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS, MORE_ANNOTATION_COLUMNS
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError, VisionError
from vision_cli.core.origin import Origin
from vision_cli.formats import CARRIED, FORMATS, ReadOptions, WriteOptions, conserving
from vision_cli.stages.converting import photo_copies, reshaping
from vision_cli.stages.converting.accounting import account
from vision_cli.stages.converting.convert import ConvertRequest, convert

NAMES = list(FORMATS)
# The format `mapping` is whatever a user's file says.
WRITABLE = [name for name in NAMES if hasattr(FORMATS.load(name), "write") and name != "mapping"]
SHARES = {"yolo", "openimages"}
"""Formats that store shares of the photo's sides."""
SEEN_AS = {"voc-segmentation": "voc"}
"""A folder of VOC's masks is one of VOC's boxes, too, and is read as that unless the user says more."""
HUBS = {"coco", "voc", "vision"}
PAIRS = [
    pytest.param(source, target, marks=() if HUBS & {source, target} else pytest.mark.slow)
    for source in WRITABLE
    for target in WRITABLE
]
PIXELS = ("exclusive", "inclusive-0", "inclusive-1")
HOSTILE = (
    "<script>alert(1)</script>",
    "[/] [bold]red[/bold]",
    "two\nlines",
    "a,b;c\td",
    "\"quoted\" & 'so'",
    "🙂",
    "‮left",
    "Kühe und Schweine",
    " spaces ",
    "x" * 500,
    "-1",
    "..",
    "a/b",
    "back\\slash",
    "#hash: yes",
    "null",
)


def kept(dataset: Dataset, name: str) -> Dataset:
    """Return what a format can hold of a data set, as the stage hands it to the writer."""
    format = FORMATS.load(name)
    own = format.losses(dataset) if hasattr(format, "losses") else []
    carries = format.CARRIES
    counted = account(dataset, [*conserving.losses(dataset, carries), *own], carries)
    return reshaping.with_boxes(counted.kept(), carries)


def write(dataset: Dataset, name: str, folder: Path, workers: int = 1) -> formats.Written:
    """Write a data set with its photos, as the stage does."""
    folder.mkdir(parents=True)
    written = FORMATS.load(name).write(dataset, folder, WriteOptions(workers, conserving.pixels_of(dataset)))
    for place, target in photo_copies.pairs(dataset, written.photos):
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(place, folder / target)
    return written


def read(folder: Path, name: str) -> Dataset:
    return FORMATS.load(name).read(folder, ReadOptions("data"))


def check(dataset: Dataset) -> None:
    """Check what every reader promises of its columns."""
    images, annotations = dataset.images, dataset.annotations
    kinds = {field.name: field.type for field in [*ANNOTATION_COLUMNS, *MORE_ANNOTATION_COLUMNS]}
    assert images.schema.names[: len(IMAGE_COLUMNS)] == IMAGE_COLUMNS.names
    assert {name: images.schema.field(name).type for name in IMAGE_COLUMNS.names} == {
        field.name: field.type for field in IMAGE_COLUMNS
    }
    assert annotations.schema.names[: len(ANNOTATION_COLUMNS)] == ANNOTATION_COLUMNS.names
    assert {name: kinds[name] for name in annotations.schema.names} == {
        field.name: field.type for field in annotations.schema
    }
    assert images["id"].to_pylist() == list(range(len(dataset)))
    assert annotations["id"].to_pylist() == list(range(annotations.num_rows))
    assert set(annotations["image_id"].to_pylist()) <= set(range(len(dataset)))
    assert set(annotations["class_id"].to_pylist()) <= {None, *range(len(dataset.classes))}
    for path in images["path"].to_pylist():
        assert not path.startswith("/")
        assert ".." not in path.split("/")


@pytest.mark.parametrize("name", NAMES)
def test_protocol(name):
    format = FORMATS.load(name)
    assert isinstance(format.CARRIES, frozenset)
    assert set(CARRIED) | set(conserving.DEFECTS) >= format.CARRIES
    assert callable(format.detect)
    assert callable(format.read)
    assert getattr(format, "PIXELS", "exclusive") in PIXELS
    if conserving.PLACES & format.CARRIES:
        assert hasattr(format, "PIXELS")
    assert FORMATS.card(name).summary
    assert "torch" not in sys.modules or "torch" not in vars(format)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_folder_and_strange_files_are_not_of_any_format(name, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "zero.json").write_bytes(b"")
    (tmp_path / "noise.bin").write_bytes(bytes(range(256)) * 8)
    format = FORMATS.load(name)
    for place in (tmp_path / "empty", tmp_path / "zero.json", tmp_path / "noise.bin"):
        assert format.detect(place) is None, place
        try:
            found = format.read(place, ReadOptions("data"))
        except VisionError as error:
            assert error.exit_code in (2, 3)  # noqa: PT017
            assert error.message  # noqa: PT017
        else:
            assert len(found) == 0, place
            assert place.stat().st_size == 0, "nothing is what a file without a byte holds"


@pytest.mark.parametrize("kind", made.SETS)
@pytest.mark.parametrize("name", WRITABLE)
def test_what_is_kept_comes_back(name, kind, tmp_path):
    dataset = kept(made.rich(tmp_path / "photos", kind), name)
    if not len(dataset):
        pytest.skip(f"{name} holds nothing of it")
    write(dataset, name, tmp_path / "out")
    if dataset.annotations.num_rows:
        found = [each for each, _ in formats.detect(tmp_path / "out")]
        assert found in ([name], [SEEN_AS.get(name)])
    back = read(tmp_path / "out", name)
    check(back)
    assert len(back) == len(dataset)
    assert made.per_class(back) == made.per_class(dataset)
    carries = FORMATS.load(name).CARRIES
    if "value" in carries and kind == "values":
        assert sorted(back.annotations["value"].to_pylist()) == sorted(dataset.annotations["value"].to_pylist())
    if "3d" in carries and kind == "objects":
        assert [value for value in back.annotations["z_m"].to_pylist() if value is not None] == [12.25]
    if "split" in carries:
        assert sorted(back.images["split"].to_pylist()) == sorted(dataset.images["split"].to_pylist())


@pytest.mark.parametrize("kind", made.SETS)
@pytest.mark.parametrize("name", WRITABLE)
def test_same_bytes_from_1_or_8_workers_and_twice(name, kind, tmp_path):
    dataset = kept(made.rich(tmp_path / "photos", kind), name)
    if not len(dataset):
        pytest.skip(f"{name} holds nothing of it")
    trees = []
    for run, workers in enumerate((1, 8, 1)):
        write(dataset, name, tmp_path / f"out{run}", workers)
        trees.append(made.tree(tmp_path / f"out{run}"))
    assert trees[0] == trees[1] == trees[2]
    assert trees[0]


@pytest.mark.parametrize("kind", made.SETS)
@pytest.mark.parametrize("name", WRITABLE)
def test_names_of_losses_are_those_that_can_be_allowed(name, kind, tmp_path):
    format = FORMATS.load(name)
    dataset = made.rich(tmp_path, kind)
    own = format.losses(dataset) if hasattr(format, "losses") else []
    found = {loss.name for loss in [*own, *conserving.losses(dataset, format.CARRIES)]}
    known = {*CARRIED, *conserving.DEFECTS, *conserving.OTHERS, *getattr(format, "LOSSES", ())}
    assert found <= known
    assert all(loss.rows.dtype == np.bool_ and loss.reason for loss in own)


@pytest.mark.parametrize("name", WRITABLE)
def test_a_set_without_photos(name, tmp_path):
    """It is written and read as empty, or refused in words."""
    empty = kept(made.plain(tmp_path, (), ("cat",)), name)
    try:
        write(empty, name, tmp_path / "out")
        back = read(tmp_path / "out", name)
    except DataError as error:
        assert error.message  # noqa: PT017
    else:
        assert len(back) == 0
        assert back.annotations.num_rows == 0


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("name", WRITABLE)
def test_hostile_class_names_come_back_or_are_refused(name, hostile, tmp_path):
    dataset = kept(made.plain(tmp_path / "photos", classes=(hostile, "cat")), name)
    try:
        write(dataset, name, tmp_path / "out")
    except DataError as error:
        assert error.message  # noqa: PT017
        assert not [path for path in tmp_path.iterdir() if path.name not in ("photos", "out")]
        return
    back = read(tmp_path / "out", name)
    assert made.per_class(back) == made.per_class(dataset)
    assert {path.name for path in tmp_path.iterdir()} == {"photos", "out"}


@pytest.mark.parametrize("hostile", [each for each in HOSTILE if "/" not in each and len(each) < 200], ids=ascii)
@pytest.mark.parametrize("name", WRITABLE)
def test_hostile_photo_names_come_back_or_are_refused(name, hostile, tmp_path):
    photos = (f"{hostile}.jpg", "plain.jpg")
    dataset = kept(made.plain(tmp_path / "photos", photos), name)
    try:
        write(dataset, name, tmp_path / "out")
    except DataError as error:
        assert error.message  # noqa: PT017
        return
    back = read(tmp_path / "out", name)
    assert len(back) == 2
    assert made.per_class(back) == made.per_class(dataset)
    assert {path.name for path in tmp_path.iterdir()} == {"photos", "out"}


@pytest.mark.parametrize("name", WRITABLE)
def test_photos_of_one_name_stay_apart(name, tmp_path):
    photos = ("a/x.jpg", "b/x.jpg", "b/X.JPG", "b__x.jpg", "x.png")
    dataset = kept(made.plain(tmp_path / "photos", photos), name)
    written = write(dataset, name, tmp_path / "out")
    names = [path for path in written.photos if path is not None]
    assert len(set(names)) == len(names)
    back = read(tmp_path / "out", name)
    assert len(back) == len(photos)
    assert made.per_class(back) == made.per_class(dataset)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_to_b_loses_exactly_what_the_report_says(source, target, tmp_path):
    ran = 0
    for kind in made.SETS:
        dataset = kept(made.rich(tmp_path / kind / "photos", kind), source)
        if not len(dataset):
            continue
        write(dataset, source, tmp_path / kind / "from")
        went_in = read(tmp_path / kind / "from", source)
        request = ConvertRequest(
            tmp_path / kind / "from", tmp_path / kind / "to", target, source, allowed=frozenset({"all"}), verify=True
        )
        done = convert(request)
        report = done.report
        assert done.ok or done.nothing_left, done.verification
        assert report.images.before == len(went_in)
        assert report.annotations.before == went_in.annotations.num_rows
        assert report.images.before == report.images.after + sum(report.images.dropped.values())
        assert report.annotations.before == report.annotations.after + sum(report.annotations.dropped.values())
        if not report.images.after:
            continue
        came_out = read(tmp_path / kind / "to", target)
        assert len(came_out) == report.images.after
        assert came_out.annotations.num_rows == report.annotations.after
        if kind != "values":
            said = {line.name: line.annotations.after for line in report.classes if line.annotations.after}
            assert made.per_class(came_out) == said
            went = {line.name: line.annotations.before for line in report.classes if line.annotations.before}
            assert made.per_class(went_in) == went
        ran += 1
    if not ran:
        pytest.skip(f"{source} and {target} hold nothing in common")


@pytest.mark.parametrize("name", WRITABLE)
def test_boxes_come_back_to_the_last_bit(name, tmp_path):
    format = FORMATS.load(name)
    if "box" not in format.CARRIES:
        pytest.skip("no boxes")
    rng = np.random.default_rng(4)
    rows = []
    for number in range(200):
        x, y = rng.uniform(0, 40), rng.uniform(0, 30)
        digits = number % 15
        sides = [round(float(value), digits) for value in (x, y, rng.uniform(1, 20), rng.uniform(1, 16))]
        rows.append({"image_id": 0, "class_id": 0, **made.box(*sides)})
    dataset = replace(made.plain(tmp_path / "photos", ("a.jpg",), ("cat",)), annotations=made.annotations(rows))
    write(dataset, name, tmp_path / "out")
    back = read(tmp_path / "out", name)
    before = np.array([dataset.annotations[column].to_numpy() for column in "xywh"])
    after = np.array([back.annotations[column].to_numpy() for column in "xywh"])
    limit = 2 * getattr(format, "READ_BACK_PX", 0.0) + 2 * np.spacing(64.0)
    clean = np.array([[float(f"{value:.6g}") == value for value in column] for column in before]).all(axis=0)
    if name not in SHARES:
        assert np.array_equal(before[:, clean], after[:, clean])
    assert clean.sum() > 50
    assert np.abs(before - after).max() <= limit


@pytest.mark.parametrize("name", WRITABLE)
def test_loops_of_links_end_and_are_no_photos(name, tmp_path):
    """A link to itself in every folder, under each suffix that some format looks at: read past, or refused in words."""
    write(kept(made.plain(tmp_path / "photos"), name), name, tmp_path / "out")
    suffixes = ("", ".jpg", ".png", ".txt", ".json", ".xml", ".csv", ".yaml", ".tar", ".tfrecord", ".parquet", ".jsonl")
    for folder in [tmp_path / "out", *(path for path in (tmp_path / "out").rglob("*") if path.is_dir())]:
        for suffix in suffixes:
            (folder / f"loop{suffix}").symlink_to(folder / f"loop{suffix}")
        (folder / "around").symlink_to(tmp_path / "out")
    for permission in ("stay", "follow"):
        with containment.links(permission):
            formats.detect(tmp_path / "out")
            for reader in NAMES:
                try:
                    found = FORMATS.load(reader).read(tmp_path / "out", ReadOptions("data", links=permission))
                except VisionError as error:
                    assert error.exit_code in (2, 3)  # noqa: PT017
                    assert error.message  # noqa: PT017
                else:
                    assert not [path for path in found.images["path"].to_pylist() if "around/" in path]


def test_class_maps_are_kept_where_order_is(tmp_path):
    for name in WRITABLE:
        format = FORMATS.load(name)
        if "order" not in format.CARRIES:
            continue
        classes = ClassMap(("zebra", "ant", "unused", "Bär"))
        dataset = replace(made.plain(tmp_path / name / "photos"), classes=classes, origins={"data": Origin("made")})
        write(dataset, name, tmp_path / name / "out")
        assert read(tmp_path / name / "out", name).classes == classes, name
