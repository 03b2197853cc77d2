"""Batches of scenes: what a scene becomes depends on its key alone, rare classes come as often as they should."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from colour_scenes import CLASSES, check, numbers, scene, thick, written

from vision_cli.core.detections import Truth
from vision_cli.core.errors import DataError
from vision_cli.core.place_targets import PlaceTargets
from vision_cli.core.preprocess import Preprocess
from vision_cli.training.batches import EpochBatches, loader, tensors
from vision_cli.training.places import augment
from vision_cli.training.places.batches import (
    AugmentedScenes,
    Mixing,
    PlainScenes,
    RepeatedBatches,
    collate,
    repeat_factors,
)
from vision_cli.training.places.lesson import rescaled
from vision_cli.training.places.scene import Scene, boxes_around
from vision_cli.training.places.scenes import Scenes

SIZES = [(260, 180), (180, 260), (200, 200), (220, 160)]
INPUT = Preprocess((96, 96), "letterbox", interpolation="bilinear")
MIXED = Mixing(mosaic=0.6, copy_paste=0.6)


def items(scenes: Scenes, name: str, mixing: Mixing = MIXED, seed: int = 1) -> AugmentedScenes:
    return AugmentedScenes(scenes, INPUT, name, seed, mixing)


def same(one: Any, two: Any) -> bool:
    parts = [(getattr(one, name), getattr(two, name)) for name in Scene.__slots__]
    return all((a is None and b is None) or np.array_equal(a, b) for a, b in parts)


@pytest.mark.parametrize("name", ["none", "light", "medium", "strong"])
@pytest.mark.parametrize("task", ["detect", "instance", "panoptic"])
def test_what_a_network_learns_from_is_what_the_photo_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str, name: str
) -> None:
    """Read, enlarged, augmented, put together of up to five photos that share no colour."""
    monkeypatch.setattr(augment, "colour_steps", lambda *_: [])
    mixing = Mixing(mosaic=0.6, copy_paste=0.0 if task == "detect" else 0.6)
    scenes = written(tmp_path, task, SIZES)
    photos = items(scenes, name, mixing)
    made = 0
    for key in ((epoch, index) for epoch in range(8) for index in range(len(SIZES))):
        found = photos[key]
        assert isinstance(found, Scene)
        assert found.size_px == INPUT.size_px
        assert found.boxes.dtype == np.float32
        assert ((found.boxes[:, 2:] - found.boxes[:, :2]) >= 1 - 1e-3).all()
        assert found.boxes.min(initial=0) >= 0
        assert found.boxes.max(initial=0) <= 96
        made += len(found.labels)
        # In a mosaic a colour may come from several photos: objects of a class are compared together.
        shown = numbers(found.photo)
        for number in range(1, CLASSES):
            plane, rows = shown == number, np.flatnonzero(found.labels == number)
            inside = np.zeros_like(plane)
            for row in rows:
                if found.masks is not None:
                    inside |= found.masks[row] == 1
                else:
                    left, top, right, bottom = found.boxes[row].tolist()
                    low, high = (max(0, math.floor(each - 1)) for each in (left, top))
                    inside[high : math.ceil(bottom + 1), low : math.ceil(right + 1)] = True
            assert not thick(plane & ~inside), f"what shows of {number} belongs to no object"
            if found.masks is not None:
                assert not thick(inside & ~plane), f"masks of {number} are where it does not show"
            if found.pixels is not None:
                assert not thick((found.pixels == number) != plane)
    assert made > 50


@pytest.mark.parametrize("task", ["instance", "panoptic"])
def test_the_key_alone_decides(tmp_path: Path, task: str) -> None:
    scenes = written(tmp_path, task, SIZES)
    keys = [(epoch, index) for epoch in range(2) for index in range(len(SIZES))]
    photos = items(scenes, "strong")
    first = {key: photos[key] for key in keys}
    again = items(scenes, "strong")
    assert all(same(first[key], again[key]) for key in reversed(keys))
    assert not any(same(first[0, index], first[1, index]) for index in range(len(SIZES)))
    other = items(scenes, "strong", seed=2)
    assert not any(same(first[key], other[key]) for key in keys)


def test_workers_change_nothing(tmp_path: Path) -> None:
    scenes = written(tmp_path, "instance", SIZES)
    batches = [
        list(loader(items(scenes, "medium"), EpochBatches(len(SIZES), 2, 3), workers, collate)) for workers in (0, 2)
    ]
    for one, two in zip(*batches, strict=True):
        assert np.array_equal(one[0], two[0])
        assert all(np.array_equal(getattr(one[1], name), getattr(two[1], name)) for name in ("boxes", "masks", "crowd"))


def test_shares_of_mixing(tmp_path: Path) -> None:
    """Scenes that are not mixed are those without mixing."""
    scenes = written(tmp_path, "instance", SIZES)
    plain, some, all_ = (items(scenes, "light", Mixing(share, 0.0)) for share in (0.0, 0.5, 1.0))
    keys = [(epoch, 0) for epoch in range(60)]
    equal = [same(plain[key], some[key]) for key in keys]
    assert 15 < sum(equal) < 45
    assert not any(same(plain[key], all_[key]) for key in keys[:10])


def truth_with(photos: int, pairs: list[tuple[int, int]]) -> Scenes:
    number = len(pairs)
    truth = Truth(
        np.tile([10, 10], (photos, 1)),
        np.array([photo for photo, _ in pairs], dtype=np.int64),
        np.array([name for _, name in pairs], dtype=np.int64),
        np.tile([1.0, 1.0, 5.0, 5.0], (number, 1)),
        areas=np.full(number, 25.0),
        crowd=np.zeros(number, dtype=bool),
        difficult=np.zeros(number, dtype=bool),
    )
    return Scenes("detect", [Path(f"{index}.png") for index in range(photos)], truth, np.ones(4, dtype=bool))


def test_repeat_factors_are_those_of_lvis() -> None:
    """r(i) = max over the classes of a photo of max(1, sqrt(t / f(c))), f the share of photos with the class."""
    rng = np.random.default_rng(0)
    pairs = [(photo, 0) for photo in range(100)] + [(7, 1), (7, 1), (8, 1), (9, 2)]
    pairs += [(int(photo), 3) for photo in rng.choice(100, 20, replace=False)]
    pairs.sort()
    found = repeat_factors(truth_with(110, pairs), 0.1)
    for photo in range(110):
        names = {name for where, name in pairs if where == photo}
        shares = [len({where for where, name in pairs if name == each}) / 110 for each in names]
        assert found[photo] == pytest.approx(max([1.0, *(math.sqrt(0.1 / share) for share in shares)]))
    assert found[9] == pytest.approx(math.sqrt(11))
    assert (found[100:] == 1).all()  # Photos without an object are kept.


@pytest.mark.parametrize("seed", range(3))
def test_photos_come_as_often_as_their_factors(seed: int) -> None:
    rng = np.random.default_rng(seed)
    factors = np.where(rng.random(57) < 0.4, rng.uniform(1, 3.5, 57), 1.0)
    lengths, counts = set(), np.zeros(57)
    epochs = 2000
    batches = RepeatedBatches(factors, 8, seed)
    for epoch in range(epochs):
        batches.set_epoch(epoch)
        rows = np.concatenate(batches.order())
        lengths.add(len(rows))
        often = np.bincount(rows, minlength=57)
        assert ((often == np.floor(factors)) | (often == np.floor(factors) + 1)).all()
        assert (often[factors == 1] == 1).all()
        counts += often
    assert lengths == {math.floor(factors.sum())}
    # The chances are scaled, so that the number of photos is whole.
    shares = factors - np.floor(factors)
    expected = np.floor(factors) + shares * (math.floor(factors.sum()) - np.floor(factors).sum()) / shares.sum()
    assert counts / epochs == pytest.approx(expected, abs=0.05)
    assert expected == pytest.approx(factors, abs=0.12)
    assert len(batches) == math.ceil(batches.photos / 8)


def test_repeated_batches_are_the_same_after_resuming() -> None:
    factors = np.linspace(1, 2, 20)
    whole, resumed = RepeatedBatches(factors, 4, 5), RepeatedBatches(factors, 4, 5, 3)
    whole.set_epoch(3)
    assert [each.tolist() for each in whole.order()] == [each.tolist() for each in resumed.order()]
    assert list(whole) == list(resumed)
    resumed.set_epoch(1)
    assert list(whole) != list(resumed)


def test_factors_of_one_are_an_ordinary_epoch() -> None:
    batches = RepeatedBatches(np.ones(10), 4, 0)
    assert sorted(np.concatenate(batches.order()).tolist()) == list(range(10))


def test_batches_hold_all_scenes(tmp_path: Path) -> None:
    scenes = written(tmp_path, "panoptic", SIZES)
    parts = [PlainScenes(scenes, INPUT)[index] for index in range(4)]
    batch = collate(parts)
    assert isinstance(batch, tuple)
    photos, targets = batch
    assert (photos.shape, photos.dtype) == ((4, 96, 96, 3), np.uint8)
    assert targets.photo.tolist() == [0] * 7 + [1] * 7 + [3] * 7
    assert (targets.boxes.shape, targets.masks.shape, targets.pixels.shape) == ((21, 4), (21, 96, 96), (4, 96, 96))
    assert (targets.labels.dtype, targets.pixels.dtype, targets.crowd.dtype) == (np.int64, np.int64, np.bool_)
    moved, tensor_targets = tensors(batch, "cpu")
    assert moved.shape == (4, 3, 96, 96)
    assert torch.equal(tensor_targets.masks, torch.from_numpy(targets.masks))
    error = DataError("no photo.")
    assert collate([*parts, error]) is error


def test_a_batch_of_negative_photos(tmp_path: Path) -> None:
    scenes = written(tmp_path, "instance", [(60, 50), (50, 60)], ())
    batch = collate([PlainScenes(scenes, INPUT)[index] for index in range(2)])
    assert isinstance(batch, tuple)
    assert (len(batch[1]), batch[1].boxes.shape, batch[1].masks.shape) == (2, (0, 4), (0, 96, 96))
    inputs, targets = rescaled(*as_tensors(batch), 1.25)
    assert (inputs.shape, targets.masks.shape) == ((2, 3, 128, 128), (0, 128, 128))


def as_tensors(batch: Any) -> tuple[torch.Tensor, PlaceTargets]:
    photos, targets = tensors(batch, "cpu")
    return photos.float(), targets


@pytest.mark.parametrize(("scale", "size"), [(0.75, 64), (1.0, 96), (1.25, 128), (1.6, 160)])
@pytest.mark.parametrize("masks", [False, True])
def test_rescaled_batches_show_what_they_say(masks: bool, scale: float, size: int) -> None:
    parts = [scene(seed, (96, 96), masks=masks, pixels=masks) for seed in range(10)]
    batch = collate(list(parts))
    inputs, targets = rescaled(*as_tensors(batch), scale)
    assert tuple(inputs.shape) == (10, 3, size, size)
    assert targets.labels.tolist() == [number for part in parts for number in part.labels.tolist()]
    shifts: list[Any] = []
    for photo in range(10):
        rows = targets.photo == photo
        shifts += check(
            Scene(
                inputs[photo].movedim(0, -1).round().clamp(0, 255).to(torch.uint8).numpy(),
                targets.boxes[rows].numpy() if not masks else boxes_around(targets.masks[rows].numpy()),
                targets.labels[rows].numpy(),
                targets.crowd[rows].numpy(),
                targets.masks[rows].numpy() if masks else None,
                targets.pixels[photo].numpy() if masks else None,
            )
        )
    if masks:
        assert np.abs(np.mean(shifts, axis=0)).max() < 0.05
        assert np.abs(targets.boxes.numpy() - boxes_around(targets.masks.numpy())).max() < 1.01


def test_wide_inputs_are_rescaled_in_whole_steps() -> None:
    inputs = torch.zeros(2, 3, 96, 320)
    targets = PlaceTargets(2, torch.tensor([0]), torch.tensor([[32.0, 24.0, 64.0, 48.0]]), torch.tensor([1]), None)
    found, moved = rescaled(inputs, targets, 0.8)
    assert tuple(found.shape) == (2, 3, 64, 256)
    assert moved.boxes.tolist() == [
        [pytest.approx(25.6), pytest.approx(16.0), pytest.approx(51.2), pytest.approx(32.0)]
    ]
    assert rescaled(inputs, targets, 1.0) == (inputs, targets)
