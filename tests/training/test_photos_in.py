"""From files to batches and embeddings: pixels, order, memory, disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tiny_training import PREPROCESS, Heard, Stripes, draw
from torch import nn

from vision_cli.core.errors import ResourceError, UsageError
from vision_cli.core.preprocess import Preprocess
from vision_cli.imaging.prepare import load
from vision_cli.training.augment import NAMES, augmented, describe, preset, training_size
from vision_cli.training.batches import AugmentedPhotos, EpochBatches, PlainPhotos, in_order, loader, tensors
from vision_cli.training.cache import PhotoCache
from vision_cli.training.embed import PLAIN, EmbedOptions, View, embed_views, weights_hash
from vision_cli.training.head import Scaled, is_linear
from vision_cli.training.module import Normalise
from vision_cli.training.store import EmbeddingStore


def channels(count: int) -> Preprocess:
    return Preprocess(size_px=(20, 12), channels=count, mean=(0.5,) * count, std=(0.5,) * count)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [1, 3, 4])
def test_augmentation_gives_the_networks_size_and_depends_on_its_key_alone(name: str, count: int) -> None:
    photo = np.random.default_rng(0).integers(0, 255, (40, 30, count), np.uint8)
    preprocess = channels(count)
    one, other = preset(name, preprocess), preset(name, preprocess)
    keys = [(1, epoch, index) for epoch in range(3) for index in range(4)]
    expected = {key: augmented(one, photo, key) for key in keys}
    for key in reversed(keys):
        assert np.array_equal(augmented(other, photo, key), expected[key])
    if name != "none":
        assert {found.shape for found in expected.values()} == {(12, 20, count)}
        assert len({found.tobytes() for found in expected.values()}) == len(keys)


@pytest.mark.parametrize("shape", [(40, 400), (400, 40), (1, 50), (50, 1)])
def test_long_photos_are_cut_at_random_places_too(shape: tuple[int, int]) -> None:
    photo = np.random.default_rng(0).integers(0, 255, (*shape, 3), np.uint8)
    compose = preset("light", replace(PREPROCESS, size_px=(16, 16)))
    found = {augmented(compose, photo, (0, 0, index)).tobytes() for index in range(8)}
    assert len(found) > 4


def test_geometry_takes_alpha_along() -> None:
    photo = np.full((40, 40, 4), 200, np.uint8)
    photo[:, :20] = 0
    for index in range(20):
        found = augmented(preset("light", channels(4)), photo, (0, 0, index)).astype(int)
        assert np.abs(found[..., 0] - found[..., 3]).max() <= 25  # colour is resized by a cubic, alpha by a line
        assert np.ptp(found[..., 3]) == 200 or index > 0


def test_colour_steps_leave_alpha_alone() -> None:
    photo = np.random.default_rng(0).integers(0, 255, (40, 40, 4), np.uint8)
    photo[..., 3] = 200
    for index in range(20):
        found = augmented(preset("medium", channels(4)), photo, (0, 0, index))
        assert (found[4:-4, 6:-6, 3] == 200).all()


def test_stronger_presets_do_more_and_are_described() -> None:
    lines = {name: describe(name) for name in NAMES}
    assert lines["none"] == ["no augmentation: every photo as evaluation sees it"]
    assert 1 < len(lines["light"]) < len(lines["medium"]) < len(lines["strong"])
    assert "scale=(0.35, 1.0)" in lines["medium"][0]
    assert "size=(224, 224)" in lines["medium"][0]
    assert any("HorizontalFlip() on 50% of the photos" in line for line in lines["light"])
    with pytest.raises(UsageError, match="no preset 'heavy'"):
        preset("heavy", Preprocess())


@pytest.mark.parametrize("resize", ["crop", "stretch", "letterbox"])
def test_without_augmentation_training_sees_what_evaluation_sees(tmp_path: Path, resize: Any) -> None:
    photos, preprocess = draw(tmp_path, 3), replace(PREPROCESS, resize=resize)
    expected = np.stack([load(path, preprocess) for path in photos.paths])
    normalise = Normalise(preprocess.mean, preprocess.std)
    training = loader(AugmentedPhotos(photos, preprocess, "none", 1), [[(0, 0), (0, 1), (0, 2)]], 0)
    evaluation = loader(PlainPhotos(photos, preprocess), [[0, 1, 2]], 0)
    for batches in (training, evaluation, training, evaluation):  # the second time from memory
        (batch,) = batches
        found, targets = tensors(batch, "cpu")
        assert np.array_equal(normalise(found).numpy(), expected)
        assert targets.tolist() == [0, 1, 0]
        assert found.is_contiguous(memory_format=torch.channels_last)


@given(photos=st.integers(1, 200), batch_size=st.integers(1, 40), epoch=st.integers(0, 50))
@settings(max_examples=60, deadline=None)
def test_an_epoch_is_every_photo_once_in_even_batches(photos: int, batch_size: int, epoch: int) -> None:
    late, early = EpochBatches(photos, batch_size, 3, first_epoch=epoch), EpochBatches(photos, batch_size, 3)
    early.set_epoch(epoch)
    batches = list(late)
    assert batches == list(early)
    assert len(batches) == len(late)
    assert sorted(index for batch in batches for _, index in batch) == list(range(photos))
    assert {key for batch in batches for key, _ in batch} == {epoch}
    sizes = [len(batch) for batch in batches]
    assert max(sizes) <= batch_size
    assert max(sizes) - min(sizes) <= 1


def test_epochs_differ_in_order() -> None:
    first, second = (next(iter(EpochBatches(50, 50, 1, epoch))) for epoch in (0, 1))
    assert [index for _, index in first] != [index for _, index in second]
    assert in_order(5, 2) == [[0, 1], [2, 3], [4]]


def test_the_cache_keeps_what_fits_and_is_bounded() -> None:
    cache = PhotoCache(4, slot_bytes=30, max_bytes=70)
    photo = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    for index in range(4):
        cache.put(index, photo)
    assert [cache.get(index) is not None for index in range(4)] == [True, True, False, False]
    found = cache.get(1)
    assert found is not None
    assert np.array_equal(found, photo)
    found[:] = 0  # a copy: augmentation in place must not reach the cache
    again = cache.get(1)
    assert again is not None
    assert np.array_equal(again, photo)
    large = PhotoCache(1, slot_bytes=10)
    large.put(0, photo)
    assert large.get(0) is None


def plain(network: Any, paths: Sequence[Path], options: EmbedOptions) -> Any:
    """Return the embeddings of photos as evaluation sees them, float32 (N, D)."""
    return embed_views(network, paths, (PREPROCESS, (PLAIN,)), options, Heard())[0]


def test_embeddings_are_the_backbones_in_the_order_asked(tmp_path: Path) -> None:
    photos, network = draw(tmp_path, 7), Stripes()
    found = plain(network, photos.paths, EmbedOptions(batch_size=3, workers=0))
    with torch.inference_mode():
        batch = torch.from_numpy(np.stack([load(path, PREPROCESS) for path in photos.paths]))
        expected = network.eval().backbone(batch)
    assert found.dtype == np.float32
    assert np.allclose(found, expected, atol=1e-5)
    assert plain(network, [], EmbedOptions(workers=0)).shape == (0, 8)


def test_views_flip_and_widen(tmp_path: Path) -> None:
    photos, network = draw(tmp_path, 3), Stripes()
    Image.open(photos.paths[0]).crop((0, 0, 48, 30)).save(photos.paths[0])
    views = (PLAIN, View(flip=True), View(crop_pct=1.0))
    options = EmbedOptions(workers=0)
    rows = embed_views(network, photos.paths, (PREPROCESS, views), options, Heard())
    flipped = tmp_path / "flipped"
    flipped.mkdir()
    paths = []
    for path in photos.paths:
        paths.append(flipped / path.name)
        Image.open(path).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(paths[-1])
    assert np.allclose(rows[1], plain(network, paths, options), atol=1e-2)
    wide = embed_views(network, photos.paths, (replace(PREPROCESS, crop_pct=1.0), (PLAIN,)), options, Heard())
    assert np.allclose(rows[2], wide[0], atol=1e-5)
    assert not np.allclose(rows[0], rows[2], atol=1e-3)


def test_embeddings_are_kept_by_content_and_weights(tmp_path: Path) -> None:
    photos, network, heard = draw(tmp_path / "t", 6), Stripes(), Heard()
    photos.paths[5].write_bytes(photos.paths[0].read_bytes())
    options = EmbedOptions(batch_size=2, workers=0, store=tmp_path / "store")

    def run(subject: Any = network) -> Any:
        heard.steps.clear()
        return embed_views(subject, photos.paths, (PREPROCESS, (PLAIN, View(flip=True))), options, heard)

    first = run()
    assert heard.steps[-1] == ("embed", 5, 5)  # equal content once
    assert np.array_equal(first[:, 0], first[:, 5])
    assert np.array_equal(run(), first)
    assert heard.steps == []
    photos.paths[1].write_bytes(photos.paths[2].read_bytes())
    assert np.array_equal(run()[:, 1], first[:, 2])
    assert heard.steps == []
    other = Stripes(seed=1)
    assert weights_hash(other) != weights_hash(network)
    assert not np.allclose(run(other), first)
    assert heard.steps != []


def test_a_torn_store_is_computed_to_the_same_rows(tmp_path: Path) -> None:
    photos, network = draw(tmp_path / "t", 6), Stripes()
    options = EmbedOptions(batch_size=4, workers=0, store=tmp_path / "store")
    first = embed_views(network, photos.paths, (PREPROCESS, (PLAIN,)), options, Heard())
    (file,) = (tmp_path / "store").glob("*.bin")
    for size in (0, 1, 40, 64, 65, 250):
        file.write_bytes(file.read_bytes()[:size])
        assert np.array_equal(embed_views(network, photos.paths, (PREPROCESS, (PLAIN,)), options, Heard()), first)


def test_a_store_on_a_full_disk_is_a_resource_error(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")
    (tmp_path / "store.bin").symlink_to(full)
    store = EmbeddingStore(tmp_path / "store.bin", 2)
    with pytest.raises(ResourceError, match="No space left"):
        store.put([bytes(32)] * 1000, np.zeros((1000, 2), np.float32))


class Hungry(nn.Module):
    """Runs out of memory above two photos a batch."""

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        if len(batch) > self.fits:
            raise MemoryError
        return batch.mean(dim=(2, 3))

    fits = 2


def test_embedding_halves_its_batch_when_memory_runs_out(tmp_path: Path) -> None:
    photos, network, heard = draw(tmp_path, 7), Stripes(), Heard()
    network.backbone, network.n_features = Hungry(), 3  # type: ignore[assignment]
    rows = embed_views(network, photos.paths, (PREPROCESS, (PLAIN,)), EmbedOptions(batch_size=8, workers=0), heard)[0]
    expected = np.stack([load(path, PREPROCESS).mean(axis=(1, 2)) for path in photos.paths])
    assert np.allclose(rows, expected, atol=1e-5)
    assert len(heard.warned) == 2
    network.backbone.fits = 0  # type: ignore[assignment]
    with pytest.raises(ResourceError, match="one photo a batch"):
        plain(network, photos.paths, EmbedOptions(workers=0))


@pytest.mark.parametrize("seed", range(3))
def test_folding_changes_no_output(seed: int) -> None:
    torch.manual_seed(seed)
    rows = torch.randn(50, 8) * 7 + 3
    head = nn.Sequential(nn.Dropout(0.5), nn.Linear(8, 3), nn.ReLU(), nn.Linear(3, 2))
    scaled = Scaled(head, rows).eval()
    expected = scaled(rows).detach()
    scaled.fold()
    assert torch.allclose(head(rows), expected, atol=1e-4)
    assert not is_linear(head)
    assert is_linear(nn.Sequential(nn.Dropout(), nn.Linear(8, 2)))


def test_a_head_that_cannot_take_the_scale_in_gets_none() -> None:
    rows = torch.randn(50, 8) * 7 + 3
    head = nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 2))
    scaled = Scaled(head, rows)
    assert torch.equal(scaled(rows), head(rows))
    scaled.fold()
    assert torch.equal(scaled(rows), head(rows))


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [("medium", 224, 192), ("light", 224, 224), ("strong", 224, 192), ("medium", 288, 256), ("none", 224, 224)],
)
def test_training_sees_objects_as_large_as_evaluation_does(name: str, size: int, expected: int) -> None:
    assert training_size(name, Preprocess(size_px=(size, size), crop_pct=0.875)) == (expected, expected)


def test_the_training_size_matches_the_mean_magnification_of_random_crops() -> None:
    shares = np.random.default_rng(0).uniform(0.35, 1.0, 200_000)
    preprocess = Preprocess(size_px=(1024, 1024), crop_pct=0.875)
    width, _ = training_size("medium", preprocess)
    assert width * np.mean(1 / np.sqrt(shares)) == pytest.approx(1024 / 0.875, rel=0.02)


def test_photos_that_are_shown_whole_are_trained_without_the_magnification_of_a_centre_crop() -> None:
    """Crops of 35 to 100 % magnify by 1.257 on average: 1024 / 1.257 = 815, to the nearest 32."""
    for resize in ("letterbox", "stretch"):
        assert training_size("medium", Preprocess(size_px=(1024, 1024), resize=resize)) == (800, 800)
