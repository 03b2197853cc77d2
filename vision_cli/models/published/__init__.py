"""Weights that others have published: what they answer, how well by their authors' own account, under which licence.

The table (`weights.csv`, made by `bench/weights_table.py`, which says where each figure comes from) is read when first
asked for, in milliseconds; no network library is imported.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from vision_cli.core.catalogue import hint_for
from vision_cli.core.errors import UsageError
from vision_cli.core.weights import Source
from vision_cli.models.known import DATASETS, Known

TABLE = Path(__file__).with_name("weights.csv")
N_CLASSES = {"imagenet-1k": 1000, "coco": 80, "voc": 20}
"""Of the sets whose classes these weights answer, without a background."""
METRICS = {
    "top1": "top-1 accuracy on ImageNet-1k's validation photos",
    "box_ap": "AP of boxes at IoU 0.5 to 0.95 on COCO val2017",
    "mask_ap": "AP of masks at IoU 0.5 to 0.95 on COCO val2017",
    "miou": "mean IoU on COCO val2017, classes of Pascal VOC",
}
PERMISSIVE = frozenset({"Apache-2.0", "MIT", "BSD-3-Clause", "BSD-2-Clause", "CC-BY-4.0", "CC0-1.0", "ISC"})
"""SPDX identifiers of licences that ask for no more than their mention."""
_HUGGING_FACE = "https://huggingface.co"


@dataclass(frozen=True, slots=True)
class Published:
    """One file of published weights.

    Attributes:
        name: `family/backbone`, unique.
        family: as `model.family` takes it.
        backbone: as `model.backbone` takes it.
        weights: as `model.weights` takes it.
        task: that they answer as they are.
        dataset: key of `known.DATASETS`: whose classes they answer.
        n_classes: of these.
        metric: key of `METRICS`.
        accuracy: in per cent, as the authors report it.
        accuracy_from: URL.
        params: count.
        macs: multiply-adds of one photo.
        size_px: side of the photos that accuracy and multiply-adds are for; the shorter side where 800.
        size_bytes: of the file.
        size_from: `published`, or `counted` from the tensors.
        licence: SPDX identifier of the weights.
        url: of the file.
        file_name: in the cache.
        sha256_prefix: when published; else empty, and the server states it with the file.
        exports: what `vision export` writes of the family.
    """

    name: str
    family: str
    backbone: str
    weights: str
    task: str
    dataset: str
    n_classes: int
    metric: str
    accuracy: float
    accuracy_from: str
    params: int
    macs: int
    size_px: int
    size_bytes: int
    size_from: str
    licence: str
    url: str
    file_name: str
    sha256_prefix: str
    exports: tuple[str, ...]

    @property
    def permissive(self) -> bool:
        """Whether their licence is one of those that ask for no more than their mention."""
        return self.licence in PERMISSIVE

    @property
    def source(self) -> Source:
        """Where the file comes from; HF_ENDPOINT names a mirror of Hugging Face."""
        mirror = os.environ.get("HF_ENDPOINT", "").rstrip("/")
        url = self.url.replace(_HUGGING_FACE, mirror, 1) if mirror else self.url
        return Source(url, self.file_name, self.sha256_prefix, self.licence)


@cache
def _table() -> tuple[Published, ...]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(_row(row) for row in csv.DictReader(file))


def _row(row: dict[str, str]) -> Published:
    numbers = {key: int(row[key]) for key in ("n_classes", "params", "macs", "size_px", "size_bytes")}
    exports = tuple(filter(None, row["exports"].split("|")))
    values: dict[str, Any] = {**row, **numbers, "accuracy": float(row["accuracy"]), "exports": exports}
    return Published(**values)


def rows(task: str | None = None) -> tuple[Published, ...]:
    """Return the weights that answer a task as they are, or all, in the order of the table."""
    return tuple(row for row in _table() if task is None or row.task == task)


def find(name: str) -> Published:
    """Return the weights of a name: `family/backbone`, or the backbone alone where one family has it.

    A timm network without the tag of its weights is meant with its default ones, where they are in the table.

    Raises:
        UsageError: there are none, or several; the hint names them.
    """
    exact = [row for row in _table() if name in (row.name, row.backbone)]
    near = exact or [row for row in _table() if name in (_untagged(row.name), _untagged(row.backbone))]
    if len(near) == 1:
        return near[0]
    if near:
        which = ", ".join(row.name for row in near)
        raise UsageError(f"'{name}' is the name of several weights.", hint=f"Name one: {which}.")
    known_names = [row.name for row in _table()]
    backbones = {row.backbone: row.name for row in _table()}
    guess = hint_for(name, known_names if "/" in name else [*backbones], listing="vision models list --weights")
    raise UsageError(f"there are no published weights '{name}' in the table.", hint=guess)


def knowing(found: Sequence[Known]) -> tuple[Published, ...]:
    """Return the weights that answer at least one of the classes, in the order of the table."""
    datasets = {each.dataset for each in found}
    return tuple(row for row in _table() if row.dataset in datasets)


def dataset_title(row: Published) -> str:
    """Return the name of the set whose classes weights answer, as its makers write it."""
    return DATASETS[row.dataset].title


def _untagged(name: str) -> str:
    return name.partition(".")[0]
