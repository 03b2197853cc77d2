"""`vision predict` on videos and cameras: each frame once, also after a kill; files of answers and annotated videos."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import detectors_made as made
import numpy as np
import pytest
import stage_projects as small
import torch

from vision_cli.core import project as projects
from vision_cli.core.errors import DataError
from vision_cli.core.progress import Silent
from vision_cli.imaging import video
from vision_cli.stages.running import frame_answers, video_predict
from vision_cli.stages.running.frame_log import FrameLog
from vision_cli.stages.running.video_predict import VideoRequest, VideoResult

FRAMES, FPS, SIZE = 22, 10, (160, 96)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector, a video of moving blocks, and the same frames as photos."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("videos")
    (folder / "vision.yaml").write_text("version: 1\nname: cells\ntask: detect\n")
    made.save(folder / "model", confidence=0.9)
    rng = np.random.default_rng(1)
    block = rng.integers(0, 255, (24, 60, 3), dtype=np.uint8).repeat(4, axis=0).repeat(4, axis=1)
    with video.VideoWriter(folder / "clip.avi", FPS) as writer:
        for index in range(FRAMES):
            writer.write(np.ascontiguousarray(block[: SIZE[1], 3 * index : 3 * index + SIZE[0]]))
    return folder


def frames_of(path: Path) -> list[np.ndarray[Any, Any]]:
    """Decode a video with OpenCV alone."""
    capture, found = cv2.VideoCapture(str(path)), []
    while True:
        there, photo = capture.read()
        if not there:
            capture.release()
            return found
        found.append(photo)


def rows(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())["predictions"]
    return found


def test_every_frame_is_answered_as_a_photo_of_it_would_be(home: Path, tmp_path: Path) -> None:
    small.done(home, "predict", "clip.avi", "--model", "model", "--output", str(tmp_path / "a.json"))
    found = rows(tmp_path / "a.json")
    assert [row["frame"] for row in found] == list(range(FRAMES))
    assert [row["time_s"] for row in found] == pytest.approx([index / FPS for index in range(FRAMES)], abs=2e-3)
    for index in (0, 9, 21):
        cv2.imwrite(str(tmp_path / f"{index}.png"), frames_of(home / "clip.avi")[index])
        words = ("predict", str(tmp_path / f"{index}.png"), "--model", "model", "--json")
        photo = small.done(home, *words).document["predictions"][0]
        assert [each["class"] for each in photo["objects"]] == [each["class"] for each in found[index]["objects"]]
        ours, theirs = (np.array([each["box"] for each in row["objects"]]) for row in (found[index], photo))
        assert np.abs(ours - theirs).max(initial=0) < 0.5
    assert sum(len(row["objects"]) for row in found) > FRAMES
    assert not list(tmp_path.glob("*.part"))


def test_some_frames_and_some_seconds(home: Path, tmp_path: Path) -> None:
    words = ("predict", "clip.avi", "--model", "model", "--every", "5", "--output", str(tmp_path / "a.csv"), "--json")
    document = small.done(home, *words, "--seconds", "1.4").document
    assert (document["frames"], document["resumed_at"]) == (3, 0)
    with (tmp_path / "a.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert {line["frame"] for line in lines} <= {"0", "5", "10"}
    assert sum(document["found"].values()) == len(lines) > 0
    assert set(lines[0]) == {"frame", "time_s", "class", "confidence", "x", "y", "width", "height"}


def test_the_annotated_video_shows_the_boxes_frame_by_frame(home: Path, tmp_path: Path) -> None:
    words = ("predict", "clip.avi", "--model", "model", "--every", "2", "--pictures", str(tmp_path / "out"), "--json")
    document = small.done(home, *words, "--output", str(tmp_path / "a.json")).document
    assert document["video"] == str(tmp_path / "out" / "clip.mp4")
    shown, plain = frames_of(tmp_path / "out" / "clip.mp4"), frames_of(home / "clip.avi")
    found = rows(tmp_path / "a.json")
    assert len(shown) == len(found) == FRAMES // 2
    for at, row in enumerate(found):
        off = np.abs(shown[at].astype(int) - plain[2 * at]).max(axis=2)
        assert row["objects"]
        x, y, width, height = (round(value) for value in row["objects"][0]["box"])
        edge = np.zeros(SIZE[::-1], dtype=bool)
        edge[y : y + height, x : x + width] = True
        edge[y + 2 : max(y + 2, y + height - 2), x + 2 : max(x + 2, x + width - 2)] = False
        assert off[edge].mean() > 25
    capture = cv2.VideoCapture(str(tmp_path / "out" / "clip.mp4"))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(FPS / 2)
    capture.release()


def request(home: Path, tmp_path: Path, **more: Any) -> VideoRequest:
    project = projects.load(home / "vision.yaml", ())
    return VideoRequest(project, model=home / "model", output=tmp_path / "a.json", threads=1, **more)


class Killed(BaseException):
    """What no program hears."""


def read_until_killed(home: Path, tmp_path: Path, batches: int, every: int = 1) -> None:
    with pytest.MonkeyPatch.context() as patch:
        kill_after(patch, batches)
        with pytest.raises(Killed):
            read(home, tmp_path, every=every)


def kill_after(monkeypatch: pytest.MonkeyPatch, batches: int) -> None:
    real, calls = frame_answers.say, iter(range(1000))

    def say(*words: Any) -> list[dict[str, Any]]:
        if next(calls) == batches:
            raise Killed
        return real(*words)

    monkeypatch.setattr(frame_answers, "say", say)


def read(home: Path, tmp_path: Path, **more: Any) -> VideoResult:
    return video_predict.predict_video(request(home, tmp_path, source=home / "clip.avi", **more), Silent())


@pytest.mark.parametrize("torn", [b"", b'{"frame": 16, "ti', b"\x00" * 40])
@pytest.mark.parametrize("every", [1, 3])
def test_a_run_that_was_killed_goes_on_where_it_was(home: Path, tmp_path: Path, torn: bytes, every: int) -> None:
    (tmp_path / "whole").mkdir()
    read(home, tmp_path / "whole", every=every)
    read_until_killed(home, tmp_path, 2 if every == 1 else 0, every)
    log = tmp_path / "a.json.part"
    assert not (tmp_path / "a.json").exists()
    log.write_bytes(log.read_bytes() + torn)
    result = read(home, tmp_path, every=every)
    assert result.resumed_at == (16 if every == 1 else 0)
    assert result.frames == -(-FRAMES // every)
    assert rows(tmp_path / "a.json") == rows(tmp_path / "whole" / "a.json")
    assert not log.exists()


def test_answers_about_something_else_are_not_continued(home: Path, tmp_path: Path) -> None:
    read_until_killed(home, tmp_path, 1)
    before = (tmp_path / "a.json.part").read_bytes()
    with pytest.raises(DataError, match="holds answers about another") as caught:
        read(home, tmp_path, every=2)
    assert "Delete it" in str(caught.value.hint)
    assert (tmp_path / "a.json.part").read_bytes() == before


def test_a_log_cuts_a_torn_line_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.part"
    path.write_bytes(b'{"about": 1}\n{"frame": 0}\n{"frame": 1}\n{"fra')
    with FrameLog(path, {"about": 1}) as log:
        assert (log.is_new, log.last()) == (False, 1)
        log.add({"frame": 2})
    assert path.read_bytes() == b'{"about": 1}\n{"frame": 0}\n{"frame": 1}\n{"frame": 2}\n'
    path.write_bytes(b'{"abo')
    with FrameLog(path, {"about": 1}) as log:
        assert (log.is_new, log.last()) == (True, None)


def test_a_video_that_is_cut_off_is_answered_and_said(home: Path, tmp_path: Path) -> None:
    whole = (home / "clip.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    words = ("predict", str(tmp_path / "cut.avi"), "--model", "model", "--output", str(tmp_path / "a.json"))
    called = small.done(home, *words)
    assert f"says that it has {FRAMES} frames" in called.err
    assert 2 < len(rows(tmp_path / "a.json")) < FRAMES


def ticking(step_s: float) -> Callable[[], float]:
    ticks: Iterator[float] = iter(np.arange(0, 1000, step_s).tolist())
    return lambda: next(ticks)


def test_a_camera_is_looked_at_for_some_seconds(home: Path, tmp_path: Path) -> None:
    asked = request(home, tmp_path, camera=str(home / "clip.avi"), seconds=2.0, pictures=tmp_path / "out")
    result = video_predict.predict_video(asked, Silent(), ticking(0.25))
    found = rows(tmp_path / "a.json")
    assert [row["time_s"] for row in found] == pytest.approx([0.25 * at for at in range(1, 8)])
    assert [row["frame"] for row in found] == list(range(7))
    assert result.frames == 7
    # Ten pictures a second, however many were answered.
    assert len(frames_of(tmp_path / "out" / "camera-clip.avi.mp4")) == 18


def test_ctrl_c_is_the_way_to_stop_a_camera(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = frame_answers.say, iter(range(1000))

    def say(*words: Any) -> list[dict[str, Any]]:
        if next(calls) == 5:
            raise KeyboardInterrupt
        return real(*words)

    monkeypatch.setattr(frame_answers, "say", say)
    asked = request(home, tmp_path, camera=str(home / "clip.avi"), pictures=tmp_path / "out")
    assert video_predict.predict_video(asked, Silent(), ticking(0.1)).frames == 5
    assert len(rows(tmp_path / "a.json")) == 5
    assert (tmp_path / "out" / "camera-clip.avi.mp4").is_file()


def test_a_classifier_answers_frames_too(seasons: Path, home: Path, tmp_path: Path) -> None:
    words = ("predict", str(home / "clip.avi"), "--every", "7", "--pictures", str(tmp_path), "--json")
    document = small.done(seasons, *words, "--output", str(tmp_path / "a.json")).document
    found = rows(tmp_path / "a.json")
    assert [row["frame"] for row in found] == [0, 7, 14, 21]
    assert {"answer", "confidence", "scores"} < set(found[0])
    assert sum(document["found"].values()) == 4
    assert len(frames_of(tmp_path / "clip.mp4")) == 4


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("clip.avi",), 2, "answers go into a file"),
        (("clip.avi", "--output", "a.txt"), 2, "suffix"),
        (("clip.avi", "clip.avi", "--output", "OUT"), 2, "looked at alone"),
        (("clip.avi", "--camera", "0", "--output", "OUT"), 2, "looked at alone"),
        (("clip.avi", "--to", "coco", "--output", "OUT"), 2, "--to"),
        (("clip.avi", "--data", "all", "--output", "OUT"), 2, "--data"),
        (("clip.avi", "--every", "0", "--output", "OUT"), 2, "--every"),
        (("missing.mp4", "--output", "OUT"), 3, "no such video"),
        (("missing.mp4",), 3, "no such video"),
        (("vision.mp4", "--output", "OUT"), 3, "no frame can be read"),
        (("--camera", "63", "--output", "OUT"), 3, "camera 63: no frame can be read"),
        (("--camera", "/dev/none", "--output", "OUT"), 2, "no such device"),
    ],
)
def test_wrong_input_is_refused_with_a_way_out(
    home: Path, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    (home / "vision.mp4").write_text("no video")
    asked = [str(tmp_path / "a.json") if word == "OUT" else word for word in words]
    called = small.call(home, "predict", "--model", "model", *asked)
    assert (called.code, said in called.err, "Traceback" in called.err) == (code, True, False), called.err
    assert not list(tmp_path.iterdir())


def test_the_video_itself_is_never_replaced(home: Path, tmp_path: Path) -> None:
    with video.VideoWriter(tmp_path / "clip.mp4", FPS) as writer:
        writer.write(np.zeros((96, 160, 3), np.uint8))
    before = (tmp_path / "clip.mp4").read_bytes()
    called = small.call(home, "predict", str(tmp_path / "clip.mp4"), "--model", "model", "--pictures", str(tmp_path))
    assert called.code == 2
    assert "would replace the video" in called.err
    assert (tmp_path / "clip.mp4").read_bytes() == before


def test_a_dry_run_writes_nothing(home: Path, tmp_path: Path) -> None:
    words = ("predict", "clip.avi", "--model", "model", "--output", str(tmp_path / "a.json"), "--dry-run")
    small.done(home, *words)
    assert not list(tmp_path.iterdir())
