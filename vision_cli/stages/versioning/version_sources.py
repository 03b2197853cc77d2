"""A source of `vision.yaml` that names a version is read from the store, photos included."""

from __future__ import annotations

from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import UsageError
from vision_cli.core.progress import Silent
from vision_cli.core.project import Project
from vision_cli.formats.parquet import renamed
from vision_cli.stages.versioning import version_files
from vision_cli.versions import names
from vision_cli.versions.store import Store


def read(project: Project, source: str, version: str) -> Dataset:
    """Read a version as a source; of several sources in it, each gets this source's name before its own.

    Raises:
        UsageError: there is no such version.
        DataError: it is damaged.
        ResourceError: its photos cannot be laid out in the store.
    """
    store = Store.of(project.root)
    try:
        entry = names.find(version, store.log(), store.tags())
    except UsageError as error:
        key = f"data.sources.{source}.version"
        origin = project.origin(key)
        where = key if origin == "default" else f"{origin}: {key}"
        raise UsageError(f"{where}: {error.message}", hint=error.hint, details=error.details) from error
    dataset = version_files.read_tree(store, entry, Silent())
    alone = len(dataset.roots) == 1
    return renamed(dataset, {name: source if alone else f"{source}/{name}" for name in dataset.roots})
