"""The pictures of a training that a report shows: few of those that its run kept."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

BATCH, BEST, EPOCHS = "train-batch-1.jpg", "val-best.jpg", "val-epoch-*.jpg"
FOLDER = "pictures"


def of_training(run: Path) -> list[tuple[str, bytes]]:
    """Return titles and JPEGs: the first batch, and validation photos after the first epoch and at the best one.

    A training that is not finished has no best one yet; its last stands in.
    """
    folder = run / FOLDER
    epochs = sorted(folder.glob(EPOCHS))
    found = [("The first training batch, as the network saw it", folder / BATCH)]
    found += [("Validation photos after the first epoch", path) for path in epochs[:1]]
    if (folder / BEST).is_file():
        found.append(("Validation photos, answered by the weights that were kept", folder / BEST))
    elif len(epochs) > 1:
        found.append(("Validation photos, answered by the last weights that were drawn", epochs[-1]))
    pictures = []
    for title, path in found:
        with suppress(OSError):
            pictures.append((title, path.read_bytes()))
    return pictures
