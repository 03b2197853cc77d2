"""Write VOC annotations from columns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.columns import IMAGE_COLUMNS, MORE_IMAGE_COLUMNS, from_numpy
from vision_cli.core.dataset import Dataset
from vision_cli.core.origin import Origin
from vision_cli.formats import Written
from vision_cli.formats.by_photo import Offsets, by_photo
from vision_cli.formats.edges import far_edges
from vision_cli.formats.label_files import Content, write_files
from vision_cli.formats.label_walk import parent_of
from vision_cli.formats.placing import photo_names, stems
from vision_cli.formats.text_columns import constant, joined, pieces
from vision_cli.formats.voc.layout import ANNOTATIONS, LIST_NAMES, LISTS, PHOTOS, annotation_path
from vision_cli.formats.voc.splits import label_map, label_map_names, list_entries, list_key, split_of_folder
from vision_cli.formats.voc.text import escaped, escaped_texts

_PHOTOS_AT_ONCE = 1 << 10
_END = "</annotation>\n"
_XML_NAME = re.compile(r"(?!(?i:xml))[A-Za-z_][A-Za-z0-9_.-]*")
_NOT_METADATA = {*IMAGE_COLUMNS.names, *MORE_IMAGE_COLUMNS.names}
_NATIVE = ("pose", "part", "actions")


class _Layout(msgspec.Struct):
    folders: dict[str, str]
    named: dict[str, str]


def write(dataset: Dataset, folder: Path, *, label_maps: bool = True) -> Written:
    """Write an annotation a photo, lists of splits, and the order of classes where names alone do not give it.

    Args:
        dataset: what to write.
        folder: where.
        label_maps: whether the order of classes is to be written at all.
    """
    origin = own_origin(dataset)
    layout = origin is not None and "layout" in origin.header
    photos, names = _own_places(dataset, origin.header["layout"]) if origin and layout else _places(dataset)
    annotations, offsets = by_photo(dataset)
    if origin is None:
        files: Iterator[tuple[str, Content]] = _files(dataset, photos, names, (annotations, offsets))
    else:
        from vision_cli.formats.voc.record import Records

        objects = object_texts(annotations, dataset.classes.names)
        heads = _heads(dataset.images, photos).to_pylist()
        files = Records(dataset, annotations, offsets).files(photos, names, heads, objects)
    write_files(folder, files)
    write_files(folder, _lists(dataset, photos, origin))
    if label_maps:
        write_files(folder, _label_maps(dataset, origin))
    return Written(photos, {})


def own_origin(dataset: Dataset) -> Origin | None:
    """Return the origin of a data set that came from one VOC folder."""
    origins = [dataset.origins.get(source) for source in dataset.roots]
    origin = origins[0] if len(origins) == 1 else None
    return origin if origin is not None and origin.format == "voc" else None


def _own_places(dataset: Dataset, header: bytes) -> tuple[list[str], list[str]]:
    """Return the path of each photo and of its annotation, where they were."""
    layout = msgspec.json.decode(header, type=_Layout)
    photos: list[str] = dataset.images["path"].to_pylist()
    return photos, [layout.named.get(photo) or annotation_path(photo, layout.folders) for photo in photos]


def _places(dataset: Dataset) -> tuple[list[str], list[str]]:
    """Return the path of each photo and of its annotation, in VOC's own folders."""
    names = photo_names(dataset)
    return [f"{PHOTOS}/{name}" for name in names], [f"{ANNOTATIONS}/{stem}.xml" for stem in stems(names)]


def _files(
    dataset: Dataset, photos: Sequence[str], names: Sequence[str], annotations: tuple[pa.Table, Offsets]
) -> Iterator[tuple[str, Content]]:
    """Yield annotations without any bytes of a source, the texts of so many photos at once."""
    table, offsets = annotations
    for first in range(0, len(photos), _PHOTOS_AT_ONCE):
        here = slice(first, first + _PHOTOS_AT_ONCE)
        bounds = offsets[first : first + _PHOTOS_AT_ONCE + 1]
        part = table.slice(int(bounds[0]), int(bounds[-1] - bounds[0]))
        objects = object_texts(part, dataset.classes.names)
        lists = pa.ListArray.from_arrays(from_numpy((bounds - bounds[0]).astype(np.int32)), objects)
        heads = _heads(dataset.images.slice(first, _PHOTOS_AT_ONCE), photos[here])
        yield from zip(names[here], pieces(joined(heads, pc.binary_join(lists, ""), _END)), strict=True)


def _heads(images: pa.Table, photos: Sequence[str]) -> pa.Array:
    """Return what stands before the objects of each photo, in row order."""
    parts = [photo.rpartition("/") for photo in photos]
    folders = {folder: escaped(folder.rpartition("/")[2]) for folder in {part[0] for part in parts}}
    sizes = [pc.cast(images[name].combine_chunks(), pa.string()) for name in ("width", "height")]
    size = joined(
        "\t<size>\n\t\t<width>", sizes[0], "</width>\n\t\t<height>", sizes[1],
        "</height>\n\t\t<depth>3</depth>\n\t</size>\n",
    )  # fmt: skip
    return joined(
        "<annotation>\n\t<folder>", pa.array([folders[part[0]] for part in parts], pa.string()),
        "</folder>\n\t<filename>", escaped_texts(pa.array([part[2] for part in parts], pa.string())),
        "</filename>\n\t<source>\n\t\t<database>Unknown</database>\n\t</source>\n", pc.fill_null(size, constant("")),
        "\t<segmented>0</segmented>\n", *_metadata(images),
    )  # fmt: skip


def _metadata(images: pa.Table) -> Iterator[pa.Array]:
    """Yield an element of each photo, or the empty text, for each further column whose name can be that of one."""
    for name in images.column_names:
        tag = name.removeprefix("voc_")
        if name in _NOT_METADATA or not _XML_NAME.fullmatch(tag):
            continue
        column = images[name]
        if pa.types.is_string(column.type) or pa.types.is_integer(column.type):
            texts = escaped_texts(column.cast(pa.string()))
            yield pc.fill_null(joined(f"\t<{tag}>", texts, f"</{tag}>\n"), constant(""))
        else:
            yield pa.array([_element(tag, value) for value in column.to_pylist()], pa.string())


def _element(tag: str, value: Any) -> str:
    if value is None:
        return ""
    text = (
        value
        if isinstance(value, str)
        else value.isoformat()
        if hasattr(value, "isoformat")
        else json.dumps(value, default=str)
    )
    return f"\t<{tag}>{escaped(text)}</{tag}>\n"


def object_texts(table: pa.Table, names: Sequence[str]) -> pa.Array:
    """Return an `object` element of each row."""
    columns = {name: table[name].combine_chunks() for name in table.column_names}
    boxes = {name: columns[name].to_numpy(zero_copy_only=False) for name in "xywh"}
    poses, occluded, further = _further(columns)
    return joined(
        "\t<object>\n\t\t<name>", pa.array([escaped(name) for name in names], pa.string()).take(columns["class_id"]),
        "</name>\n\t\t<pose>", poses, "</pose>\n\t\t<truncated>", _flag(columns, "truncated"),
        "</truncated>\n", occluded, "\t\t<difficult>", _flag(columns, "difficult"),
        "</difficult>\n\t\t<bndbox>\n\t\t\t<xmin>", pc.cast(columns["x"], pa.string()),
        "</xmin>\n\t\t\t<ymin>", pc.cast(columns["y"], pa.string()),
        "</ymin>\n\t\t\t<xmax>", far_edges(boxes["x"], boxes["w"]),
        "</xmax>\n\t\t\t<ymax>", far_edges(boxes["y"], boxes["h"]),
        "</ymax>\n\t\t</bndbox>\n", further, "\t</object>\n",
    )  # fmt: skip


def _flag(columns: Mapping[str, pa.Array], name: str) -> pa.Array | pa.Scalar:
    """Return a flag's texts, 0 where nothing is known: tools that read VOC expect the element."""
    column = columns.get(name)
    if column is None or column.null_count == len(column):
        return constant("0")
    column = column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column
    return pc.fill_null(pc.cast(column, pa.string()), constant("0"))


def _further(columns: Mapping[str, pa.Array]) -> tuple[Any, Any, Any]:
    """Return texts of the pose, the element `occluded`, and the elements of further attributes."""
    poses, occluded, further = constant("Unspecified"), constant(""), constant("")
    if "occluded" in columns:
        texts = pc.cast(columns["occluded"], pa.string())
        occluded = pc.fill_null(joined("\t\t<occluded>", texts, "</occluded>\n"), constant(""))
    column = columns.get("attributes")
    if column is not None and column.null_count < len(column):
        members = [json.loads(text) if text else {} for text in column.to_pylist()]
        poses = pa.array([_pose(each) for each in members], pa.string())
        further = pa.array(["".join(_elements(each)) for each in members], pa.string())
    return poses, occluded, further


def _pose(members: Mapping[str, Any]) -> str:
    pose = members.get("pose")
    return escaped(pose) if isinstance(pose, str) and pose else "Unspecified"


def _elements(members: Mapping[str, Any]) -> Iterator[str]:
    """Yield VOC's own elements, then CVAT's list of names and values for the rest."""
    listed = []
    for name, value in members.items():
        if name in _NATIVE and _is_native(name, value):
            yield from () if name == "pose" else _native(name, value, "\t\t")
        else:
            kind, text = (
                ("", value) if isinstance(value, str) else (' type="json"', json.dumps(value, ensure_ascii=False))
            )
            listed.append(
                f"\t\t\t<attribute>\n\t\t\t\t<name>{escaped(name)}</name>\n"
                f"\t\t\t\t<value{kind}>{escaped(text)}</value>\n\t\t\t</attribute>\n"
            )
    if listed:
        yield from ("\t\t<attributes>\n", *listed, "\t\t</attributes>\n")


def _is_native(name: str, value: Any) -> bool:
    """Tell whether a value is what reading VOC's own element gives."""
    if name == "pose":
        return isinstance(value, str) and value not in ("", "Unspecified")
    values = value if isinstance(value, list) and len(value) > 1 else [value]
    return all(isinstance(each, dict) and _is_plain(each) for each in values)


def _is_plain(members: Mapping[str, Any]) -> bool:
    """Tell whether members are texts, or members of texts, under names that elements may have."""
    inner = [value for value in members.values() if isinstance(value, dict)]
    leaves = [*members.items(), *(item for each in inner for item in each.items())]
    return (
        bool(members)
        and all(inner)
        and all(_XML_NAME.fullmatch(name) and name != "attributes" for name, _ in leaves)
        and all(isinstance(value, str) for each in inner for value in each.values())
        and all(isinstance(value, str | dict) for value in members.values())
    )


def _native(name: str, value: Any, indent: str) -> Iterator[str]:
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str):
            yield f"{indent}<{name}>{escaped(each)}</{name}>\n"
            continue
        yield f"{indent}<{name}>\n"
        for inner, content in each.items():
            yield from _native(inner, content, indent + "\t")
        yield f"{indent}</{name}>\n"


def _lists(dataset: Dataset, photos: Sequence[str], origin: Origin | None) -> Iterator[tuple[str, bytes]]:
    """Yield the source's own lists where they still say the same, else new ones, a folder of lists each base."""
    splits = dataset.splits().tolist()
    own = {name: body for name, body in (origin.header.items() if origin else ()) if f"{LISTS}/" in name}
    if not own and splits == _splits_of_folders(photos):
        return
    keys = [list_key(photo) for photo in photos]
    bases = dict.fromkeys([name.rpartition(f"{LISTS}/")[0] for name in own]) or {"": None}
    for base in bases:
        here = {key.removeprefix(base): split for key, split in zip(keys, splits, strict=True) if key.startswith(base)}
        for split in LIST_NAMES:
            path = f"{base}{LISTS}/Main/{split}.txt"
            now = [key for key, is_of in here.items() if is_of == split]
            known = here.keys() & set(list_entries(own[path])) if path in own else set()
            if path in own and known == set(now):
                yield path, own[path]
            elif now:
                yield path, "".join(f"{key}\n" for key in now).encode()


def _splits_of_folders(photos: Sequence[str]) -> list[str]:
    folders = [parent_of(photo) for photo in photos]
    splits = {folder: split_of_folder(folder) or "" for folder in set(folders)}
    return [splits[folder] for folder in folders]


def _label_maps(dataset: Dataset, origin: Origin | None) -> Iterator[tuple[str, bytes]]:
    """Yield the source's label map where it still holds; else a new one where the order is not that of the names."""
    names, used = dataset.classes.names, set()
    for number in pc.unique(dataset.annotations["class_id"]).to_pylist():
        used |= set() if number is None else {names[number]}
    own = {name: body for name, body in (origin.header.items() if origin else ()) if name.endswith("labelmap.txt")}
    for name, body in own.items():
        ordered = label_map_names(body, used)
        if tuple(ordered) == names[: len(ordered)] and list(names[len(ordered) :]) == sorted(names[len(ordered) :]):
            yield name, body
            return
    if list(names) != sorted(used) and (content := label_map(names)) is not None:
        yield next(iter(own), "labelmap.txt"), content
