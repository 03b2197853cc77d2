"""Which version of the data a run sees, and what changed since another run saw its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vision_cli.core import run
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import VisionError
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.stages.versioning import version_files
from vision_cli.versions import contents, names
from vision_cli.versions.diff import compare
from vision_cli.versions.identity import version_id
from vision_cli.versions.matching import Side
from vision_cli.versions.store import Store


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run sees.

    Attributes:
        digest: of the labels: `Dataset.digest()`.
        version: id of the commit that the data equals to the last byte of its photos; None if it equals none.
        sources: id of the version of each source that names one.
    """

    digest: str
    version: str | None
    sources: dict[str, str] = field(default_factory=dict)

    def manifest(self) -> dict[str, Any]:
        """Return the members of `run.json`."""
        return {"data_digest": self.digest, "data_version": self.version, "data_sources": self.sources}


def seen(project: Project, dataset: Dataset, progress: Progress) -> Seen:
    """Return which version a data set is; photos are only hashed if its labels are those of one.

    A damaged store stops nobody: it is told, and the version is unknown.
    """
    digest = dataset.digest()
    try:
        store = Store.of(project.root)
        log, tags = store.log(), store.tags()
        sources = {
            name: names.find(source.version, log, tags).id
            for name, source in project.config.data.sources.items()
            if source.version is not None and name in dataset.roots
        }
        ids = {entry.id for entry in log if entry.digest == digest}
        version = _identity(store, dataset, progress) if ids else None
        return Seen(digest, version if version in ids else None, sources)
    except VisionError as error:
        progress.warn(f"the version of the data is not known: {error.message}")
        return Seen(digest, None)


def _identity(store: Store, dataset: Dataset, progress: Progress) -> str:
    return version_id(dataset, contents.hashed(dataset, store.index, progress).table)


def of_model(path: Path) -> str | None:
    """Return the version that the run of a model saw, if the model lies in its run's folder and it saw one."""
    version = _manifest_of(path).get("data_version")
    return version if isinstance(version, str) else None


def part_of_model(path: Path) -> int | None:
    """Return how many photos a trial learned from, if the model lies in the folder of one."""
    photos = _manifest_of(path).get("learned_of")
    return photos if isinstance(photos, int) else None


def _manifest_of(model: Path) -> dict[str, Any]:
    folder = model.absolute().parent
    try:
        return run.read_json(folder / run.MANIFEST) if (folder / run.MANIFEST).is_file() else {}
    except VisionError:
        return {}


def since_run(project: Project, record: run.Run, dataset: Dataset, progress: Progress) -> str | None:
    """Return what changed since a run began, counted; None if the store does not have what it saw."""
    manifest = record.manifest
    digest, version = str(manifest.get("data_digest")), manifest.get("data_version")
    return what_changed(project, dataset, progress, digest=digest, version=version)


def what_changed(
    project: Project, dataset: Dataset, progress: Progress, *, digest: str, version: str | None = None
) -> str | None:
    """Return what changed since a version, counted; None if the store does not have it.

    Args:
        project: whose store.
        dataset: as it is now.
        progress: hears of photos that are hashed.
        digest: of the labels then.
        version: id of the version then, if it was known.
    """
    try:
        store = Store.of(project.root)
        entries = [entry for entry in store.log() if entry.id == version or (not version and entry.digest == digest)]
        if not entries:
            return None
        then = entries[-1]
        now = contents.hashed(dataset, store.index, progress).table["sha256"].slice(0, len(dataset))
        diff, _ = compare(version_files.load(store, then.id, check=False).side, Side(dataset, now))
    except VisionError as error:
        progress.warn(f"what changed cannot be told: {error.message}")
        return None
    return f"since version {then.id[: names.SHORT]}: {diff.sentence()}"
