"""Strict JSON (RFC 8259) of any origin: no NaN, no repeated keys, no depth that ends the process."""

from __future__ import annotations

import json
import math
import re
from typing import Any

_SHOWN = 60
_LARGE = re.compile(r"[0-9][eE]\+?[0-9]{2}|[0-9]{300}")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def decoded(content: bytes | str) -> Any:
    """Return a document's value.

    Raises:
        ValueError: no UTF-8, no JSON, NaN, a number beyond a float, a repeated key, half of a surrogate pair, or too
            deep; its text says what and at which character.
    """
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
        # Python makes infinity of 1e999; a hook for every number would double the time.
        number = _finite if _LARGE.search(text) else None
        value = json.loads(text, object_pairs_hook=_pairs, parse_constant=_refuse_constant, parse_float=number)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except UnicodeEncodeError as error:
        raise ValueError("half of a surrogate pair, which is no character") from error
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


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:_SHOWN]} is no finite number")
    return value
