"""Videos and cameras: frames in, as the photo loader gives photos, and annotated videos out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.core import files
from vision_cli.core.errors import DataError, ResourceError, UsageError

SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".flv", ".ts")
"""Of files that are taken for videos."""
_CODECS = {".mp4": "mp4v", ".avi": "MJPG"}
_DEFAULT_FPS = 25.0
_MAX_FPS = 1000.0
_MAX_FRAMES = 100_000_000


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a video.

    Attributes:
        index: counted from 0.
        time_s: since the video's start.
        photo: uint8 (H, W, 3), RGB, turned as the video says.
    """

    index: int
    time_s: float
    photo: NDArray[np.uint8]


class Video:
    """An open video file, or a camera; a context manager.

    Attributes:
        name: for messages.
        size_px: (width, height).
        fps: frames a second; 25 where nobody says it.
        n_frames: as the file claims; 0 where it does not, as with cameras.
    """

    def __init__(self, name: str, capture: cv2.VideoCapture, first: NDArray[np.uint8]) -> None:
        self.name = name
        self._capture = capture
        self._first: NDArray[np.uint8] | None = first
        self._first_s = _milliseconds(capture) / 1000
        self.size_px = (first.shape[1], first.shape[0])
        fps = float(capture.get(cv2.CAP_PROP_FPS))
        self.fps = fps if 0 < fps <= _MAX_FPS else _DEFAULT_FPS
        count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.n_frames = int(count) if 0 < count <= _MAX_FRAMES else 0

    def __enter__(self) -> Video:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._capture.release()

    def frames(self, *, start: int = 0, every: int = 1) -> Iterator[Frame]:
        """Yield the frames `start`, `start + every` and so on, once; what is between them is decoded, but not copied.

        Files are read from their beginning: jumping to a frame is not exact with every codec.
        """
        index = 0
        while True:
            wanted = index >= start and (index - start) % every == 0
            if not self._grab():
                return
            if wanted:
                photo = self._photo()
                if photo is None:
                    return
                yield Frame(index, self._time_s(index), photo)
            self._first = None
            index += 1

    def _grab(self) -> bool:
        return self._first is not None or bool(self._capture.grab())

    def _photo(self) -> NDArray[np.uint8] | None:
        if self._first is not None:
            return self._first
        there, photo = self._capture.retrieve()
        return _rgb(photo) if there else None

    def _time_s(self, index: int) -> float:
        at = self._first_s if self._first is not None else _milliseconds(self._capture) / 1000
        # A backend that tells no times says 0 for each.
        return at if at > 0 or index == 0 else index / self.fps


def _milliseconds(capture: cv2.VideoCapture) -> float:
    found = float(capture.get(cv2.CAP_PROP_POS_MSEC))
    return found if np.isfinite(found) and found > 0 else 0.0


def _rgb(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(photo, cv2.COLOR_GRAY2RGB if photo.ndim == 2 else cv2.COLOR_BGR2RGB), np.uint8)


def is_video(path: Path) -> bool:
    """Return whether a path has the suffix of a video and is no folder; `open_video` says whether it is there."""
    return path.suffix.lower() in SUFFIXES and not path.is_dir()


def check_video(path: Path) -> None:
    """Refuse a file that is not there or empty.

    Raises:
        DataError: so it is.
    """
    if not path.is_file():
        raise DataError(f"{path}: there is no such video.", hint="Check the path.")
    if not path.stat().st_size:
        raise DataError(f"{path}: the video is empty.", hint="Copy it again.")


def open_video(path: Path) -> Video:
    """Open a video file.

    Raises:
        DataError: it is not there, or no frame of it can be read.
    """
    check_video(path)
    return _opened(
        str(path),
        cv2.VideoCapture(os.fspath(path)),
        "Is it a video, and whole? Convert it with ffmpeg to .mp4 (H.264) if its codec is rare.",
    )


def open_camera(name: str) -> Video:
    """Open a camera by its number, such as `0`, or the path of its device or of a video that stands in for one.

    Raises:
        UsageError: neither a number nor a path that is there.
        DataError: it gives no picture.
    """
    if not name.isdecimal():
        if not Path(name).exists():
            raise UsageError(f"camera '{name}': there is no such device.", hint="Give a number: --camera 0.")
        return _opened(f"camera '{name}'", cv2.VideoCapture(name), "Does another program use it?")
    capture = cv2.VideoCapture(int(name))
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the newest picture, not the oldest that waits
    return _opened(f"camera {name}", capture, "Is it connected, and may you read /dev/video*? Try another number.")


def _opened(name: str, capture: cv2.VideoCapture, hint: str) -> Video:
    try:
        there, photo = capture.read() if capture.isOpened() else (False, None)
    except cv2.error as error:
        there, photo, hint = False, None, f"{hint} ({error.err})"
    if not there or photo is None:
        capture.release()
        raise DataError(f"{name}: no frame can be read.", hint=hint)
    return Video(name, capture, _rgb(photo))


class VideoWriter:
    """Writes a video beside its place, and puts it there at the end; a context manager.

    The first frame gives the size. Nothing is put in place if there was none, or if the block ends with an error.

    Args:
        path: .mp4 (MPEG-4 part 2) or .avi (Motion JPEG).
        fps: frames a second.

    Attributes:
        written: frames so far.
    """

    def __init__(self, path: Path, fps: float) -> None:
        codec = _CODECS.get(path.suffix.lower())
        if codec is None:
            raise UsageError(f"{path}: the suffix must be {' or '.join(_CODECS)}.")
        self._path, self._codec, self._fps = path, codec, min(max(fps, 1.0), _MAX_FPS)
        self._part = path.with_name(f".{path.stem[:80]}.{os.urandom(4).hex()}{path.suffix}")
        self._writer: cv2.VideoWriter | None = None
        self._size_px = (0, 0)
        self.written = 0

    def write(self, photo: NDArray[np.uint8]) -> None:
        """Append a frame, uint8 (H, W, 3), RGB; the codec leaves out an odd last column or row.

        Raises:
            DataError: it has another size than the first one.
            ResourceError: the file cannot be made.
        """
        size_px = (photo.shape[1], photo.shape[0])
        writer = self._writer or self._begun(size_px)
        if size_px != self._size_px:
            raise DataError(f"{self._path}: frame {self.written} has another size than the ones before.")
        writer.write(cv2.cvtColor(photo, cv2.COLOR_RGB2BGR))
        self.written += 1

    def _begun(self, size_px: tuple[int, int]) -> cv2.VideoWriter:
        with files.disk_errors(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
        fourcc = cv2.VideoWriter.fourcc(*self._codec)
        self._writer = cv2.VideoWriter(os.fspath(self._part), fourcc, self._fps, size_px)
        self._size_px = size_px
        if not self._writer.isOpened():
            raise ResourceError(
                f"{self._path}: the video cannot be written.", hint="Is there room, and may you write there?"
            )
        return self._writer

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is None:
            return
        self._writer.release()
        if kind is not None:
            with suppress(OSError):
                self._part.unlink()
            return
        with files.disk_errors(self._path):
            os.replace(self._part, self._path)
