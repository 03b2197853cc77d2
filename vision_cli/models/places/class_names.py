"""COCO's classes by the names that people give them."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SYNONYMS = {
    "person": "people human pedestrian passenger",
    "bicycle": "bike pushbike cyclebike",
    "car": "automobile",
    "motorcycle": "motorbike",
    "airplane": "aeroplane plane aircraft",
    "truck": "lorry",
    "boat": "ship",
    "traffic light": "trafficsignal",
    "fire hydrant": "hydrant",
    "cow": "cattle",
    "sports ball": "ball",
    "wine glass": "wineglass",
    "cup": "mug",
    "donut": "doughnut",
    "couch": "sofa",
    "potted plant": "houseplant plant",
    "dining table": "table",
    "tv": "television tvmonitor monitor tvset",
    "laptop": "notebookcomputer laptopcomputer",
    "mouse": "computermouse",
    "remote": "remotecontrol",
    "cell phone": "mobilephone smartphone cellularphone phone mobile",
    "refrigerator": "fridge",
    "hair drier": "hairdryer",
}
_IRREGULAR = {"people": "person", "knives": "knife", "mice": "mouse", "buses": "bus", "benches": "bench"}
_NOT_A_LETTER = re.compile(r"[\s_\-./]+")
_BY_SYNONYM = {word: coco.replace(" ", "") for coco, words in _SYNONYMS.items() for word in words.split()}
_NAMELESS = ("__background__", "na", "")


def matches(wanted: Sequence[str], known: Sequence[str]) -> dict[int, int]:
    """Return the index in `known` of each name of `wanted` that means the same.

    Case, spaces, underscores, hyphens and a plural s do not count, and COCO's classes go by their common other names.
    """
    index: dict[str, int] = {}
    for position, name in enumerate(known):
        index.setdefault(plain(name), position)
    for position, name in enumerate(known):
        index.setdefault(_singular(plain(name)), position)
    for nameless in _NAMELESS:
        index.pop(nameless, None)
    found = {position: _lookup(plain(name), index) for position, name in enumerate(wanted)}
    return {position: other for position, other in found.items() if other is not None}


def plain(name: str) -> str:
    """Return a name in small letters without what separates words; `N/A` becomes `na`."""
    return _NOT_A_LETTER.sub("", name.casefold()) if not name.startswith("__") else name


def _singular(name: str) -> str:
    return _IRREGULAR.get(name, name.removesuffix("s"))


def _lookup(name: str, index: dict[str, int]) -> int | None:
    singular = _singular(name)
    for candidate in (name, _BY_SYNONYM.get(name), singular, _BY_SYNONYM.get(singular)):
        if candidate is not None and candidate in index:
            return index[candidate]
    return next((index[word] for word, coco in _BY_SYNONYM.items() if coco == name and word in index), None)
