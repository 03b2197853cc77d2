"""An unquoted `--kpi f1>0.98`: the shell takes `>0.98` for itself; `--kpi f1` reaches us, stdout is a file `0.98`."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from vision_cli.core.errors import UsageError
from vision_cli.core.kpi import Kpi, parse

_OPTION = "--kpi"
_FILE_NAME = re.compile(r"(?P<equals>=?)(?P<bound>[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?%?)")
_BARE = re.compile(r"[A-Za-z][A-Za-z0-9_.]*(?:\[.+\])?", re.DOTALL)
_F_GETPATH = 50
"""The fcntl command of macOS that returns an open file's path; Python 3.11's fcntl module has no name for it."""


def unquoted_redirect(argv: Sequence[str], stdout_name: str | None, stdin_name: str | None = None) -> Kpi | None:
    """Return the KPI whose comparison the shell took for a redirection, or None.

    Args:
        argv: the command line without the program's name.
        stdout_name: path or name of the regular file that stdout goes to; None when it goes elsewhere.
        stdin_name: the same of stdin: `top5_error<0.1` with a file `0.1` at hand.

    With several bare `--kpi` the shell kept one bound only: nothing is guessed then, and parsing the KPIs says so.
    """
    bare = [text for text in kpi_arguments(argv) if _BARE.fullmatch(text)]
    found = [kpi for op, name in ((">", stdout_name), ("<", stdin_name)) if (kpi := _kpi(bare, op, name)) is not None]
    return found[0] if len(found) == 1 else None


def kpi_arguments(argv: Sequence[str]) -> list[str]:
    """Return the values of every `--kpi` on a command line, as they reached us."""
    joined = f"{_OPTION}="
    values = [text for option, text in pairwise(argv) if option == _OPTION]
    return values + [text.removeprefix(joined) for text in argv if text.startswith(joined)]


def _kpi(bare: Sequence[str], op: str, name: str | None) -> Kpi | None:
    match = _FILE_NAME.fullmatch(Path(name).name) if name else None
    if match is None or len(bare) != 1:
        return None
    try:
        return parse(f"{bare[0]}{op}{match['equals']}{match['bound']}")
    except UsageError:
        return None


def file_of(descriptor: int) -> str | None:
    """Return the path of the regular file behind an open descriptor (1 is stdout), or None."""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return (
            _path_on_macos(descriptor)
            if sys.platform == "darwin"
            else str(Path(f"/proc/self/fd/{descriptor}").readlink())
        )
    except OSError:
        return None


def _path_on_macos(descriptor: int) -> str:
    import fcntl

    return fcntl.fcntl(descriptor, _F_GETPATH, bytes(1024)).rstrip(b"\0").decode(errors="replace")
