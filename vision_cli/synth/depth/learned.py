"""Networks that tell relative depth, published as ONNX files: fetched once, checked, run by ONNX Runtime."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.core import download
from vision_cli.core.errors import DataError
from vision_cli.core.weights import Source
from vision_cli.synth.depth.request import DepthMap, DepthRequest

FAR_TO_NEAR = 8.0
"""These networks tell 1 / depth up to a factor and a shift. The shift is anybody's guess: this one takes the 2nd and
the 98th percentile of a photo as this many times apart."""

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_OTHERWISE = "use depth: geometric, which needs none"
_LOG_FATAL = 4


@dataclass(frozen=True, slots=True)
class Recipe:
    """A published file and what its network is fed.

    Attributes:
        source: of the file.
        short_side_px: of the photo as the network sees it; both sides where it is `square`.
        multiple_px: that the sides are rounded to.
        square: the aspect ratio is not kept.
        normalised: whether ImageNet's mean and deviation are taken off; else it is fed 0 to 1.
    """

    source: Source
    short_side_px: int
    multiple_px: int
    square: bool
    normalised: bool

    def size_px(self, width: int, height: int) -> tuple[int, int]:
        """Return (width, height) of the network's input for a photo."""
        if self.square:
            return self.short_side_px, self.short_side_px
        scale = self.short_side_px / min(width, height) / self.multiple_px
        return max(1, round(width * scale)) * self.multiple_px, max(1, round(height * scale)) * self.multiple_px


def source(url: str, file_name: str, sha256: str, licence: str) -> Source:
    """Return a source whose refusals name the estimator that needs no file."""
    return Source(url, file_name, sha256, licence, _OTHERWISE)


def estimate(recipe: Recipe, request: DepthRequest) -> DepthMap:
    """Fetch a network where it is not here yet, and ask it for a photo's depth.

    Raises:
        MissingPartError: not here, and downloads are off or fail.
        DataError: the file is not what was published, or answers something else than depth.
    """
    path = download.fetch(recipe.source, offline=request.offline, progress=request.progress)
    height, width = request.regions.shape
    raw = _run(path, feed(recipe, request.background.photo))
    inverse = cv2.resize(raw, (width, height), interpolation=cv2.INTER_LINEAR)
    return DepthMap(depth_of(inverse))


def feed(recipe: Recipe, photo: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a photo uint8 (H, W, 3) as the network takes it, float32 (1, 3, h, w)."""
    size = recipe.size_px(photo.shape[1], photo.shape[0])
    values = cv2.resize(photo.astype(np.float32) / 255, size, interpolation=cv2.INTER_CUBIC)
    if recipe.normalised:
        values = (values - np.array(MEAN, np.float32)) / np.array(STD, np.float32)
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None], np.float32)


def depth_of(inverse: NDArray[np.floating]) -> NDArray[np.float32]:
    """Turn 1 / depth of unknown factor and shift into depth; see `FAR_TO_NEAR`. Planes stay planes."""
    far, near = np.percentile(inverse, (2, 98))
    share = (inverse - far) / max(float(near - far), 1e-9)
    scaled = (1 + share * (FAR_TO_NEAR - 1)) / FAR_TO_NEAR
    return np.asarray(1 / np.clip(scaled, 0.25 / FAR_TO_NEAR, 4.0), np.float32)


def _run(path: Path, batch: NDArray[np.float32]) -> NDArray[np.float32]:
    session = _session(path, path.stat().st_mtime_ns)
    ports = session.get_inputs()
    if len(ports) != 1 or len(ports[0].shape) != 4:
        raise DataError(f"{path}: does not take one photo; it is no depth network.", hint="Delete it.")
    try:
        answer = np.asarray(session.run(None, {ports[0].name: batch})[0])
    except _refusals() as error:
        raise DataError(f"{path}: ONNX Runtime cannot run it: {_first_line(error)}", hint="Delete the file.") from error
    if answer.size != math.prod(answer.shape[-2:]) or answer.ndim < 2 or not np.isfinite(answer).all():
        raise DataError(
            f"{path}: answered {answer.shape} instead of one depth map of numbers.", hint="Delete the file."
        )
    return answer.reshape(answer.shape[-2:]).astype(np.float32)


@functools.lru_cache(maxsize=1)
def _session(path: Path, changed_ns: int) -> Any:
    """Open a file once a process; one thread, as every worker opens its own."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _LOG_FATAL
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except _refusals() as error:
        raise DataError(
            f"{path}: ONNX Runtime cannot open it: {_first_line(error)}", hint="Delete the file."
        ) from error


def _refusals() -> tuple[type[Exception], ...]:
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = ("Fail", "InvalidGraph", "InvalidProtobuf", "InvalidArgument", "NotImplemented", "NoSuchFile")
    return (*(getattr(state, name) for name in names), RuntimeError, ValueError)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]
