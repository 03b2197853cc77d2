"""VOC annotations from the bytes of their source: only what no longer agrees with the columns is written anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from vision_cli.core.columns import IMAGE_COLUMNS, MORE_IMAGE_COLUMNS
from vision_cli.core.dataset import Dataset
from vision_cli.formats.by_photo import Offsets
from vision_cli.formats.comparing import Mask, differs
from vision_cli.formats.edges import far_edges
from vision_cli.formats.voc.columns import columns_of, names_of
from vision_cli.formats.voc.fast import photo_of
from vision_cli.formats.voc.text import escaped
from vision_cli.formats.voc.xml import Node, VocObject, VocPhoto, parse

_EDGES = {"xmin": ("x",), "ymin": ("y",), "xmax": ("x", "w"), "ymax": ("y", "h")}
_FLAGS = ("truncated", "occluded", "difficult")
_NOT_METADATA = {*IMAGE_COLUMNS.names, *MORE_IMAGE_COLUMNS.names}

Edit = tuple[int, int, str]
"""First byte, byte behind the last, and the text that comes there."""


class Records:
    """Documents of a data set that came from one VOC folder.

    Args:
        dataset: photos and classes.
        table: annotations in the order of their photos.
        offsets: int64 (N + 1,), where each photo's begin.
    """

    def __init__(self, dataset: Dataset, table: pa.Table, offsets: Offsets) -> None:
        self._images, self._names, self._table = dataset.images, dataset.classes.names, table
        self._offsets: list[int] = offsets.tolist()
        self._photos = _column(dataset.images, "record")
        self._objects = _column(table, "record")

    def files(
        self, photos: Sequence[str], names: Sequence[str], heads: Sequence[str], objects: pa.Array
    ) -> Iterator[tuple[str, bytes]]:
        """Yield (path, bytes) of each annotation; a photo that had none, and has no object now, gets none.

        Args:
            photos: paths that the photos get.
            names: paths of the annotations.
            heads: of new documents, what stands before the objects.
            objects: elements of new objects.
        """
        texts: list[str] = objects.to_pylist()
        documents = [self._document(row, texts) for row in range(len(names))]
        parsed = [None if content is None else photo_of(content) for content in documents]
        changed = self._changed(parsed)
        values = self._values() if any(rows.any() for rows in changed.values()) else {}
        details = _Details(self._images, photos)
        for row, (content, document) in enumerate(zip(documents, parsed, strict=True)):
            first, last = self._offsets[row], self._offsets[row + 1]
            if content is None or document is None:
                if self._photos[row] is not None or last > first:
                    yield names[row], "".join([heads[row], *texts[first:last], "</annotation>\n"]).encode()
                continue
            here = [at for at in range(first, last) if any(rows[at] for rows in changed.values())]
            edits = details.edits(row, content, document)
            if here:
                nodes = [node for node in parse(content).children if node.tag == "object"]
                for at in here:
                    anew = {name: values.get(name, [])[at : at + 1] for name, rows in changed.items() if rows[at]}
                    anew |= {edge: values[edge][at : at + 1] for edge in _EDGES}
                    edits += _object_edits(content, nodes[at - first], anew, texts[at])
            yield names[row], _edited(content, edits)

    def _document(self, row: int, texts: Sequence[str]) -> bytes | None:
        """Return the source's document with the objects that are there now; None without one."""
        record = self._photos[row]
        if not record:
            return None
        head, _, tail = record.partition(b"\0")
        parts, empty = [head], tail.startswith(b"</")
        for at in range(self._offsets[row], self._offsets[row + 1]):
            own = self._objects[at]
            if own is None:
                text = texts[at].encode("ascii", "xmlcharrefreplace")
                own = text if empty else text.strip() if len(parts) == 1 else b"\n\t" + text.strip()
            elif len(parts) == 1:
                own = own.lstrip()
            parts.append(own)
        return b"".join([*parts, tail])

    def _changed(self, parsed: Sequence[VocPhoto | None]) -> dict[str, Mask]:
        """Return which rows say something else than their document, by column."""
        number = self._table.num_rows
        rows = [
            np.arange(first, last)
            for first, last, document in zip(self._offsets, self._offsets[1:], parsed, strict=False)
            if document is not None
        ]
        objects: list[VocObject] = [item for document in parsed if document is not None for item in document.objects]
        at = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
        part = self._table.take(pa.array(at))
        before = columns_of(objects, lambda *_: None)
        before["name"] = pa.array(names_of(objects), pa.string())
        part = part.append_column("name", pa.array(self._names, pa.string()).take(part["class_id"]))
        changed = {}
        for name in ("name", "x", "y", "w", "h", *_FLAGS, "attributes"):
            if name in part.column_names:
                column = before.get(name, pa.nulls(len(objects), part[name].type))
                mask = np.zeros(number, dtype=np.bool_)
                mask[at] = differs(part[name], column)
                changed[name] = mask
        return changed

    def _values(self) -> dict[str, list[Any]]:
        """Return the texts that go into elements, by element."""
        table = self._table
        boxes = {name: table[name].to_numpy() for name in "xywh"}
        texts = {
            "xmin": pa.array(boxes["x"]).cast(pa.string()),
            "ymin": pa.array(boxes["y"]).cast(pa.string()),
            "xmax": far_edges(boxes["x"], boxes["w"]),
            "ymax": far_edges(boxes["y"], boxes["h"]),
            "name": pa.array([escaped(name) for name in self._names], pa.string()).take(table["class_id"]),
        }
        for name in _FLAGS:
            if name in table.column_names:
                column = table[name].cast(pa.int8()) if name == "difficult" else table[name]
                texts[name] = column.cast(pa.string()).fill_null("0")
        return {name: column.to_pylist() for name, column in texts.items()}


class _Details:
    """What documents say of the photo itself."""

    def __init__(self, images: pa.Table, photos: Sequence[str]) -> None:
        self._photos = photos
        self._paths: list[str] = images["path"].to_pylist()
        self._sizes = list(zip(images["width"].to_pylist(), images["height"].to_pylist(), strict=True))
        further = [name for name in images.column_names if name not in _NOT_METADATA]
        self._metadata = {
            name.removeprefix("voc_"): images[name].to_pylist()
            for name in further
            if pa.types.is_string(images[name].type)
        }

    def edits(self, row: int, content: bytes, document: VocPhoto) -> list[Edit]:
        """Return what to change for a photo's name, size and further columns."""
        was, now = (path.rpartition("/")[2] for path in (self._paths[row], self._photos[row]))
        width, height = self._sizes[row]
        stated = document.size is not None and width and height
        anew = {
            **({"filename": escaped(now)} if now != was and document.filename == was else {}),
            **{tag: column[row] for tag, column in self._metadata.items() if column[row] != document.metadata.get(tag)},
        }
        resized = {"width": str(width), "height": str(height)}
        resized = resized if stated and document.size != (str(width), str(height)) else {}
        if not anew and not resized:
            return []
        root = parse(content)
        edits = [_member_edit(content, root, tag, escaped(text or ""), "\n\t") for tag, text in anew.items()]
        size = root.child("size")
        return edits + [_member_edit(content, size, tag, text, "\n\t\t") for tag, text in resized.items() if size]


def _column(table: pa.Table, name: str) -> list[Any]:
    return table[name].to_pylist() if name in table.column_names else [None] * table.num_rows


def _object_edits(content: bytes, node: Node, anew: Mapping[str, Sequence[str]], text: str) -> list[Edit]:
    """Return what to change in an object; all of it where its attributes changed.

    Args:
        content: the document.
        node: the object.
        anew: changed columns, and every edge, with the one text that goes into the element.
        text: the whole object anew.
    """
    box = node.child("bndbox")
    if "attributes" in anew or box is None or node.child("name") is None:
        return [(node.start, node.end, text.strip())]
    members = [tag for tag in ("name", *_FLAGS) if tag in anew]
    edges = [edge for edge, columns in _EDGES.items() if anew.keys() & set(columns)]
    return [
        *(_member_edit(content, node, tag, anew[tag][0], "\n\t\t") for tag in members),
        *(_member_edit(content, box, edge, anew[edge][0], "\n\t\t\t") for edge in edges),
    ]


def _member_edit(content: bytes, parent: Node, tag: str, text: str, indent: str) -> Edit:
    """Return how to set the text of an element, or to add the element behind its last sibling."""
    node = parent.child(tag)
    if node is None:
        end = max(parent.children[-1].end, 0) if parent.children else content.find(b">", parent.start) + 1
        return end, end, f"{indent}<{tag}>{text}</{tag}>"
    start, end = content.find(b">", node.start) + 1, content.rfind(b"</", node.start, node.end)
    return (node.start, node.end, f"<{tag}>{text}</{tag}>") if end < start else (start, end, text)


def _edited(content: bytes, edits: Sequence[Edit]) -> bytes:
    for start, end, text in sorted(edits, reverse=True):
        content = content[:start] + text.encode("ascii", "xmlcharrefreplace") + content[end:]
    return content
