"""The parts of an ONNX file that must be known before ONNX Runtime sees it, without the onnx package.

Wire format: https://protobuf.dev/programming-guides/encoding/; field numbers:
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

from dataclasses import dataclass

from vision_cli.core.protobuf import fields

_MAX_DEPTH = 32
# message -> field -> message inside it; only what leads to a tensor.
_CHILDREN = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_EXTERNAL_DATA, _DATA_LOCATION, _METADATA_PROPS, _GRAPH = 13, 14, 14, 7


@dataclass(frozen=True, slots=True)
class OnnxHead:
    """What stands in an ONNX file beside its graph.

    Attributes:
        metadata: UTF-8 values of `metadata_props` by key.
        reads_other_files: a tensor's data is outside the file.
    """

    metadata: dict[str, bytes]
    reads_other_files: bool


def read_onnx(content: bytes) -> OnnxHead:
    """Walk an ONNX file.

    Raises:
        ValueError: cut, not protobuf, or no graph in it.
    """
    view = memoryview(content)
    metadata = {}
    has_graph = False
    for number, value in fields(view):
        has_graph = has_graph or number == _GRAPH
        if number == _METADATA_PROPS and isinstance(value, memoryview):
            entry = dict(fields(value))
            metadata[_raw(entry.get(1)).decode("utf-8", errors="replace")] = _raw(entry.get(2))
    if not has_graph:
        raise ValueError("no graph in it")
    return OnnxHead(metadata, _reads_other_files(view, "model", 0))


def _raw(value: int | memoryview | None) -> bytes:
    return bytes(value) if isinstance(value, memoryview) else b""


def _reads_other_files(view: memoryview, message: str, depth: int) -> bool:
    if depth > _MAX_DEPTH:
        raise ValueError(f"more than {_MAX_DEPTH} levels of graphs")
    children = _CHILDREN[message]
    for number, value in fields(view):
        if message == "tensor" and (number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value != 0)):
            return True
        child = children.get(number)
        if child and isinstance(value, memoryview) and _reads_other_files(value, child, depth + 1):
            return True
    return False
