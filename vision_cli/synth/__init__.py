"""Photos that nobody took: objects put on the surfaces of real backgrounds, with their labels.

Importing this room imports neither OpenCV nor torch: the tables name modules, and looking a name up loads one.
"""

from __future__ import annotations

from vision_cli.core.catalogue import Card, Catalogue
from vision_cli.synth.cards import DepthCard

DEPTH = Catalogue(
    "depth estimator",
    {
        "geometric": DepthCard(
            "vision_cli.synth.depth.geometric",
            "A guess of the layout by vanishing points, position, texture and haze; no network, no download",
            learned=False,
        ),
        "file": DepthCard(
            "vision_cli.synth.depth.file",
            "Your own depth maps, 16-bit PNG or npy, found by the photo's name",
            learned=False,
        ),
        "depth-anything-v2-small": DepthCard(
            "vision_cli.synth.depth.depth_anything",
            "Depth Anything V2, small: relative depth by a ViT-S network in ONNX Runtime",
            licence="Apache-2.0",
            extra="onnx",
            needs=("onnxruntime",),
            parameters_m=24.8,
            size_mb=99.1,
            source="https://huggingface.co/depth-anything/Depth-Anything-V2-Small",
        ),
        "midas-small": DepthCard(
            "vision_cli.synth.depth.midas",
            "MiDaS v2.1 small: relative depth by an EfficientNet-Lite3 network in ONNX Runtime",
            licence="MIT",
            extra="onnx",
            needs=("onnxruntime",),
            parameters_m=16.6,
            size_mb=66.8,
            source="https://github.com/isl-org/MiDaS",
        ),
    },
    group="depth",
)
"""Each module has `estimate(request: DepthRequest) -> float32 (H, W)`, larger is farther (`synth/depth/request.py`)."""

LOOKS = Catalogue(
    "look",
    {
        "plain": Card("vision_cli.synth.looks.plain", "A card, sticker or board: opaque, with a sheen and a shadow"),
        "print": Card(
            "vision_cli.synth.looks.printed", "Ink on the surface: its texture shows, bright surfaces are multiplied"
        ),
        "fabric": Card("vision_cli.synth.looks.fabric", "On cloth: rippled, matt, with threads"),
        "glass": Card("vision_cli.synth.looks.glass", "On glass or film: what is behind shows through, with a streak"),
        "emboss": Card("vision_cli.synth.looks.emboss", "Pressed into the surface: its edges catch the light"),
        "neon": Card("vision_cli.synth.looks.neon", "A sign that shines, and glows on what is around it"),
        "cutout": Card("vision_cli.synth.looks.cutout", "A thing as it was photographed: opaque, with a shadow"),
    },
    group="looks",
)
"""Each module has `apply(sample: Sample, rng) -> Sample`, `CASTS`: whether it throws a shadow, and
`NEEDS_SURFACE`: whether it is part of one, and `REACH`: how far its light reaches (`looks/sample.py`)."""

BLENDS = Catalogue(
    "blend",
    {
        "alpha": Card("vision_cli.synth.blends.alpha", "Cover by share, as anti-aliasing and the lens leave it"),
        "feather": Card("vision_cli.synth.blends.feather", "The seam fades, inwards"),
        "poisson": Card(
            "vision_cli.synth.blends.poisson", "Gradients are joined instead of colours, the stronger ones win"
        ),
        "hard": Card("vision_cli.synth.blends.hard", "No seam at all: a pixel is the object's or the photo's"),
    },
    group="blends",
)
"""Each module has `apply(sample: Sample) -> Sample`, after the look's."""
