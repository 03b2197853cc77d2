"""Pictures of scenes: labels on the left, what a network says on the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core import rle
from vision_cli.core.decoding.answers import PhotoObjects, PhotoPixels, PhotoSegments, PlaceAnswer
from vision_cli.core.decoding.photos import decode_batch
from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.place_targets import IGNORED, PlaceTargets
from vision_cli.core.preprocess import Preprocess
from vision_cli.imaging import overlay
from vision_cli.imaging.modes import with_channels
from vision_cli.imaging.sheets import Key, Style, Tile, fitted

SHOWN_FROM = 0.3
"""Confidence from which on an object is drawn: the one that counts is chosen when the training is over."""
_MOST_TEXTS = 12
_STYLE, _BESIDE = Style(columns=4, photo_px=300), Style(columns=2, photo_px=300)
Photo = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ScenePainter:
    """Draws boxes, masks and classes of pixels into photos as a network sees them.

    Attributes:
        names: of the classes.
        decode: of the network.
        preprocess: of the network.
        unmarked: class that is left without a colour; None colours all.
    """

    names: Sequence[str]
    decode: PlaceDecode
    preprocess: Preprocess
    unmarked: int | None = None
    most: int = 8
    style: Style = _STYLE
    beside: Style = _BESIDE
    how: str = f"labels left, answer right, objects from {SHOWN_FROM:.0%} on"

    def labelled(self, photos: Photo, targets: PlaceTargets) -> list[Tile]:
        """Return photos with their labels."""
        return [
            Tile([self._truth(photo, targets, row)], keys=self._keys(_classes_of(targets, row)))
            for row, photo in enumerate(photos[: self.most])
        ]

    def answered(self, photos: Photo, targets: PlaceTargets, raw: tuple[NDArray[np.float32], ...]) -> list[Tile]:
        """Return photos with their labels, beside them with what was found."""
        as_it_is = replace(self.preprocess, resize="stretch", tiles=None)
        sizes = [(photo.shape[1], photo.shape[0]) for photo in photos]
        decode = replace(self.decode, confidence=(SHOWN_FROM,))
        answers = decode_batch(raw, decode, as_it_is, sizes)
        return [
            Tile(
                [self._truth(photo, targets, row), self._answer(photo, answer)],
                keys=self._keys(_classes_of(targets, row) | _classes_said(answer)),
            )
            for row, (photo, answer) in enumerate(zip(photos, answers, strict=True))
        ]

    def _keys(self, classes: set[int]) -> list[Key]:
        """Return classes with their colour."""
        return [(self.names[index], overlay.colour_of(index)) for index in sorted(classes - {self.unmarked, IGNORED})]

    def _truth(self, photo: Photo, targets: PlaceTargets, row: int) -> Photo:
        # Where pixels alone are learned, no object is.
        pixels_alone = targets.pixels is not None and targets.masks is None
        objects = [] if pixels_alone else np.flatnonzero(targets.photo == row).tolist()
        marked = [
            overlay.Marked(
                tuple(targets.boxes[index].tolist()),
                self._text(int(targets.labels[index]), len(objects), " ignored" if targets.crowd[index] else ""),
                int(targets.labels[index]),
                None if targets.masks is None else targets.masks[index] == 1,
            )
            for index in objects
        ]
        return self._drawn(photo, marked, None if targets.pixels is None else targets.pixels[row])

    def _answer(self, photo: Photo, answer: PlaceAnswer) -> Photo:
        match answer:
            case PhotoPixels():
                return self._drawn(photo, [], answer.classes)
            case PhotoObjects():
                return self._drawn(photo, self._objects(answer.above((SHOWN_FROM,))), None)
            case PhotoSegments():
                classes = np.append(IGNORED, answer.classes)[answer.ids]
                return self._drawn(photo, self._segments(answer), classes)

    def _objects(self, answer: PhotoObjects) -> list[overlay.Marked]:
        width, height = answer.size_px
        masks = [None] * len(answer) if answer.masks is None else [rle.decode(m, height, width) for m in answer.masks]
        rows = zip(answer.boxes.tolist(), answer.classes.tolist(), answer.scores.tolist(), masks, strict=True)
        return [
            overlay.Marked(tuple(box), self._text(name, len(answer), f" {score:.0%}"), name, mask)
            for box, name, score, mask in rows
        ]

    def _segments(self, answer: PhotoSegments) -> list[overlay.Marked]:
        found = []
        things = np.flatnonzero(answer.is_thing).tolist()
        for row in things:
            name, score = int(answer.classes[row]), float(answer.scores[row])
            mask = answer.ids == row + 1
            y, x = np.nonzero(mask)
            if len(x):
                box = (float(x.min()), float(y.min()), float(x.max() + 1), float(y.max() + 1))
                found.append(overlay.Marked(box, self._text(name, len(things), f" {score:.0%}"), name, mask))
        return found

    def _text(self, name: int, objects: int, more: str) -> str:
        """Return a class's name and more; nothing where so many would cover each other, as colours tell it, too."""
        return self.names[name] + more if objects <= _MOST_TEXTS else ""

    def _drawn(self, photo: Photo, marked: Sequence[overlay.Marked], classes: Any) -> Photo:
        """Return a photo at the sheet's size, so that lines and letters are sharp."""
        height, width = photo.shape[:2]
        shown = fitted(with_channels(photo, 3), self.style.photo_px)
        scale_x, scale_y = shown.shape[1] / width, shown.shape[0] / height
        if classes is not None:
            plane = (
                np.where(classes == self.unmarked, IGNORED, classes) if self.unmarked is not None else classes.copy()
            )
            for each in marked:
                if each.mask is not None:
                    plane[each.mask] = IGNORED  # its own tint shows it
            shown = overlay.with_classes(shown, _enlarged(plane, shown.shape[:2]), names=self.names)
        return overlay.with_objects(
            shown,
            [
                replace(
                    each,
                    box=tuple(np.multiply(each.box, (scale_x, scale_y, scale_x, scale_y)).tolist()),
                    mask=None if each.mask is None else _enlarged(each.mask, shown.shape[:2]),
                )
                for each in marked
            ],
        )


def _classes_of(targets: PlaceTargets, row: int) -> set[int]:
    there = set(targets.labels[targets.photo == row].tolist())
    return there if targets.pixels is None else there | set(np.unique(targets.pixels[row]).tolist())


def _classes_said(answer: PlaceAnswer) -> set[int]:
    classes = answer.above((SHOWN_FROM,)).classes if isinstance(answer, PhotoObjects) else answer.classes
    return set(np.unique(classes).tolist())


def _enlarged(plane: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return a plane (H, W) at another shape, nearest pixel."""
    rows, columns = (
        ((np.arange(to) + 0.5) * side / to).astype(np.int64) for to, side in zip(shape, plane.shape, strict=True)
    )
    return plane[np.ix_(rows, columns)]
