"""`vision predict` with a detector or segmenter: photo by photo, so that memory does not grow with their masks."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from vision_cli.core import rle
from vision_cli.core.artefact import Card
from vision_cli.core.contracts import Runner
from vision_cli.core.errors import DataError
from vision_cli.core.progress import Progress
from vision_cli.imaging import legend, overlay, palette, read, write
from vision_cli.imaging.palette import Colour, colour_of
from vision_cli.stages.running import confidence, place_inference
from vision_cli.stages.running.place_rows import Found, PlaceRow, row_of

_COLUMNS = ("path", "class", "confidence", "x", "y", "width", "height")
_OWN: Mapping[int, Colour] = MappingProxyType({})
"""Every class in its own colour."""


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


@dataclass(frozen=True, slots=True)
class Look:
    """How what was found is drawn.

    Attributes:
        colours: of classes, by their ids; those that are not in it have their own.
        named: write the names of classes of pixels into their regions.
        shown_px: side that the picture is shrunk to; None where it is not.
    """

    colours: Mapping[int, Colour] = field(default_factory=lambda: _OWN)
    named: bool = False
    shown_px: int | None = None


_PLAIN = Look()


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
    """Return a photo uint8 (H, W, 3) with what was found in it, and what its colours mean under it."""
    colours = palette.apart(card.classes.index(name) for name in row.shares or ())
    return with_legend(marked(photo, row, card, Look(colours, named=True)), row, card, colours)


def with_legend(
    drawn: NDArray[np.uint8],
    row: PlaceRow,
    card: Card,
    colours: Mapping[int, Colour] = _OWN,
    *,
    slots: int | None = None,
) -> NDArray[np.uint8]:
    """Return a marked photo with the classes of its pixels under it, the largest first; unchanged where there are none.

    Args:
        drawn: of `marked`.
        row: of the photo.
        card: of the model.
        colours: as they were given to `marked`.
        slots: the number of classes that there is room for; those of the photo when None.
    """
    if row.shares is None:
        return drawn
    ids = {name: card.classes.index(name) for name in row.shares}
    keys = [legend.Key(each, colours.get(ids[each], colour_of(ids[each])), row.shares[each]) for each in ids]
    return legend.under(drawn, keys, slots=slots)


def marked(photo: NDArray[np.uint8], row: PlaceRow, card: Card, look: Look = _PLAIN) -> NDArray[np.uint8]:
    """Return a photo uint8 (H, W, 3), in its own size, with what was found in it."""
    if row.regions:
        classes = np.full(row.size_px[::-1], -1, dtype=np.int16)
        for name, text in row.regions.items():
            classes[_mask(text, row)] = card.classes.index(name)
        names = card.classes.names if look.named else ()
        photo = overlay.with_classes(photo, classes, colours=look.colours, names=names, shown_px=look.shown_px)
    objects = [_marked(found, row, look.colours) for found in row.objects]
    return overlay.with_objects(photo, objects, shown_px=look.shown_px)


def _marked(found: Found, row: PlaceRow, colours: Mapping[int, Colour]) -> overlay.Marked:
    x, y, width, height = found.box
    mask = None if found.mask is None else _mask(found.mask, row)
    colour = colours.get(found.class_id, found.class_id)
    return overlay.Marked((x, y, x + width, y + height), f"{found.label} {found.confidence:.0%}", colour, mask)


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
