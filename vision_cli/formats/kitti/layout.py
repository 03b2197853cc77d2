"""Where KITTI label files and photos stand to each other, and which split they are of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from vision_cli.core.dataset import Split
from vision_cli.formats.label_walk import Tree, parent_of, stem_of
from vision_cli.formats.photos import SPLIT_NAMES

_FOLDERS = {
    **{f"label_{camera}": f"image_{camera}" for camera in ("0", "1", "2", "3", "00", "01", "02", "03")},
    **{"labels": "images", "label": "image"},
}
"""Name of a label folder: name of its photos' folder."""

_NO_LABELS = frozenset({"calib", "imagesets", "velodyne", "planes", "oxts"})
LISTS = "ImageSets"
LIST_NAMES: dict[str, Split] = {"train": "train", "val": "val", "test": "test"}


@dataclass(slots=True)
class Layout:
    """Pairs of folders, and what is in them.

    Attributes:
        pairs: folder of labels: folder of their photos, relative to the root, no `/` at the end.
        labels: label files by (folder of photos, stem of the photo).
        photos: photos by the same key; several where they differ in suffix only.
        companions: calibration files.
        lists: files of `ImageSets`.
    """

    pairs: dict[str, str] = field(default_factory=dict)
    labels: dict[tuple[str, str], str] = field(default_factory=dict)
    photos: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    companions: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()

    def label_files(self) -> Iterator[str]:
        """Yield label files in order of their paths."""
        yield from sorted(self.labels.values())


def find_layout(tree: Tree) -> Layout:
    """Pair label files and photos.

    Text files in a folder such as `label_2` or `labels` are labels; where there is no such folder, those beside photos,
    or, without any photo, those of the top folder.
    """
    texts = [path for path in tree.labels if not _NO_LABELS & set(parent_of(path).lower().split("/"))]
    folders = dict.fromkeys(parent_of(path) for path in texts)
    pairs = {folder: photos for folder in folders if (photos := _photo_folder(folder)) is not None}
    photo_folders = dict.fromkeys(parent_of(path) for path in tree.photos)
    if not pairs:
        pairs = {folder: folder for folder in folders if folder in photo_folders or not photo_folders}
    layout = Layout(pairs=pairs)
    last_names = {_last_photo_name(folder) for folder in pairs.values()}
    used = set(pairs.values())
    used |= {folder for folder in photo_folders if _last_photo_name(folder) in last_names - {None}}
    for path in tree.photos:
        if parent_of(path) in used:
            key = (parent_of(path), stem_of(path.rpartition("/")[2]))
            layout.photos.setdefault(key, []).append(path)
    stems = {stem for _, stem in layout.photos} if set(pairs) == set(pairs.values()) else None
    for path in texts:
        folder, stem = parent_of(path), stem_of(path.rpartition("/")[2])
        if folder in pairs and (not stems or stem in stems):
            layout.labels[pairs[folder], stem] = path
    layout.companions = tuple(path for path in [*tree.labels, *tree.others] if "calib" in path.lower().split("/")[:-1])
    layout.lists = tuple(path for path in tree.labels if path.split("/")[:-1] == [LISTS])
    return layout


def _photo_folder(folder: str) -> str | None:
    """Return the folder of photos that a folder of labels has; None where its name says nothing."""
    parts = folder.split("/")
    for index in reversed(range(len(parts))):
        if photos := _FOLDERS.get(parts[index].lower()):
            return "/".join([*parts[:index], photos, *parts[index + 1 :]])
    return None


def _last_photo_name(folder: str) -> str | None:
    return next((part for part in reversed(folder.split("/")) if part.lower() in _FOLDERS.values()), None)


def split_of_folder(folder: str) -> Split | None:
    """Return the split that a part of a folder's path names, from the end."""
    return next((SPLIT_NAMES[part] for part in reversed(folder.lower().split("/")) if part in SPLIT_NAMES), None)


def list_entries(content: bytes) -> list[str]:
    """Return the names in a list of photos, one a line; comments and what follows a name are left out."""
    lines = content.decode("utf-8-sig", "replace").splitlines()
    return [line.split()[0] for line in lines if line.strip() and not line.lstrip().startswith("#")]


def header_of(layout: Layout, lists: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return what a writer needs to lay files out as they were."""
    pairs = json.dumps({photos: labels for labels, photos in layout.pairs.items()}, ensure_ascii=False)
    return {"layout": pairs.encode(), **lists}


def label_path(photo: str, pairs: Mapping[str, str]) -> str:
    """Return where a photo's label file belongs.

    Args:
        photo: path relative to the root.
        pairs: folder of labels, by folder of photos.
    """
    folder = parent_of(photo)
    labels = pairs.get(folder)
    if labels is None:
        labels = _label_folder(folder)
    name = f"{stem_of(photo.rpartition('/')[2])}.txt"
    return f"{labels}/{name}" if labels else name


def _label_folder(folder: str) -> str:
    names = {photos: labels for labels, photos in _FOLDERS.items()}
    parts = folder.split("/")
    for index in reversed(range(len(parts))):
        if parts[index].lower() in names:
            return "/".join([*parts[:index], names[parts[index].lower()], *parts[index + 1 :]])
    return folder
