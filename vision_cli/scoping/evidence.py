"""What the classifier is told beside the words: turns of speech, those that are waived, and rules that hold.

It learns what each of them is worth together with the words, so that none of them decides by itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vision_cli.scoping import rules
from vision_cli.scoping.wording import Worded, concepts


def evidence(said: Worded) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return 1 for what is so and 0 for what is not, float32 (2 x concepts + rules,)."""
    names = sorted(concepts())
    held = [
        *(name in said.concepts for name in names),
        *(name in said.denied for name in names),
        *(rule.holds(said) for rule in rules.RULES),
    ]
    return np.array(held, dtype=np.float32)
