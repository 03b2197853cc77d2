"""ONNX through torch's exporter (https://docs.pytorch.org/docs/stable/onnx_export.html)."""

from __future__ import annotations

import io
import warnings
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
from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.seal import sealed
from vision_cli.exporters import conversion, suppression

SUFFIX = ".onnx"
PRECISIONS = conversion.PRECISIONS
_LAYERS = {"Conv", "ConvTranspose", "Gemm", "MatMul"}
OPSET = 18
"""The opset that torch's exporter writes without converting; ONNX Runtime reads it since 1.14."""


check_nms = suppression.check
"""Refuses a model without suppression to build in; only formats that can build it in have this."""


def export(network: Network, card: Card, target: Path, *, precision: str, nms: bool = False) -> Path:
    """Write a network as one ONNX file: input `image` (N, C, H, W), output `raw` (N, outputs), both float32.

    A detector's or segmenter's outputs are `raw`, `raw1`, ..., as the layout of its `PlaceDecode` says. With `float16`
    the weights are stored in half the bytes and widened when the file is loaded: ONNX Runtime's CPU kernels compute in
    float32, and a graph in float16 ran 1.4 times slower there than this one.

    Args:
        network: the trained network.
        card: of the model.
        target: the file.
        precision: one of PRECISIONS.
        nms: build suppression in: the one output is then `detections` (N, D, 6), the layout `boxes`.

    Raises:
        DataError: the network cannot be converted.
        UsageError: the precision is unknown, or there is nothing to suppress.
    """
    conversion.check_precision(precision)
    if nms:
        suppression.check(card)
    card = replace(card, layout="nchw", precision=precision)
    with conversion.converting(card, "ONNX"):
        model = _converted(network, card)
        if precision == "float16":
            _store_weights_in_half(model.graph, layers_only=isinstance(card.decode, PlaceDecode))
        if nms:
            suppression.append(model, card)
            card = suppression.card_after(card)
        content = sealed(card, lambda text: _packed(model, card, text))
    files.write_bytes(target, content)
    return target


def _converted(network: Network, card: Card) -> Any:
    module, names = conversion.traceable(network), list(conversion.output_names(card))
    if not isinstance(card.decode, PlaceDecode):
        return _any_batch(module, names, card)
    refusals: list[Exception] = []
    for attempt in (_any_batch, _one_photo, _one_photo_followed):
        try:
            model = attempt(module, names, card)
        except Exception as error:  # noqa: BLE001  # converters raise anything
            refusals.append(error)
            continue
        # A network that loops over photos comes out for the two that were counted.
        if _batch(model).dim_param or attempt is not _any_batch:
            return model
    raise refusals[-1]


def _batch(model: Any) -> Any:
    return model.graph.input[0].type.tensor_type.shape.dim[0]


def _any_batch(module: Any, names: list[str], card: Card) -> Any:
    # A batch of two: torch.export takes a batch of one for a constant.
    return _captured(module, names, conversion.sample(card, batch=2), ({0: torch.export.Dim("batch")},))


def _one_photo(module: Any, names: list[str], card: Card) -> Any:
    return _captured(module, names, conversion.sample(card, batch=1), None)


def _captured(module: Any, names: list[str], photos: torch.Tensor, shapes: Any) -> Any:
    program = torch.onnx.export(
        module,
        (photos,),
        dynamo=True,
        opset_version=OPSET,
        optimize=True,
        verbose=False,
        input_names=["image"],
        output_names=names,
        dynamic_shapes=shapes,
    )
    if program is None:
        raise RuntimeError("torch.onnx.export returned nothing")
    return program.model_proto


def _one_photo_followed(module: Any, names: list[str], card: Card) -> Any:
    """Convert by following one photo through, as two-stage detectors need whose regions depend on the photo.

    torchvision writes its detectors so that the path does not; the parity check on real photos is what proves it.
    """
    photo = torch.rand(conversion.sample(card, batch=1).shape, generator=torch.Generator().manual_seed(0))
    stream: Any = io.BytesIO()  # torch's annotation forgets streams
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module, (photo,), stream, dynamo=False, opset_version=OPSET, input_names=["image"], output_names=names
        )
    return onnx.load_model_from_string(stream.getvalue())


def _packed(model: Any, card: Card, text: str) -> bytes:
    helper.set_model_props(model, {METADATA_KEY: text, **conversion.plain_metadata(card)})
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _store_weights_in_half(graph: Any, *, layers_only: bool) -> None:
    """Replace each float32 weight of two or more dimensions by a float16 one and a Cast; biases stay.

    Args:
        graph: of the model; it is changed.
        layers_only: only what convolutions and products take: anchors and grids are places, which float16 would move.
    """
    weights = [item for item in graph.initializer if item.data_type == TensorProto.FLOAT and len(item.dims) >= 2]
    if layers_only:
        used = {name for node in graph.node if node.op_type in _LAYERS for name in node.input}
        weights = [item for item in weights if item.name in used]
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
