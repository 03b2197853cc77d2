"""`vision find`: the photos that are most like one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core import files
from vision_cli.core.errors import UsageError, VisionError
from vision_cli.core.progress import Progress
from vision_cli.formats import archives
from vision_cli.imaging import draw, read, sheets, write
from vision_cli.reports import maps
from vision_cli.stages import places
from vision_cli.stages.embedding import inputs
from vision_cli.stages.embedding.embed import Network, gather, open_engine, source_of
from vision_cli.stages.embedding.inputs import Wanted

_PICTURES, _PAGES = (".png", ".jpg", ".jpeg"), (".html", ".htm")
_THUMBNAIL_PX = 240
_COLUMNS = 5


@dataclass(frozen=True, slots=True)
class FindRequest:
    """What to look for.

    Attributes:
        like: photos whose likes are looked for; of several, those of their mean.
        photos: to look among.
        network: that tells what is alike.
        number: of photos that are wanted.
        to: a sheet (.png, .jpg) or a page (.html) of them; None writes none.
        dry_run: write nothing.
    """

    like: tuple[Path, ...]
    photos: Wanted
    network: Network = field(default_factory=Network)
    number: int = 10
    to: Path | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A photo that is like the one asked for.

    Attributes:
        path: of the photo.
        label: of it, if it has one.
        distance: 1 - cosine of the angle between the vectors: 0 for the same photo, about 1 for nothing in common.
    """

    path: str
    label: str | None
    distance: float

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"path": self.path, "label": self.label, "distance": self.distance}


@dataclass(frozen=True, slots=True)
class FindResult:
    """The nearest photos.

    Attributes:
        like: photos that were asked for.
        neighbours: the nearest first.
        photos: that were looked among.
        computed: of them that went through the network now.
        runtime: that computed.
        network: its name.
        layer: of it.
        refused: path and reason of photos that cannot be read.
        output: sheet or page; None without one.
        written: false after a dry run.
    """

    like: tuple[Path, ...]
    neighbours: tuple[Neighbour, ...]
    photos: int
    computed: int
    runtime: str
    network: str
    layer: str
    refused: tuple[tuple[str, str], ...]
    output: Path | None
    written: bool = True

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        members = {name: getattr(self, name) for name in self.__slots__}
        refused = [{"path": path, "reason": reason} for path, reason in self.refused]
        return {**members, "neighbours": [each.as_json() for each in self.neighbours], "refused": refused}


def find(request: FindRequest, progress: Progress) -> FindResult:
    """Return the photos that are nearest to one, by the angle between their vectors.

    Raises:
        UsageError: there is no such layer, network, view or file.
        DataError: the photo, or every other, cannot be read.
        ResourceError: the sheet cannot be written.
    """
    _check(request)
    source = source_of(request.photos.project, request.network)
    for path in request.like:
        read.read_photo(path, at_least=(1, 1))  # refuses by name before a network is loaded
    engine = open_engine(request.photos, source, request.network, len(request.like), progress)
    vectors = engine.embed(list(request.like), progress).vectors
    wanted = np.asarray(unit(vectors).mean(axis=0), np.float32)
    engine, found = gather(request.photos, source, request.network, progress, engine=engine)
    distances = cosine_distances(found.vectors, wanted)
    nearest = nearest_rows(distances, request.number)
    neighbours = tuple(Neighbour(found.paths[row], found.labels[row], float(distances[row])) for row in nearest)
    if request.to is not None and not request.dry_run:
        _write(request.to, request, neighbours)
    counts = (len(found.paths), found.computed)
    about = (engine.runtime, source.name, request.network.layer)
    return FindResult(request.like, neighbours, *counts, *about, found.refused, request.to, not request.dry_run)


def _check(request: FindRequest) -> None:
    inputs.check(request.photos)
    if not request.like:
        raise UsageError("like what?", hint="Give a photo: --like photo.jpg.")
    if request.to is not None:
        if request.to.suffix.lower() not in (*_PICTURES, *_PAGES):
            raise UsageError(f"{request.to}: is no picture and no page.", hint="End it in .png, .jpg or .html.")
        places.check_file(request.to, project=request.photos.project, reads=request.like)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return vectors float32 (N, D) at length 1; those of length 0 stay."""
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))[:, None]
    return np.asarray(vectors / np.maximum(lengths, np.float32(1e-12)), np.float32)


def cosine_distances(vectors: NDArray[np.float32], wanted: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return 1 - cosine of each of N vectors float32 (N, D) and one (D,), float64 (N,), 0 at least."""
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors)).astype(np.float64)
    length = float(np.sqrt(np.square(wanted, dtype=np.float64).sum()))
    cosines = (vectors @ wanted).astype(np.float64) / np.maximum(lengths * length, 1e-12)
    return np.asarray(np.maximum(0.0, 1.0 - cosines), np.float64)


def nearest_rows(distances: NDArray[np.float64], number: int) -> list[int]:
    """Return the rows of the smallest distances, the nearest first; of equal ones the first."""
    return [int(row) for row in np.argsort(distances, kind="stable")[:number]]


def _write(to: Path, request: FindRequest, neighbours: Sequence[Neighbour]) -> None:
    title = f"like {', '.join(path.name for path in request.like)}"
    contents = _contents([each.path for each in neighbours])
    rows: list[tuple[str, Path | bytes, str]] = [(path.name, path, "asked for") for path in request.like]
    rows += [
        (each.path, contents.get(each.path, Path(each.path)), f"{each.distance:.4f}  {each.label or ''}")
        for each in neighbours
    ]
    pictures = [(Path(name).name, text, _thumbnail(source, name)) for name, source, text in rows]
    shown = [(name, text, photo) for name, text, photo in pictures if photo is not None]
    if to.suffix.lower() in _PAGES:
        files.write_text(
            to, maps.render_pictures(title, [(write.encode_jpeg(photo), name, text) for name, text, photo in shown])
        )
        return
    tiles = [sheets.Tile([photo], [sheets.Words(text), sheets.Words(name)]) for name, text, photo in shown]
    write.write_photo(to, sheets.sheet(title, tiles, sheets.Style(columns=_COLUMNS, photo_px=_THUMBNAIL_PX)))


def _contents(paths: Sequence[str]) -> dict[str, bytes]:
    """Return the bytes of photos that lie in archives, by path."""
    found: dict[str, bytes] = {}
    inside = {path for path in paths if not Path(path).exists()}
    for archive in {parent for path in inside for parent in Path(path).parents if parent.is_file()}:
        for name, content in archives.photos(archive):
            if f"{archive}/{name}" in inside:
                found[f"{archive}/{name}"] = content
    return found


def _thumbnail(source: Path | bytes, name: str) -> NDArray[np.uint8] | None:
    try:
        photo = read.read_photo(source, at_least=(_THUMBNAIL_PX, _THUMBNAIL_PX), name=name)
    except VisionError:
        return None
    return draw.thumbnail(photo, _THUMBNAIL_PX)
