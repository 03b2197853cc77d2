"""Frozen results as the one JSON document that `--json` prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

SCHEMA_VERSION = 1


def plain(value: Any) -> Any:
    """Return a result as dicts, lists and scalars; a class may say it better in its own `as_json`."""
    if hasattr(value, "as_json"):
        return plain(value.as_json())
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str) or hasattr(value, "tolist"):
        return value
    return str(value)


def document(command: str, ok: bool, members: Mapping[str, Any]) -> dict[str, Any]:
    """Return a whole document: schema version, command and verdict first, then the result's own members."""
    return {"schema_version": SCHEMA_VERSION, "command": command, "ok": ok, **plain(members)}
