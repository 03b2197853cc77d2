"""What looks like an object of the class list in backgrounds, remembered by the photo's content."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision_cli.core import files
from vision_cli.core.contracts import Runner
from vision_cli.core.errors import UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.core.tasks import PLACE_TASKS
from vision_cli.synth.analysis import read_background
from vision_cli.synth.logos import LogoBook

if TYPE_CHECKING:
    from vision_cli.synth.spotting.spot import Wanted

_DIGITS = 4
_KEPT_SCORE = 0.2
"""Lower ones are not even remembered."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Something in a background.

    Attributes:
        reason: how it was found: `features`, `correlation` or `detector`.
        label: class.
        variant: of the logo; empty from a detector.
        score: 0 to 1.
        box: (left, top, width, height) as shares of the photo.
    """

    reason: str
    label: str
    variant: str
    score: float
    box: tuple[float, float, float, float]


Found = dict[str, tuple[Seen, ...]]
"""By SHA-256 of the photo, the best first."""


@dataclass(frozen=True, slots=True)
class Photos:
    """Backgrounds to look at.

    Attributes:
        folder: of them.
        contents: path below it by SHA-256.
        cache: folder that remembers.
    """

    folder: Path
    contents: Mapping[str, str]
    cache: Path


def by_matching(photos: Photos, book: LogoBook, workers: int, progress: Progress) -> Found:
    """Look for all logos by features and correlation.

    Raises:
        DataError: a background cannot be read.
    """
    from vision_cli.synth.spotting import spot

    digest = _digest([spot.VERSION, spot.LOOKED_PX, *_logo_lines(book)])
    memory = _Memory(photos.cache / f"clean-{digest}.jsonl")
    found = memory.read()
    missing = [sha for sha in photos.contents if sha not in found]
    if missing:
        wanted = spot.Wanted.of(book.logos)
        looked = _each(lambda sha: _look(photos.folder / photos.contents[sha], wanted), missing, workers)
        for done, (sha, seen) in enumerate(zip(missing, looked, strict=True), start=1):
            memory.add(sha, seen)
            found[sha] = seen
            progress.step("look for logos", done, len(missing))
    return {sha: found[sha] for sha in photos.contents}


def _look(path: Path, wanted: Wanted) -> tuple[Seen, ...]:
    from vision_cli.synth.spotting import spot

    photo = read_background(path, spot.LOOKED_PX).photo
    size = photo.shape[1], photo.shape[0]
    return tuple(
        Seen(each.by, each.class_name, each.variant, round(each.score, _DIGITS), _shares(each.box, size))
        for each in spot.spot(photo, wanted)
        if each.score >= _KEPT_SCORE
    )


def _each(work: Callable[[str], tuple[Seen, ...]], items: Sequence[str], workers: int) -> Iterator[tuple[Seen, ...]]:
    """Yield the results in order, a few ahead: OpenCV and numpy let threads run side by side."""
    with ThreadPoolExecutor(max(1, min(workers, len(items)))) as pool:
        try:
            yield from pool.map(work, items)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def by_detector(photos: Photos, model: Path, classes: Sequence[str], project: Project, progress: Progress) -> Found:
    """Let a detector look; what it says above its own confidence and of one of the classes counts.

    Raises:
        UsageError: the model finds no objects, or none of these classes.
        DataError: a photo or the model is refused.
        MissingPartError: its runtime is not installed.
    """
    from vision_cli.stages.running import loading, place_inference, place_rows

    where = loading.find_model(project, model)
    runner = loading.open_model(where)
    _check(runner, where, classes)
    memory = _Memory(photos.cache / f"detected-{_digest([_model_digest(where), *classes])}.jsonl")
    found = memory.read()
    missing = [sha for sha in photos.contents if sha not in found]
    paths = [photos.folder / photos.contents[sha] for sha in missing]
    answers = place_inference.answers(runner, paths, progress, what="detector")
    for sha, path, answer in zip(missing, paths, answers, strict=True):
        row = place_rows.row_of(path, answer, runner.card)
        seen = tuple(
            Seen("detector", each.label, "", round(each.confidence, _DIGITS), _shares(each.box, row.size_px))
            for each in row.objects
            if each.label in classes
        )
        memory.add(sha, seen)
        found[sha] = seen
    return {sha: found[sha] for sha in photos.contents}


def _shares(box: Sequence[float], size: tuple[int, int]) -> tuple[float, float, float, float]:
    left, top, width, height = (round(value / side, _DIGITS) for value, side in zip(box, (*size, *size), strict=True))
    return left, top, width, height


def _check(runner: Runner, where: Path, classes: Sequence[str]) -> None:
    card = runner.card
    if card.task not in PLACE_TASKS or card.task == "semantic":
        raise UsageError(f"{where}: a model for '{card.task}' finds no objects.", hint="Give a detector.")
    if not set(classes) & set(card.classes.names):
        raise UsageError(
            f"{where}: knows none of the classes that are to be made.",
            details=[f"it knows {', '.join(card.classes.names[:10])}", f"to be made: {', '.join(classes[:10])}"],
            hint="Give a detector of these classes.",
        )


def _model_digest(where: Path) -> str:
    """Return what tells models apart: a card holds the checksums of its weights."""
    return files.file_sha256(where / "artefact.json" if where.is_dir() else where)


@dataclass(frozen=True, slots=True)
class _Memory:
    """A line a photo; a torn last one is made again."""

    path: Path

    def read(self) -> Found:
        rows = files.read_json_lines(self.path) if self.path.is_file() else []
        return {row["sha256"]: tuple(_seen(each) for each in row["seen"]) for row in rows if "seen" in row}

    def add(self, sha: str, seen: Sequence[Seen]) -> None:
        with files.disk_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        files.append_json_line(self.path, {"sha256": sha, "seen": [asdict(each) for each in seen]})


def _seen(row: Mapping[str, Any]) -> Seen:
    return Seen(row["reason"], row["label"], row["variant"], row["score"], tuple(row["box"]))


def _logo_lines(book: LogoBook) -> list[str]:
    return [
        f"{logo.class_name} {logo.variant} {logo.rgba.shape} {hashlib.sha256(logo.rgba.tobytes()).hexdigest()}"
        for logo in book.logos
    ]


def _digest(parts: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()[:16]


def contents_of(folder: Path, names: Sequence[str]) -> dict[str, str]:
    """Return the SHA-256 of each photo by its path below the folder."""
    return {name: files.file_sha256(folder / name) for name in names}


def workers_of(given: int | None) -> int:
    """Return how many threads look."""
    return given or os.cpu_count() or 1
