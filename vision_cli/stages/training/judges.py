"""Who judges validation photos after each epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vision_cli.core.contracts import PlaceNetwork
from vision_cli.core.decoding.answers import PhotoObjects, PlaceAnswer
from vision_cli.core.decoding.photos import decode_batch, views
from vision_cli.metrics.detection import arrays
from vision_cli.metrics.detection.evaluator import evaluate
from vision_cli.metrics.panoptic.measuring import panoptic_quality
from vision_cli.metrics.panoptic.tallies import Tallies as SegmentTallies
from vision_cli.metrics.semantic.measuring import mean_iou
from vision_cli.metrics.semantic.tallies import Tallies as PixelTallies
from vision_cli.stages.kinds import comparing
from vision_cli.stages.kinds.objects import joined, overlap_of
from vision_cli.training.places.lesson import Judge
from vision_cli.training.places.scenes import Scenes

Raw = tuple[np.ndarray[Any, Any], ...]


def judge_of(network: PlaceNetwork, val: Scenes) -> Callable[[], Judge]:
    """Return what makes a judge of the validation scenes: by AP50, mean IoU or PQ, by task."""
    match val.task:
        case "semantic":
            return lambda: PixelJudge(network, val)
        case "panoptic":
            return lambda: SegmentJudge(network, val)
        case _:
            return lambda: ObjectJudge(network, val)


class ObjectJudge:
    """AP50 of the objects of validation scenes."""

    def __init__(self, network: PlaceNetwork, val: Scenes) -> None:
        self._photos, self._val = _Photos(network, val), val
        self._answers: list[PhotoObjects] = []

    def see(self, raw: Raw) -> None:
        """Decode the next photos."""
        self._answers += [answer for answer in self._photos.decoded(raw) if isinstance(answer, PhotoObjects)]

    def score(self) -> float:
        """Return AP50; 0 where there is nothing to find."""
        truth, classes = self._val.truth, len(self._val.things)
        judged = evaluate(truth, joined(self._answers), classes, kind=overlap_of(self._val.task))
        return arrays.whole(judged, "ap50") or 0.0


class PixelJudge:
    """Mean IoU of the pixels of validation photos, in their own size."""

    def __init__(self, network: PlaceNetwork, val: Scenes) -> None:
        self._photos, self._labels = _Photos(network, val), comparing.Labels(val.truth, val.things, val.background)
        self._tallies = PixelTallies(len(val.things), boundaries=False)

    def see(self, raw: Raw) -> None:
        """Compare the next photos with their labels."""
        for answer in self._photos.decoded(raw):
            comparing.add(self._tallies, self._labels, answer)

    def score(self) -> float:
        """Return the mean IoU; 0 where nothing is labelled."""
        return mean_iou(self._tallies)


class SegmentJudge:
    """PQ of the segments of validation photos, in their own size."""

    def __init__(self, network: PlaceNetwork, val: Scenes) -> None:
        self._photos, self._labels = _Photos(network, val), comparing.Labels(val.truth, val.things, val.background)
        self._tallies = SegmentTallies(len(val.things))

    def see(self, raw: Raw) -> None:
        """Compare the next photos with their labels."""
        for answer in self._photos.decoded(raw):
            comparing.add(self._tallies, self._labels, answer)

    def score(self) -> float:
        """Return PQ; 0 where there is no segment."""
        return panoptic_quality(self._tallies)


class _Photos:
    """Answers about validation photos, each as soon as all that the network sees of it has come."""

    def __init__(self, network: PlaceNetwork, val: Scenes) -> None:
        self._network, self._sizes = network, [(width, height) for width, height in val.truth.sizes.tolist()]
        self._waiting: Raw = ()
        self._next = 0

    def decoded(self, raw: Raw) -> list[PlaceAnswer]:
        """Return the answers that the next raw outputs complete."""
        if self._waiting:
            raw = tuple(np.concatenate(pair) for pair in zip(self._waiting, raw, strict=True))
        sizes, rows = self._complete(len(raw[0]))
        self._waiting = tuple(each[rows:] for each in raw) if rows < len(raw[0]) else ()
        self._next += len(sizes)
        whole = tuple(each[:rows] for each in raw)
        return decode_batch(whole, self._network.decode, self._network.preprocess, sizes) if sizes else []

    def _complete(self, rows: int) -> tuple[list[tuple[int, int]], int]:
        """Return the sizes of the next photos that so many rows complete, and how many rows those are."""
        sizes, used = [], 0
        for size in self._sizes[self._next :]:
            needed = len(views(size, self._network.preprocess))
            if used + needed > rows:
                break
            sizes.append(size)
            used += needed
        return sizes, used
