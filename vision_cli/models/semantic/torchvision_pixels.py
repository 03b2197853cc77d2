"""A segmenter of torchvision without its last resizing: logits at the stride of its own maps."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.place_targets import PlaceTargets
from vision_cli.core.preprocess import Preprocess
from vision_cli.models.network import Trunk
from vision_cli.models.places.class_rows import ClassRows
from vision_cli.models.places.maps import Maps
from vision_cli.models.places.torchvision_module import TorchvisionPlaces
from vision_cli.models.semantic import pixel_loss, pooled_norms

_AUXILIARY = 0.4
"""Share of the second classifier's loss (Zhao et al. 2017, PSPNet, section 3.3)."""


class NamedMaps(nn.Module):
    """The maps of a timm network by the names that torchvision's heads look for.

    Attributes:
        body: the maps.
    """

    def __init__(self, trunk: Trunk, strides: Mapping[str, int]) -> None:
        super().__init__()
        self.body = Maps(trunk, tuple(strides.values()), deepest=True)
        self.channels = dict(zip(strides, self.body.channels, strict=True))

    def forward(self, batch: Tensor) -> OrderedDict[str, Tensor]:
        """Map (N, channels, height, width) to maps by name."""
        return OrderedDict(zip(self.channels, self.body(batch), strict=True))


class PixelPlaces(TorchvisionPlaces):
    """FCN, DeepLabV3 or LR-ASPP with raw outputs `pixels`."""

    class_rows: Sequence[ClassRows] = (  # type: ignore[assignment]
        ClassRows(r"network\.(aux_)?classifier\.4\.(weight|bias)"),
        ClassRows(r"network\.classifier\.(low|high)_classifier\.(weight|bias)"),
    )

    def __init__(self, network: nn.Module, *, preprocess: Preprocess, licence: str, options: Mapping[str, Any]) -> None:
        pooled_norms.fixed(network)
        super().__init__(network, preprocess=preprocess, licence=licence, options=options)

    def decoding(self) -> PlaceDecode:
        """Return how logits are read."""
        return PlaceDecode("pixels")

    def scores(self, features: Mapping[str, Tensor]) -> Tensor:
        """Return logits (N, C, h, w) of the maps, LR-ASPP's of all of them, else of the last one."""
        classifier = self.network.classifier
        found: Tensor = classifier(features if "low" in features else features["out"])
        return found

    def forward(self, batch: Tensor) -> tuple[Tensor, ...]:
        """Map float32 (N, channels, height, width) to logits (N, C, h, w)."""
        return (self.scores(self.features(batch)),)

    def losses(self, batch: Tensor, targets: PlaceTargets) -> dict[str, Tensor]:
        """Return cross-entropy and Dice, and a second classifier's cross-entropy where there is one."""
        features = self.features(batch)
        found = pixel_loss.losses(self.scores(features), targets.pixels)
        second = getattr(self.network, "aux_classifier", None)
        if second is not None:
            logits = pixel_loss.at_size(second(features["aux"]), targets.pixels)
            found["auxiliary"] = _AUXILIARY * pixel_loss.cross_entropy(logits, targets.pixels)
        return found
