"""All that is wrong with a data set, reported at once: counted by kind, the first ten shown."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from vision_cli.core.errors import DataError

_SHOWN = 10
_SHOWN_CHARS = 300
_HINT = "Correct these in the source, or take them out of it; nothing is read until then."


class Problems:
    """Collects findings, then refuses.

    Args:
        where: the file or folder that is read.
    """

    def __init__(self, where: Path) -> None:
        self._where = where
        self._found: list[tuple[int, str]] = []
        self._kinds: Counter[str] = Counter()
        self._hints: dict[str, str] = {}

    def add(self, kind: str, text: str, *, line: int = 0, hint: str | None = None) -> None:
        """Note one finding.

        Args:
            kind: what is counted together.
            text: what is wrong.
            line: 1-based line of the file; 0 where there is none.
            hint: what to do about this kind.
        """
        place = f"{self._where.name}:{line}: " if line else ""
        self._kinds[kind] += 1
        self._found.append((line, f"{place}{text}"[:_SHOWN_CHARS]))
        if hint is not None:
            self._hints.setdefault(kind, hint)

    def refuse(self, what: str) -> None:
        """Raise if anything was found.

        Args:
            what: what is bad, such as `rows of 120`.

        Raises:
            DataError: with the kinds and their numbers, and the first findings by line.
        """
        if not self._found:
            return
        kinds = ", ".join(f"{number} {kind}" for kind, number in self._kinds.most_common())
        shown = [text for _, text in sorted(self._found, key=lambda item: item[0])[:_SHOWN]]
        if len(self._found) > _SHOWN:
            shown.append(f"and {len(self._found) - _SHOWN} more")
        raise DataError(
            f"{self._where}: {len(self._found)} bad {what}: {kinds}.",
            details=shown,
            hint=" ".join(self._hints.values()) or _HINT,
        )
