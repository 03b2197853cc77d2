"""Where a new data set may be written, and what an earlier, killed run left there."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vision_cli.core.errors import ResourceError, UsageError
from vision_cli.core.files import free_mb, new_folder
from vision_cli.stages.places import check_folder, check_replaced_folder

_MARGIN_MB = 50.0


def check_target(target: Path, source: Path, *, force: bool) -> Path:
    """Return the real path of a folder that may be written.

    Raises:
        UsageError: it is a file, not empty without `force`, inside the source or around it, where we stand, or what
            `places.check_replaced_folder` never replaces.
        ResourceError: nothing can be written there.
    """
    real, real_source = _real(target), _real(source)
    if os.path.lexists(real) and not real.is_dir():
        raise UsageError(f"{target}: is a file.", hint="The target is a folder; give another name.")
    check_apart(real, [real_source])
    if real_source.is_dir() and real.is_relative_to(real_source):
        raise UsageError(f"{target}: lies inside the source {source}.", hint="Choose a target beside the source.")
    if Path.cwd().is_relative_to(real) or Path.home().is_relative_to(real):
        raise UsageError(f"{target}: holds the folder you work in, or your home.", hint="Choose a folder of its own.")
    if not force and real.is_dir() and any(real.iterdir()):
        raise UsageError(f"{target}: is not empty.", hint="Choose another folder, or replace this one with --force.")
    check_replaced_folder(target)
    check_folder(real.parent)
    return real


def check_apart(target: Path, sources: Iterable[Path]) -> None:
    """Refuse a target that holds what is read: replacing it would delete the source.

    Raises:
        UsageError: it does.
    """
    for source in sources:
        if _real(source).is_relative_to(target):
            raise UsageError(f"{target}: holds the source {source}.", hint="Choose a target beside the source.")


def check_space(target: Path, need_bytes: int, hint: str = "Make room, or link the photos: --images hardlink.") -> None:
    """Refuse before the work when the disk has too little room.

    Raises:
        ResourceError: naming what is needed and what is free.
    """
    need_mb, there = need_bytes / 1e6 + _MARGIN_MB, free_mb(target)
    if need_mb > there:
        raise ResourceError(
            f"{target}: {need_mb:.0f} MB are needed and {there:.0f} MB are free.",
            hint=hint,
        )


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """Build a folder that appears by one rename; leftovers of runs that were killed are cleaned before.

    The folder is locked while it grows: a second run sees that it is alive.
    """
    _clean(target)
    with new_folder(target) as staging:
        descriptor = os.open(staging, os.O_RDONLY)
        try:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield staging
        finally:
            os.close(descriptor)


def _clean(target: Path) -> None:
    """Remove what nobody holds any more, and put a folder back that a kill caught between two renames."""
    name = re.compile(re.escape(f".{target.name[:80]}.") + r"[0-9a-f]{8}\.(part|old)")
    if not target.parent.is_dir():
        return
    found = sorted(path for path in target.parent.iterdir() if name.fullmatch(path.name) and path.is_dir())
    for path in found:
        if path.suffix == ".old" and not os.path.lexists(target):
            os.replace(path, target)
        elif is_abandoned(path):
            shutil.rmtree(path, ignore_errors=True)


def is_abandoned(folder: Path) -> bool:
    """Tell whether nobody holds a folder that a run was building."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(descriptor)
        return True
    return False


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
