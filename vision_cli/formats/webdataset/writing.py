"""Write WebDataset shards: photos inside, labels beside them, the same bytes for the same data set.

A shard is `train-000000.tar` (`val`, `test`; `data` without a split), of at most 10,000 samples and 1 GB. Bare labels
of whole photos are `.cls` files with the number of the class in classes.txt; all else is a `.json` record a photo.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from vision_cli.core.conservation import Loss
from vision_cli.core.dataset import Dataset
from vision_cli.core.files import disk_errors, read_limited
from vision_cli.formats import WriteOptions, Written
from vision_cli.formats.class_file import class_file
from vision_cli.formats.label_files import write_files
from vision_cli.formats.photo_records_write import Record, encode, is_bare, records
from vision_cli.formats.photos import PHOTO_SUFFIXES
from vision_cli.formats.placing import photo_names

_BLOCK = 512
_RECORD_BYTES = 20 * _BLOCK
_SHARD_SAMPLES = 10_000
_SHARD_BYTES = 1_000_000_000
_MAX_PHOTO_BYTES = 1 << 29
_NAME_BYTES = 100
_NO_SPLIT = "data"

Sample = tuple[str, bytes]


def losses(dataset: Dataset) -> list[Loss]:
    """Return the photos that a shard cannot hold: those that are not there, or that no photo suffix names."""
    paths = dataset.paths()
    missing = np.array([not path.is_file() for path in paths], dtype=np.bool_)
    foreign = np.array([path.suffix.lower() not in PHOTO_SUFFIXES for path in paths], dtype=np.bool_) & ~missing
    found = [
        Loss("no-image", "image", "no such photo", missing),
        Loss("no-image", "image", "a name without the suffix of a photo", foreign),
    ]
    return [loss for loss in found if loss.rows.any()]


def write(dataset: Dataset, folder: Path, options: WriteOptions) -> Written:
    """Write the shards, one after the other.

    Args:
        dataset: photos that are there.
        folder: an empty one.
        options: nothing of it changes anything here.

    Raises:
        DataError: a photo vanished.
        ResourceError: the disk is full or refuses.
    """
    name, content = class_file(dataset.classes.names)
    write_files(folder, [(name, content)])
    names, paths, bare = _sample_names(dataset), dataset.paths(), is_bare(dataset)
    writers: dict[str, _Shards] = defaultdict(lambda: _Shards(folder))
    splits = dataset.images["split"].to_pylist()
    ids = {name: number for number, name in enumerate(dataset.classes.names)}
    held: list[str] = []
    for row, record in enumerate(records(dataset, ids if bare else None)):
        photo = read_limited(paths[row], max_bytes=_MAX_PHOTO_BYTES, what="the photo")
        suffix = paths[row].suffix.lower()
        members = [(f"{names[row]}{suffix}", photo), *_labels(names[row], record, bare)]
        shard = writers[splits[row] or _NO_SPLIT].add(splits[row] or _NO_SPLIT, members)
        held.append(f"{shard}/{members[0][0]}")
    for shards in writers.values():
        shards.close()
    return Written([None] * len(dataset), ids, held=held)


def _labels(name: str, record: Record, bare: bool) -> Iterator[Sample]:
    if not bare:
        yield f"{name}.json", encode(record)
    elif "label" in record:
        yield f"{name}.cls", b"%d" % record["label"]


def _sample_names(dataset: Dataset) -> list[str]:
    """Return distinct names without dots, in row order: those of the photos where they allow it."""
    used: set[str] = set()
    names = []
    for row, photo in enumerate(photo_names(dataset)):
        name = photo.rpartition(".")[0].replace(".", "_").strip("/ ") or "photo"
        name = name if name.casefold() not in used and len(name.encode()) <= _NAME_BYTES * 2 else f"{row:08d}"
        while name.casefold() in used:
            name = f"{name}_{row:08d}"
        used.add(name.casefold())
        names.append(name)
    return names


class _Shards:
    """The shards of one split."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: BinaryIO | None = None
        self._path = folder
        self._number = self._samples = self._bytes = 0

    def add(self, split: str, members: Sequence[Sample]) -> str:
        """Add a sample and return the name of its shard."""
        size = sum(len(content) for _, content in members)
        if self._file and (self._samples >= _SHARD_SAMPLES or self._bytes + size > _SHARD_BYTES):
            self.close()
        with disk_errors(self._path):
            if self._file is None:
                self._path = self._folder / f"{split}-{self._number:06d}.tar"
                self._file = self._path.open("xb")
            for name, content in members:
                self._file.write(tar_member(name, content))
        self._samples += 1
        self._bytes += size
        return self._path.name

    def close(self) -> None:
        """End the shard with two blocks of zeros, filled up to a record of 20 blocks."""
        if self._file is None:
            return
        with disk_errors(self._path):
            end = self._file.tell() + 2 * _BLOCK
            self._file.write(bytes(2 * _BLOCK + -end % _RECORD_BYTES))
            self._file.close()
        self._file, self._samples, self._bytes = None, 0, 0
        self._number += 1


def tar_member(name: str, content: bytes) -> bytes:
    """Return a plain file as ustar bytes, with a pax header where its name does not fit; times and owners are zero."""
    raw = name.encode()
    if len(raw) <= _NAME_BYTES and raw.isascii():
        return _header(raw, len(content), b"0") + _padded(content)
    pax = _pax_record(b"path", raw)
    return _header(b"pax", len(pax), b"x") + _padded(pax) + _header(b"long", len(content), b"0") + _padded(content)


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % _BLOCK)


def _pax_record(key: bytes, value: bytes) -> bytes:
    """Return `length key=value` and a line feed; the length counts its own digits."""
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    length = rest + len(str(length))
    return b"%d %b=%b\n" % (length, key, value)


def _header(name: bytes, size: int, kind: bytes) -> bytes:
    fields = (
        (name, 100),
        (b"0000644\0", 8),
        (b"0000000\0", 8),
        (b"0000000\0", 8),
        (b"%011o\0" % size, 12),
        (b"00000000000\0", 12),
        (b" " * 8, 8),
        (kind, 1),
        (b"", 100),
        (b"ustar\x0000", 8),
    )
    header = b"".join(value.ljust(width, b"\0") for value, width in fields).ljust(_BLOCK, b"\0")
    return header[:148] + b"%06o\0 " % sum(header) + header[156:]
