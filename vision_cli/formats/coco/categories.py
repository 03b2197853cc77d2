"""Categories of a COCO file that is written: ids and records of the source, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from vision_cli.core.dataset import Dataset
from vision_cli.core.origin import Origin
from vision_cli.formats.coco.careful import identity
from vision_cli.formats.coco.render import Id
from vision_cli.formats.coco.template import patched

_ANY = msgspec.json.Decoder()


@dataclass(frozen=True, slots=True)
class Categories:
    """What is written of the classes.

    Attributes:
        ids: by name, in the order of the class map.
        records: JSON objects, likewise.
        renumbered: id in the source to the one that is written, None where the class is gone; empty if all are as they
            were.
    """

    ids: Mapping[str, Id]
    records: Sequence[bytes]
    renumbered: Mapping[Id, Id | None] = field(default_factory=dict)


def of(dataset: Dataset, origins: Sequence[Origin], kept: Origin | None) -> Categories:
    """Return the categories of a data set.

    Args:
        dataset: with the class map.
        origins: of its sources.
        kept: the one origin whose records are templates, if it is of COCO's family.
    """
    said = {} if kept is None else {name: _ANY.decode(record) for name, record in kept.class_records.items()}
    before = {name: identity(record.get("id")) for name, record in said.items()}
    ids = _numbers(
        dataset.classes.names, {name: value for name, value in before.items() if value is not None} or _known(origins)
    )
    records = []
    for name in dataset.classes.names:
        record = kept.class_records.get(name) if kept is not None else None
        records.append(_record(name, ids[name], record, said.get(name)))
    moved = {value: ids.get(name) for name, value in before.items() if value is not None}
    same = all(key == value for key, value in moved.items())
    return Categories(ids, records, {} if same else moved)


def _known(origins: Sequence[Origin]) -> dict[str, Id]:
    """Return the ids that sources of COCO's family give classes by name; the first one that says so counts."""
    found: dict[str, Id] = {}
    for origin in origins:
        if origin.format in ("coco", "lvis", "panoptic"):
            for name, value in origin.class_ids.items():
                if name not in found and value not in found.values():
                    found[name] = value
    return found


def _numbers(names: Sequence[str], known: Mapping[str, Id]) -> dict[str, Id]:
    """Return an id a class: the known one, else the next number."""
    used = {known[name] for name in names if name in known}
    following = max([0, *(value for value in used if isinstance(value, int))]) + 1
    ids: dict[str, Id] = {}
    taken: set[Id] = set()
    for name in names:
        value = known.get(name)
        if value is None or value in taken:
            value, following = following, following + 1
        ids[name] = value
        taken.add(value)
    return ids


def _record(name: str, value: Id, record: bytes | None, said: Mapping[str, Any] | None) -> bytes:
    if record is None or said is None:
        return msgspec.json.encode({"id": value, "name": name, "supercategory": ""})
    changes: dict[str, Any] = {}
    if identity(said.get("id")) != value:
        changes["id"] = value
    plain = said["name"]
    if name != plain and name.rstrip("'") != f"{plain} [id {said.get('id')}]".strip():
        changes["name"] = name
    return patched(record, changes) if changes else record
