"""The samples of one shard of a WebDataset."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from vision_cli.formats.byte_stream import Broken, Stream, opened
from vision_cli.formats.photos import is_photo_name
from vision_cli.formats.problems import Problems
from vision_cli.formats.tar_members import Member, members

_LABELS = ("json", "cls", "txt")
_MAX_LABEL_BYTES = 1 << 24
_MAX_PHOTO_BYTES = 1 << 29


@dataclass(slots=True)
class Sample:
    """The files of one key.

    Attributes:
        key: folder and name up to the first dot.
        photo: the photo's member, if there is one.
        labels: contents by suffix.
    """

    key: str
    photo: Member | None = None
    labels: dict[str, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class Shard:
    """What lies in one archive.

    Attributes:
        samples: by key, in order of their first members.
        others: number of members that are not read, by suffix.
    """

    samples: dict[str, Sample] = field(default_factory=dict)
    others: dict[str, int] = field(default_factory=dict)


def read_shard(path: Path, name: str, problems: Problems) -> Shard:
    """Read labels, and where photos lie; photos themselves are passed over.

    Args:
        path: the archive.
        name: what messages call it.
        problems: takes what is wrong with samples.

    Raises:
        DataError: the archive is cut, damaged or dangerous.
    """
    shard = Shard()
    with opened(path) as stream:
        for member in members(stream):
            _add(shard, member, stream, f"{name}: member {member.number}, {member.name!r}", problems)
    return shard


def split_name(name: str) -> tuple[str, str]:
    """Return the key of a member and its suffix in lower case: all after the first dot of the file's name."""
    folder, slash, file = name.rpartition("/")
    stem, _, suffix = file.partition(".")
    return f"{folder}{slash}{stem}", suffix.lower()


def _add(shard: Shard, member: Member, stream: Stream, place: str, problems: Problems) -> None:
    key, suffix = split_name(member.name)
    file = member.name.rpartition("/")[2]
    is_photo = is_photo_name(f"x.{suffix}") and "." not in suffix
    if file.startswith(".") or not suffix or (suffix not in _LABELS and not is_photo):
        shard.others[suffix or "no suffix"] = shard.others.get(suffix or "no suffix", 0) + 1
        return
    sample = shard.samples.setdefault(key, Sample(key))
    if is_photo and sample.photo is not None:
        problems.add("samples of two photos", f"{place}: {sample.photo.name!r} is the photo of this sample already")
    elif is_photo and not 0 < member.size <= _MAX_PHOTO_BYTES:
        problems.add("photos of a wrong size", f"{place}: {member.size:,} bytes")
    elif is_photo:
        sample.photo = member
    elif suffix in sample.labels:
        problems.add("repeated members", f"{place}: this sample has a .{suffix} already")
    elif member.size > _MAX_LABEL_BYTES:
        problems.add("labels of a wrong size", f"{place}: {member.size:,} bytes")
    else:
        sample.labels[suffix] = _whole(stream, member, place)


def _whole(stream: Stream, member: Member, place: str) -> bytes:
    content = stream.read(member.size)
    if len(content) < member.size:
        raise Broken(f"cut inside of {place}: {member.size:,} bytes are announced")
    return content
