"""Depth Anything V2, small (Yang and others, 2024): relative 1 / depth by a DPT head on a ViT-S of 24.8 M parameters.

The file is the ONNX conversion of the authors' weights that Hugging Face's onnx-community publishes, at one revision.
Its quality has not been measured in this project.
"""

from __future__ import annotations

from vision_cli.synth.depth import learned
from vision_cli.synth.depth.request import DepthMap, DepthRequest

RECIPE = learned.Recipe(
    source=learned.source(
        "https://huggingface.co/onnx-community/depth-anything-v2-small/resolve/"
        "4472b7362082ad9968fee890ca0f1e5aca36b93d/onnx/model.onnx",
        "depth-anything-v2-small.onnx",
        "afb6a5c28f3b6bf1618c6e43f02073ef9dfdc70e937502d51603e57b0a1df10c",
        "Apache-2.0",
    ),
    # preprocessor_config.json beside it: 518 px, aspect ratio kept, multiples of 14, ImageNet's mean and deviation.
    short_side_px=518,
    multiple_px=14,
    square=False,
    normalised=True,
)


def estimate(request: DepthRequest) -> DepthMap:
    """Ask the network for a photo's depth; see `learned.estimate`."""
    return learned.estimate(RECIPE, request)
