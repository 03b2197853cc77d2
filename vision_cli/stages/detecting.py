"""Which format a file or folder is of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vision_cli import formats
from vision_cli.core import containment
from vision_cli.core.containment import Links
from vision_cli.core.errors import DataError

_ENTRIES = 12


@dataclass(frozen=True, slots=True)
class Detection:
    """The one format that fits.

    Attributes:
        path: what was looked at.
        format: a line of the table of formats.
        evidence: what speaks for it.
        summary: what the format is.
    """

    path: Path
    format: str
    evidence: str
    summary: str


def detect(path: Path, links: Links = "stay") -> Detection:
    """Find the format of a file or folder.

    Args:
        path: file or folder.
        links: where links in it may lead.

    Raises:
        DataError: the path does not exist, no format fits, or several do.
    """
    with containment.links(links):
        candidates = formats.detect(path)
    if not candidates:
        formats.refuse_links(path)
        formats.refuse_foreign(path)
        formats.refuse_broken(path)
        raise DataError(
            f"{path}: no format fits{_what_is_there(path)}.",
            details=[f"{name}: {card.summary}" for name, card in formats.FORMATS.cards().items()],
            hint="These were looked for. Give the folder or file that the labels start at, or say --from FORMAT.",
        )
    if len(candidates) > 1:
        names = [name for name, _ in candidates]
        raise DataError(
            f"{path}: {len(candidates)} formats fit: {', '.join(names)}.",
            details=[f"{name}: {evidence}" for name, evidence in candidates],
            hint=f"Say which: {' or '.join(f'--from {name}' for name in names)}.",
        )
    name, evidence = candidates[0]
    return Detection(path, name, evidence, formats.FORMATS.card(name).summary)


def _what_is_there(path: Path) -> str:
    """Name the first entries of a folder, for people who gave one level too high or too low."""
    if not path.is_dir():
        return ""
    names = sorted(entry.name for entry in path.iterdir())
    more = f" and {len(names) - _ENTRIES} more" if len(names) > _ENTRIES else ""
    return f"; it holds {', '.join(names[:_ENTRIES])}{more}" if names else "; it is empty"
