"""Run a model, whatever wrote it."""

from __future__ import annotations

from pathlib import Path

from vision_cli.core.catalogue import Card, Catalogue
from vision_cli.core.errors import DataError

RUNTIMES = Catalogue(
    "runtime",
    {
        "torch": Card(
            "vision_cli.runtimes.torch",
            "PyTorch, the network as it was trained",
            licence="BSD-3-Clause",
            extra="train",
            needs=("torch",),
        ),
        "onnx": Card(
            "vision_cli.runtimes.onnx",
            "ONNX Runtime, on servers and desktops",
            licence="MIT",
            extra="onnx",
            needs=("onnxruntime",),
        ),
        "tflite": Card(
            "vision_cli.runtimes.tflite",
            "LiteRT with XNNPACK, as on phones and boards",
            licence="Apache-2.0",
            extra="tflite",
            needs=("ai_edge_litert",),
        ),
    },
)
"""Each module has `open_model(path, *, threads, card=None) -> Runner`; torch has `TorchRunner`, for a built network."""

_HEAD_BYTES = 64
# ModelProto's first field, `ir_version`, is a varint; the fields that may follow it, as protobuf tags
# (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
_ONNX_FIRST_TAG = 0x08
_ONNX_SECOND_TAGS = {0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42, 0x72}


def runtime_of(path: Path) -> str:
    """Return the line of RUNTIMES that runs a model, by its content.

    Raises:
        DataError: there is nothing, or nothing that is a model.
    """
    from vision_cli.core.artefact import CARD_NAME  # brings numpy and pyarrow, which the table must not

    if path.is_dir() and (path / CARD_NAME).is_file():
        return "torch"
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        if head[4:8] == b"TFL3":
            return "tflite"
        if _is_onnx(head):
            return "onnx"
        found = "the file is something else" if head else "the file is empty"
    else:
        found = f"the folder has no {CARD_NAME}" if path.is_dir() else "it does not exist"
    raise DataError(
        f"{path}: not a model: expected a folder with {CARD_NAME}, an ONNX file or a TFLite file, but {found}.",
        hint="Models come from `vision train` and `vision export`.",
    )


def _is_onnx(head: bytes) -> bool:
    if len(head) < 3 or head[0] != _ONNX_FIRST_TAG:
        return False
    # ir_version is below 128 since 2017, so its varint is one byte.
    return head[1] < 0x80 and head[2] in _ONNX_SECOND_TAGS
