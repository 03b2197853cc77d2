"""`--check-clean`: backgrounds that show an object are set aside, once, by content, and the user has the last word."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from vision_cli.core import project
from vision_cli.core.errors import DataError, UsageError
from vision_cli.stages.synth.cleaning.aside import FOLDER, LIST, PICTURE
from vision_cli.stages.synth.cleaning.clean_list import ALLOW, COLUMNS, Decisions, Line, read, text_of
from vision_cli.stages.synth.run import SynthRequest, make_photos
from vision_cli.synth.spotting import spot

SETTINGS = ("image_size=200", "size_share=[0.2,0.5]", "negatives=0")


def badge(seed: int) -> np.ndarray:
    """Return a round badge with a pattern of its own, uint8 (120, 120, 4)."""
    rng = np.random.default_rng(seed)
    rgba = np.zeros((120, 120, 4), np.uint8)
    cv2.circle(rgba, (60, 60), 57, (*rng.integers(0, 255, 3).tolist(), 255), -1)
    for _ in range(7):
        one, other = rng.integers(20, 100, (2, 2)).tolist()
        cv2.line(rgba, one, other, (*rng.integers(0, 255, 3).tolist(), 255), int(rng.integers(4, 12)))
    return rgba


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two badges; three walls, the second of which has one of them on it."""
    for name in ("logos", "photos/deep"):
        (tmp_path / name).mkdir(parents=True)
    for seed, name in enumerate(("kiwi", "plum")):
        Image.fromarray(badge(seed)).save(tmp_path / "logos" / f"{name}.png")
    for number, name in enumerate(("wall.png", "deep/poisoned.png", "room.png")):
        rng = np.random.default_rng(10 + number)
        photo = np.full((150, 200, 3), 90 + 40 * number, np.float64)
        photo[80 + 5 * number :] = (150, 130, 100)
        picture = Image.fromarray((photo + rng.normal(0, 4, photo.shape)).clip(0, 255).astype(np.uint8))
        if "poisoned" in name:
            logo = Image.fromarray(badge(1)).resize((70, 70)).rotate(8)
            picture.paste(logo, (100, 30), logo)
        picture.save(tmp_path / "photos" / name)
    return tmp_path


def request(root: Path, command: str = "logos", **given) -> SynthRequest:
    loaded = project.load(None, [f"synth.{command}.{each}" for each in SETTINGS], start=root)
    words = str(root / "logos"), str(root / "photos")
    given = {"count": 8, "out": root / "run", "workers": 1, "check_clean": True, **given}
    return SynthRequest(loaded, command, *words, **given)


def used(root: Path) -> set[str]:
    return {json.loads(line)["background"] for line in (root / "run/photos.jsonl").read_text().splitlines()}


def test_the_photo_with_a_logo_is_set_aside_with_reason_place_and_picture(root):
    result = make_photos(request(root, count=24))
    assert used(root) == {"room.png", "wall.png"}
    (row,) = csv.DictReader((root / FOLDER / LIST).read_text().splitlines())
    assert (row["decision"], row["photo"], row["class"]) == ("aside", "deep/poisoned.png", "plum")
    assert 0.5 <= float(row["score"]) <= 1
    place = [float(row[name]) for name in ("left", "top", "width", "height")]
    assert place == pytest.approx([0.5, 0.2, 0.35, 70 / 150], abs=0.06)
    with Image.open(root / FOLDER / PICTURE) as picture:
        assert min(picture.size) > 100
    assert any("1 of 3 backgrounds are set aside" in note for note in result.notes)
    assert "set aside" in (root / "run/report.html").read_text()


@pytest.mark.parametrize("command", ["paste", "classify"])
def test_the_other_commands_set_it_aside_as_well(root, command):
    make_photos(request(root, command, count=24))
    assert used(root) == {"room.png", "wall.png"}


@pytest.fixture
def elsewhere(root: Path) -> Path:
    """Another project with the same photos and logos, as on another machine."""
    for name in ("logos", "photos"):
        shutil.copytree(root / name, root / "elsewhere" / name)
    return root / "elsewhere"


def bring(source: Path, target: Path) -> None:
    """Copy photos and logs of parts."""
    for path in (*source.glob("photos/*.jpg"), *source.glob("photos-*.jsonl")):
        shutil.copy(path, target / path.relative_to(source))


def test_parts_that_are_made_apart_set_the_same_aside(root, elsewhere):
    make_photos(request(root, count=16, shard="1/2"))
    make_photos(request(elsewhere, count=16, shard="2/2"))
    bring(elsewhere / "run", root / "run")
    assert make_photos(request(root, count=16)).made == 0
    make_photos(request(root, count=16, out=root / "whole"))
    for path in (root / "whole/photos").iterdir():
        assert path.read_bytes() == (root / "run/photos" / path.name).read_bytes()
    assert used(root) == {"room.png", "wall.png"}


def test_parts_with_another_list_are_refused(root, elsewhere):
    make_photos(request(root, count=16, shard="1/2"))
    other = elsewhere / FOLDER / LIST
    other.parent.mkdir(parents=True)
    other.write_text("decision,photo\ndeny,wall.png\n")
    with pytest.raises(UsageError, match="other settings") as refused:
        make_photos(request(elsewhere, count=16, shard="2/2", out=root / "run"))
    assert "synth/clean/backgrounds.csv" in refused.value.hint
    make_photos(request(elsewhere, count=16, shard="2/2"))
    bring(elsewhere / "run", root / "run")
    for given in ({}, {"dry_run": True}):
        with pytest.raises(UsageError, match="of 16 photos were made with other backgrounds") as refused:
            make_photos(request(root, count=16, **given))
        assert "room.png there, wall.png now" in "\n".join(refused.value.details)
        assert "synth/clean/backgrounds.csv" in refused.value.hint


def test_a_second_run_looks_at_new_photos_only(root, monkeypatch):
    make_photos(request(root))
    looked = []
    real = spot.spot
    monkeypatch.setattr(spot, "spot", lambda photo, wanted: looked.append(1) or real(photo, wanted))
    (root / "photos/deep/poisoned.png").rename(root / "photos/moved.png")
    make_photos(replace(request(root), out=root / "again"))
    assert not looked
    Image.effect_noise((90, 90), 30).convert("RGB").save(root / "photos/new.png")
    make_photos(replace(request(root), out=root / "third"))
    assert len(looked) == 1


def test_the_user_has_the_last_word(root):
    make_photos(request(root))
    listed = root / FOLDER / LIST
    listed.write_text(listed.read_text().replace("aside", "Allow") + "deny,wall.png" + "," * (len(COLUMNS) - 2) + "\n")
    make_photos(replace(request(root, count=24), out=root / "run2"))
    backgrounds = {json.loads(line)["background"] for line in (root / "run2/photos.jsonl").read_text().splitlines()}
    assert backgrounds == {"deep/poisoned.png", "room.png"}
    assert [line.decision for line in read(listed)] == [ALLOW, "deny"]


def test_what_was_set_aside_later_is_refused_in_a_run_with_it(root):
    make_photos(replace(request(root), check_clean=False))
    with pytest.raises(UsageError, match="other settings"):
        make_photos(request(root))


def test_a_dry_run_writes_nothing(root):
    make_photos(request(root, dry_run=True))
    assert not (root / FOLDER).exists()
    assert not (root / ".vision").exists()


def test_a_dry_run_goes_by_the_list_that_is_there(root):
    make_photos(request(root))
    found = make_photos(request(root, count=12, dry_run=True))
    assert (found.kept, found.wanted) == (8, 12)


def test_all_set_aside_is_an_error_that_names_the_list(root):
    for name in ("wall.png", "room.png"):
        (root / "photos" / name).unlink()
    with pytest.raises(DataError, match="none is left") as caught:
        make_photos(request(root))
    assert LIST in caught.value.hint
    assert (root / FOLDER / LIST).is_file()


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("name,colour\na,b\n", UsageError, "no list of backgrounds"),
        ("decision,photo\nmaybe,a.jpg\n", DataError, "1 lines cannot be used"),
    ],
)
def test_a_list_that_is_none_is_refused(root, text, kind, words):
    listed = root / FOLDER / LIST
    listed.parent.mkdir(parents=True)
    listed.write_text(text)
    with pytest.raises(kind, match=words):
        make_photos(request(root))
    assert listed.read_text() == text


def test_a_detector_without_the_check_is_refused(root):
    with pytest.raises(UsageError, match="--detector"):
        make_photos(replace(request(root), check_clean=None, detector=root / "logos"))


def test_decisions_go_by_content_first():
    lines = [Line(1, {**dict.fromkeys(COLUMNS, ""), "decision": "deny", "photo": "a.jpg", "sha256": "11"}),
             Line(2, {**dict.fromkeys(COLUMNS, ""), "decision": "allow", "photo": "b.jpg"})]  # fmt: skip
    found = Decisions.of(lines)
    assert found.on("renamed.jpg", "11") == "deny"
    assert found.on("a.jpg", "22") is None
    assert found.on("b.jpg", "33") == "allow"
    assert text_of(lines, []).count("\n") == 3


def test_a_detector_looks_as_well(root):
    pytest.importorskip("torch")
    from detectors_made import CLASSES, save

    model = save(root / "model", confidence=0.01)
    for path in (root / "logos").iterdir():
        path.rename(path.with_stem({"kiwi": CLASSES[0], "plum": CLASSES[1]}[path.stem]))
    with pytest.raises(DataError, match="none is left"):  # it says that it sees something everywhere
        make_photos(request(root, detector=model))
    rows = list(csv.DictReader((root / FOLDER / LIST).read_text().splitlines()))
    assert len(rows) == 3
    assert {row["reason"] for row in rows} & {"detector"}
    assert {row["class"] for row in rows} <= set(CLASSES[:2])


def test_a_detector_of_other_classes_is_refused(root):
    pytest.importorskip("torch")
    from detectors_made import save

    with pytest.raises(UsageError, match="knows none of the classes"):
        make_photos(request(root, detector=save(root / "model")))
