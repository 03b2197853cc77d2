"""A look at the user's photos: how many and how large, labelled how, what is wrong, and whether they fit the wish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from vision_cli import checks, formats
from vision_cli.checks import photo_facts
from vision_cli.checks.request import Request
from vision_cli.checks.settings import Settings
from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS
from vision_cli.core.config import SourceConfig
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.progress import Progress
from vision_cli.formats import folder_walk
from vision_cli.scoping.outcomes import OUTCOMES
from vision_cli.stages.project import init, photo_folder
from vision_cli.stages.project.init import InitRequest, Survey

_MOST_LOOKED_AT = 300
_STEP = "looking at photos"
_PHOTOS = (
    "photo-empty",
    "photo-broken",
    "photo-huge",
    "photo-tiny",
    "photo-aspect",
    "photo-blurred",
    "photo-dark",
    "photo-overexposed",
    "photo-single-colour",
    "photo-twice",
)
_LABELS = (
    "box-without-area",
    "box-outside",
    "box-tiny",
    "class-rare",
    "class-imbalance",
    "class-missing-in-split",
)
_KINDS: Mapping[str, str] = {
    "classify": "a class a photo",
    "multilabel": "several classes a photo",
    "regress": "a value a photo",
    "detect": "boxes",
    "instance": "outlines of objects",
    "semantic": "masks of classes",
    "panoptic": "masks of classes and of objects",
}
_SERVES: Mapping[str, frozenset[str]] = {
    "classify": frozenset({"classify"}),
    "multilabel": frozenset({"multilabel"}),
    "regress": frozenset({"regress"}),
    "detect": frozenset({"detect", "count", "multilabel"}),
    "instance": frozenset({"instance", "detect", "count", "multilabel"}),
    "semantic": frozenset({"semantic", "multilabel"}),
    "panoptic": frozenset({"panoptic", "semantic", "instance", "detect", "count", "multilabel"}),
}
"""What labels of a kind can teach."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the photos look like.

    Attributes:
        path: folder or file.
        photos: number.
        sizes_px: median, smallest and largest (width, height).
        labels: kind in words; None where there are none.
        survey: of the labels; None where there are none.
        findings: of quality, one sentence each.
        looked_at: photos that were decoded for them.
        fits: sentences on whether they fit the description.
    """

    path: Path
    photos: int
    sizes_px: tuple[tuple[int, int], ...]
    labels: str | None
    survey: Survey | None
    findings: tuple[str, ...]
    looked_at: int
    fits: tuple[str, ...] = ()

    @property
    def labelled(self) -> int | None:
        """Return the number of labelled photos; None without labels."""
        return self.photos if self.survey is not None else None

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the names of the classes."""
        return () if self.survey is None else tuple(name for name, _ in self.survey.classes)

    @property
    def objects(self) -> float | None:
        """Return objects a photo; None where they are not labelled."""
        found = None if self.survey is None else self.survey.objects
        return found / self.photos if found and self.photos else None

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        found = self.survey
        return {
            "path": self.path,
            "photos": self.photos,
            "sizes_px": dict(zip(("median", "smallest", "largest"), map(list, self.sizes_px), strict=False)),
            "labels": self.labels,
            "format": None if found is None else found.format,
            "task": None if found is None else found.task,
            "classes": {} if found is None else dict(found.classes),
            "objects": None if found is None else found.objects,
            "findings": list(self.findings),
            "looked_at": self.looked_at,
            "fits": list(self.fits),
        }


def look(path: Path, progress: Progress) -> Seen:
    """Look at photos.

    Raises:
        DataError: there is no such place, or no photo in it.
        UsageError: labels of more than one format lie there.
    """
    if not path.exists():
        raise DataError(f"--data {path}: does not exist.", hint="Give a folder of photos, or leave --data out.")
    found = init.survey(InitRequest(Path("vision.yaml"), path), progress) if _has_labels(path) else None
    dataset = _labelled(path, found) if found is not None else _unlabelled(path)
    if not len(dataset):
        raise DataError(f"--data {path}: no photo in it.", hint="Give a folder of photos, or leave --data out.")
    sample = _sample(dataset)
    facts = photo_facts.PhotoFacts(
        list(photo_facts.read_all(sample.paths(), lambda done, total: progress.step(_STEP, done, total)))
    )
    told = [*_told(_LABELS, Request(dataset, Settings())), *_told(_PHOTOS, Request(sample, Settings(), photos=facts))]
    kind = None if found is None else _KINDS[found.task]
    return Seen(path, len(dataset), _sizes(facts), kind, found, tuple(told), len(sample))


def _has_labels(path: Path) -> bool:
    candidates = formats.detect(path)
    return bool(candidates) and not (candidates[0][0] == "imagefolder" and _is_one_folder(path))


def _is_one_folder(path: Path) -> bool:
    """Tell whether photos lie in one folder alone, which is no label."""
    listing = folder_walk.walk(path)
    return len({photo.split("/")[0] for photo in listing.photos if "/" in photo}) < 2


def _labelled(path: Path, found: Survey) -> Dataset:
    images = None if found.images is None else str(found.images)
    dataset, _ = photo_folder.read_with_photos(SourceConfig(path=str(path), format=found.format, images=images), path)
    return dataset


def _unlabelled(path: Path) -> Dataset:
    names = folder_walk.walk(path).photos if path.is_dir() else []
    rows = [
        {"id": row, "source": "data", "path": name, "width": 0, "height": 0, "split": None, "group": None}
        for row, name in enumerate(names)
    ]
    images = pa.Table.from_pylist(rows, schema=IMAGE_COLUMNS)
    return Dataset(images, ANNOTATION_COLUMNS.empty_table(), ClassMap(()), {"data": path.absolute()})


def _sample(dataset: Dataset) -> Dataset:
    picked = np.unique(np.linspace(0, len(dataset) - 1, min(len(dataset), _MOST_LOOKED_AT)).astype(np.int64))
    mask = np.zeros(len(dataset), dtype=np.bool_)
    mask[picked] = True
    return dataset.select(mask)


def _told(names: tuple[str, ...], asked: Request) -> list[str]:
    return [finding.reason for name in names if name in checks.CHECKS for finding in checks.find(name, asked)]


def _sizes(facts: photo_facts.PhotoFacts) -> tuple[tuple[int, int], ...]:
    sides = np.array([(each.width, each.height) for each in facts.records if each.width], dtype=np.int64)
    if not len(sides):
        return ()
    by_area = sides[np.argsort(sides[:, 0] * sides[:, 1], kind="stable")]
    shown = (by_area[len(by_area) // 2], by_area[0], by_area[-1])
    return tuple((int(width), int(height)) for width, height in shown)


def fitting(seen: Seen, task: str, description: str) -> tuple[str, ...]:
    """Return whether photos and labels fit what is wanted, one sentence each."""
    if seen.survey is None:
        return (
            "the photos have no labels that are known here: they can be tried on published weights, and be labelled",
        )
    title = OUTCOMES[task].title
    serves = _SERVES[seen.survey.task]
    if task in serves:
        labels = f"their labels, {seen.labels}, teach {title}"
    elif OUTCOMES[task].trains_as is None:
        labels = f"they have labels ({seen.labels}), which teach {OUTCOMES[seen.survey.task].title}"
    else:
        labels = f"their labels are {seen.labels}: that teaches {OUTCOMES[seen.survey.task].title}, not {title}"
    return (labels, *_named(seen, description))


def _named(seen: Seen, description: str) -> list[str]:
    """Return whether the description speaks of their classes."""
    text = f" {description.casefold()} "
    named = [name for name in seen.classes if name.casefold().rstrip("s") in text]
    if not seen.classes:
        return []
    shown = ", ".join(seen.classes[:8]) + (", …" if len(seen.classes) > 8 else "")
    if named:
        return [f"the description speaks of their classes: {', '.join(named[:8])}"]
    return [f"none of their classes ({shown}) is in the description by that name: are these the right photos?"]
