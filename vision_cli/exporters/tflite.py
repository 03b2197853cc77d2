"""TFLite through litert-torch (https://github.com/google-ai-edge/litert-torch)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vision_cli.core import files
from vision_cli.core.artefact import METADATA_KEY, Card
from vision_cli.core.contracts import Network
from vision_cli.core.errors import DataError
from vision_cli.core.seal import sealed
from vision_cli.exporters import conversion

SUFFIX = ".tflite"
PRECISIONS = conversion.PRECISIONS
LABELS_NAME = "labels.txt"
_IDENTIFIER = b"TFL3"
_BUFFER_ALIGNMENT = 16
"""`force_align: 16` of Buffer.data in TFLite's schema.fbs."""


class _ChannelsLast(torch.nn.Module):
    """Photos (N, H, W, C) in, as cameras give them; the converter removes the transposition."""

    def __init__(self, network: Any, names: tuple[str, ...]) -> None:
        super().__init__()
        self.network = network
        self.names = names

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        raw = self.network(image.permute(0, 3, 1, 2))
        return dict(zip(self.names, raw if isinstance(raw, tuple) else (raw,), strict=True))


def export(network: Network, card: Card, target: Path, *, precision: str) -> Path:
    """Write a network as one TFLite file: input `image` (1, H, W, C), output `raw` (1, outputs), both float32.

    A detector's or segmenter's outputs are `raw`, `raw1`, ... in the file's signature: its tensors have any order.
    With `float16` the weights are stored in half the bytes; LiteRT widens them, or a phone's GPU takes them as they
    are. Card and labels are in the flatbuffer's `metadata`, and `labels.txt` in a zip at the file's end, where readers
    of TFLite's associated files look (https://ai.google.dev/edge/litert/models/metadata).

    Raises:
        DataError: the network cannot be converted.
        UsageError: the precision is unknown.
    """
    conversion.check_precision(precision)
    card = replace(card, layout="nhwc", precision=precision)
    with conversion.converting(card, "TFLite"):
        model = _converted(network, card)
        if precision == "float16":
            model = _weights_in_half(model)
        content = sealed(card, lambda text: _packed(model, card, text))
    files.write_bytes(target, content)
    return target


def _converted(network: Network, card: Card) -> bytes:
    import litert_torch

    plain = conversion.traceable(network)
    if hasattr(plain, "plain_operators"):
        plain.plain_operators = True
    module = _ChannelsLast(plain, conversion.output_names(card)).eval()
    image = conversion.sample(card, batch=1).permute(0, 2, 3, 1).contiguous()
    return bytes(litert_torch.convert(module, sample_kwargs={"image": image}).model_content())


def _weights_in_half(model: bytes) -> bytes:
    """Store the weights of convolutions and dense layers as float16, each with a DEQUANTIZE that XNNPACK folds."""
    from ai_edge_quantizer import qtyping, quantizer
    from ai_edge_quantizer.algorithm_manager import AlgorithmName

    _check_range(model)
    half = qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT)
    maker = quantizer.Quantizer(bytearray(model))
    maker.update_quantization_recipe(
        regex=".*",
        operation_name=qtyping.TFLOperationName.ALL_SUPPORTED,
        algorithm_key=AlgorithmName.FLOAT_CASTING,
        op_config=qtyping.OpQuantizationConfig(
            weight_tensor_config=half, compute_precision=qtyping.ComputePrecision.FLOAT, explicit_dequantize=True
        ),
    )
    return bytes(maker.quantize().quantized_model)


def _check_range(model: bytes) -> None:
    from ai_edge_litert import schema_py_generated as schema

    tree = schema.ModelT.InitFromPackedBuf(model, 0)
    for tensor in (tensor for graph in tree.subgraphs for tensor in graph.tensors):
        data = tree.buffers[tensor.buffer].data
        if tensor.type != schema.TensorType.FLOAT32 or data is None:
            continue
        largest = np.abs(np.asarray(data, dtype=np.uint8).view(np.float32)).max(initial=0)
        if largest > conversion.MAX_FLOAT16:
            raise DataError(
                f"the weights '{tensor.name.decode(errors='replace')}' reach {largest:.3g}, more than float16 holds.",
                hint="Export with precision float32.",
            )


def _packed(model: bytes, card: Card, text: str) -> bytes:
    metadata = {METADATA_KEY: text, **conversion.plain_metadata(card)}
    return _with_labels_file(_with_metadata(model, metadata), card)


def _with_metadata(model: bytes, metadata: Mapping[str, str]) -> bytes:
    """Return the flatbuffer with further entries in its `metadata` table; every buffer lies inside it, aligned."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    tree = schema.ModelT.InitFromPackedBuf(model, 0)
    tree.metadata = tree.metadata or []
    tree.buffers = [_AlignedBuffer(_buffer_bytes(buffer, model)) for buffer in tree.buffers]
    for name, value in metadata.items():
        entry = schema.MetadataT()
        entry.name, entry.buffer = name, len(tree.buffers)
        tree.metadata.append(entry)
        tree.buffers.append(_AlignedBuffer(value.encode()))
    builder = flatbuffers.Builder(len(model))
    builder.Finish(tree.Pack(builder), _IDENTIFIER)
    return bytes(builder.Output())


def _buffer_bytes(buffer: Any, model: bytes) -> bytes:
    # The quantizer keeps data behind the flatbuffer, at absolute offsets that packing anew would break.
    if buffer.offset > 1:
        return model[buffer.offset : buffer.offset + buffer.size]
    return b"" if buffer.data is None else bytes(bytearray(buffer.data))


class _AlignedBuffer:
    """A Buffer that packs with the schema's alignment, which the generated Python code forgets."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def Pack(self, builder: Any) -> int:
        from ai_edge_litert import schema_py_generated as schema

        vector = self._vector(builder) if self.data else None
        schema.BufferStart(builder)
        if vector is not None:
            schema.BufferAddData(builder, vector)
        return int(schema.BufferEnd(builder))

    def _vector(self, builder: Any) -> int:
        builder.StartVector(1, len(self.data), _BUFFER_ALIGNMENT)
        builder.head -= len(self.data)
        builder.Bytes[builder.Head() : builder.Head() + len(self.data)] = self.data
        return int(builder.EndVector())


def _with_labels_file(model: bytes, card: Card) -> bytes:
    if not card.classes.names:
        return model
    stream = io.BytesIO(model)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_STORED) as archive:
        # A fixed date: the same network gives the same bytes.
        archive.writestr(zipfile.ZipInfo(LABELS_NAME), conversion.labels_text(card))
    return stream.getvalue()
