"""Attributes of photos as numbers that stand beside a network's features: prices, places, makes.

An attribute that is not known counts as the average of the training photos: it adds nothing. What a linear classifier
makes of attributes is added to its raw outputs, outside of the graph, as everything that decodes them is; so the same
exported file serves with attributes and without.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vision_cli.core.catalogue import listed, suggestion
from vision_cli.core.errors import DataError, UsageError

Floats = NDArray[np.float64]
MEMBER = "attributes"
"""Of `Card.model`: the attributes that a model was fitted with."""
MOST_VALUES = 100
_BOUND = 5.0
"""Standard deviations; a number further out counts as if it were there."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column of `images` as numbers of mean 0 over the training photos.

    Attributes:
        name: of the column.
        mean: of the numbers of the training photos.
        std: of them.
        values: texts that the training photos have, sorted; empty for a column of numbers.
        shares: of the training photos with each of the values.
    """

    name: str
    mean: float = 0.0
    std: float = 1.0
    values: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()

    @property
    def width(self) -> int:
        """Return how many numbers it is."""
        return len(self.values) or 1

    def encode(self, column: pa.ChunkedArray) -> Floats:
        """Return float64 (N, width): 0 where a photo has no value, or one that was never seen."""
        if not self.values:
            numbers = _numbers(column)
            if numbers is None:
                raise DataError(f"the attribute '{self.name}' is no number in all photos.", hint="Mend its column.")
            spread = np.clip((numbers - self.mean) / self.std, -_BOUND, _BOUND)
            return np.nan_to_num(spread)[:, None]
        texts = _texts(column)
        found = np.zeros((len(texts), len(self.values)))
        places = {text: at for at, text in enumerate(self.values)}
        for row, text in enumerate(texts):
            if text in places:
                found[row] = -np.array(self.shares)
                found[row, places[text]] += 1.0
        return found

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "name": self.name,
            "mean": self.mean,
            "std": self.std,
            "values": list(self.values),
            "shares": list(self.shares),
        }


def fit(table: pa.Table, names: Sequence[str]) -> list[Attribute]:
    """Return the attributes of training photos.

    Raises:
        UsageError: there is no such column, or one of too many texts.
        DataError: a column has the same value everywhere, or none.
    """
    return [_fitted(name, column_of(table, name)) for name in names]


def encode(attributes: Sequence[Attribute], table: pa.Table) -> Floats:
    """Return the attributes of photos, float64 (N, sum of widths).

    Raises:
        UsageError: there is no such column.
    """
    parts = [each.encode(column_of(table, each.name)) for each in attributes]
    return np.concatenate([np.empty((len(table), 0)), *parts], axis=1)


def as_json(attributes: Sequence[Attribute], weights: Floats) -> list[dict[str, Any]]:
    """Return what `shares` reads: attributes with the weight of each of their numbers in each raw output.

    Args:
        attributes: as fitted.
        weights: float64 (C, sum of widths).
    """
    ends = np.cumsum([each.width for each in attributes])[:-1]
    parts = np.split(weights, ends, axis=1)
    return [each.as_json() | {"weights": part.tolist()} for each, part in zip(attributes, parts, strict=True)]


def names_of(model: Mapping[str, Any]) -> list[str]:
    """Return the attributes that a model was fitted with, of `Card.model`."""
    return [str(each["name"]) for each in model.get(MEMBER, ())]


def shares(model: Mapping[str, Any], table: pa.Table) -> Floats | None:
    """Return what the attributes of photos add to the raw outputs, float64 (N, C); None for a model without any.

    Args:
        model: `Card.model`.
        table: the photos; a column that it does not have is not known.

    Raises:
        DataError: the card's attributes are not whole.
    """
    found = model.get(MEMBER)
    if not found:
        return None
    try:
        parts = []
        for each in found:
            attribute = Attribute(
                str(each["name"]),
                float(each["mean"]),
                float(each["std"]),
                tuple(map(str, each["values"])),
                tuple(map(float, each["shares"])),
            )
            weights = np.asarray(each["weights"], np.float64)
            if attribute.name in table.column_names:
                parts.append(attribute.encode(table[attribute.name]) @ weights.T)
            else:
                parts.append(np.zeros((len(table), len(weights))))
        return np.asarray(sum(parts))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"model card: its attributes are not whole: {error!r}.", hint="Train again.") from error


def column_of(table: pa.Table, name: str) -> pa.ChunkedArray:
    """Return a column of photos.

    Raises:
        UsageError: there is none of that name.
    """
    if name in table.column_names:
        return table[name]
    guess = suggestion(name, table.column_names)
    raise UsageError(
        f"model.features.columns: the photos have no column '{name}'.",
        hint=(f"Did you mean '{guess}'? " if guess else "") + f"Columns: {listed(table.column_names)}.",
    )


def _fitted(name: str, column: pa.ChunkedArray) -> Attribute:
    numbers = _numbers(column)
    if numbers is not None:
        known = numbers[np.isfinite(numbers)]
        std = float(known.std()) if len(known) else 0.0
        if not std > 0 or not math.isfinite(std):
            raise DataError(
                f"model.features.columns: '{name}' is the same in all training photos.", hint="Leave it out."
            )
        return Attribute(name, float(known.mean()), std)
    counts = Counter(text for text in _texts(column) if text is not None)
    if len(counts) > MOST_VALUES:
        raise UsageError(
            f"model.features.columns: '{name}' has {len(counts)} different texts; {MOST_VALUES} are allowed.",
            hint="Choose a column that groups photos, or one of numbers.",
        )
    if len(counts) < 2:
        raise DataError(f"model.features.columns: '{name}' is the same in all training photos.", hint="Leave it out.")
    total = sum(counts.values())
    values = tuple(sorted(counts))
    return Attribute(name, values=values, shares=tuple(counts[value] / total for value in values))


def _numbers(column: pa.ChunkedArray) -> Floats | None:
    """Return a column as float64 (N,), NaN where there is none; None where some are texts."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
        column = column.cast(pa.float64())
    elif pa.types.is_decimal(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        try:
            column = pc.if_else(pc.equal(pc.utf8_trim_whitespace(column.cast(pa.string())), ""), None, column)
            column = column.cast(pa.float64())
        except pa.ArrowInvalid:
            return None
    else:
        return None
    numbers = column.to_numpy(zero_copy_only=False).astype(np.float64)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _texts(column: pa.ChunkedArray) -> list[str | None]:
    texts = [None if value is None else str(value).strip() for value in column.to_pylist()]
    return [text or None for text in texts]
