"""One thing that the data cannot support."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """A warning with its figure.

    Attributes:
        code: stable name, such as `few-test-photos`.
        message: what it is and why it matters, in one sentence.
        figure: the number that the message rests on.
        files: photos that it is about, the first hundred; a pair stands as `train/a.jpg = test/b.jpg`.
    """

    code: str
    message: str
    figure: float
    files: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return the finding as a member of a JSON document."""
        return {"code": self.code, "message": self.message, "figure": self.figure, "files": list(self.files)}


def listed(items: list[str], shown: int = 8) -> str:
    """Return the first items in one line, and how many more there are."""
    more = f" and {len(items) - shown} more" if len(items) > shown else ""
    return ", ".join(items[:shown]) + more
