"""The tasks: what a model answers about a photo."""

from __future__ import annotations

from typing import Literal

Task = Literal["classify", "multilabel", "regress", "detect", "instance", "semantic", "panoptic"]
PHOTO_TASKS = ("classify", "multilabel", "regress")
"""One answer about the whole photo."""
PLACE_TASKS = ("detect", "instance", "semantic", "panoptic")
"""Where things are: boxes, masks of objects, a class for each pixel, both."""
OBJECT_TASKS = ("detect", "instance")
TASKS = (*PHOTO_TASKS, *PLACE_TASKS)
