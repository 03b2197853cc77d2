"""The objects of a run: pictures that are cut out already, or labelled photos to cut them from."""

from __future__ import annotations

import hashlib
import math
import os
from dataclasses import dataclass, replace
from pathlib import Path

from vision_cli import formats
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.stages import named_source
from vision_cli.stages.synth.asking import backgrounds
from vision_cli.stages.synth.asking.commands import AnyConfig
from vision_cli.stages.synth.asking.cutting import Cutter, Cutting
from vision_cli.stages.synth.asking.photo_sources import View, Views
from vision_cli.synth import logos
from vision_cli.synth.logos import LogoBook

_CASE = "differ in case only: are they one class?"
_PICTURE = "have the same picture: no detector tells them apart."
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Found:
    """Objects.

    Attributes:
        book: the objects.
        notes: on what was left out.
        showing: real paths of photos that show one of them.
        others: real paths of photos on other sides of the split.
        has_side: they come from photos of one side of a split.
    """

    book: LogoBook
    notes: tuple[str, ...] = ()
    showing: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    has_side: bool = False


@dataclass(frozen=True, slots=True)
class Objects:
    """Reads the objects of a run, wherever they are.

    Attributes:
        project: of the run.
        section: of its command.
        longest_px: longer side of the largest object that is asked for.
        views: of the project.
        progress: of what takes long.
    """

    project: Project
    section: AnyConfig
    longest_px: float
    views: Views
    progress: Progress

    def read(self, where: Path | View) -> Found:
        """Read pictures, or cut objects out of labelled photos.

        Raises:
            DataError: a picture is of no use, or nothing can be cut out.
        """
        declared = self.section.distractor_logos
        distractors = None if declared is None else self.project.path(declared)
        if isinstance(where, View):
            whole, dataset = self.views.whole(where.name), self.views.photos(where.name)
            return self._cut(whole, dataset, f"the view '{where.name}'", distractors)
        if not is_labelled(where):
            book = read_book(where, distractors)
            return Found(book, alike(book))
        request = named_source.DataRequest(os.fspath(where.absolute()), lambda: self.project)
        whole, title = named_source.find(request).dataset, os.fspath(where)
        return self._cut(whole, self.views.of_side(whole, title), title, distractors)

    def _cut(self, whole: Dataset, dataset: Dataset, title: str, distractors: Path | None) -> Found:
        """Cut objects out of those photos of a data set that serve."""
        section, most_px = self.section, min(logos.MOST_SIDE_PX, math.ceil(self.longest_px))
        cutting = Cutting(section.rectify, section.cutouts, section.cutout_px, most_px)
        book, notes = Cutter(dataset, title, cutting, self.progress).book()
        if distractors is not None:
            book = replace(book, distractors=read_book(distractors, None).logos)
        return Found(
            book,
            notes,
            showing=tuple(backgrounds.showing(whole, book.classes)),
            others=tuple(backgrounds.on_other_sides(whole, section.side)),
            has_side=bool((whole.splits() != "").any()),
        )


def is_labelled(path: Path) -> bool:
    """Tell whether a path is a data set with labels of places, and no folder of pictures that are cut out already."""
    if path.is_file():
        return True
    placed = {"box", "mask", "polygon", "polygons"}
    return any(placed & formats.FORMATS.load(name).CARRIES for name, _ in formats.detect(path))


def read_book(folder: Path, distractors: Path | None) -> LogoBook:
    """Read the objects; a picture that is of no use ends the run, because its class would be missing.

    Raises:
        DataError: naming each with its reason.
    """
    book = logos.load(folder, distractors=distractors)
    if book.refused:
        raise DataError(
            f"{folder}: {len(book.refused)} of {len(book.refused) + len(book.logos)} pictures cannot be used.",
            details=[f"{name}: {reason}" for name, reason in book.refused[:_SHOWN]],
            hint="Mend them, or take them out of the folder.",
        )
    return book


def alike(book: LogoBook) -> tuple[str, ...]:
    """Return what is to be said of classes that nothing, or next to nothing, tells apart."""
    spelt: dict[str, str] = {}
    pictures: dict[bytes, str] = {}
    same: dict[str, dict[str, None]] = {_CASE: {}, _PICTURE: {}}
    for logo in book.logos:
        digest = hashlib.sha256(repr(logo.rgba.shape).encode() + logo.rgba.tobytes()).digest()
        first = spelt.setdefault(logo.class_name.casefold(), logo.class_name)
        drawn = pictures.setdefault(digest, logo.class_name)
        for other, why in ((first, _CASE), (drawn, _PICTURE)):
            if other != logo.class_name:
                same[why][f"'{other}' and '{logo.class_name}'"] = None
    return tuple(f"{', '.join([*pairs][:_SHOWN])} {why}" for why, pairs in same.items() if pairs)
