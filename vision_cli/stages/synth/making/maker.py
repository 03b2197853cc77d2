"""Photo i of a run."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vision_cli.core import rle
from vision_cli.core.files import disk_errors
from vision_cli.imaging.write import encode_jpeg
from vision_cli.stages.synth.asking.asked import Asked
from vision_cli.synth import cache
from vision_cli.synth.analysis import read_background
from vision_cli.synth.cropping import cropped
from vision_cli.synth.labels import Placed
from vision_cli.synth.lot import Lot, Purpose
from vision_cli.synth.render import Rendered, render
from vision_cli.synth.scene import Background, Scene

PHOTOS = "photos"
"""The folder of the photos that are made."""

_DIGITS = 2
Record = dict[str, Any]


def name_of(index: int) -> str:
    """Return the name of photo i."""
    return f"{index:06d}.jpg"


def background_of(asked: Asked, index: int) -> int:
    """Return the number of photo i's background; all photos of a scene have the same."""
    lot = Lot(asked.seed, index, asked.render.scene_photos)
    return int(lot.rng(Purpose.BACKGROUND).integers(len(asked.backgrounds)))


@dataclass(slots=True)
class Maker:
    """Makes photos; it remembers the scene of the last one.

    Attributes:
        asked: of the run.
        folder: where photos go; None writes none.
    """

    asked: Asked
    folder: Path | None = None
    _last: tuple[int, Background, Scene] | None = field(default=None, init=False)

    def scene(self, which: int) -> tuple[Background, Scene]:
        """Return one of the backgrounds with its analysis.

        Raises:
            DataError: it cannot be read.
        """
        if self._last is None or self._last[0] != which:
            asked = self.asked
            background = read_background(asked.folder / asked.backgrounds[which], asked.image_size)
            scene = cache.scene_of(background, asked.analysis, asked.cache, offline=asked.offline)
            self.hold(which, background, scene)
            return background, scene
        return self._last[1:]

    def hold(self, which: int, background: Background, scene: Scene) -> None:
        """Take one of the backgrounds with its analysis as read."""
        self._last = which, background, scene

    def rendered(self, index: int) -> tuple[int, Rendered]:
        """Return photo i and the number of its background; both depend on the seed and i alone."""
        lot = Lot(self.asked.seed, index, self.asked.render.scene_photos)
        which = background_of(self.asked, index)
        made = render(*self.scene(which), self.asked.book, self.asked.render, lot)
        return which, cropped(made, self.asked.crop, self.asked.render, lot) if self.asked.crop else made

    def make(self, indices: Sequence[int]) -> list[Record]:
        """Write photos and return what is known of each.

        Raises:
            DataError: a background cannot be read.
            ResourceError: the disk refuses.
        """
        return [self.keep(*self.photo(index)) for index in indices]

    def photo(self, index: int) -> tuple[Record, bytes]:
        """Return what is known of photo i, and its file's content.

        Raises:
            DataError: its background cannot be read.
        """
        which, made = self.rendered(index)
        content = encode_jpeg(made.photo, made.jpeg_quality)
        noise = round(float(self.scene(which)[1].noise_sigma), _DIGITS)
        return {**_record(index, made, self.asked.backgrounds[which], content), "noise_sigma": noise}, content

    def keep(self, record: Record, content: bytes) -> Record:
        """Write a photo where photos go, and return what is known of it.

        Raises:
            ResourceError: the disk refuses.
        """
        if self.folder is not None:
            _place(self.folder / record["file"], content)
        return record


def _place(path: Path, content: bytes) -> None:
    """Write a photo whole, but leave the disk its time: what a power cut spoils is found by its size, and made anew."""
    part = path.with_name(f".{path.name}.part")
    with disk_errors(path):
        part.write_bytes(content)
        os.replace(part, path)


def _record(index: int, made: Rendered, background: str, content: bytes) -> Record:
    height, width = made.photo.shape[:2]
    return {
        "photo": index,
        "file": name_of(index),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "width": width,
        "height": height,
        "background": background,
        "mirrored": made.mirrored,
        "blend": made.blend,
        "jpeg_quality": made.jpeg_quality,
        "objects": [_object(each, (height, width)) for each in made.objects],
        "rejects": dict(sorted(made.rejects.items())),
    }


def _object(each: Placed, shape: tuple[int, int]) -> Record:
    return {
        "class": each.class_name,
        "variant": each.variant,
        "box": [float(value) for value in each.box],
        "full_box": [round(float(value), _DIGITS) for value in each.full_box],
        "mask": rle.to_text(each.counts(shape)),
        "visibility": round(float(each.visibility), 4),
        "truncated": bool(each.truncated),
        "occluded": bool(each.occluded),
        "plane": None if each.plane is None else int(each.plane),
        "size_px": round(float(each.size_px), _DIGITS),
        "angle_deg": round(float(each.angle_deg), _DIGITS),
        "tilt_deg": round(float(each.tilt_deg), _DIGITS),
        "contrast": round(float(each.contrast), _DIGITS),
        "look": each.look,
        **{name: _rounded(value) for name, value in each.parameters.items()},
    }


def _rounded(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value
