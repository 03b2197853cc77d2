"""Objects that no cut-out can stand for: what is a part or a state of what it is on."""

from __future__ import annotations

import re
from collections.abc import Sequence

_PARTS = frozenset(
    word
    for line in (
        "abrasion abnormality anomaly blemish blister break broken bruise bubble burn burr carcinoma cavity chip",
        "chipped contamination corrosion crack cracked crease damage damaged decay deformation defect defective",
        "delamination dent discoloration discolouration disease dirt erosion fault flaw fold fracture fungus hole",
        "infection inflammation leak lesion melanoma mildew misprint mold mould necrosis nodule opacity",
        "pitting pneumonia polyp porosity pothole rot rust rusty scab scar scratch scratched scuff spall spot",
        "stain tear torn tumor tumour ulcer wear wilt wound wrinkle",
    )
    for word in line.split()
)
_WORD = re.compile(r"[^\W\d_]+")
_SHOWN = 5
_FEW = 0.1


def note(classes: Sequence[str]) -> tuple[str, ...]:
    """Return why objects of these names may not be pasted, and what to do instead; nothing where none sounds so."""
    found = [name for name in classes if any(_singular(word) in _PARTS for word in _WORD.findall(name.casefold()))]
    if len(found) <= _FEW * len(classes):  # of 483 brands, two are called chips and dent
        return ()
    named = ", ".join(f"'{name}'" for name in found[:_SHOWN]) + (" ..." if len(found) > _SHOWN else "")
    return (
        f"Wrong tool? {named}: by the name this is a part or a state of what it is on. What it looks like, and where "
        "it is, follow from that, and one that is pasted has an edge that no real one has: the model learns the paste. "
        "Label real ones instead, a few dozen to begin with (`vision data label`), beside photos without any; "
        "`vision task suggest` tells what fits. If it is a thing of its own, like a sticker, never mind.",
    )


def _singular(word: str) -> str:
    for ending, other in (("ies", "y"), ("es", ""), ("s", "")):
        single = word.removesuffix(ending) + other
        if word.endswith(ending) and single in _PARTS:
            return single
    return word
