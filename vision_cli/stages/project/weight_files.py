"""`vision models pull | verify`: published weights into the cache, and whether what lies there is what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vision_cli.core import download, files
from vision_cli.core.progress import Progress
from vision_cli.core.weights import cache_folder
from vision_cli.models import published
from vision_cli.stages.project.weights_wanted import Wanted

OK, CHANGED, UNKNOWN = "ok", "changed", "unknown"
_NO_WEIGHTS = (".sha256", ".lock", ".part", ".from")


@dataclass(frozen=True, slots=True)
class Pulled:
    """One file that is here now.

    Attributes:
        name: as it was asked for.
        file: path.
        size_bytes: of it.
        sha256: of it.
        licence: SPDX identifier of the weights.
        url: that they come from.
        was_here: nothing had to be fetched.
    """

    name: str
    file: Path
    size_bytes: int
    sha256: str
    licence: str
    url: str
    was_here: bool


@dataclass(frozen=True, slots=True)
class PulledAll:
    """What `vision models pull` brought."""

    files: tuple[Pulled, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """One file of the cache or of a bundle.

    Attributes:
        file: name.
        size_bytes: of it.
        sha256: of it.
        state: `ok`; `changed`: it is not the file that came or was published; `unknown`: nobody said what it should be.
        said_by: who said what it should be: `publisher`, `download`, `bundle`, or nobody.
        weights: of the table that it is, or nothing.
    """

    file: str
    size_bytes: int
    sha256: str
    state: str
    said_by: str
    weights: str


@dataclass(frozen=True, slots=True)
class CheckedAll:
    """What lies at one place.

    Attributes:
        place: the cache, or a bundle.
        files: in the order of their names.
    """

    place: Path
    files: tuple[Checked, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing has changed."""
        return all(each.state != CHANGED for each in self.files)


def pull(found: Sequence[Wanted], *, offline: bool, progress: Progress) -> PulledAll:
    """Fetch weights into the cache.

    Raises:
        MissingPartError: a file is not here and cannot be fetched.
        DataError: a file has another checksum than it should.
        ResourceError: no room.
    """
    return PulledAll(tuple(_pull(each, offline=offline, progress=progress) for each in found))


def _pull(each: Wanted, *, offline: bool, progress: Progress) -> Pulled:
    path = each.here
    if path is None or path == each.source.path:
        path = download.fetch(each.source, offline=offline, progress=progress)
    licence = each.source.licence
    if "-nc" in licence.lower() or "noncommercial" in licence.lower():
        progress.warn(f"the weights '{each.name}' may not be used commercially ({licence})")
    sha256 = download.recorded(path) or files.file_sha256(path)
    return Pulled(each.name, path, path.stat().st_size, sha256, licence, each.source.url, each.here is not None)


def verify_cache(progress: Progress) -> CheckedAll:
    """Compare every file of the cache with what its publisher or its download said of it."""
    folder = cache_folder()
    found = sorted(each for each in folder.iterdir() if _is_weights(each)) if folder.is_dir() else []
    rows = {row.file_name: row for row in published.rows()}
    checked = []
    for done, path in enumerate(found, 1):
        row = rows.get(path.name)
        checked.append(_check(path, row.sha256_prefix if row else "", row.name if row else ""))
        progress.step("verify", done, len(found))
    return CheckedAll(folder, tuple(checked))


def _is_weights(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and path.suffix not in _NO_WEIGHTS


def _check(path: Path, prefix: str, name: str) -> Checked:
    sha256, recorded = files.file_sha256(path), download.recorded(path)
    said_by = "publisher" if prefix else "download" if recorded else ""
    same = sha256.startswith(prefix) and recorded in ("", sha256)
    state = UNKNOWN if not said_by else OK if same else CHANGED
    return Checked(path.name, path.stat().st_size, sha256, state, said_by, name)
