"""Read a folder of VOC annotations into columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS, MORE_IMAGE_COLUMNS
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.origin import Origin, Pixels
from vision_cli.formats import ReadOptions, photos
from vision_cli.formats.label_walk import parent_of, read_small, stem_of, tree
from vision_cli.formats.problems import Problems
from vision_cli.formats.voc.columns import columns_of, names_of
from vision_cli.formats.voc.fast import photo_of
from vision_cli.formats.voc.layout import Layout, annotation_path, find_layout
from vision_cli.formats.voc.splits import label_map_names, splits_of
from vision_cli.formats.voc.text import unspelled
from vision_cli.formats.voc.xml import VocObject, VocPhoto, XmlError, can_be_cut

_NAMED = 5
# Boxes that another tool made of shares are off by this much at most; a set that counts from 0 is by a whole pixel.
_SLACK_PX = 1e-3
_RESERVED = {*IMAGE_COLUMNS.names, *MORE_IMAGE_COLUMNS.names}


@dataclass(slots=True)
class Found:
    """Photos in row order, (N,) each.

    Attributes:
        paths: relative to the root.
        annotations: their XML files; None without one.
        documents: what these say; None without one.
        contents: the files' bytes.
        notes: what was odd, by kind.
    """

    paths: list[str] = field(default_factory=list)
    annotations: list[str | None] = field(default_factory=list)
    documents: list[VocPhoto | None] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    notes: dict[str, list[str]] = field(default_factory=dict)

    def add(self, path: str, annotation: str | None, document: VocPhoto | None, content: bytes) -> None:
        """Add a row."""
        self.paths.append(path)
        self.annotations.append(annotation)
        self.documents.append(document)
        self.contents.append(content)

    def note(self, kind: str, what: str) -> None:
        """Remember something odd."""
        self.notes.setdefault(kind, []).append(what)

    def objects(self) -> Iterator[tuple[int, int, VocPhoto]]:
        """Yield row, number of objects and document of each photo that has one."""
        for row, document in enumerate(self.documents):
            if document is not None:
                yield row, len(document.objects), document


def read(path: Path, options: ReadOptions, *, masks: bool = False) -> Dataset:
    """Read a folder of VOC annotations, or one of them; see `voc.read`.

    Args:
        path: the folder, or the file.
        options: of every reader.
        masks: whether photos that have only masks will do.
    """
    folder = path if path.is_dir() else path.parent
    listing = tree(folder, ".xml")
    if path != folder:
        listing.labels = [path.name]
    layout = find_layout(listing)
    root = options.images or folder
    if options.images is not None:
        _use_images(layout, root)
    if not layout.annotations and not (masks and layout.companions and layout.names):
        raise DataError(f"{path}: no XML file is there.", hint="VOC annotations lie in Annotations/*.xml.")
    problems = Problems(path)
    found = _found(folder, layout, problems)
    problems.refuse(f"files of {len(layout.annotations)}")
    annotations, classes, header = _annotations(folder, layout, found, problems)
    sizes = _sizes(root, layout, found, options, problems)
    problems.refuse(f"entries of {annotations.num_rows} objects and {len(found.paths)} photos")
    splits, lists = splits_of(folder, layout, found.paths, found.note)
    images = _images(options.source, found, sizes, splits)
    pixels = options.pixels or _pixels(found, annotations, sizes)
    header |= lists | ({} if options.images is not None else _layout_header(layout, found))
    origin = Origin("voc", pixels, header=header, companions=layout.companions if options.images is None else ())
    notes = [f"{len(names)} {kind}: {_some(names)}." for kind, names in found.notes.items()]
    return Dataset(images, annotations, classes, {options.source: root}, tuple(notes), {options.source: origin})


def _use_images(layout: Layout, folder: Path) -> None:
    """Take photos from another folder."""
    names = tree(folder, ".xml").photos
    layout.names = frozenset(names)
    layout.stems = {(parent_of(name), stem_of(name.rpartition("/")[2])): name for name in reversed(names)}
    folders = sorted({parent_of(name) for name in names}) or [""]
    layout.folders = dict.fromkeys(layout.folders, folders)


def _found(root: Path, layout: Layout, problems: Problems) -> Found:
    """Read the annotations and find their photos; photos without annotation follow, then all are sorted by path."""
    found = Found()
    taken: dict[str, str] = {}
    for annotation in layout.annotations:
        try:
            content = read_small(f"{root}/{annotation}")
            document = photo_of(content)
        except (XmlError, DataError) as error:
            kind = "annotations that are refused"
            text = error.message if isinstance(error, DataError) else f"{annotation}: {error}"
            problems.add(kind, text, hint="Only VOC annotations may have the suffix .xml here.")
            continue
        path = _photo(layout, annotation, document, found)
        if path in taken:
            problems.add("photos with several annotations", f"{annotation}: {path} has {taken[path]} already")
        taken[path] = annotation
        found.add(path, annotation, document, content)
    for path in layout.unlabelled(found.paths):
        found.add(path, None, None, b"")
    order = sorted(range(len(found.paths)), key=found.paths.__getitem__)
    for name in ("paths", "annotations", "documents", "contents"):
        column = getattr(found, name)
        setattr(found, name, [column[row] for row in order])
    return found


def _photo(layout: Layout, annotation: str, document: VocPhoto, found: Found) -> str:
    """Return the photo of an annotation: that with its stem, else the one it names, whether it is there or not."""
    named = unspelled(document.filename or "")
    stem = stem_of(annotation.rpartition("/")[2])
    if stem_of(named) == stem and (exact := layout.named_photo(annotation, named)) is not None:
        return exact
    same_stem = layout.photo_of(annotation)
    if same_stem is not None:
        if named and stem_of(named) != stem_of(same_stem.rpartition("/")[2]):
            found.note("annotations name another photo than that of their own name, which counts", annotation)
        return same_stem
    by_name = layout.named_photo(annotation, named) if named else None
    if by_name is not None:
        found.note("annotations have another name than the photo that they name", annotation)
        return by_name
    plain = named and "/" not in named and "\\" not in named and "\0" not in named and stem_of(named) != named
    return layout.missing_photo(annotation, named if plain and stem_of(named) == stem else f"{stem}.jpg")


def _annotations(
    root: Path, layout: Layout, found: Found, problems: Problems
) -> tuple[pa.Table, ClassMap, dict[str, bytes]]:
    """Return the table, the classes, and the label map's bytes."""
    counts = np.zeros(len(found.paths), dtype=np.int64)
    objects: list[VocObject] = []
    for row, number, document in found.objects():
        counts[row] = number
        objects += document.objects
    rows = np.repeat(np.arange(len(counts)), counts)
    first = np.cumsum(counts) - counts

    def report(at: int, kind: str, text: str) -> None:
        row = rows[at]
        problems.add(kind, f"{found.annotations[row]}: object {at - first[row] + 1}: {text}")

    columns = columns_of(objects, report)
    names = names_of(objects)
    header = {name: read_small(f"{root}/{name}") for name in layout.label_maps[:1]}
    ordered = [name for content in header.values() for name in label_map_names(content, set(names))]
    classes = ClassMap(tuple(dict.fromkeys([*ordered, *sorted({name for name in names if name})])))
    where = {name: index for index, name in enumerate(classes.names)}
    base = {
        "id": pa.array(np.arange(len(objects))),
        "image_id": pa.array(rows),
        "class_id": pa.array([where.get(name) for name in names], pa.int32()),
        "value": pa.nulls(len(objects), pa.float64()),
    }
    columns = {"record": pa.array(_object_records(found), pa.binary()), **columns}
    fields = [pa.field(name, column.type) for name, column in columns.items()]
    return pa.table({**base, **columns}, schema=pa.schema([*ANNOTATION_COLUMNS, *fields])), classes, header


def _object_records(found: Found) -> list[bytes | None]:
    """Return the bytes of each object, with what stands between it and the object before."""
    records: list[bytes | None] = []
    for row, number, document in found.objects():
        content, at = found.contents[row], -1
        if not can_be_cut(content):
            records += [None] * number
            continue
        for item in document.objects:
            records.append(content[item.start if at < 0 else at : item.end])
            at = item.end
    return records


def _photo_records(found: Found) -> list[bytes | None]:
    """Return what stands before the first object and behind the last, a NUL between them; null without annotation."""
    records: list[bytes | None] = []
    for content, document in zip(found.contents, found.documents, strict=True):
        if document is None or not can_be_cut(content):
            records.append(None if document is None else b"")
            continue
        objects = document.objects
        start, end = (objects[0].start, objects[-1].end) if objects else (document.end, document.end)
        records.append(b"\0".join((content[:start], content[end:])))
    return records


def _stated(document: VocPhoto | None) -> photos.Size | None:
    """Return the size that an annotation states, if it is one."""
    if document is None or document.size is None:
        return None
    width, height = (int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0 for text in document.size)
    return (width, height) if width and height else None


def _sizes(
    root: Path, layout: Layout, found: Found, options: ReadOptions, problems: Problems
) -> list[photos.Size | None]:
    """Return the size of each photo: its own where it is there and may be looked at, else the one stated."""
    sizes = [_stated(document) for document in found.documents]
    there = [row for row, path in enumerate(found.paths) if path in layout.names]
    if len(there) < len(found.paths):
        _note_missing(layout, found, sizes, problems)
    if not options.sizes:
        return sizes
    for row, size in zip(there, photos.sizes([root / found.paths[row] for row in there]), strict=True):
        if isinstance(size, DataError):
            problems.add("unreadable photos", size.message)
            continue
        if sizes[row] not in (None, size):
            found.note("annotations state another size than their photo has, which counts", found.paths[row])
        sizes[row] = size
    return sizes


def _note_missing(layout: Layout, found: Found, sizes: Sequence[photos.Size | None], problems: Problems) -> None:
    """Note photos that are not there; refuse those without a stated size where other photos are there."""
    for path, annotation, size in zip(found.paths, found.annotations, sizes, strict=True):
        if path in layout.names:
            continue
        if size is None and layout.names:
            text = f"{annotation}: there is no photo {path}, and no size is stated"
            problems.add("missing photos", text, hint="Set `images` if the photos lie elsewhere.")
        found.note("photos are not there", path)


def _images(source: str, found: Found, sizes: Sequence[photos.Size | None], splits: Sequence[str | None]) -> pa.Table:
    number = len(found.paths)
    images = pa.table(
        {
            "id": range(number),
            "source": [source] * number,
            "path": found.paths,
            "width": [size and size[0] for size in sizes],
            "height": [size and size[1] for size in sizes],
            "split": splits,
            "group": [None] * number,
        },
        schema=IMAGE_COLUMNS,
    ).append_column("record", pa.array(_photo_records(found), pa.binary()))
    metadata = [{} if document is None else document.metadata for document in found.documents]
    for name in dict.fromkeys(name for members in metadata for name in members):
        column = f"voc_{name}" if name in _RESERVED else name
        if column not in images.column_names:
            texts = [members.get(name) for members in metadata]
            images = images.append_column(column, pa.array(texts, pa.string()))
    return images


def _pixels(found: Found, annotations: pa.Table, sizes: Sequence[photos.Size | None]) -> Pixels:
    """Return the convention that the numbers follow: VOC counts from 1, so a 0 says that this set does not."""
    if not annotations.num_rows:
        return "inclusive-1"
    x, y = (annotations[name].to_numpy() for name in "xy")
    below = np.minimum(x, y) < 1 - _SLACK_PX
    zeros = int(below.sum())
    if not zeros:
        return "inclusive-1"
    limits = np.array([size or (0, 0) for size in sizes], dtype=np.float64)[annotations["image_id"].to_numpy()]
    right, bottom = x + annotations["w"].to_numpy(), y + annotations["h"].to_numpy()
    off = np.minimum(np.abs(right - limits[:, 0]), np.abs(bottom - limits[:, 1]))
    edges = bool(((off < _SLACK_PX) & (limits[:, 0] > 0)).any())
    pixels: Pixels = "exclusive" if edges else "inclusive-0"
    what = "edges, the photo's width among them" if edges else "pixels from 0"
    first = found.annotations[int(annotations["image_id"][int(np.argmax(below))].as_py())]
    text = f"boxes begin below 1, so the numbers of this set are read as {what} ({pixels}), not from 1 as VOC's; first"
    found.notes[text] = [f"{first}"] * zeros
    return pixels


def _layout_header(layout: Layout, found: Found) -> dict[str, bytes]:
    """Return what a writer needs to lay files out as they were."""
    pairs = [(path, name) for path, name in zip(found.paths, found.annotations, strict=True) if name is not None]
    folders: dict[str, str] = {}
    for path, name in pairs:
        folders.setdefault(parent_of(path), parent_of(name))
    named = {path: name for path, name in pairs if annotation_path(path, folders) != name}
    return {"layout": msgspec.json.encode({"folders": folders, "named": named})}


def _some(names: Sequence[str]) -> str:
    shown = list(dict.fromkeys(names))
    more = f" and {len(shown) - _NAMED} more" if len(shown) > _NAMED else ""
    return ", ".join(shown[:_NAMED]) + more
