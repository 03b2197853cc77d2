"""`vision eval --shots 1,5,10,20`: what classes learned from so many photos would be worth, and what more would bring.

The photos to learn from are drawn from the training split, and every photo of the others is judged; nothing is chosen
on them. Without any data the examples of `vision classes` are tried, half of each class against the other half. Each
draw has a seed that is fixed beforehand: 0 and its number.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.catalogue import listed
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.few_shot import heads, shots
from vision_cli.few_shot.heads import Floats, Ids, Rows
from vision_cli.few_shot.shots import Trial
from vision_cli.stages import data as view_data
from vision_cli.stages import places
from vision_cli.stages.few_shot import describing, keeping

DRAWS = 5
SEED = 0
_TRAIN = "train"
_UNSEEN = ("val", "test")
_HELD_OUT = 0.5
"""Share of a class's photos that are judged where no split says which."""
_MOST = 100


@dataclass(frozen=True, slots=True)
class ShotsRequest:
    """What to try.

    Attributes:
        project: its data, unless `data` is another set.
        shots: numbers of photos a class, ascending.
        draws: of each number.
        backbones: that describe photos; that of the classes, or the default, when empty.
        heads: lines of `heads.HEADS`; all when empty.
        data: a labelled data set in place of the project's.
        split: that is judged: `val`, `test`, or both when None.
        output: HTML page to write with the curves.
        offline: forbids downloads.
        threads: of the runtime.
        dry_run: write nothing.
    """

    project: Project
    shots: tuple[int, ...]
    draws: int = DRAWS
    backbones: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    data: Path | None = None
    split: str | None = None
    output: Path | None = None
    offline: bool = False
    threads: int | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """k photos a class.

    Attributes:
        shots: k.
        accuracy: mean over draws.
        spread: standard deviation over draws.
        low: of the draws.
        high: of the draws.
        gain: over the number of photos before it, mean over draws; None for the first.
        gain_spread: standard deviation of that difference.
    """

    shots: int
    accuracy: float
    spread: float
    low: float
    high: float
    gain: float | None = None
    gain_spread: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """One backbone with one head.

    Attributes:
        backbone: that describes photos.
        head: that tells classes apart.
        points: one a number of photos.
        doubled: twice the largest number.
        expected: accuracy to expect there; None where the points do not say.
        weakest: class of the lowest recall at the largest number, and that recall.
    """

    backbone: str
    head: str
    points: tuple[Point, ...]
    doubled: int
    expected: float | None
    weakest: tuple[str, float]


@dataclass(frozen=True, slots=True)
class ShotsResult:
    """What was tried.

    Attributes:
        curves: one a backbone and head, the best at the largest number first.
        classes: names.
        draws: of each number.
        seed: of the draws.
        learned: photos there were to draw from.
        judged: photos that were judged.
        judged_of: splits that they are of.
        seconds: that it took.
        output: page that was written.
        notes: what a reader should know.
    """

    curves: tuple[Curve, ...]
    classes: tuple[str, ...]
    draws: int
    seed: int
    learned: int
    judged: int
    judged_of: str
    seconds: float
    output: Path | None = None
    notes: tuple[str, ...] = ()


def try_shots(request: ShotsRequest, progress: Progress) -> ShotsResult:
    """Learn from k photos of each class, several times, and judge the others.

    Raises:
        UsageError: a number, head, backbone or split is not right, or the data's task is not `classify`.
        DataError: the data is refused, or a class has too few photos.
    """
    start = time.monotonic()
    _check(request)
    names, learn, judge, said = _parts(request)
    counts = np.bincount(learn.classes, minlength=len(names))
    numbers, notes = _possible(request.shots, counts, names)
    curves = []
    for backbone in _backbones(request):
        describer = describing.open_describer(backbone, progress, offline=request.offline, threads=request.threads)
        rows = _described(describer, learn, progress), _described(describer, judge, progress)
        for head in request.heads or tuple(heads.HEADS):
            progress.say(f"{describer.name}, {head}: {listed([str(each) for each in numbers])} photos a class")
            trials = [shots.trial(head, *rows, number, (SEED, request.draws)) for number in numbers]
            curves.append(_curve(describer.name, head, trials, names))
    curves.sort(key=lambda curve: -curve.points[-1].accuracy)
    result = ShotsResult(
        tuple(curves),
        names,
        request.draws,
        SEED,
        len(learn.paths),
        len(judge.paths),
        said,
        time.monotonic() - start,
        None,
        notes,
    )
    return _with_page(request, result)


def _check(request: ShotsRequest) -> None:
    if not request.shots or min(request.shots) < 1 or request.draws < 1:
        raise UsageError("--shots: needs numbers of at least 1.", hint="--shots 1,5,10,20")
    if len(request.shots) > _MOST or request.draws > _MOST:
        raise UsageError(f"--shots: more than {_MOST} numbers or draws.", hint="--shots 1,5,10,20 --draws 5")
    for head in request.heads:
        heads.card(head)
    if request.split is not None and request.split not in _UNSEEN:
        raise UsageError(
            f"--split {request.split}: what is learned from is not judged.", hint="val or test; without it both."
        )
    if request.output is not None:
        reads = [request.data] if request.data is not None else []
        places.check_files(request.output, project=request.project, reads=reads)
        if request.output.suffix.lower() not in (".html", ".htm"):
            raise UsageError(f"{request.output}: the suffix must be .html.", hint="--output shots.html")


def _backbones(request: ShotsRequest) -> tuple[str, ...]:
    if request.backbones:
        return tuple(describing.named(name) for name in request.backbones)
    return (keeping.read(keeping.place(request.project)).backbone,)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Photos with the class of each."""

    paths: Sequence[Path]
    classes: Ids

    def some(self, mask: NDArray[np.bool_]) -> _Part:
        """Return some of them."""
        return _Part([path for path, kept in zip(self.paths, mask, strict=True) if kept], self.classes[mask])


def _parts(request: ShotsRequest) -> tuple[tuple[str, ...], _Part, _Part, str]:
    """Return the classes, the photos to draw from, those to judge, and what the latter are."""
    if request.data is None and not request.project.config.data.sources:
        book = keeping.place(request.project)
        if book.is_file() and request.split is None:
            return _of_book(book)
    if request.data is not None:
        loaded = view_data.load_folder(request.project, request.data)
    else:
        loaded = view_data.load_view(request.project, remember=not request.dry_run)
    if loaded.task != "classify":
        raise UsageError(
            f"--shots: is for one class a photo, and the data's task is '{loaded.task}'.",
            hint="Give photos in folders of class names with --data.",
        )
    dataset = loaded.dataset
    names, whole = dataset.classes.names, _Part(dataset.paths(), dataset.class_ids())
    splits = dataset.images["split"].to_pylist()
    unseen = (request.split,) if request.split else tuple(name for name in _UNSEEN if name in splits)
    if _TRAIN in splits and set(unseen) & set(splits):
        learn, judge = (np.array([each in some for each in splits], np.bool_) for some in ((_TRAIN,), unseen))
        return names, whole.some(learn), whole.some(judge), " and ".join(unseen)
    if request.split is not None:
        raise DataError(f"the data has no split '{request.split}' beside 'train'.", hint="Leave --split out.")
    return _halved(names, whole)


def _of_book(path: Path) -> tuple[tuple[str, ...], _Part, _Part, str]:
    """Return the examples of few-shot classes, half of each to draw from."""
    book = keeping.filled(path)
    index = {name: at for at, name in enumerate(book.names)}
    classes = np.array([index[name] for name, _ in book.photos], np.int64)
    return _halved(book.names, _Part([path.parent / each.photo for _, each in book.photos], classes))


def _halved(names: tuple[str, ...], whole: _Part) -> tuple[tuple[str, ...], _Part, _Part, str]:
    """Return half of each class to draw from and half to judge, by chance, where no split says which."""
    held: list[int] = []
    for order in shots.draw(whole.classes, len(names), SEED, _MOST + 1):
        held += order[: int(_HELD_OUT * len(order))].tolist()
    mask = np.zeros(len(whole.classes), np.bool_)
    mask[held] = True
    return names, whole.some(~mask), whole.some(mask), "half of each class"


def _possible(wanted: Sequence[int], counts: Ids, names: Sequence[str]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the numbers that every class has photos for, and what is left out.

    Raises:
        DataError: there is none, or fewer than two classes.
    """
    fewest = int(counts.min()) if len(counts) else 0
    few = names[int(counts.argmin())] if len(counts) else ""
    numbers = tuple(each for each in sorted(set(wanted)) if each <= fewest)
    if len(names) < 2 or not numbers:
        what = f"'{few}' has {fewest} photos to learn from" if len(names) > 1 else "there are fewer than two classes"
        raise DataError(f"--shots {','.join(map(str, wanted))}: {what}.", hint="Label more photos, or try fewer.")
    left = [str(each) for each in sorted(set(wanted)) if each > fewest]
    note = f"not tried: {', '.join(left)}, for '{few}' has {fewest} photos to learn from."
    return numbers, (note,) if left else ()


def _described(describer: describing.Describer, part: _Part, progress: Progress) -> tuple[Rows, Ids]:
    found = describer.describe(part.paths, progress)
    if found.refused:
        raise DataError(
            f"{len(found.refused)} of {len(part.paths)} photos cannot be read.",
            hint="`vision data check` lists them.",
            details=[reason for _, reason in found.refused[:10]],
        )
    return found.vectors, part.classes


def _curve(backbone: str, head: str, trials: Sequence[Trial], names: Sequence[str]) -> Curve:
    points: list[Point] = []
    before: Floats | None = None
    for each in trials:
        accuracies = each.accuracies
        gains = None if before is None else accuracies - before
        points.append(
            Point(
                each.shots,
                float(accuracies.mean()),
                _deviation(accuracies),
                float(accuracies.min()),
                float(accuracies.max()),
                None if gains is None else float(gains.mean()),
                None if gains is None else _deviation(gains),
            )
        )
        before = accuracies
    doubled = 2 * trials[-1].shots
    ahead = shots.expected([each.shots for each in points], [each.accuracy for each in points], doubled)
    recall = np.nan_to_num(trials[-1].recall.mean(axis=0), nan=2.0)
    weakest = int(recall.argmin())
    return Curve(backbone, head, tuple(points), doubled, ahead, (names[weakest], float(recall[weakest])))


def _deviation(values: Any) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def _with_page(request: ShotsRequest, result: ShotsResult) -> ShotsResult:
    if request.output is None or request.dry_run:
        return result
    from vision_cli.core import files
    from vision_cli.reports.shots import page

    rows = [
        (f"{curve.head} on {curve.backbone}", [(point.shots, point.accuracy, point.spread) for point in curve.points])
        for curve in result.curves
    ]
    title = f"{request.project.config.name}: accuracy by photos a class"
    files.write_text(request.output, page(title, rows, _caption(result)))
    return replace(result, output=request.output)


def _caption(result: ShotsResult) -> str:
    return (
        f"{len(result.classes)} classes; each point is the mean of {result.draws} draws of the photos to learn from "
        f"(seed {result.seed}), the band one standard deviation over the draws; judged on {result.judged} photos "
        f"({result.judged_of})."
    )
