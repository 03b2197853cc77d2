"""Data sets that people have and no format here reads: known by the names of their files, so that none is misread.

A folder of photos a class is the weakest sign of all, and most of these would pass for one. Sources: the folders that
the data sets come in, as listed by https://open-edge-platform.github.io/datumaro/latest/docs/data-formats/formats/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vision_cli.formats.folder_walk import entries

WAY_OUT = (
    "Two functions in a Python file read and write it: --mapping ours.py, docs/formats_of_your_own.md. "
    "To have its photos by their folders all the same: --from imagefolder."
)

_MAX_DEPTH = 4
_MAX_ENTRIES = 4000
_HEAD_BYTES = 1 << 12


@dataclass(frozen=True, slots=True)
class Kind:
    """A known kind of data set.

    Attributes:
        name: as people call it.
        sign: pattern of a file's path relative to the folder that no other kind has.
        words: one of these is in the file's first 4 kB; no matter which without.
        lacks: none of these is.
        way_out: what to do beside writing a reader of one's own.
    """

    name: str
    sign: re.Pattern[str]
    words: tuple[bytes, ...] = ()
    lacks: tuple[bytes, ...] = ()
    way_out: str = ""


def _kind(name: str, sign: str, words: tuple[bytes, ...] = (), lacks: tuple[bytes, ...] = (), way: str = "") -> Kind:
    return Kind(name, re.compile(rf"(?:^|.*/)(?:{sign})", re.IGNORECASE), words, lacks, way)


_ADE20K = "The scene parsing edition of it, masks of 150 classes in one channel, is read as `masks`. "
_MAPILLARY = "Its panoptic labels are read: give a folder such as train/v2.0. "
_DOTA = "Its corners as shares of the photo, class first, are YOLO's oriented boxes, which are read. "


_KINDS = (
    _kind("ADE20K of 2017", r"[^/]+_atr\.txt", way=_ADE20K),
    _kind("ADE20K of 2020", r"[^/]+\.json", (b'"name_ndx"', b'"instance_mask"'), way=_ADE20K),
    _kind("LabelMe XML of MIT", r"[^/]+\.xml", (b"<polygon>", b"<segm>"), (b"<bndbox>", b"<annotations>")),
    _kind("WIDER FACE", r"wider_face_\w+_bbx_gt\.txt"),
    _kind("ICDAR text", r"gt_img_\d+\.txt|\d+_GT\.txt"),
    _kind("MOTS", r"instances/labels\.txt"),
    _kind("MOT", r"gt/gt\.txt"),
    _kind("Market-1501", r"bounding_box_train/[^/]+\.jpg"),
    _kind("MARS", r"bbox_train/\d+/[^/]+\.jpg"),
    _kind("VGGFace2", r"bb_landmark/loose_bb_\w+\.csv"),
    _kind("CelebA", r"Anno/(?:identity|list_\w+)_celeba\.txt"),
    _kind("MPII human pose", r"mpii_annotations\.json|mpii_human_pose[^/]*\.mat"),
    _kind("VoTT JSON", r"[^/]+-export\.json"),
    _kind("Mapillary Vistas", r"config_v[12]\.[0-9]\.json", way=_MAPILLARY),
    _kind("MVTec AD", r"ground_truth/[^/]+/\d+_mask\.png"),
    _kind("AVA actions", r"ava_[^/]+_v2\.2\.csv"),
    _kind("LFW faces", r"annotations/pairs\.txt"),
    _kind("DOTA", r"labelTxt/[^/]+\.txt", way=_DOTA),
)


def kind_of(folder: Path) -> tuple[Kind, str] | None:
    """Return what a folder is a data set of, and the file that tells it, if no format here reads it."""
    if not folder.is_dir():
        return None
    for path in _files(folder):
        for kind in _KINDS:
            if kind.sign.fullmatch(path) and _fits(folder / path, kind):
                return kind, path
    return None


def _fits(file: Path, kind: Kind) -> bool:
    if not kind.words:
        return True
    try:
        with file.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError:
        return False
    return any(word in head for word in kind.words) and not any(word in head for word in kind.lacks)


def _files(folder: Path) -> Iterator[str]:
    """Yield paths of files relative to the folder, a bounded number, those of upper folders first."""
    waiting, seen = [("", 0)], 0
    while waiting and seen < _MAX_ENTRIES:
        prefix, depth = waiting.pop(0)
        try:
            found = entries(folder / prefix)
        except OSError:
            continue
        seen += len(found)
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                waiting += [(f"{prefix}/{entry.name}".lstrip("/"), depth + 1)] if depth < _MAX_DEPTH else []
            else:
                yield f"{prefix}/{entry.name}".lstrip("/")
