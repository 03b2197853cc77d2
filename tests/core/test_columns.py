"""Numpy columns as Arrow's, beside what `pa.array` makes of them."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from vision_cli.core.columns import from_numpy


@pytest.mark.parametrize("kind", ["bool", "int8", "int16", "int32", "int64", "float32", "float64"])
@pytest.mark.parametrize("rows", [0, 1, 7, 8, 9, 1000])
@pytest.mark.parametrize("step", [1, 3])
def test_columns_are_those_of_arrow(kind: str, rows: int, step: int) -> None:
    rng = np.random.default_rng(rows)
    values = rng.integers(0, 2 if kind == "bool" else 100, rows * step).astype(kind)[::step]
    missing = rng.uniform(size=rows) < 0.3
    for mask in (None, missing, np.zeros(rows, np.bool_), np.ones(rows, np.bool_)):
        found, expected = from_numpy(values, mask), pa.array(values, mask=mask)
        found.validate(full=True)
        assert (found.type, found.null_count) == (expected.type, expected.null_count)
        assert found.equals(expected)


def test_numbers_that_are_no_numbers_stay() -> None:
    assert np.isnan(from_numpy(np.array([np.nan])).to_numpy()).all()
    assert from_numpy(np.array([np.nan])).null_count == 0


def test_the_column_shares_memory_and_outlives_the_name() -> None:
    values = np.arange(5)
    column = from_numpy(values)
    assert column.buffers()[1].address == values.ctypes.data
    del values
    assert column.to_pylist() == [0, 1, 2, 3, 4]


def test_masked_arrays_are_not_imported() -> None:
    code = "import sys, numpy as np; from vision_cli.core.columns import from_numpy; from_numpy(np.arange(3))"
    loaded = subprocess.run(
        [sys.executable, "-c", f"{code}; print('numpy.ma' in sys.modules)"], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "False"
