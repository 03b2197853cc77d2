"""What one check of the installation, the machine or the project says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "warning", "error"]


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One line of `vision doctor`.

    Attributes:
        check: name of the check.
        level: `error` is the only one that ends with exit code 4.
        message: what was found.
        hint: what to do about it.
    """

    check: str
    level: Level
    message: str
    hint: str | None = None
