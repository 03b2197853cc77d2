"""Near duplicates among 100,000 embeddings: time and memory."""

from __future__ import annotations

import resource
import time

import numpy as np

from vision_cli.checks import neighbours

PHOTOS, SIZE, COPIES = 100_000, 1280, 100
_MB = 1e6
_BLOCK = 4096


def made_up(rng: np.random.Generator) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Return embeddings like a network's: positive, of components of unlike variance, in some clusters."""
    spread = (np.arange(1, SIZE + 1) ** -0.5).astype(np.float32)
    centres = rng.standard_normal((12, SIZE), dtype=np.float32)
    rows = np.empty((PHOTOS, SIZE), dtype=np.float32)
    # In blocks: the peak of memory shall be that of the search, not of making things up.
    for start in range(0, PHOTOS, _BLOCK):
        block = rows[start : start + _BLOCK]
        rng.standard_normal(out=block, dtype=np.float32)
        block += 0.7 * centres[rng.integers(0, len(centres), len(block))]
        block *= spread
        block += 0.2
        np.maximum(block, 0, out=block)
    rows[PHOTOS // 2 : PHOTOS // 2 + COPIES] = rows[:COPIES] * 1.01
    return rows


def main() -> None:
    """Print pairs, CPU seconds and memory."""
    rng = np.random.default_rng(0)
    rows = made_up(rng)
    started = time.process_time()
    found = neighbours.near_duplicates(rows, np.arange(PHOTOS), rng)
    seconds = time.process_time() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    pairs = 0 if found is None else len(found.pairs)
    print(f"{PHOTOS:,} embeddings of {SIZE}: {pairs} pairs ({COPIES} planted), {seconds:.0f} CPU s, {memory:.0f} MB")
    print(f"of which the embeddings are {rows.nbytes / _MB:.0f} MB")


if __name__ == "__main__":
    main()
