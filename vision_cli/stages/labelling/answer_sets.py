"""Which photos and labels a labelling command means: a view, a data set, or a folder of plain photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vision_cli import formats
from vision_cli.core import containment
from vision_cli.core.containment import Links
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.photo_labels import PhotoColumns, PhotoLabels, build
from vision_cli.core.project import Project
from vision_cli.formats import ReadOptions, conserving, photos
from vision_cli.formats.folder_walk import walk
from vision_cli.labelling import tasks
from vision_cli.labelling.gathering import Part
from vision_cli.labelling.meeting import meet
from vision_cli.stages import data, detecting
from vision_cli.stages.converting import reshaping

_SHOWN = 10
_ABOVE = 3


@dataclass(frozen=True, slots=True)
class PathOptions:
    """How the data set of a path is read.

    Attributes:
        format: found by itself when None.
        images: folder that its photo paths start from; the format's own when None.
        links: where links in its folder may lead.
    """

    format: str | None = None
    images: Path | None = None
    links: Links = "stay"


AS_FOUND = PathOptions()


def find(project: Project, name: str | None, *, plain: bool = False, options: PathOptions = AS_FOUND) -> Dataset:
    """Return the photos of a view, or those of a path; boxes count edges.

    Args:
        project: declares views.
        name: of a view, else a path; the training's view when None.
        plain: take the photos of a folder as they are, without labels.
        options: of a path.

    Raises:
        UsageError: it is neither, or options that it does not take.
        DataError: it is refused.
    """
    views = {data.ALL, *project.config.data.views}
    if name is None or (name in views and project.config.data.sources):
        if options != AS_FOUND:
            raise UsageError(
                "--from, --images-root and --follow-links describe a path.", hint="Give the path of a data set."
            )
        found = data.load_photos(project, name)
        return in_edges(bare(found) if plain else found)
    path = Path(name)
    if not path.exists():
        raise UsageError(
            f"{name}: is neither a view nor a file or folder.",
            hint=f"Views: {', '.join(sorted(views)) if project.config.data.sources else 'none'}.",
        )
    if plain and (options.format or options.images):
        raise UsageError("--plain reads no labels.", hint="Leave --from and --images-root out, or --plain.")
    if plain:
        return plain_photos(path)
    if path.is_dir() and options == AS_FOUND and not formats.detect(path):
        found = plain_photos(path)
        note = f"{name}: no labels of any format are there; its photos are taken as they are, as --plain says."
        return replace(found, notes=(*found.notes, note))
    return _labelled(path, options)


def _labelled(path: Path, options: PathOptions) -> Dataset:
    source = (path.resolve().stem if path.is_file() else path.resolve().name) or "data"
    form = options.format or detecting.detect(path, options.links).format
    return in_edges(formats.read_as(form, path, ReadOptions(source, images=options.images, links=options.links)))


def read(path: Path, source: str, options: PathOptions = AS_FOUND) -> Dataset:
    """Read a data set; boxes count edges.

    Args:
        path: file or folder.
        source: what it is called.
        options: how it is read.

    Raises:
        DataError: it is not there, no format fits or several do, or it is refused.
    """
    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder.", hint="Check the path.")
    name = options.format or detecting.detect(path, options.links).format
    with containment.links(options.links):  # the set itself is not marked as followed: whoever copies its photos asks
        dataset: Dataset = formats.FORMATS.load(name).read(path, ReadOptions(source, images=options.images))
    return in_edges(dataset)


def in_edges(dataset: Dataset) -> Dataset:
    """Return a data set whose boxes count edges, as all labelling tools draw them."""
    return reshaping.in_pixels(dataset, conserving.pixels_of(dataset), "exclusive")


def bare(dataset: Dataset) -> Dataset:
    """Return the photos without their labels."""
    return replace(dataset, annotations=dataset.annotations.slice(0, 0))


def plain_photos(folder: Path) -> Dataset:
    """Return the photos of a folder, which nobody labelled.

    Raises:
        DataError: there is none, or photos cannot be read.
    """
    root = folder if folder.is_dir() else folder.parent
    names = walk(folder).photos if folder.is_dir() else [folder.name]
    if not names:
        raise DataError(f"{folder}: no photo there.", hint="Give a folder of photos.")
    sizes = photos.sizes([root / name for name in names])
    refused = [found.message for found in sizes if isinstance(found, DataError)]
    if refused:
        raise DataError(
            f"{folder}: {len(refused)} of {len(names)} photos cannot be read.",
            details=refused[:_SHOWN],
            hint="Replace or delete them.",
        )
    good = [size for size in sizes if not isinstance(size, DataError)]
    columns = PhotoColumns(names, good, [None] * len(names))
    return build(root.resolve().name or "photos", root, columns, PhotoLabels(ClassMap()))


def parts(
    words: Sequence[str], form: str | None = None, *, first: Part | None = None, images: Path | None = None
) -> tuple[str, list[Part], tuple[str, ...]]:
    """Read the answers of several people.

    Args:
        words: paths, or NAME=PATH; the name is who answered, where the labels do not say.
        form: format of all of them; found by itself when None.
        first: a part that is there already, and comes first.
        images: folder that photo paths start from; the formats' own when None.

    Returns:
        What photos are known by, the parts, and the readers' notes.

    Raises:
        UsageError: two of one name.
        DataError: one is refused.
    """
    named = [_named(word) for word in words]
    names = _distinct(named)
    # Photos of answers only tell which photo is meant, and those of an export with --images symlink are links.
    options = PathOptions(form, images, "follow")
    sets = [read(path, name, options) for name, (_, path) in zip(names, named, strict=True)]
    notes = tuple(f"{name}: {note}" for name, dataset in zip(names, sets, strict=True) for note in dataset.notes)
    datasets = [*([first.dataset] if first else []), *sets]
    known_by, keys = meet(datasets)
    owners = [*([first.name] if first else []), *names]
    return known_by, [Part(*each) for each in zip(owners, datasets, keys, strict=True)], notes


def _named(word: str) -> tuple[str | None, Path]:
    name, equals, path = word.partition("=")
    if equals and name and path and not Path(word).exists():
        return name, Path(path)
    return None, Path(word)


def _person(path: Path) -> str | None:
    """Return whose folder of an export answers lie in."""
    for folder in [*path.parents][:_ABOVE]:
        if (folder / tasks.NAME).is_file():
            first = folder / path.relative_to(folder).parts[0]
            return first.name if first.is_dir() else None
    return None


def _distinct(named: Sequence[tuple[str | None, Path]]) -> list[str]:
    names = [name or _person(path.resolve()) or path.resolve().stem or "data" for name, path in named]
    if len(set(names)) < len(names):  # alice/tasks.json and bob/tasks.json
        names = [name or path.resolve().parent.name or "data" for name, path in named]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise UsageError(
            f"several answers are called {', '.join(repeated)}.", hint="Say who answered: NAME=PATH for each."
        )
    return names
