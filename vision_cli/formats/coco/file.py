"""One COCO file, checked as a whole: photos, categories, annotations and how they refer to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from vision_cli.core.errors import DataError
from vision_cli.formats.coco import classes as coco_classes
from vision_cli.formats.coco import ids as coco_ids
from vision_cli.formats.coco import images as coco_images
from vision_cli.formats.coco import stream as coco_stream
from vision_cli.formats.coco.classes import Classes
from vision_cli.formats.coco.columns import Ids
from vision_cli.formats.coco.images import Photos
from vision_cli.formats.coco.records import Records, place
from vision_cli.formats.coco.stream import MARK, Rest
from vision_cli.formats.conserving import OUTLINES
from vision_cli.formats.json_source import JsonText, Member
from vision_cli.formats.problems import Problems

_LISTS = ("images", "annotations", "categories")
_EMPTY = b"[]"
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_LOOKED_AT = 100

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Keep:
    """What of a file is kept that costs memory."""

    outlines: frozenset[str] = OUTLINES
    records: bool = True


@dataclass(frozen=True, slots=True)
class CocoFile:
    """One file.

    Attributes:
        path: of the file.
        photos: in its order.
        classes: in its order.
        records: annotations, block by block, in its order.
        ids: of the annotations; None in it for results, which have none.
        image_rows: int64 (N,), row of each annotation's photo.
        class_rows: int64 (N,), row of its category.
        header: the other members, byte for byte.
    """

    path: Path
    photos: Photos
    classes: Classes
    records: Records
    ids: Ids
    image_rows: Rows
    class_rows: Rows
    header: Mapping[str, bytes] = field(default_factory=dict)


def read(path: Path, keep: Keep) -> CocoFile:
    """Read a file.

    Raises:
        DataError: it is no COCO file of objects on photos, or something in it is wrong: all at once.
    """
    problems = Problems(path)
    records = Records(problems, keep.outlines, keep.records)
    found = members(coco_stream.stream(path, records.take), records)
    if found is None:
        problems = Problems(path)
        records = Records(problems, keep.outlines, keep.records)
        found = members(coco_stream.whole(path), records) or {}
    _refuse_other_kinds(path, records, found)
    photos = coco_images.read(_list(path, found, "images"), problems, records=keep.records)
    classes = coco_classes.read(_list(path, found, "categories"), problems)
    header = {name: text.data for name, text in found.items() if name not in _LISTS}
    return replace(joined(path, photos, classes, records), header=header)


def joined(path: Path, photos: Photos, classes: Classes, records: Records, *, has_ids: bool = True) -> CocoFile:
    """Return a file whose annotations are led to their photos and categories.

    Args:
        path: of the file.
        photos: that annotations refer to.
        classes: likewise.
        records: the annotations.
        has_ids: whether annotations must have ids.

    Raises:
        DataError: with all that is wrong in the file.
    """
    problems, blocks = records.problems, records.blocks
    ids = coco_ids.joined([block.ids for block in blocks])
    if has_ids:
        coco_ids.check(ids, place, problems)
    image_ids = coco_ids.joined([block.image_ids for block in blocks])
    category_ids = coco_ids.joined([block.category_ids for block in blocks])
    image_rows = coco_ids.find(image_ids, photos.ids)
    class_rows = coco_ids.find(category_ids, classes.ids)
    _dangling("image", image_rows, image_ids, ids, problems)
    _dangling("category", class_rows, category_ids, ids, problems)
    _check_masks(records, photos, image_rows, ids)
    problems.refuse(f"records of {len(photos.ids)} photos, {len(classes.names)} categories and {len(ids)} annotations")
    return CocoFile(path, photos, classes, records, ids, image_rows, class_rows)


def members(rest: Rest, records: Records) -> dict[str, JsonText] | None:
    """Take what is left of the annotations and return the members; None if what was taken before was none of them.

    Raises:
        DataError: malformed, or no object at the top.
    """
    text = rest.text
    if text.data.lstrip()[:1] != b"{":
        raise text.refused("holds no object", 0, "A COCO file is an object with images, annotations and categories.")
    found = {member.name: _text(text, member) for member in text.members()}
    annotations = _list(text.where, found, "annotations") if "annotations" in found else None
    if rest.marked:
        annotations = None if annotations is None else _unmarked(text, annotations)
        if annotations is None:
            return None
    if annotations is not None:
        take(annotations, records)
    return found


def _text(text: JsonText, member: Member) -> JsonText:
    gap_at = max(text.gap_at - member.value_at, 0)
    inside = text.gap and text.gap_at >= member.value_at
    start = text.start + member.value_at if inside else text.offset(member.value_at)
    return JsonText(text.where, member.value, start, gap_at if inside else 0, text.gap if inside else 0)


def _unmarked(text: JsonText, annotations: JsonText) -> JsonText | None:
    """Return the records behind the mark; None where the mark is not the first record."""
    data = annotations.data
    at = data.find(MARK, 0, _LOOKED_AT + len(MARK))
    if at < 0 or data[1:at].strip():
        return None
    end = at + len(MARK)
    return JsonText(text.where, b"[" + data[end:], annotations.offset(end) - 1)


def take(annotations: JsonText, records: Records) -> None:
    """Take a list of records.

    Raises:
        DataError: malformed, or no list.
    """
    try:
        records.take(annotations)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        annotations.decode(_RAWS)  # names the byte
        raise annotations.refused(f"is malformed: {error},", None) from error


def _list(path: Path, found: Mapping[str, JsonText], name: str) -> JsonText:
    """Return the text of a list; an empty one where it is not there, but for the photos.

    Raises:
        DataError: no list, or no photos.
    """
    text = found.get(name)
    if text is None and name == "images":
        raise DataError(
            f"{path}: there is no list 'images'.",
            hint=f"A COCO file has images, annotations and categories; here: {', '.join(found)[:200] or 'nothing'}.",
        )
    if text is not None and text.data[:1] != b"[":
        raise text.refused(f"holds no list of {name}", 0, "COCO's images, annotations and categories are lists.")
    return JsonText(path, _EMPTY) if text is None else text


def _refuse_other_kinds(path: Path, records: Records, found: Mapping[str, JsonText]) -> None:
    """Refuse files that look alike and hold no objects."""
    if records.panoptic:
        raise DataError(
            f"{path}: {records.panoptic} annotations hold segments_info: this is a file of panoptic segmentation.",
            hint="Read it in the format for panoptic data, with the folder of its PNG files.",
        )
    if records.captions:
        raise DataError(
            f"{path}: {records.captions} of {records.count} annotations are captions, texts about whole photos.",
            hint="Captions are no labels of vision's tasks; give the instances_*.json of the same photos.",
        )


def _dangling(what: str, rows: Rows, wanted: Ids, ids: Ids, problems: Problems) -> None:
    for row in np.flatnonzero(rows < 0).tolist():
        where, value = place(row, ids[row]), wanted[row]
        if value is None:
            problems.add(f"missing {what} ids", f"{where}: there is no {what}_id")
        else:
            shown = repr(value)[:40] if isinstance(value, str) else str(value)[:40]
            problems.add(
                f"dangling {what} ids",
                f"{where}: {what}_id {shown} is none of the file's",
                hint=f"Each {what}_id names one of the file's; a number and a text are two things.",
            )


def _check_masks(records: Records, photos: Photos, image_rows: Rows, ids: Ids) -> None:
    """Refuse run-length masks that have another size than their photos."""
    masks = np.concatenate([block.masks for block in records.blocks] or [np.empty((0, 3), dtype=np.int64)])
    masks = masks[image_rows[masks[:, 0]] >= 0]
    sizes = photos.sizes[image_rows[masks[:, 0]]]
    wrong = (sizes[:, 0] > 0) & (sizes != masks[:, :0:-1]).any(axis=1)
    for (row, height, width), (photo_width, photo_height) in zip(
        masks[wrong].tolist(), sizes[wrong].tolist(), strict=True
    ):
        records.problems.add(
            "masks of another size",
            f"{place(row, ids[row])}: the mask's size is [{height}, {width}], "
            f"its photo's [{photo_height}, {photo_width}]",
            hint="COCO writes a mask's size as [height, width].",
        )
