"""`vision synth logos` as it is typed: exit codes, the document, what is said, and how it ends on Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

COMMANDS = ("logos", "paste", "classify")
WORDS = ("synth", "logos", "--logos", "logos", "--backgrounds", "photos", "--workers", "1")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A logo and two photos in the working folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("logos", "photos"):
        (tmp_path / name).mkdir()
    logo = Image.new("RGBA", (60, 60))
    ImageDraw.Draw(logo).ellipse((5, 5, 50, 50), fill=(200, 0, 0, 255))
    logo.save(tmp_path / "logos" / "kiwi.png")
    for number in range(2):
        Image.effect_noise((160, 120), 20 + number).convert("RGB").save(tmp_path / "photos" / f"{number}.jpg")
    return tmp_path


def test_it_says_what_is_in_the_photos_and_what_they_save(vision, folder):
    called = vision(*WORDS, "-n", "5")
    assert called.code == 0, called.err
    assert "5 photos on " in called.out
    assert "kiwi" in called.out
    assert "By hand: " in called.out
    assert "30 s and $0.05 an image" in called.out
    assert called.out.rstrip().endswith("written: synth/logos/coco")
    assert "seconds_left 0" in called.err


def test_the_document_has_the_figures(vision, folder):
    called = vision(*WORDS, "-n", "5", "--json")
    document = json.loads(called.out)
    assert document["ok"] is True
    assert (document["made"], document["kept"], document["wanted"]) == (5, 0, 5)
    assert document["summary"]["photos"] == 5
    assert document["summary"]["classes"] == {"kiwi": document["summary"]["objects"]}
    assert document["saved"]["by_hand"]["rate"]["seconds"] == 30
    assert document["data"].endswith("synth/logos/coco")


def test_the_project_file_says_it_all(vision, folder):
    text = "synth: {logos: {logos: logos, backgrounds: photos, count: 3, format: voc, per_photo: 1, negatives: 0}}\n"
    (folder / "vision.yaml").write_text(text)
    called = vision("synth", "logos", "--workers", "1", "--json")
    assert called.code == 0, called.err
    document = json.loads(called.out)
    assert (document["made"], document["summary"]["objects"]) == (3, 3)
    assert len(list((folder / "synth/logos/voc").rglob("*.xml"))) == 3
    assert vision("config", "show", "synth.logos.per_photo").out.count("1") >= 2


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("-n", "0"), 2, "-n"),
        (("-n", "2", "--workers", "0"), 2, "--workers"),
        (("--preview", "0"), 2, "--preview"),
        (("-n", "2", "--shard", "x"), 2, "--shard 3/16"),
        (("-n", "2", "synth.logos.per_photo=[3,1]"), 2, "per_photo must be [lowest, highest]"),
        (("-n", "2", "synth.logos.blends=[]"), 2, "blends must name one or more"),
        (("-n", "2", "--backgrounds", "nowhere"), 3, "there is no such folder"),
        (("-n", "2", "--logos", "photos"), 3, "no logo can be used"),
        (("-n", "2", "--out", "logos/kiwi.png"), 2, "logos"),
    ],
)
def test_what_is_wrong_has_its_exit_code_and_a_way_out(vision, folder, words, code, said):
    called = vision(*WORDS, *words)
    assert called.code == code, called.err
    assert said in called.err
    assert "Traceback" not in called.err
    assert not (folder / "synth").exists()


def words_of(command: str) -> tuple[str, ...]:
    objects = "--logos" if command == "logos" else "--objects"
    return "synth", command, objects, "logos", "--backgrounds", "photos", "--workers", "1", "-n", "2"


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_looks_for_its_objects_in_the_backgrounds(vision, folder, command):
    called = vision(*words_of(command), "--check-clean", "--json")
    assert called.code == 0, called.err
    assert "None of 2 backgrounds seems to show one of the objects." in json.loads(called.out)["notes"]
    assert (folder / "synth/clean/backgrounds.csv").is_file()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--detector", "model"), 2, "--detector looks for objects in backgrounds"),
        (("--check-clean", "--detector", "model"), 3, "model"),
        (("--real", "photos", "--shard", "1/2"), 2, "--real: no distance is told with --shard"),
        (("--real", "photos", "--preview", "2"), 2, "--real: no distance is told with --preview"),
        (("--real", "nowhere"), 3, "nowhere: there is no such folder"),
    ],
)
def test_each_command_refuses_a_half_that_says_nothing(vision, folder, command, words, code, said):
    called = vision(*words_of(command), *words)
    assert called.code == code, called.err
    assert said in called.err
    assert "Traceback" not in called.err
    assert not (folder / "synth").exists()


def test_an_interrupt_ends_it_with_130_and_leaves_whole_photos(folder):
    words = [*WORDS[:-1], "2", "-n", "5000"]
    process = subprocess.Popen(
        [sys.executable, "-m", "vision_cli", *words],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "100"},
    )
    log = folder / "synth/logos/photos.jsonl"
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None and (not log.is_file() or log.stat().st_size < 2000):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    photos = list((folder / "synth/logos/photos").glob("[0-9]*.jpg"))
    assert photos
    for path in photos:
        with Image.open(path) as image:
            image.load()
