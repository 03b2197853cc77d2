"""Whether what is there was made with the same settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from vision_cli.core import files


def differences(there: Any, now: Mapping[str, Any]) -> list[str]:
    """Return in what settings differ, a line each."""
    before = there if isinstance(there, Mapping) else {}
    plain = json.loads(files.json_text(now))
    names = dict.fromkeys((*plain, *before))
    return [
        f"{name}: {_told(before.get(name))} there, {_told(plain.get(name))} now"
        for name in names
        if before.get(name) != plain.get(name)
    ]


def _told(value: Any) -> str:
    return files.json_text(value, indent=None)
