"""Where the photos and label files of a YOLO data set lie, in all the ways that people lay them out.

- Ultralytics: `data.yaml` beside `images/` and `labels/`, or `train/images` and `train/labels` (Roboflow); a split is a
  folder, a .txt file of paths, or a list of those.
- Darknet: `obj.data`, `obj.names` and `train.txt`; labels beside the photos.
- Without either: `images/` and `labels/`, or photos and labels side by side; names from `classes.txt` or `obj.names`.

The label file of a photo has its path with the last folder `images` replaced by `labels`, and the suffix .txt.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vision_cli.core.containment import Containment
from vision_cli.core.dataset import Split
from vision_cli.core.errors import DataError
from vision_cli.core.files import read_limited, utf8
from vision_cli.formats.folder_walk import entries, is_ignored
from vision_cli.formats.label_walk import tree
from vision_cli.formats.photos import SPLIT_NAMES, is_photo_name, split_of
from vision_cli.formats.problems import Problems
from vision_cli.formats.yolo import yaml as yolo_yaml

NAME_FILES = ("obj.names", "classes.txt", "labels/classes.txt", "data.names")
_NOT_LABELS = frozenset({"classes.txt", "train.txt", "val.txt", "valid.txt", "test.txt", "readme.txt", "notes.txt"})
_MAX_LIST_BYTES = 1 << 28
_HINT = "Expected data.yaml, obj.data, or the folders images and labels."
_NO_PHOTO = f"{_HINT} Photos that lie elsewhere: `images` of the source, or --images-root."

Entry = tuple[Split | None, str, str]


@dataclass(slots=True)
class Layout:
    """What was found.

    Attributes:
        root: folder of the labels.
        photo_root: folder that photo paths are relative to.
        names: of the classes, or None where nothing names them.
        ids: class ids of the source, in the order of the names.
        keypoints: `kpt_shape`.
        paths: of the photos, relative to `photo_root`.
        splits: of the photos.
        labels: path of each photo's label file relative to `root`, whether it is there or not.
        header: bytes of `data.yaml`.
        notes: what was left out and why.
    """

    root: Path
    photo_root: Path
    names: tuple[str, ...] | None = None
    ids: tuple[int, ...] = ()
    keypoints: tuple[int, int] | None = None
    paths: list[str] = field(default_factory=list)
    splits: list[Split | None] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    header: bytes | None = None
    notes: list[str] = field(default_factory=list)


def yaml_file(folder: Path) -> Path | None:
    """Return the `data.yaml` of a folder, by whatever name.

    Raises:
        DataError: there are several.
    """
    names = [entry.name for entry in entries(folder) if entry.name.lower().endswith((".yaml", ".yml"))]
    found = [folder / name for name in names if yolo_yaml.looks_like(_beginning(folder / name))]
    if len(found) > 1:
        shown = ", ".join(file.name for file in found[:5])
        raise DataError(f"{folder}: {len(found)} files could be its data.yaml: {shown}.", hint="Give the file itself.")
    return found[0] if found else None


def _beginning(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return stream.read(1 << 20).decode("utf-8", "replace")
    except OSError:
        return ""


def data_file(folder: Path) -> Path | None:
    """Return the `obj.data` of a folder, by whatever name; None where there is none or several."""
    found = [folder / entry.name for entry in entries(folder) if entry.name.lower().endswith(".data")]
    return found[0] if len(found) == 1 else None


def find(path: Path, images: Path | None, problems: Problems) -> Layout:
    """Find photos and label files.

    Args:
        path: folder, `data.yaml` or `obj.data`.
        images: folder of the photos, where it is not the one of the labels.
        problems: takes photos that are listed and not there.

    Raises:
        DataError: nothing that looks like YOLO, or no photo.
    """
    root = path if path.is_dir() else path.parent
    file = path if path.is_file() else yaml_file(path) or data_file(path)
    layout = Layout(root, images or root)
    if file is None:
        found = _without_file(layout)
    elif file.suffix.lower() in (".yaml", ".yml"):
        found = _from_yaml(layout, file)
    else:
        found = _from_data(layout, file)
    _Collector(layout, problems).collect(found)
    if not layout.paths:
        problems.refuse("paths of photos")
        raise DataError(f"{path}: no photo was found.", details=layout.notes, hint=_NO_PHOTO)
    return layout


def _from_yaml(layout: Layout, file: Path) -> list[Entry]:
    content, layout.header = yolo_yaml.load(file)
    layout.names, layout.ids, layout.keypoints = content.names, content.ids, content.keypoints
    if content.downloads:
        layout.notes.append(f"{file.name} has a `download:`, which is never run.")
    base = _normal(content.base)
    if base and (layout.photo_root / base).is_dir() and Containment(layout.photo_root).holds(base):
        return [
            (split_of(split), _normal(f"{base}/{place}"), f"{file.name}:{line}")
            for split, place, line in content.entries
        ]
    if base and base != ".":
        layout.notes.append(
            f"path: {content.base} of {file.name} is not below {layout.root}; the file's folder is taken."
        )
    return [(split_of(split), _normal(place), f"{file.name}:{line}") for split, place, line in content.entries]


def _from_data(layout: Layout, file: Path) -> list[Entry]:
    """Read darknet's `key = value` lines."""
    text = utf8(read_limited(file, max_bytes=1 << 20, what="obj.data"), where=str(file))
    found: list[Entry] = []
    names = ""
    for number, line in enumerate(text.splitlines(), start=1):
        key, _, value = (part.strip() for part in line.partition("="))
        if key == "names":
            names = value
        elif key in SPLIT_NAMES and value:
            found.append((SPLIT_NAMES[key], _normal(value), f"{file.name}:{number}"))
    place = _existing(Containment(layout.root), _normal(names), (".",)) if names else None
    if place is not None:
        _take_names(layout, layout.root / place)
    else:
        _find_names(layout)
    if not found:
        raise DataError(f"{file}: neither train nor valid names a list of photos.", hint="train = data/train.txt")
    return found


def _without_file(layout: Layout) -> list[Entry]:
    _find_names(layout)
    root = layout.root
    if (root / "labels").is_dir() and (layout.photo_root != root or (root / "images").is_dir()):
        folder = "images" if (layout.photo_root / "images").is_dir() else "."
        return list(_below(layout.photo_root, folder))
    splits = [entry.name for entry in entries(root) if split_of(entry.name) and (root / entry.name / "labels").is_dir()]
    if splits:
        return [(split_of(name), f"{name}/images", str(root / name)) for name in splits]
    if layout.names is not None:
        return [(None, ".", str(root))]
    raise DataError(f"{root}: this is no YOLO data set.", hint=_HINT)


def _below(root: Path, folder: str) -> Iterator[Entry]:
    """Yield the folders of splits below `images`, or that folder itself."""
    tops = [entry for entry in entries(root / folder) if entry.is_dir(follow_symlinks=False)]
    loose = any(is_photo_name(entry.name) for entry in entries(root / folder))
    if tops and not loose and all(split_of(entry.name) for entry in tops):
        yield from ((split_of(entry.name), _normal(f"{folder}/{entry.name}"), entry.path) for entry in tops)
    else:
        yield None, folder, str(root / folder)


def _find_names(layout: Layout) -> None:
    """Take the first file of names that is there."""
    for name in NAME_FILES:
        if (layout.root / name).is_file():
            _take_names(layout, layout.root / name)
            return
    layout.notes.append("Nothing names the classes; they are called by their numbers.")


def _take_names(layout: Layout, file: Path) -> None:
    """Read one name a line.

    Raises:
        DataError: a name is empty or stands twice.
    """
    text = utf8(read_limited(file, max_bytes=1 << 22, what="the list of classes"), where=str(file))
    names = [line.strip() for line in text.split("\n")]
    while names and not names[-1]:
        names.pop()
    lines: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        if not name or lines.setdefault(name, number) != number:
            what = f"stands in line {lines[name]} already" if name else "is empty"
            raise DataError(f"{file}:{number}: the class name {name!r} {what}.", hint="Give each class its own name.")
    layout.names, layout.ids = tuple(names), tuple(range(len(names)))


def _normal(place: str) -> str:
    """Return a place with `/`, without `.` parts, detours and a slash behind; empty for the folder itself."""
    place = posixpath.normpath(place if "/" in place else place.replace("\\", "/"))
    return "" if place == "." else place


def _existing(fence: Containment, place: str, bases: Sequence[str]) -> str | None:
    """Return where a place is below the root: as it stands, or without what people write before it.

    That is `../` (Roboflow's `../train/images`) and darknet's own folder (`data/train.txt`).
    """
    root = os.fspath(fence.root)
    shorter = re.sub(r"^(\.\./)+", "", place)
    choices = [place, shorter, shorter.partition("/")[2] if shorter.startswith("data/") else ""]
    for base in bases:
        for choice in choices:
            full = choice if base == "." else f"{base}/{choice}"
            if choice and os.path.exists(f"{root}/{full}") and fence.holds(full):  # noqa: PTH110 - long names
                return full
    return None


class _Collector:
    """Fills a layout with photos, each once."""

    def __init__(self, layout: Layout, problems: Problems) -> None:
        self.layout = layout
        self.problems = problems
        self.fence = Containment(layout.photo_root)
        self.seen: dict[str, Split | None] = {}
        self.twice = 0

    def collect(self, found: Sequence[Entry]) -> None:
        """Take the photos of every entry."""
        for split, place, where in found:
            self._entry(split, place, where)
        if self.twice:
            self.layout.notes.append(f"{self.twice} photos stand in several splits; they count for the first one.")
        apart = self.layout.photo_root != self.layout.root
        self.layout.labels = [label_path(path, apart) for path in self.layout.paths]

    def _entry(self, split: Split | None, place: str, where: str) -> None:
        at = self._place(place)
        if at is None:
            root = self.layout.photo_root
            self.layout.notes.append(f"{where}: {place or '.'} is not below {root}; it is left out.")
        elif (self.layout.photo_root / at).is_dir():
            listing = tree(self.layout.photo_root / at, ".txt")
            self._take(split, [path if at == "." else f"{at}/{path}" for path in listing.photos])
        elif at.lower().endswith(".txt"):
            self._take(split, list(self._listed(at)))
        else:
            raise DataError(f"{where}: {place} is neither a folder nor a .txt file of paths.", hint=_HINT)

    def _place(self, place: str) -> str | None:
        if place in ("", "."):
            return "."
        found = _existing(self.fence, place, (".",))
        if found is None and place.startswith("images"):
            # `images` of the source's options stands for the folder of that name.
            found = "." if place == "images" else _existing(self.fence, place.removeprefix("images/"), (".",))
        return found

    def _listed(self, file: str) -> Iterator[str]:
        """Yield the photos of a .txt file; paths start at the root, or at the file's own folder."""
        path = self.layout.photo_root / file
        text = utf8(read_limited(path, max_bytes=_MAX_LIST_BYTES, what="the list of photos"), where=str(path))
        bases = tuple(dict.fromkeys((".", file.rpartition("/")[0] or ".")))
        for number, line in enumerate(text.splitlines(), start=1):
            if not line.strip():
                continue
            found = None if "\0" in line else _existing(self.fence, _normal(line.strip()), bases)
            if found is not None and is_photo_name(found):
                yield found
                continue
            hint = "Paths are relative to the folder of data.yaml or to that of the list, and stay below it."
            kind = "paths that are no photos" if found else "missing photos"
            shown = line.strip()[:200]
            self.problems.add(kind, f"{file}:{number}: {shown} is not in {self.layout.photo_root}", hint=hint)

    def _take(self, split: Split | None, paths: Sequence[str]) -> None:
        for path in paths:
            if path in self.seen:
                self.twice += self.seen[path] != split
                continue
            self.seen[path] = split
            self.layout.paths.append(path)
            self.layout.splits.append(split)


def label_path(photo: str, apart: bool) -> str:
    """Return the path of a photo's label file.

    Args:
        photo: its path.
        apart: photos lie in a folder of their own, which stands for `images`.
    """
    folder, _, name = photo.rpartition("/")
    parts = folder.split("/") if folder else []
    places = [index for index, part in enumerate(parts) if part == "images"]
    if places:
        parts[places[-1]] = "labels"
    elif apart:
        parts.insert(0, "labels")
    stem = name.rpartition(".")[0]
    return "/".join([*parts, f"{stem}.txt"])


def label_names(layout: Layout) -> tuple[set[str], list[str]]:
    """Return the label files that are there, and those of them that have no photo."""
    there: set[str] = set()
    fence = Containment(layout.root)
    for folder in dict.fromkeys(label.rpartition("/")[0] for label in layout.labels):
        prefix = f"{folder}/" if folder else ""
        at = layout.root / folder
        if not at.is_dir() or (folder and not fence.holds(folder)):
            continue
        with os.scandir(at) as found:
            for entry in found:
                if entry.name.endswith(".txt") and not is_ignored(entry.name) and _is_inside(entry, prefix, fence):
                    there.add(prefix + entry.name)
    expected = set(layout.labels)
    orphans = sorted(name for name in there - expected if name.rpartition("/")[2].lower() not in _NOT_LABELS)
    return there & expected, orphans


def _is_inside(entry: os.DirEntry[str], prefix: str, fence: Containment) -> bool:
    return not entry.is_symlink() or fence.holds(prefix + entry.name)
