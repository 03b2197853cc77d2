"""The photos that a model learned from, and which of them are nearest to another."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vision_cli.core import run
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Progress
from vision_cli.stages import data as view_data
from vision_cli.stages.data import TaskData
from vision_cli.stages.embedding import embed, find, inputs
from vision_cli.stages.embedding.engine import EngineOptions, embed_readable
from vision_cli.stages.embedding.sources import Trained
from vision_cli.stages.explaining.asked import ExplainRequest, Near
from vision_cli.stages.explaining.subject import Subject

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Learned:
    """Training photos that are there.

    Attributes:
        paths: of them.
        labels: of them.
        notes: one sentence each: photos that are gone, data that has changed.
    """

    paths: tuple[Path, ...]
    labels: tuple[str | None, ...]
    notes: tuple[str, ...] = ()


def view_of(request: ExplainRequest, subject: Subject, *, what: str) -> TaskData:
    """Return the data that a model learned from, by the view that its run names.

    Raises:
        UsageError: it learned elsewhere, or the project names no data.
        DataError: the data is refused.
    """
    if subject.folder is None:
        raise UsageError(
            f"{what}: '{subject.path}' learned nothing here.", hint="Give the run of a training: --model RUN."
        )
    name = None
    with suppress(DataError, KeyError, TypeError):
        name = str(run.Run(subject.folder.parent).manifest["config"]["train"]["view"])
    known = (view_data.ALL, *request.project.config.data.views)
    return view_data.load_view(request.project, name if name in known else None, remember=False)


def learned(request: ExplainRequest, subject: Subject) -> Learned:
    """Return the training photos of a model that are still there.

    Raises:
        UsageError: it learned elsewhere, or the project names no data.
        DataError: all of them are gone.
    """
    data = view_of(request, subject, what="--nearest")
    part = data.part("train")
    paths, labels = part.paths(), inputs.labels_of(part)
    there = [at for at, path in enumerate(paths) if path.is_file()]
    if not paths:
        raise DataError(
            "--nearest: the training split of this model's view has no photo any more.",
            hint="Put the photos back where vision.yaml says, or leave --nearest out.",
        )
    if not there:
        raise DataError(
            f"--nearest: all {len(paths):,} training photos are gone, such as {paths[0]}.",
            hint="Put them back where vision.yaml says, or leave --nearest out.",
        )
    notes = []
    if len(there) < len(paths):
        gone = next(path for path in paths if not path.is_file())
        notes.append(f"{len(paths) - len(there):,} of {len(paths):,} training photos are gone, such as {gone}.")
    if subject.card.data_digest and data.digest != subject.card.data_digest:
        notes.append("The data has changed since this model learned: the nearest photos are of today's training split.")
    return Learned(tuple(paths[at] for at in there), tuple(labels[at] for at in there), tuple(notes))


def nearest(
    request: ExplainRequest, subject: Subject, known: Learned, photos: Sequence[Path], progress: Progress
) -> list[tuple[Near, ...]]:
    """Return the training photos nearest to each photo, by the angle between the vectors that the head sees.

    A photo that is one of the training photos itself is not among its own.

    Raises:
        DataError: no training photo can be read.
    """
    if subject.folder is None:
        return [()] * len(photos)
    source, options = Trained(subject.folder), _options(request)
    rows = embed_readable(list(known.paths), source, options, progress=progress)
    if not rows.kept:
        raise DataError("--nearest: no training photo can be read.", details=[why for _, why in rows.refused[:_SHOWN]])
    wanted = embed_readable(list(photos), source, options, progress=progress)
    vectors = dict(zip(wanted.kept, wanted.vectors, strict=True))
    real = [known.paths[at].resolve() for at in rows.kept]
    found: list[tuple[Near, ...]] = []
    for at, photo in enumerate(photos):
        if at not in vectors:
            found.append(())
            continue
        distances = find.cosine_distances(rows.vectors, vectors[at])
        own = photo.resolve()
        order = [row for row in find.nearest_rows(distances, request.nearest + 1) if real[row] != own]
        found.append(tuple(_near(known, rows.kept[row], float(distances[row])) for row in order[: request.nearest]))
    return found


def _near(known: Learned, at: int, distance: float) -> Near:
    return Near(known.paths[at], known.labels[at], distance)


def _options(request: ExplainRequest) -> EngineOptions:
    store = embed.store_of(request.project)
    return EngineOptions(offline=request.offline, store=store, threads=request.threads, prepare="if it pays")
