"""VOC's lists of splits, and the label map that CVAT and others put beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from vision_cli.core.dataset import Split
from vision_cli.formats.label_walk import parent_of, read_small, stem_of
from vision_cli.formats.photos import SPLIT_NAMES
from vision_cli.formats.voc.layout import LIST_NAMES, LISTS, Layout, base_of

BACKGROUND = "background"
_HEADER = "# label:color_rgb:parts:actions"
Note = Callable[[str, str], None]


def splits_of(
    root: Path, layout: Layout, paths: Sequence[str], note: Note
) -> tuple[list[Split | None], dict[str, bytes]]:
    """Return the split of each photo, from the lists or else from folders such as `train`, and the lists' bytes."""
    lists = {name: read_small(f"{root}/{name}") for name in layout.lists}
    if not lists:
        folders = {folder: split_of_folder(folder) for folder in {parent_of(path) for path in paths}}
        return [folders[parent_of(path)] for path in paths], {}
    rows = {key: row for row, path in enumerate(paths) for key in (list_key(path), stem_of(path))}
    splits: list[Split | None] = [None] * len(paths)
    for name, content in lists.items():
        base, split = name.rpartition(f"{LISTS}/")[0].rstrip("/"), LIST_NAMES[stem_of(name.rpartition("/")[2])]
        for entry in list_entries(content):
            row = rows.get(f"{base}/{entry}".lstrip("/"))
            if row is None:
                note(f"names in {LISTS} have no photo", f"{entry} ({name})")
            elif splits[row] not in (None, split):
                note(f"photos stand in two lists of {LISTS}, of which the first counts", f"{entry} ({name})")
            else:
                splits[row] = split
    return splits, lists


def list_key(photo: str) -> str:
    """Return the name of a photo in lists, behind the folder that holds the lists."""
    return f"{base_of(parent_of(photo))}/{stem_of(photo.rpartition('/')[2])}".lstrip("/")


def list_entries(content: bytes) -> list[str]:
    """Return the names in a list, one a line; comments are left out, and so is a number behind a name (-1, 0, 1)."""
    entries = []
    for line in content.decode("utf-8-sig", "replace").splitlines():
        text = line.strip()
        name, _, number = text.rpartition(" ")
        if text and not text.startswith("#"):
            entries.append(name.strip() if name and number.strip() in ("-1", "0", "1") else text)
    return entries


def split_of_folder(folder: str) -> Split | None:
    """Return the split that a part of a folder's path names, from the end."""
    return next((SPLIT_NAMES[part] for part in reversed(folder.lower().split("/")) if part in SPLIT_NAMES), None)


def label_map_names(content: bytes, used: set[str]) -> list[str]:
    """Return the classes of a label map in order; the background is none unless an object is of it."""
    lines = content.decode("utf-8-sig", "replace").splitlines()
    names = [line.split(":")[0].strip() for line in lines if line.strip() and not line.startswith("#")]
    return [name for name in names if name and (name != BACKGROUND or name in used)]


def label_map(names: Sequence[str]) -> bytes | None:
    """Return a label map of classes in order, in VOC's colours; None where a name cannot stand in it."""
    if any(
        set(":\n\r") & set(name) or name.strip() != name or name[0] == "#" or len(name.splitlines()) > 1
        for name in names
    ):
        return None
    listed = names if BACKGROUND in names else [BACKGROUND, *names]
    lines = [f"{name}:{','.join(map(str, colour(index)))}::" for index, name in enumerate(listed)]
    return "\n".join([_HEADER, *lines, ""]).encode()


def colour(index: int) -> tuple[int, int, int]:
    """Return VOC's colour of a class index: its bits, three at a time, from the highest bit of each channel down."""
    red = green = blue = 0
    for shift in range(7, -1, -1):
        red |= (index & 1) << shift
        green |= (index >> 1 & 1) << shift
        blue |= (index >> 2 & 1) << shift
        index >>= 3
    return red, green, blue
