"""The family `timm`: any network of PyTorch Image Models by its own name."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import timm
from timm.data import resolve_model_data_config
from timm.models import get_pretrained_cfg, group_parameters
from torch import Tensor, nn

from vision_cli.core.artefact import Card
from vision_cli.core.catalogue import suggestion
from vision_cli.core.config import InputConfig, ModelConfig
from vision_cli.core.errors import UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.weights import UNKNOWN_LICENCE, Source
from vision_cli.models import assembly
from vision_cli.models.channels import interpolation_named, preprocess_for
from vision_cli.models.network import Classifier, Trunk, embedding_length
from vision_cli.models.stages import cover

CODE_LICENCE = "Apache-2.0"
_SPDX = {name.lower(): name for name in ("Apache-2.0", "MIT", "BSD-3-Clause", "CC-BY-NC-4.0", "CC-BY-4.0")}
_NOT_STATED = ("", "unknown", "other")


def names() -> list[str]:
    """Return every architecture; `name.tag` chooses among its weights."""
    return sorted(timm.list_models())


def build(config: ModelConfig, n_outputs: int, *, offline: bool, progress: Progress) -> Classifier:
    """Build a network; see `models.build`."""
    return assembly.build(trunk(config.backbone, config.input), config, n_outputs, offline=offline, progress=progress)


def rebuild(card: Card, state: Mapping[str, Tensor]) -> Classifier:
    """Build an artefact's network; see `models.rebuild`."""
    return assembly.rebuild(trunk, card, state)


def trunk(name: str, inputs: InputConfig, *, output_stride: int | None = None) -> Trunk:
    """Build a timm network without its classifier.

    Args:
        name: of the architecture, with the tag of its weights or without.
        inputs: size and channels.
        output_stride: of the last map, which convolutions with holes keep fine (Chen et al. 2017) where timm's network
            takes that; None leaves it.

    Raises:
        UsageError: unknown name, or a size that it does not take.
    """
    published = _published(name)
    module = _create(name, inputs, output_stride, fixed_size=bool(published.get("fixed_input_size")))
    data = resolve_model_data_config(module)
    preprocess = preprocess_for(
        inputs,
        size_px=(data["input_size"][2], data["input_size"][1]),
        mean=tuple(data["mean"]),
        std=tuple(data["std"]),
        crop_pct=data["crop_pct"],
        interpolation=interpolation_named(data["interpolation"]),
    )
    return Trunk(
        name=name,
        module=module,
        stages=stages_of(module),
        n_features=embedding_length(module, preprocess, name=name),
        preprocess=preprocess,
        licence=CODE_LICENCE,
        classifier=_classifier(published),
        source=_source(name, published),
        convert=_conversion(module),
    )


def source(name: str) -> Source | None:
    """Return where the weights of a network come from; None where there are none.

    Raises:
        UsageError: unknown name.
    """
    return _source(name, _published(name))


def stages_of(module: nn.Module) -> list[list[nn.Module]]:
    """Return a timm network's modules from input to output, grouped as timm groups them."""
    return cover(module, _stage_of(module))


def _published(name: str) -> dict[str, Any]:
    architecture, _, tag = name.partition(".")
    # timm would go online for 'hf-hub:...', and read any folder for 'local-dir:...'.
    if not timm.is_model(architecture):
        guess = suggestion(architecture, timm.list_models())
        raise UsageError(
            f"model.backbone: timm has no network '{name}'.",
            hint=f"Did you mean '{guess}'?" if guess else "`vision models list timm` shows them.",
        )
    tags = [entry.partition(".")[2] for entry in timm.list_pretrained(f"{architecture}.*")]
    if tag and tag not in tags:
        raise UsageError(
            f"model.backbone: '{architecture}' has no weights '{tag}'.", hint=f"Known: {', '.join(tags) or 'none'}."
        )
    config = get_pretrained_cfg(name)
    return dict(config.to_dict()) if config is not None else {}


def _create(name: str, inputs: InputConfig, output_stride: int | None, *, fixed_size: bool) -> nn.Module:
    sized = {"img_size": (inputs.size[1], inputs.size[0])} if fixed_size and inputs.size else {}
    make = partial(timm.create_model, name, pretrained=False, num_classes=0, in_chans=inputs.channels, **sized)
    dilated = None if output_stride is None else _dilated(make, output_stride)
    try:
        module: nn.Module = make() if dilated is None else dilated
    except (TypeError, AssertionError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"model.input: '{name}' cannot be built so: {str(error).splitlines()[0] if str(error) else 'refused'}",
            hint="Leave model.input.size away and keep 3 channels, or take another backbone.",
        ) from error
    return module


def _dilated(make: Callable[..., nn.Module], output_stride: int) -> nn.Module | None:
    """Return the network with fine last maps, or None where it has no such option."""
    try:
        return make(output_stride=output_stride)
    except (TypeError, AssertionError, ValueError, RuntimeError, NotImplementedError):
        return None


def _stage_of(module: nn.Module) -> dict[str, int]:
    """Return the stage of every parameter, as timm groups them for layer-wise learning rates."""
    matcher = getattr(module, "group_matcher", None)
    if matcher is None:
        children = [name for name, _ in module.named_children()]
        return {name: children.index(name.partition(".")[0]) for name, _ in module.named_parameters()}
    grouped: dict[str, int] = group_parameters(module, matcher(coarse=True), reverse=True)
    return {name: grouped.get(name, 0) for name, _ in module.named_parameters()}


def _classifier(published: Mapping[str, Any]) -> tuple[str, ...]:
    found = published.get("classifier") or ()
    return (found,) if isinstance(found, str) else tuple(found)


def _source(name: str, published: Mapping[str, Any]) -> Source | None:
    stated = str(published.get("license") or "").lower()
    licence = UNKNOWN_LICENCE if stated in _NOT_STATED else _SPDX.get(stated, f"LicenseRef-{stated}")
    repository, url = published.get("hf_hub_id"), published.get("url")
    if repository:
        host = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
        remote = published.get("hf_hub_filename") or "model.safetensors"
        local = f"{str(repository).replace('/', '--')}--{remote}"
        return Source(f"{host}/{repository}/resolve/main/{remote}", local, licence=licence)
    return Source.from_url(str(url), licence=licence) if url else None


def _conversion(module: nn.Module) -> Any:
    # timm's convention: the module of an architecture holds the function that reads its older files.
    convert = getattr(sys.modules[type(module).__module__], "checkpoint_filter_fn", None)
    return partial(_convert, convert, module) if convert is not None else None


def _convert(convert: Any, module: nn.Module, state: dict[str, Tensor]) -> dict[str, Tensor]:
    return dict(convert(dict(state), module))
