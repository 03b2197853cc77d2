"""The family `pspnet`: pooling at four scales (Zhao et al. 2017) on any timm network.

The last map is of stride 8: by convolutions with holes, or enlarged where the network cannot dilate.
"""

from __future__ import annotations

from functools import partial

from segmentation_models_pytorch.decoders.pspnet.decoder import PSPDecoder

from vision_cli.models.semantic.smp import Design, SmpFamily

_STRIDE = 8
_CHANNELS = 512

FAMILY = SmpFamily(
    "pspnet",
    Design((_STRIDE,), partial(PSPDecoder, out_channels=_CHANNELS), _CHANNELS, kernel=3, output_stride=_STRIDE),
)
names = FAMILY.names
build_places = FAMILY.build
rebuild = FAMILY.rebuild
