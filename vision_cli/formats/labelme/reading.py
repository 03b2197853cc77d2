"""Read LabelMe's JSON files into columns."""

from __future__ import annotations

import os
import posixpath
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vision_cli.core.containment import Containment
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.origin import Origin
from vision_cli.formats import ReadOptions, photos
from vision_cli.formats.gathering import Gathering
from vision_cli.formats.json_source import JsonText, load
from vision_cli.formats.label_walk import parent_of, stem_of, tree
from vision_cli.formats.labelling_rows import (
    Row,
    add_row,
    is_side,
    is_there,
    json_value,
    missing_sizes,
    note_of_missing,
)
from vision_cli.formats.labelme.shapes import MEMBER, Size, join_groups, values
from vision_cli.formats.problems import Problems

LABELS = "labels.txt"
MAX_BYTES = 256 << 20
KNOWN = frozenset({"version", "flags", "shapes", "imagePath", "imageData", "imageHeight", "imageWidth"})
_OWN = frozenset({"source_id", "split", "group"})
_NOT_CLASSES = frozenset({"__ignore__", "_background_", ""})
_IMAGE_DATA = re.compile(rb'"imageData"\s*:\s*"')
_STRING_END = re.compile(rb'(?:[^"\\]|\\.)*+"', re.DOTALL)

Label = dict[str, Any]


def document_rows(document: Label, size: Size) -> list[Row]:
    """Return the rows of one file: its shapes, then the flags that are set, as classes of the whole photo.

    Raises:
        DataError: a shape that is none, by its number.
    """
    rows = []
    for number, shape in enumerate(_shapes(document), start=1):
        try:
            rows.append(values(shape, size))
        except DataError as error:
            raise DataError(f"shape {number} ({str(shape.get('label'))[:60]!r}): {error.message}") from error
    return [*join_groups(rows), *({"class": name} for name in flags(document))]


def _shapes(document: Label) -> list[Label]:
    shapes = document.get("shapes")
    if not isinstance(shapes, list) or not all(isinstance(shape, dict) for shape in shapes):
        raise DataError("`shapes` is no list of objects")
    return shapes


def flags(document: Label) -> list[str]:
    """Return the names of a photo's flags that are set."""
    found = document.get("flags") or {}
    if not isinstance(found, dict):
        raise DataError("`flags` is no object")
    return [name for name, value in found.items() if value is True and name]


def stated_size(document: Label) -> Size:
    """Return (width, height) as the file says, (0, 0) where it does not."""
    width, height = document.get("imageWidth"), document.get("imageHeight")
    return (width, height) if is_side(width) and is_side(height) else (0, 0)


def own_members(document: Label) -> tuple[Any, Any, Any]:
    """Return `source_id`, split and group of the further members that writing makes."""
    texts = [document.get(name) if isinstance(document.get(name), str) else None for name in sorted(_OWN)]
    group, identity, split = texts
    return identity, photos.split_of(split) if split else None, group


def without_photo(data: bytes) -> bytes:
    """Return a file's bytes with `null` for a photo inside of it."""
    match = _IMAGE_DATA.search(data)
    if match is None:
        return data
    end = _STRING_END.match(data, match.end())
    return data if end is None else data[: match.end() - 1] + b"null" + data[end.end() :]


class Reader:
    """Takes a folder of JSON files apart.

    Args:
        path: the folder, or one file.
        options: `images` is where the photos lie, if not where the files say.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self.path, self.options = path, options
        self.base = path if path.is_dir() else path.parent
        self.root = options.images or self.base
        self.fence = Containment(self.root)
        self.problems = Problems(path)
        self.seen: dict[str, str] = {}
        self.photos: list[tuple[Row, Row]] = []
        self.pending: dict[int, Label] = {}
        self.rows: list[tuple[int, Row]] = []
        self.counts: Counter[str] = Counter()
        self.absent: list[str] = []

    def dataset(self) -> Dataset:
        """Read all of it."""
        found = tree(self.base, ".json") if self.path.is_dir() else None
        labels = found.labels if found else [self.path.name]
        for name in labels:
            self._guarded(name)
        if not self.seen and not self.counts["refused"]:
            raise DataError(f"{self.path}: no file of LabelMe is there.", hint="Each photo has one JSON with `shapes`.")
        if found and not self.options.images:
            self._unlabelled(found.photos, {parent_of(name) for name in self.seen.values()})
        sizes = self._sizes()
        self.problems.refuse(f"records of {len(labels)} files")
        listed = self._listed()
        gathering = Gathering(self.options.source, tuple(_order(listed, self.rows)))
        for row, metadata in self.photos:
            gathering.photo(row, metadata)
        for photo, row in self.rows:
            add_row(gathering, photo, row)
        header = {} if listed is None else {LABELS: listed}
        notes = (*note_of_missing(self.absent), *self._notes())
        return gathering.dataset(self.root, Origin("labelme", "exclusive", header=header), notes, sizes)

    def _listed(self) -> bytes | None:
        file = self.base / LABELS
        return file.read_bytes() if file.is_file() and file.stat().st_size < MAX_BYTES else None

    def _guarded(self, name: str) -> None:
        try:
            text = load(self.base / name, max_bytes=MAX_BYTES, what="the label file")
            if b'"shapes"' not in text.data:
                self.counts["foreign"] += 1
                return
            self._file(name, text)
        except DataError as error:
            self.counts["refused"] += 1
            text_only = error.message.removeprefix(f"{self.base / name}: ").rstrip(".")
            self.problems.add("bad files", f"{name}: {text_only}.", hint=error.hint)

    def _file(self, name: str, text: JsonText) -> None:
        document = json_value(text)
        if not isinstance(document, dict):
            raise DataError("a list where an object belongs")
        path = self._photo_path(name, document)
        if path in self.seen:
            raise DataError(f"{path} is the photo of {self.seen[path]} already")
        there = is_there(self.root / path)
        if not there and document.get("imageData"):
            raise DataError(
                f"the photo {path} is only inside of the file (imageData)",
                hint="Save it with LabelMe's own `labelme_export_json`, or put the photo beside its JSON.",
            )
        size = stated_size(document)
        photo = len(self.photos)
        if size[0]:
            self.rows += [(photo, row) for row in document_rows(document, size)]
        else:
            self.pending[photo] = document
        self.seen[path] = name
        self.absent += [] if there else [path]
        self.counts["inside"] += bool(document.get("imageData"))
        identity, split, group = own_members(document)
        more = {key.removeprefix(MEMBER): value for key, value in document.items() if key not in KNOWN | _OWN}
        sides = {"width": size[0] or None, "height": size[1] or None}
        values = {"path": path, **sides, "split": split, "group": group, "source_id": identity}
        self.photos.append(({**values, "record": without_photo(text.data)}, {**more, "label_file": stem_of(name)}))

    def _photo_path(self, name: str, document: Label) -> str:
        """Return where the photo lies: where the file says, else beside the file under the file's name."""
        said = document.get("imagePath")
        if not isinstance(said, str) or not said:
            raise DataError("`imagePath` is no text")
        clean = said.replace("\\", "/")
        if clean.startswith("/") or re.match(r"[A-Za-z]:", clean) or "\0" in clean:
            raise DataError(f"imagePath {said[:120]!r} is absolute", hint="imagePath is relative to the JSON's folder.")
        folder = "" if self.options.images else parent_of(name)
        path = os.path.normpath(f"{folder}/{clean}" if folder else clean)
        if self.options.images:
            path = re.sub(r"^(\.\./)+", "", path)
        if path == ".." or path.startswith("../") or not self.fence.holds(path):
            hint = "Give the folder that holds both labels and photos as the source's path."
            raise DataError(f"imagePath {said[:120]!r} leads out of {self.root}", hint=hint)
        if is_there(self.root / path):
            return path
        suffix = posixpath.splitext(clean)[1]
        beside = stem_of(name) + suffix
        return beside if self.fence.holds(beside) and is_there(self.root / beside) else path

    def _unlabelled(self, found: list[str], folders: set[str]) -> None:
        """Add the photos beside label files that have none."""
        for path in found:
            if path not in self.seen and parent_of(path) in folders:
                self.counts["unlabelled"] += 1
                self.pending[len(self.photos)] = {"shapes": []}
                self.photos.append(({"path": path}, {}))

    def _sizes(self) -> dict[int, Size]:
        paths = {photo: self.photos[photo][0]["path"] for photo in self.pending}
        sizes, missing = missing_sizes(self.root, paths, self.problems) if self.options.sizes else ({}, [])
        for path in missing:
            text = f"{path} is not in {self.root}, and its file does not say its size."
            self.problems.add("missing photos", text, hint="Set `images` if the paths start elsewhere.")
        for photo, document in self.pending.items():
            try:
                self.rows += [(photo, row) for row in document_rows(document, sizes.get(photo, (0, 0)))]
            except DataError as error:
                name = self.seen[self.photos[photo][0]["path"]]
                self.problems.add("bad files", f"{name}: {error.message.rstrip('.')}.")
        self.rows.sort(key=lambda item: item[0])
        return sizes

    def _notes(self) -> Iterator[str]:
        if self.counts["unlabelled"]:
            yield f"{self.counts['unlabelled']} photos have no JSON: nobody has labelled them."
        if self.counts["inside"]:
            yield f"{self.counts['inside']} files hold their photo as imageData as well; it is left out."
        if self.counts["foreign"]:
            yield f"{self.counts['foreign']} JSON files without `shapes` are left out."


def class_names(listed: bytes) -> list[str]:
    """Return the classes of a `labels.txt`, as LabelMe's --labels takes it."""
    lines = listed.decode("utf-8-sig", "replace").splitlines()
    return list(dict.fromkeys(line for line in lines if line not in _NOT_CLASSES))


def _order(listed: bytes | None, rows: list[tuple[int, Row]]) -> list[str]:
    """Return the classes in the order of `labels.txt` if it has all that are used, else by code points."""
    used = sorted({row["class"] for _, row in rows if row.get("class")})
    names = class_names(listed) if listed is not None else []
    return names if set(used) <= set(names) else used
