"""Objects of a run that are cut out of labelled photos."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vision_cli.core import outline
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.progress import Progress
from vision_cli.imaging.read import read_photo
from vision_cli.stages import place_truth
from vision_cli.synth import cutouts
from vision_cli.synth.logos import Logo, LogoBook, shrunk

_JOINED = frozenset({"masks"})
"""Formats in which one outline holds all objects of a class in a photo."""

_FLAGS = {"iscrowd": "crowds", "difficult": "difficult", "truncated": "leave their photo", "occluded": "are occluded"}
_SHOWN = 10

_Label = tuple[int, str]
"""A row of `annotations`, and what to call it: its photo, and its place among the labels of that."""


@dataclass(frozen=True, slots=True)
class Cutting:
    """What is cut out.

    Attributes:
        rectify: turn flat rectangles in perspective to face the camera.
        most: of a class.
        least_px: longer side of an object.
        most_px: longer side that is kept.
    """

    rectify: bool
    most: int
    least_px: int
    most_px: int


@dataclass(slots=True)
class Cutter:
    """Cuts objects out of one data set.

    Attributes:
        dataset: its photos and outlines.
        title: what to call it.
        asked: what is cut out.
        progress: of the classes.
    """

    dataset: Dataset
    title: str
    asked: Cutting
    progress: Progress

    def book(self) -> tuple[LogoBook, tuple[str, ...]]:
        """Return the objects, the same ones for the same data, and notes on what was left out.

        Raises:
            DataError: no label has an outline, or nothing of use is left; a photo cannot be read.
        """
        candidates, reasons = self._candidates()
        found: list[Logo] = []
        for number, (name, labels) in enumerate(sorted(candidates.items())):
            found += self._of_class(name, labels, reasons)
            self.progress.step("classes cut out", number + 1, len(candidates))
        if not found:
            told = [f"{count} {reason}" for reason, count in reasons.most_common(_SHOWN)]
            hint = "Give photos that show objects whole, and large enough."
            raise DataError(f"{self.title}: no object can be cut out.", details=told, hint=hint)
        kept = sorted(found, key=lambda logo: (logo.class_name, logo.variant))
        return LogoBook(tuple(kept)), self._notes(kept, reasons, candidates)

    def _candidates(self) -> tuple[Mapping[str, list[_Label]], Counter[str]]:
        """Return the labels that may be cut out, by class, in an order of no meaning; and why others may not."""
        table, dataset = self.dataset.annotations, self.dataset
        if "outline" not in table.column_names or table["outline"].null_count == len(table):
            raise DataError(
                f"{self.title}: no label has an outline.",
                hint="Objects are cut out along polygons or masks. Draw some, or give cut-out pictures.",
            )
        things = place_truth.things(dataset)
        reasons: Counter[str] = Counter()
        paths = dataset.images["path"].to_pylist()
        photos = dataset.rows_of(table["image_id"]).tolist()
        classes = table["class_id"].to_pylist()
        outlined = table["outline"].is_valid().to_pylist()
        flags = {why: self._flag(name) for name, why in _FLAGS.items() if name in table.column_names}
        seen: Counter[int] = Counter()
        found: dict[str, list[tuple[bytes, int, str]]] = {}
        for row, (photo, class_id) in enumerate(zip(photos, classes, strict=True)):
            seen[photo] += 1
            name = None if class_id is None else dataset.classes.names[class_id]
            if name is None or not things[class_id] or name == place_truth.BACKGROUND:
                continue
            why = next((why for why, flag in flags.items() if flag[row]), None if outlined[row] else "have no outline")
            if why is not None:
                reasons[why] += 1
                continue
            key = hashlib.sha256(f"{paths[photo]} {seen[photo]}".encode()).digest()
            found.setdefault(name, []).append((key, row, f"{Path(paths[photo]).stem}-{seen[photo]}"))
        return {name: [label[1:] for label in sorted(labels)] for name, labels in found.items()}, reasons

    def _flag(self, name: str) -> list[bool]:
        return [bool(value) for value in self.dataset.annotations[name].to_pylist()]

    def _of_class(self, name: str, labels: list[_Label], reasons: Counter[str]) -> list[Logo]:
        found: list[Logo] = []
        for label in labels:
            found += self._cut(name, label, reasons)
            if len(found) >= self.asked.most:
                break
        return found[: self.asked.most]

    def _cut(self, name: str, which: _Label, reasons: Counter[str]) -> Iterator[Logo]:
        """Yield what is cut out for one label: its object, or all that it joins."""
        row, variant = which
        label = self.dataset.annotations.slice(row, 1).to_pylist()[0]
        where = int(self.dataset.rows_of(pa.chunked_array([[label["image_id"]]], pa.int64()))[0])
        image = self.dataset.images.slice(where, 1).to_pylist()[0]
        path = self.dataset.fences()[image["source"]].path(image["path"])
        if not path.is_file():
            hint = "Where photos lie apart from their labels, name both as a source (path, images) and give a view."
            raise DataError(f"{self.title}: the photo {image['path']} is not there.", hint=hint)
        try:
            drawn = outline.parse(label["outline"])
            if max(outline.box(drawn)[2:]) < self.asked.least_px:
                reasons[f"are smaller than {self.asked.least_px} pixels"] += 1
                return
            photo = read_photo(path)
            mask = outline.mask(drawn, photo.shape[1], photo.shape[0])
        except DataError as error:
            raise DataError(f"{self.title}: {image['path']}: {error.message}", hint=error.hint) from error
        origin = self.dataset.origins.get(image["source"])
        joined = origin is not None and origin.format in _JOINED
        for number, part in enumerate(cutouts.parts(mask) if joined else [mask]):
            logo = self._one(photo, part, (name, f"{variant}-{number}" if joined else variant), reasons)
            if logo is not None:
                yield logo

    def _one(
        self, photo: NDArray[np.uint8], mask: NDArray[np.bool_], names: tuple[str, str], reasons: Counter[str]
    ) -> Logo | None:
        if mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any():
            reasons["leave their photo"] += 1
            return None
        try:
            logo = cutouts.cut(photo, mask, *names, rectify=self.asked.rectify)
        except DataError:
            reasons["are tiny"] += 1
            return None
        if max(logo.rgba.shape[:2]) < min(self.asked.least_px, self.asked.most_px):
            reasons[f"are smaller than {self.asked.least_px} pixels"] += 1
            return None
        return replace(logo, rgba=shrunk(logo.rgba, self.asked.most_px))

    def _notes(
        self, kept: list[Logo], reasons: Counter[str], candidates: Mapping[str, list[_Label]]
    ) -> tuple[str, ...]:
        counts = Counter(logo.class_name for logo in kept)
        notes = [f"{len(kept)} objects of {len(counts)} classes are cut out of {self.title}."]
        if reasons:
            told = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common(_SHOWN))
            notes.append(f"Not cut out of {self.title}: {told}.")
        missing = sorted(set(candidates) - set(counts))
        if missing:
            more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
            notes.append(f"Classes with nothing to cut out, which are left out: {', '.join(missing[:_SHOWN])}{more}.")
        return tuple(notes)
