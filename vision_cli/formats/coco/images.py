"""COCO's `images` to columns: what has no column of its own becomes metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vision_cli.core.columns import IMAGE_COLUMNS, MORE_IMAGE_COLUMNS
from vision_cli.core.rle import MAX_PIXELS
from vision_cli.formats.coco import ids as coco_ids
from vision_cli.formats.coco.careful import identity, whole
from vision_cli.formats.coco.columns import Ids, id_array
from vision_cli.formats.coco.records import members
from vision_cli.formats.json_source import JsonText, without_collector
from vision_cli.formats.problems import Problems


class Photo(msgspec.Struct, gc=False):
    """A photo of a COCO file; the members that all such files have."""

    id: int | str | None = None
    width: int | None = None
    height: int | None = None
    file_name: str | None = None
    license: int | str | None = None
    coco_url: str | None = None
    date_captured: int | str | None = None
    flickr_url: str | None = None


_PHOTOS = msgspec.json.Decoder(list[Photo])
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_ANY = msgspec.json.Decoder()
_MEMBERS_OF_PHOTOS = Photo.__struct_fields__
_OWN = frozenset({"id", "width", "height", "file_name"})
_TAKEN = frozenset({*IMAGE_COLUMNS.names, *MORE_IMAGE_COLUMNS.names})
# A path that is empty, absolute, with a NUL, or with a part `..`; the folders are looked at later.
_BAD_PATH = r"^$|^/|\x00|(?:^|/)\.\.(?:/|$)|^[A-Za-z]:[/\\]"
_BEYOND = 2**31
_UNTIDY = r"(?:^|/)\.?/|(?:^|/)\.$"


@dataclass(frozen=True, slots=True)
class Photos:
    """The photos of a file, in its order.

    Attributes:
        ids: of the file.
        names: Arrow text, `file_name` without `./`.
        sizes: int64 (N, 2), width and height in pixels; 0 where they are not said.
        metadata: further columns.
        records: Arrow binary, byte for byte, if they are kept.
    """

    ids: Ids
    names: pa.Array
    sizes: NDArray[np.int64]
    metadata: Mapping[str, pa.Array]
    records: pa.Array | None


def place(row: int) -> str:
    """Return what a photo is called in messages."""
    return f"images[{row}]"


def read(text: JsonText, problems: Problems, *, records: bool) -> Photos:
    """Return the photos of a JSON list; what is wrong goes to `problems`."""
    with without_collector():
        raws = text.decode(_RAWS) if records else None
        columns = _usual(text) or _loose(text, problems)
    ids = id_array(columns["id"]) if columns["id"] else np.empty(0, dtype=np.int64)
    coco_ids.check(ids, place, problems)
    kept = None if raws is None else pa.array(list(map(bytes, raws)), type=pa.binary())
    metadata = {metadata_name(name): column(values) for name, values in columns.items() if name not in _OWN}
    metadata = {name: values for name, values in metadata.items() if values.null_count < len(values)}
    return Photos(ids, _names(columns, problems), _sizes(columns, problems), metadata, kept)


def _usual(text: JsonText) -> dict[str, list[Any]] | None:
    """Return the members of photos that have only the usual ones; None where one has others, or one that is odd."""
    try:
        found = _PHOTOS.decode(text.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    columns: dict[str, list[Any]] = {name: list(map(attrgetter(name), found)) for name in _MEMBERS_OF_PHOTOS}
    present = sum(len(values) - values.count(None) for values in columns.values())
    # In a text between quotes a quote has a backslash before it, so that this finds names, or too many.
    return columns if text.data.count(b'":') == present else None


def _loose(text: JsonText, problems: Problems) -> dict[str, list[Any]]:
    """Return all members of all photos by name, whatever they are."""
    raws = text.decode(_RAWS)
    columns: dict[str, list[Any]] = {name: [None] * len(raws) for name in _MEMBERS_OF_PHOTOS}
    for row, raw in enumerate(raws):
        if bytes(raw)[:1] != b"{":
            problems.add("bad photos", f"{place(row)} is {str(bytes(raw)[:40], 'utf-8', 'replace')}, no object")
            continue
        for name, value in members(text.where, raw).items():
            if name not in columns:
                columns[name] = [None] * len(raws)
            columns[name][row] = _checked(name, JsonText(text.where, bytes(value)).decode(_ANY), row, problems)
    return columns


def _checked(name: str, value: Any, row: int, problems: Problems) -> Any:
    try:
        if name == "id":
            return identity(value)
        if name in ("width", "height"):
            return whole(value)
    except ValueError as error:
        kind, what = error.args
        problems.add(kind, f"{place(row)}: {name} is {str(value)[:40]!r}{what}")
        return None
    if name == "file_name" and value is not None and not isinstance(value, str):
        problems.add("bad paths", f"{place(row)}: file_name is {str(value)[:40]!r}, no text")
        return None
    return value


def _names(columns: Mapping[str, Sequence[Any]], problems: Problems) -> pa.Array:
    names = pa.array(columns["file_name"], type=pa.string())
    if names.null_count:
        names = pc.coalesce(names, _names_of_urls(columns))
    bad = np.flatnonzero(pc.match_substring_regex(names, _BAD_PATH).fill_null(True))
    for row in bad.tolist():
        shown = names[row].as_py()
        problems.add(
            "bad paths",
            f"{place(row)}: file_name {'is missing' if shown is None else f'{shown[:80]!r} leads out of the folder'}",
            hint="A file_name is relative to the folder of the photos, with `/`, and stays in it.",
        )
    untidy = pc.match_substring_regex(names, _UNTIDY).fill_null(False)
    if pc.any(untidy).as_py():
        tidy = [
            None if name is None else "/".join(p for p in name.split("/") if p not in ("", "."))
            for name in names.to_pylist()
        ]
        return pa.array(tidy, type=pa.string())
    return names


def _names_of_urls(columns: Mapping[str, Sequence[Any]]) -> pa.Array:
    """Return folder and name of the photo from its address, as LVIS files have it instead of a name."""
    urls = [url if isinstance(url, str) else None for url in columns["coco_url"]]
    return pa.array([None if url is None else "/".join(url.split("/")[-2:]) for url in urls], type=pa.string())


def _sizes(columns: Mapping[str, Sequence[Any]], problems: Problems) -> NDArray[np.int64]:
    total = len(columns["width"])
    sizes = np.zeros((total, 2), dtype=np.int64)
    for side, name in enumerate(("width", "height")):
        sizes[:, side] = _lengths(columns[name])
        for row in np.flatnonzero(sizes[:, side] < 1).tolist():
            if columns[name][row] is not None:
                problems.add("bad photo sizes", f"{place(row)}: {name} is {columns[name][row]}")
    for row in np.flatnonzero(sizes.prod(axis=1) > MAX_PIXELS).tolist():
        problems.add(
            "bad photo sizes",
            f"{place(row)}: {columns['width'][row]} x {columns['height'][row]} pixels; the limit is {MAX_PIXELS:,}",
        )
    sizes[(sizes < 1).any(axis=1)] = 0
    return sizes


def _lengths(values: Sequence[int | None]) -> NDArray[np.int64]:
    """Return int64 (N,): 0 where nothing is said, and no more than a little beyond what a photo may have."""
    try:
        said = np.fromiter(values, dtype=np.int64, count=len(values))
    except (TypeError, OverflowError):  # one says nothing, or is beyond 64 bits
        said = np.array([0 if value is None else min(max(value, -1), _BEYOND) for value in values], dtype=np.int64)
    return np.clip(said, -1, _BEYOND)


def metadata_name(name: str) -> str:
    """Return a name that is no column of ours."""
    return f"{name}_" if name in _TAKEN else name


def column(values: Sequence[Any]) -> pa.Array:
    """Return a column of the values' own type; of several types, or of objects, it is JSON text."""
    kinds = set(map(type, values)) - {type(None)}
    try:
        if len(kinds) <= 1 and not kinds & {list, dict}:
            return pa.array(values)
        if kinds == {int, float}:
            return pa.array(values, type=pa.float64())
        if kinds == {list} and all(isinstance(item, int) for value in values if value for item in value):
            return pa.array(values, type=pa.list_(pa.int64()))
    except (pa.ArrowException, OverflowError):  # a whole number beyond 64 bits, or beyond a float's 53
        pass
    return pa.array([value if value is None else msgspec.json.encode(value).decode() for value in values], pa.string())
