"""`vision predict` with a detector or segmenter: photo by photo, so that memory does not grow with their masks."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vision_cli.core import rle
from vision_cli.core.artefact import Card
from vision_cli.core.contracts import Runner
from vision_cli.core.errors import DataError
from vision_cli.core.progress import Progress
from vision_cli.imaging import draw, overlay, read, write
from vision_cli.stages.running import confidence, place_inference
from vision_cli.stages.running.place_rows import Found, PlaceRow, row_of

_COLUMNS = ("path", "class", "confidence", "x", "y", "width", "height")


@dataclass(frozen=True, slots=True)
class Places:
    """What was found in photos.

    Attributes:
        rows: one a photo that could be read.
        unsure: the same with all objects down to the model's floor, if they are wanted.
        refused: path and reason of the others.
        pictures: annotated copies that were written.
    """

    rows: list[PlaceRow] = field(default_factory=list)
    unsure: list[PlaceRow] = field(default_factory=list)
    refused: list[tuple[Path, str]] = field(default_factory=list)
    pictures: list[Path] = field(default_factory=list)


def look(
    runner: Runner, paths: Sequence[Path], copies: Mapping[Path, Path], progress: Progress, *, unsure: bool = False
) -> Places:
    """Return what a model finds in photos, and write annotated copies where they are wanted.

    Args:
        runner: the model.
        paths: of the photos.
        copies: where the annotated copy of a photo goes.
        progress: hears how far it is.
        unsure: return what lies below the model's confidence, too.

    Raises:
        DataError: the model gives values that are not numbers.
        ResourceError: a copy cannot be written.
    """
    found = Places()
    for path, answer in place_inference.readable(runner, paths, progress, what="predict"):
        if isinstance(answer, DataError):
            found.refused.append((path, answer.message))
            continue
        row = row_of(path, answer, runner.card)
        found.rows.append(row)
        if unsure:
            found.unsure.append(row_of(path, answer, confidence.down_to_floor(runner.card)))
        if path in copies:
            write.write_photo(copies[path], picture(read.read_photo(path), row, runner.card))
            found.pictures.append(copies[path])
    return found


def picture(photo: NDArray[np.uint8], row: PlaceRow, card: Card) -> NDArray[np.uint8]:
    """Return a photo uint8 (H, W, 3) with what was found in it, and the shares of its pixels under it."""
    shown = marked(photo, row, card)
    if row.shares is None:
        return shown
    return draw.caption(shown, [draw.Line(name, share) for name, share in list(row.shares.items())[:3]])


def marked(photo: NDArray[np.uint8], row: PlaceRow, card: Card) -> NDArray[np.uint8]:
    """Return a photo uint8 (H, W, 3), in its own size, with what was found in it."""
    if row.regions:
        classes = np.full(row.size_px[::-1], -1, dtype=np.int16)
        for name, text in row.regions.items():
            classes[_mask(text, row)] = card.classes.index(name)
        photo = overlay.with_classes(photo, classes)
    return overlay.with_objects(photo, [_marked(found, row) for found in row.objects])


def _marked(found: Found, row: PlaceRow) -> overlay.Marked:
    x, y, width, height = found.box
    mask = None if found.mask is None else _mask(found.mask, row)
    return overlay.Marked((x, y, x + width, y + height), f"{found.label} {found.confidence:.0%}", found.class_id, mask)


def _mask(text: str, row: PlaceRow) -> NDArray[np.bool_]:
    return rle.decode(rle.from_text(text), row.size_px[1], row.size_px[0])


def csv_text(rows: Sequence[PlaceRow], card: Card) -> str:
    """Return one line an object, or a line a photo and class of pixels."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if card.place_decode.layout == "pixels":
        writer.writerow(["path", "class", "share"])
        writer.writerows((row.path, name, f"{share:.6f}") for row in rows for name, share in (row.shares or {}).items())
        return text.getvalue()
    writer.writerow(_COLUMNS)
    for row in rows:
        writer.writerows((row.path, each.label, f"{each.confidence:.6f}", *each.box) for each in row.objects)
    return text.getvalue()
