"""What to train by Ultralytics' own recipe, and from which weights: known before anything is learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.tasks import Task
from vision_cli.models.ultralytics import published

N_DETECTIONS = 300
_SCORE_FLOOR = 0.001
_NMS_IOU = 0.7


@dataclass(frozen=True, slots=True)
class Recipe:
    """A network that nothing has trained yet; has what the stages ask of a `contracts.PlaceNetwork` before they train.

    Attributes:
        family: `yolo` or `yolo-seg`.
        backbone: one of `published.names`.
        task: `detect` or `instance`.
        n_classes: that it tells apart.
        preprocess: square, letterboxed, 0 to 1.
        weights: safetensors to begin with; None for random ones.
        names: of the classes of these weights, in order; empty where nobody knows.
        kept: classes of the data that the weights know by name.
    """

    family: str
    backbone: str
    task: Task
    n_classes: int
    preprocess: Preprocess
    weights: Path | None = None
    names: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    licence: str = published.LICENCE
    stages: Sequence[Sequence[Any]] = ()
    n_features: int = 0
    head: Any = field(default=None, repr=False)

    @property
    def decode(self) -> PlaceDecode:
        """Return how its raw outputs are read; floor, IoU and number are those of Ultralytics' own evaluation."""
        by_itself = published.suppresses_by_itself(self.backbone)
        layout = "boxes" if by_itself and self.task == "detect" else "scored"
        return PlaceDecode(
            layout,  # type: ignore[arg-type]  # two of its literals
            "sigmoid",
            score_floor=_SCORE_FLOOR,
            nms_iou=1.0 if by_itself else _NMS_IOU,
            max_detections=N_DETECTIONS,
        )

    @property
    def options(self) -> Mapping[str, Any]:
        """Return what `Card.model` must hold to build it again."""
        return {"backbone": self.backbone, "n_classes": self.n_classes}

    @property
    def request(self) -> dict[str, Any]:
        """Return what the child must know of the network."""
        return {
            "task": self.task,
            "backbone": self.backbone,
            "n_classes": self.n_classes,
            "size_px": self.preprocess.size_px[0],
            "end2end": published.suppresses_by_itself(self.backbone),
        }
