"""What a network that finds things must be built for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vision_cli.core.dataset import ClassMap
from vision_cli.core.tasks import Task


@dataclass(frozen=True, slots=True)
class PlaceRequest:
    """What the data asks of a network.

    Attributes:
        task: `detect`, `instance`, `semantic` or `panoptic`.
        classes: what it tells apart.
        box_sizes: float (n, 2), width and height of training objects in pixels of the network's input; may be empty.
        things: class ids that are objects, for `panoptic`.
    """

    task: Task
    classes: ClassMap
    box_sizes: Any = field(default_factory=lambda: np.zeros((0, 2)))
    things: tuple[int, ...] = ()
