"""What must be true of YOLO rows, found by arrays; the words are made only where something is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vision_cli.formats.problems import Problems
from vision_cli.formats.yolo.rows import Flags, Forms, Integers, Rows, is_number, line_numbers

TOLERANCE = 0.01
"""How far shares may leave 0..1: what Ultralytics (`verify_image_label`) forgives. They are kept as they are."""
MAX_UNNAMED = 10_000
_SHOWN_CHARS = 60

_SHARES_HINT = "Values behind the class are shares of the photo's width and height, 0 to 1."
_COUNTS_HINT = "Rows are 'class cx cy w h' or 'class x1 y1 x2 y2 x3 y3 ...'."


def check(
    rows: Rows, found: Forms, class_indices: Mapping[int, int] | None, files: Sequence[str], problems: Problems
) -> None:
    """Find every bad row.

    Args:
        rows: all of a data set.
        found: what they are.
        class_indices: index of each class id of the source; None where nothing names them, then any below 10,000 fits.
        files: name of each text.
        problems: takes the findings.
    """
    bad = _not_numbers(rows), _bad_counts(found), _bad_classes(rows, class_indices), *_bad_values(rows, found)
    if not any(flags.any() for flags in bad):
        return
    lines = line_numbers(rows)
    for row in np.flatnonzero(np.logical_or.reduce(bad)).tolist():
        kind, text, hint = _explained(rows, row, [bool(flags[row]) for flags in bad])
        problems.add(kind, f"{files[int(rows.texts[row])]}:{lines[row]}: {text}", hint=hint)


def _not_numbers(rows: Rows) -> Flags:
    wrong = np.isnan(rows.classes)
    wrong[np.repeat(np.arange(len(wrong)), rows.counts)[np.isnan(rows.values)]] = True
    return np.asarray(wrong)


def _bad_counts(found: Forms) -> Flags:
    return np.asarray(found.coordinates == 0)


def _bad_classes(rows: Rows, class_indices: Mapping[int, int] | None) -> Flags:
    if class_indices is None:
        known = (rows.classes >= 0) & (rows.classes < MAX_UNNAMED) & (rows.classes % 1 == 0)
    else:
        known = np.isin(rows.classes, np.array(list(class_indices), dtype=np.float64))
    return np.asarray(~known)


def _bad_values(rows: Rows, found: Forms) -> tuple[Flags, Flags, Flags]:
    """Return the rows with shares out of range, a negative width or height, an odd visibility or score."""
    number = len(rows.records)
    owner = np.repeat(np.arange(number), rows.counts)
    position = np.arange(len(rows.values)) - np.repeat(rows.starts, rows.counts)
    behind = position - np.repeat(found.coordinates, rows.counts)
    is_point = np.repeat(found.keypoints, rows.counts) & (behind >= 0)
    is_visibility = is_point & (found.dimensions == 3) & (behind % found.dimensions == 2)
    is_score = np.repeat(found.scores, rows.counts) & (behind == 0)
    # Written so that NaN does not pass.
    in_range = (rows.values >= -TOLERANCE) & (rows.values <= 1 + TOLERANCE)
    shares = _rows_with(owner[~in_range & ~is_visibility & ~is_score], number)
    is_extent = np.repeat(found.boxes, rows.counts) & (position >= 2) & (position < 4)
    extents = _rows_with(owner[is_extent & (rows.values < 0)], number)
    fitting = np.where(is_visibility, np.isin(rows.values, (0, 1, 2)), (rows.values >= 0) & (rows.values <= 1))
    return shares, extents, _rows_with(owner[(is_visibility | is_score) & ~fitting], number)


def _rows_with(owners: Integers, number: int) -> Flags:
    flags = np.zeros(number, dtype=np.bool_)
    flags[owners] = True
    return flags


def _explained(rows: Rows, row: int, wrong: Sequence[bool]) -> tuple[str, str, str]:
    """Return kind, text and hint of the first thing that is wrong with a row."""
    not_number, count, bad_class, share, extent, _ = wrong
    tokens = rows.records[row].split()
    start = int(rows.starts[row])
    values = rows.values[start : start + int(rows.counts[row])]
    if not_number:
        text = next((token for token in tokens if not is_number(token)), tokens[0])
        return "values that are no numbers", f"{_shown(text)} is not a number", _SHARES_HINT
    if count:
        return "rows of a wrong length", f"{len(values)} values behind the class", _COUNTS_HINT
    if bad_class:
        hint = "Class ids count from 0; name them in data.yaml, classes.txt or obj.names."
        return "unknown classes", f"class {_shown(tokens[0])} is not in the class map", hint
    if share:
        off = int(np.flatnonzero((values < -TOLERANCE) | (values > 1 + TOLERANCE))[0])
        pixels = values.max() > 2
        hint = f"{_SHARES_HINT} These look like pixels." if pixels else f"{_SHARES_HINT} Up to 0.01 beyond is accepted."
        return "values out of range", f"{_shown(tokens[off + 1])} is no share between 0 and 1", hint
    if extent:
        return "negative widths or heights", f"width or height is negative: {_shown(rows.records[row])}", _SHARES_HINT
    hint = "Visibilities are 0, 1 or 2, scores 0 to 1."
    return "bad visibilities or scores", f"in {_shown(rows.records[row])}", hint


def _shown(text: bytes) -> str:
    return repr(text.strip()[:_SHOWN_CHARS].decode("utf-8", "replace"))
