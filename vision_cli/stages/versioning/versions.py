"""`vision data commit`, `log` and `tag`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.compute as pc

from vision_cli.core.catalogue import suggestion
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.core.spill import spilling, trim
from vision_cli.stages import data
from vision_cli.stages.versioning import version_files
from vision_cli.versions import contents, names
from vision_cli.versions.contents import Contents
from vision_cli.versions.identity import version_id
from vision_cli.versions.objects import Incoming, Keep
from vision_cli.versions.store import Entry, Store

VIEW, SOURCE = "view", "source"


@dataclass(frozen=True, slots=True)
class CommitRequest:
    """What to commit.

    Attributes:
        project: names sources and views.
        name: of a view or source, `view:NAME` or `source:NAME` where both have it; the training's view when None.
        message: why.
        keep: how photos get into the store; `hardlink` takes no room and makes the photos read-only.
        dry_run: write nothing.
    """

    project: Project
    name: str | None
    message: str
    keep: Keep = "copy"
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class CommitResult:
    """What became of it.

    Attributes:
        entry: the commit; the earlier one if the data is the same.
        before: the commit before it of the same view or source.
        is_new: it was made, or would be.
        new_files: photos and other files that the store did not have.
        read: files that had to be read to know their hash.
        missing: files that the labels name and that are not there.
        store: folder.
        dry_run: nothing was written.
    """

    entry: Entry
    before: Entry | None
    is_new: bool
    new_files: int
    read: int
    missing: int
    store: Path
    dry_run: bool


def commit(request: CommitRequest, progress: Progress) -> CommitResult:
    """Store the present state of a view or source as a version.

    Raises:
        UsageError: no such view or source, or no message.
        DataError: the data is refused, or a photo changes while it is read.
        ResourceError: the disk is full or refuses, or somebody else is committing for long.
    """
    if not request.message.strip():
        raise UsageError("a commit needs a message.", hint='-m "what changed and why"')
    of = find_target(request.project, request.name)
    with spilling(request.project.root):
        dataset = read_target(request.project, of, remember=not request.dry_run)
        digest = dataset.digest()
        trim()
        planned = _Planned(of, dataset, digest)
        return _told(request, planned, progress) if request.dry_run else _committed(request, planned, progress)


@dataclass(frozen=True, slots=True)
class _Planned:
    """A view or source, as it was read, and the hash of its labels."""

    of: str
    dataset: Dataset
    digest: str


def _committed(request: CommitRequest, planned: _Planned, progress: Progress) -> CommitResult:
    dataset = planned.dataset
    store = Store.of(request.project.root)
    with store.writing():
        store.objects.clean()
        found = contents.hashed(dataset, store.index, progress)
        version = version_id(dataset, found.table)
        before = _last(store.log(), planned.of)
        if before is not None and before.id == version:
            version_files.save(store, dataset, found.table, version)
            added = store.objects.add(incoming(found), request.keep, progress)  # heals what was lost
            return CommitResult(before, before, False, added, found.hashes.read, found.missing, store.folder, False)
        added = store.objects.add(incoming(found), request.keep, progress)
        version_files.save(store, dataset, found.table, version)
        entry = _entry(version, request.message, planned, found)
        store.append(entry)
    return CommitResult(entry, before, True, added, found.hashes.read, found.missing, store.folder, False)


def _told(request: CommitRequest, planned: _Planned, progress: Progress) -> CommitResult:
    store = Store.of(request.project.root)
    found = contents.hashed(planned.dataset, store.index, progress)
    entry = _entry(version_id(planned.dataset, found.table), request.message, planned, found)
    before = _last(store.log(), planned.of)
    there = store.objects.names()
    new = len({each.sha256 for each in incoming(found)} - set(there))
    is_new = before is None or before.id != entry.id
    return CommitResult(entry, before, is_new, new, found.hashes.read, found.missing, store.folder, True)


def find_target(project: Project, name: str | None) -> str:
    """Return what a name stands for: `view:all`, `source:photos`.

    Raises:
        UsageError: nothing has this name, or a view and a source have it.
    """
    views, sources = [*project.config.data.views, data.ALL], list(project.config.data.sources)
    name = name or project.config.train.view
    kind, _, rest = name.partition(":")
    if kind in (VIEW, SOURCE) and rest in (views if kind == VIEW else sources):
        return name
    kinds = [kind for kind, known in ((VIEW, views), (SOURCE, sources)) if name in known]
    if len(kinds) > 1:
        raise UsageError(f"a view and a source are called '{name}'.", hint=f"view:{name} or source:{name}")
    if not kinds:
        data.find_view(project, data.ALL)  # without any source, that is what is wrong
        guess = suggestion(name, [*views, *sources])
        meant = f"Did you mean '{guess}'? " if guess else ""
        hint = f"{meant}Views: {', '.join(dict.fromkeys(views))}. Sources: {', '.join(sources)}."
        raise UsageError(f"no view or source is called '{name}'.", hint=hint)
    return f"{kinds[0]}:{name}"


def read_target(project: Project, of: str, *, remember: bool = False) -> Dataset:
    """Read a view, with its splits as training sees them, or a source as it is.

    Raises:
        UsageError: it is no longer in the project file.
        DataError: its data is refused.
    """
    kind, _, name = of.partition(":")
    if kind == VIEW:
        return data.load_view(project, name, remember=remember).dataset
    if name not in project.config.data.sources:
        raise UsageError(f"no source is called '{name}'.", hint="Check data.sources.")
    return data.load_source(project, name)


def incoming(found: Contents) -> list[Incoming]:
    """Return the files that are there, ready to be kept."""
    columns = zip(found.places, found.hashes.sha256, found.hashes.stamps, strict=True)
    return [Incoming(place, sha, stamp) for place, sha, stamp in columns if sha is not None and stamp is not None]


def _last(log: Sequence[Entry], of: str) -> Entry | None:
    return next((entry for entry in reversed(log) if entry.of == of), None)


def _entry(version: str, message: str, planned: _Planned, found: Contents) -> Entry:
    dataset = planned.dataset
    return Entry(
        version,
        planned.of,
        message.strip(),
        datetime.now(UTC).isoformat(timespec="seconds"),
        len(dataset),
        dataset.annotations.num_rows,
        len(dataset.classes),
        pc.sum(found.table["bytes"]).as_py() or 0,
        planned.digest,
    )


@dataclass(frozen=True, slots=True)
class LogResult:
    """The commits.

    Attributes:
        entries: newest first.
        tags: id by name.
        store: folder.
        missing: ids of those whose folder is gone.
        notes: what else a reader must know.
    """

    entries: Sequence[Entry]
    tags: Mapping[str, str]
    store: Path
    missing: Sequence[str] = ()
    notes: Sequence[str] = ()


def log(project: Project, name: str | None = None) -> LogResult:
    """Return the commits, or those of one view or source.

    Raises:
        DataError: the log is damaged.
    """
    store = Store.of(project.root)
    entries = list(reversed(store.log()))
    if name is not None:
        wanted = {name, f"{VIEW}:{name}", f"{SOURCE}:{name}"}
        known = sorted({entry.of for entry in entries})
        entries = [entry for entry in entries if entry.of in wanted]
        if not entries:
            raise UsageError(f"nothing was committed of '{name}'.", hint=f"Committed: {', '.join(known) or 'nothing'}.")
    there = set(store.stored())
    missing = list(dict.fromkeys(entry.id for entry in entries if entry.id not in there))
    torn = [f"{store.torn}: its last line is torn and left out; commit that data again."] if store.torn else []
    return LogResult(entries, store.tags(), store.folder, missing, torn)


@dataclass(frozen=True, slots=True)
class TagResult:
    """A tag.

    Attributes:
        name: of the tag.
        entry: what it names now.
        before: id of what it named before.
        written: it is there; a dry run only tells.
    """

    name: str
    entry: Entry
    before: str | None
    written: bool


def tag(project: Project, name: str, version: str, *, force: bool = False, dry_run: bool = False) -> TagResult:
    """Give a version a name.

    Raises:
        UsageError: the name is taken or cannot be one, or there is no such version.
    """
    names.check_tag(name)
    store = Store.of(project.root)
    entry = find(store, version)
    if dry_run:
        return TagResult(name, entry, store.tags().get(name), False)
    with store.writing():
        tags = store.tags()
        before = tags.get(name)
        if before not in (None, entry.id) and not force:
            raise UsageError(f"the tag '{name}' is {before[: names.SHORT]} already.", hint="Move it with --force.")
        if before != entry.id:
            store.set_tags({**tags, name: entry.id})
    return TagResult(name, entry, before, True)


def check_tag(project: Project, name: str) -> None:
    """Refuse a tag for a version that is only to be made.

    Raises:
        UsageError: the name cannot be a tag, or names another version already.
    """
    names.check_tag(name)
    if name in Store.of(project.root).tags():
        raise UsageError(f"there is a tag '{name}' already.", hint="Move it with `vision data tag --force`.")


def find(store: Store, name: str) -> Entry:
    """Return the commit that a name means.

    Raises:
        UsageError: none has it, or several have.
    """
    return names.find(name, store.log(), store.tags())
