"""What every reader needs to know of photo files: their suffixes, their sizes, the names of splits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vision_cli.core.dataset import Split
from vision_cli.core.errors import DataError

PHOTO_SUFFIXES = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".dib"),
        *(".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm", ".pnm", ".avif"),
    )
)
"""Lower case. A suffix only says what to look at; the content decides what it is."""

SPLIT_NAMES: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}

# Headers wait for the disk, not for the processor; more threads than cores hide a slow disk.
_THREADS = 8
_BATCH = 64

Size = tuple[int, int]


def split_of(name: str) -> Split | None:
    """Return the split that a name such as `Validation` means, or None."""
    return SPLIT_NAMES.get(name.strip().lower())


def is_photo_name(name: str) -> bool:
    """Return whether a file's suffix is one of a photo."""
    return Path(name).suffix.lower() in PHOTO_SUFFIXES


def sizes(paths: Sequence[Path]) -> list[Size | DataError]:
    """Return (width, height) in pixels after EXIF orientation of each photo, or why it is refused; headers only."""
    from concurrent.futures import ThreadPoolExecutor  # most sets say the sizes of their photos

    batches = [paths[start : start + _BATCH] for start in range(0, len(paths), _BATCH)]
    with ThreadPoolExecutor(_THREADS) as pool:
        return [found for batch in pool.map(_batch, batches) for found in batch]


def _batch(paths: Sequence[Path]) -> list[Size | DataError]:
    return [_size(path) for path in paths]


def _size(path: Path) -> Size | DataError:
    from vision_cli.imaging.header import MAX_PIXELS, read_header  # Pillow: only who reads photos pays for it

    try:
        header = read_header(path)
    except DataError as error:
        return error
    pixels = header.width_px * header.height_px
    if not 0 < pixels <= MAX_PIXELS:
        text = f"{path}: claims {header.width_px} x {header.height_px} pixels; the limit is {MAX_PIXELS:,} in all."
        return DataError(text)
    return header.width_px, header.height_px
