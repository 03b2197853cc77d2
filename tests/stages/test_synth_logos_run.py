"""`vision synth logos` as a tool: the same photos whoever makes them, growing, parts, kills, refusals, boxes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from vision_cli import formats
from vision_cli.core import outline, project
from vision_cli.core.config import SourceConfig
from vision_cli.core.errors import DataError, ResourceError, UsageError
from vision_cli.core.progress import Silent
from vision_cli.stages.synth.asking import asked as asking
from vision_cli.stages.synth.asking.commands import COMMANDS
from vision_cli.stages.synth.making.maker import Maker, name_of
from vision_cli.stages.synth.making.run_folder import LOG, RunFolder
from vision_cli.stages.synth.run import SynthRequest, make_photos

SETTINGS = ("synth.logos.image_size=160", "synth.logos.size_share=[0.15,0.5]", "synth.logos.negatives=0")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two logos of two classes, and three painted photos."""
    root = tmp_path_factory.mktemp("inputs")
    (root / "logos").mkdir()
    (root / "photos" / "more").mkdir(parents=True)
    for name, colour in (("kiwi", (20, 160, 40, 255)), ("plum__dark", (120, 10, 90, 255))):
        logo = Image.new("RGBA", (80, 80))
        pen = ImageDraw.Draw(logo)
        pen.ellipse((4, 4, 75, 75), fill=colour)
        pen.rectangle((30, 20, 44, 60), fill=(255, 255, 255, 255))
        logo.save(root / "logos" / f"{name}.png")
    rng = np.random.default_rng(5)
    for number, name in enumerate(("wall.jpg", "floor.png", "more/room.jpg")):
        photo = np.full((120, 160, 3), 90 + 40 * number, np.float64)
        photo[60 + 5 * number :] = (150, 130, 100)
        photo += rng.normal(0, 4, photo.shape)
        Image.fromarray(photo.clip(0, 255).astype(np.uint8)).save(root / "photos" / name)
    (root / "photos" / "notes.txt").write_text("no photo")
    return root


@pytest.fixture
def request_of(inputs: Path, tmp_path: Path):
    """Return a function that makes requests in a project of its own."""

    def make(count=6, out="run", *, more=(), **given):
        loaded = project.load(None, (*SETTINGS, *more), start=tmp_path)
        logos, photos = given.pop("logos", inputs / "logos"), given.pop("backgrounds", inputs / "photos")
        words = [None if each is None else str(each) for each in (logos, photos)]
        return SynthRequest(loaded, "logos", *words, count, tmp_path / out, **{"workers": 1, **given})

    return make


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_one_and_three_workers_write_the_same_bytes(request_of, tmp_path):
    make_photos(request_of(10, "one"))
    make_photos(request_of(10, "three", workers=3))
    one, three = bytes_of(tmp_path / "one"), bytes_of(tmp_path / "three")
    assert sorted(one) == sorted(three)
    assert one == three
    assert sum(name.startswith("photos/") for name in one) == 10


def test_another_seed_gives_other_photos(request_of, tmp_path):
    make_photos(request_of(2, "one"))
    make_photos(request_of(2, "other", seed=2))
    assert (tmp_path / "one/photos/000000.jpg").read_bytes() != (tmp_path / "other/photos/000000.jpg").read_bytes()


def test_growing_leaves_what_is_there_and_is_the_whole_run(request_of, tmp_path):
    make_photos(request_of(6))
    photos = tmp_path / "run" / "photos"
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in photos.iterdir()}
    result = make_photos(request_of(10))
    assert (result.kept, result.made) == (6, 4)
    assert {name: ((photos / name).read_bytes(), (photos / name).stat().st_mtime_ns) for name in before} == before
    make_photos(request_of(10, "whole"))
    assert bytes_of(tmp_path / "run") == bytes_of(tmp_path / "whole")


def test_a_smaller_count_is_refused(request_of):
    make_photos(request_of(5))
    with pytest.raises(UsageError, match="holds 5 photos, more than the 4"):
        make_photos(request_of(4))


def test_parts_together_are_the_whole(request_of, tmp_path):
    parts = [make_photos(request_of(14, shard=f"{part}/3")) for part in (3, 1, 2)]
    assert sum(part.made for part in parts) == 14
    assert all(part.data is None for part in parts)
    gathered = make_photos(request_of(14))
    assert (gathered.kept, gathered.made) == (14, 0)
    make_photos(request_of(14, "whole"))
    assert bytes_of(tmp_path / "run") == bytes_of(tmp_path / "whole")


def test_a_photo_that_is_cut_or_gone_is_made_again(request_of, tmp_path):
    make_photos(request_of(4))
    before = bytes_of(tmp_path / "run")
    cut, gone = (tmp_path / "run/photos" / name_of(index) for index in (1, 3))
    content = cut.read_bytes()
    cut.unlink()
    cut.write_bytes(content[:100])
    gone.unlink()
    result = make_photos(request_of(4))
    assert (result.kept, result.made) == (2, 2)
    assert bytes_of(tmp_path / "run") == before


def test_a_killed_run_goes_on_and_ends_as_if_nothing_had_been(request_of, inputs, tmp_path):
    words = ["synth", "logos", "--logos", inputs / "logos", "--backgrounds", inputs / "photos", "-n", "60"]
    command = [sys.executable, "-m", "vision_cli", *words, "--out", tmp_path / "run", "--workers", "2", *SETTINGS]
    process = subprocess.Popen(list(map(str, command)), cwd=tmp_path, stderr=subprocess.DEVNULL)
    log = tmp_path / "run" / LOG
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None and (not log.is_file() or log.stat().st_size < 4000):
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with log.open("ab") as file:
        file.write(b'{"photo": 59, "bytes')  # the line that a kill tears
    result = make_photos(request_of(60))
    assert result.kept >= 4
    assert result.kept + result.made == 60
    make_photos(request_of(60, "whole"))
    there = {name: text for name, text in bytes_of(tmp_path / "run").items() if not name.endswith(".part")}
    assert there == bytes_of(tmp_path / "whole")


def test_other_settings_are_refused_by_name(request_of, inputs, tmp_path):
    make_photos(request_of(2))
    with pytest.raises(UsageError, match="other settings") as refused:
        make_photos(request_of(2, seed=9, more=("synth.logos.curvature=0.5",)))
    assert refused.value.details == ("seed: 1 there, 9 now", "curvature: 0.2 there, 0.5 now")


def test_a_second_run_in_the_same_folder_is_refused(request_of, tmp_path):
    make_photos(request_of(2))
    with RunFolder(tmp_path / "run").held(), pytest.raises(ResourceError, match="another run"):
        make_photos(request_of(3))


def test_a_folder_with_other_things_is_refused(request_of, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="did not write") as refused:
        make_photos(request_of(2))
    assert refused.value.details == ("thesis.txt",)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["thesis.txt"]


def test_a_foreign_file_among_the_photos_or_a_set_of_ones_own_is_refused(request_of, tmp_path):
    make_photos(request_of(2))
    (tmp_path / "run" / "photos" / "me.jpg").write_bytes(b"x")
    (tmp_path / "run" / "yolo").mkdir()
    with pytest.raises(UsageError) as refused:
        make_photos(request_of(3, format="yolo"))
    assert set(refused.value.details) == {"photos/me.jpg", "yolo"}


def test_the_folder_may_not_lie_in_what_is_read(request_of, inputs):
    with pytest.raises(UsageError, match="which is read"):
        make_photos(request_of(2, out=inputs / "photos" / "made"))


def _cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda root: (root / "logos/kiwi.png").unlink(), "no logo can be used"),
        (lambda root: Image.new("RGB", (40, 40)).save(root / "logos/flat.png"), "1 of 2 pictures cannot be used"),
        (lambda root: (root / "photos/wall.png").unlink(), "holds no photo"),
        (lambda root: (root / "photos/torn.jpg").write_bytes(b"\xff\xd8\xff"), "1 of 2 backgrounds cannot be used"),
        (lambda root: Image.new("RGB", (900, 30)).save(root / "photos/strip.png"), "1 of 2 backgrounds cannot be used"),
        (lambda root: _cut(root / "photos/wall.png"), "1 of 1 backgrounds cannot be used"),
        (lambda root: (root / "logos/kiwi.png").rename(root / "logos/__kiwi.png"), "no logo can be used"),
    ],
)
def test_inputs_of_no_use_are_refused_before_anything_is_written(request_of, tmp_path, break_it, words):
    for name in ("logos", "photos"):
        (tmp_path / name).mkdir()
    logo = Image.new("RGBA", (60, 60))
    ImageDraw.Draw(logo).ellipse((5, 5, 50, 50), fill=(200, 0, 0, 255))
    logo.save(tmp_path / "logos/kiwi.png")
    Image.new("RGB", (160, 120), (90, 90, 90)).save(tmp_path / "photos/wall.png")
    break_it(tmp_path)
    with pytest.raises(DataError, match=words) as refused:
        make_photos(request_of(2, logos=tmp_path / "logos", backgrounds=tmp_path / "photos"))
    assert refused.value.hint
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"logos": None}, "which logos"),
        ({"backgrounds": None}, "which backgrounds"),
        ({"format": "imagefolder"}, "holds no boxes"),
        ({"format": "cocoo"}, "cocoo"),
        ({"shard": "4/3"}, "no part of a whole"),
        ({"shard": "1/3", "preview": 2}, "--preview"),
        ({"more": ("synth.logos.looks={shiny: 1}",)}, "shiny"),
        ({"more": ("synth.logos.depth=sonar",)}, "sonar"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(request_of, tmp_path, given, words):
    with pytest.raises(UsageError, match=words):
        make_photos(request_of(2, **given))
    assert not (tmp_path / "run").exists()


def test_every_written_box_is_that_of_the_pixels_that_change_without_the_object(request_of, tmp_path):
    """The labels of the COCO file against the photo rendered anew without that one object."""
    request = request_of(24)
    result = make_photos(request)
    dataset = formats.read("made", SourceConfig(path="coco"), result.data)
    given = asking.Given(request.objects, request.backgrounds, offline=True)
    asked = asking.ask(request.project, COMMANDS["logos"], given, Silent())
    rows = dataset.annotations.to_pylist()
    checked = 0
    for image, name in zip(dataset.images["id"].to_pylist(), dataset.images["path"].to_pylist(), strict=True):
        index = int(Path(name).stem)
        _, with_all = Maker(asked).rendered(index)
        mine = [row for row in rows if row["image_id"] == image]
        assert len(mine) == len(with_all.objects) > 0
        for number, row in enumerate(mine):
            _, without = Maker(replace(asked, render=replace(asked.render, omit=number))).rendered(index)
            differs = np.abs(with_all.photo.astype(int) - without.photo).max(axis=2) >= 8
            ys, xs = np.nonzero(differs)
            found = (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
            x, y, w, h = (row[key] for key in "xywh")
            assert np.abs(np.array(found) - (x, y, x + w, y + h)).max() <= 1
            mask = outline.parse(row["outline"])
            left, top, wide, high = outline.box(mask)
            assert (left, top, wide, high) == (x, y, w, h)
            checked += 1
    assert checked >= 24


def test_a_format_is_added_and_a_set_that_the_project_names_grows(request_of, tmp_path):
    (tmp_path / "vision.yaml").write_text("data: {sources: {made: {path: run/coco}}}\n")
    first = make_photos(request_of(4))
    grown = make_photos(request_of(6))
    added = make_photos(request_of(6, format="yolo"))
    assert (added.kept, added.made) == (6, 0)
    sets = [formats.read("made", SourceConfig(path="x"), each.data) for each in (grown, added)]
    assert [len(each) for each in sets] == [6, 6]
    assert sets[0].annotations.num_rows == sets[1].annotations.num_rows == grown.summary.objects
    assert sets[0].classes.names == ("kiwi", "plum")
    assert first.data == tmp_path / "run" / "coco"
    assert "background" in sets[0].images.column_names


def test_the_summary_counts_what_the_log_says(request_of, tmp_path):
    result = make_photos(request_of(12, more=("synth.logos.negatives=0.4",)))
    rows = [json.loads(line) for line in (tmp_path / "run" / LOG).read_text().splitlines()]
    objects = [each for row in rows for each in row["objects"]]
    assert [row["photo"] for row in rows] == list(range(12))
    assert result.summary.photos == 12
    assert result.summary.negatives == sum(not row["objects"] for row in rows)
    assert result.summary.objects == len(objects)
    assert result.summary.classes == {name: sum(o["class"] == name for o in objects) for name in ("kiwi", "plum")}
    sizes = next(each for each in result.summary.spreads if each.name == "size_px")
    assert sizes.least == pytest.approx(min(o["size_px"] for o in objects), abs=1e-3)
    assert sizes.middle == pytest.approx(np.median([o["size_px"] for o in objects]), abs=1e-3)
    assert result.saved.by_hand.hours == pytest.approx(12 * 30 / 3600)
    assert result.saved.by_hand.dollars == pytest.approx(12 * 0.05)


def test_a_preview_writes_two_pictures_and_the_run_comes_after_it(request_of, tmp_path):
    result = make_photos(request_of(6, preview=3))
    assert [path.name for path in result.pictures] == ["preview.jpg", "steps.jpg"]
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["preview.jpg", "steps.jpg"]
    for path in result.pictures:
        with Image.open(path) as image:
            assert image.width > 300
    assert make_photos(request_of(4)).made == 4


def test_a_dry_run_writes_nothing(request_of, tmp_path):
    result = make_photos(request_of(6, dry_run=True))
    assert (result.wanted, result.kept, result.made) == (6, 0, 0)
    assert not (tmp_path / "run").exists()
