"""Facts about photos from beside a data set (`sidecars`) or from the photos themselves, as columns of `images`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.columns import IMAGE_COLUMNS, MORE_IMAGE_COLUMNS
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import iso_times, photos, sidecars
from vision_cli.formats.sidecars import Sidecar

_TAKEN = frozenset((*IMAGE_COLUMNS.names, *MORE_IMAGE_COLUMNS.names)) - {"split", "group"}
_SHOWN = 3

Ints = np.ndarray[Any, np.dtype[np.int64]]


def attach(dataset: Dataset, path: Path, by: str | None) -> Dataset:
    """Return a data set with the columns that a sidecar adds; notes tell what met and what did not.

    Args:
        dataset: of one source.
        path: of the sidecar.
        by: `path`, `name`, `stem` or `folder` of a photo, or a column that both sides have; None finds it.

    Raises:
        DataError: the sidecar is refused, none of its keys has a photo, or a key stands for several in silence.
    """
    sidecar = sidecars.read(path, by)
    match = _match(dataset, sidecar, path, by)
    notes = [match.note(path, sidecar)]
    if sidecar.conflicts:
        notes.append(f"{path.name}: {sidecar.conflicts} later rows say something else of a key; the first one counts.")
    images = dataset.images
    for name, values in sidecar.columns.items():
        if name in _TAKEN:
            notes.append(f"{path.name}: '{name}' is left out: it is a column of ours.")
            continue
        column = values.take(pa.array(match.rows, mask=match.rows < 0))
        images, note = merged(images, name, _special(path, name, column), keep=False)
        notes += [f"{path.name}: {note}"] if note else []
    return replace(dataset, images=images, notes=(*dataset.notes, *notes))


@dataclass(frozen=True, slots=True)
class _Match:
    """Which key belongs to which photo.

    Attributes:
        kind: what of a photo the keys are.
        rows: int64 (N,), the key of each photo; -1 without.
    """

    kind: str
    rows: Ints

    @property
    def keys(self) -> int:
        """Return how many keys have a photo."""
        return len(np.unique(self.rows[self.rows >= 0]))

    def note(self, path: Path, sidecar: Sidecar) -> str:
        """Tell what met, and what did not."""
        matched = np.isin(np.arange(len(sidecar.keys)), self.rows)
        found = int((self.rows >= 0).sum())
        text = f"{path.name}: {self.keys} of {len(sidecar.keys)} keys belong to {found} of {len(self.rows)} photos"
        lonely = [key for key, has in zip(sidecar.keys, matched.tolist(), strict=True) if not has]
        more = f" and {len(lonely) - _SHOWN} more" if len(lonely) > _SHOWN else ""
        rest = f"; without photo: {', '.join(lonely[:_SHOWN])}{more}" if lonely else ""
        return f"{text}, by {self.kind}{rest}."


def _match(dataset: Dataset, sidecar: Sidecar, path: Path, by: str | None) -> _Match:
    kinds = _kinds(dataset, sidecar, path, by)
    keys = pa.array(sidecar.keys, pa.string())
    found = [_Match(kind, rows(keys)) for kind, rows in kinds.items()]
    best = max(found, key=lambda match: match.keys)
    if best.keys == 0 and len(dataset) and sidecar.keys:
        raise DataError(
            f"{path}: none of its {len(sidecar.keys)} keys belongs to a photo.",
            details=[f"keys: {', '.join(sidecar.keys[:_SHOWN])}", f"photos: {', '.join(_some(dataset))}"],
            hint="A key is a photo's path, name or stem, a folder of it, or a value of a column of both: `by`.",
        )
    if by is None and best.kind in ("name", "stem"):
        _check_one_photo(best, sidecar, path)
    return best


def _some(dataset: Dataset) -> list[str]:
    return [str(path) for path in dataset.images["path"].slice(0, _SHOWN).to_pylist()]


def _check_one_photo(match: _Match, sidecar: Sidecar, path: Path) -> None:
    counts = np.bincount(match.rows[match.rows >= 0], minlength=len(sidecar.keys))
    several = np.flatnonzero(counts > 1)
    if several.size:
        raise DataError(
            f"{path}: {several.size} keys are the {match.kind} of several photos.",
            details=[f"{sidecar.keys[index]}: {counts[index]} photos" for index in several[:10].tolist()],
            hint=f"Key it by path, or accept it: metadata: {{path: {path.name}, by: {match.kind}}}.",
        )


Rows = Callable[[pa.Array], Ints]


def _kinds(dataset: Dataset, sidecar: Sidecar, path: Path, by: str | None) -> dict[str, Rows]:
    """Return what of a photo the keys may be, and how each finds its photos; the first of equals is taken."""
    images = dataset.images
    paths = images["path"]
    column = by or sidecar.key_name
    kinds: dict[str, Rows] = {
        "path": lambda keys: _first(_rows(paths, keys), _rows(_without_suffix(paths), keys)),
        "name": lambda keys: _rows(_name(paths), keys),
        "stem": lambda keys: _rows(_without_suffix(_name(paths)), keys),
        "folder": lambda keys: _folder_rows(paths, keys),
    }
    if by == "path" or (by in kinds and by not in images.column_names):
        return {str(by): kinds[str(by)]}
    if column in images.column_names and column not in kinds:
        own: dict[str, Rows] = {f"the column '{column}'": lambda keys: _rows(images[column].cast(pa.string()), keys)}
        return own if by else {**own, **kinds}
    if by is not None:  # drive, sequence: a folder of the path
        return {"folder": kinds["folder"], "name": kinds["name"], "stem": kinds["stem"]}
    return kinds


def _rows(photos: pa.ChunkedArray, keys: pa.Array) -> Ints:
    return np.asarray(pc.index_in(photos, keys).fill_null(-1).to_numpy(), dtype=np.int64)


def _first(one: Ints, other: Ints) -> Ints:
    return np.asarray(np.where(one >= 0, one, other), dtype=np.int64)


def _name(paths: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.replace_substring_regex(paths, "^.*/", "")


def _without_suffix(paths: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.replace_substring_regex(paths, r"\.[^./]*$", "")


def _folder_rows(paths: pa.ChunkedArray, keys: pa.Array) -> Ints:
    """Return the key that is a folder of each path, by name or from the root on; the deepest one counts."""
    folders = pc.replace_substring_regex(paths, "/?[^/]*$", "").combine_chunks().dictionary_encode()
    places = {key: row for row, key in enumerate(keys.to_pylist())}
    found = [_deepest(folder, places) for folder in folders.dictionary.to_pylist()]
    rows: Ints = np.array(found, dtype=np.int64)[folders.indices.to_numpy()]
    return rows


def _deepest(folder: str, places: Mapping[str, int]) -> int:
    parts = folder.split("/")
    for end in range(len(parts), 0, -1):
        for key in ("/".join(parts[:end]), parts[end - 1]):
            if key in places:
                return places[key]
    return -1


def _special(path: Path, name: str, column: pa.Array) -> pa.Array:
    """Return a column of ours in its type: a split, or a group."""
    if name == "group":
        return column.cast(pa.string())
    if name != "split":
        return column
    names = {text: photos.split_of(str(text)) for text in pc.unique(column).drop_null().to_pylist()}
    if unknown := [str(text) for text, split in names.items() if split is None]:
        raise DataError(f"{path}: no splits are called {', '.join(unknown[:10])}.", hint="Use train, val and test.")
    return pa.array([None if text is None else names[text] for text in column.to_pylist()], pa.string())


def merged(images: pa.Table, name: str, column: pa.Array, *, keep: bool) -> tuple[pa.Table, str | None]:
    """Return a table with a column added to, or laid over, that of the same name, and a note where both speak.

    Args:
        images: gets the column.
        name: of the column.
        column: (N,).
        keep: what is there already counts; otherwise what is new.
    """
    new = iso_times.with_times(pa.table({name: column}), name)
    if name not in images.column_names or images[name].null_count == len(images):
        return _set(images, new), None
    old, fresh = _one_type(images[name], new[name])
    differ = int(pc.sum(pc.fill_null(pc.not_equal(old, fresh), False)).as_py() or 0)
    result = pc.coalesce(old, fresh) if keep else pc.coalesce(fresh, old)
    note = f"{differ} photos had another '{name}', which was replaced." if differ and not keep else None
    return _set(images, new.set_column(0, name, result)), note


def _one_type(old: pa.ChunkedArray, new: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    if old.type == new.type:
        return old, new
    try:
        return old.cast(new.type), new
    except pa.ArrowException:
        return old.cast(pa.string()), new.cast(pa.string())


def _set(images: pa.Table, new: pa.Table) -> pa.Table:
    for name in new.column_names:
        at = images.schema.get_field_index(name)
        images = images.append_column(name, new[name]) if at < 0 else images.set_column(at, name, new[name])
    return images
