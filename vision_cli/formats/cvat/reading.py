"""Read CVAT's XML into columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vision_cli.core import containment
from vision_cli.core.containment import Containment
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.files import read_limited
from vision_cli.core.origin import Origin
from vision_cli.formats import ReadOptions, photos
from vision_cli.formats.cvat import shapes as cvat_shapes
from vision_cli.formats.cvat.xml import Element, children_of_root, utf8_xml
from vision_cli.formats.gathering import Gathering
from vision_cli.formats.labelling_rows import Row, add_row, is_there, missing_sizes
from vision_cli.formats.problems import Problems

MAX_BYTES = 2 << 30
_MAX_SIDE = 1 << 30
_IMAGE_FIELDS = frozenset({"id", "name", "width", "height", "subset", "source_id"})
_PHOTO_HINT = (
    f"Photo paths stay below the folder of the XML, or below the folder that `images` names. {containment.HINT}"
)


@dataclass(slots=True)
class Labels:
    """What `<meta>` says.

    Attributes:
        names: classes in order.
        records: bytes of each class's `<label>`.
        types: input type of attributes by (label, name).
        sizes: (width, height) of a video's frames by task id; "" where there is one task.
        subsets: of tasks, by id.
        header: `<meta>` and `<version>` as they are.
    """

    names: list[str] = field(default_factory=list)
    records: dict[str, bytes] = field(default_factory=dict)
    types: dict[tuple[str, str], str] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    subsets: dict[str, str] = field(default_factory=dict)
    header: dict[str, bytes] = field(default_factory=dict)


def candidates(path: Path) -> list[Path]:
    """Return the XML files that a path may mean."""
    files = [path] if path.is_file() else sorted(path.iterdir())
    return [file for file in files if file.suffix.lower() == ".xml" and file.name[0] != "." and file.is_file()]


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read one XML file, or the only one of a folder; see `formats.cvat.read`."""
    file = path if path.is_file() else _only(path)
    return _Reader(file, options).dataset()


def _only(folder: Path) -> Path:
    found = candidates(folder)
    if len(found) != 1:
        names = ", ".join(file.name for file in found[:10]) or "none"
        raise DataError(
            f"{folder}: one CVAT XML file was expected, found {len(found)}: {names}.",
            hint="Give the file itself as the source's path; several files are several sources.",
        )
    return found[0]


class _Reader:
    """Takes one file apart, element by element."""

    def __init__(self, file: Path, options: ReadOptions) -> None:
        self.file, self.options = file, options
        self.root = options.images or file.parent
        self.fence = Containment(self.root)
        self.problems = Problems(file)
        self.labels = Labels()
        self.content = utf8_xml(read_limited(file, max_bytes=MAX_BYTES, what="the XML file"), file.name)
        self.gathering: Gathering | None = None
        self.unsized: dict[int, str] = {}
        self.lines: dict[int, int] = {}
        self.frames: dict[tuple[str, int], int] = {}
        self.paths: dict[str, int] = {}
        self.counts = {"photos": 0, "shapes": 0, "outside": 0, "no label": 0, "parts": 0}

    def dataset(self) -> Dataset:
        """Read all of it."""
        for element in children_of_root(self.content, self.file.name, "annotations"):
            match element.name:
                case "meta" | "version":
                    self._header(element)
                case "image":
                    self._image(element)
                case "track":
                    self._track(element)
                case _:
                    self._problem("unknown elements", element, f"<{element.name}> is none of CVAT's")
        sizes = self._sizes()
        self.problems.refuse(f"records of {self.counts['photos']} photos and {self.counts['shapes']} shapes")
        gathering = self._gathering()
        origin = Origin("cvat", "exclusive", class_records=self.labels.records, header=self.labels.header)
        return gathering.dataset(self.root, origin, tuple(self._notes()), sizes)

    def _gathering(self) -> Gathering:
        if self.gathering is None:
            self.gathering = Gathering(self.options.source, tuple(self.labels.names))
        return self.gathering

    def _problem(self, kind: str, element: Element, text: str, hint: str | None = None) -> None:
        self.problems.add(kind, f"{text}.", line=element.line, hint=hint)

    def _header(self, element: Element) -> None:
        if element.name in self.labels.header or self.gathering is not None:
            self._problem("repeated headers", element, f"<{element.name}> stands twice, or behind the first photo")
            return
        self.labels.header[element.name] = self._bytes(element)
        for holder in element.children:
            _read_meta(holder, self.labels, self.content)

    def _bytes(self, element: Element) -> bytes:
        return self.content[element.start : element.end]

    def _image(self, element: Element) -> None:
        self.counts["photos"] += 1
        found = element.attributes
        size = self._size(element)
        path = self._path(element, found.get("name", ""), found.get("subset", ""))
        if path is None or size is None:
            return
        tag = self.content[element.start : element.children[0].start if element.children else element.end]
        row = self._add_photo(path, size, element, {"record": tag[: _tag_end(tag)]})
        self._shapes(element, row, size)

    def _add_photo(self, path: str, size: tuple[int, int], element: Element, more: Row) -> int:
        found = element.attributes
        values = {
            "path": path,
            "width": size[0] or None,
            "height": size[1] or None,
            "split": photos.split_of(found.get("subset", "")),
            "source_id": found.get("source_id", found.get("id")) if element.name == "image" else None,
            "record": more.get("record"),
        }
        names = ["subset"] if found.get("subset") and not values["split"] else []
        names += [name for name in found if name not in _IMAGE_FIELDS] if element.name == "image" else []
        metadata = {name: found[name] for name in names} | {n: v for n, v in more.items() if n != "record"}
        row = self._gathering().photo(values, metadata)
        if not size[0]:
            self.unsized[row] = path
        return row

    def _size(self, element: Element) -> tuple[int, int] | None:
        texts = [element.attributes.get(side, "0") for side in ("width", "height")]
        if not all(text.isascii() and text.isdigit() and int(text[:20]) < _MAX_SIDE for text in texts):
            self._problem("impossible sizes", element, f"width and height are {texts[0]!r} and {texts[1]!r}")
            return None
        width, height = (int(text) for text in texts)
        return (width, height) if width and height else (0, 0)

    def _path(self, element: Element, name: str, subset: str) -> str | None:
        """Return where a photo lies; None when it is refused."""
        parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
        clean = "/".join(parts)
        if not parts or ".." in parts or name.startswith(("/", "\\")) or not self.fence.holds(clean):
            self._problem("photo paths", element, f"the photo's name {name!r} leads out of {self.root}", _PHOTO_HINT)
            return None
        safe = [subset] if subset and "/" not in subset and "\\" not in subset and subset not in (".", "..") else []
        below = [f"images/{part}/{clean}" for part in safe]
        choices = [clean, f"images/{clean}", *below, *(f"{part}/{clean}" for part in safe)]
        default = [clean if self.options.images else f"images/{clean}", *below]
        there = [path for path in choices if is_there(self.root / path)]
        free = [path for path in there or default if path not in self.paths and self.fence.holds(path)]
        if not free:
            self._not_free(element, name, there or default)
            return None
        self.lines[len(self.paths)] = element.line
        self.paths[free[0]] = len(self.paths)
        return free[0]

    def _not_free(self, element: Element, name: str, places: list[str]) -> None:
        line = next((self.lines[self.paths[path]] for path in places if path in self.paths), None)
        if line is not None:
            self._problem("repeated photos", element, f"{name} stands on line {line} already")
            return
        text = f"the photo {name!r} is a link that leads out of {self.root}"
        self._problem("photo paths", element, text, containment.HINT)

    def _shapes(self, image: Element, row: int, size: tuple[int, int]) -> None:
        pending: Row | None = None
        for shape in image.children:
            found = self._values(shape, shape.attributes.get("label", ""), size)
            if found is None:
                continue
            found["record"] = self._bytes(shape)
            if pending is not None and (joined := cvat_shapes.joined(pending, found)) is not None:
                self.counts["parts"] += 1
                pending = {**joined, "record": pending["record"] + b"\n    " + found["record"]}
                continue
            if pending is not None:
                add_row(self._gathering(), row, pending)
            pending = found
        if pending is not None:
            add_row(self._gathering(), row, pending)

    def _values(self, shape: Element, label: str, size: tuple[int, int]) -> Row | None:
        self.counts["shapes"] += 1
        if shape.name not in cvat_shapes.SHAPES:
            self._problem("unknown shapes", shape, f"<{shape.name}> is no shape of CVAT XML 1.1")
            return None
        try:
            found = cvat_shapes.values(shape, label, self.labels.types, size)
        except DataError as error:
            self._problem(f"bad {shape.name} shapes", shape, f"<{shape.name}>: {error.message.rstrip('.')}")
            return None
        self.counts["no label"] += not label
        return found

    def _track(self, track: Element) -> None:
        found, task = track.attributes, track.attributes.get("task_id", "")
        if not (found.get("id", "").isascii() and found.get("id", "").isdigit() and len(found["id"]) < 19):
            self._problem("bad tracks", track, f"the id of a track is {found.get('id', '')!r}, no whole number")
            return
        outside = []
        for shape in track.children:
            frame = shape.attributes.get("frame", "")
            if not (frame.isascii() and frame.isdigit() and len(frame) < 10):
                self._problem("bad frames", shape, f"the frame is {frame!r}, no whole number")
            elif shape.attributes.get("outside") == "1":
                self.counts["outside"] += 1
                self._frame(track, task, int(frame))
                outside.append(self._bytes(shape))
            else:
                self._inside(track, shape, self._frame(track, task, int(frame)))
        tag = self.content[track.start : track.children[0].start if track.children else track.end]
        head = tag[: _tag_end(tag)].rstrip(b"/>").rstrip()
        self.labels.header[f"track {task} {found['id']}"] = head + b">" + b"".join(outside) + b"</track>"

    def _inside(self, track: Element, shape: Element, row: int | None) -> None:
        size = self.labels.sizes.get(track.attributes.get("task_id", ""), (0, 0))
        found = self._values(shape, track.attributes.get("label", ""), size)
        if found is not None and row is not None:
            found |= {"record": self._bytes(shape), "track_id": int(track.attributes["id"])}
            add_row(self._gathering(), row, found)

    def _frame(self, track: Element, task: str, frame: int) -> int | None:
        """Return the photo of a frame; new ones are added."""
        if (task, frame) in self.frames:
            return self.frames[task, frame]
        stem, subset = f"frame_{frame:06d}", track.attributes.get("subset", self.labels.subsets.get(task, ""))
        names = [f"{stem}{suffix}" for suffix in (".PNG", ".png", ".jpg", ".JPG", ".jpeg")]
        places = [f"{folder}{name}" for folder in ("", "images/", f"images/{subset}/") for name in names]
        name = next((place for place in places if is_there(self.root / place)), names[0])
        path = self._path(track, name, subset)
        if path is None:
            return None
        size = self.labels.sizes.get(task, (0, 0))
        row = self._add_photo(path, size, track, {"frame": frame, **({"task_id": task} if task else {})})
        self.frames[task, frame] = row
        self.counts["photos"] += 1
        return row

    def _sizes(self) -> dict[int, photos.Size]:
        if not self.options.sizes:
            return {}
        sizes, missing = missing_sizes(self.root, self.unsized, self.problems)
        for path in missing:
            text = f"{path} is not in {self.root}, and the file does not say its size."
            self.problems.add("missing photos", text, hint="Set `images` if the paths start elsewhere.")
        return sizes

    def _notes(self) -> Iterator[str]:
        if self.counts["outside"]:
            yield f"{self.counts['outside']} frames of tracks are outside of the photo: no objects, kept in the header."
        if self.counts["no label"]:
            yield f"{self.counts['no label']} shapes have no label: they have no class."
        if self.counts["parts"]:
            yield f"{self.counts['parts']} polygons are further parts of the object before them, by their group."


def _read_meta(holder: Element, labels: Labels, content: bytes) -> None:
    """Take labels, sizes and subsets out of `<task>`, `<project>` or `<job>`."""
    for label in (holder.child("labels") or Element("labels", {})).children:
        name = (label.child("name") or Element("name", {})).text
        if name and not label.child_text("parent") and name not in labels.records:
            labels.names.append(name)
            labels.records[name] = content[label.start : label.end]
        for attribute in (label.child("attributes") or Element("attributes", {})).children:
            labels.types[name, attribute.child_text("name")] = attribute.child_text("input_type")
    tasks = (holder.child("tasks") or Element("tasks", {})).children
    for task, key in [(holder, ""), *((task, task.child_text("id")) for task in tasks)]:
        labels.subsets[key] = task.child_text("subset")
        size = task.child("original_size")
        sides = [size.child_text(side) for side in ("width", "height")] if size is not None else []
        if sides and all(side.isascii() and side.isdigit() and 0 < int(side[:12]) < _MAX_SIDE for side in sides):
            labels.sizes[key] = int(sides[0]), int(sides[1])
            labels.sizes.setdefault(holder.child_text("id"), labels.sizes[key])


def _tag_end(tag: bytes) -> int:
    """Return where a start tag ends; `>` may stand in a quoted value."""
    quote = b""
    for index in range(len(tag)):
        char = tag[index : index + 1]
        if quote:
            quote = b"" if char == quote else quote
        elif char in (b'"', b"'"):
            quote = char
        elif char == b">":
            return index + 1
    return len(tag)
