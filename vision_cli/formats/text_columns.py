"""Columns of texts: joined row by row, and cut into what each photo's file holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby, pairwise

import pyarrow as pa
import pyarrow.compute as pc


def joined(*parts: pa.Array | pa.Scalar | str) -> pa.Array:
    """Return the texts of columns and constants one behind the other; null where one is null.

    Neighbouring constants become one before: Arrow takes as long for a constant as for a column.
    """
    columns: list[pa.Array | pa.Scalar] = []
    for is_column, neighbours in groupby(parts, lambda part: isinstance(part, pa.Array)):
        some = list(neighbours)
        columns += some if is_column else [constant("".join(map(_text, some)))]
    return pc.binary_join_element_wise(*columns, constant(""))


@lru_cache(maxsize=256)
def constant(text: str) -> pa.Scalar:
    """Return a constant made once: Arrow looks for packages that it knows dates of, each time that it makes one."""
    return pa.scalar(text)


def _text(part: pa.Scalar | str) -> str:
    text: str = part if isinstance(part, str) else part.as_py()
    return text


def cut(texts: pa.Array, bounds: Iterable[int]) -> Iterator[memoryview]:
    """Yield the bytes between rows of a column without nulls, not copied.

    Args:
        texts: text or binary.
        bounds: the rows where a piece ends and the next begins, from the first one's begin to the last one's end.
    """
    places = _places(texts)
    return _between(texts, [places[row] for row in bounds])


def pieces(texts: pa.Array) -> Iterator[memoryview]:
    """Yield the bytes of each text of a column without nulls, not copied."""
    return _between(texts, _places(texts))


def _places(texts: pa.Array) -> list[int]:
    """Return where each text begins, and where the last one ends."""
    offsets = texts.buffers()[1]
    if offsets is None:
        return [0]
    places: list[int] = memoryview(offsets).cast("i")[texts.offset : texts.offset + len(texts) + 1].tolist()
    return places


def _between(texts: pa.Array, places: Sequence[int]) -> Iterator[memoryview]:
    whole = memoryview(texts.buffers()[2] or b"")
    return (whole[start:end] for start, end in pairwise(places))
