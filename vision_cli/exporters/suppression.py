"""Box decoding and non-maximum suppression as ONNX nodes, for programs that have none of their own.

The same rules as `core/decoding`: clip to the input, drop below the score floor, suppress within each class, keep the
best of all classes. Operators: https://onnx.ai/onnx/operators/, opset 18.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from vision_cli.core.artefact import Card
from vision_cli.core.decoding import anchors
from vision_cli.core.errors import UsageError
from vision_cli.core.place_decode import PlaceDecode

OUTPUT = "detections"
LAYOUTS = ("anchors", "points", "scored")
_EMPTY_CLASS = -1.0
_END = np.iinfo(np.int64).max


def check(card: Card) -> None:
    """Refuse a model that has no suppression to build in.

    Raises:
        UsageError: with the reason.
    """
    decode = card.decode
    if not isinstance(decode, PlaceDecode):
        raise UsageError(f"{card.name}: a model of the task '{card.task}' has no boxes to suppress.")
    if reason := _reason_against(card, decode):
        raise UsageError(
            f"{card.name}: no suppression can be built in: '{card.family}' {reason}.", hint="Export it as it is."
        )


def _reason_against(card: Card, decode: PlaceDecode) -> str:
    if decode.layout == "boxes" or decode.nms_iou >= 1:
        return "does it by itself"
    if decode.layout not in LAYOUTS:
        return "answers each pixel"
    return "has masks, which rows of boxes cannot hold" if card.task == "instance" else ""


def card_after(card: Card) -> Card:
    """Return the card of the file with suppression: rows of boxes come out."""
    return replace(card, decode=replace(card.place_decode, layout="boxes", levels=()))


def append(model: Any, card: Card) -> None:
    """Replace the output `raw` of an ONNX model by `detections` (N, D, 6): see the layout `boxes` of `PlaceDecode`."""
    graph = model.graph
    nodes = _Nodes(graph)
    boxes, scores = _BUILDERS[card.place_decode.layout](nodes, graph.output[0].name, card)
    inside = nodes.clipped(boxes, card.preprocess.size_px)
    n_rows = _best_rows(nodes, inside, scores, card, _n_places(graph, card))
    batch = graph.input[0].type.tensor_type.shape.dim[0]
    sizes = [batch.dim_param or batch.dim_value, n_rows, 6]
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, sizes))


class _Nodes:
    """Nodes and constants appended to a graph; each call returns the name of its first output."""

    def __init__(self, graph: Any) -> None:
        self._graph = graph
        self._number = 0

    def __call__(self, operator: str, *inputs: Any, outputs: int = 1, **attributes: Any) -> Any:
        names = [self._name(operator) for _ in range(outputs)]
        sources = [each if isinstance(each, str) else self._constant(each) for each in inputs]
        self._graph.node.append(helper.make_node(operator, sources, names, name=names[0], **attributes))
        return names[0] if outputs == 1 else names

    def named(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> None:
        """Append a node whose output is the graph's."""
        self._graph.node.append(helper.make_node(operator, list(inputs), [output], name=output, **attributes))

    def part(self, values: str, start: int, end: int) -> str:
        """Return values[..., start:end]."""
        return str(self("Slice", values, ints(start), ints(end), ints(-1)))

    def clipped(self, boxes: str, size_px: tuple[int, int]) -> str:
        """Return boxes cut at the borders of the input."""
        return str(self("Min", self("Max", boxes, floats(0)), floats(*size_px, *size_px)))

    def _constant(self, values: Any) -> str:
        name = self._name("constant")
        self._graph.initializer.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def _name(self, what: str) -> str:
        self._number += 1
        return f"suppression/{what}_{self._number}"


def floats(*values: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return a constant float32 vector."""
    return np.array(values, dtype=np.float32)


def ints(*values: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return a constant int64 vector."""
    return np.array(values, dtype=np.int64)


def _of_anchors(nodes: _Nodes, raw: str, card: Card) -> tuple[str, str]:
    """Return boxes (N, A, 4), not clipped, and scores (N, A, K)."""
    decode = card.place_decode
    centred = anchors.anchors(decode.levels, card.preprocess.size_px).astype(np.float32)[None]
    shares = nodes("Div", nodes.part(raw, 0, 4), floats(*decode.box_weights))
    moved = nodes("Mul", nodes.part(shares, 0, 2), centred[..., 2:])
    centres = nodes("Add", moved, centred[..., :2])
    grown = nodes("Exp", nodes("Min", nodes.part(shares, 2, 4), floats(anchors.MAX_LOG_SCALE)))
    halves = nodes("Mul", grown, centred[..., 2:] / 2)
    boxes = nodes("Concat", nodes("Sub", centres, halves), nodes("Add", centres, halves), axis=-1)
    return boxes, _scores(nodes, raw, card)


def _of_points(nodes: _Nodes, raw: str, card: Card) -> tuple[str, str]:
    centres = anchors.points(card.place_decode.levels, card.preprocess.size_px).astype(np.float32)[None]
    reach = nodes("Mul", nodes.part(raw, 0, 4), centres[..., 2:])
    low = nodes("Sub", centres[..., :2], nodes.part(reach, 0, 2))
    high = nodes("Add", centres[..., :2], nodes.part(reach, 2, 4))
    inside = nodes("Sigmoid", nodes("Slice", raw, ints(-1), ints(_END), ints(-1)))
    scores = nodes("Sqrt", nodes("Mul", _scores(nodes, raw, card), inside))
    return nodes("Concat", low, high, axis=-1), scores


def _scores(nodes: _Nodes, raw: str, card: Card) -> str:
    n_classes = len(card.classes)
    if card.place_decode.activation == "sigmoid":
        return str(nodes("Sigmoid", nodes.part(raw, 4, 4 + n_classes)))
    shares = nodes("Softmax", nodes.part(raw, 4, 5 + n_classes), axis=-1)
    return nodes.part(shares, 1, 1 + n_classes)


def _of_scored(nodes: _Nodes, raw: str, card: Card) -> tuple[str, str]:
    return nodes.part(raw, 0, 4), nodes.part(raw, 4, 4 + len(card.classes))


_BUILDERS = {"anchors": _of_anchors, "points": _of_points, "scored": _of_scored}


def _n_places(graph: Any, card: Card) -> int:
    """Return how many boxes a photo has before suppression."""
    decode = card.place_decode
    if decode.levels:
        return anchors.n_places(decode.levels, card.preprocess.size_px)
    return int(graph.output[0].type.tensor_type.shape.dim[1].dim_value)


def _best_rows(nodes: _Nodes, boxes: str, scores: str, card: Card, n_places: int) -> int:
    """Append suppression and the choice of the best rows; return how many rows there are."""
    decode, n_classes = card.place_decode, len(card.classes)
    n_rows = min(decode.max_detections, n_classes * n_places)
    # A box without area is none: it must not take the place of another.
    sides = nodes("Sub", nodes.part(boxes, 2, 4), nodes.part(boxes, 0, 2))
    exists = nodes("Greater", nodes("ReduceMin", sides, ints(-1), keepdims=1), floats(0))
    by_class = nodes("Transpose", nodes("Where", exists, scores, floats(0)), perm=[0, 2, 1])
    # Of each class as many as of all: the survivors of all classes are among them.
    limits = (ints(decode.max_detections), floats(decode.nms_iou), floats(decode.score_floor))
    kept = nodes("NonMaxSuppression", boxes, by_class, *limits)
    nothing = nodes("Sub", nodes("Mul", by_class, floats(0)), floats(1))
    survivors = nodes("ScatterND", nothing, kept, nodes("GatherND", by_class, kept))
    flat = nodes("Reshape", survivors, ints(0, n_classes * n_places))
    best, indices = nodes("TopK", flat, ints(n_rows), outputs=2, axis=1)
    _rows(nodes, boxes, (best, indices), n_places)
    return n_rows


def _rows(nodes: _Nodes, boxes: str, best: tuple[str, str], n_places: int) -> None:
    """Append the output: box, score and class of each chosen row; zeros and class -1 where nothing was left."""
    scores, indices = best
    row = nodes("Unsqueeze", nodes("Mod", indices, ints(n_places)), ints(-1))
    chosen = nodes("GatherElements", boxes, nodes("Expand", row, ints(1, 1, 4)), axis=1)
    score = nodes("Unsqueeze", scores, ints(-1))
    class_id = nodes("Unsqueeze", nodes("Div", indices, ints(n_places)), ints(-1))
    answers = nodes("Concat", chosen, score, nodes("Cast", class_id, to=TensorProto.FLOAT), axis=-1)
    empty = nodes("Less", score, floats(0))
    nodes.named("Where", [empty, nodes("Identity", floats(0, 0, 0, 0, 0, _EMPTY_CLASS)), answers], OUTPUT)
