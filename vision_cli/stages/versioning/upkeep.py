"""`vision data verify` and `vision data gc`: is everything still there, and is there more than is needed?"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vision_cli.core.errors import DataError, VisionError
from vision_cli.core.files import disk_errors
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.stages.versioning import version_files, versions
from vision_cli.versions.store import Store

_LEFTOVER = re.compile(r"\..+\.[0-9a-f]{8}\.(part|old)")


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """What was found.

    Attributes:
        versions: that were checked.
        contents: photos and other files that were read.
        problems: one line each, naming the file.
    """

    versions: int
    contents: int
    problems: Sequence[str]

    @property
    def ok(self) -> bool:
        """Return whether everything is as it was committed."""
        return not self.problems


def verify(project: Project, name: str | None, progress: Progress) -> VerifyResult:
    """Read a version, or all of them, and compare every byte with its hash.

    Raises:
        UsageError: no such version.
        DataError: the log is damaged.
    """
    store = Store.of(project.root)
    entries = store.log() if name is None else (versions.find(store, name),)
    ids = list(dict.fromkeys(entry.id for entry in entries))
    wanted: dict[str, str] = {}
    problems: list[str] = []
    for version in ids:
        try:
            stored = version_files.load(store, version)
        except DataError as error:
            problems.append(error.message)
            continue
        for place, sha256 in stored.places(store.commit(version)).items():
            wanted.setdefault(sha256, f"{place} in {version[:12]}")
    problems += store.objects.problems(wanted, progress)
    return VerifyResult(len(ids), len(wanted), problems)


@dataclass(frozen=True, slots=True)
class GcResult:
    """What no version needs.

    Attributes:
        contents: files of the store.
        bytes: of these.
        versions: folders that the log does not know.
        trees: folders of photos under their own names, that no source in vision.yaml names.
        leftovers: of processes that were killed.
        removed: they are gone; a dry run only tells.
        problems: versions that cannot be read: as what they need is not known, no content is removed.
    """

    contents: int
    bytes: int
    versions: int
    trees: int
    leftovers: int
    removed: bool
    problems: Sequence[str] = ()


def gc(project: Project, *, trees: bool = False, dry_run: bool = False) -> GcResult:
    """Remove what no version in the log needs.

    Args:
        project: whose store.
        trees: also the trees of versions that no source names; they are made again when needed.
        dry_run: only tell.

    Raises:
        DataError: the log cannot be read, or its last line is torn: what that version needs is not known.
        ResourceError: somebody is committing, or the disk refuses.
    """
    store = Store.of(project.root)
    if not store.folder.is_dir():
        return GcResult(0, 0, 0, 0, 0, not dry_run)
    with store.writing():
        known = {entry.id for entry in store.log()}
        if store.torn is not None:
            raise DataError(
                f"{store.torn}: its last line is torn, so what its version needs is not known.",
                hint="Commit that data again, or any other if it is not wanted; nothing was removed.",
            )
        used, problems = _used(store, sorted(known))
        there = store.objects.names()
        contents = [] if problems else [name for name in there if name not in used]
        old = [store.commit(version) for version in store.stored() if version not in known]
        unpinned = _unpinned(project, store) if trees else []
        left = _leftovers(store)
        counts = len(contents), sum(there[name] for name in contents), len(old), len(unpinned), len(left)
        result = GcResult(*counts, not dry_run, problems)
        if not dry_run:
            store.objects.remove(contents)
            with disk_errors(store.folder):
                for folder in (*old, *unpinned, *left):
                    shutil.rmtree(folder) if folder.is_dir() else folder.unlink()
    return result


def _used(store: Store, known: Sequence[str]) -> tuple[set[str], list[str]]:
    """Return the contents that versions need, and what is wrong with those that do not say it."""
    used: set[str] = set()
    problems: list[str] = []
    for version in known:
        try:
            used |= set(version_files.load(store, version, check=False).files["sha256"].to_pylist())
        except DataError as error:
            problems.append(f"{error.message} {error.hint or ''}".strip())
    return used, problems


def _unpinned(project: Project, store: Store) -> list[Path]:
    pinned = set()
    for source in project.config.data.sources.values():
        if source.version is not None:
            try:
                pinned.add(versions.find(store, source.version).id)
            except VisionError:
                continue
    folder = store.folder / "trees"
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [each for each in found if each.name not in pinned and not _LEFTOVER.fullmatch(each.name)]


def _leftovers(store: Store) -> list[Path]:
    places = [store.folder, *(store.folder / name for name in ("commits", "trees"))]
    found = [each for place in places if place.is_dir() for each in place.iterdir() if _LEFTOVER.fullmatch(each.name)]
    return sorted([*found, *store.objects.folder.glob(".incoming-*")])
