"""Attributes of photos as numbers beside features."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from vision_cli.core import attributes
from vision_cli.core.errors import DataError, UsageError

TABLE = pa.table(
    {
        "price": ["1.5", "2.5", None, "4.5", " "],
        "rooms": [1, 2, 3, None, 4],
        "town": ["Bonn", "Köln", "Bonn", None, "Bonn"],
        "new": [True, False, True, True, None],
        "same": ["a"] * 5,
        "one": [7.0] * 5,
        "id": [f"x{number}" for number in range(5)],
    }
)


def encoded(name: str, table: pa.Table = TABLE) -> Any:
    return attributes.encode(attributes.fit(TABLE, [name]), table)


def test_numbers_are_standardised_and_what_is_missing_is_the_average() -> None:
    known = np.array([1.5, 2.5, 4.5])
    expected = [*((known - known.mean()) / known.std())]
    assert encoded("price")[:, 0] == pytest.approx([expected[0], expected[1], 0, expected[2], 0])
    rooms = np.array([1, 2, 3, 4])
    assert encoded("rooms")[3, 0] == 0
    assert encoded("rooms")[0, 0] == pytest.approx((1 - rooms.mean()) / rooms.std())
    assert encoded("new")[:, 0] == pytest.approx([0.25, -0.75, 0.25, 0.25, 0] / np.std([1, 0, 1, 1]))


def test_texts_are_one_hot_around_their_shares() -> None:
    assert encoded("town") == pytest.approx(
        np.array([[0.25, -0.25], [-0.75, 0.75], [0.25, -0.25], [0, 0], [0.25, -0.25]])
    )
    assert encoded("town", pa.table({"town": ["Rom", "Köln"]})) == pytest.approx(np.array([[0, 0], [-0.75, 0.75]]))


def test_an_outlier_counts_as_five_standard_deviations() -> None:
    assert encoded("rooms", pa.table({"rooms": [10**9, -(10**9)]}))[:, 0].tolist() == [5, -5]


def test_training_photos_have_the_mean_zero() -> None:
    known = attributes.fit(TABLE, ["price", "rooms", "town", "new"])
    assert np.abs(attributes.encode(known, TABLE).mean(axis=0)).max() < 1e-12


def test_shares_are_the_weighted_numbers_and_a_column_that_is_not_there_adds_nothing() -> None:
    known = attributes.fit(TABLE, ["price", "town"])
    weights = np.random.default_rng(0).normal(size=(3, 3))
    model = {attributes.MEMBER: attributes.as_json(known, weights)}
    assert attributes.shares(model, TABLE) == pytest.approx(attributes.encode(known, TABLE) @ weights.T)
    town = attributes.shares(model, TABLE.select(["town"]))
    assert town == pytest.approx(attributes.encode(known[1:], TABLE) @ weights[:, 1:].T)
    assert attributes.shares({}, TABLE) is None
    assert attributes.names_of(model) == ["price", "town"]
    with pytest.raises(DataError, match="not whole"):
        attributes.shares({attributes.MEMBER: [{"name": "price"}]}, TABLE)


@pytest.mark.parametrize(("name", "kind", "said"), [
    ("prize", UsageError, "price"),
    ("same", DataError, "same in all"),
    ("one", DataError, "same in all"),
])  # fmt: skip
def test_columns_that_say_nothing_are_refused(name: str, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind) as caught:
        attributes.fit(TABLE, [name])
    assert said in f"{caught.value} {caught.value.hint}"  # type: ignore[attr-defined]


def test_a_column_of_as_many_texts_as_photos_is_refused() -> None:
    table = pa.table({"id": [f"x{number}" for number in range(attributes.MOST_VALUES + 1)]})
    with pytest.raises(UsageError, match="different texts"):
        attributes.fit(table, ["id"])
