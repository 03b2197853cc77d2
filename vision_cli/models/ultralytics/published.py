"""Ultralytics' networks by their own names: where their weights come from, and how good they are said to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vision_cli.core.tasks import Task
from vision_cli.models.cards import Reported

if TYPE_CHECKING:
    from vision_cli.core.weights import Source

LICENCE = "AGPL-3.0"
INTERPRETER = "VISION_YOLO_PYTHON"
"""Environment variable: the Python that has Ultralytics, where this one has it not."""
_RELEASE = "https://github.com/ultralytics/assets/releases/download/v8.4.0"
_DOCS = "https://docs.ultralytics.com/tasks"
_SIZES = "nsmlx"
_SUPPRESSES_BY_ITSELF = "yolo26"
# AP at IoU 0.5 to 0.95 on COCO val2017 at 640 px, from n to x: of boxes; of masks for the networks for instances.
# Of YOLO26 without suppression (`e2e`), as it is used here.
_AP = {
    "yolov8": (37.3, 44.9, 50.2, 52.9, 53.9),
    "yolo11": (39.5, 47.0, 51.5, 53.4, 54.7),
    "yolo26": (40.1, 47.8, 52.5, 54.4, 56.9),
}
_MASK_AP = {
    "yolov8": (30.5, 36.8, 40.8, 42.6, 43.4),
    "yolo11": (32.0, 37.8, 41.5, 42.9, 43.8),
    "yolo26": (33.9, 40.0, 44.1, 45.5, 47.0),
}


def names(task: Task) -> list[str]:
    """Return the networks for a task, sorted."""
    suffix = "-seg" if task == "instance" else ""
    return sorted(f"{version}{size}{suffix}" for version in _AP for size in _SIZES)


def suppresses_by_itself(name: str) -> bool:
    """Return whether a network needs no non-maximum suppression."""
    return name.startswith(_SUPPRESSES_BY_ITSELF)


def coco(name: str) -> Source:
    """Return where a network's COCO weights come from."""
    from vision_cli.core.weights import Source  # platformdirs, for those who ask for it

    return Source.from_url(f"{_RELEASE}/{name}.pt", licence=LICENCE)


def reported(task: Task) -> tuple[Reported, ...]:
    """Return what Ultralytics says of its COCO weights."""
    masks = task == "instance"
    what, suffix, page = ("mask", "-seg", "segment") if masks else ("box", "", "detect")
    return tuple(
        Reported(f"{version}{size}{suffix}", "coco", f"{what} AP on COCO val2017", value, LICENCE, f"{_DOCS}/{page}/")
        for version, values in (_MASK_AP if masks else _AP).items()
        for size, value in zip(_SIZES, values, strict=True)
    )
