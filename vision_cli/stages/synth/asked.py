"""What a run of `vision synth logos` is asked for: paths, settings, and the fingerprint that tells runs apart."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import vision_cli
from vision_cli.core.catalogue import Catalogue
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.files import file_sha256
from vision_cli.core.project import Project
from vision_cli.core.synth_config import SynthConfig
from vision_cli.formats import photos
from vision_cli.synth import BLENDS, DEPTH, LOOKS, cache, logos
from vision_cli.synth.logos import LogoBook
from vision_cli.synth.scene import AnalysisSettings
from vision_cli.synth.settings import DEFAULT_LOOKS, RenderSettings

Shard = tuple[int, int]
"""Which of how many, from 1."""

_SHOWN = 10


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

    def fingerprint(self) -> dict[str, Any]:
        """Return all that the bytes of photo i depend on, by name."""
        render = {each.name: getattr(self.render, each.name) for each in fields(self.render)}
        render["effects"] = sorted(self.render.effects)
        analysis = {each.name: getattr(self.analysis, each.name) for each in fields(self.analysis)}
        return {
            "vision": f"{vision_cli.__version__}, scenes {cache.VERSION}",
            "seed": self.seed,
            "image_size": self.image_size,
            "logos": _digest(_logo_lines(self.book)),
            "backgrounds": _digest(f"{name} {file_sha256(self.folder / name)}" for name in self.backgrounds),
            **{name: _plain(value) for name, value in {**render, **analysis}.items()},
        }


def ask(project: Project, given_logos: Path | None, given_backgrounds: Path | None, *, offline: bool) -> Asked:
    """Read and check the inputs of a run.

    Raises:
        UsageError: no logos or backgrounds are named, or a look, blend or estimator is unknown.
        DataError: a logo or background is refused, or there is none.
        MissingPartError: the depth estimator's packages are not there.
    """
    config = project.config.synth.logos
    folder = _folder(project, given_logos, config.logos, "logos")
    photo_folder = _folder(project, given_backgrounds, config.backgrounds, "backgrounds")
    others = None if config.distractor_logos is None else project.path(config.distractor_logos)
    render, analysis = render_settings(project.config.synth), analysis_settings(project)
    return Asked(
        read_book(folder, others),
        photo_folder,
        find_backgrounds(photo_folder),
        render,
        analysis,
        config.image_size,
        config.seed,
        project.root / cache.FOLDER,
        offline,
    )


def read_book(folder: Path, distractors: Path | None) -> LogoBook:
    """Read the objects; a picture that is of no use ends the run, because its class would be missing.

    Raises:
        DataError: naming each with its reason.
    """
    book = logos.load(folder, distractors=distractors)
    if book.refused:
        raise DataError(
            f"{folder}: {len(book.refused)} of {len(book.refused) + len(book.logos)} pictures cannot be used.",
            details=[f"{name}: {reason}" for name, reason in book.refused[:_SHOWN]],
            hint="Give them a transparent background, or take them out of the folder.",
        )
    return book


def find_backgrounds(folder: Path) -> tuple[str, ...]:
    """Return the photos of a folder by their paths below it; their headers are read.

    Raises:
        DataError: there is no such folder, none in it, or one that cannot be read.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder.", hint="Name the folder that holds the backgrounds.")
    found = [path for path in sorted(folder.rglob("*")) if photos.is_photo_name(path.name) and path.is_file()]
    names = [path.relative_to(folder).as_posix() for path in found]
    shown = sorted(name for name in names if not any(part.startswith(".") for part in name.split("/")))
    if not shown:
        raise DataError(f"{folder}: holds no photo.", hint="Put photos there that show none of the logos.")
    refused = [each.message for each in photos.sizes([folder / name for name in shown]) if isinstance(each, DataError)]
    if refused:
        raise DataError(
            f"{folder}: {len(refused)} of {len(shown)} backgrounds cannot be read.",
            details=refused[:_SHOWN],
            hint="Replace or delete them.",
        )
    return tuple(shown)


def render_settings(config: SynthConfig) -> RenderSettings:
    """Return the settings of the renderer, each name checked.

    Raises:
        UsageError: a look or blend is unknown.
    """
    wanted = config.logos
    _known(LOOKS, wanted.looks)
    _known(BLENDS, wanted.blends)
    same = {each.name for each in fields(RenderSettings)} & set(type(wanted).model_fields)
    values = {name: getattr(wanted, name) for name in same}
    values["looks"] = {name: weight for name, weight in wanted.looks.items() if weight} or dict(DEFAULT_LOOKS)
    return RenderSettings(**{**values, "blends": tuple(wanted.blends), "effects": frozenset(wanted.effects)})


def analysis_settings(project: Project) -> AnalysisSettings:
    """Return the settings of the analysis.

    Raises:
        UsageError: the depth estimator is unknown.
        MissingPartError: its packages are not there.
    """
    wanted = project.config.synth.logos
    DEPTH.load(wanted.depth)
    folder = None if wanted.depth_folder is None else project.path(wanted.depth_folder)
    return AnalysisSettings(depth=wanted.depth, depth_folder=folder, fov_deg=wanted.fov_deg)


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


def _folder(project: Project, given: Path | None, declared: str | None, what: str) -> Path:
    if given is not None:
        return given
    if declared is None:
        raise UsageError(f"which {what}?", hint=f"Say --{what} FOLDER, or set synth.logos.{what} in vision.yaml.")
    return project.path(declared)


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
