"""What every family of segmentation-models-pytorch does: its decoder over the maps of any timm network.

The maps are ours, so that weights come the way they come everywhere here, and never by the library's own download.
Its last resizing is left to the loss and to decoding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from segmentation_models_pytorch.base import SegmentationHead
from segmentation_models_pytorch.base.initialization import initialize_decoder
from torch import Tensor, nn

from vision_cli.core.artefact import Card
from vision_cli.core.config import ModelConfig
from vision_cli.core.errors import UsageError
from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.place_targets import PlaceTargets
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.progress import Progress
from vision_cli.models import assembly, timm
from vision_cli.models.defaults import PLACE_SIZE_PX
from vision_cli.models.network import Trunk
from vision_cli.models.places import over_timm
from vision_cli.models.places.class_rows import ClassRows
from vision_cli.models.places.maps import Maps, sized
from vision_cli.models.places.network import PlaceModule, restore
from vision_cli.models.places.over_timm import Plan
from vision_cli.models.places.request import PlaceRequest
from vision_cli.models.semantic import pixel_loss, pooled_norms

_STEP_PX = 32


@dataclass(frozen=True, slots=True)
class Design:
    """How a family looks.

    Attributes:
        strides: of the maps that its decoder takes.
        decoder: made of the channels of the photo and of these maps.
        channels: that the decoder gives.
        kernel: of the last convolution.
        output_stride: of the trunk; see `timm.trunk`.
    """

    strides: tuple[int, ...]
    decoder: Callable[[Sequence[int]], nn.Module]
    channels: int
    kernel: int = 1
    output_stride: int | None = None


class PixelHead(nn.Module):
    """A decoder and the last convolution."""

    def __init__(self, design: Design, channels: Sequence[int], n_classes: int) -> None:
        super().__init__()
        self.decoder = design.decoder(channels)
        self.last = SegmentationHead(design.channels, n_classes, kernel_size=design.kernel)
        initialize_decoder(self.decoder)
        # Near zero, so that the first answers say nothing with confidence.
        nn.init.normal_(self.last[0].weight, std=0.01)
        nn.init.zeros_(self.last[0].bias)

    def forward(self, batch: Tensor, maps: Sequence[Tensor]) -> Tensor:
        """Map a batch and its maps to logits (N, C, h, w)."""
        logits: Tensor = self.last(self.decoder([batch, *maps]))
        return logits


class SmpPlaces(PlaceModule):
    """A decoder over maps, with raw outputs `pixels`."""

    class_rows = (ClassRows(r"head\.last\.0\.(weight|bias)"),)

    def __init__(self, design: Design, trunk: Trunk, n_classes: int, *, licence: str) -> None:
        super().__init__(preprocess=trunk.preprocess, licence=licence, options={"backbone": trunk.name})
        _check_size(trunk.preprocess)
        maps = Maps(trunk, design.strides, deepest=True)
        self.backbone, self.stages = maps, maps.stages
        self.head = PixelHead(design, (trunk.preprocess.channels, *maps.channels), n_classes)
        self.decode = PlaceDecode("pixels")
        pooled_norms.fixed(self.head)

    def forward(self, batch: Tensor) -> tuple[Tensor, ...]:
        """Map float32 (N, channels, height, width) to logits (N, C, h, w)."""
        return (self.head(batch, self.backbone(batch)),)

    def losses(self, batch: Tensor, targets: PlaceTargets) -> dict[str, Tensor]:
        """Return cross-entropy and Dice."""
        return pixel_loss.losses(self(batch)[0], targets.pixels)


@dataclass(frozen=True, slots=True)
class SmpFamily:
    """One family.

    Attributes:
        name: as the user types it.
        design: of its networks.
    """

    name: str
    design: Design

    def names(self) -> list[str]:
        """Return every architecture that can be asked for; see `timm.names`."""
        return timm.names()

    def build(self, config: ModelConfig, request: PlaceRequest, *, offline: bool, progress: Progress) -> SmpPlaces:
        """Build a network with the configured weights; see `models.build_places`."""
        if config.weights == "coco":
            raise UsageError(
                f"model.weights: there are no COCO weights for '{self.name}'.",
                hint="Set model.weights to imagenet, or model.family to fcn, deeplabv3 or lraspp, which have some.",
            )

        def make(trunk: Trunk, licence: str) -> SmpPlaces:
            return SmpPlaces(self.design, trunk, len(request.classes), licence=licence)

        return over_timm.build(
            config.model_copy(update={"input": sized(config.input, PLACE_SIZE_PX)}),
            Plan(request.classes, make, self.design.output_stride),
            offline=offline,
            progress=progress,
        )

    def rebuild(self, card: Card, state: Mapping[str, Tensor]) -> SmpPlaces:
        """Build an artefact's network; see `models.rebuild`."""
        trunk = timm.trunk(*assembly.backbone_of(card), output_stride=self.design.output_stride)
        return restore(SmpPlaces(self.design, trunk, len(card.classes), licence=card.licence), card, state)


def _check_size(preprocess: Preprocess) -> None:
    width, height = preprocess.size_px
    if width % _STEP_PX or height % _STEP_PX:
        near = " x ".join(str(max(1, round(side / _STEP_PX)) * _STEP_PX) for side in (width, height))
        raise UsageError(
            f"model.input.size: {width} x {height} pixels do not fit a decoder that doubles its maps.",
            hint=f"Take multiples of {_STEP_PX}, such as {near}.",
        )
