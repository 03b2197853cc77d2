"""`vision explain`: maps of the evidence for what a model answers, channels of its layers, and what it learned from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path

from vision_cli.core import attributes, files, run
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.tasks import PLACE_TASKS
from vision_cli.imaging import write
from vision_cli.stages import places
from vision_cli.stages.explaining import choosing, evidence, found, learned_from, pictures, subject, wholes
from vision_cli.stages.explaining.asked import (
    RESULT_NAME,
    STAGE,
    ExplainRequest,
    ExplainResult,
    Explanation,
    How,
    LayersResult,
    Near,
)
from vision_cli.stages.explaining.choosing import Chosen
from vision_cli.stages.explaining.evidence import Look
from vision_cli.stages.explaining.learned_from import Learned
from vision_cli.stages.explaining.subject import Subject
from vision_cli.stages.running import confidence
from vision_cli.stages.running.photo_paths import find_photos

PICTURES, SHOWN = "pictures", "shown"


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """A network and its photos, before anything is explained."""

    look: Look
    photos: Sequence[Chosen]
    known: Learned | None


def explain(request: ExplainRequest, progress: Progress) -> ExplainResult:
    """Explain photos, and write pictures and `explain.json`.

    A photo that cannot be read is listed under `refused`; the others are still explained.

    Raises:
        UsageError: the model cannot be explained, there is no such method, layer or class, or the folder is in use.
        DataError: the model is refused, an input matches nothing, or the training photos are gone.
        MissingPartError: torch or weights are not here.
        ResourceError: the pictures cannot be written.
    """
    _check(request)
    asked = _asked(request, progress)
    if request.dry_run:
        rows = tuple(Explanation(each.path, (0, 0), "", None, each.truth, each.chosen_as) for each in asked.photos)
        return _result(request, asked, (rows, ()), None)
    project, card = request.project, asked.look.subject.card
    record = None
    if project.file is not None:
        manifest = {"model": str(asked.look.subject.path.absolute()), "method": request.how.method}
        record = run.create(project.root, STAGE, card.name, manifest)
    with nullcontext() if record is None else run.recorded(record):
        folders = (request.to or _inside(record) / PICTURES, None if record is None else record.folder / SHOWN)
        result = _result(request, asked, _explained(request, asked, folders, progress), request.to or _inside(record))
        for folder in {request.to, None if record is None else record.folder} - {None}:
            files.write_json(_path(folder) / RESULT_NAME, result.as_json(maps=True))
    return result


def layers(request: ExplainRequest, progress: Progress) -> LayersResult:
    """Return the layers of a model that give maps.

    Raises:
        UsageError: the model cannot be explained.
        DataError: it is not there, or refused.
        MissingPartError: torch or weights are not here.
    """
    subject.check(request)
    model = subject.opened(request, progress)
    look = evidence.open_look(model, How(), progress)
    rows = tuple((spot.name, spot.channels, *spot.size, spot.stride) for spot in look.spots)
    places_found = model.card.task in PLACE_TASKS and model.card.task != "semantic"
    return LayersResult(model.path, rows, None if places_found else look.spot().name)


def _check(request: ExplainRequest) -> None:
    """Refuse what is wrong before a network is loaded."""
    subject.check(request)
    if request.to is None and request.project.file is None:
        raise UsageError("where to?", hint="Give a folder: --to heat/. A project keeps pictures in its runs.")
    if request.to is not None:
        places.check_additions(request.to, project=request.project)
        others = request.to.is_dir() and any(request.to.iterdir()) and not (request.to / RESULT_NAME).is_file()
        if others:
            raise UsageError(
                f"{request.to}: holds other files, and pictures of the same name would be replaced.",
                hint="Choose a new folder, or one that vision explain wrote.",
            )


def _asked(request: ExplainRequest, progress: Progress) -> _Asked:
    photos = [Chosen(path) for path in find_photos(request.inputs)] if request.inputs else None
    model = subject.opened(request, progress)
    if request.threads is not None:
        import torch

        torch.set_num_threads(request.threads)
    model = _counting(model, request.confidence)
    look = evidence.open_look(model, request.how, progress)
    known = learned_from.learned(request, model) if request.nearest else None
    if photos is None:
        photos = choosing.chosen(request, model, progress)
    return _Asked(look, photos, known)


def _counting(model: Subject, least: float | None) -> Subject:
    """Return a model whose boxes count from another confidence on."""
    return model if least is None else replace(model, card=confidence.counting(model.card, least))


def _explained(
    request: ExplainRequest, asked: _Asked, folders: tuple[Path, Path | None], progress: Progress
) -> tuple[tuple[Explanation, ...], tuple[tuple[Path, str], ...]]:
    """Explain photo by photo, so that memory does not grow with them."""
    done: list[Explanation] = []
    refused: list[tuple[Path, str]] = []
    near = _nearest(request, asked, progress)
    names = _names([each.path for each in asked.photos])
    for at, each in enumerate(asked.photos):
        try:
            row = _one(asked, each, near[each.path])
        except DataError as error:
            refused.append((each.path, error.message))
        else:
            done.append(_drawn(request, asked.look, row, folders, names[each.path]))
        progress.step("explain", at + 1, len(asked.photos))
    return tuple(done), tuple(refused)


def _nearest(request: ExplainRequest, asked: _Asked, progress: Progress) -> Mapping[Path, tuple[Near, ...]]:
    paths = [each.path for each in asked.photos]
    if asked.known is None:
        return dict.fromkeys(paths, ())
    rows = learned_from.nearest(request, asked.look.subject, asked.known, paths, progress)
    return dict(zip(paths, rows, strict=True))


def _one(asked: _Asked, each: Chosen, near: tuple[Near, ...]) -> Explanation:
    look = asked.look
    seen = evidence.see(each.path, look.subject.card.preprocess)
    row = found.explain(look, seen) if look.subject.card.task in PLACE_TASKS else wholes.explain(look, seen)
    return replace(row, truth=each.truth, chosen_as=each.chosen_as, nearest=near)


def _drawn(
    request: ExplainRequest, look: Look, row: Explanation, folders: tuple[Path, Path | None], name: str
) -> Explanation:
    seen = (
        evidence.see(row.path, look.subject.card.preprocess) if request.maps else evidence.Seen(row.path, row.size_px)
    )
    drawings = pictures.drawn(look, seen, row, request.maps)
    written = pictures.save(drawings, folders[0], name)
    if folders[1] is not None:
        shown = folders[1] / f"{name}.jpg"
        write.write_photo(shown, drawings.shown)
        written = {**written, SHOWN: shown}
    return replace(pictures.without_regions(row), pictures=written)


def _names(paths: Sequence[Path]) -> dict[Path, str]:
    """Return what the pictures of each photo are called; equal names of different folders get a number."""
    taken: set[str] = set()
    names = {}
    for path in paths:
        marks: Iterator[str] = chain([""], (f"-{number}" for number in count(2)))
        name = next(f"{path.stem}{mark}" for mark in marks if f"{path.stem}{mark}" not in taken)
        # so that `a-maps.jpg` does not get the name of the channels of `a.jpg`
        taken |= {name, f"{name}-maps", f"{name}-nearest"}
        names[path] = name
    return names


def _result(
    request: ExplainRequest,
    asked: _Asked,
    rows: tuple[tuple[Explanation, ...], tuple[tuple[Path, str], ...]],
    folder: Path | None,
) -> ExplainResult:
    model = asked.look.subject
    columns = attributes.names_of(model.card.model)
    beside = (
        [f"The model also takes {', '.join(columns)} into account, which no place of a photo shows."] if columns else []
    )
    notes = (*model.notes, *(asked.known.notes if asked.known else ()), *beside)
    about = (model.path, model.sha256, model.card.task, model.card.family, not request.inputs)
    return ExplainResult(*about, *rows, folder, notes)


def _inside(record: run.Run | None) -> Path:
    return Path() if record is None else record.folder


def _path(folder: Path | None) -> Path:
    return folder or Path()
