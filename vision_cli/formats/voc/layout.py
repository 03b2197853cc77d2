"""Where VOC annotations and photos stand to each other, and what else of VOC lies around them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from vision_cli.core.dataset import Split
from vision_cli.formats.label_walk import Tree, parent_of, stem_of

ANNOTATIONS, PHOTOS, LISTS = "Annotations", "JPEGImages", "ImageSets"
CLASS_MASKS, OBJECT_MASKS = "SegmentationClass", "SegmentationObject"
LIST_NAMES: dict[str, Split] = {"train": "train", "val": "val", "test": "test"}

_LABEL_NAMES = frozenset({"annotations", "annotation", "xml", "xmls", "labels", "label", "anns"})
_PHOTO_NAMES = ("jpegimages", "images", "image", "imgs", "img", "photos", "jpgs", "jpg")
_OTHER_NAMES = frozenset({CLASS_MASKS.lower(), OBJECT_MASKS.lower()})
_WHOLE_LIST = re.compile(r"(?:.*/)?ImageSets/Main/(?:train|val|test)\.txt")
_LABEL_MAP = "labelmap.txt"


@dataclass(slots=True)
class Layout:
    """Photos, annotations and what lies around them; paths relative to the root.

    Attributes:
        folders: folder of photos that belongs to each folder of annotations, the likeliest first.
        stems: photos by (folder, stem).
        names: all photos.
        annotations: the XML files, in order.
        lists: lists of splits, `ImageSets/Main/train.txt` and so on.
        label_maps: `labelmap.txt` as CVAT writes it.
        companions: further lists, and masks.
    """

    folders: dict[str, list[str]] = field(default_factory=dict)
    stems: dict[tuple[str, str], str] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    annotations: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    label_maps: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()

    def photo_of(self, annotation: str) -> str | None:
        """Return the photo with an annotation's stem."""
        stem = stem_of(annotation.rpartition("/")[2])
        found = (self.stems.get((folder, stem)) for folder in self.folders[parent_of(annotation)])
        return next((photo for photo in found if photo is not None), None)

    def named_photo(self, annotation: str, filename: str) -> str | None:
        """Return the photo that an annotation names, if it is there."""
        found = (f"{folder}/{filename}".lstrip("/") for folder in self.folders[parent_of(annotation)])
        return next((photo for photo in found if photo in self.names), None)

    def missing_photo(self, annotation: str, filename: str) -> str:
        """Return where a photo that is not there would be."""
        return f"{self.folders[parent_of(annotation)][0]}/{filename}".lstrip("/")

    def unlabelled(self, used: Iterable[str]) -> list[str]:
        """Return the photos without annotation of the folders that photos with annotation are in."""
        taken = set(used)
        folders = {parent_of(photo) for photo in taken} | {folders[0] for folders in self.folders.values()}
        folders |= {folder for folder, _ in self.stems if folder.split("/")[-1].lower() == PHOTOS.lower()}
        return [photo for photo in self.names if photo not in taken and parent_of(photo) in folders]


def find_layout(tree: Tree) -> Layout:
    """Pair folders of annotations with folders of photos."""
    lists = [path for path in tree.others if f"/{LISTS}/" in f"/{path}" and path.endswith(".txt")]
    masks = [path for path in tree.photos if _OTHER_NAMES & set(path.lower().split("/")[:-1])]
    photos = [path for path in tree.photos if path not in set(masks)]
    photo_folders = dict.fromkeys(parent_of(path) for path in photos)
    folders = {parent_of(path): _photo_folders(parent_of(path), photo_folders) for path in tree.labels}
    stems: dict[tuple[str, str], str] = {}
    for path in photos:
        stems.setdefault((parent_of(path), stem_of(path.rpartition("/")[2])), path)
    whole = [path for path in lists if _WHOLE_LIST.fullmatch(path)]
    return Layout(
        folders=folders,
        stems=stems,
        names=frozenset(photos),
        annotations=tuple(tree.labels),
        lists=tuple(whole),
        label_maps=tuple(path for path in tree.others if path.rpartition("/")[2] == _LABEL_MAP),
        companions=tuple(sorted({*lists, *masks} - set(whole))),
    )


def _photo_folders(folder: str, photo_folders: Iterable[str]) -> list[str]:
    """Return the folders where photos of a folder of annotations may be, the likeliest first."""
    parts = folder.split("/")
    at = next((index for index in reversed(range(len(parts))) if parts[index].lower() in _LABEL_NAMES), None)
    if at is None:
        return [folder]
    lower = {known.lower(): known for known in photo_folders}
    beside = ["/".join([*parts[:at], name, *parts[at + 1 :]]).lower() for name in _PHOTO_NAMES]
    above = "/".join([*parts[:at], *parts[at + 1 :]])
    found = [lower[name] for name in beside if name in lower]
    return [*(found or ["/".join([*parts[:at], PHOTOS, *parts[at + 1 :]])]), folder, above]


def annotation_path(photo: str, folders: dict[str, str]) -> str:
    """Return where the annotation of a photo belongs.

    Args:
        photo: path relative to the root.
        folders: folder of annotations, by folder of photos.
    """
    folder = parent_of(photo)
    labels = folders.get(folder)
    if labels is None:
        head, _, last = folder.rpartition("/")
        labels = f"{head}/{ANNOTATIONS}".lstrip("/") if last.lower() in _PHOTO_NAMES else folder
    return f"{labels}/{stem_of(photo.rpartition('/')[2])}.xml".lstrip("/")


def base_of(folder: str) -> str:
    """Return the folder that holds `ImageSets` and the masks of a folder of photos."""
    head, _, last = folder.rpartition("/")
    return head if last.lower() in _PHOTO_NAMES else folder
