"""The family `deeplabv3plus`: DeepLabV3 with a fine map beside it (Chen et al. 2018) on any timm network.

The last map is of stride 16: by convolutions with holes, or enlarged where the network cannot dilate.
"""

from __future__ import annotations

from collections.abc import Sequence

from segmentation_models_pytorch.decoders.deeplabv3.decoder import DeepLabV3PlusDecoder
from torch import Tensor

from vision_cli.models.semantic.smp import Design, SmpFamily

_STRIDE = 16
_CHANNELS = 256
_RATES = (6, 12, 18)
"""Of the paper for stride 16."""


class _Decoder(DeepLabV3PlusDecoder):  # type: ignore[misc]  # the library has no types
    """Takes the maps of strides 4 and 16 alone."""

    def __init__(self, channels: Sequence[int]) -> None:
        photo, fine, coarse = channels
        super().__init__((photo, photo, fine, coarse), 5, _CHANNELS, _RATES, _STRIDE, True, 0.5)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        photo, fine, coarse = features
        found: Tensor = super().forward([photo, photo, fine, coarse])
        return found


FAMILY = SmpFamily("deeplabv3plus", Design((4, _STRIDE), _Decoder, _CHANNELS, output_stride=_STRIDE))
names = FAMILY.names
build_places = FAMILY.build
rebuild = FAMILY.rebuild
