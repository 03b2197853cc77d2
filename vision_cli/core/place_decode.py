"""How raw outputs of detectors and segmenters become boxes and masks: the parameters, which travel with the model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from vision_cli.core.errors import DataError

Layout = Literal["anchors", "points", "scored", "boxes", "pixels", "panoptic"]
LAYOUTS: tuple[Layout, ...] = ("anchors", "points", "scored", "boxes", "pixels", "panoptic")
MIN_STUFF_SHARE = 4096 / (640 * 480)
"""Detectron2's limit of 4096 pixels, in a photo of COCO."""


@dataclass(frozen=True, slots=True)
class Level:
    """One feature map of a dense detector.

    It has ceil(height / stride) rows of ceil(width / stride) cells; the first cell's centre is at
    (offset * stride, offset * stride), and the next ones lie a stride apart.

    Attributes:
        stride_px: distance of its cells in the network's input.
        anchors: (width, height) in pixels of the input, of each anchor of a cell; none for `points`.
        offset: 0.5, or 0 for networks that torchvision trained with its AnchorGenerator.
    """

    stride_px: int
    anchors: tuple[tuple[float, float], ...] = ()
    offset: float = 0.5


@dataclass(frozen=True, slots=True)
class PlaceDecode:
    """Parameters of decoding.

    Raw outputs by layout, float32, all in pixels of the network's input:

    - `anchors`: one array (N, A, 4 + K): offsets (dx, dy, dw, dh) to anchors, then logits. A runs over levels, then
      rows, columns and anchors of a cell.
    - `points`: one array (N, A, 4 + K + 1): distances (left, top, right, bottom) in strides, logits, centre-ness.
    - `scored`: one array (N, A, 4 + K): x1, y1, x2, y2, then scores 0 to 1. For `instance` (N, A, 4 + K + P), P
      coefficients at the end, and a second array (N, P, h, w) of prototypes over the whole input: the logits of an
      object's mask are their sum, weighted by its coefficients.
    - `boxes`: (N, D, 6): x1, y1, x2, y2, score, class, for networks that suppress by themselves; rows of class -1 are
      empty. For `instance` a second array (N, D, M, M) of mask probabilities inside of each box.
    - `pixels`: one array (N, C, h, w) of logits, of any stride.
    - `panoptic`: the two of `boxes`, then that of `pixels`.

    Attributes:
        layout: see above.
        activation: of the logits; with `softmax` the first is the background.
        levels: of `anchors` and `points`.
        box_weights: offsets were multiplied by them in training (Ren et al. 2015, as torchvision's BoxCoder).
        score_floor: boxes of a lower score are dropped before suppression.
        nms_iou: boxes of a class that overlap a better one by more are dropped.
        max_detections: a photo, or each tile of one.
        confidence: from which score on a box counts as an answer, one for all classes or one each; chosen on
            validation photos.
        things: class ids that are objects; the others of `panoptic` are stuff.
        min_stuff_share: stuff on a smaller share of the photo is dropped from `panoptic`.
    """

    layout: Layout
    activation: Literal["softmax", "sigmoid"] = "softmax"
    levels: tuple[Level, ...] = ()
    box_weights: tuple[float, float, float, float] = (10.0, 10.0, 5.0, 5.0)
    score_floor: float = 0.01
    nms_iou: float = 0.5
    max_detections: int = 100
    confidence: tuple[float, ...] = (0.5,)
    things: tuple[int, ...] = ()
    min_stuff_share: float = MIN_STUFF_SHARE

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> PlaceDecode:
        """Read what `as_json` wrote.

        Raises:
            DataError: a key is missing, unknown or out of range.
        """
        try:
            values = dict(document)
            values["levels"] = tuple(
                Level(
                    int(level["stride_px"]),
                    tuple((float(w), float(h)) for w, h in level["anchors"]),
                    float(level["offset"]),
                )
                for level in document["levels"]
            )
            values["box_weights"] = tuple(map(float, document["box_weights"]))
            values["things"] = tuple(map(int, document["things"]))
            values["confidence"] = _confidence(document["confidence"])
            found = cls(**values)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"decode: {error!r}.", hint="The model file was not written by vision.") from error
        shares = (found.score_floor, found.nms_iou, *found.confidence, found.min_stuff_share)
        if found.layout not in LAYOUTS or len(found.box_weights) != 4 or not all(0 <= share <= 1 for share in shares):
            raise DataError("decode: a value is out of range.", hint="The model file was not written by vision.")
        return found


def _confidence(value: Any) -> tuple[float, ...]:
    """Return one confidence or one a class; earlier artefacts hold a plain number."""
    found = tuple(map(float, value)) if isinstance(value, list | tuple) else (float(value),)
    if not found:
        raise ValueError("no confidence")
    return found
