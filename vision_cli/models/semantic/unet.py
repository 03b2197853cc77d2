"""The family `unet`: U-Net (Ronneberger et al. 2015) on any timm network; the default for a class for each pixel."""

from __future__ import annotations

from functools import partial

from segmentation_models_pytorch.decoders.unet.decoder import UnetDecoder

from vision_cli.models.semantic.smp import Design, SmpFamily

_CHANNELS = (256, 128, 64, 32, 16)

FAMILY = SmpFamily(
    "unet", Design((2, 4, 8, 16, 32), partial(UnetDecoder, decoder_channels=_CHANNELS), _CHANNELS[-1], kernel=3)
)
names = FAMILY.names
build_places = FAMILY.build
rebuild = FAMILY.rebuild
