"""Photo i of a run, and the processes that make them."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vision_cli.core import rle
from vision_cli.core.errors import ResourceError
from vision_cli.core.files import disk_errors
from vision_cli.imaging.write import encode_jpeg
from vision_cli.stages.synth.asked import Asked
from vision_cli.synth import cache
from vision_cli.synth.analysis import read_background
from vision_cli.synth.cropping import cropped
from vision_cli.synth.labels import Placed
from vision_cli.synth.lot import Lot, Purpose
from vision_cli.synth.render import Rendered, render
from vision_cli.synth.scene import Background, Scene

PHOTOS = "photos"
"""The folder of the photos that are made."""

_AHEAD = 3
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
            self._last = which, background, scene
        return self._last[1:]

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
        return [self._one(index) for index in indices]

    def _one(self, index: int) -> Record:
        which, made = self.rendered(index)
        content = encode_jpeg(made.photo, made.jpeg_quality)
        if self.folder is not None:
            _place(self.folder / name_of(index), content)
        noise = round(float(self.scene(which)[1].noise_sigma), _DIGITS)
        return {**_record(index, made, self.asked.backgrounds[which], content), "noise_sigma": noise}


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


def make(maker: Maker, groups: Sequence[Sequence[int]], workers: int) -> Iterator[list[Record]]:
    """Yield the records of each group of photos in the order of the groups, whoever makes them.

    Raises:
        DataError: a background cannot be read.
        ResourceError: the disk refuses, or the system ended a process.
    """
    if workers == 1 or len(groups) < 2:
        for group in groups:
            yield maker.make(group)
        return
    try:
        yield from _shared_out(maker, groups, min(workers, len(groups)))
    except BrokenProcessPool as error:
        raise ResourceError(
            "a process that made photos was ended, perhaps for want of memory.",
            hint="Call the command again with fewer --workers; what is made stays.",
        ) from error


def _shared_out(maker: Maker, groups: Sequence[Sequence[int]], workers: int) -> Iterator[list[Record]]:
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    pool = ProcessPoolExecutor(workers, context, _begin, (maker.asked, maker.folder))
    waiting: deque[Future[list[Record]]] = deque()
    try:
        for group in groups:
            waiting.append(pool.submit(_make, group))
            if len(waiting) >= workers * _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_makers: list[Maker] = []


def _begin(asked: Asked, folder: Path | None) -> None:
    """Set a process up: an interrupt is the first process's business, and without that one there is nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _makers.append(Maker(asked, folder))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _make(group: Sequence[int]) -> list[Record]:
    return _makers[0].make(group)
