"""`vision predict` on a video file or a camera."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision_cli.core import files
from vision_cli.core.artefact import CARD_NAME
from vision_cli.core.contracts import Runner
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.imaging import video
from vision_cli.imaging.video import Frame, Video, VideoWriter
from vision_cli.stages import places
from vision_cli.stages.running import confidence, frame_answers, loading
from vision_cli.stages.running.frame_log import SUFFIX, FrameLog

_AT_ONCE = 8
_CAMERA_FPS = 10.0


@dataclass(frozen=True, slots=True)
class VideoRequest:
    """Which frames to look at.

    Attributes:
        project: where the last model is.
        source: video file; None for a camera.
        camera: number of a camera, or path of its device.
        model: as `PredictRequest.model`.
        output: `.json` or `.csv` file to write.
        pictures: folder for an annotated video.
        every: look at one of so many frames of a file.
        seconds: how long to look; None is to the end, or Ctrl-C.
        threads: of the runtime; all cores when None.
        dry_run: say what would be written, write nothing.
        confidence: from which score on objects count; None is the model's own.
    """

    project: Project
    source: Path | None = None
    camera: str | None = None
    model: Path | None = None
    output: Path | None = None
    pictures: Path | None = None
    every: int = 1
    seconds: float | None = None
    threads: int | None = None
    dry_run: bool = False
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class VideoResult:
    """What became of a video.

    Attributes:
        model: path of the model.
        runtime: `torch`, `onnx` or `tflite`.
        task: of the model.
        source: the video, or the camera's name.
        frames: that were answered.
        resumed_at: how many of them a run before this one had answered.
        found: objects of each class over all frames, or frames of each answer; most first.
        output: file with the answers.
        video: annotated video.
    """

    model: Path
    runtime: str
    task: str
    source: str
    frames: int
    resumed_at: int
    found: Mapping[str, int]
    output: Path | None
    video: Path | None

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {
            "model": self.model,
            "runtime": self.runtime,
            "task": self.task,
            "source": self.source,
            "frames": self.frames,
            "resumed_at": self.resumed_at,
            "found": dict(self.found),
            "output": self.output,
            "video": self.video,
        }


def source_of(inputs: Sequence[str], camera: str | None) -> Path | None:
    """Return the video that a command line names; None where it names photos, or a camera.

    Raises:
        UsageError: a video or a camera, and something else.
    """
    videos = [Path(text) for text in inputs if video.is_video(Path(text))]
    if (videos and len(inputs) > 1) or (camera is not None and inputs):
        what = f"the video {videos[0]}" if videos else f"the camera {camera}"
        raise UsageError(f"{what} is looked at alone.", hint="Give one video, or --camera, or photos.")
    return videos[0] if videos else None


def check_no_set(to: str | None, view: str | None, *, scores: bool | None = None) -> None:
    """Refuse what only photos have.

    Raises:
        UsageError: a format or a view, with a video or a camera.
    """
    if to is not None or scores is not None:
        what = "--scores" if to is None else "--to"
        raise UsageError(f"{what}: frames are no photos of a data set.", hint="Save frames as photos first.")
    if view is not None:
        raise UsageError("--data: a view is of photos.", hint="Give --data VIEW, or a video, or --camera.")


def check_no_video(every: int, seconds: float | None) -> None:
    """Refuse what only videos have.

    Raises:
        UsageError: a number of frames or seconds, with photos.
    """
    if every != 1 or seconds is not None:
        raise UsageError("--every and --seconds are for videos and cameras.", hint="Leave them out.")


def predict_video(
    request: VideoRequest, progress: Progress, clock: Callable[[], float] = time.monotonic
) -> VideoResult:
    """Run a model on the frames of a video or a camera.

    Answers are kept as they come in a file beside the result, so that a run over a video that was killed goes on where
    it was when it is started again. A camera is looked at until Ctrl-C.

    Raises:
        UsageError: nothing is to be written, the output's suffix is unknown, or the video would be replaced.
        DataError: no frame can be read, the model is refused, or the answers beside the result are of something else.
        ResourceError: the results cannot be written.
    """
    place, target = _checked(request)
    model = loading.find_model(request.project, request.model)
    runner = loading.open_model(model, threads=request.threads)
    confidence.choose(runner, request.confidence)
    work = _Work(request, model, runner, target, progress)
    with _opened(request) as opened:
        if request.dry_run:
            return work.result(opened.name, {}, (0, 0))
        log = FrameLog(place.with_name(f"{place.name}{SUFFIX}"), _about(request, model, opened))
        with log:
            before = sum(1 for _ in log.rows())
            if request.source is None:
                work.watch(opened, log, clock)
            else:
                work.read(opened, log)
    return work.published(opened.name, log, before)


@dataclass(frozen=True, slots=True)
class _Work:
    """One call, its arguments checked.

    Attributes:
        request: what is wanted.
        model: path of the model.
        runner: the model.
        target: of the annotated video; None where none is wanted.
        progress: hears how far it is.
    """

    request: VideoRequest
    model: Path
    runner: Runner
    target: Path | None
    progress: Progress

    def read(self, opened: Video, log: FrameLog) -> None:
        """Answer the frames of a file that are not in the log."""
        every, last = self.request.every, log.last()
        start = 0 if last is None else last + every
        if start:
            self.progress.say(f"{log.path}: {start // every} frames are answered there; continued at frame {start}.")
        frames, done, seen = self._wanted(opened, start), start // every, last or 0
        total = self._expected(opened)
        while batch := list(itertools.islice(frames, _AT_ONCE)):
            for row in frame_answers.say(self.runner, batch):
                log.add(row)
            done, seen = done + len(batch), batch[-1].index
            self.progress.step("predict", done, max(done, total))
        if self.request.seconds is None and seen + every < opened.n_frames:
            claimed = f"says that it has {opened.n_frames} frames, and ended after {seen + 1}"
            self.progress.warn(f"{opened.name}: {claimed}: is it cut off?")

    def _wanted(self, opened: Video, start: int) -> Iterator[Frame]:
        for frame in opened.frames(start=start, every=self.request.every):
            if self.request.seconds is not None and frame.time_s >= self.request.seconds:
                return
            yield frame

    def _expected(self, opened: Video) -> int:
        frames, seconds = opened.n_frames, self.request.seconds
        return -(-(frames if seconds is None else min(frames, int(seconds * opened.fps) + 1)) // self.request.every)

    def watch(self, opened: Video, log: FrameLog, clock: Callable[[], float]) -> None:
        """Answer what a camera shows, picture by picture, until time is up or the user says stop."""
        began, seconds = clock(), self.request.seconds
        with VideoWriter(self.target or Path("none.mp4"), _CAMERA_FPS) as writer, suppress(KeyboardInterrupt):
            for frame in opened.frames(every=self.request.every):
                at = clock() - began
                if seconds is not None and at >= seconds:
                    break
                (row,) = frame_answers.say(self.runner, [Frame(frame.index, at, frame.photo)])
                log.add(row)
                if self.target is not None:
                    self._show(frame, row, writer, at)

    def _show(self, frame: Frame, row: Mapping[str, Any], writer: VideoWriter, at: float) -> None:
        shown = frame_answers.picture(frame.photo, row, self.runner.card)
        writer.write(shown)
        while writer.written < at * _CAMERA_FPS:  # so that it plays as fast as it happened
            writer.write(shown)

    def published(self, name: str, log: FrameLog, before: int) -> VideoResult:
        """Write the answers, and the annotated video of a file, from the log; then the log has done its work."""
        counts: dict[str, int] = {}
        frames = 0
        for row in log.rows():
            frame_answers.count(row, self.runner.card.task, counts)
            frames += 1
        if not frames:
            log.remove()
            raise DataError(f"{name}: no frame was answered.", hint="Give it more time: --seconds.")
        result = self.result(name, counts, (frames, before))
        if self.request.source is not None and self.target is not None:
            self._draw(self.target, log, frames)
        if self.request.output is not None:
            write = frame_answers.WRITERS[self.request.output.suffix]
            files.write_chunks(self.request.output, write(result.as_json(), log.rows(), self.runner.card))
        log.remove()
        return result

    def _draw(self, target: Path, log: FrameLog, total: int) -> None:
        """Write the annotated video in a second pass, so that a run that was killed costs no frame of it."""
        every = self.request.every
        with _opened(self.request) as opened, VideoWriter(target, opened.fps / every) as writer:
            for frame, row in zip(opened.frames(every=every), log.rows(), strict=False):
                writer.write(frame_answers.picture(frame.photo, row, self.runner.card))
                self.progress.step("draw", writer.written, total)

    def result(self, name: str, counts: Mapping[str, int], frames: tuple[int, int]) -> VideoResult:
        """Return what became of it: frames that were answered, and how many of them before."""
        found = dict(sorted(counts.items(), key=lambda pair: -pair[1]))
        runner, output = self.runner, self.request.output
        return VideoResult(self.model, runner.runtime, runner.card.task, name, *frames, found, output, self.target)


def _checked(request: VideoRequest) -> tuple[Path, Path | None]:
    """Return the place beside which answers are kept, and where the annotated video goes, if one is wanted."""
    if request.source is not None:
        video.check_video(request.source)
    if request.output is not None:
        if request.output.suffix not in frame_answers.WRITERS:
            raise UsageError(f"{request.output}: the suffix must be {' or '.join(frame_answers.WRITERS)}.")
        places.check_file(request.output, project=request.project)
    if request.pictures is None:
        if request.output is None:
            raise UsageError(
                "a video's answers go into a file.", hint="Give --output FILE, --pictures FOLDER, or both."
            )
        return request.output, None
    places.check_additions(request.pictures, project=request.project)
    name = request.source.stem if request.source is not None else f"camera-{Path(request.camera or '').name}"
    target = request.pictures / f"{name}.mp4"
    if request.source is not None and target.exists() and target.samefile(request.source):
        raise UsageError(f"{target}: the annotated video would replace the video.", hint="Choose another folder.")
    return request.output or target, target


def _opened(request: VideoRequest) -> Video:
    if request.source is not None:
        return video.open_video(request.source)
    return video.open_camera(request.camera or "")


def _about(request: VideoRequest, model: Path, opened: Video) -> dict[str, Any]:
    """Return what answers depend on: a log of something else is not continued."""
    card = (model / CARD_NAME if model.is_dir() else model).stat()
    document: dict[str, Any] = {"model": [str(model.resolve()), card.st_mtime_ns, card.st_size]}
    if request.confidence is not None:
        document["confidence"] = request.confidence
    if request.source is None:
        return {**document, "camera": opened.name, "started": time.time()}
    state, name = request.source.stat(), str(request.source.resolve())
    return {**document, "video": [name, state.st_mtime_ns, state.st_size], "every": request.every}
