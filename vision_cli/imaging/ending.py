"""Whether a photo's file was cut off, from its first and last bytes; no pixel is decoded."""

from __future__ import annotations

import os
from pathlib import Path

from vision_cli.core.errors import DataError
from vision_cli.imaging.sniff import HEAD_BYTES, photo_format

_TAIL_BYTES = 4096
_ENDS = {"jpeg": b"\xff\xd9", "png": b"IEND\xaeB`\x82"}
"""JPEG: the end-of-image marker (ITU-T T.81, B.1.1.3); PNG: the type and check sum of the last chunk (RFC 2083)."""
_RIFF_HEAD = 8


def is_cut_off(path: Path) -> bool:
    """Tell whether a file is empty, or is a JPEG, PNG or WebP without its end; anything else counts as whole.

    What lacks its end in the last 4 KB may have something appended to it: such a file is decoded, so that no whole
    photo is blamed.

    Raises:
        OSError: it cannot be opened.
    """
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - _TAIL_BYTES))
        tail = stream.read(_TAIL_BYTES)
    kind = photo_format(head)
    if kind == "webp":
        return size < _RIFF_HEAD + int.from_bytes(head[4:8], "little")
    end = _ENDS.get(kind or "")
    return not head or (end is not None and end not in tail and not _decodes(path))


def _decodes(path: Path) -> bool:
    from vision_cli.imaging.read import read_photo  # OpenCV, for the few that need it

    try:
        read_photo(path)
    except DataError:
        return False
    return True
