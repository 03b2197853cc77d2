"""Read folders of semantic masks; see `masks`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from vision_cli.core import outline, rle
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.origin import Origin
from vision_cli.formats import ReadOptions, label_walk, mask_classes, mask_folders, photos
from vision_cli.formats.gathering import Gathering
from vision_cli.formats.mask_classes import MaskClasses
from vision_cli.formats.painting import needs_pixels
from vision_cli.formats.problems import Problems
from vision_cli.imaging.masks import Mask, ids_of_colours, read_mask

_THREADS = 4
_SHOWN = 5
_FULL = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}
_UNNAMED_COLOURS = frozenset({(0, 0, 0), (255, 255, 255), (224, 224, 192)})

Colour = tuple[int, int, int]
Key = int | Colour


@dataclass(frozen=True, slots=True)
class _Found:
    """What a mask holds: value or colour, and its counts; or why it is refused."""

    size: tuple[int, int] = (0, 0)
    keys: Sequence[Key] = ()
    counts: Sequence[NDArray[np.int64]] = ()
    palette: bytes | None = None
    full: int = 255
    errors: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a source lies: its root, and its photos and masks relative to it."""

    root: Path
    found: mask_folders.Pairs


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read photos, masks and the file of classes.

    Raises:
        DataError: no mask, masks without photo, sizes that differ, values or colours of no class: all at once.
    """
    place = _place(path, options)
    problems = Problems(path)
    _check_pairs(place, problems)
    file = mask_classes.find(path) or (mask_classes.find(place.root) if place.root != path else None)
    named = mask_classes.read(file) if file is not None else None
    order = place.found.photos
    sizes = photos.sizes([place.root / photo for photo in order])
    with ThreadPoolExecutor(_THREADS) as pool:
        masks = list(pool.map(lambda photo: _mask(place, photo, named), order))
    masks = [_checked(photo, mask, size, named) for photo, mask, size in zip(order, masks, sizes, strict=True)]
    for each in masks:
        for kind, text in each.errors:
            problems.add(kind, text)
    problems.refuse(f"masks of {len(place.found.masks)}")
    return _dataset(place, options, masks, named)


def _place(path: Path, options: ReadOptions) -> _Place:
    if options.images is None:
        return _Place(path, mask_folders.pairs(path))
    root = Path(os.path.commonpath([path.resolve(), options.images.resolve()]))
    inside = [_below(root, path, name) for name in label_walk.tree(path, ".none").photos]
    apart = {_below(root, options.images, name): name for name in label_walk.tree(options.images, ".none").photos}
    # Both are paired by what they are called below their own folders.
    names = {f"masks/{_short(root, path, name)}": name for name in inside if name not in apart}
    names |= {f"images/{short}": name for name, short in apart.items()}
    found = mask_folders.paired(names)
    back = names.__getitem__
    pairs = {back(photo): back(mask) for photo, mask in found.masks.items()}
    lists = [[back(name) for name in each] for each in (found.photos, found.several, found.lonely, found.others)]
    return _Place(root, mask_folders.Pairs(lists[0], pairs, *lists[1:]))


def _below(root: Path, folder: Path, name: str) -> str:
    prefix = os.path.relpath(folder.resolve(), root)
    return name if prefix == "." else f"{prefix}/{name}"


def _short(root: Path, folder: Path, name: str) -> str:
    return os.path.relpath(root / name, folder.resolve())


def _check_pairs(place: _Place, problems: Problems) -> None:
    lonely = place.found.lonely
    if not place.found.masks and not place.found.several:
        raise DataError(
            f"{place.root}: no photo has a mask.",
            details=[f"{len(place.found.lonely)} masks have no photo: {_some(place.found.lonely)}"]
            * bool(place.found.lonely),
            hint="Masks lie in masks/ beside images/, under the photos' names; set `images` if photos lie elsewhere.",
        )
    for name in place.found.several:
        problems.add("ambiguous masks", f"{name}: several masks, or several photos of one mask")
    for name in lonely:
        problems.add("masks without photo", f"{name}: no photo is called so")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (" ..." if len(names) > _SHOWN else "")


def _mask(place: _Place, photo: str, named: MaskClasses | None) -> _Found:
    """Read the mask of a photo, if it has one."""
    name = place.found.masks.get(photo)
    if name is None:
        return _Found()
    try:
        mask = read_mask(place.root / name)
    except DataError as error:
        return _Found(errors=[("unreadable masks", error.message)])
    if mask.coloured:
        values, counts = rle.encode_labels(ids_of_colours(mask.values))
        keys: list[Key] = [_colour(int(value)) for value in values]
        return _Found(mask.size, keys, counts)
    values, counts = rle.encode_labels(mask.values)
    by_palette = _palette_keys(mask, values, named)
    return _Found(
        mask.size,
        by_palette or values.tolist(),
        counts,
        None if mask.palette is None else mask.palette.tobytes(),
        _FULL[mask.values.dtype],
    )


def _colour(number: int) -> Colour:
    return number & 0xFF, number >> 8 & 0xFF, number >> 16


def _palette_keys(mask: Mask, values: NDArray[np.int64], named: MaskClasses | None) -> list[Key] | None:
    """Return the palette's colours, if the classes have colours and no values, and name all that are used."""
    if mask.palette is None or named is None or named.valued or values.max() >= len(mask.palette):
        return None
    keys: list[Key] = [(int(red), int(green), int(blue)) for red, green, blue in mask.palette[values]]
    known = named.by_colour()
    return keys if known and all(key in known or key in _UNNAMED_COLOURS for key in keys) else None


def _checked(photo: str, found: _Found, size: photos.Size | DataError, named: MaskClasses | None) -> _Found:
    """Add what is wrong between photo, mask and classes."""
    errors = list(found.errors)
    if isinstance(size, DataError):
        return replace(found, errors=[*errors, ("unreadable photos", size.message)])
    if found.counts and size != found.size:
        text = f"{photo}: the photo has {size[0]} x {size[1]} pixels, its mask {found.size[0]} x {found.size[1]}"
        errors.append(("sizes that differ", text))
    for key, counts in zip(found.keys, found.counts, strict=True):
        if named is not None and not _is_unlabelled(key, found.full, named) and _class_of(key, named) is None:
            text = f"{photo}: {rle.area(counts):,} pixels of its mask are {_shown(key)}, which is no class"
            errors.append(("values of no class", text + _nearest(key, named)))
    return replace(found, size=size, errors=errors)


def _class_of(key: Key, named: MaskClasses) -> int | None:
    return named.by_colour().get(key) if isinstance(key, tuple) else named.by_value().get(key)


def _is_unlabelled(key: Key, full: int, named: MaskClasses) -> bool:
    if _class_of(key, named) is not None:
        return False
    return key in _UNNAMED_COLOURS if isinstance(key, tuple) else key in (0, 255, full)


def _shown(key: Key) -> str:
    return f"of the colour {key}" if isinstance(key, tuple) else str(key)


def _nearest(key: Key, named: MaskClasses) -> str:
    colours = [one for one in named.classes if one.colour is not None]
    if not isinstance(key, tuple):
        return ""
    if not colours:
        return f": {named.where.name} has no colours"
    near = min(colours, key=lambda one: sum(abs(a - b) for a, b in zip(one.colour or (), key, strict=True)))
    return f"; the nearest is {near.name!r:.80} {near.colour}"


def _dataset(place: _Place, options: ReadOptions, masks: Sequence[_Found], named: MaskClasses | None) -> Dataset:
    used = sorted({key for found in masks for key in found.keys}, key=lambda key: (isinstance(key, tuple), key))
    notes = list(_notes(place, named))
    classes, records = _named(named) if named is not None else _called(used, notes)
    gathering = Gathering(options.source, tuple(records))
    pixels = needs_pixels(options.need)
    for photo, found in zip(place.found.photos, masks, strict=True):
        sides = dict(zip(("width", "height"), found.size, strict=True))
        names = {"path": photo, "mask": place.found.masks.get(photo), "split": mask_folders.split_of(photo)}
        image_id = gathering.photo({**names, **sides})
        rows = [(classes[key], counts) for key, counts in zip(found.keys, found.counts, strict=True) if key in classes]
        for class_id, counts in sorted(rows, key=lambda row: row[0]):
            shape = {"outline": outline.of_counts(counts, found.size[1], found.size[0])} if pixels else {}
            figures = {"area": float(rle.area(counts)), "outline_parts": outline.RUNS_PARTS}
            gathering.annotation({"image_id": image_id, "class_id": class_id, **figures, **shape})
    texts = {name: msgspec.json.encode(record) for name, record in records.items()}
    values_by_name = {name: int(record["value"]) for name, record in records.items()}
    origin = Origin("masks", class_ids=values_by_name, class_records=texts, header=_header(masks, classes))
    return gathering.dataset(place.root, origin, tuple(notes))


def _named(named: MaskClasses) -> tuple[dict[Key, int], dict[str, dict[str, Any]]]:
    """Return the class id by value and by colour, and the record of each class by name."""
    records = {
        one.name: {"value": one.value, "name": one.name, **({"color": one.colour} if one.colour else {})}
        for one in named.classes
    }
    keys: dict[Key, int] = {one.value: place for place, one in enumerate(named.classes)}
    return keys | {one.colour: place for place, one in enumerate(named.classes) if one.colour}, records


def _called(used: Sequence[Key], notes: list[str]) -> tuple[dict[Key, int], dict[str, dict[str, Any]]]:
    """Return the same where no file names the classes."""
    if set(used) == {0, 255}:
        notes.append("The masks hold nothing but 0 and 255: 255 is the class, 0 is unlabelled.")
        used = [255]
    else:
        used = [key for key in used if key not in (255, 65535)]
        notes.append("No file names the classes: they are called by their values.")
    records: dict[str, dict[str, Any]] = {}
    for place, key in enumerate(used):
        name = "#{:02x}{:02x}{:02x}".format(*key) if isinstance(key, tuple) else str(key)
        more = {"color": key} if isinstance(key, tuple) else {}
        records[name] = {"value": place if isinstance(key, tuple) else key, "name": name, **more}
    return {key: place for place, key in enumerate(used)}, records


def _header(masks: Iterable[_Found], classes: Mapping[Key, int]) -> dict[str, bytes]:
    """Return how the labels are stored, for a same-format copy."""
    masks = [found for found in masks if found.counts]
    coloured = all(isinstance(key, tuple) and not found.palette for found in masks for key in found.keys)
    header = {"kind": b"colour" if coloured else b"grey"}
    palette = next((found.palette for found in masks if found.palette), None)
    if palette is not None:
        header |= {"kind": b"palette", "palette": palette}
    seen = {key for found in masks for key in found.keys if key not in classes}
    # What unlabelled pixels are most likely to be called.
    marks = [key for key in (255, 65535, 0, (0, 0, 0), (255, 255, 255), (224, 224, 192)) if key in seen]
    return header | ({"unlabelled": msgspec.json.encode(marks[0])} if marks else {})


def _notes(place: _Place, named: MaskClasses | None) -> Iterable[str]:
    bare = len(place.found.photos) - len(place.found.masks)
    if bare:
        yield f"{bare} photos have no mask."
    if place.found.others:
        yield f"{len(place.found.others)} pictures are neither photo nor mask: {_some(place.found.others)}."
    if named is not None:
        yield f"Classes are those of {named.where.name}."
