"""Write folders of semantic masks; see `masks`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vision_cli.core.dataset import Dataset
from vision_cli.core.origin import Origin
from vision_cli.formats import WriteOptions, Written, mask_classes, placing
from vision_cli.formats.label_files import write_files
from vision_cli.formats.painting import outlined_rows, paint
from vision_cli.imaging.masks import Mask, encode_mask

_AHEAD = 16
_BYTE, _WORD = 255, 65535


@dataclass(frozen=True, slots=True)
class _Style:
    """How labels are stored.

    Attributes:
        values: of each class.
        empty: value of what no object covers.
        colours: uint8 (classes + 1, 3), that of `empty` first; None for values.
        palette: uint8 (N, 3), or None.
    """

    values: Sequence[int]
    empty: int
    colours: NDArray[np.uint8] | None
    palette: NDArray[np.uint8] | None


def write(dataset: Dataset, folder: Path, options: WriteOptions) -> Written:
    """Write a mask a photo, and the classes."""
    names = placing.photo_names(dataset)
    below = [f"{split}/" if split else "" for split in dataset.splits()]
    stems = placing.stems(names)
    masks = [f"masks/{split}{stem}.png" for split, stem in zip(below, stems, strict=True)]
    style = _style(dataset)
    write_files(folder, _masks(dataset, masks, style, options.workers))
    write_files(folder, [(mask_classes.FILE_NAME, _classes(dataset, style))])
    photos = [f"images/{split}{name}" for split, name in zip(below, placing.named_by(stems, names), strict=True)]
    return Written(photos, dict(zip(dataset.classes.names, style.values, strict=True)))


def _own(dataset: Dataset) -> Origin | None:
    """Return the one origin, if it is a folder of masks."""
    origins = list(dataset.origins.values())
    return origins[0] if len(origins) == 1 and origins[0].format == "masks" else None


def _style(dataset: Dataset) -> _Style:
    own = _own(dataset)
    values = _values(dataset, own)
    header = own.header if own is not None else {}
    mark = msgspec.json.decode(header["unlabelled"]) if "unlabelled" in header else None
    shades = _colours(dataset, own, mark) if header.get("kind") == b"colour" else None
    free = [number for number in (mark, 0, _BYTE, _WORD) if isinstance(number, int) and number not in values]
    palette = np.frombuffer(header["palette"], dtype=np.uint8).reshape(-1, 3) if "palette" in header else None
    narrow = max([*values, free[0]]) <= _BYTE
    return _Style(values, free[0], shades, palette if narrow else None)


def _values(dataset: Dataset, own: Origin | None) -> list[int]:
    """Return the source's own values of all classes, where there is one source that has them all; else 1, 2, 3 ..."""
    origins = list(dataset.origins.values())
    known = origins[0].class_ids if len(origins) == 1 else {}
    found = [known[name] for name in dataset.classes.names if name in known]
    least, most = (0, _WORD) if own is not None else (1, _BYTE - 1)
    if len(found) == len(dataset.classes) == len(set(found)) and all(least <= value <= most for value in found):
        return found
    return list(range(1, len(dataset.classes) + 1))


def _colours(dataset: Dataset, own: Origin | None, mark: Any) -> NDArray[np.uint8] | None:
    """Return the colours of nothing and of each class, if every class has one."""
    records = [_record(own, name) for name in dataset.classes.names]
    colours = [tuple(record["color"]) for record in records if "color" in record]
    if len(colours) != len(records):
        return None
    free = [tuple(mark)] if isinstance(mark, list) else [(0, 0, 0), (255, 255, 255), (224, 224, 192)]
    empty = next((colour for colour in free if colour not in colours), None)
    return None if empty is None else np.array([empty, *colours], dtype=np.uint8)


def _record(own: Origin | None, name: str) -> Mapping[str, Any]:
    record = own.class_records.get(name) if own is not None else None
    found: Mapping[str, Any] = msgspec.json.decode(record) if record else {}
    return found


def _masks(dataset: Dataset, names: Sequence[str], style: _Style, workers: int) -> Iterator[tuple[str, bytes]]:
    rows_of_photos = outlined_rows(dataset)
    wanted = [photo for photo in range(len(dataset)) if _has_mask(dataset, photo, len(rows_of_photos[photo]))]

    def one(photo: int) -> tuple[str, bytes]:
        painted = paint(dataset, photo, rows_of_photos[photo])
        ids = dataset.annotations["class_id"].take(pa.array(painted.rows)).to_numpy()
        if style.colours is not None:
            return names[photo], encode_mask(Mask(style.colours[painted.filled(ids + 1, 0, np.int64)]))
        kind = np.uint8 if max([*style.values, style.empty]) <= _BYTE else np.uint16
        values = np.array(style.values, dtype=np.int64)[ids]
        return names[photo], encode_mask(Mask(painted.filled(values, style.empty, kind), style.palette))

    with ThreadPoolExecutor(max(workers, 1)) as pool:
        for start in range(0, len(wanted), _AHEAD):
            yield from pool.map(one, wanted[start : start + _AHEAD])


def _has_mask(dataset: Dataset, photo: int, rows: int) -> bool:
    """Tell whether a photo gets a mask: those of a folder of masks that had none stay without."""
    origin = dataset.origins.get(dataset.images["source"][photo].as_py())
    if rows or origin is None or origin.format != "masks" or "mask" not in dataset.images.column_names:
        return True
    return dataset.images["mask"][photo].as_py() is not None


def _classes(dataset: Dataset, style: _Style) -> bytes:
    records = [
        {
            "value": value,
            "name": name,
            **({"color": style.colours[place + 1].tolist()} if style.colours is not None else {}),
        }
        for place, (name, value) in enumerate(zip(dataset.classes.names, style.values, strict=True))
    ]
    return msgspec.json.format(msgspec.json.encode(records), indent=1) + b"\n"


def _shade(style: _Style, place: int) -> dict[str, Any]:
    return {} if style.colours is None else {"color": style.colours[place + 1].tolist()}
