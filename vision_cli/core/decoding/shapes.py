"""Do raw outputs have the shapes that their layout asks for?"""

from __future__ import annotations

from collections.abc import Sequence

from vision_cli.core.artefact import Card
from vision_cli.core.decoding.anchors import n_places
from vision_cli.core.place_decode import PlaceDecode

Shape = tuple[int, ...]
_BOX = 4
_ROW = 6


def n_outputs(decode: PlaceDecode, task: str) -> int:
    """Return how many arrays a network of a layout gives."""
    masked = 2 if task == "instance" else 1
    return {"panoptic": 3, "boxes": masked, "scored": masked}.get(decode.layout, 1)


def faults(shapes: Sequence[Shape], card: Card, decode: PlaceDecode) -> str:
    """Return what is wrong with the shapes of raw outputs of a batch, in the network's order; empty if nothing.

    Args:
        shapes: of the arrays, the batch included.
        card: of the model: its task, classes and size of input count.
        decode: the card's.
    """
    expected, n_classes = n_outputs(decode, card.task), len(card.classes)
    if len(shapes) != expected:
        return f"{len(shapes)} outputs instead of the {expected} of '{decode.layout}' for '{card.task}'"
    match decode.layout:
        case "anchors" | "points":
            return _dense(shapes[0], decode, n_classes, card.preprocess.size_px)
        case "scored":
            return _scored(shapes, n_classes)
        case "pixels":
            return _pixels(shapes[0], n_classes)
        case _:
            wrong = _boxes(shapes[0]) or (_masks(shapes[1], shapes[0][1]) if expected > 1 else "")
            return wrong or (_pixels(shapes[2], n_classes) if decode.layout == "panoptic" else "")


def _dense(shape: Shape, decode: PlaceDecode, n_classes: int, size_px: tuple[int, int]) -> str:
    more = (1 if decode.activation == "softmax" else 0) + (1 if decode.layout == "points" else 0)
    expected = (n_places(decode.levels, size_px), _BOX + n_classes + more)
    return "" if shape[1:] == expected else f"{list(shape)} instead of [N, {expected[0]}, {expected[1]}]"


def _scored(shapes: Sequence[Shape], n_classes: int) -> str:
    n_prototypes = shapes[1][1] if len(shapes) > 1 and len(shapes[1]) == 4 else 0
    fits = len(shapes) == 1 or (n_prototypes > 0 and min(shapes[1][2:]) > 0)
    width = _BOX + n_classes + n_prototypes
    if len(shapes[0]) == 3 and shapes[0][2] == width and fits:
        return ""
    return f"{[list(shape) for shape in shapes]} instead of [N, A, {width}] and prototypes [N, P, h, w] of masks"


def _boxes(shape: Shape) -> str:
    return "" if len(shape) == 3 and shape[2] == _ROW else f"boxes {list(shape)} instead of [N, D, {_ROW}]"


def _masks(shape: Shape, number: int) -> str:
    fits = len(shape) == 4 and shape[1] == number and min(shape[2:]) > 0
    return "" if fits else f"masks {list(shape)} instead of [N, {number}, M, M]"


def _pixels(shape: Shape, n_classes: int) -> str:
    fits = len(shape) == 4 and shape[1] == n_classes and min(shape[2:]) > 0
    return "" if fits else f"pixels {list(shape)} instead of [N, {n_classes}, h, w]"
