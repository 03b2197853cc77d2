"""The classes of Cityscapes (cityscapesScripts, `helpers/labels.py`) and how its values are made of them."""

from __future__ import annotations

from collections.abc import Iterable

KINDS = ("gtFine", "gtCoarse")
PHOTO_MARK = "_leftImg8bit"
GROUP = "group"
STEP = 1000
UNLABELLED = 0

LABEL_IDS: dict[str, int] = {
    name: number
    for number, name in enumerate(
        (
            *("unlabeled", "ego vehicle", "rectification border", "out of roi", "static", "dynamic", "ground"),
            *("road", "sidewalk", "parking", "rail track", "building", "wall", "fence", "guard rail", "bridge"),
            *("tunnel", "pole", "polegroup", "traffic light", "traffic sign", "vegetation", "terrain", "sky"),
            *("person", "rider", "car", "truck", "bus", "caravan", "trailer", "train", "motorcycle", "bicycle"),
        )
    )
} | {"license plate": -1}

COUNTED = frozenset(("person", "rider", "car", "truck", "bus", "caravan", "trailer", "train", "motorcycle", "bicycle"))
"""Classes whose objects are told apart."""

_FIRST_FOREIGN = 34
# Instance ids are 16 bits: 1000 times the class plus a number up to 999 must fit.
MAX_FOREIGN = 64 - _FIRST_FOREIGN + 1


def foreign(names: Iterable[str]) -> list[str]:
    """Return the classes that Cityscapes does not know."""
    return [name for name in names if name not in LABEL_IDS]


def label_ids(names: Iterable[str]) -> dict[str, int]:
    """Return the id of each class; those that Cityscapes does not know count from 34 on, and beyond 64 are -1."""
    names = list(names)
    new = {name: _FIRST_FOREIGN + place for place, name in enumerate(foreign(names)[:MAX_FOREIGN])}
    return {name: new.get(name, LABEL_IDS.get(name, -1)) for name in names}


def class_of(label: str) -> tuple[str, bool]:
    """Return the class of a label, and whether it stands for a group of objects."""
    single = label.removesuffix(GROUP)
    if label not in LABEL_IDS and label != single and single in COUNTED:
        return single, True
    return label, False


def label_of(name: str, crowd: bool) -> str:
    """Return the label of a class or of a group of its objects."""
    return f"{name}{GROUP}" if crowd and name in COUNTED else name
