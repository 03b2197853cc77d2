"""Hand a data set to the function `write` of a user's program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import Written
from vision_cli.formats.conserving import pixels_of
from vision_cli.formats.mapping.program import call, function, load
from vision_cli.formats.placing import photo_names

_HINT = "write(path, columns) returns None, or for each photo its path below the folder."


def write(program: Path, dataset: Dataset, folder: Path) -> Written:
    """Write a data set with a user's program.

    Args:
        program: the file.
        dataset: any.
        folder: an empty one, which the program gets as `path`.

    Raises:
        DataError: the program fails, or the paths that it returns are none.
    """
    module = load(program)
    writer = function(module, program, "write")
    columns = columns_of(dataset)
    found = call(program, "write", lambda: writer(folder, columns))
    return Written(columns["images"]["path"] if found is None else _paths(program, found, len(dataset)), {})


def columns_of(dataset: Dataset) -> dict[str, Any]:
    """Return what a program gets: lists by name, as its own `read` would return them.

    `images.path` is the distinct name that the photo gets below the folder, `annotations.image` the row of its photo.
    """
    images = {name: dataset.images[name].to_pylist() for name in dataset.images.column_names if name != "record"}
    names = dataset.classes.names
    table = dataset.annotations
    annotations: dict[str, Any] = {
        "image": dataset.rows_of(table["image_id"]).tolist(),
        "label": [None if index is None else names[index] for index in table["class_id"].to_pylist()],
    }
    for name in table.column_names:
        if name not in ("id", "image_id", "class_id", "record", "outline_parts"):
            values = table[name].to_pylist()
            as_json = name in ("outline", "keypoints", "attributes")
            annotations[name] = [None if v is None else json.loads(v) for v in values] if as_json else values
    del images["id"], images["source"]
    images["path"] = photo_names(dataset)
    return {"images": images, "annotations": annotations, "classes": list(names), "pixels": pixels_of(dataset)}


def _paths(program: Path, found: Any, number: int) -> Sequence[str | None]:
    """Check the photos' paths that a program returns."""
    paths = list(found) if isinstance(found, list | tuple) else []
    if len(paths) != number:
        raise DataError(f"{program}: write returned {len(paths)} paths for {number} photos.", hint=_HINT)
    for path in paths:
        parts = path.split("/") if isinstance(path, str) else [".."]
        if path is not None and ("" in parts or "." in parts or ".." in parts or "\0" in path):
            raise DataError(f"{program}: write returned the path {path!r}.", hint=_HINT)
    return paths
