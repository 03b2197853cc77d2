"""Write a trained network as a file that runs without torch."""

from __future__ import annotations

from vision_cli.core.catalogue import Card, Catalogue

EXPORTERS = Catalogue(
    "export format",
    {
        "onnx": Card(
            "vision_cli.exporters.onnx",
            "ONNX for servers and desktops: any batch size, runs in ONNX Runtime",
            licence="Apache-2.0",
            extra="export",
            needs=("torch", "onnx", "onnxscript", "onnxruntime"),
        ),
        "tflite": Card(
            "vision_cli.exporters.tflite",
            "TFLite for phones and boards: one photo at a time, channels last, runs in LiteRT",
            licence="Apache-2.0",
            extra="export",
            needs=("torch", "litert_torch", "ai_edge_litert"),
        ),
    },
    group="exporters",
)
"""Each module has `SUFFIX`, `PRECISIONS` and `export(network, card, target, *, precision) -> Path`.

One that can build suppression in has `check_nms(card)`, which refuses a model without any, and `export(..., nms=True)`.
A network that has `plain_operators` hears there whether the format lacks suppression and pooling of regions.
A model's family (`EXPORTS` of its module) or network (`exports`) says by format why it cannot be written, or None.
"""
