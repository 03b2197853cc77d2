"""The one exception tree. The command line turns each class into one exit code.

Exit codes: 0 done, 1 our bug, 2 command line or project file, 3 input refused, 4 the answer is no,
5 a part is not installed, 6 disk, memory or lock, 130/143 interrupted.
"""

from __future__ import annotations

from collections.abc import Sequence


class VisionError(Exception):
    """Anything the user can do something about.

    Args:
        message: where it is and what is wrong, in one sentence.
        hint: what to do about it.
        details: one line a further finding, so that all problems are reported at once.
    """

    exit_code = 1
    kind = "error"

    def __init__(self, message: str, *, hint: str | None = None, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = tuple(details)

    def as_json(self) -> dict[str, object]:
        """Return the error as the `error` member of a JSON document."""
        return {
            "kind": self.kind,
            "message": self.message,
            "hint": self.hint,
            "details": list(self.details),
            "exit_code": self.exit_code,
        }


class UsageError(VisionError):
    """The command line or the project file is wrong."""

    exit_code = 2
    kind = "usage"


class DataError(VisionError):
    """A photo, an annotation, a model file or any other input is refused."""

    exit_code = 3
    kind = "data"


class AnswerIsNo(VisionError):
    """The command ran to its end and the answer is no: a KPI missed, a parity broken, a loss not allowed."""

    exit_code = 4
    kind = "no"


class MissingPartError(VisionError):
    """A package that the command needs is not installed."""

    exit_code = 5
    kind = "missing"


class ResourceError(VisionError):
    """Disk, memory or a lock is not to be had."""

    exit_code = 6
    kind = "resource"
