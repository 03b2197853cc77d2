"""Which picture below a folder is a photo and which is the mask of which photo."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from vision_cli.formats import label_walk, photos

MASK_FOLDERS = frozenset(
    {
        *("masks", "mask", "labels", "label", "annotations", "annotation", "segmentationclass", "segmentations"),
        *("segmentation", "gt", "gtleft", "semseg", "groundtruth", "ground_truth", "targets", "label_images"),
    }
)
PHOTO_FOLDERS = frozenset(
    {"images", "image", "imgs", "img", "photos", "photo", "jpegimages", "rgb", "rgbleft", "pictures", "inputs"}
)
_MASK_ENDINGS = re.compile(r"(_mask|_masks|_label|_labels|_labelids|_gt|_semantic|_L)$")
_ANNOT = "annot"
_YEAR = re.compile(r"[_-]?\d+$")  # train2017
_LOSSLESS = frozenset({".png", ".bmp", ".tif", ".tiff", ".gif"})


@dataclass(slots=True)
class Pairs:
    """Photos and masks below a folder.

    Attributes:
        photos: paths of photos, sorted.
        masks: path of the mask by path of the photo.
        several: photos with several masks.
        lonely: masks without photo.
        others: pictures that are neither.
    """

    photos: list[str] = field(default_factory=list)
    masks: dict[str, str] = field(default_factory=dict)
    several: list[str] = field(default_factory=list)
    lonely: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def pairs(root: Path, *, most: int | None = None) -> Pairs:
    """Find photos and their masks.

    Args:
        root: the folder.
        most: entries of each folder to look at; all of them when None.

    Raises:
        DataError: see `label_walk.tree`.
    """
    return paired(label_walk.tree(root, ".none", most=most).photos)


def paired(paths: Iterable[str]) -> Pairs:
    """Sort pictures into photos and masks, by the names of folders and files."""
    found = Pairs()
    masks: dict[tuple[str, ...], list[str]] = {}
    named: dict[tuple[str, ...], list[str]] = {}
    for path in paths:
        (masks if _is_mask(path) else named).setdefault(_key(path), []).append(path)
    for key, candidates in sorted(named.items()):
        chosen = [path for path in candidates if _in_photo_folder(path)] or candidates
        found.others += [path for path in candidates if path not in chosen]
        fitting = masks.pop(key, [])
        for path in chosen:
            found.photos.append(path)
            if len(fitting) > 1 or len(chosen) > 1:
                found.several += [path] if fitting else []
            elif fitting:
                found.masks[path] = fitting[0]
    found.lonely = sorted(path for left in masks.values() for path in left)
    found.photos.sort()
    if any(_in_photo_folder(path) for path in found.masks):
        found.others += [path for path in found.photos if path not in found.masks and not _in_photo_folder(path)]
        found.photos = [path for path in found.photos if path in found.masks or _in_photo_folder(path)]
    return found


def split_of(path: str) -> str | None:
    """Return the split that a folder of a path names."""
    folders = [_YEAR.sub("", folder.removesuffix(_ANNOT)) for folder in _folders(path)]
    return next((split for split in map(photos.split_of, folders) if split), None)


def _folders(path: str) -> list[str]:
    return [folder.lower() for folder in path.split("/")[:-1]]


def _is_mask(path: str) -> bool:
    folders, stem = _folders(path), label_walk.stem_of(path)
    if any(folder in MASK_FOLDERS or (folder.endswith(_ANNOT) and folder != _ANNOT) for folder in folders):
        return True
    lossless = path[len(stem) :].lower() in _LOSSLESS
    return lossless and not _in_photo_folder(path) and _MASK_ENDINGS.search(stem) is not None


def _in_photo_folder(path: str) -> bool:
    return any(folder in PHOTO_FOLDERS for folder in _folders(path))


def _key(path: str) -> tuple[str, ...]:
    """Return what photo and mask have in common: the other folders and the stem without `_mask`."""
    kept = [folder for folder in _folders(path) if folder not in MASK_FOLDERS and folder not in PHOTO_FOLDERS]
    kept = [folder.removesuffix(_ANNOT) for folder in kept]
    stem = label_walk.stem_of(path.rpartition("/")[2])
    return (*kept, _MASK_ENDINGS.sub("", stem) if _is_mask(path) else stem)
