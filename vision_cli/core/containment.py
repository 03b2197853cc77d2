"""Relative paths that stay below a root, links followed."""

from __future__ import annotations

import os
from pathlib import Path

from vision_cli.core.errors import DataError


class Containment:
    """Keeps relative paths below a root, following links; each folder is resolved once.

    Args:
        root: the folder that nothing may lead out of.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._base = os.path.realpath(root)
        self._folders: dict[str, str] = {}

    def holds(self, relative: str) -> bool:
        """Return whether a path stays below the root; absolute paths and those with a NUL never do."""
        if relative.startswith(os.sep) or Path(relative).is_absolute() or "\0" in relative:
            return False
        parent, name = os.path.split(relative)
        if name in ("", ".", ".."):
            return self._inside(os.path.realpath(self._join(relative)))
        folder = self._folders.get(parent)
        if folder is None:
            folder = self._folders[parent] = os.path.realpath(self._join(parent))
        place = f"{folder}{os.sep}{name}"
        return self._inside(os.path.realpath(place) if os.path.islink(place) else place)  # noqa: PTH114

    def path(self, relative: str) -> Path:
        """Return the path below the root.

        Raises:
            DataError: the path is absolute, climbs out with `..`, or a link leads out of the root.
        """
        if not self.holds(relative):
            raise DataError(
                f"{relative}: leads out of {self.root}.", hint="Photo paths stay below their source's folder."
            )
        return self.root / relative

    def _join(self, relative: str) -> str:
        return f"{self._base}{os.sep}{relative}"

    def _inside(self, place: str) -> bool:
        return place == self._base or place.startswith(self._base.rstrip(os.sep) + os.sep)


def contained(root: Path, relative: str) -> Path:
    """Return a path below a root, following links.

    Raises:
        DataError: the path is absolute, climbs out with `..`, or a link leads out of the root.
    """
    return Containment(root).path(relative)
