"""COCO annotations as they come in blocks: typed decoding first, record by record only where that fails.

Format: https://cocodataset.org/#format-data ; results: https://cocodataset.org/#format-results .
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vision_cli.core.spill import LongColumn
from vision_cli.formats.coco import careful as coco_careful
from vision_cli.formats.coco import columns as coco_columns
from vision_cli.formats.coco import outlines as coco_outlines
from vision_cli.formats.coco.careful import ABSENT, KNOWN, Record, Usual
from vision_cli.formats.coco.columns import Block
from vision_cli.formats.coco.texts import Texts
from vision_cli.formats.conserving import OUTLINES
from vision_cli.formats.json_source import JsonText, without_collector
from vision_cli.formats.problems import Problems

_USUAL = msgspec.json.Decoder(list[Usual])
_RECORDS = msgspec.json.Decoder(list[Record])
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_COLON = ord(":")


@dataclass(slots=True)
class Records:
    """Takes lists of records and keeps their columns; what is wrong goes to `problems`.

    Attributes:
        problems: of the file.
        outlines_of: names of the outlines that are kept of objects that have a box, too.
        with_records: whether records are kept byte for byte.
        blocks: columns so far.
        outlines: of all blocks.
        records: Arrow binary, if they are kept.
        attributes: Arrow text a block, or None where there are none.
        count: records so far.
        captions: records that are captions.
        panoptic: records of panoptic segmentation.
    """

    problems: Problems
    outlines_of: frozenset[str] = OUTLINES
    with_records: bool = True
    blocks: list[Block] = field(default_factory=list)
    outlines: Texts = field(default_factory=Texts)
    records: LongColumn = field(default_factory=LongColumn)
    attributes: list[pa.Array | None] = field(default_factory=list)
    count: int = 0
    captions: int = 0
    panoptic: int = 0

    def take(self, text: JsonText) -> None:
        """Add the records of a JSON list.

        Raises:
            msgspec.DecodeError: no list of JSON objects.
            DataError: a name stands twice in a record, or the text is not UTF-8.
        """
        with without_collector():
            found, raws = self._found(text)
            text.check_utf8()
            self._add(text, found, raws)

    def _found(self, text: JsonText) -> tuple[Sequence[Record | Usual], list[msgspec.Raw] | None]:
        """Return records, and their bytes where they had to be looked at one by one."""
        for decoder in (_USUAL, _RECORDS):
            try:
                return decoder.decode(text.data), None
            except msgspec.ValidationError:
                continue
        raws = _RAWS.decode(text.data)
        return [self._careful(row, raw) for row, raw in enumerate(raws)], raws

    def _careful(self, row: int, raw: msgspec.Raw) -> Record:
        def complain(kind: str, what: str, identity: Any) -> None:
            self.problems.add(kind, f"{place(self.count + row, identity)}: {what}")

        return coco_careful.record(raw, complain)

    def _add(self, text: JsonText, found: Sequence[Record | Usual], raws: list[msgspec.Raw] | None) -> None:
        def bad(kind: str, row: int, what: str) -> None:
            self.problems.add(kind, f"{place(self.count + row, found[row].id)}: {what}")

        said = coco_columns.members(found)
        segmentations = said.get("segmentation", ())
        outlines = coco_outlines.check(segmentations, ABSENT)
        for row, kind, what in outlines.bad:
            bad(kind, row, what)
        block = coco_columns.block(said, outlines, self.count, bad)
        plain = _colons(text.data) == block.present + outlines.colons
        if raws is None and (self.with_records or not plain):
            raws = _RAWS.decode(text.data)
        self.attributes.append(None if plain or raws is None else _attributes(text, raws))
        if self.with_records and raws is not None:
            self.records.append(pa.array(list(map(bytes, raws)), type=pa.binary()))
        self.outlines.take(segmentations, self._wanted(outlines.parts, np.isnan(block.boxes[:, 0])))
        self.blocks.append(block)
        self.captions += block.captions
        self.panoptic += block.panoptic
        self.count += len(found)

    def _wanted(self, parts: NDArray[np.int16], boxless: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which outlines are kept: those of objects without a box whatever they are."""
        wanted: NDArray[np.bool_] = boxless & (parts != 0)
        for name, rows in (("polygon", parts == 1), ("polygons", parts > 1), ("mask", parts < 0)):
            wanted |= rows if name in self.outlines_of else False
        return wanted


def place(row: int, identity: Any = None) -> str:
    """Return what a record is called in messages."""
    return f"annotations[{row}]" + ("" if identity is None else f" (id {str(identity)[:40]})")


def _colons(data: bytes) -> int:
    return int(np.count_nonzero(np.frombuffer(data, dtype=np.uint8) == _COLON))


def _attributes(text: JsonText, raws: Sequence[msgspec.Raw]) -> pa.Array | None:
    """Return the members that have no column, as JSON text each; None where no record has any."""
    found = [_others(text, members(text.where, raw)) for raw in raws]
    return pa.array(found, type=pa.string()) if any(found) else None


def members(where: Path, raw: msgspec.Raw) -> dict[str, msgspec.Raw]:
    """Return the members of an object, byte for byte; none of anything else.

    Raises:
        DataError: a name stands twice in it.
    """
    text = bytes(raw)
    if text[:1] != b"{":
        return {}
    found = _MEMBERS.decode(raw)
    inner = sum(bytes(value).count(b":") for value in found.values())
    if text.count(b":") != len(found) + inner + sum(name.count(":") for name in found):
        JsonText(where, text).members()
    return found


def _others(text: JsonText, found: dict[str, msgspec.Raw]) -> str | None:
    """Return the members without column as one JSON object; those of `attributes` stand in its place."""
    others = {name: raw for name, raw in found.items() if name not in KNOWN}
    if not others:
        return None
    for raw in others.values():
        value = bytes(raw)
        if value.count(b"{"):
            JsonText(text.where, value).value()  # refuses a name that stands twice
    nested = others.get("attributes")
    if nested is None or bytes(nested)[:1] != b"{":
        return _object(others)
    spread = _MEMBERS.decode(nested)
    rest = {name: raw for name, raw in others.items() if name != "attributes"}
    if spread.keys() & rest.keys():
        return _object(others)
    return str(bytes(nested), "utf-8") if not rest else _object({**spread, **rest})


def _object(found: dict[str, msgspec.Raw]) -> str:
    return msgspec.json.encode(found).decode()
