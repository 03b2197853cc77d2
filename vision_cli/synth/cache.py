"""Scenes, kept by content: the photo's bytes, the settings, the code's version, and what the estimator reads."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.core import files
from vision_cli.core.errors import DataError
from vision_cli.core.progress import Progress
from vision_cli.synth.analysis import analyse
from vision_cli.synth.scene import NO_REGION, AnalysisSettings, Background, Plane, Scene

VERSION = 3
"""Goes up whenever analysis gives other scenes, or stores them in another way."""

FOLDER = Path(".vision") / "synth"

_STEPS_PER_E = 600.0  # levels of stored depth a natural unit of its logarithm: steps of 0.17 %
_MIDDLE = 1 << 15
_SHADING_SHRINK = 4
_DIGITS = 16


def scene_of(
    background: Background,
    settings: AnalysisSettings,
    folder: Path,
    *,
    offline: bool = False,
    progress: Progress | None = None,
) -> Scene:
    """Return a background's scene, from the cache where it is there; the same whether it was or not.

    A damaged file of the cache is made again.

    Args:
        background: with its photo at working size.
        settings: of the analysis.
        folder: of the cache, usually `FOLDER` below the project's root; made when it is missing.
        offline: no download.
        progress: of a download.

    Raises:
        UsageError, MissingPartError, DataError: as `analysis.analyse`.
        ResourceError: the cache cannot be written.
    """
    target = path_of(background, settings, folder)
    try:
        return unpack(target.read_bytes())
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError, cv2.error):
        scene = analyse(background, settings, offline=offline, progress=progress)
        content = pack(scene)
        files.write_bytes(target, content)
        return unpack(content)


def path_of(background: Background, settings: AnalysisSettings, folder: Path) -> Path:
    """Return where a background's scene is kept.

    Raises:
        UsageError, DataError: of the estimator `file`, which has no map for it.
    """
    key: dict[str, Any] = {name: str(value) for name, value in asdict(settings).items() if name != "depth_folder"}
    key |= {"version": VERSION, "shape": background.photo.shape[:2], "focal_px": background.focal_px}
    if settings.depth == "file":
        key["map"] = _sha256_of_map(background, settings)
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return folder / f"{background.sha256[:_DIGITS]}-{digest[:_DIGITS]}.npz"


def _sha256_of_map(background: Background, settings: AnalysisSettings) -> str:
    from vision_cli.synth.depth import file

    return files.file_sha256(file.find(settings.depth_folder, background.path))


def pack(scene: Scene) -> bytes:
    """Write a scene as the bytes of an npz file; depth is rounded to 0.17 %, shading to a quarter of its size."""
    planes = scene.planes
    level = np.rint(np.log(scene.depth) * _STEPS_PER_E) + _MIDDLE
    height, width = scene.shape
    small = (-(-width // _SHADING_SHRINK), -(-height // _SHADING_SHRINK))
    numbers = {
        "version": VERSION,
        "focal_px": scene.focal_px,
        "noise_sigma": scene.noise_sigma,
        "jpeg_quality": scene.jpeg_quality,
        "blur_sigma": scene.blur_sigma,
        "horizon": scene.horizon,
        "rejected": scene.rejected,
    }
    stream = io.BytesIO()
    np.savez(
        stream,
        regions=_png((scene.regions.astype(np.int32) - NO_REGION).astype(np.uint16)),
        depth=_png(np.clip(level, 0, (1 << 16) - 1).astype(np.uint16)),
        shading=_png(cv2.resize(scene.shading, small, interpolation=cv2.INTER_AREA)),
        white=scene.white,
        numbers=np.frombuffer(json.dumps(numbers).encode(), np.uint8),
        normals=np.array([plane.normal for plane in planes], np.float32).reshape(-1, 3),
        whole=np.array(
            [(plane.region, plane.area_px, *plane.bbox, *plane.centre) for plane in planes], np.int32
        ).reshape(-1, 8),
        real=np.array(
            [(plane.offset, plane.inliers, plane.tilt_deg, plane.room_px) for plane in planes], np.float64
        ).reshape(-1, 4),
    )
    return stream.getvalue()


def unpack(content: bytes) -> Scene:
    """Read what `pack` wrote.

    Raises:
        ValueError, KeyError, zipfile.BadZipFile, EOFError, cv2.error: it is something else, or damaged.
    """
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        numbers = json.loads(stored["numbers"].tobytes())
        if numbers["version"] != VERSION:
            raise ValueError("another version")
        depth = _picture(stored["depth"]).astype(np.float32)
        shape = depth.shape[::-1]
        return Scene(
            regions=(_picture(stored["regions"]).astype(np.int32) + NO_REGION).astype(np.int16),
            depth=np.exp((depth - _MIDDLE) / np.float32(_STEPS_PER_E)),
            focal_px=numbers["focal_px"],
            planes=_planes(stored["normals"], stored["whole"], stored["real"]),
            shading=np.asarray(
                cv2.resize(_picture(stored["shading"]), shape, interpolation=cv2.INTER_LINEAR), np.uint8
            ),
            noise_sigma=numbers["noise_sigma"],
            jpeg_quality=numbers["jpeg_quality"],
            blur_sigma=numbers["blur_sigma"],
            white=stored["white"],
            horizon=None if numbers["horizon"] is None else tuple(numbers["horizon"]),
            rejected=numbers["rejected"],
        )


def _planes(normals: NDArray[np.float32], whole: NDArray[np.int32], real: NDArray[np.float64]) -> tuple[Plane, ...]:
    return tuple(
        Plane(
            region=region,
            normal=normal,
            offset=offset,
            inliers=inliers,
            tilt_deg=tilt,
            area_px=area,
            bbox=(left, top, right, bottom),
            centre=(x, y),
            room_px=room,
        )
        for normal, (region, area, left, top, right, bottom, x, y), (offset, inliers, tilt, room) in zip(
            normals, whole.tolist(), real.tolist(), strict=True
        )
    )


def _png(picture: NDArray[np.generic]) -> NDArray[np.uint8]:
    done, content = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 6])
    if not done:
        raise DataError("the scene cannot be written as PNG.")
    return np.asarray(content, np.uint8)


def _picture(content: NDArray[np.uint8]) -> NDArray[np.generic]:
    picture = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise ValueError("damaged")
    return np.asarray(picture)
