"""What people call versions: a full id, the beginning of one, a tag, `HEAD`, and `~1` for the one before."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from vision_cli.core.catalogue import suggestion
from vision_cli.core.errors import UsageError
from vision_cli.versions.store import Entry

HEAD = "HEAD"
SHORT = 12
"""Digits of an id that are shown."""

_NAME = re.compile(r"(?P<base>[^~]+)(?:~(?P<back>\d{0,6}))?", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,99}", re.ASCII)
_PREFIX = re.compile(r"[0-9a-f]{4,64}", re.ASCII)
_SHOWN = 10


def find(name: str, log: Sequence[Entry], tags: Mapping[str, str]) -> Entry:
    """Return the commit that a name means.

    Raises:
        UsageError: no version has this name, or several have; with the candidates.
    """
    if not log:
        raise UsageError("there is no version yet.", hint="Make one with `vision data commit -m MESSAGE`.")
    match = _NAME.fullmatch(name)
    if match is None:
        raise UsageError(f"'{name}': no name of a version.", hint="An id, its beginning, a tag, HEAD or HEAD~1.")
    at = _base(match["base"], log, tags)
    back = 0 if match["back"] is None else int(match["back"] or 1)
    return _before(at, back, log, name)


def _base(name: str, log: Sequence[Entry], tags: Mapping[str, str]) -> int:
    """Return the line of the log that a name without `~` means: the last one of its version."""
    last = {entry.id: row for row, entry in enumerate(log)}
    if name == HEAD:
        return len(log) - 1
    if name in tags and tags[name] in last:
        return last[tags[name]]
    fitting = [each for each in last if each.startswith(name)] if _PREFIX.fullmatch(name) else []
    if len(fitting) == 1:
        return last[fitting[0]]
    if fitting:
        raise UsageError(
            f"'{name}' is the beginning of {len(fitting)} versions.",
            details=[_line(log[last[each]]) for each in fitting[:_SHOWN]],
            hint="Type more of it.",
        )
    raise _unknown(name, log, tags)


def _unknown(name: str, log: Sequence[Entry], tags: Mapping[str, str]) -> UsageError:
    guess = suggestion(name, [*tags, HEAD])
    meant = f"Did you mean '{guess}'? " if guess else ""
    shown = [_line(entry) for entry in reversed(log[-_SHOWN:])]
    return UsageError(
        f"no version is called '{name}'.",
        details=[*(f"tag {tag}" for tag in sorted(tags)[:_SHOWN]), *shown],
        hint=f"{meant}`vision data log` lists them all.",
    )


def _before(at: int, back: int, log: Sequence[Entry], name: str) -> Entry:
    """Return the commit so many before one, of the same view or source."""
    same = [row for row in range(at + 1) if log[row].of == log[at].of]
    if back >= len(same):
        raise UsageError(
            f"'{name}': there are {len(same) - 1} versions of {log[at].of} before it.",
            details=[_line(log[row]) for row in reversed(same[-_SHOWN:])],
        )
    return log[same[-1 - back]]


def _line(entry: Entry) -> str:
    return f"{entry.id[:SHORT]} {entry.of}: {entry.message.splitlines()[0][:80] if entry.message else ''}"


def check_tag(name: str) -> None:
    """Refuse a tag that could be taken for something else.

    Raises:
        UsageError: saying why.
    """
    if name == HEAD or _PREFIX.fullmatch(name) or not _TAG.fullmatch(name):
        raise UsageError(
            f"'{name}' cannot be a tag.",
            hint="Letters, digits and . _ / + - , not HEAD, and not the digits of an id: v1.2, before-cleaning.",
        )
