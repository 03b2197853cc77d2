"""Read COCO panoptic segmentation; see `panoptic`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeGuard

import msgspec

from vision_cli.core import outline, rle
from vision_cli.core.containment import Containment
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.origin import Origin
from vision_cli.formats import ReadOptions, json_source
from vision_cli.formats.gathering import Gathering
from vision_cli.formats.painting import needs_pixels
from vision_cli.formats.panoptic import files as panoptic_files
from vision_cli.formats.panoptic.files import Part
from vision_cli.formats.problems import Problems
from vision_cli.imaging.masks import read_id_picture

MAX_ID = (1 << 24) - 1
_THREADS = 4
_LISTS = ("images", "annotations", "categories")
_IMAGE = frozenset({"id", "file_name", "width", "height"})
_SEGMENT = frozenset({"id", "category_id", "area", "bbox", "iscrowd"})
_MAX_SIDE = 1 << 24
_MAX_INT = 1 << 62
_NO_BOX = [None] * 4
Record = dict[str, Any]


@dataclass(slots=True)
class _Reading:
    """What is shared by all JSONs of a source."""

    options: ReadOptions
    root: Path
    problems: Problems
    gathering: Gathering
    class_ids: dict[str, int] = field(default_factory=dict)
    class_records: dict[str, bytes] = field(default_factory=dict)
    header: dict[str, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Photo:
    """A photo and its segments, ready for the PNG to be looked at."""

    values: Mapping[str, Any]
    metadata: Mapping[str, Any]
    segments: Sequence[Record]
    picture: Path | None
    where: str


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read a JSON, or all of a folder.

    Raises:
        DataError: a JSON is malformed, or its records are bad, or PNGs do not agree with it: all at once.
    """
    found = panoptic_files.parts(path)
    root = _root(path, found, options)
    reading = _Reading(options, root, Problems(path), Gathering(options.source))
    for part in found:
        _read_part(reading, part)
    reading.problems.refuse("records")
    origin = Origin(
        "panoptic", "exclusive", reading.class_ids, class_records=reading.class_records, header=reading.header
    )
    return reading.gathering.dataset(root, origin, tuple(dict.fromkeys(reading.notes)))


def _root(path: Path, found: Sequence[Part], options: ReadOptions) -> Path:
    """Return the folder that holds PNGs and photos."""
    root = path if path.is_dir() else path.parent
    if path.is_file() and root.name == "annotations":
        root = root.parent
    folders = [root.resolve(), *(part.pictures.resolve() for part in found)]
    folders += [options.images.resolve()] if options.images is not None else []
    whole = Path(os.path.commonpath(folders))
    return root if whole == root.resolve() else whole


def _read_part(reading: _Reading, part: Part) -> None:
    lists = _lists(reading, part)
    names = _categories(reading, part, lists["categories"])
    if part.two_channels:
        lists["annotations"] = [_two_channels(record) for record in lists["images"]]
    segments = _by_photo(reading, part, lists)
    prefix = _prefix(reading, part, lists["images"])
    fence = Containment(reading.root)
    read_photos = [_photo(reading, part, record, segments, prefix) for record in lists["images"]]
    photos = [photo for photo in read_photos if photo is not None and _is_contained(reading, fence, photo)]
    # Boxes are stated as a rule; only where they are not, the pixels must say them.
    boxes = all(segment.get("bbox") for photo in photos for segment in photo.segments)
    need = reading.options.need
    wanted = part.two_channels or needs_pixels(need - {"box"} if need is not None and boxes else need)
    with ThreadPoolExecutor(_THREADS) as pool:
        outlines: Iterable[Any] = pool.map(_outlines, photos) if wanted else [{}] * len(photos)
        for photo, found in zip(photos, outlines, strict=True):
            segments_found = photo.segments
            if part.two_channels and not isinstance(found, DataError):
                segments_found = [{"id": number, "category_id": number & 0xFF} for number in found]
            _add(reading, names, replace(photo, segments=segments_found), found, wanted)


def _two_channels(record: Record) -> Record:
    """Return the annotation of a photo whose segments only its PNG tells; ids are category + 256 times number."""
    name = record.get("file_name")
    picture = f"{name.rpartition('.')[0] or name}.png" if isinstance(name, str) and name else None
    return {"image_id": record.get("id"), "file_name": picture, "segments_info": []}


def _lists(reading: _Reading, part: Part) -> dict[str, list[Record]]:
    """Return the three lists of records; further members go to the header.

    Raises:
        DataError: malformed JSON, or a list is missing.
    """
    text = json_source.load(part.json, what="the panoptic JSON")
    members = {member.name: member for member in text.members()}
    wanted = [name for name in _LISTS if name != "annotations" or not part.two_channels]
    missing = [name for name in wanted if name not in members]
    if missing:
        raise DataError(
            f"{part.json}: the JSON has no {', '.join(missing)}.",
            hint="A panoptic JSON has all of " + ", ".join(_LISTS),
        )
    found: dict[str, list[Record]] = {"annotations": []}
    for name, member in members.items():
        at = text.data.index(member.value, member.at)
        value = json_source.JsonText(part.json, member.value, text.offset(at)).value()
        if name in _LISTS:
            found[name] = _records(part, name, value)
        elif reading.header.setdefault(name, member.value) != member.value:
            reading.notes.append(f"{part.json.name}: its own `{name}` is left out; that of the first file is kept.")
    return found


def _records(part: Part, name: str, value: Any) -> list[Record]:
    if not isinstance(value, list):
        raise DataError(f"{part.json}: {name} is no list.", hint="It is a list of objects in a panoptic JSON.")
    for number, each in enumerate(value):
        if not isinstance(each, dict):
            raise DataError(f"{part.json}: {name}[{number}] is no object.", hint="Check how the file was made.")
    return value


def _categories(reading: _Reading, part: Part, records: Sequence[Record]) -> dict[int, str]:
    """Return class names by id."""
    names: dict[int, str] = {}
    for number, record in enumerate(records):
        where = f"{part.json.name}: categories[{number}]"
        number_id, name = record.get("id"), record.get("name")
        if not _is_int(number_id) or not isinstance(name, str) or not name:
            reading.problems.add("bad categories", f"{where}: needs an id and a name")
        elif number_id in names or name in names.values():
            reading.problems.add("repeated categories", f"{where}: {number_id} {name!r} stands there twice")
        elif reading.class_ids.setdefault(name, number_id) != number_id:
            reading.problems.add("differing categories", f"{where}: {name!r} has another id in another file")
        else:
            names[number_id] = name
            reading.gathering.class_id(name)
            reading.class_records.setdefault(name, msgspec.json.encode(record))
    return names


def _by_photo(reading: _Reading, part: Part, lists: Mapping[str, list[Record]]) -> dict[int | str, Record]:
    """Return the annotation of each photo by its id."""
    ids = [record["id"] for record in lists["images"] if _is_id(record.get("id"))]
    for repeated in sorted(str(image_id) for image_id, number in Counter(ids).items() if number > 1):
        reading.problems.add("repeated photos", f"{part.json.name}: several photos have the id {repeated:.80}")
    known = set(ids)
    found: dict[int | str, Record] = {}
    for number, record in enumerate(lists["annotations"]):
        where, image_id = f"{part.json.name}: annotations[{number}]", record.get("image_id")
        if not _is_id(image_id) or image_id not in known:
            reading.problems.add("annotations without photo", f"{where}: no photo has the id {image_id!r:.80}")
        elif image_id in found:
            reading.problems.add("repeated annotations", f"{where}: photo {image_id!r:.80} has an annotation already")
        elif not _are_segments(record.get("segments_info")):
            reading.problems.add("bad annotations", f"{where}: segments_info is no list of objects")
        else:
            found[image_id] = {**record, "where": f"{where}, photo {image_id!r:.80}"}
    return found


def _are_segments(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(segment, dict) for segment in value)


def _prefix(reading: _Reading, part: Part, images: Sequence[Record]) -> str:
    """Return what to put before a photo's name to come from the root to the photo."""
    names = [str(record.get("file_name", "")) for record in images[:10]]
    start = reading.options.images or reading.root
    found = panoptic_files.photo_folder(start, names, part.pictures)
    if found is None:
        reading.notes.append(f"{part.json.name}: its photos were not found below {start.name}.")
        found = ""
    below = os.path.relpath(start.resolve(), reading.root.resolve())
    return found if below == "." else f"{below}/{found}"


def _photo(
    reading: _Reading, part: Part, record: Record, segments: dict[int | str, Record], prefix: str
) -> _Photo | None:
    image_id, name = record.get("id"), record.get("file_name")
    sides = [record.get(side) for side in ("width", "height")]
    where = f"{part.json.name}: photo {image_id!r:.80}"
    if not _is_id(image_id) or not isinstance(name, str) or not name:
        reading.problems.add("bad photos", f"{where}: needs an id and a file_name")
        return None
    if not all(_is_int(side) and 0 < side < _MAX_SIDE for side in sides):
        reading.problems.add("bad photos", f"{where}: width and height are {sides}")
        return None
    found = segments.pop(image_id, {}) if image_id in segments else {}
    extra = {key: value for key, value in record.items() if key not in _IMAGE}
    more = {
        key: value for key, value in found.items() if key not in ("image_id", "file_name", "segments_info", "where")
    }
    picture = _picture(reading, part, found, where)
    values = {
        "path": f"{prefix}{name}",
        "width": sides[0],
        "height": sides[1],
        "split": part.split,
        "source_id": str(image_id),
        "record": msgspec.json.encode({"image": record, "annotation": more}),
        "mask": None if picture is None else os.path.relpath(picture, reading.root),
    }
    return _Photo(values, extra, found.get("segments_info", ()), picture, found.get("where", where))


def _picture(reading: _Reading, part: Part, annotation: Record, where: str) -> Path | None:
    name = annotation.get("file_name")
    if not annotation:
        return None
    if not isinstance(name, str) or not name:
        reading.problems.add("bad annotations", f"{where}: its annotation has no file_name")
        return None
    if not Containment(part.pictures).holds(name):
        reading.problems.add("paths out of the folder", f"{where}: {name} leads out of {part.pictures.name}")
        return None
    return part.pictures / name


def _is_contained(reading: _Reading, fence: Containment, photo: _Photo) -> bool:
    if not fence.holds(photo.values["path"]):
        reading.problems.add(
            "paths out of the folder", f"{photo.where}: {photo.values['path']} leads out of the folder"
        )
        return False
    return True


def _outlines(photo: _Photo) -> dict[int, bytes] | DataError:
    """Return the outlines in a photo's PNG by id, or why there are none."""
    if photo.picture is None:
        return {}
    width, height = photo.values["width"], photo.values["height"]
    try:
        ids = read_id_picture(photo.picture)
        if ids.shape != (height, width):
            text = f"{photo.where}: {photo.picture.name} has {ids.shape[1]} x {ids.shape[0]} pixels, the photo"
            return DataError(f"{text} {width} x {height}")
        values, counts = rle.encode_labels(ids)
    except DataError as error:
        return DataError(f"{photo.where}: {error.message}", hint=error.hint)
    return {
        int(value): outline.of_counts(each, height, width) for value, each in zip(values, counts, strict=True) if value
    }


def _add(reading: _Reading, names: Mapping[int, str], photo: _Photo, found: Any, wanted: bool) -> None:
    """Add a photo and its segments; what does not agree goes to the problems."""
    image_id = reading.gathering.photo(photo.values, photo.metadata)
    if isinstance(found, DataError):
        reading.problems.add("bad pictures", found.message, hint=found.hint)
        return
    seen: set[int] = set()
    for segment in photo.segments:
        values = _segment(reading, names, photo, segment)
        if values is None:
            continue
        number = segment["id"]
        if number in seen:
            reading.problems.add("repeated segments", f"{photo.where}: segment {number} stands there twice")
        elif wanted and number not in found:
            reading.problems.add(
                "segments without pixels",
                f"{photo.where}: no pixel of {photo.picture and photo.picture.name} is {number}",
            )
        seen.add(number)
        outline_values = {"outline": found.get(number), "outline_parts": outline.RUNS_PARTS}
        reading.gathering.annotation({"image_id": image_id, **values, **outline_values})
    for number in found:
        if number not in seen:
            pixels = outline.area(outline.parse(found[number]))
            text = f"{photo.where}: {pixels:.0f} pixels are {number}, which segments_info does not name"
            reading.problems.add("pixels without segment", text)


def _segment(reading: _Reading, names: Mapping[int, str], photo: _Photo, segment: Record) -> Record | None:
    """Return the columns of a segment, None if it is refused."""
    number, category, area = segment.get("id"), segment.get("category_id"), segment.get("area")
    box, crowd = segment.get("bbox") or _NO_BOX, segment.get("iscrowd", 0)
    if not _is_int(number) or not 0 < number <= MAX_ID:
        reading.problems.add("bad segments", f"{photo.where}: {number!r:.80} is no segment id of 1 to {MAX_ID}")
    elif not _is_int(category) or category not in names:
        reading.problems.add("unknown categories", f"{photo.where}, segment {number}: no category {category!r:.80}")
    elif not (area is None or _is_number(area)) or crowd not in (0, 1):
        reading.problems.add(
            "bad segments", f"{photo.where}, segment {number}: area {area!r:.80}, iscrowd {crowd!r:.80}"
        )
    elif not isinstance(box, list) or len(box) != 4 or not (box == _NO_BOX or all(map(_is_number, box))):
        reading.problems.add("bad segments", f"{photo.where}, segment {number}: bbox {box!r:.80}")
    else:
        more = {key: value for key, value in segment.items() if key not in _SEGMENT}
        sides = [None if side is None else float(side) for side in box]
        return {
            **{"class_id": reading.gathering.class_id(names[category]), "source_id": str(number)},
            **dict(zip("xywh", sides, strict=True)),
            **{"area": None if area is None else float(area), "iscrowd": bool(crowd)},
            "attributes": msgspec.json.encode(more).decode() if more else None,
        }
    return None


def _is_int(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < _MAX_INT


def _is_id(value: Any) -> TypeGuard[int | str]:
    return _is_int(value) or isinstance(value, str)


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _MAX_INT
