"""What a line of the table of families says: tasks, and how good its weights are by their authors' own account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vision_cli.core.catalogue import Card
from vision_cli.core.tasks import PHOTO_TASKS, Task

_TORCHVISION = "https://docs.pytorch.org/vision/stable/models.html"


@dataclass(frozen=True, slots=True)
class Reported:
    """How good published weights are, as their authors say.

    Attributes:
        backbone: as `model.backbone` takes it.
        weights: `coco` or `imagenet`.
        metric: what was measured, on what.
        value: in per cent.
        licence: SPDX identifier of the weights.
        source: URL.
    """

    backbone: str
    weights: str
    metric: str
    value: float
    licence: str
    source: str


@dataclass(frozen=True, slots=True)
class FamilyCard(Card):
    """One family.

    Attributes:
        tasks: that it answers.
        reported: of its published weights.
        own_process: import names that the interpreter of its own process must find; ours need not.
    """

    tasks: tuple[Task, ...] = ("classify", "multilabel", "regress")
    reported: tuple[Reported, ...] = ()
    own_process: tuple[str, ...] = ()


def tasks_of(card: Card) -> tuple[str, ...]:
    """Return a card's tasks; the card of another package that says none answers about whole photos."""
    return card.tasks if isinstance(card, FamilyCard) else PHOTO_TASKS


def mask_ap(**by_backbone: float) -> tuple[Reported, ...]:
    """Return torchvision's COCO weights with the AP of their masks at IoU 0.5 to 0.95, as torchvision reports it."""
    return _of_torchvision("mask AP on COCO val2017", by_backbone)


def mean_iou(**by_backbone: float) -> tuple[Reported, ...]:
    """Return torchvision's COCO weights for the 20 classes of Pascal VOC with their mean IoU, as it reports it."""
    return _of_torchvision("mean IoU on COCO val2017, classes of Pascal VOC", by_backbone)


def own_process_of(card: Card) -> tuple[str, ...]:
    """Return the import names that a card's own process needs; none for the card of another package."""
    return card.own_process if isinstance(card, FamilyCard) else ()


def box_ap(**by_backbone: float) -> tuple[Reported, ...]:
    """Return torchvision's COCO weights with their AP at IoU 0.5 to 0.95, as torchvision reports it."""
    return _of_torchvision("box AP on COCO val2017", by_backbone)


def _of_torchvision(metric: str, by_backbone: Mapping[str, float]) -> tuple[Reported, ...]:
    return tuple(
        Reported(name, "coco", metric, value, "BSD-3-Clause", _TORCHVISION) for name, value in by_backbone.items()
    )
