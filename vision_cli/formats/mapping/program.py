"""A house format as one Python file: `read(path)` gives columns, `write(path, columns)` takes them.

The file is a program that the user names on the command line with `--mapping`; it runs with the user's rights, and is
never looked for, neither beside the data nor in a project file of somebody else. See docs/formats_of_your_own.md.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pyarrow as pa

from vision_cli.core import outline_columns
from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS, MORE_ANNOTATION_COLUMNS, MORE_IMAGE_COLUMNS
from vision_cli.core.containment import Containment
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError, MissingPartError, VisionError
from vision_cli.core.files import read_limited, utf8
from vision_cli.core.origin import Origin, Pixels
from vision_cli.formats import ReadOptions, photos
from vision_cli.formats.photo_sizes import sizes_of
from vision_cli.formats.problems import Problems

_MAX_BYTES = 1 << 22
_HINT = "docs/formats_of_your_own.md shows a whole program."
_PIXELS: tuple[Pixels, ...] = ("exclusive", "inclusive-0", "inclusive-1")
_JSON = ("outline", "keypoints", "attributes")
_TOP = ("images", "annotations", "classes", "pixels", "notes")
_IMAGE_TYPES = {
    f.name: f.type for f in [*IMAGE_COLUMNS, *MORE_IMAGE_COLUMNS] if f.name not in ("id", "source", "record")
}
_ANNOTATION_TYPES = {
    f.name: f.type
    for f in [*ANNOTATION_COLUMNS, *MORE_ANNOTATION_COLUMNS]
    if f.name not in ("id", "image_id", "class_id", "record", "outline_parts")
}


def load(path: Path) -> ModuleType:
    """Run a user's program and return it as a module; nothing is cached beside it.

    Raises:
        DataError: it cannot be read, or it fails, with the line of the program.
    """
    text = utf8(read_limited(path, max_bytes=_MAX_BYTES, what="the program"), where=str(path))
    module = ModuleType("vision_house_format")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses of the program look their module up
    call(path, "it", lambda: exec(compile(text, str(path), "exec"), module.__dict__))  # noqa: S102 - the user asks for it
    return module


def call(path: Path, what: str, do: Callable[[], Any]) -> Any:
    """Return what a part of a user's program returns.

    Raises:
        DataError: whatever the program raises, with its line.
    """
    try:
        return do()
    except (VisionError, MemoryError):
        raise
    except SyntaxError as error:
        raise DataError(f"{path}:{error.lineno or 1}: no Python: {error.msg}.", hint=_HINT) from error
    except Exception as error:  # a user's program may raise anything, and the answer is its line
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        text = f"{type(error).__name__}: {error}"
        raise DataError(f"{path}:{lines[-1] if lines else 1}: {what} raised {text[:300]}.", hint=_HINT) from error


def function(module: ModuleType, path: Path, name: str) -> Callable[..., Any]:
    """Return a function of a program.

    Raises:
        MissingPartError: it has none of this name.
    """
    found: Callable[..., Any] | None = getattr(module, name, None)
    if not callable(found):
        raise MissingPartError(f"{path}: there is no function '{name}' in it.", hint=_HINT)
    return found


def read(program: Path, path: Path, options: ReadOptions) -> Dataset:
    """Read a source with a user's program.

    Raises:
        DataError: the program fails, or what it returns is no columns.
    """
    module = load(program)
    reader = function(module, program, "read")
    found = call(program, "read", lambda: reader(path))
    problems = Problems(program)
    parts = _parts(found, program)
    images = _table("images", parts["images"], _IMAGE_TYPES, problems)
    labels = _table("annotations", parts["annotations"], _ANNOTATION_TYPES, problems)
    problems.refuse("columns")
    root = options.images or (path if path.is_dir() else path.parent)
    image_table = _images(images, options, root, problems)
    classes, class_ids = _classes(labels, parts["classes"], problems)
    annotations = _annotations(labels, images["path"], class_ids, problems)
    problems.refuse("columns")
    origin = Origin("mapping", options.pixels or parts["pixels"])
    return Dataset(
        image_table, annotations, classes, {options.source: root}, tuple(parts["notes"]), {options.source: origin}
    )


def _parts(found: Any, program: Path) -> dict[str, Any]:
    """Return the members of what `read` returned, absent ones filled in."""
    if not isinstance(found, Mapping) or not isinstance(found.get("images"), Mapping):
        raise DataError(f"{program}: read returned no dict with a dict 'images' of columns.", hint=_HINT)
    if unknown := [str(name) for name in found if name not in _TOP]:
        raise DataError(f"{program}: read returned unknown members: {', '.join(unknown[:5])}.", hint=_HINT)
    parts = {"annotations": {}, "classes": (), "pixels": "exclusive", "notes": (), **found}
    if parts["pixels"] not in _PIXELS or not isinstance(parts["annotations"], Mapping):
        raise DataError(f"{program}: pixels is one of {', '.join(_PIXELS)}, annotations a dict of columns.", hint=_HINT)
    if not all(isinstance(name, str) for name in [*parts["classes"], *parts["notes"]]):
        raise DataError(f"{program}: classes and notes are lists of texts.", hint=_HINT)
    return parts


def _table(
    what: str, columns: Mapping[str, Any], types: Mapping[str, pa.DataType], problems: Problems
) -> dict[str, list[Any]]:
    """Return columns as lists of equal length and fitting type."""
    found: dict[str, list[Any]] = {}
    for name, values in columns.items():
        try:
            found[name] = [_json(name, value) for value in values]
            if name not in ("image", "label"):
                pa.array(found[name], types.get(name))
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            problems.add("columns", f"{what}.{name}: {error}", hint=_HINT)
    lengths = {name: len(values) for name, values in found.items()}
    if len(set(lengths.values())) > 1:
        problems.add("columns", f"{what}: the columns differ in length: {lengths}", hint=_HINT)
    if "path" not in found and what == "images":
        problems.add("columns", "images.path is missing", hint=_HINT)
    return found


def _json(name: str, value: Any) -> Any:
    """Return lists and dicts of the columns that hold JSON as such."""
    if name not in _JSON or not isinstance(value, list | dict):
        return value
    content = msgspec.json.encode(value)
    return content.decode() if name == "attributes" else content


def _images(images: dict[str, list[Any]], options: ReadOptions, root: Path, problems: Problems) -> pa.Table:
    paths, fence, number = images["path"], Containment(root), len(images["path"])
    for row, path in enumerate(paths):
        if not path or not fence.holds(path):
            problems.add("paths out of the folder", f"images.path[{row}]: {path!r} leads out of {root}")
    for name in images.get("split", []):
        if name is not None and name not in photos.SPLIT_NAMES.values():
            problems.add("unknown splits", f"images.split: {name!r} is no split: train, val or test")
    problems.refuse("values")
    columns = {name: images.get(name, [None] * number) for name in ("width", "height", "split", "group")}
    _fill(columns, paths, options, root, problems)
    table = pa.table(
        {"id": range(number), "source": [options.source] * number, "path": paths, **columns}, schema=IMAGE_COLUMNS
    )
    for name, values in images.items():
        if name not in IMAGE_COLUMNS.names:
            table = table.append_column(name, pa.array(values, _IMAGE_TYPES.get(name)))
    return table


def _fill(
    columns: dict[str, list[Any]], paths: list[str], options: ReadOptions, root: Path, problems: Problems
) -> None:
    """Read the sizes that the program does not say."""
    rows = [row for row, pair in enumerate(zip(columns["width"], columns["height"], strict=True)) if None in pair]
    if not options.sizes or not rows:
        return
    columns["width"], columns["height"] = list(columns["width"]), list(columns["height"])
    for number, size in sizes_of(root, [paths[row] for row in rows], problems).items():
        columns["width"][rows[number]], columns["height"][rows[number]] = size
    problems.refuse("photos")


def _classes(
    labels: dict[str, list[Any]], first: Sequence[str], problems: Problems
) -> tuple[ClassMap, list[int | None]]:
    """Return the class map and the class id of each annotation, from names in the column `label`."""
    where = {name: index for index, name in enumerate(first)}
    ids: list[int | None] = []
    for row, label in enumerate(labels.get("label", [])):
        if label is not None and (not isinstance(label, str) or not label):
            problems.add("labels", f"annotations.label[{row}]: {label!r} is no class name", hint=_HINT)
        ids.append(None if label is None else where.setdefault(str(label), len(where)))
    problems.refuse("values")
    return ClassMap(tuple(where)), ids


def _annotations(
    labels: dict[str, list[Any]], paths: list[str], class_ids: list[int | None], problems: Problems
) -> pa.Table:
    """Return the table; the column `image` names the photo by its row or path."""
    number = max((len(values) for values in labels.values()), default=0)
    by_path = {path: row for row, path in enumerate(paths)}
    image_ids = []
    for row, image in enumerate(labels.get("image", [None] * number)):
        found = image if type(image) is int and 0 <= image < len(paths) else by_path.get(image)
        image_ids.append(0 if found is None else found)
        if found is None:
            problems.add("photos", f"annotations.image[{row}]: there is no photo {image!r}", hint=_HINT)
    base = {"id": range(number), "image_id": image_ids, "class_id": class_ids or [None] * number}
    table = pa.table({**base, "value": labels.get("value", [None] * number)}, schema=ANNOTATION_COLUMNS)
    for name, kind in _ANNOTATION_TYPES.items():
        if name in labels and name not in table.column_names:
            table = table.append_column(name, pa.array(labels[name], kind))
    for name in labels:
        if name not in _ANNOTATION_TYPES and name not in ("image", "label"):
            problems.add("columns", f"annotations.{name} is no column of annotations", hint=_HINT)
    return _checked(table, problems)


def _checked(table: pa.Table, problems: Problems) -> pa.Table:
    box = [table[name].to_pylist() for name in ("x", "y", "w", "h") if name in table.column_names]
    if len(box) not in (0, 4):
        problems.add("columns", "annotations: a box has x, y, w and h", hint=_HINT)
    for row, values in enumerate(zip(*box, strict=True) if len(box) == 4 else ()):
        finite = [value for value in values if value is not None and abs(value) < float("inf")]
        if len(finite) not in (0, 4) or any(value is None for value in values) is bool(finite):
            problems.add("boxes", f"annotations row {row}: the box {values} is not four numbers", hint=_HINT)
        elif finite and min(finite[2:]) < 0:
            problems.add("boxes", f"annotations row {row}: the box {values} has a negative side", hint=_HINT)
    if "outline" not in table.column_names:
        return table
    for row, error in outline_columns.faults(table["outline"]):
        problems.add("outlines", f"annotations.outline[{row}]: {error.message}", hint=_HINT)
    return table.append_column("outline_parts", outline_columns.parts(table["outline"]))
