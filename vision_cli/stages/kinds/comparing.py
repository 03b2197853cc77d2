"""Answers about pixels compared with the labels, a photo at a time: no map is kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.decoding.answers import PhotoPixels, PhotoSegments, PlaceAnswer
from vision_cli.core.detections import Truth
from vision_cli.core.errors import DataError
from vision_cli.core.place_targets import IGNORED
from vision_cli.core.truth_maps import class_map, segment_map
from vision_cli.metrics.panoptic.tallies import Tallies as SegmentTallies
from vision_cli.metrics.semantic.tallies import Tallies as PixelTallies


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """What photos truly show.

    Attributes:
        truth: ordered by photo, with masks.
        things: bool (C,): classes that are objects.
        background: class of pixels without a label; IGNORED where they count nowhere.
    """

    truth: Truth
    things: NDArray[np.bool_]
    background: int = IGNORED


def add(tallies: PixelTallies | SegmentTallies, labels: Labels, answer: PlaceAnswer) -> None:
    """Compare the answer about the next photo with its labels, and add it up.

    Raises:
        DataError: the answer is none for the task, or of another size than the labels.
    """
    photo = len(tallies)
    if isinstance(tallies, SegmentTallies) and isinstance(answer, PhotoSegments):
        tallies.add(segment_map(labels.truth, photo, labels.things), answer)
    elif isinstance(tallies, PixelTallies) and isinstance(answer, PhotoPixels):
        tallies.add(class_map(labels.truth, photo, labels.background), answer.classes)
    else:
        raise DataError("the model's answer is not what the task asks for.", hint="Train a model for this task.")
