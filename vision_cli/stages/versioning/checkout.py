"""`vision data checkout`: a version as a folder, in our own format or another one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision_cli.core.errors import UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.formats import FORMATS
from vision_cli.stages.converting.convert import Conversion, ConvertRequest, convert
from vision_cli.stages.target_folder import check_space, check_target, staged
from vision_cli.stages.versioning import version_files, versions
from vision_cli.versions.objects import Place
from vision_cli.versions.store import Entry, Store

OURS = "vision"


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """What to bring back.

    Attributes:
        project: whose versions.
        version: its name.
        target: folder that appears whole or not at all.
        to: format; our own holds everything.
        images: how photos get there.
        force: replace a target that is not empty.
        allowed: names of losses that are accepted, in other formats than ours.
        dry_run: write nothing.
    """

    project: Project
    version: str
    target: Path
    to: str = OURS
    images: Place = "copy"
    force: bool = False
    allowed: frozenset[str] = frozenset()
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class CheckoutResult:
    """What became of it.

    Attributes:
        entry: the version.
        target: folder.
        to: its format.
        images: how photos got there.
        missing: files that were not there when it was committed.
        written: the folder is there.
        conversion: the report, where it was brought into another format.
    """

    entry: Entry
    target: Path
    to: str
    images: Place
    missing: int
    written: bool
    conversion: Conversion | None = None

    @property
    def ok(self) -> bool:
        """Return whether no loss stood against it."""
        return self.conversion is None or self.conversion.ok

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {
            "version": self.entry.id,
            "of": self.entry.of,
            "target": str(self.target),
            "to": self.to,
            "images": self.images,
            "missing": self.missing,
            "written": self.written,
            "conversion": self.conversion,
        }


def checkout(request: CheckoutRequest, progress: Progress) -> CheckoutResult:
    """Bring a version back; every photo and table is compared with its hash.

    Raises:
        UsageError: no such version or format, or a target that cannot be one.
        DataError: the version or a photo is missing or damaged, by name; nothing is written.
        ResourceError: the disk is full or refuses.
    """
    store = Store.of(request.project.root)
    entry = versions.find(store, request.version)
    if not hasattr(FORMATS.load(request.to), "write"):
        raise UsageError(f"the format '{request.to}' is only read.", hint="`vision data convert --help` names others.")
    target = check_target(request.target, store.folder, force=request.force)
    if request.to != OURS:
        return _converted(request, store, entry, progress)
    if request.images == "copy":
        check_space(target, entry.bytes)
    if request.dry_run:
        missing = version_files.load(store, entry.id).missing
        return CheckoutResult(entry, request.target, OURS, request.images, missing, False)
    with staged(target) as folder:
        stored = version_files.write_out(store, entry, folder, request.images, progress)
    return CheckoutResult(entry, request.target, OURS, request.images, stored.missing, True)


def _converted(request: CheckoutRequest, store: Store, entry: Entry, progress: Progress) -> CheckoutResult:
    """Convert the version's tree, which is a folder in our own format."""
    missing = version_files.load(store, entry.id).missing
    asked = ConvertRequest(
        version_files.tree(store, entry, progress),
        request.target,
        request.to,
        source_format=OURS,
        allowed=request.allowed,
        images=request.images,
        force=request.force,
        workers=store.workers,
        dry_run=request.dry_run,
    )
    done = convert(asked, progress)
    return CheckoutResult(entry, request.target, request.to, request.images, missing, done.written, done)
