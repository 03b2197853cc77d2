"""Lines of KITTI label files, to columns and back. No files here.

Columns, separated by spaces: type, truncated (0 to 1), occluded (0 to 3), alpha (radians), left, top, right, bottom
(pixels from 0), height, width, length (metres), x, y, z (metres), rotation_y (radians), and in results a score.
Source: readme.txt of the object development kit, https://www.cvlibs.net/datasets/kitti/eval_object.php; values that say
'unknown' are those of its writeLabels.m.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from vision_cli.formats.edges import extents

NAMES = (
    *("type", "truncated", "occluded", "alpha", "left", "top", "right", "bottom"),
    *("height_m", "width_m", "length_m", "x_m", "y_m", "z_m", "rotation_y", "score"),
)
UNKNOWN = {
    **{"truncated": -1, "occluded": -1, "alpha": -10, "height_m": -1, "width_m": -1, "length_m": -1},
    **{"x_m": -1000, "y_m": -1000, "z_m": -1000, "rotation_y": -10},
}
"""What stands where nothing is known."""

_TEXTS = ("type", "left", "top", "right", "bottom")
_COUNTS = (15, 16)
_NUMBER = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_ODD_SPACES = (b"\t", b"\v", b"\f", b"\0")
_OTHER_SPACE = re.compile(r"[\s%\x00-\x1f\x7f]")

Report = Callable[[int, str, str], None]
"""Takes the row, the kind of problem and what is wrong."""


def split_lines(content: bytes) -> list[bytes]:
    """Return one record a line with text, with its line end and the blank lines before it; joined they are the file.

    Blank lines at the end belong to the last record.
    """
    records = content.splitlines(keepends=True)
    if all(record.strip() for record in records):
        return records
    whole: list[bytes] = []
    blank = b""
    for record in records:
        if record.strip():
            whole.append(blank + record)
            blank = b""
        else:
            blank += record
    if whole:
        whole[-1] += blank
    return whole


def parse(records: Sequence[bytes], report: Report) -> pa.Table:
    """Return the columns of NAMES: texts for the type and the box, float64 for the rest; `score` may be null.

    Args:
        records: of `split_lines`.
        report: is told of each line that is refused; the table is of no use then.
    """
    columns = _parsed_at_once(records)
    return _parsed_one_by_one(records, report) if columns is None else columns


def _parsed_at_once(records: Sequence[bytes]) -> pa.Table | None:
    """Read regular lines of one number of columns; None where any line needs a closer look."""
    content = b"".join(records)
    number = len(records[0].split()) if records else 0
    if number not in _COUNTS or any(space in content for space in _ODD_SPACES):
        return None
    names = NAMES[:number]
    types = {name: pa.string() if name in _TEXTS else pa.float64() for name in names}
    try:
        table = csv.read_csv(
            pa.BufferReader(content),
            read_options=csv.ReadOptions(column_names=names, use_threads=False),
            parse_options=csv.ParseOptions(delimiter=" ", quote_char=False, double_quote=False),
            convert_options=csv.ConvertOptions(column_types=types, null_values=[], strings_can_be_null=False),
        )
        for name in _TEXTS[1:]:
            pc.cast(table[name], pa.float64())
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None
    if table.num_rows != len(records) or pc.any(pc.equal(table["type"], "")).as_py():
        return None
    return table.combine_chunks() if number == len(NAMES) else _with_scores(table, None)


def _with_scores(table: pa.Table, scores: list[float | None] | None) -> pa.Table:
    column = pa.nulls(table.num_rows, pa.float64()) if scores is None else pa.array(scores, type=pa.float64())
    return table.combine_chunks().append_column("score", column)


def _parsed_one_by_one(records: Sequence[bytes], report: Report) -> pa.Table:
    rows = [_row(record, row, report) for row, record in enumerate(records)]
    columns: dict[str, Any] = {}
    for index, name in enumerate(NAMES[:-1]):
        values = [row[index] for row in rows]
        columns[name] = pa.array(values, pa.string()) if name in _TEXTS else pa.array(map(float, values), pa.float64())
    scores = [float(row[15]) if len(row) == len(NAMES) else None for row in rows]
    return _with_scores(pa.table(columns), scores)


def _row(record: bytes, row: int, report: Report) -> list[str]:
    """Return a line's texts; of a line that is refused, zeros."""
    zeros = ["", *["0"] * 14]
    tokens = record.strip(b" \r\n").split(b" ")
    tokens = [token for token in tokens if token]
    if any(space in record for space in _ODD_SPACES):
        report(row, "odd separators", "columns are separated by spaces, not by tabs or other characters")
    elif len(tokens) not in _COUNTS:
        report(row, "lines of other than 15 or 16 columns", f"has {len(tokens)} columns{_guess(len(tokens))}")
    elif wrong := next((index for index, text in enumerate(tokens[1:], 1) if not _NUMBER.fullmatch(text)), 0):
        shown = tokens[wrong][:40].decode("utf-8", "backslashreplace")
        report(row, "bad numbers", f"{NAMES[wrong]} is {shown!r}, not a plain finite number")
    else:
        try:
            return [token.decode() for token in tokens]
        except UnicodeDecodeError:
            report(row, "types that are not UTF-8", "the type is not UTF-8 text")
    return zeros


def _guess(number: int) -> str:
    return "; 17 are KITTI's tracking labels" if number == 17 else ""


def check(table: pa.Table, report: Report) -> None:
    """Report values out of range: numbers not finite, truncation, occlusion, and edges in the wrong order."""
    values = {name: _floats(table, name) for name in NAMES[1:]}
    for name, column in values.items():
        bad = ~np.isfinite(column)
        if name == "score":
            bad &= np.asarray(table["score"].is_valid())
        _report_rows(bad, report, "bad numbers", f"{name} is not a finite number")
    truncated, occluded = values["truncated"], values["occluded"]
    bad = ~(((truncated >= 0) & (truncated <= 1)) | (truncated == -1))
    _report_rows(bad, report, "bad truncations", "truncated lies between 0 and 1, or is -1")
    bad = ~np.isin(occluded, (-1, 0, 1, 2, 3))
    _report_rows(bad, report, "bad occlusions", "occluded is 0, 1, 2 or 3, or -1")
    bad = (values["right"] < values["left"]) | (values["bottom"] < values["top"])
    _report_rows(bad, report, "boxes turned over", "right is left of left, or bottom above top")


def _report_rows(bad: np.ndarray[Any, np.dtype[np.bool_]], report: Report, kind: str, text: str) -> None:
    for row in np.flatnonzero(bad).tolist():
        report(row, kind, text)


def _floats(table: pa.Table, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    column = pc.cast(table[name], pa.float64()) if name in _TEXTS else table[name]
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def to_columns(table: pa.Table) -> dict[str, pa.Array]:
    """Return columns of `annotations`: box, truncation, occlusion, the third dimension, score; unknown is null."""
    edges = {name: (_floats(table, name), table[name].combine_chunks()) for name in _TEXTS[1:]}
    boxes = {}
    for near, far, start, extent in (("left", "right", "x", "w"), ("top", "bottom", "y", "h")):
        boxes[start] = pa.array(edges[near][0])
        boxes[extent] = pa.array(extents(edges[near][0], edges[far][0], edges[near][1], edges[far][1]))
    result = {name: boxes[name] for name in "xywh"}
    for name, unknown in UNKNOWN.items():
        values = _floats(table, name)
        array = pa.array(values, mask=values == unknown)
        result[name] = array.cast(pa.int8()) if name == "occluded" else array
    result["score"] = table["score"].combine_chunks()
    return result


def type_of(name: str) -> str:
    """Return a class name as one word: white space, control characters and `%` become `%20` and the like."""
    return _OTHER_SPACE.sub(lambda found: urllib.parse.quote(found[0]), name)


def name_of(word: str) -> str:
    """Return the class name of a word; the inverse of `type_of`, and the word itself where that never wrote it."""
    name = urllib.parse.unquote(word, errors="replace")
    return name if type_of(name) == word else word
