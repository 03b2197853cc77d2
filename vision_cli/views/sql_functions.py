"""Functions of SQL whose answers are looked up: the query learns what it may know, and tells what it would ask.

Nothing of the locked process is opened for them. What is not known is null there and is noted; who runs the query
works the answers out and runs it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Key = tuple[str, str]
"""The two texts that a function is called with."""
MOST_ASKED = 1_000_000


@dataclass(frozen=True, slots=True)
class Function:
    """A function of two texts.

    Attributes:
        name: in SQL.
        kind: of its answers, as SQL calls it: VARCHAR or DOUBLE.
        known: answers that were worked out; None is null.
    """

    name: str
    kind: str
    known: Mapping[Key, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Asked:
    """What a query would ask."""

    keys: dict[Key, None] = field(default_factory=dict)

    def register(self, connection: Any, functions: Sequence[Function]) -> None:
        """Give functions to a connection of DuckDB."""
        for each in functions:
            connection.create_function(
                each.name,
                self._lookup(each.known),
                ["VARCHAR", "VARCHAR"],
                each.kind,
                null_handling="special",
                side_effects=False,
            )

    def _lookup(self, known: Mapping[Key, Any]) -> Callable[[str | None, str | None], Any]:
        def answer(first: str | None, second: str | None) -> Any:
            if first is None or second is None:
                return None
            key = (first, second)
            if key not in known and len(self.keys) < MOST_ASKED:
                self.keys[key] = None
            return known.get(key)

        return answer
