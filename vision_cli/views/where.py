"""Keep the photos of a data set for which a condition holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow.compute as pc

from vision_cli.core.catalogue import suggestion
from vision_cli.core.columns import MORE_ANNOTATION_COLUMNS
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import UsageError, VisionError
from vision_cli.views import conditions, sandbox, sql_faults
from vision_cli.views.tables import tables

Mask = np.ndarray[Any, np.dtype[np.bool_]]
_NOTHING: dict[str, str | None] = {}


def holds(
    dataset: Dataset,
    condition: str,
    *,
    mapped: Mapping[str, str | None] = _NOTHING,
    place: str = "where",
    limits: sandbox.Limits = sandbox.DEFAULT,
) -> Mask:
    """Return bool (N,): the photos for which a condition holds; null counts as no.

    Args:
        dataset: photos with their annotations.
        condition: SQL over the columns of `images` with the helpers of `conditions.HELPERS`.
        mapped: what became of class names that are no longer in the class map.
        place: where the condition stands, for messages.
        limits: of time and memory.

    Raises:
        UsageError: it is no condition, or names a class or column that is not there.
        DataError: a value cannot be compared, or time or memory are used up.
    """
    inclusive = any(origin.pixels != "exclusive" for origin in dataset.origins.values())
    try:
        classes = conditions.Classes(dataset.classes, dict(mapped))
        parsed = conditions.parse(condition, classes, inclusive=inclusive)
        seen = tables(dataset)
        used = seen if parsed.uses_annotations else {"images": seen["images"]}
        kept = sandbox.run(parsed.sql, used, limits).table.column(0)
    except VisionError as error:
        raise _placed(error, dataset, place) from error
    return np.asarray(pc.is_in(dataset.images["id"], kept.combine_chunks()).to_numpy(zero_copy_only=False), np.bool_)


def _function_hint(name: str) -> str:
    guess = suggestion(name.casefold(), list(conditions.HELPERS))
    meant = f"Did you mean {conditions.HELPERS[guess].usage}? " if guess else ""
    return f"{meant}Beside the functions of SQL there are {', '.join(conditions.HELPERS)}."


def _placed(error: VisionError, dataset: Dataset, place: str) -> VisionError:
    """Return an error that says where the condition stands, and guesses which column was meant."""
    missing, function = sql_faults.missing_column(error.message), sql_faults.missing_function(error.message)
    if function is not None:
        return UsageError(f"{place}: there is no function '{function}'.", hint=_function_hint(function))
    _, no_truth, kind = error.message.partition(conditions.NO_TRUTH)
    if no_truth:
        text = f"{place}: the condition gives a value of type {kind}, which is neither true nor false."
        return UsageError(text, hint="Compare it, as in speed > 30, count('car') >= 2 or scene = 'city'.")
    if missing is None:
        return type(error)(f"{place}: {error.message}", hint=error.hint, details=error.details)
    images, annotations = dataset.images.column_names, dataset.annotations.column_names
    known = [name for name in (*images, *annotations) if not name.startswith("_")]
    guess = suggestion(missing, known)
    if missing in MORE_ANNOTATION_COLUMNS.names:
        hint = "The labels of these sources do not say it."
    elif guess is not None:
        hint = f"Did you mean '{guess}'?"
    else:
        hint = f"Columns of photos: {', '.join(images[:40])}."
    return type(error)(f"{place}: there is no column '{missing}'.", hint=hint)
