"""A version on disk: the tables in the format `vision`, the hashes of its files, and a seal over both.

commits/<id>/version.json   {"format": "vision version", "layout": 1, "id": ..., "sha256": {file: hash}}
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from vision_cli.core import files
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError, ResourceError
from vision_cli.core.progress import Progress
from vision_cli.core.run import read_json
from vision_cli.formats import WriteOptions, parquet
from vision_cli.formats.parquet.manifest import MANIFEST, read_manifest
from vision_cli.formats.parquet.table import read_table, write_table
from vision_cli.stages.target_folder import staged
from vision_cli.versions.contents import FILES
from vision_cli.versions.identity import table_id, version_id
from vision_cli.versions.matching import Side
from vision_cli.versions.objects import Place
from vision_cli.versions.store import Entry, Store

TABLES = (MANIFEST, "images.parquet", "annotations.parquet")
_FILES, _SEAL = "files.parquet", "version.json"
_FORMAT, _LAYOUT = "vision version", 1
_MARGIN_MB = 1.0
_SEALED = (*TABLES, _FILES)
_HINT = "Bring the folder back from a copy, or commit the same data again: `vision data commit`."


@dataclass(frozen=True, slots=True)
class Stored:
    """A version that was read.

    Attributes:
        id: of the version.
        dataset: its photos' roots lie below the version's folder, where no photos are.
        files: `contents.FILES`.
    """

    id: str
    dataset: Dataset
    files: pa.Table

    @property
    def side(self) -> Side:
        """Return the version ready to be compared."""
        return Side(self.dataset, self.files["sha256"].slice(0, len(self.dataset)))

    @property
    def missing(self) -> int:
        """Return the number of files that were not there when it was committed."""
        return int(self.files["sha256"].null_count)

    def places(self, folder: Path) -> dict[str, str]:
        """Return the hash of each file by its place in a checkout, relative to it.

        Args:
            folder: that the version was read from.
        """
        roots = {name: root.relative_to(folder).as_posix() for name, root in self.dataset.roots.items()}
        columns = [self.files[name].to_pylist() for name in ("source", "path", "sha256")]
        return {f"{roots[source]}/{path}": sha for source, path, sha in zip(*columns, strict=True) if sha is not None}


def save(store: Store, dataset: Dataset, table: pa.Table, version: str) -> None:
    """Write a version's folder, unless it is there and whole; the log does not know it yet.

    Args:
        store: that gets it.
        dataset: what it says.
        table: `contents.FILES`.
        version: its id.

    Raises:
        DataError: what was written does not come back the same: a metadata column that Parquet changes.
        ResourceError: the disk is full or refuses.
    """
    dataset = replace(dataset, notes=())
    folder = store.commit(version)
    if _is_whole(store, version):
        return
    _check_space(store.folder, dataset)
    with staged(folder) as new:
        parquet.write(dataset, new, WriteOptions())
        write_table(new / _FILES, table)
        seals = {name: files.file_sha256(new / name) for name in _SEALED}
        files.write_json(new / _SEAL, {"format": _FORMAT, "layout": _LAYOUT, "id": version, "sha256": seals})
        back = read_table(new / TABLES[1], [name for name in dataset.images.schema.names if name != "record"])
        _check_metadata(dataset.images, back)


def _check_space(folder: Path, dataset: Dataset) -> None:
    """Refuse before the work when the disk has no room for the tables, which Parquet keeps in half of their bytes.

    Raises:
        ResourceError: naming what is needed and what is free.
    """
    need_mb = (dataset.images.nbytes + dataset.annotations.nbytes) / 2e6 + _MARGIN_MB
    there = files.free_mb(folder)
    if need_mb > there:
        raise ResourceError(
            f"{folder}: {need_mb:.0f} MB are needed and {there:.0f} MB are free.",
            hint="Make room; `vision data gc` removes what no version needs.",
        )


def _check_metadata(images: pa.Table, back: pa.Table) -> None:
    """Refuse columns of any type that Parquet gives back otherwise; the types of all others are ours."""
    images = images.select(back.column_names)
    if table_id(back) != table_id(images):
        raise DataError(
            "a column of the photos' metadata does not survive being stored.",
            details=[f"{field.name}: {field.type}" for field in images.schema if field not in back.schema],
            hint="Bring it to text or a number.",
        )


def _is_whole(store: Store, version: str) -> bool:
    folder = store.commit(version)
    try:
        seals = _seals(folder, version)
        return all(files.file_sha256(folder / name) == seals.get(name) for name in _SEALED)
    except (DataError, OSError):
        return False


def load(store: Store, version: str, *, check: bool = True) -> Stored:
    """Read a version.

    Args:
        store: that has it.
        version: full id.
        check: compute its id anew; without, the column `record` is left out.

    Raises:
        DataError: missing, damaged or foreign files, by name.
    """
    folder = store.commit(version)
    stored = _read(folder, version, records=check)
    if check and version_id(stored.dataset, stored.files) != version:
        raise DataError(f"{folder}: its content is not the version {version[:12]}.", hint=_HINT)
    return stored


def _read(folder: Path, version: str, *, records: bool) -> Stored:
    seals = _seals(folder, version)
    for name in (MANIFEST, _FILES):
        path = folder / name
        if not path.is_file():
            raise DataError(f"{path}: is missing.", hint=_HINT)
        if files.file_sha256(path) != seals.get(name):
            raise DataError(f"{path}: was changed since it was committed.", hint=_HINT)
    manifest = read_manifest(folder / MANIFEST)  # it seals the tables itself
    if [seals.get(name) for name in TABLES[1:]] != [manifest.images.sha256, manifest.annotations.sha256]:
        raise DataError(f"{folder / _SEAL}: was changed since it was committed.", hint=_HINT)
    dataset, table = parquet.load(folder, records=records), read_table(folder / _FILES)
    if not table.schema.equals(FILES) or table.num_rows < len(dataset):
        raise DataError(f"{folder / _FILES}: not the files of this version.", hint=_HINT)
    return Stored(version, dataset, table)


def _seals(folder: Path, version: str) -> Mapping[str, Any]:
    path = folder / _SEAL
    if not folder.is_dir():
        raise DataError(f"the version {version[:12]} is missing: {folder} is not there.", hint=_HINT)
    if not path.is_file():
        raise DataError(f"{path}: is missing.", hint=_HINT)
    seal = read_json(path)
    if seal.get("format") != _FORMAT or seal.get("layout") != _LAYOUT:
        raise DataError(f"{path}: no version that this program can read.", hint="If it is newer, update the program.")
    if seal.get("id") != version or not isinstance(seal.get("sha256"), dict):
        raise DataError(f"{path}: is not that of the version {version[:12]}.", hint=_HINT)
    found: Mapping[str, Any] = seal["sha256"]
    return found


def write_out(store: Store, entry: Entry, folder: Path, how: Place, progress: Progress) -> Stored:
    """Put tables and photos of a version into a folder that is there and empty, every hash compared.

    Raises:
        DataError: the version or a content is missing or damaged, by name.
        ResourceError: the disk is full or refuses.
    """
    stored = load(store, entry.id)
    with files.disk_errors(folder):
        for name in TABLES:
            shutil.copyfile(store.commit(entry.id) / name, folder / name)
    store.objects.place(stored.places(store.commit(entry.id)), folder, how, progress)
    return stored


def tree(store: Store, entry: Entry, progress: Progress) -> Path:
    """Return the folder in the store where a version's photos have their own names; it is made when first asked for.

    Raises:
        DataError: the version is damaged.
        ResourceError: the store cannot be written.
    """
    folder = store.tree(entry.id)
    if not folder.is_dir():
        with store.writing():
            if not folder.is_dir():
                with staged(folder) as new:
                    write_out(store, entry, new, "hardlink", progress)
    return folder


def read_tree(store: Store, entry: Entry, progress: Progress) -> Dataset:
    """Read a version with its photos, from its tree.

    Raises:
        DataError: the version is damaged, or photos of its tree are gone.
    """
    folder = tree(store, entry, progress)
    for name in TABLES:
        if not (folder / name).is_file():
            raise DataError(f"{folder / name}: is missing.", hint=f"Delete {folder}: it is made again.")
    return parquet.load(folder)
