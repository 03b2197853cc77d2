"""Dataset formats. Importing this room imports no format: `read` loads the one that is asked for.

A format is a module with

- `CARRIES`: frozenset of what it can hold: `class`, `classes` (several a photo), `value`, `split`, `group`, `metadata`;
- `detect(path) -> str | None`: the evidence that a file or folder is of this format, without reading all of it;
- `read(path, options) -> Dataset`: `options` is a `ReadOptions`; raises DataError with all that is wrong at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vision_cli.core.catalogue import Card, Catalogue
from vision_cli.core.errors import DataError

if TYPE_CHECKING:
    from vision_cli.core.config import SourceConfig
    from vision_cli.core.dataset import Dataset

FORMATS = Catalogue(
    "dataset format",
    {
        "imagefolder": Card("vision_cli.formats.imagefolder", "A folder a class, below folders of splits if any"),
        "csv": Card("vision_cli.formats.csv_labels", "CSV or TSV of path and label, several labels, or a value"),
    },
    group="formats",
)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a reader is told beside the path.

    Attributes:
        source: name of the source.
        images: folder that photo paths are relative to; None leaves it to the format.
    """

    source: str
    images: Path | None = None


def detect(path: Path) -> list[tuple[str, str]]:
    """Return (format, evidence) of every format that a file or folder may be of.

    Raises:
        DataError: the path does not exist or cannot be listed.
    """
    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder.", hint="Check the source's path.")
    try:
        found = [(name, FORMATS.load(name).detect(path)) for name in FORMATS]
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.", hint="Check the path.") from error
    return [(name, evidence) for name, evidence in found if evidence is not None]


def read(source: str, config: SourceConfig, path: Path) -> Dataset:
    """Read a source in its declared format, or in the only one that it can be of.

    Args:
        source: name of the source.
        config: format and options; its `images` is relative to the source's folder unless absolute.
        path: the source's file or folder.

    Raises:
        UsageError: the declared format is unknown.
        DataError: no format fits or several do, or the reader refuses the content.
    """
    if not path.exists():
        raise DataError(
            f"source '{source}': {path}: there is no such file or folder.", hint=f"Check data.sources.{source}.path."
        )
    folder = path if path.is_dir() else path.parent
    images = None if config.images is None else folder / config.images
    dataset: Dataset = FORMATS.load(config.format or _found(source, path)).read(path, ReadOptions(source, images))
    return dataset


def _found(source: str, path: Path) -> str:
    """Return the one format that a path can be of."""
    candidates = detect(path)
    if not candidates:
        raise DataError(
            f"source '{source}': {path}: no format fits.",
            details=[f"{name}: {card.summary}" for name, card in FORMATS.cards().items()],
            hint="These were looked for. A CSV needs a header such as path,label; a folder needs a folder a class.",
        )
    if len(candidates) > 1:
        raise DataError(
            f"source '{source}': {path}: {len(candidates)} formats fit.",
            details=[f"{name}: {evidence}" for name, evidence in candidates],
            hint=f"Say which: set data.sources.{source}.format to {' or '.join(name for name, _ in candidates)}.",
        )
    return candidates[0][0]
