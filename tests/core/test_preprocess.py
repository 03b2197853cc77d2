"""Preprocessing travels as JSON and is refused when it makes no sense."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision_cli.core.errors import DataError
from vision_cli.core.preprocess import Preprocess


@given(
    size=st.tuples(st.integers(1, 8192), st.integers(1, 8192)),
    resize=st.sampled_from(["crop", "stretch", "letterbox"]),
    crop_pct=st.floats(0.01, 1),
    channels=st.sampled_from([1, 3, 4]),
    mean=st.floats(-10, 10),
    std=st.floats(0.001, 10),
)
def test_json_round_trip(size, resize, crop_pct, channels, mean, std) -> None:  # type: ignore[no-untyped-def]
    value = Preprocess(size, resize, crop_pct, "bilinear", channels, (mean,) * channels, (std,) * channels)
    assert Preprocess.from_json(json.loads(json.dumps(value.as_json()))) == value


@pytest.mark.parametrize(
    "change",
    [
        {"size_px": [0, 10]},
        {"size_px": [10]},
        {"size_px": "x"},
        {"crop_pct": 0},
        {"std": [0, 0, 0]},
        {"mean": [0.5]},
        {"unknown": 1},
    ],
)
def test_nonsense_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(DataError):
        Preprocess.from_json(Preprocess().as_json() | change)
