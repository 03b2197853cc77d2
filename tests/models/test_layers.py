"""Any layer of a backbone as one vector a photo."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from vision_cli import models
from vision_cli.core.config import InputConfig, ModelConfig
from vision_cli.core.errors import UsageError
from vision_cli.models import layers

TINY = ModelConfig(family="timm", backbone="test_resnet", weights="none", input=InputConfig(size=(64, 64)))


def test_maps_and_tokens_are_averaged_and_of_several_the_last_is_taken() -> None:
    image, tokens, vector = torch.rand(2, 5, 3, 4), torch.rand(2, 7, 5), torch.rand(2, 5)
    assert torch.allclose(layers.pooled(image), image.flatten(2).mean(2))
    assert torch.allclose(layers.pooled(tokens), torch.stack([row.mean(0) for row in tokens]))
    assert layers.pooled(vector) is vector
    assert torch.equal(layers.pooled([tokens, vector]), vector)
    assert torch.equal(layers.pooled({"0": tokens, "pool": vector}), vector)


@pytest.mark.parametrize("output", [torch.rand(2), torch.rand(1, 2, 3, 4, 5), "text", None, []])
def test_what_is_no_vector_of_a_photo_is_refused(output: Any) -> None:
    with pytest.raises(UsageError, match="no vector"):
        layers.pooled(output)


def test_a_layer_gives_what_stands_there_in_the_network() -> None:
    network: Any = models.build(TINY, 1, offline=True)
    batch = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        body = network.backbone.eval()
        seen = body.layer1(body.maxpool(body.act1(body.bn1(body.conv1(batch)))))
        assert torch.allclose(layers.at(network, "layer1")(batch), seen.mean(dim=(2, 3)), atol=1e-6)
        assert torch.allclose(layers.at(network, "penultimate")(batch), body(batch))
    assert all(parameter.requires_grad for parameter in body.parameters())
    assert not any(module._forward_hooks for module in body.modules())


def test_every_name_that_is_listed_is_a_layer() -> None:
    network: Any = models.build(TINY, 1, offline=True)
    known = layers.names(network)
    assert known[-1] == layers.PENULTIMATE
    assert set(known[:-1]) == {name for name, _ in network.backbone.named_modules() if name}


def test_a_network_without_modules_has_no_layers() -> None:
    class Graph:
        backbone = None

    with pytest.raises(UsageError, match="no layers"):
        layers.at(Graph(), "penultimate")  # type: ignore[arg-type]
    assert isinstance(models.build(TINY, 1, offline=True).backbone, nn.Module)
