"""Frames of videos: numbered, timed, of the right colours; what is no video is refused."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vision_cli.core.errors import DataError, UsageError
from vision_cli.imaging import video

SIZE = (160, 96)
FPS = 10


def colour(index: int) -> tuple[int, int, int]:
    """Return the colour of a frame: red grows, green shrinks, blue is constant."""
    return 5 * index, 200 - 5 * index, 60


def write_clip(path: Path, frames: int = 30) -> Path:
    with video.VideoWriter(path, FPS) as writer:
        for index in range(frames):
            writer.write(np.full((SIZE[1], SIZE[0], 3), colour(index), np.uint8))
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
@pytest.mark.parametrize(("start", "every"), [(0, 1), (0, 7), (3, 5), (29, 1), (40, 1)])
def test_frames_are_numbered_and_timed(tmp_path: Path, suffix: str, start: int, every: int) -> None:
    with video.open_video(write_clip(tmp_path / f"clip{suffix}")) as opened:
        assert (opened.size_px, opened.fps, opened.n_frames) == (SIZE, FPS, 30)
        frames = list(opened.frames(start=start, every=every))
    assert [frame.index for frame in frames] == list(range(start, 30, every))
    for frame in frames:
        assert frame.time_s == pytest.approx(frame.index / FPS, abs=1e-6)
        assert frame.photo.shape == (SIZE[1], SIZE[0], 3)
        assert np.abs(frame.photo.mean(axis=(0, 1)) - colour(frame.index)).max() < 6  # Lossy codecs.


def write_sizes(path: Path, *widths: int) -> None:
    with video.VideoWriter(path, FPS) as writer:
        for width in widths:
            writer.write(np.zeros((96, width, 3), np.uint8))


def test_another_reader_sees_what_was_written(tmp_path: Path) -> None:
    capture = cv2.VideoCapture(str(write_clip(tmp_path / "clip.mp4")))
    assert capture.get(cv2.CAP_PROP_FPS) == FPS
    counted = 0
    while capture.read()[0]:
        counted += 1
    capture.release()
    assert counted == 30


def test_a_video_that_breaks_off_is_not_put_in_place(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"before")
    with pytest.raises(DataError, match="another size"):
        write_sizes(tmp_path / "clip.mp4", 160, 162)
    assert (tmp_path / "clip.mp4").read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]
    with video.VideoWriter(tmp_path / "none.mp4", FPS):
        pass
    assert not (tmp_path / "none.mp4").exists()


def test_an_odd_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="suffix"):
        video.VideoWriter(tmp_path / "clip.gif", FPS)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.mp4", None, "no such video"),
        ("empty.mp4", b"", "is empty"),
        ("text.mp4", b"hello " * 100, "no frame can be read"),
        ("half.mp4", "half", "no frame can be read"),  # Its index stands at the end.
    ],
)
def test_what_is_no_video_is_refused(tmp_path: Path, name: str, content: bytes | str | None, said: str) -> None:
    path = tmp_path / name
    if content == "half":
        whole = write_clip(tmp_path / "whole.mp4").read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(DataError, match=said) as caught:
        video.open_video(path)
    assert name in caught.value.message
    assert caught.value.hint


def test_a_video_that_is_cut_off_gives_what_is_there(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    with video.open_video(tmp_path / "cut.avi") as opened:
        frames = list(opened.frames())
        assert 3 < len(frames) < opened.n_frames == 30


def test_a_camera_that_is_not_there_is_refused() -> None:
    with pytest.raises(DataError, match="camera 63: no frame can be read") as caught:
        video.open_camera("63")
    assert "Try another number" in str(caught.value.hint)
    with pytest.raises(UsageError, match="no such device"):
        video.open_camera("/dev/no-camera")


def test_only_files_of_videos_are_taken_for_videos(tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    assert video.is_video(tmp_path / "missing.MP4")
    assert not video.is_video(tmp_path / "folder.mp4")
    assert not video.is_video(tmp_path / "photo.jpg")
