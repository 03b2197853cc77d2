"""Write Hugging Face's folder: photos beside one `metadata.jsonl` a split."""

from __future__ import annotations

from pathlib import Path

from vision_cli.core.dataset import Dataset
from vision_cli.core.origin import Origin
from vision_cli.formats import WriteOptions, Written
from vision_cli.formats.class_file import class_file
from vision_cli.formats.huggingface.card import README
from vision_cli.formats.label_files import write_files
from vision_cli.formats.photo_records_write import encode, records
from vision_cli.formats.placing import photo_names

_FOLDERS = {"train": "train", "val": "validation", "test": "test"}
_NO_SPLIT = "data"


def write(dataset: Dataset, folder: Path, options: WriteOptions) -> Written:
    """Write metadata; classes by name, and by number where the source's README names these numbers.

    Args:
        dataset: any.
        folder: an empty one.
        options: nothing of it changes anything here.
    """
    numbers, origin = _numbers(dataset), _origin(dataset)
    splits: list[str | None] = dataset.images["split"].to_pylist()
    folders = [_FOLDERS[name] if name else _NO_SPLIT for name in splits]
    names = photo_names(dataset)
    lines: dict[str, list[bytes]] = {}
    for place, name, record in zip(folders, names, records(dataset, numbers), strict=True):
        lines.setdefault(place, []).append(encode({"file_name": name, **record}) + b"\n")
    files = [(f"{place}/metadata.jsonl", b"".join(rows)) for place, rows in sorted(lines.items())]
    if numbers and README in origin.header:
        files.append((README, origin.header[README]))
    else:
        files.append(class_file(dataset.classes.names))
    write_files(folder, files)
    photos = [f"{place}/{name}" for place, name in zip(folders, names, strict=True)]
    return Written(photos, numbers or {})


def _origin(dataset: Dataset) -> Origin:
    """Return the origin of the only source; an empty one of several."""
    origins = list(dataset.origins.values())
    return origins[0] if len(origins) == 1 and len(dataset.roots) == 1 else Origin("")


def _numbers(dataset: Dataset) -> dict[str, int] | None:
    """Return the class numbers of a source whose README names them, if it still fits; else names are written."""
    origin = _origin(dataset)
    ids = {name: number for number, name in enumerate(dataset.classes.names)}
    return ids if README in origin.header and dict(origin.class_ids) == ids else None
