"""Which photos of several data sets are the same: by path, by the id that an export gave them, or by file name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError

_FOLDER = "images/"


def photo_ids(dataset: Dataset) -> list[str]:
    """Return what a photo is called in tasks: its source and its path."""
    columns = (dataset.images["source"].to_pylist(), dataset.images["path"].to_pylist())
    return [f"{source}/{path}" for source, path in zip(*columns, strict=True)]


def _paths(dataset: Dataset) -> list[str]:
    return [str(path).removeprefix(_FOLDER) for path in dataset.images["path"].to_pylist()]


def _ids(dataset: Dataset) -> list[str]:
    own = photo_ids(dataset)
    if "source_id" not in dataset.images.column_names:
        return own
    said = dataset.images["source_id"].to_pylist()
    return [text if text and "/" in text else ours for text, ours in zip(said, own, strict=True)]


def _names(dataset: Dataset) -> list[str]:
    return [str(path).rpartition("/")[2] for path in dataset.images["path"].to_pylist()]


_KINDS: dict[str, Callable[[Dataset], list[str]]] = {"path": _paths, "id": _ids, "file name": _names}


def meet(datasets: Sequence[Dataset]) -> tuple[str, list[list[str]]]:
    """Return what the photos are known by, and the key of each photo of each data set; equal keys are one photo.

    The kind that makes most photos of the later sets known to the first is taken; at a tie the path, then the id.

    Raises:
        DataError: two photos of one set have the same path, id and name.
    """
    best: tuple[int, str, list[list[str]]] | None = None
    for kind, keys_of in _KINDS.items():
        keys = [keys_of(dataset) for dataset in datasets]
        if any(len(set(each)) < len(each) for each in keys):
            continue
        first = set(keys[0]) if keys else set()
        known = sum(key in first for each in keys[1:] for key in each)
        if best is None or known > best[0]:
            best = (known, kind, keys)
    if best is None:
        raise DataError("two photos of one data set have the same path.", hint="Give each photo a path of its own.")
    return best[1], best[2]
