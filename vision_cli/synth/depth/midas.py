"""MiDaS v2.1 small (Ranftl and others, 2020): relative 1 / depth by a network on EfficientNet-Lite3, 256 x 256 pixels.

The file is the authors' own release. Their script that made it (tf/make_onnx_model.py) puts the normalisation of photos
into the graph, so it is fed 0 to 1. Its quality has not been measured in this project.
"""

from __future__ import annotations

from vision_cli.synth.depth import learned
from vision_cli.synth.depth.request import DepthMap, DepthRequest

RECIPE = learned.Recipe(
    source=learned.source(
        "https://github.com/isl-org/MiDaS/releases/download/v2_1/model-small.onnx",
        "midas-v21-small.onnx",
        "2d8c6cb8f415229daf1eb041024208e2608c9f98e17c81cc7c6ecb449c56fd58",
        "MIT",
    ),
    short_side_px=256,
    multiple_px=32,
    square=True,
    normalised=False,
)


def estimate(request: DepthRequest) -> DepthMap:
    """Ask the network for a photo's depth; see `learned.estimate`."""
    return learned.estimate(RECIPE, request)
