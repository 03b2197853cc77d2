"""Strict JSON (RFC 8259) of any origin: no NaN, no repeated keys, no depth that ends the process."""

from __future__ import annotations

import json
from typing import Any

_SHOWN = 60


def decoded(content: bytes | str) -> Any:
    """Return a document's value.

    Raises:
        ValueError: no UTF-8, no JSON, NaN, a repeated key, or too deep; its text says what and at which character.
    """
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
        return json.loads(text, object_pairs_hook=_pairs, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON at character {error.pos}: {error.msg}") from error


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {repeated[:_SHOWN]!r} is repeated")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
