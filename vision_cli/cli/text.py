"""Text that a user typed or a file holds, made safe for a terminal."""

from __future__ import annotations

import re
from pathlib import Path

# C0 and C1 controls, line and paragraph separators, marks that turn the writing direction, and lone surrogates
# (bytes of a file name that are not UTF-8).
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def clean(value: object) -> str:
    r"""Return a value as one line without anything that moves the cursor, changes colours or turns the writing.

    Line breaks and tabs become spaces; other control characters become a visible escape such as `\x1b`.
    """
    return _UNSAFE.sub(_visible, str(value))


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] in "\t\n\r\u2028\u2029":
        return " "
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def place(path: Path) -> Path:
    """Return a path as a person standing here would write it: relative when it lies below the working directory."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path


def number(value: float | int | None, digits: int = 4) -> str:
    """Return a figure as people write it: integers whole, others with significant digits, nothing as a dash."""
    if value is None or value != value:  # NaN is the only value that differs from itself
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.{digits}g}"


def duration(seconds: float) -> str:
    """Return a length of time in its two largest units: `45 s`, `12 min 5 s`, `3 h 20 min`, `2 d 4 h`."""
    units = [("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)]
    rest = round(seconds)
    found: list[str] = []
    for name, size in units:
        whole, rest = divmod(rest, size)
        if whole or (name == "s" and not found):
            found.append(f"{whole} {name}")
    return " ".join(found[:2])


def sparkline(values: list[float], width: int = 24) -> str:
    """Return a row of block characters for the last values; the lowest is the lowest block."""
    shown = [value for value in values if value == value][-width:]  # without NaN
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    scale = 7 / (high - low) if high > low else 0.0
    return "".join("▁▂▃▄▅▆▇█"[round((value - low) * scale)] for value in shown)
