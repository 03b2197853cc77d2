"""Write CVAT's XML: records as they were where the columns still say the same, everything else anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import Written, photos
from vision_cli.formats.cvat import shapes as cvat_shapes
from vision_cli.formats.cvat.labels import Declared, meta
from vision_cli.formats.cvat.render import elements_of, render
from vision_cli.formats.cvat.xml import Element, children_of_root, is_xml_text, start_tag
from vision_cli.formats.label_files import write_files
from vision_cli.formats.labelling_rows import Row, agree, by_image, tree_names

NAME = "annotations.xml"
_HEAD = b'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n'
_FRAMES = "frame"


def write(dataset: Dataset, folder: Path) -> Written:
    """Write `annotations.xml`; see `formats.cvat.write`."""
    names = tree_names(dataset)
    _refuse_unwritable([*names, *dataset.classes.names])
    writer = _Writer(dataset, names)
    write_files(folder, [(NAME, writer.content())])
    return Written(names, {})


def _refuse_unwritable(texts: list[str]) -> None:
    wrong = [text for text in texts if not is_xml_text(text)]
    if wrong:
        raise DataError(
            f"{len(wrong)} names of photos or classes have control characters, which XML has no way to write.",
            details=[repr(text)[:200] for text in wrong[:10]],
            hint="Rename them.",
        )


class _Writer:
    """Collects images and tracks, then the labels that they need."""

    def __init__(self, dataset: Dataset, names: list[str]) -> None:
        self.dataset, self.names = dataset, names
        origins = list(dataset.origins.values())
        self.header: Mapping[str, bytes] = {}
        if len(origins) == 1 and origins[0].format == "cvat":
            self.header = origins[0].header
        records = origins[0].class_records if self.header else {}
        self.declared = Declared(self.header.get("meta", b""), records)
        self.images: list[bytes] = []
        self.tracks: dict[tuple[str, int], list[tuple[int, bytes]]] = defaultdict(list)
        self.labels: dict[tuple[str, int], str] = {}
        self.in_tracks = bool(self.header) and _FRAMES in dataset.images.column_names
        self.outside = _outside(self.header) if self.in_tracks else {}
        self.image_ids = _image_ids(dataset)

    def content(self) -> bytes:
        """Return the file."""
        outside_frames = {(task, frame) for (task, _), found in self.outside.items() for frame, _ in found}
        for index, (image, rows) in enumerate(by_image(self.dataset)):
            frame = self._frame(image, self.names[index])
            if frame is not None and (rows or (image.get("task_id", ""), frame) in outside_frames):
                self._add_frame(image, rows, frame)
            else:
                self.images.append(self._image(index, image, rows))
        head = self.header.get("version", b"<version>1.1</version>")
        labels = meta(self.declared, self.dataset.classes.names)
        body = b"".join([*self.images, *self._tracks()])
        return b"%b  %b\n  %b\n%b</annotations>\n" % (_HEAD, head, labels, body)

    def _frame(self, image: Row, name: str) -> int | None:
        """Return the number of a frame that reading its track gives the same photo, else None."""
        frame = image.get(_FRAMES)
        stem = name.rpartition("/")[2].rpartition(".")[0]
        return frame if self.in_tracks and isinstance(frame, int) and stem == f"frame_{frame:06d}" else None

    def _image(self, index: int, image: Row, rows: list[Row]) -> bytes:
        tag = self._image_tag(index, image)
        shapes = list(self._shapes(image, rows))
        if not shapes:
            return b"  %b\n" % (tag if tag.endswith(b"/>") else tag + b"\n  </image>")
        opened = tag.removesuffix(b"/>").rstrip() + b">" if tag.endswith(b"/>") else tag
        return b"  %b\n%b  </image>\n" % (opened, b"".join(b"    %b\n" % shape for shape in shapes))

    def _image_tag(self, index: int, image: Row) -> bytes:
        name = self.names[index].removeprefix("images/")
        record = _element(image["record"]) if self.header and "record" in image else None
        old = record.attributes if record is not None else {}
        split = image.get("split")
        subset = old.get("subset", "") if photos.split_of(old.get("subset", "")) == split else split or ""
        subset = subset or str(image.get("subset", ""))
        if "name" in old and name in (old["name"], f"{subset}/{old['name']}"):
            name = old["name"]
        new = {"id": self.image_ids[index][0], "name": name, "subset": subset}
        new |= {"width": str(image.get("width", 0)), "height": str(image.get("height", 0))}
        new |= {"source_id": self.image_ids[index][1], "task_id": str(image.get("task_id", ""))}
        new = {key: value for key, value in new.items() if value or key in old}
        merged = {**old, **new} if record is not None else new
        if record is not None and merged == old:
            return bytes(image["record"])
        return f"{start_tag('image', merged)}>".encode()

    def _shapes(self, image: Row, rows: list[Row]) -> Iterator[bytes]:
        size = image.get("width", 0), image.get("height", 0)
        groups = [cvat_shapes.group_of(row) for row in rows]
        free = max(groups, default=0) + 1
        for row, group in zip(rows, groups, strict=True):
            several = row.get("outline_parts", 0) > 1 and not group
            yield self._shape(row, size, free if several else group)
            free += several

    def _shape(self, row: Row, size: tuple[int, int], group: int = 0, track: bool = False) -> bytes:
        """Return a shape's bytes: its record where that says the same as the row."""
        parts = _parts(row["record"]) if self.header and "record" in row else []
        old = self._values(parts, row, size, track)
        if old is not None and agree(old, row):
            return bytes(row["record"])
        found = elements_of(row, size, self.declared, group)
        if old is not None and len(parts) == len(found):
            found = [self.declared.merged(part, old, element, row) for part, element in zip(parts, found, strict=True)]
        return b"\n    ".join(render(element) for element in found)

    def _values(self, parts: list[Element], row: Row, size: tuple[int, int], track: bool) -> Row | None:
        """Return what the record says; None where it says nothing of this photo."""
        found: Row | None = None
        for part in parts:
            label = row["class"] if track else part.attributes.get("label", "")
            try:
                values = cvat_shapes.values(part, label, self.declared.types, size)
            except DataError:
                return None
            found = values if found is None else cvat_shapes.joined(found, values)
            if found is None:
                return None
        if found is not None and track:
            found["track_id"] = row.get("track_id")
        return found

    def _add_frame(self, image: Row, rows: list[Row], frame: int) -> None:
        task, size = image.get("task_id", ""), (image.get("width", 0), image.get("height", 0))
        for row in rows:
            identity = row.get("track_id")
            if identity is None:
                identity = 1 + max((key[1] for key in {*self.tracks, *self.outside}), default=-1)
            key = task, identity
            shape = self._shape({**row, "track_id": identity}, size, track=True)
            self.tracks[key].append((frame, _in_track(shape, frame)))
            self.labels.setdefault(key, row["class"])

    def _tracks(self) -> Iterator[bytes]:
        """Yield the tracks in the order of the source, then new ones."""
        order = [key for key in self.outside if key in self.tracks]
        order += [key for key in self.tracks if key not in self.outside]
        for task, identity in order:
            found = self.tracks[task, identity] + self.outside.get((task, identity), [])
            found.sort(key=lambda item: item[0])
            inside = b"".join(b"    %b\n" % shape for _, shape in found)
            yield b"  %b\n%b  </track>\n" % (self._track_tag(task, identity), inside)

    def _track_tag(self, task: str, identity: int) -> bytes:
        record = self.header.get(f"track {task} {identity}")
        label = self.labels[task, identity]
        if record is None:
            return f"{start_tag('track', {'id': str(identity), 'label': label})}>".encode()
        element = _element(record)
        if element.attributes.get("label", "") == label:
            return record[: element.children[0].start - 3] if element.children else record.removesuffix(b"</track>")
        return f"{start_tag('track', {**element.attributes, 'label': label})}>".encode()


def _element(record: bytes) -> Element:
    """Return the element of a record; a start tag alone is one as well."""
    return _parts(record)[0]


def _parts(record: bytes) -> list[Element]:
    """Return the elements of a record."""
    tag = record.rstrip()
    closing = b"" if tag.endswith(b"/>") or b"</" in tag else b"</image>"
    return list(children_of_root(b"<r>" + record + closing + b"</r>", "record", "r"))


def _outside(header: Mapping[str, bytes]) -> dict[tuple[str, int], list[tuple[int, bytes]]]:
    """Return frame and bytes of the shapes that are outside of the photo, by (task, track), in the source's order."""
    found: dict[tuple[str, int], list[tuple[int, bytes]]] = {}
    for name, record in header.items():
        if name.startswith("track "):
            _, task, identity = name.split(" ")
            content = b"<r>" + record + b"</r>"
            shapes = next(children_of_root(content, "record", "r")).children
            frames = [(int(shape.attributes["frame"]), content[shape.start : shape.end]) for shape in shapes]
            found[task, int(identity)] = frames
    return found


def _in_track(shape: bytes, frame: int) -> bytes:
    """Return a shape with what a track's shape must say."""
    element = _element(shape)
    if "frame" in element.attributes:
        return shape
    more = {"frame": str(frame), "outside": "0", "keyframe": element.attributes.get("keyframe", "1")}
    named = {name: text for name, text in element.attributes.items() if name not in ("label", "keyframe")}
    return render(Element(element.name, {**more, **named}, children=element.children))


def _image_ids(dataset: Dataset) -> list[tuple[str, str]]:
    """Return CVAT's number and `source_id` of each photo: the source's ids are kept as numbers if they are distinct."""
    ids: list[Any] = [None] * len(dataset)
    if "source_id" in dataset.images.column_names:
        ids = dataset.images["source_id"].to_pylist()
    whole = [text is not None and text.isascii() and text.isdigit() and str(int(text[:18])) == text for text in ids]
    own = next((origin.format == "cvat" for origin in dataset.origins.values()), False) and len(dataset.origins) == 1
    if all(whole) and (own or len(set(ids)) == len(ids)):
        return [(text, "") for text in ids]
    return [(str(row), text or "") for row, text in enumerate(ids)]
