"""EfficientNet-Lite0 as an ONNX file, written from its weights without torch or the onnx package: a fifth of a second.

The network: M. Tan and R. Liu, EfficientNet-Lite (2020), the layers of EfficientNet-B0 (Tan and Le 2019, table 1) with
ReLU6 and without squeeze-and-excitation. Each batch normalisation is folded into the convolution before it. Field
numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.preprocess import Preprocess
from vision_cli.core.protobuf_write import data, messages, number
from vision_cli.models.lite0.weights import Tensors

EMBEDDING, LOGITS, IMAGE = "embedding", "raw", "image"
N_FEATURES = 1280
N_CLASSES = 1000
PREPROCESS = Preprocess(
    size_px=(224, 224), crop_pct=0.875, interpolation="bicubic", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
)
"""As timm's `tf_efficientnet_lite0` has it; `crop` of the shorter side."""

_OPSET = 18
_IR_VERSION = 8
_BN_EPSILON = 1e-3
_STRIDE_TWO = frozenset({1, 3, 5, 11})
"""Blocks that halve the map: the first of the stages 2, 3, 4 and 6 of the paper's table."""
_FLOAT, _INT64 = 1, 7  # of TensorProto
_INT, _STRING, _INTS = 2, 3, 7  # of AttributeProto


@dataclass(slots=True)
class _Graph:
    """Nodes and constants so far."""

    tensors: Tensors
    nodes: list[bytes] = field(default_factory=list)
    constants: list[bytes] = field(default_factory=list)

    def constant(self, name: str, values: NDArray[np.float32] | NDArray[np.int64]) -> str:
        """Add a constant and return its name."""
        kind, form = (_INT64, "<i8") if values.dtype == np.int64 else (_FLOAT, "<f4")
        dims = b"".join(number(1, size) for size in values.shape)
        raw = values.astype(form).tobytes()
        self.constants.append(dims + number(2, kind) + data(8, name) + data(9, raw))
        return name

    def node(self, kind: str, inputs: Sequence[str], output: str, attributes: Sequence[bytes] = ()) -> str:
        """Add a node and return its output's name."""
        ports = b"".join(data(1, name) for name in inputs) + data(2, output)
        self.nodes.append(ports + data(3, output) + data(4, kind) + messages(5, attributes))
        return output

    def layer(self, source: str, weight: str, norm: str, stride: int, relu: bool) -> str:
        """Add a convolution with its batch normalisation folded in, and ReLU6 if wanted."""
        values, by = self._folded(weight, norm)
        name = weight.removesuffix(".weight")
        outputs, inputs, kernel, _ = values.shape
        groups = outputs if inputs == 1 and outputs > 1 and kernel > 1 else 1
        given = [source, self.constant(f"{name}.w", values), self.constant(f"{name}.b", by)]
        found = self.node(
            "Conv",
            given,
            f"{name}.out",
            [
                _text("auto_pad", "SAME_UPPER"),
                _numbers("strides", (stride, stride)),
                _numbers("kernel_shape", (kernel, kernel)),
                _number("group", groups),
            ],
        )
        return self.node("Clip", [found, "zero", "six"], f"{name}.relu") if relu else found

    def _folded(self, weight: str, norm: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        scale, shift, mean, variance = (
            self.tensors[f"{norm}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        factor = scale / np.sqrt(variance + _BN_EPSILON)
        values = self.tensors[weight].astype(np.float64) * factor[:, None, None, None]
        return values.astype(np.float32), (shift - mean * factor).astype(np.float32)


def onnx_bytes(
    tensors: Tensors,
    outputs: Sequence[str] = (EMBEDDING,),
    *,
    metadata: Sequence[tuple[str, str]] = (),
    groups: Sequence[Sequence[int]] = (),
) -> bytes:
    """Return an ONNX file: `image` float32 (N, 3, H, W) to `embedding` (N, 1280), `raw` logits (N, 1000), or both.

    Args:
        tensors: of `weights.tensors`.
        outputs: which of the two, in the file's order.
        metadata: keys and values to put into the file.
        groups: of ImageNet's classes; `raw` is then (N, groups), the log of each group's summed exponentials, so that
            softmax gives the sum of the probabilities of its classes.
    """
    graph = _Graph(tensors)
    graph.constant("zero", np.zeros((), np.float32))
    graph.constant("six", np.full((), 6, np.float32))
    last = graph.layer(_blocks(graph), "_conv_head.weight", "_bn1", 1, True)
    pooled = graph.node("GlobalAveragePool", [last], "pooled")
    graph.node("Flatten", [pooled], EMBEDDING)
    if LOGITS in outputs:
        names = [graph.constant(f"_fc.{part}", tensors[f"_fc.{part}"]) for part in ("weight", "bias")]
        graph.node("Gemm", [EMBEDDING, *names], "each" if groups else LOGITS, [_number("transB", 1)])
        _group(graph, groups)
    sizes = {EMBEDDING: N_FEATURES, LOGITS: len(groups) or N_CLASSES}
    body = (
        messages(1, graph.nodes)
        + data(2, "efficientnet_lite0")
        + messages(5, graph.constants)
        + data(11, _port(IMAGE, (3, PREPROCESS.size_px[1], PREPROCESS.size_px[0])))
        + messages(12, (_port(name, (sizes[name],)) for name in outputs))
    )
    opset = data(1, "") + number(2, _OPSET)
    notes = messages(14, (data(1, key) + data(2, value) for key, value in metadata))
    return number(1, _IR_VERSION) + data(2, "vision") + data(7, body) + data(8, opset) + notes


def _group(graph: _Graph, groups: Sequence[Sequence[int]]) -> None:
    """Add what brings the logits of each group together."""
    found = []
    for place, indices in enumerate(groups):
        rows = graph.constant(f"group{place}.classes", np.asarray(indices, np.int64))
        some = graph.node("Gather", ["each", rows], f"group{place}.each", [_number("axis", 1)])
        axes = graph.constant(f"group{place}.axes", np.asarray([1], np.int64))
        found.append(graph.node("ReduceLogSumExp", [some, axes], f"group{place}"))
    if found:
        graph.node("Concat", found, LOGITS, [_number("axis", 1)])


def _blocks(graph: _Graph) -> str:
    """Add the stem and the inverted residual blocks, and return the last one's output."""
    at = graph.layer(IMAGE, "_conv_stem.weight", "_bn0", 2, True)
    count = 1 + max(int(found[1]) for name in graph.tensors if (found := re.match(r"_blocks\.(\d+)\.", name)))
    for index in range(count):
        at = _block(graph, at, index)
    return at


def _block(graph: _Graph, source: str, index: int) -> str:
    """Add one block: widen, filter each channel, narrow; what came in is added where the shapes agree."""
    name, at, stride = f"_blocks.{index}", source, 2 if index in _STRIDE_TWO else 1
    wide = graph.tensors.get(f"{name}._expand_conv.weight")
    if wide is not None:
        at = graph.layer(at, f"{name}._expand_conv.weight", f"{name}._bn0", 1, True)
    at = graph.layer(at, f"{name}._depthwise_conv.weight", f"{name}._bn1", stride, True)
    at = graph.layer(at, f"{name}._project_conv.weight", f"{name}._bn2", 1, False)
    narrow = graph.tensors[f"{name}._project_conv.weight"].shape[0]
    if stride == 1 and wide is not None and wide.shape[1] == narrow:
        return graph.node("Add", [at, source], f"{name}.sum")
    return at


def _port(name: str, sizes: Sequence[int]) -> bytes:
    dims = [data(2, "batch"), *(number(1, size) for size in sizes)]
    tensor = number(1, _FLOAT) + data(2, messages(1, dims))
    return data(1, name) + data(2, data(1, tensor))


def _number(name: str, value: int) -> bytes:
    return data(1, name) + number(3, value) + number(20, _INT)


def _numbers(name: str, values: Sequence[int]) -> bytes:
    return data(1, name) + b"".join(number(8, value) for value in values) + number(20, _INTS)


def _text(name: str, value: str) -> bytes:
    return data(1, name) + data(4, value) + number(20, _STRING)
