"""Right and bottom edges: sums and differences in decimal numbers, so that text -> columns -> text loses no digit.

599.41 + 40.83 is 640.24 on paper and 640.24 again here, where binary numbers may give 640.2400000000001. Values of up
to six decimals, all that usual files hold, are added as whole millionths; the rest with `decimal`.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.columns import from_numpy

Floats = np.ndarray[Any, np.dtype[np.float64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

_SCALE = 1e6
_EXACT = 2.0**52
# Text of so many characters has the same value as the binary number next to it, and its sums are exact in millionths.
_PLAIN_CHARS = 16
# Exact for every pair of binary numbers: 309 digits before the point and 324 behind it.
_CONTEXT = Context(prec=1100)


def far_edges(near: Floats, extent: Floats) -> pa.StringArray:
    """Return the text of near + extent, the exact decimal sum of both as they are written."""
    near_units, near_plain = _units(near)
    extent_units, extent_plain = _units(extent)
    texts = pc.cast(from_numpy((near_units + extent_units) / _SCALE), pa.string())
    return _with_sums(texts, ~(near_plain & extent_plain), near, extent)


def extents(near: Floats, far: Floats, near_text: pa.StringArray, far_text: pa.StringArray) -> Floats:
    """Return far - near, the number next to the exact decimal difference of their texts."""
    near_units, near_plain = _units(near)
    far_units, far_plain = _units(far)
    short = [np.asarray(pc.less_equal(pc.binary_length(text), _PLAIN_CHARS)) for text in (near_text, far_text)]
    result: Floats = (far_units - near_units) / _SCALE
    for row in np.flatnonzero(~(near_plain & far_plain & short[0] & short[1])).tolist():
        result[row] = _difference(far_text[row].as_py(), near_text[row].as_py())
    return result


def _difference(far: str, near: str) -> float:
    try:
        return float(_CONTEXT.subtract(Decimal(far), Decimal(near)))
    except ArithmeticError:  # exponents that only `decimal` cannot hold: a number next to 0 in binary
        return float(far) - float(near)


def _units(values: Floats) -> tuple[Floats, Mask]:
    """Return whole millionths, and where they are the value itself."""
    with np.errstate(over="ignore"):
        units = np.rint(values * _SCALE)
    plain = np.abs(units) < _EXACT
    units = np.where(plain, units, 0.0)
    return units, plain & (units / _SCALE == values)


def _with_sums(texts: pa.StringArray, rows: Mask, near: Floats, extent: Floats) -> pa.StringArray:
    """Put exact sums in place of some texts; there are few of them, or none."""
    if not rows.any():
        return texts
    sums = [_sum(*pair) for pair in zip(near[rows].tolist(), extent[rows].tolist(), strict=True)]
    return pc.replace_with_mask(texts, from_numpy(rows), pa.array(sums, type=pa.string()))


def _sum(near: float, extent: float) -> str:
    return format(_CONTEXT.add(Decimal(repr(near)), Decimal(repr(extent))), "f")
