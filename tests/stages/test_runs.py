"""Rows of large texts, beside Arrow's own filter."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_cli.stages.converting import runs

ROWS = st.lists(st.tuples(st.one_of(st.none(), st.binary(max_size=4)), st.booleans()))


@settings(max_examples=200, derandomize=True, deadline=None)
@given(ROWS, st.integers(0, 3))
def test_as_arrow_filters(rows: list[tuple[bytes | None, bool]], before: int) -> None:
    texts = pa.array([b"x", None, b"yy"][:before] + [text for text, _ in rows], pa.binary()).slice(before)
    mask = np.array([kept for _, kept in rows], dtype=np.bool_)
    found = runs.kept(texts, mask)
    found.validate(full=True)
    assert found.to_pylist() == texts.filter(pa.array(mask)).to_pylist()
