"""`vision data show`: a page to browse photos, as a folder or served."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from vision_cli.core.errors import DataError, ResourceError, UsageError
from vision_cli.core.files import free_mb
from vision_cli.core.progress import Progress
from vision_cli.formats import CARRIED
from vision_cli.reports import browse_page
from vision_cli.reports.browse import Browse, Pages
from vision_cli.reports.browse_errors import KINDS, judge
from vision_cli.stages.named_source import DataRequest, Found, find
from vision_cli.stages.showing import layers, show_predictions, skeletons
from vision_cli.stages.showing import thumbs as show_thumbs
from vision_cli.stages.showing.thumbs import Maker
from vision_cli.stages.target_folder import check_apart, check_target, staged

NEED = frozenset(CARRIED) - {"order"}
"""What of a data set is read: all but the sources' own records, which are only kept where everything is needed."""

PAGE = "index.html"
COPY_PX = 1600
_BYTES_A_PHOTO = 12_000
_MARGIN_MB = 50.0

PhotoPlace = Literal["link", "copy", "none"]


@dataclass(frozen=True, slots=True)
class ShowRequest:
    """What to show, and where.

    Attributes:
        data: the photos.
        out: folder of the page.
        predictions: a run's folder or name, or a file.
        least: predictions of boxes below this score are left out; LEAST when None, of an evaluation the model's own.
        photos: `link` leads to the photos where they lie, `copy` takes copies of at most 1,600 px along, `none` has
            thumbnails alone.
        side_px: of thumbnails.
        most_mb: of the folder's photos.
        force: replace a folder that is not empty.
        workers: threads.
        dry_run: write nothing.
    """

    data: DataRequest
    out: Path
    predictions: Path | None = None
    least: float | None = None
    photos: PhotoPlace = "link"
    side_px: int = 240
    most_mb: int = 2000
    force: bool = False
    workers: int = 1
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A page.

    Attributes:
        name: what it shows.
        page: the file to open, or the address.
        photos, annotations: on it.
        before: photos before the condition.
        model: whose predictions are on it; None without.
        kinds: truths and predictions by what is wrong with them.
        unreadable: photos without a thumbnail.
        size_mb: of thumbnails and copies.
        written: the folder is there; always False when served.
        notes: what a reader of the page must know.
    """

    name: str
    page: str
    photos: int
    annotations: int
    before: int
    model: str | None
    kinds: Mapping[str, int]
    unreadable: int
    size_mb: float
    written: bool
    notes: tuple[str, ...]


def show(request: ShowRequest, progress: Progress) -> Shown:
    """Write the page as a folder that appears whole or not at all.

    Raises:
        UsageError: the target cannot be one.
        DataError: data or predictions are refused, or there is no photo.
        ResourceError: the disk is full or refuses, or the thumbnails are more than is allowed.
    """
    found = find(request.data)
    target = _target(request, found)
    paths = found.dataset.paths()
    browse, kinds = browsed(request, found)
    browse = replace(browse, roots=_roots(request, found, target))
    page = request.out / PAGE
    if request.dry_run:
        return told(browse, kinds, found, page=os.fspath(page))
    _check_space(request, len(browse))
    kept = ("thumbs", "photos") if request.photos == "copy" else ("thumbs",)
    progress.say(f"{len(browse):,} photos: small copies take at most {request.most_mb:,} MB (--max-mb)")
    reserve = show_thumbs.rescue(target, kept)
    with staged(target) as folder:
        size, refused = 0, 0
        for kind in reversed(kept):
            reserves = [place / kind for place in (target, reserve) if place is not None]
            side = COPY_PX if kind == "photos" else request.side_px
            maker = Maker(folder / kind, side, request.most_mb * 1_000_000 - size, reserves, request.workers)
            made = maker.make(paths, kind, progress)
            size, refused = size + made.size_bytes, made.refused
            copies = browse.copies if kind == "thumbs" else made.names
            browse = replace(browse, thumbs=made.names, copies=copies)
        browse = replace(browse, notes=(*browse.notes, *_unreadable(refused, made.reason)))
        _write(folder, browse, progress)
    show_thumbs.drop(reserve)
    shown = told(browse, kinds, found, page=os.fspath(page))
    return replace(shown, written=True, size_mb=size / 1e6, unreadable=refused)


def _unreadable(refused: int, reason: str) -> tuple[str, ...]:
    return (f"Photos that cannot be read and have no thumbnail: {refused:,}; the first: {reason}",) if refused else ()


def browsed(request: ShowRequest, found: Found) -> tuple[Browse, Mapping[str, int]]:
    """Return what the page shows, and how many annotations are of each kind.

    Raises:
        DataError: the predictions are refused, or there is no photo.
    """
    dataset = found.dataset
    if not len(dataset):
        raise DataError(f"{found.title}: there is no photo to show.", hint="Check the path or the condition.")
    images = dataset.images
    browse = Browse(
        title=Path(found.title).resolve().name if found.format else found.title,
        classes=dataset.classes.names,
        paths=images["path"].to_pylist(),
        sizes=layers.sizes(images),
        splits=[name or "" for name in images["split"].to_pylist()],
        sources=images["source"].to_pylist(),
        metadata=layers.metadata(images),
        truth=layers.layer(dataset),
        notes=dataset.notes,
        skeletons=skeletons.of(dataset),
    )
    if request.predictions is None:
        return browse, {}
    root = request.data.project().root
    said = show_predictions.load(dataset, request.predictions, root, request.least)
    truth = layers.judged(dataset)
    truth_kinds, said_kinds = judge(truth, said.layer, len(dataset), layers.crowd(dataset.annotations))
    truth_kinds[~said.covered[truth.rows]] = -1  # nobody predicted there: nothing was missed
    without = len(dataset) - int(said.covered.sum())
    more = (f"Photos without predictions, where nothing is counted: {without:,} of {len(dataset):,}.",)
    joined = replace(
        browse,
        classes=said.classes,
        truth=replace(browse.truth, kinds=truth_kinds),
        said=replace(said.layer, kinds=said_kinds),
        model=said.title,
        notes=(*browse.notes, *said.notes, *(more if without else ())),
    )
    both = [*said_kinds.tolist(), *(kind for kind in truth_kinds.tolist() if KINDS[kind] == "missed" and kind >= 0)]
    return joined, {name: both.count(at) for at, name in enumerate(KINDS)}


def told(browse: Browse, kinds: Mapping[str, int], found: Found, *, page: str) -> Shown:
    """Return what is said of a page."""
    return Shown(
        name=found.title,
        page=page,
        photos=len(browse),
        annotations=len(browse.truth.rows),
        before=found.before,
        model=browse.model or None,
        kinds=kinds,
        unreadable=0,
        size_mb=0.0,
        written=False,
        notes=tuple(browse.notes),
    )


def _target(request: ShowRequest, found: Found) -> Path:
    roots = list(found.dataset.roots.values())
    if not roots:
        raise UsageError(f"{found.title}: has no source.", hint="Check the view.")
    target = check_target(request.out, roots[0], force=request.force)
    check_apart(target, roots)
    if request.force and target.is_dir() and any(target.iterdir()) and not (target / PAGE).is_file():
        raise UsageError(f"{request.out}: is no page of `vision data show`.", hint="Choose another folder.")
    return target


def _roots(request: ShowRequest, found: Found, target: Path) -> dict[str, str]:
    """Return the URL of each source's root, as seen from the page."""
    if request.photos == "none":
        return {}
    if request.photos == "copy":
        return dict.fromkeys(found.dataset.roots, "#copy")
    links = {}
    for name, root in found.dataset.roots.items():
        relative = os.path.relpath(os.path.realpath(root), target)
        links[name] = quote(os.fsencode(relative), safe="/.") + "/"
    return links


def _check_space(request: ShowRequest, photos: int) -> None:
    need = photos * _BYTES_A_PHOTO * (20 if request.photos == "copy" else 1) / 1e6 + _MARGIN_MB
    there = free_mb(request.out)
    if need > there:
        raise ResourceError(
            f"{request.out}: about {need:.0f} MB are needed and {there:.0f} MB are free.",
            hint="Make room, choose photos with --where, or look without writing: --serve.",
        )


def _write(folder: Path, browse: Browse, progress: Progress) -> None:
    pages = Pages(browse)
    (folder / "data").mkdir()
    names: Sequence[str] = list(pages.names())
    for done, name in enumerate(names, start=1):
        content: Any = pages.content(name)
        (folder / "data" / name).write_bytes(content)
        progress.step("annotations", done, len(names))
    (folder / PAGE).write_bytes(browse_page.index(browse.title))
