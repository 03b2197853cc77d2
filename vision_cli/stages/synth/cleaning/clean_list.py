"""The list of backgrounds that are set aside: what was found, and what the user says about it.

A CSV file. Its column `decision` is `aside` for what was found; whoever knows better writes `allow` (use the photo all
the same) or `deny` (never use it), also in a line of its own for any other photo. Those lines stay; the others are
written anew.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision_cli.core import files
from vision_cli.core.errors import DataError, UsageError

ASIDE, ALLOW, DENY = "aside", "allow", "deny"
COLUMNS = (
    *("decision", "photo", "reason", "class", "variant", "score"),
    *("left", "top", "width", "height", "sha256"),
)
"""Places are shares of the photo's width and height."""

_MAX_BYTES = 1 << 28


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the list.

    Attributes:
        number: in the file, from 1; 0 for a new one.
        values: by column.
    """

    number: int
    values: Mapping[str, str]

    @property
    def decision(self) -> str:
        """One of ASIDE, ALLOW and DENY."""
        return self.values["decision"].strip().lower()


def read(path: Path) -> list[Line]:
    """Return the lines of a list; none where there is no such file.

    Raises:
        UsageError: the file is none of ours.
        DataError: a decision is unknown; each is named with its line.
    """
    if not path.exists():
        return []
    content = files.read_limited(path, max_bytes=_MAX_BYTES, what="the list of backgrounds")
    rows = csv.DictReader(io.StringIO(files.utf8(content, where=str(path)).removeprefix("\ufeff")))
    if not {"decision", "photo"} <= set(rows.fieldnames or ()):
        raise UsageError(
            f"{path}: is no list of backgrounds.", hint=f"Move it; its columns would be {', '.join(COLUMNS)}."
        )
    lines = [Line(rows.line_num, {name: row.get(name) or "" for name in COLUMNS}) for row in rows]
    wrong = [
        f"{path}:{line.number}: decision is '{line.values['decision']}'"
        for line in lines
        if line.decision not in (ASIDE, ALLOW, DENY)
    ]
    if wrong:
        raise DataError(f"{path}: {len(wrong)} lines cannot be used.", details=wrong[:10],
                        hint=f"A decision is {ASIDE}, {ALLOW} or {DENY}.")  # fmt: skip
    return lines


@dataclass(frozen=True, slots=True)
class Decisions:
    """What the user says.

    Attributes:
        by_content: decision by SHA-256 of the photo.
        by_name: by path below the folder of the backgrounds, of lines without a SHA-256.
    """

    by_content: Mapping[str, str]
    by_name: Mapping[str, str]

    @classmethod
    def of(cls, lines: Sequence[Line]) -> Decisions:
        """Gather those of the user; the last line of a photo wins."""
        mine = [line for line in lines if line.decision != ASIDE]
        content = {line.values["sha256"]: line.decision for line in mine if line.values["sha256"]}
        names = {line.values["photo"]: line.decision for line in mine if not line.values["sha256"]}
        return cls(content, names)

    def on(self, name: str, sha256: str) -> str | None:
        """Return what is said of a photo."""
        return self.by_content.get(sha256, self.by_name.get(name))


def text_of(kept: Sequence[Line], aside: Sequence[Mapping[str, Any]]) -> str:
    """Return the file's content: the user's own lines, then what was set aside."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(line.values for line in kept if line.decision != ASIDE)
    writer.writerows(aside)
    return stream.getvalue()
