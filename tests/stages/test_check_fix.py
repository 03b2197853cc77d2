"""`stages.checking.fix`: each repair against what the copy then holds; the source stays as it is."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from convert_sets import tree
from PIL import Image

from vision_cli import formats
from vision_cli.checks import repairs
from vision_cli.cli.paper import Paper
from vision_cli.cli.render import fix as render
from vision_cli.core import project
from vision_cli.core.errors import DataError, UsageError
from vision_cli.stages.checking import check
from vision_cli.stages.checking.fix import FixRequest, FixResult, fix
from vision_cli.stages.named_source import DataRequest

VOC = (
    "<annotation><filename>{name}</filename><size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
    "{objects}</annotation>"
)
OBJECT = (
    "<object><name>{label}</name><bndbox><xmin>{0}</xmin><ymin>{1}</ymin>"
    "<xmax>{2}</xmax><ymax>{3}</ymax></bndbox></object>"
)


def write_voc(root: Path, photos: dict[str, list[tuple[Any, ...]]], *, size: tuple[int, int] = (100, 80)) -> Path:
    """Write photos of their own look with boxes: label, then xmin, ymin, xmax, ymax."""
    for seed, (name, boxes) in enumerate(photos.items()):
        path = root / "JPEGImages" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        blocks = np.random.default_rng(seed).integers(0, 256, (8, 10, 3), np.uint8)
        Image.fromarray(blocks).resize(size, Image.Resampling.NEAREST).save(path, "JPEG")
        label = root / "Annotations" / f"{Path(name).stem}.xml"
        label.parent.mkdir(exist_ok=True)
        objects = "".join(OBJECT.format(*box[1:], label=box[0]) for box in boxes)
        label.write_text(VOC.format(name=name, width=size[0], height=size[1], objects=objects))
    return root


def mend(source: Path, target: Path, *names: str, **options: Any) -> FixResult:
    return fix(FixRequest(DataRequest(str(source), project.load), target, names=names, **options))


def boxes_of(folder: Path, form: str = "voc") -> dict[str, list[tuple[float, ...]]]:
    """Return x, y, w, h by photo."""
    data = formats.FORMATS.load(form).read(folder, formats.ReadOptions("data"))
    paths = data.images["path"].to_pylist()
    found: dict[str, list[tuple[float, ...]]] = {Path(path).name: [] for path in paths}
    for row in data.annotations.to_pylist():
        found[Path(paths[row["image_id"]]).name].append(tuple(row[name] for name in "xywh"))
    return found


def test_boxes_are_mended_and_the_source_is_not_touched(tmp_path: Path) -> None:
    boxes = [
        ("cat", 1, 1, 50, 50),
        ("cat", 1, 1, 50, 50),
        ("cat", 90, 70, 110, 90),
        ("dog", 5, 5, 5, 9),
        ("dog", 300, 5, 310, 9),
    ]
    source = write_voc(tmp_path / "voc", {"a.jpg": boxes, "b.jpg": [("dog", 2, 2, 9, 9)]})
    before = tree(source)
    result = mend(source, tmp_path / "mended")
    assert tree(source) == before
    assert boxes_of(tmp_path / "mended") == {"a.jpg": [(1, 1, 49, 49), (90, 70, 10, 10)], "b.jpg": [(2, 2, 7, 7)]}
    told = {(line.repair, line.before, line.after) for line in result.lines}
    assert ("clip-boxes", "cat [90, 70, 20, 20]", "cat [90, 70, 10, 10]") in told
    assert ("drop-outside-boxes", "dog [300, 5, 10, 4]", "dropped: beside the photo") in told
    counts = {name: number for name, number in result.repairs.items() if number}
    assert counts == {"clip-boxes": 1, "drop-flat-boxes": 1, "drop-outside-boxes": 1, "drop-twin-boxes": 1}
    assert not sum(mend(tmp_path / "mended", tmp_path / "again").repairs.values())


def test_only_the_named_repair_runs(tmp_path: Path) -> None:
    source = write_voc(tmp_path / "voc", {"a.jpg": [("cat", 90, 70, 110, 90), ("dog", 5, 5, 5, 9)]})
    mend(source, tmp_path / "mended", "clip-boxes")
    assert boxes_of(tmp_path / "mended") == {"a.jpg": [(90, 70, 10, 10), (5, 5, 0, 4)]}


def test_dry_run_tells_the_same_and_writes_nothing(tmp_path: Path) -> None:
    source = write_voc(tmp_path / "voc", {"a.jpg": [("dog", 5, 5, 5, 9)], "b.png": []})
    dry = mend(source, tmp_path / "mended", dry_run=True, csv=tmp_path / "x.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["voc"]
    wet = mend(source, tmp_path / "mended", csv=tmp_path / "x.csv")
    assert wet.lines == dry.lines
    assert (tmp_path / "x.csv").read_text().splitlines()[0] == "repair,file,annotation,before,after"


def test_suffixes_follow_the_content_and_labels_follow_the_photo(tmp_path: Path) -> None:
    source = write_voc(tmp_path / "voc", {"a.png": [("cat", 1, 1, 9, 9)], "b.jpg": []})  # both hold JPEG
    result = mend(source, tmp_path / "mended")
    assert [(line.before, line.after) for line in result.lines] == [("JPEGImages/a.png", "JPEGImages/a.jpg")]
    assert boxes_of(tmp_path / "mended") == {"a.jpg": [(1, 1, 8, 8)], "b.jpg": []}
    assert (tmp_path / "mended/JPEGImages/a.jpg").read_bytes() == (source / "JPEGImages/a.png").read_bytes()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_labels_are_turned_with_their_photo(tmp_path: Path, orientation: int) -> None:
    """A white patch marks the object: the box must lie on it after the turn, as Pillow turns it."""
    from PIL import ImageOps

    source = write_voc(tmp_path / "voc", {"a.jpg": [("cat", 11, 21, 40, 60)]}, size=(160, 80))
    pixels = np.zeros((80, 160, 3), np.uint8)
    pixels[20:60, 10:40] = 255
    tag = Image.Exif()
    tag[274] = orientation
    Image.fromarray(pixels).save(source / "JPEGImages/a.jpg", "JPEG", quality=100, exif=tag)
    result = mend(source, tmp_path / "mended")
    assert result.repairs["turn-labels"] == 1
    with Image.open(tmp_path / "mended/JPEGImages/a.jpg") as photo:
        upright = np.asarray(ImageOps.exif_transpose(photo).convert("L")) > 128
    (x, y, w, h), = boxes_of(tmp_path / "mended")["a.jpg"]  # fmt: skip
    rows, columns = np.flatnonzero(upright.any(axis=1)), np.flatnonzero(upright.any(axis=0))
    assert (x, y, x + w, y + h) == (columns[0] + 1, rows[0] + 1, columns[-1] + 1, rows[-1] + 1)


def test_photos_are_stored_upright_only_when_asked(tmp_path: Path) -> None:
    source = write_voc(tmp_path / "voc", {"a.jpg": [("cat", 1, 1, 9, 9)]}, size=(80, 160))
    tag = Image.Exif()
    tag[274] = 6
    pixels = np.zeros((80, 160, 3), np.uint8)
    pixels[:40, :80] = 255
    Image.fromarray(pixels).save(source / "JPEGImages/a.jpg", "JPEG", quality=95, exif=tag)
    assert "upright-photos" not in mend(source, tmp_path / "plain").repairs
    assert mend(source, tmp_path / "mended", "upright-photos").repairs == {"upright-photos": 1}
    with Image.open(tmp_path / "mended/JPEGImages/a.jpg") as photo:
        assert photo.size == (80, 160)
        assert not photo.getexif().get(274)
        assert np.asarray(photo.convert("L"))[10, 70] > 200  # stored left top is upright right top


def test_photos_are_dropped_and_moved(tmp_path: Path) -> None:
    for name, seed in {"train/cat/a.png": 1, "train/cat/b.png": 2, "test/cat/c.png": 3, "test/dog/d.png": 4}.items():
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        blocks = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
        Image.fromarray(blocks).resize((160, 120)).save(path)
    shutil.copyfile(tmp_path / "set/train/cat/a.png", tmp_path / "set/train/cat/a2.png")
    shutil.copyfile(tmp_path / "set/train/cat/a.png", tmp_path / "set/test/cat/a3.png")
    result = mend(tmp_path / "set", tmp_path / "mended", "leaks-to-one-split", "drop-twin-photos")
    assert result.repairs == {"drop-twin-photos": 1, "leaks-to-one-split": 1}
    found = sorted(path.relative_to(tmp_path / "mended").as_posix() for path in (tmp_path / "mended").rglob("*.png"))
    assert [name.split("/")[0] for name in found].count("test") == 2
    assert "test/cat/a3.png" not in found
    assert len(found) == 5


def test_losses_of_another_format_have_to_be_allowed_by_name(tmp_path: Path) -> None:
    """An image folder holds no boxes; a photo of one class keeps that alone."""
    source = write_voc(tmp_path / "voc", {"a.jpg": [("cat", 1, 1, 40, 40)], "b.jpg": [("dog", 5, 5, 60, 60)]})
    refused = mend(source, tmp_path / "out", to="imagefolder")
    assert not refused.ok
    assert refused.conversion is not None
    assert "box" in refused.conversion.report.not_allowed
    assert not (tmp_path / "out").exists()
    allowed = frozenset(refused.conversion.report.not_allowed)
    assert mend(source, tmp_path / "out", to="imagefolder", allowed=allowed).ok
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.jpg")) == ["a.jpg", "b.jpg"]


def project_of_yolo(folder: Path, name: str) -> Any:
    """Return a project with a view of two photos whose one class has this name."""
    for photo in ("a", "b"):
        (folder / "yolo/labels").mkdir(parents=True, exist_ok=True)
        (folder / "yolo/images").mkdir(exist_ok=True)
        Image.new("RGB", (64, 48)).save(folder / f"yolo/images/{photo}.png")
        (folder / f"yolo/labels/{photo}.txt").write_text("0 0.5 0.5 0.4 0.4\n")
    (folder / "yolo/classes.txt").write_text(f"{name}\n")
    text = "version: 1\ndata:\n  sources: {y: {path: yolo, format: yolo}}\n  views: {evil: {from: [y]}}\n"
    (folder / "vision.yaml").write_text(text)
    return lambda: project.load(folder / "vision.yaml")


def test_a_view_is_reported_in_the_format_of_its_sources(tmp_path: Path) -> None:
    request = FixRequest(DataRequest("evil", project_of_yolo(tmp_path, "car")), tmp_path / "out", to="imagefolder")
    conversion = fix(request).conversion
    assert conversion is not None
    assert (conversion.report.source_format, conversion.report.target_format) == ("yolo", "imagefolder")
    assert conversion.report.not_allowed == ["box"]


def test_where_no_photo_can_be_held_no_loss_is_offered(tmp_path: Path) -> None:
    loaded = project_of_yolo(tmp_path, "a/b")
    for allowed in (frozenset[str](), frozenset({"names"})):
        request = FixRequest(DataRequest("evil", loaded), tmp_path / "out", to="imagefolder", allowed=allowed)
        shown = io.StringIO()
        render.draw(fix(request), Paper(shown))
        assert "imagefolder can hold none of these photos" in shown.getvalue()
        assert "--allow-loss" not in shown.getvalue()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "is not empty"),
        ({"to": "tfrecord"}, "is only read"),
        ({"to": "cocoo"}, "unknown dataset format"),
        ({"to": "coco", "allowed": frozenset({"boxes"})}, "no loss is called 'boxes'"),
    ],
)
def test_what_cannot_be_written_is_refused_before_any_photo_is_looked_at(
    options: dict[str, Any], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_voc(tmp_path / "voc", {"a.jpg": []})
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").write_text("mine")
    monkeypatch.setattr(check, "prepared", lambda *_, **__: pytest.fail("the work began"))
    with pytest.raises(UsageError, match=expected):
        mend(source, tmp_path / "full", **options)
    if not options:
        with pytest.raises(UsageError, match="a view has no format of its own"):
            fix(FixRequest(DataRequest("evil", project_of_yolo(tmp_path, "car")), tmp_path / "out"))


def test_refusals(tmp_path: Path) -> None:
    source = write_voc(tmp_path / "voc", {"a.jpg": []})
    with pytest.raises(UsageError) as error:
        mend(source, tmp_path / "x", "clip-box")
    assert error.value.hint == "Did you mean 'clip-boxes'?"
    with pytest.raises(UsageError, match="lies inside the source"):
        mend(source, source / "x")
    (source / "Annotations/a.xml").write_text("<annotation>")
    with pytest.raises(DataError):
        mend(source, tmp_path / "x")


def test_the_table_names_each_repair_that_a_check_offers() -> None:
    import re

    text = "".join(path.read_text() for path in Path(repairs.__file__).parent.glob("*.py"))
    offered = set(re.findall(r'fixable="([a-z-]+)"', text))
    assert offered
    assert offered <= set(repairs.REPAIRS)
