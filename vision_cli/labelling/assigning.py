"""Which people get which photos."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.errors import UsageError


def assign(photos: int, people: int, overlap: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return int64 (N, overlap): the people of each photo, in order.

    Nobody gets more than one photo more than another, and those with equally many are put together who met least.

    Args:
        photos: N.
        people: to choose from.
        overlap: people a photo.
        rng: decides between equals, and the order of the photos.

    Raises:
        UsageError: fewer people than the overlap wants.
    """
    if not 1 <= overlap <= people:
        raise UsageError(
            f"{overlap} people a photo out of {people}.", hint="The overlap is between 1 and the number of annotators."
        )
    load = np.zeros(people, dtype=np.int64)
    met = np.zeros((people, people), dtype=np.int64)
    found = np.empty((photos, overlap), dtype=np.int64)
    for photo in rng.permutation(photos).tolist():
        chosen: list[int] = []
        for _ in range(overlap):
            keys = [rng.random(people), met[:, chosen].sum(axis=1), load]
            chosen.append(next(who for who in np.lexsort(keys).tolist() if who not in chosen))
        load[chosen] += 1
        met[np.ix_(chosen, chosen)] += 1
        found[photo] = sorted(chosen)
    return found
