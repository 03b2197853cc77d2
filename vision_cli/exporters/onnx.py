"""ONNX through torch's exporter (https://docs.pytorch.org/docs/stable/onnx_export.html)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from vision_cli.core import files
from vision_cli.core.artefact import METADATA_KEY, Card
from vision_cli.core.contracts import Network
from vision_cli.core.errors import DataError
from vision_cli.core.seal import sealed
from vision_cli.exporters import conversion

SUFFIX = ".onnx"
PRECISIONS = conversion.PRECISIONS
OPSET = 18
"""The opset that torch's exporter writes without converting; ONNX Runtime reads it since 1.14."""


def export(network: Network, card: Card, target: Path, *, precision: str) -> Path:
    """Write a network as one ONNX file: input `image` (N, C, H, W), output `raw` (N, outputs), both float32.

    With `float16` the weights are stored in half the bytes and widened when the file is loaded: ONNX Runtime's CPU
    kernels compute in float32, and a graph in float16 ran 1.4 times slower there than this one.

    Raises:
        DataError: the network cannot be converted.
        UsageError: the precision is unknown.
    """
    conversion.check_precision(precision)
    card = replace(card, layout="nchw", precision=precision)
    with conversion.converting(card, "ONNX"):
        model = _converted(network, card)
        if precision == "float16":
            _store_weights_in_half(model.graph)
        content = sealed(card, lambda text: _packed(model, card, text))
    files.write_bytes(target, content)
    return target


def _converted(network: Network, card: Card) -> Any:
    # A batch of two: torch.export takes a batch of one for a constant.
    program = torch.onnx.export(
        conversion.traceable(network),
        (conversion.sample(card, batch=2),),
        dynamo=True,
        opset_version=OPSET,
        optimize=True,
        verbose=False,
        input_names=["image"],
        output_names=["raw"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
    )
    if program is None:
        raise RuntimeError("torch.onnx.export returned nothing")
    return program.model_proto


def _packed(model: Any, card: Card, text: str) -> bytes:
    helper.set_model_props(model, {METADATA_KEY: text, **conversion.plain_metadata(card)})
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _store_weights_in_half(graph: Any) -> None:
    """Replace each float32 weight of two or more dimensions by a float16 one and a Cast; biases stay."""
    weights = [item for item in graph.initializer if item.data_type == TensorProto.FLOAT and len(item.dims) >= 2]
    casts = []
    for weight in weights:
        values = numpy_helper.to_array(weight)
        if np.abs(values).max(initial=0) > conversion.MAX_FLOAT16:
            raise DataError(
                f"the weights '{weight.name}' reach {np.abs(values).max():.3g}, more than float16 can hold.",
                hint="Export with precision float32.",
            )
        stored = f"{weight.name}_float16"
        casts.append(helper.make_node("Cast", [stored], [weight.name], name=f"{stored}_cast", to=TensorProto.FLOAT))
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), stored))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
