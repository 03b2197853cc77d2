"""What a run of `vision synth` is asked for: objects, backgrounds, settings, and what tells runs apart."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from vision_cli.core.catalogue import Catalogue
from vision_cli.core.errors import UsageError
from vision_cli.core.files import file_sha256
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.stages.synth.asking import backgrounds, commands, download_list, wrong_tool
from vision_cli.stages.synth.asking.commands import AnyConfig, Command
from vision_cli.stages.synth.asking.download_list import Consent
from vision_cli.stages.synth.asking.objects import Objects
from vision_cli.stages.synth.asking.photo_sources import View, Views, Word, resolved
from vision_cli.synth import BLENDS, DEPTH, LOOKS, cache, render
from vision_cli.synth.cropping import Crop
from vision_cli.synth.logos import LogoBook
from vision_cli.synth.scene import AnalysisSettings
from vision_cli.synth.settings import RenderSettings

Shard = tuple[int, int]
"""Which of how many, from 1."""

_JUDGES = "are not on the side '{}' of the split of the objects' photos"


@dataclass(frozen=True, slots=True)
class Asked:
    """One run, its inputs read and checked.

    Attributes:
        book: the objects.
        folder: of the backgrounds.
        backgrounds: their paths below it, in order.
        render: settings.
        analysis: settings.
        image_size: longest side of photos that are made, in pixels.
        seed: of the run.
        cache: folder of the scenes.
        offline: no download.
        reads: folders and files on the disk that are named as inputs.
        side: of the split that all photos are on; None where the inputs have no split.
        crop: how much is kept of a photo; None is all of it.
        notes: what was left out of the inputs, a sentence each.
    """

    book: LogoBook
    folder: Path
    backgrounds: tuple[str, ...]
    render: RenderSettings
    analysis: AnalysisSettings
    image_size: int
    seed: int
    cache: Path
    offline: bool
    reads: tuple[Path, ...] = ()
    side: str | None = None
    crop: Crop | None = None
    notes: tuple[str, ...] = ()

    def fingerprint(self) -> dict[str, Any]:
        """Return all that the bytes of photo i depend on, by name, and the side that it is on.

        The version of the package is not in it: most releases make the same photos.
        """
        render_values = {each.name: getattr(self.render, each.name) for each in fields(self.render)}
        render_values["effects"] = sorted(self.render.effects)
        analysis = {each.name: getattr(self.analysis, each.name) for each in fields(self.analysis)}
        del analysis["depth_folder"]  # its maps count, wherever they lie
        return {
            "rendering": f"{render.VERSION}, scenes {cache.VERSION}",
            "seed": self.seed,
            "image_size": self.image_size,
            "objects": _digest(_logo_lines(self.book)),
            "backgrounds": _digest(f"{name} {file_sha256(self.folder / name)}" for name in self.backgrounds),
            "depth_maps": self._depth_maps(),
            "side": self.side,
            "margin": None if self.crop is None else list(self.crop.margin),
            **{name: _plain(value) for name, value in {**render_values, **analysis}.items()},
        }

    def _depth_maps(self) -> str | None:
        """Return a digest of the user's own depth maps, where they are used.

        Raises:
            UsageError, DataError: a map is missing.
        """
        if self.analysis.depth != "file":
            return None
        from vision_cli.synth.depth import file

        maps = (file.find(self.analysis.depth_folder, self.folder / name) for name in self.backgrounds)
        return _digest(file_sha256(path) for path in maps)


@dataclass(frozen=True, slots=True)
class Given:
    """What the call says.

    Attributes:
        objects: folder, data set or view of the objects; None is what the project file says.
        backgrounds: likewise.
        offline: no download.
        remember: write down what is dealt where a view is named.
        download: the photos of a list may be downloaded.
    """

    objects: str | None = None
    backgrounds: str | None = None
    offline: bool = False
    remember: bool = False
    download: bool = False


def ask(project: Project, command: Command, given: Given, progress: Progress) -> Asked:
    """Read and check the inputs of a run.

    Raises:
        UsageError: no objects or backgrounds are named, or a look, blend or estimator is unknown.
        DataError: an object or background is refused, or there is none.
        MissingPartError: the depth estimator's packages are not there.
    """
    section = command.section(project)
    render_asked, analysis = render_settings(command, section), analysis_settings(project, section)
    key = f"synth.{command.name}"
    views = Views(project, section.side, given.remember)
    words = (
        Word(command.objects, given.objects, f"{key}.{command.objects}", command.declared(section)),
        Word("backgrounds", given.backgrounds, f"{key}.backgrounds", section.backgrounds),
    )
    objects, where = (resolved(project, word) for word in words)
    longest_px = render_asked.size_range_px(section.image_size)[1]
    found = Objects(project, section, longest_px, views, progress).read(objects)
    commands.check_negative_class(section, found.book.classes)
    if isinstance(where, Path) and where.is_file():
        folder, consent = project.root / download_list.FOLDER, Consent(given.download, given.offline)
        names = download_list.fetched(where, folder, consent, progress)
        photos = backgrounds.of_names(folder, names, os.fspath(where), section.image_size)
    else:
        photos = backgrounds.read(where, views, found.book.classes, section.image_size)
    photos = photos.without(found.showing, backgrounds.SHOWS).without(found.others, _JUDGES.format(section.side))
    return Asked(
        found.book,
        photos.folder,
        photos.names,
        render_asked,
        analysis,
        section.image_size,
        section.seed,
        project.root / cache.FOLDER,
        given.offline,
        reads=tuple(path for path in (objects, where) if isinstance(path, Path)),
        side=section.side if isinstance(where, View) or found.has_side else None,
        crop=commands.crop_of(section),
        notes=(*wrong_tool.note(found.book.classes), *found.notes, *photos.notes),
    )


def render_settings(command: Command, section: AnyConfig) -> RenderSettings:
    """Return the settings of the renderer, each name checked.

    Raises:
        UsageError: a look or blend is unknown.
    """
    _known(LOOKS, section.looks)
    _known(BLENDS, section.blends)
    same = {each.name for each in fields(RenderSettings)} & set(type(section).model_fields)
    values = {name: getattr(section, name) for name in same}
    values["looks"] = {name: weight for name, weight in section.looks.items() if weight} or dict(command.looks)
    values |= {"blends": tuple(section.blends), "effects": frozenset(section.effects)}
    if commands.task_of(section) == commands.CLASSIFY and commands.negative_class(section) is None:
        values["negatives"] = 0.0
    return RenderSettings(**values)


def analysis_settings(project: Project, section: AnyConfig) -> AnalysisSettings:
    """Return the settings of the analysis.

    Raises:
        UsageError: the depth estimator is unknown.
        MissingPartError: its packages are not there.
    """
    DEPTH.load(section.depth)
    folder = None if section.depth_folder is None else project.path(section.depth_folder)
    return AnalysisSettings(depth=section.depth, depth_folder=folder, fov_deg=section.fov_deg)


def shard_of(text: str | None) -> Shard | None:
    """Return which part of the photos `3/16` means.

    Raises:
        UsageError: it means none.
    """
    if text is None:
        return None
    first, _, second = text.partition("/")
    if first.isdecimal() and second.isdecimal() and 1 <= int(first) <= int(second):
        return int(first), int(second)
    raise UsageError(f"--shard {text}: is no part of a whole.", hint="--shard 3/16 is the third of sixteen.")


def _known(table: Catalogue, names: Any) -> None:
    for name in names:
        table.load(name)


def _logo_lines(book: LogoBook) -> list[str]:
    return [
        f"{kind} {logo.class_name} {logo.variant} {logo.rgba.shape} {hashlib.sha256(logo.rgba.tobytes()).hexdigest()}"
        for kind, several in (("logo", book.logos), ("distractor", book.distractors))
        for logo in several
    ]


def _digest(lines: Any) -> str:
    every = list(lines)
    return f"{len(every)}, {hashlib.sha256(chr(10).join(every).encode()).hexdigest()[:16]}"


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value
