"""`vision models verify`: the cache or bundles, file by file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vision_cli.core.progress import Progress
from vision_cli.stages.project import bundles, weight_files
from vision_cli.stages.project.weight_files import CheckedAll


@dataclass(frozen=True, slots=True)
class Verified:
    """What lies at each place."""

    places: tuple[CheckedAll, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing has changed anywhere."""
        return all(each.is_whole for each in self.places)


def verify(sources: Sequence[Path], *, progress: Progress) -> Verified:
    """Compare bundles with their manifests, or the cache where none is named.

    Raises:
        DataError: a file is no bundle, or not whole.
    """
    if not sources:
        return Verified((weight_files.verify_cache(progress),))
    return Verified(tuple(bundles.verify(source, progress=progress) for source in sources))
