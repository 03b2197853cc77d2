"""Sizes of files as people type them."""

from __future__ import annotations

import re

from vision_cli.core.errors import UsageError

_UNITS = {"": 1, "b": 1, "k": 10**3, "kb": 10**3, "m": 10**6, "mb": 10**6, "g": 10**9, "gb": 10**9}
_UNITS |= {"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", re.ASCII)


def n_bytes(text: str, what: str) -> int:
    """Return the bytes of a size such as `10MB`, `1.5 GB` or `500000`.

    Raises:
        UsageError: it is no size.
    """
    found = _SIZE.fullmatch(text.lower())
    if found is None or found[2] not in _UNITS:
        raise UsageError(f"{what}: '{text}' is no size.", hint="Write it so: 10MB, 1.5GB, 500kB.")
    return round(float(found[1]) * _UNITS[found[2]])


def readable(size: int) -> str:
    """Return a size in the unit that leaves one to three digits before the point."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size} B"
