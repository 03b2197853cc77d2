"""Depth maps of the user's own, found by the photo's name: 16-bit PNG or npy.

`street_01.jpg` finds `street_01.png`, `street_01.npy`, `street_01.jpg.png` or `street_01.jpg.npy` in the setting
`depth_folder`. Values are depth along the camera's axis in any unit, larger is farther; 0 (as KITTI and NYU
write it), NaN and infinity are holes, which are filled from their nearest neighbours. Maps of another size are resized.
"""

from __future__ import annotations

import io
import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.files import read_limited
from vision_cli.imaging.header import header_of
from vision_cli.synth.depth.request import DepthMap, DepthRequest

_SUFFIXES = (".png", ".npy")
_MAX_FILE_BYTES = 1 << 28
_MAX_PIXELS = 1 << 26
_ASPECT_SHARE = 0.03
_LEAST_KNOWN = 0.5
_NPY_MAGIC = b"\x93NUMPY"


def estimate(request: DepthRequest) -> DepthMap:
    """Read a photo's depth map.

    Raises:
        UsageError: no folder was given.
        DataError: no map for this photo, several, or one that is refused.
    """
    path = find(request.settings.depth_folder, request.background.path)
    depth = read(path)
    height, width = request.regions.shape
    _check_aspect(path, depth, (width, height))
    known = np.isfinite(depth) & (depth > 0)
    if known.mean() < _LEAST_KNOWN:
        raise DataError(
            f"{path}: tells no depth for {100 * (1 - known.mean()):.0f} % of its pixels (0, NaN or infinity).",
            hint="At least half of them need a value above 0.",
        )
    filled = _fill(depth, known)
    shrinks = width * height < filled.size
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return DepthMap(np.asarray(cv2.resize(filled, (width, height), interpolation=how), np.float32))


def find(folder: Path | None, photo: Path) -> Path:
    """Return the file of a photo's map in a folder.

    Raises:
        UsageError: no folder was given.
        DataError: none or several.
    """
    if folder is None:
        raise UsageError("synth: depth 'file' needs a folder of depth maps.", hint="Set depth_folder beside depth.")
    names = [f"{stem}{suffix}" for stem in dict.fromkeys((photo.stem, photo.name)) for suffix in _SUFFIXES]
    found = [folder / name for name in names if (folder / name).is_file()]
    if len(found) == 1:
        return found[0]
    if found:
        raise DataError(
            f"{photo}: has {len(found)} depth maps: {', '.join(each.name for each in found)} in {folder}.",
            hint="Keep one of them.",
        )
    raise DataError(f"{photo}: there is no depth map for it in {folder}.", hint=f"Looked for {', '.join(names)}.")


def read(path: Path) -> NDArray[np.float32]:
    """Read a map as it is stored, float32 (H, W).

    Raises:
        DataError: not a 16-bit PNG or a two-dimensional npy of numbers.
    """
    content = read_limited(path, max_bytes=_MAX_FILE_BYTES, what="the depth map")
    return _read_npy(path, content) if content.startswith(_NPY_MAGIC) else _read_png(path, content)


def _read_png(path: Path, content: bytes) -> NDArray[np.float32]:
    header = header_of(io.BytesIO(content), str(path))
    if header.format != "png":
        raise DataError(f"{path}: is a {header.format} file.", hint="Depth maps are 16-bit PNG or npy.")
    if header.width_px * header.height_px > _MAX_PIXELS:
        raise DataError(f"{path}: claims {header.width_px} x {header.height_px} pixels.", hint="Nothing was decoded.")
    depth = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if depth is None:
        raise DataError(f"{path}: the depth map is cut off or damaged.", hint="Write it again.")
    if depth.ndim != 2 or depth.dtype != np.uint16:
        channels = 1 if depth.ndim == 2 else depth.shape[2]
        raise DataError(
            f"{path}: has {8 * depth.itemsize} bits and {channels} channels; a depth map has 16 bits and one channel.",
            hint="256 levels are too few for planes. Save the numbers as 16-bit grey or npy, not as a picture.",
        )
    return np.asarray(depth, np.float32)


def _read_npy(path: Path, content: bytes) -> NDArray[np.float32]:
    try:
        claimed = _claimed_bytes(content)
        if claimed > len(content):
            raise DataError(f"{path}: claims {claimed:,} bytes of numbers.", hint="Nothing was read. Save it again.")
        depth = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError, TypeError) as error:
        raise DataError(f"{path}: the depth map cannot be read: {error}.", hint="Save it with numpy.save.") from error
    if depth.ndim != 2 or depth.dtype.kind not in "fiu" or not depth.size:
        raise DataError(
            f"{path}: holds {depth.dtype} {depth.shape}; a depth map is a table of numbers (rows, columns).",
            hint="Save one map a file.",
        )
    return np.asarray(depth, np.float32)


def _claimed_bytes(content: bytes) -> int:
    """Return how many bytes an npy file says that its numbers take (NEP 1).

    Raises:
        ValueError: its header is damaged.
    """
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = reader(stream)
    return math.prod(shape) * int(dtype.itemsize)


def _check_aspect(path: Path, depth: NDArray[np.float32], size_px: tuple[int, int]) -> None:
    height, width = depth.shape
    wanted = size_px[0] / size_px[1]
    # A side of the working size is rounded to whole pixels, which moves the ratio by up to one in the shorter side.
    if abs(width / height / wanted - 1) > _ASPECT_SHARE + 1 / min(size_px):
        raise DataError(
            f"{path}: is {width} x {height}, but its photo is {size_px[0]} x {size_px[1]}: another shape.",
            hint="Is it turned, cropped, or of another photo?",
        )


def _fill(depth: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Give holes the value of the nearest pixel that has one."""
    if known.all():
        return depth
    _, labels = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    value = np.zeros(int(labels.max()) + 1, np.float32)
    value[labels[known]] = depth[known]
    return np.asarray(value[labels])
