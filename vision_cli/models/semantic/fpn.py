"""The family `fpn`: a feature pyramid, its levels summed at stride 4 (Kirillov et al. 2019), on any timm network."""

from __future__ import annotations

from functools import partial

from segmentation_models_pytorch.decoders.fpn.decoder import FPNDecoder

from vision_cli.models.semantic.smp import Design, SmpFamily

_STRIDES = (4, 8, 16, 32)
_CHANNELS = 128

FAMILY = SmpFamily(
    "fpn",
    Design(_STRIDES, partial(FPNDecoder, encoder_depth=len(_STRIDES), segmentation_channels=_CHANNELS), _CHANNELS),
)
names = FAMILY.names
build_places = FAMILY.build
rebuild = FAMILY.rebuild
