from __future__ import annotations

import pytest
import torch
from timm.models import adapt_input_conv

from vision_cli import models
from vision_cli.core.config import InputConfig, ModelConfig
from vision_cli.models.channels import adapt_weight, interpolation_named, preprocess_for


def test_grey_weights_are_timms_own() -> None:
    weight = torch.rand(5, 3, 3, 3)
    assert torch.allclose(adapt_weight(weight, 1), adapt_input_conv(1, weight))


def test_a_stem_that_packs_pixels_into_channels_keeps_its_packing() -> None:
    weight = torch.rand(5, 12, 3, 3)
    assert torch.allclose(adapt_weight(weight, 1), adapt_input_conv(1, weight))


@pytest.mark.parametrize(
    ("family", "backbone"), [("timm", "test_resnet"), ("timm", "test_vit"), ("torchvision", "shufflenet_v2_x0_5")]
)
@pytest.mark.parametrize("channels", [1, 4])
def test_the_first_layer_answers_as_it_did_for_rgb(
    family: str, backbone: str, channels: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A grey photo as its RGB copy would be answered; an opaque photo as without alpha."""
    torch.manual_seed(0)
    rgb = models.build(ModelConfig(family=family, backbone=backbone, weights="none"), 2).eval()
    path = tmp_path_factory.mktemp("weights") / "rgb.pth"
    torch.save(rgb.backbone.state_dict(), path)
    config = ModelConfig(family=family, backbone=backbone, weights=str(path), input=InputConfig(channels=channels))
    other = models.build(config, 2).eval()
    width, height = rgb.preprocess.size_px
    photo = torch.rand(1, 3, height, width)
    with torch.no_grad():
        if channels == 1:
            grey = photo[:, :1]
            expected, found = rgb.backbone(grey.expand(-1, 3, -1, -1)), other.backbone(grey)
        else:
            alpha = (torch.ones(1, 1, height, width) - other.preprocess.mean[3]) / other.preprocess.std[3]
            expected, found = rgb.backbone(photo), other.backbone(torch.cat([photo, alpha], dim=1))
    assert torch.allclose(expected, found, atol=1e-4)


def test_the_declared_size_wins_and_grey_gets_the_average() -> None:
    values = {"size_px": (224, 224), "mean": (0.1, 0.2, 0.3), "std": (0.2, 0.2, 0.5), "crop_pct": 0.9}
    found = preprocess_for(InputConfig(size=(64, 32), channels=1, resize="letterbox"), **values)
    assert (found.size_px, found.resize, found.crop_pct) == ((64, 32), "letterbox", 0.9)
    assert found.mean == pytest.approx((0.2,))
    assert found.std == pytest.approx((0.3,))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("bilinear", "bilinear"), ("nearest", "nearest"), ("bicubic", "bicubic"), ("lanczos", "bicubic")],
)
def test_interpolations(theirs: str, ours: str) -> None:
    assert interpolation_named(theirs) == ours
