"""Masks and classes of pixels as rows, pictures and data sets: each pixel stays what it was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

from vision_cli import formats
from vision_cli.core import files, rle
from vision_cli.core.artefact import Card
from vision_cli.core.dataset import ClassMap
from vision_cli.core.decoding.answers import PhotoObjects, PhotoPixels, PhotoSegments, PlaceAnswer
from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.progress import Silent
from vision_cli.core.truth import truth_of
from vision_cli.formats import ReadOptions
from vision_cli.imaging.palette import colour_of
from vision_cli.stages.converting import reshaping
from vision_cli.stages.running import place_predict, prediction_sets
from vision_cli.stages.running.place_rows import read_row, row_of

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
SIZE = (60, 40)
CLASSES = ClassMap(("cup", "table", "wall"))
CUP = np.zeros(SIZE[::-1], dtype=bool)
CUP[5:20, 10:30] = True
CUP[5:10, 10:15] = False
MAP = np.full(SIZE[::-1], 2, dtype=np.int16)
MAP[25:, :] = 1
MAP[CUP] = 0


def card(task: str) -> Card:
    layout = {"instance": "boxes", "semantic": "pixels", "panoptic": "panoptic"}[task]
    return Card(task, CLASSES, Preprocess(), PlaceDecode(layout, things=(0,)), "none", {}, "CC0-1.0", "cups", "")  # type: ignore[arg-type]


def answer(task: str) -> PlaceAnswer:
    if task == "semantic":
        return PhotoPixels(MAP)
    if task == "panoptic":
        ids = np.choose(MAP, [1, 2, 3]).astype(np.int32)
        return PhotoSegments(ids, np.array([0, 1, 2]), np.array([0.9, 1, 1]), np.array([True, False, False]))
    boxes, counts = np.array([[10.0, 5, 30, 20]]), np.asarray(rle.encode(CUP))
    return PhotoObjects(SIZE, boxes, np.array([0.9]), np.array([0]), (counts,))


def shown(text: str) -> np.ndarray:  # type: ignore[type-arg]
    """Decode run lengths by pycocotools."""
    return coco_mask.decode({"size": [SIZE[1], SIZE[0]], "counts": text.encode()}).astype(bool)


@pytest.mark.parametrize("task", ["instance", "semantic", "panoptic"])
def test_rows_hold_every_pixel_and_come_back_from_json(task: str) -> None:
    row = row_of(Path("a.png"), answer(task), card(task))
    assert read_row(Path("a.png"), json.loads(files.json_text(row.as_json())), card(task)).as_json() == row.as_json()
    if task != "semantic":
        assert [(each.label, each.box) for each in row.objects] == [("cup", (10, 5, 20, 15))]
        assert (shown(row.objects[0].mask or "") == CUP).all()
    regions = {"instance": [], "semantic": ["wall", "table", "cup"], "panoptic": ["wall", "table"]}[task]
    assert list(row.regions or {}) == regions
    for name, text in (row.regions or {}).items():
        assert (shown(text) == (CLASSES.index(name) == MAP)).all()
    if row.shares is not None:
        assert row.shares["cup"] == CUP.mean()
        assert sum(row.shares.values()) == pytest.approx(1)


@pytest.mark.parametrize("task", ["instance", "semantic", "panoptic"])
def test_pictures_are_tinted_where_something_is(task: str) -> None:
    photo = np.full((*SIZE[::-1], 3), 120, np.uint8)
    found = row_of(Path("a.png"), answer(task), card(task))
    drawn = place_predict.marked(photo, found, card(task)).astype(int)
    changed = np.abs(drawn - 120).max(axis=2) > 0
    inside = CUP.copy()
    inside[:12] = inside[18:] = False  # without the box and the text above
    inside[:, :13] = inside[:, 28:] = False
    assert changed[inside].all()
    assert changed[30:].all() == (task != "instance")


@pytest.mark.parametrize("task", ["semantic", "panoptic"])
def test_pictures_tell_what_their_colours_mean(task: str) -> None:
    photo = np.full((*SIZE[::-1], 3), 120, np.uint8)
    found = row_of(Path("a.png"), answer(task), card(task))
    drawn = place_predict.picture(photo, found, card(task))
    bottom = round(SIZE[1] * drawn.shape[1] / SIZE[0])
    assert drawn.shape[0] > bottom
    for name in CLASSES.names:  # a swatch in the very colour of the class's rim
        assert (drawn[bottom:] == colour_of(CLASSES.index(name))).all(axis=-1).sum() > 80


def test_classes_of_one_colour_get_two_in_a_picture() -> None:
    many = replace(card("semantic"), classes=ClassMap(tuple(f"c{at}" for at in range(145))))
    plane = np.zeros(SIZE[::-1], np.int16)
    plane[:, :20] = 144  # its own colour is that of class 0
    photo = np.full((*SIZE[::-1], 3), 120, np.uint8)
    drawn = place_predict.picture(photo, row_of(Path("a.png"), PhotoPixels(plane), many), many)
    left, right = drawn[20, 8].astype(int), drawn[20, 150].astype(int)
    assert np.abs(left - right).max() > 40


def test_words_are_few_however_many_classes_there_are() -> None:
    many = replace(card("semantic"), classes=ClassMap(tuple(f"c{at}" for at in range(20))))
    plane = np.repeat(np.arange(20, dtype=np.int16), 3)[None].repeat(40, axis=0)
    row = row_of(Path("a.png"), PhotoPixels(plane), many)
    assert row.answer == "5% c0, 5% c1, 5% c2, 5% c3 and 16 more"
    assert len(row.shares or {}) == 20
    ids = np.arange(6)
    objects = PhotoObjects(SIZE, np.tile([[1.0, 2, 3, 4]], (6, 1)), np.full(6, 0.9), ids, None)
    boxed = replace(many, task="detect", decode=PlaceDecode("boxes"))
    assert row_of(Path("a.png"), objects, boxed).answer == "1 c0, 1 c1, 1 c2, 1 c3 and 2 more"


@pytest.mark.parametrize(("task", "name"), [("instance", "coco"), ("semantic", "masks"), ("panoptic", "panoptic")])
def test_data_sets_hold_the_masks(tmp_path: Path, task: str, name: str) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(np.zeros((*SIZE[::-1], 3), np.uint8)).save(tmp_path / "in" / "a.png")
    row = row_of(tmp_path / "in" / "a.png", answer(task), card(task))
    wanted = prediction_sets.Wanted(name, tmp_path / "out")
    prediction_sets.check(wanted, row.path)
    prediction_sets.write(wanted, [row], card(task), None, Silent())
    back = formats.FORMATS.load(name).read(tmp_path / "out", ReadOptions("set"))
    back = reshaping.with_boxes(back, frozenset({"box"}))
    truth = truth_of(back, back.classes, masks=True)
    found = {
        back.classes.names[label]: text for label, text in zip(truth.class_id, truth.masks.to_pylist(), strict=True)
    }  # type: ignore[union-attr]
    assert {"cup"} <= set(found) <= set(CLASSES.names)
    assert len(found) == (1 if task == "instance" else 3)
    for label, text in found.items():
        assert (shown(text.decode()) == (CLASSES.index(label) == MAP)).all()


@pytest.mark.parametrize(
    ("name", "notes"),
    [
        ("voc", ["no scores in 'voc': it has no place for them."]),
        ("yolo", ["no scores in 'yolo': they would be part of the labels; --scores writes them."]),
        ("kitti", []),
        ("openimages", []),
    ],
)
def test_notes_tell_what_is_lost_and_nothing_else(tmp_path: Path, name: str, notes: list[str]) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(np.zeros((*SIZE[::-1], 3), np.uint8)).save(tmp_path / "in" / "a.png")
    boxed = replace(card("instance"), task="detect")
    boxes = PhotoObjects(SIZE, np.array([[10.0, 5, 30, 20]]), np.array([0.9]), np.array([0]), None)
    row = row_of(tmp_path / "in" / "a.png", boxes, boxed)
    wanted = prediction_sets.Wanted(name, tmp_path / "out")
    said = prediction_sets.write(wanted, [row], boxed, None, Silent())
    assert [each for each in said if "score" in each or "area" in each] == notes
    assert not any("changed" in each for each in said)
    silent = prediction_sets.Wanted(name, tmp_path / "no scores", scores=False)
    assert not any("score" in each for each in prediction_sets.write(silent, [row], boxed, None, Silent()))


def test_masks_come_without_a_word_on_their_area(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(np.zeros((*SIZE[::-1], 3), np.uint8)).save(tmp_path / "in" / "a.png")
    row = row_of(tmp_path / "in" / "a.png", answer("semantic"), card("semantic"))
    wanted = prediction_sets.Wanted("masks", tmp_path / "out")
    assert not any("area" in each for each in prediction_sets.write(wanted, [row], card("semantic"), None, Silent()))
