"""What every family of torchvision's detectors and segmenters does: find the network, fill it, bring it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from vision_cli.core import download
from vision_cli.core.artefact import Card
from vision_cli.core.config import ModelConfig
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.preprocess import IMAGENET_MEAN, IMAGENET_STD, Preprocess
from vision_cli.core.progress import Progress
from vision_cli.models import assembly, checkpoint, timm
from vision_cli.models.channels import adapt_weight, preprocess_for, with_colours
from vision_cli.models.network import State, Trunk
from vision_cli.models.places import over_timm, pretrained, published
from vision_cli.models.places.maps import sized
from vision_cli.models.places.network import restore
from vision_cli.models.places.over_timm import Plan
from vision_cli.models.places.pretrained import Pretrained
from vision_cli.models.places.published import PUBLISHED, Published
from vision_cli.models.places.request import PlaceRequest
from vision_cli.models.places.torchvision_module import TorchvisionPlaces
from vision_cli.models.torchvision import adapt_first_layer

_CLASSIFIERS = ("fc.", "classifier.")
_RGB = 3


@dataclass(frozen=True, slots=True)
class TorchvisionFamily:
    """One family.

    Attributes:
        name: as the user types it.
        wrap: what makes raw outputs and losses of torchvision's module.
        over_timm: torchvision's module over a timm trunk, for a number of outputs.
        size_px: of the input over a timm trunk, where nothing is declared.
        output_stride: of that trunk; see `timm.trunk`.
        parent: the family whose networks of torchvision it takes; empty for its own.
        settings: names of the settings in the section `model` that the wrapper reads, and an artefact keeps.
    """

    name: str
    wrap: type[TorchvisionPlaces]
    over_timm: Callable[[Trunk, int], nn.Module]
    size_px: tuple[int, int]
    output_stride: int | None = None
    parent: str = ""
    settings: tuple[str, ...] = ()

    def names(self) -> list[str]:
        """Return torchvision's own networks, and every timm network that can stand below."""
        return sorted([*self.own_names(), *timm.names()])

    def own_names(self) -> tuple[str, ...]:
        """Return torchvision's own networks."""
        return published.names(self.parent or self.name)

    def build(
        self, config: ModelConfig, request: PlaceRequest, *, offline: bool, progress: Progress
    ) -> TorchvisionPlaces:
        """Build a network with the configured weights; see `models.build_places`."""
        if config.backbone in self.own_names():
            return self._of_torchvision(PUBLISHED[config.backbone], config, request, offline, progress)
        if config.weights == "coco":
            raise UsageError(
                f"model.weights: there are no COCO weights for '{self.name}' on '{config.backbone}'.",
                hint=f"Set model.backbone to {' or '.join(self.own_names())}, or model.weights to imagenet.",
            )
        return self._over_timm(config, request, offline=offline, progress=progress)

    def rebuild(self, card: Card, state: Mapping[str, Tensor]) -> TorchvisionPlaces:
        """Build an artefact's network; see `models.rebuild`."""
        name, inputs = assembly.backbone_of(card)
        n_outputs = len(card.classes) + self.wrap.background
        if name in self.own_names():
            module = _module(PUBLISHED[name], n_outputs, inputs.channels)
        else:
            module = self.over_timm(timm.trunk(name, inputs, output_stride=self.output_stride), n_outputs)
        try:
            options = {key: card.model[key] for key in ("backbone", *self.settings)}
        except KeyError as error:
            raise DataError(f"model card: the options of '{card.family}' are not whole: {error!r}.") from error
        network = self.wrap(module, preprocess=card.preprocess, licence=card.licence, options=options)
        return restore(network, card, state)

    def _over_timm(
        self, config: ModelConfig, request: PlaceRequest, *, offline: bool, progress: Progress
    ) -> TorchvisionPlaces:
        def make(trunk: Trunk, licence: str) -> TorchvisionPlaces:
            module = self.over_timm(trunk, len(request.classes) + self.wrap.background)
            return self._wrapped(module, trunk.preprocess, licence, config)

        inputs = sized(config.input, self.size_px)
        return over_timm.build(
            config.model_copy(update={"input": inputs}),
            Plan(request.classes, make, self.output_stride),
            offline=offline,
            progress=progress,
        )

    def _of_torchvision(
        self, known: Published, config: ModelConfig, request: PlaceRequest, offline: bool, progress: Progress
    ) -> TorchvisionPlaces:
        preprocess = _preprocess(known, config)
        module = _module(known, len(request.classes) + self.wrap.background, preprocess.channels)
        network = self._wrapped(module, preprocess, published.LICENCE, config)
        match config.weights:
            case "none":
                pass
            case "coco":
                file = download.fetch(known.coco, offline=offline, progress=progress)
                self._fill(network, known, _coco(known, self.wrap, file), request, progress)
            case "imagenet":
                _fill_body(module, known, _imagenet(known, offline, progress), preprocess.channels)
            case path:
                self._fill(network, known, _read(known, self.wrap, Path(path).expanduser()), request, progress)
        return network

    def _wrapped(
        self, module: nn.Module, preprocess: Preprocess, licence: str, config: ModelConfig
    ) -> TorchvisionPlaces:
        options = {key: getattr(config, key) for key in ("backbone", *self.settings)}
        return self.wrap(module, preprocess=preprocess, licence=licence, options=options)

    def _fill(
        self,
        network: TorchvisionPlaces,
        known: Published,
        found: Pretrained,
        request: PlaceRequest,
        progress: Progress,
    ) -> None:
        whole = pretrained.aligned(network, found)
        if whole is not None:
            mean, std = (whole.mean, whole.std) if whole.mean else (known.mean, known.std)
            network.preprocess = with_colours(network.preprocess, mean, std)
            pretrained.load(network, whole, request.classes, progress)
            return
        _fill_body(network.network, known, found.state, network.preprocess.channels)
        network.licence = found.licence
        progress.say(f"weights: the backbone from {found.where}")


def _preprocess(known: Published, config: ModelConfig) -> Preprocess:
    return preprocess_for(
        sized(config.input, known.size_px),
        size_px=known.size_px,
        mean=known.mean if known.backbone is None else IMAGENET_MEAN,
        std=known.std if known.backbone is None else IMAGENET_STD,
        interpolation="bilinear",
    )


def _module(known: Published, n_outputs: int, channels: int) -> nn.Module:
    module = known.module(n_outputs)
    adapt_first_layer(module, channels)
    return module


def _read(known: Published, wrap: type[TorchvisionPlaces], path: Path) -> Pretrained:
    """Read a file of the user's; torchvision's own is known by its checksum, wherever it was downloaded to."""
    return _coco(known, wrap, path) if known.is_coco(path) else pretrained.read(path)


def _coco(known: Published, wrap: type[TorchvisionPlaces], path: Path) -> Pretrained:
    source = known.coco
    state = checkpoint.read(path)
    state = without_epsilon(state) if known.zero_eps else state
    return Pretrained(state, known.coco_names[wrap.background :], source.licence, source.url)


def without_epsilon(state: Mapping[str, Tensor]) -> State:
    """Return the tensors of batch norms of epsilon 0 as batch norms of torch's own epsilon need them."""
    eps = nn.BatchNorm2d(1).eps
    return {
        name: (tensor - eps).clamp(min=0) if name.endswith("running_var") else tensor for name, tensor in state.items()
    }


def _imagenet(known: Published, offline: bool, progress: Progress) -> State:
    source = known.imagenet
    if source is None:
        raise UsageError(
            f"model.weights: '{known.name}' has no ImageNet weights.", hint="Set model.weights to coco or none."
        )
    return checkpoint.read(download.fetch(source, offline=offline, progress=progress))


def _fill_body(module: Any, known: Published, state: Mapping[str, Tensor], channels: int) -> None:
    """Fill a body with the tensors of a classification network: both have one order, and each shape is checked.

    Raises:
        DataError: another number of tensors, or another shape.
    """
    tensors = [tensor for name, tensor in state.items() if not _is_left_out(name)]
    own = module.state_dict()
    names = [name for name in own if name.startswith(f"{known.body}.") and not _is_left_out(name)][: len(tensors)]
    fitted = {name: _first_layer(tensor, own[name], channels) for name, tensor in zip(names, tensors, strict=False)}
    wrong = [name for name, tensor in fitted.items() if tensor.shape != own[name].shape]
    if wrong or len(names) != len(tensors):
        raise DataError(
            f"the weights of another network than the backbone of '{known.name}': {len(tensors)} tensors for "
            f"{len(names)}, {len(wrong)} of another shape.",
            hint="Set model.backbone to the network that the file was trained with.",
            details=wrong[:10],
        )
    module.load_state_dict(fitted, strict=False)


def _first_layer(tensor: Tensor, want: Tensor, channels: int) -> Tensor:
    same = tensor.shape == want.shape
    return tensor if same or channels == _RGB or tensor.shape[1:2] != (_RGB,) else adapt_weight(tensor, channels)


def _is_left_out(name: str) -> bool:
    return name.startswith(_CLASSIFIERS) or name.endswith(("num_batches_tracked", "scale_weight"))
