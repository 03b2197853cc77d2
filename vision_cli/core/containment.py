"""Relative paths that stay below a root; links lead out of it only where the user said so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Literal

from vision_cli.core.errors import DataError

Links = Literal["stay", "follow"]
"""Where links of a source may lead: `stay` below its root, `follow` anywhere. Only a user says `follow`, never data."""

_LINKS: ContextVar[Links] = ContextVar("links", default="stay")


@contextmanager
def links(permission: Links) -> Iterator[None]:
    """Give what is read within a permission; a reader asks for it by making a `Containment`."""
    token = _LINKS.set(permission)
    try:
        yield
    finally:
        _LINKS.reset(token)


class Containment:
    """Keeps relative paths below a root, following links; each folder is resolved once.

    Args:
        root: the folder that nothing may lead out of.
        permission: of links that lead out; that of the place where it is made when None.
    """

    def __init__(self, root: Path, permission: Links | None = None) -> None:
        self.root = root
        self.follows = (permission or _LINKS.get()) == "follow"
        self._base = os.path.realpath(root)
        self._folders: dict[str, str] = {}

    def holds(self, relative: str) -> bool:
        """Return whether a path stays below the root; absolute paths and those with a NUL never do.

        With the permission to follow links, a path stays where it has no `..`: after a link, that is somewhere else.
        """
        if os.path.isabs(relative) or "\0" in relative:  # noqa: PTH117 - a tenth of pathlib's time
            return False
        if self.follows:
            return ".." not in relative.split("/")
        parent, name = os.path.split(relative)
        if name in ("", ".", ".."):
            return self._inside(os.path.realpath(self._join(relative)))
        folder = self._folders.get(parent)
        if folder is None:
            folder = self._folders[parent] = os.path.realpath(self._join(parent))
        place = f"{folder}{os.sep}{name}"
        return self._inside(os.path.realpath(place) if os.path.islink(place) else place)  # noqa: PTH114

    def enters(self, relative: str) -> bool:
        """Return whether the folder behind a link is listed as one of the root's.

        Only with the permission, and never behind another link or around the link itself: so every walk ends.
        """
        if not self.follows:
            return False
        lexical = os.path.normpath(self._join(os.path.dirname(relative)))  # noqa: PTH120
        folder, target = os.path.realpath(lexical), os.path.realpath(self._join(relative))
        return folder == lexical and os.path.isdir(target) and not _below(folder, target)  # noqa: PTH112

    def path(self, relative: str) -> Path:
        """Return the path below the root.

        Raises:
            DataError: the path is absolute, climbs out with `..`, or a link leads out of the root.
        """
        if not self.holds(relative):
            raise DataError(
                f"{relative}: leads out of {self.root}.", hint=f"Photo paths stay below their source's folder. {HINT}"
            )
        return self.root / relative

    def _join(self, relative: str) -> str:
        return f"{self._base}{os.sep}{relative}"

    def _inside(self, place: str) -> bool:
        return _below(place, self._base)


HINT = "If it is a link that you made: `links: follow` of the source in vision.yaml, or --follow-links."


def _below(place: str, folder: str) -> bool:
    return place == folder or place.startswith(folder.rstrip(os.sep) + os.sep)


def contained(root: Path, relative: str) -> Path:
    """Return a path below a root, following links.

    Raises:
        DataError: the path is absolute, climbs out with `..`, or a link leads out of the root.
    """
    return Containment(root).path(relative)
