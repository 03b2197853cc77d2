"""The real photos that trials are judged on: read, held to one side of their split, and kept as they were.

What is searched here is chosen by these photos, so they can not be those that the project is judged on in the end: of
a view or a data set that has a split, the side `val` serves, and no other is opened.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli.core import files
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.stages import named_source, place_truth
from vision_cli.stages.converting.convert import ALL, ConvertRequest, convert
from vision_cli.stages.synth.asking.photo_sources import View, Views, Word, resolved

SIDE = "val"
FORMAT = "vision"
FEW = 30
"""Photos below which scores are too coarse to go by; it is said."""

_LOW, _HIGH = 5, 95
_MOST_NEGATIVE = 0.5
_SHOWN = 5


@dataclass(frozen=True, slots=True, eq=False)
class RealPhotos:
    """What trials are judged on.

    Attributes:
        dataset: the photos, all of the side `val`.
        title: what to call them.
        classes: of the objects that are made.
        objects: labels of these classes, by class.
    """

    dataset: Dataset
    title: str
    classes: tuple[str, ...]
    objects: dict[str, int]

    def digest(self) -> str:
        """Return what tells photos and labels apart from others."""
        photos = hashlib.sha256("".join(files.file_sha256(path) for path in self.dataset.paths()).encode())
        return f"{len(self.dataset)} photos, {self.dataset.digest()[:16]} {photos.hexdigest()[:16]}"

    def notes(self) -> list[str]:
        """Return what to know of them, a sentence each."""
        found = []
        if len(self.dataset) < FEW:
            found.append(f"{len(self.dataset)} real photos are few: settings that differ little look alike on them.")
        absent = [name for name, number in self.objects.items() if not number]
        if absent:
            told = ", ".join(absent[:_SHOWN]) + (" ..." if len(absent) > _SHOWN else "")
            found.append(f"{len(absent)} of {len(self.classes)} classes are on none of the real photos: {told}.")
        return found

    def keep(self, folder: Path, progress: Progress) -> Path:
        """Write a copy of them into `folder / real`, where it is not there yet.

        Raises:
            DataError: photos are missing, or lie outside of their source.
            ResourceError: the disk refuses.
        """
        target = folder / "real"
        if not target.exists():
            root = next(iter(self.dataset.roots.values()))
            request = ConvertRequest(
                root, target, FORMAT, source_format=FORMAT, allowed=frozenset({ALL}), given=lambda: self.dataset
            )
            convert(request, progress)
        return target

    def settings(self, names: Sequence[str]) -> dict[str, Any]:
        """Return those of some settings that the labels themselves tell: sizes and numbers of objects."""
        dataset = place_truth.prepared(self.dataset, "detect", self.classes)
        truth = place_truth.truth(dataset, ClassMap(self.classes), "detect")
        kept = ~truth.ignored
        if not kept.any():
            return {}
        longer = truth.boxes[kept, 2:].max(axis=1)
        shares = longer / truth.sizes[truth.photo[kept]].max(axis=1)
        counts = np.bincount(truth.photo[kept], minlength=len(self.dataset))
        told = {
            "size_share": tuple(round(float(value), 3) for value in np.percentile(shares, (_LOW, _HIGH))),
            "per_photo": (1, max(1, round(float(np.percentile(counts[counts > 0], _HIGH))))),
            "negatives": round(min(_MOST_NEGATIVE, float((counts == 0).mean())), 2),
        }
        return {name: told[name] for name in names if name in told}


def read(project: Project, given: str | None, classes: tuple[str, ...], *, remember: bool) -> RealPhotos:
    """Return the photos that a word of the line, or the project file, means.

    Raises:
        UsageError: no word, or one that means two things.
        DataError: there are no such photos, none on the side `val`, or none with an object of these classes.
    """
    section = project.config.synth.tune
    where = resolved(project, Word("real", given, "synth.tune.real", section.real, "labelled real photos"))
    if isinstance(where, View):
        whole, title = Views(project, SIDE, remember).whole(where.name), f"the view '{where.name}'"
    else:
        request = named_source.DataRequest(os.fspath(where.absolute()), lambda: project)
        whole, title = named_source.find(request).dataset, os.fspath(where)
    dataset = _side(whole, title)
    matrix = dataset.class_matrix()
    names = dataset.classes.names
    objects = {name: int(matrix[:, names.index(name)].sum()) if name in names else 0 for name in classes}
    if not sum(objects.values()):
        raise DataError(
            f"{title}: none of its {len(dataset)} photos of the side '{SIDE}' shows one of the objects.",
            details=[f"its classes: {', '.join(names[:10])}", f"the objects: {', '.join(classes[:10])}"],
            hint="Classes go by their names: rename them in a view with `map`, or rename the objects' files.",
        )
    return RealPhotos(dataset, title, classes, objects)


def _side(whole: Dataset, title: str) -> Dataset:
    """Return the photos that serve, marked as of the side that chooses.

    Raises:
        DataError: there are none.
    """
    splits = whole.splits()
    if not (splits != "").any():
        kept = whole
    else:
        kept = whole.select(splits == SIDE)
        if not len(kept):
            there = ", ".join(sorted(set(splits[splits != ""].tolist())))
            raise DataError(
                f"{title}: comes with a split ({there}) and has no photo on its side '{SIDE}'.",
                hint="Photos of the other sides are for learning and judging. Name a set of photos kept for choosing.",
            )
    if not len(kept):
        raise DataError(f"{title}: has no photo.", hint="Name labelled real photos.")
    return kept.with_splits([SIDE] * len(kept))


def check_apart(real: RealPhotos, folder: Path, backgrounds: Sequence[str]) -> None:
    """Refuse backgrounds that are real photos to judge on, or copies: their objects would be there without a label.

    Raises:
        UsageError: naming some.
    """
    sizes = {os.stat(path).st_size for path in real.dataset.paths()}
    alike = [name for name in backgrounds if os.stat(folder / name).st_size in sizes]
    if not alike:
        return
    judged = {files.file_sha256(path) for path in real.dataset.paths()}
    both = [name for name in alike if files.file_sha256(folder / name) in judged]
    if both:
        raise UsageError(
            f"{real.title}: {len(both)} of the photos to judge on are backgrounds as well.",
            details=both[:_SHOWN],
            hint="Take them out of the backgrounds.",
        )
