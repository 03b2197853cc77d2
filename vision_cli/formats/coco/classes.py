"""COCO's `categories`: names as they are, made distinct where they are not, and the records kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from vision_cli.formats.coco import ids as coco_ids
from vision_cli.formats.coco.careful import identity
from vision_cli.formats.coco.columns import Ids, id_array
from vision_cli.formats.coco.records import members
from vision_cli.formats.json_source import JsonText
from vision_cli.formats.problems import Problems

_RAWS = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Classes:
    """The categories of a file, in its order.

    Attributes:
        names: distinct and not empty.
        ids: of the file.
        records: byte for byte.
    """

    names: Sequence[str]
    ids: Ids
    records: Sequence[bytes]


def read(text: JsonText, problems: Problems) -> Classes:
    """Return the categories of a JSON list; what is wrong goes to `problems`."""
    raws = text.decode(_RAWS)
    names, ids = [], []
    for row, raw in enumerate(raws):
        name, value = _category(text, row, raw, problems)
        names.append(name)
        ids.append(value)
    array = id_array(ids) if ids else np.empty(0, dtype=np.int64)
    coco_ids.check(array, lambda row: f"categories[{row}] ({names[row][:40]!r})", problems)
    return Classes(distinct(names, ids), array, [bytes(raw) for raw in raws])


def _category(text: JsonText, row: int, raw: msgspec.Raw, problems: Problems) -> tuple[str, int | str | None]:
    where = f"categories[{row}]"
    if bytes(raw)[:1] != b"{":
        problems.add("bad categories", f"{where} is {str(bytes(raw)[:40], 'utf-8', 'replace')}, no object")
        return "", row
    found = members(text.where, raw)
    name: Any = msgspec.json.decode(found["name"]) if "name" in found else None
    if not isinstance(name, str):
        problems.add("categories without a name", f"{where} has the name {str(name)[:40]!r}, no text")
        name = ""
    try:
        return name, identity(msgspec.json.decode(found["id"]) if "id" in found else None)
    except ValueError:
        problems.add("bad ids", f"{where}: id is {str(bytes(found['id'])[:40], 'utf-8', 'replace')}")
        return name, row


def distinct(names: Sequence[str], ids: Sequence[Any]) -> list[str]:
    """Return names that a class map takes: equal and empty ones get ` [id 7]` behind them."""
    counts = Counter(names)
    used = {name for name in names if name and counts[name] == 1}
    result = []
    for name, value in zip(names, ids, strict=True):
        if not name or counts[name] > 1:
            name = f"{name} [id {value}]".strip()
            while name in used:
                name += "'"
            used.add(name)
        result.append(name)
    return result
