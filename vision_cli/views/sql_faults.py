"""What DuckDB's errors mean to somebody who typed a query or a condition."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from vision_cli.core.errors import VisionError

_OF_THE_QUERY = (
    *("ParserException", "BinderException", "CatalogException", "PermissionException", "SyntaxException"),
    *("NotImplementedException", "InvalidTypeException", "TypeMismatchException"),
)
_OF_MEMORY = ("OutOfMemoryException", "MemoryError", "ArrowMemoryError")
_MISSING = (
    re.compile(r'Referenced column "(?P<name>[^"]+)" not found'),
    re.compile(r'does not have a column named "(?P<name>[^"]+)"'),
)
_NO_TABLE = re.compile(r"Table with name (?P<name>.+?) does not exist")
_NO_FUNCTION = re.compile(r"Function with name (?P<name>.+?) does not exist")
_CANDIDATES = re.compile(r"Candidate bindings?: (.*)")
_OTHER_TYPES = re.compile(r"Cannot compare values of type .*VARCHAR|explicit type casts|explicit cast is required")
_LOCKED = re.compile(r"disabled by configuration|has been locked|file system operations are disabled")


@dataclass(frozen=True, slots=True)
class Fault:
    """An error on its way out of the process that met it.

    Attributes:
        message: one sentence.
        hint: what to do about it.
        usage: the query is wrong; otherwise the data, or there is too much of it.
    """

    message: str
    hint: str | None
    usage: bool

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"message": self.message, "hint": self.hint, "usage": self.usage}


def missing_column(message: str) -> str | None:
    """Return the name of the column that a message misses."""
    return next((match["name"] for pattern in _MISSING if (match := pattern.search(message))), None)


def missing_table(message: str) -> str | None:
    """Return the name of the table that a message misses."""
    match = _NO_TABLE.search(message)
    return None if match is None else match["name"].strip('"')


def missing_function(message: str) -> str | None:
    """Return the name of the function that a message misses."""
    match = _NO_FUNCTION.search(message)
    return None if match is None else match["name"].strip('"')


def meaning(error: BaseException) -> Fault:
    """Return what an error of the engine means."""
    if isinstance(error, VisionError):
        return Fault(error.message, error.hint, error.exit_code == 2)
    kind, text = type(error).__name__, _first_line(str(error))
    if kind in _OF_MEMORY:
        hint = "Ask for fewer rows or columns, or count instead of listing."
        return Fault("the query needs more memory than it may take.", hint, usage=False)
    if _LOCKED.search(text):
        return Fault(f"a query reads the project's tables and nothing else: {text}", None, usage=True)
    return Fault(text, _hint(str(error)), kind in _OF_THE_QUERY)


def _first_line(text: str) -> str:
    """Return a message without the excerpt of the query; DuckDB puts the kind of error first."""
    line = text.split("\n", 1)[0].strip()
    return re.sub(r"^[A-Z][\w ]* Error: ", "", line) or "the query failed."


def _hint(text: str) -> str | None:
    match = _CANDIDATES.search(text)
    if _OTHER_TYPES.search(text):
        return "Say what a text is, as in speed::double > 30; a column of a CSV is text. `DESCRIBE images` lists types."
    return None if match is None else f"Columns with such names: {match[1].strip()}."
