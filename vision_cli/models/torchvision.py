"""The family `torchvision`: the classic and current classification networks of torchvision.models."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models.vision_transformer import interpolate_embeddings

from vision_cli.core.artefact import Card
from vision_cli.core.catalogue import hint_for
from vision_cli.core.config import InputConfig, ModelConfig
from vision_cli.core.errors import UsageError
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.progress import Progress
from vision_cli.core.weights import Source
from vision_cli.models import assembly
from vision_cli.models.channels import interpolation_named, preprocess_for
from vision_cli.models.network import Classifier, Trunk, embedding_length
from vision_cli.models.stages import by_resolution

CODE_LICENCE = "BSD-3-Clause"
_SWAG_LICENCE = "CC-BY-NC-4.0"
# These two normalise ImageNet-normalised photos again, to this; we feed it at once (`transform_input` off).
_HALF = (0.5, 0.5, 0.5)
_AUXILIARY = {"googlenet": ("aux1", "aux2"), "inception_v3": ("AuxLogits",)}

_COMMON = ("resnet18", "resnet50", "mobilenet_v3_small", "mobilenet_v3_large", "efficientnet_b0", "vit_b_16")
"""To show first where a name is unknown."""
_POSITIONS = "encoder.pos_embedding"
_RENAMED = (
    (re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)"), r"\1\2"),
    (re.compile(r"(encoder_layer_\d+\.mlp\.)linear_1"), r"\g<1>0"),
    (re.compile(r"(encoder_layer_\d+\.mlp\.)linear_2"), r"\g<1>3"),
)


def names() -> list[str]:
    """Return every classification network."""
    return sorted(torchvision.models.list_models(module=torchvision.models))


def build(config: ModelConfig, n_outputs: int, *, offline: bool, progress: Progress) -> Classifier:
    """Build a network; see `models.build`."""
    return assembly.build(trunk(config.backbone, config.input), config, n_outputs, offline=offline, progress=progress)


def rebuild(card: Card, state: Mapping[str, Tensor]) -> Classifier:
    """Build an artefact's network; see `models.rebuild`."""
    return assembly.rebuild(trunk, card, state)


def trunk(name: str, inputs: InputConfig) -> Trunk:
    """Build a torchvision network without its classifier.

    Raises:
        UsageError: unknown name, or a size that it does not take.
    """
    if name not in names():
        raise UsageError(
            f"model.backbone: torchvision has no network '{name}'.",
            hint=hint_for(name, names(), fitting=_COMMON, listing="vision models list torchvision"),
        )
    weights = torchvision.models.get_model_weights(name).DEFAULT
    preprocess = _preprocess(name, weights, inputs)
    module = _create(name, preprocess)
    classifier = _take_classifier_off(module)
    adapt_first_layer(module, inputs.channels)
    n_features = embedding_length(module, preprocess, name=name)
    width, height = preprocess.size_px
    return Trunk(
        name=name,
        module=module,
        stages=by_resolution(module, torch.zeros(1, inputs.channels, height, width)),
        n_features=n_features,
        preprocess=preprocess,
        licence=CODE_LICENCE,
        classifier=(classifier, *_AUXILIARY.get(name, ())),
        source=source(name),
        convert=partial(_convert, module),
    )


def source(name: str) -> Source:
    """Return where the weights of a network come from."""
    weights = torchvision.models.get_model_weights(name).DEFAULT
    return Source.from_url(weights.url, licence=_licence(weights))


def _preprocess(name: str, weights: Any, inputs: InputConfig) -> Preprocess:
    published = weights.transforms()
    crop, resize = published.crop_size[0], published.resize_size[0]
    half = name in _AUXILIARY
    return preprocess_for(
        inputs,
        size_px=(crop, crop),
        mean=_HALF if half else tuple(published.mean),
        std=_HALF if half else tuple(published.std),
        crop_pct=crop / resize,
        interpolation=interpolation_named(published.interpolation.value),
    )


def _licence(weights: Any) -> str:
    return _SWAG_LICENCE if "SWAG" in weights.name else CODE_LICENCE


def _create(name: str, preprocess: Preprocess) -> nn.Module:
    width, height = preprocess.size_px
    choices: dict[str, Any] = {}
    if name in _AUXILIARY:
        choices = {"aux_logits": False, "transform_input": False, "init_weights": False}
    elif name.startswith("vit_"):
        if width != height:
            raise UsageError(f"model.input.size: '{name}' takes square photos, got {width} x {height}.")
        choices = {"image_size": width}
    elif name.startswith("maxvit"):
        choices = {"input_size": (height, width)}
    try:
        module: nn.Module = torchvision.models.get_model(name, weights=None, **choices)
    except (ValueError, RuntimeError, AssertionError) as error:
        raise UsageError(
            f"model.input.size: '{name}' does not take {width} x {height} pixels: {error}",
            hint="Leave model.input.size away to use the network's own size.",
        ) from error
    return module


def _take_classifier_off(module: nn.Module) -> str:
    """Replace the last layer by nothing, and its dropout, which our head brings; return the last layer's name."""
    name: str = [key for key, child in module.named_modules() if isinstance(child, nn.Linear | nn.Conv2d)][-1]
    parent_name, _, key = name.rpartition(".")
    parent = module.get_submodule(parent_name)
    if isinstance(module.get_submodule(name), nn.Conv2d):
        # SqueezeNet: dropout, 1x1 convolution to the classes, ReLU, pooling. Only the pooling stays.
        module.set_submodule(parent_name, nn.Sequential(nn.AdaptiveAvgPool2d(1)))
        return name
    setattr(parent, key, nn.Identity())
    before = [child for child, _ in parent.named_children()]
    previous = before[before.index(key) - 1] if key.isdecimal() and before.index(key) > 0 else "dropout"
    if isinstance(getattr(parent, previous, None), nn.Dropout):
        setattr(parent, previous, nn.Identity())
    return name


def adapt_first_layer(module: nn.Module, channels: int) -> None:
    """Give a network of RGB photos a first layer of random weights for another number of channels."""
    if channels == 3:
        return
    name, first = next((name, child) for name, child in module.named_modules() if isinstance(child, nn.Conv2d))
    adapted = nn.Conv2d(
        channels,
        first.out_channels,
        kernel_size=_pair(first.kernel_size),
        stride=_pair(first.stride),
        padding=first.padding if isinstance(first.padding, str) else _pair(first.padding),
        bias=first.bias is not None,
    )
    module.set_submodule(name, adapted)


def _pair(sizes: tuple[int, ...]) -> tuple[int, int]:
    height, width = sizes
    return height, width


def _convert(module: nn.Module, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename what torchvision itself renames in its published files, and fit a ViT's positions to another size."""
    for pattern, replacement in _RENAMED:
        state = {pattern.sub(replacement, name): tensor for name, tensor in state.items()}
    if _POSITIONS not in state:
        return state
    network: Any = module  # a VisionTransformer
    return dict(interpolate_embeddings(network.image_size, network.patch_size, OrderedDict(state)))
