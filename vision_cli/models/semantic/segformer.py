"""The family `segformer`: SegFormer's head of linear layers (Xie et al. 2021) on any timm network."""

from __future__ import annotations

from functools import partial

from segmentation_models_pytorch.decoders.segformer.decoder import SegformerDecoder

from vision_cli.models.semantic.smp import Design, SmpFamily

_STRIDES = (4, 8, 16, 32)
_CHANNELS = 256

FAMILY = SmpFamily(
    "segformer",
    Design(
        _STRIDES, partial(SegformerDecoder, encoder_depth=len(_STRIDES), segmentation_channels=_CHANNELS), _CHANNELS
    ),
)
names = FAMILY.names
build_places = FAMILY.build
rebuild = FAMILY.rebuild
