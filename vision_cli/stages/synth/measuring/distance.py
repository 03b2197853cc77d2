"""`vision synth distance`: how far made photos are from real ones, and what drives it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli.checks.two_samples import tell_apart
from vision_cli.core.catalogue import require
from vision_cli.core.config import ModelConfig
from vision_cli.core.errors import DataError
from vision_cli.core.progress import Progress, Silent
from vision_cli.core.project import Project
from vision_cli.formats import photos
from vision_cli.stages.synth.making.maker import PHOTOS, Record
from vision_cli.stages.synth.making.run_folder import LOG, RunFolder
from vision_cli.stages.synth.measuring.traits_of_photos import parameters
from vision_cli.synth import distance as measuring
from vision_cli.synth.distance import Driver, Ids, Rows

NEEDS = ("torch", "timm", "sklearn", "safetensors")
FEWEST = 20
"""Photos of each side."""
MOST = 1000

_EXTREMES = 8
_SEED = 0
_DIGITS = 5


@dataclass(frozen=True, slots=True)
class DistanceRequest:
    """What to compare.

    Attributes:
        project: keeps embeddings beside its file.
        made: the folder of a run, or any folder of photos.
        real: a folder of photos.
        most: photos of each side.
    """

    project: Project
    made: Path
    real: Path
    most: int = MOST


@dataclass(frozen=True, slots=True)
class DistanceResult:
    """How far apart they are.

    Attributes:
        made: the folder.
        real: the folder.
        photos: made and real ones that were looked at.
        backgrounds: of the made ones; each photo of a folder that is no run's counts as one.
        backbone: whose embeddings these are.
        kernel: kernel distance, times 1000.
        kernel_noise: of halves of the real photos: 95 % give less; times 1000.
        times_noise: the one divided by the other.
        frechet: Frechet distance of samples.
        frechet_noise: of halves of the real photos, of as many photos.
        sample: photos a side of these.
        auc: of a classifier that tells both sets apart, 0.5 to 1.
        chance: AUC that 95 % of shufflings stay within.
        drivers: parameters, that which matters most first; none where the made photos are no run's.
        least_alike: made photos that the classifier is surest of.
        most_alike: made photos that it takes for real ones most.
    """

    made: Path
    real: Path
    photos: tuple[int, int]
    backgrounds: int
    backbone: str
    kernel: float
    kernel_noise: float
    times_noise: float
    frechet: float
    frechet_noise: float
    sample: int
    auc: float
    chance: tuple[float, float]
    drivers: tuple[Driver, ...]
    least_alike: tuple[str, ...]
    most_alike: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """Return one sentence."""
        if self.kernel <= self.kernel_noise:
            return "The made photos are no farther from the real ones than halves of the real ones from each other."
        return (
            f"The made photos are {self.times_noise:,.1f} times as far from the real ones as halves of the real ones "
            f"are from each other, and a classifier tells them apart with an AUC of {self.auc:.2f}."
        )

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        document = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "drivers"}
        return {**document, "drivers": [asdict(each) for each in self.drivers]}


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """Made photos.

    Attributes:
        paths: of them.
        groups: int64 (M,), by background.
        scenes: int64 (M,).
        records: of a run; empty for any other folder.
    """

    paths: tuple[Path, ...]
    groups: Ids
    scenes: Ids
    records: tuple[Record, ...] = ()


def check_parts() -> None:
    """Refuse before any work when networks are not installed.

    Raises:
        MissingPartError: with the pip line.
    """
    require(NEEDS, extra="train", what="the distance from real photos")


def check_real(folder: Path, made: int) -> None:
    """Refuse numbers of photos that cannot be compared, before any work.

    Args:
        folder: of real photos.
        made: photos that will be made.

    Raises:
        DataError: there are too few, or some cannot be read.
    """
    _enough(folder, len(photos_of(folder)), "real photos")
    _enough(Path("--count"), made, "made photos")


def distance(request: DistanceRequest, progress: Progress | None = None) -> DistanceResult:
    """Compare made photos with real ones.

    Raises:
        DataError: too few photos, or some cannot be read.
        MissingPartError: torch or the weights are not installed.
    """
    check_parts()
    progress = progress or Silent()
    real_paths = [request.real / name for name in _some(photos_of(request.real), request.most)]
    _enough(request.real, len(real_paths), "real photos")
    made = _made(request.made, request.most)
    _enough(request.made, len(made.paths), "made photos")
    rows = _embedded((*real_paths, *made.paths), request.project, progress)
    real, shown = measuring.standard(rows[: len(real_paths)], rows[len(real_paths) :])
    return _compared(request, real, shown, made)


def _compared(request: DistanceRequest, real: Rows, shown: Rows, made: _Made) -> DistanceResult:
    rng = np.random.default_rng(_SEED)
    found = measuring.distance(real, shown, made.groups, rng)
    second = np.arange(len(real) + len(shown)) >= len(real)
    groups = np.concatenate([np.arange(len(real)), len(real) + made.groups])
    apart = tell_apart(np.concatenate([real, shown]), second, groups, rng)
    pairs = measuring.Pairs.of(real, shown, made.groups)
    asked = parameters(made.records, made.scenes) if made.records else []
    names = [made.paths[row - len(real)].name for row in apart.rows.tolist()]
    return DistanceResult(
        made=request.made,
        real=request.real,
        photos=(len(shown), len(real)),
        backgrounds=len(np.unique(made.groups)),
        backbone=ModelConfig().backbone,
        kernel=round(1000 * found.kernel, _DIGITS),
        kernel_noise=round(1000 * found.kernel_noise, _DIGITS),
        times_noise=round(found.times_noise, 2),
        frechet=round(found.frechet, _DIGITS),
        frechet_noise=round(found.frechet_noise, _DIGITS),
        sample=found.sample,
        auc=round(apart.auc, 4),
        chance=(round(apart.chance_low, 4), round(apart.chance_high, 4)),
        drivers=tuple(measuring.drivers(pairs, asked, made.scenes, rng)),
        least_alike=tuple(names[:_EXTREMES]),
        most_alike=tuple(names[::-1][:_EXTREMES]),
    )


def photos_of(folder: Path) -> list[str]:
    """Return the photos of a folder by their paths below it.

    Raises:
        DataError: there is no such folder, or no photo in it.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder.", hint="Name a folder of photos, or that of a run.")
    found = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if photos.is_photo_name(path.name)]
    names = [path.as_posix() for path in found if not any(part.startswith(".") for part in path.parts)]
    if not names:
        raise DataError(f"{folder}: holds no photo.", hint=f"Give {FEWEST} or more, better 200.")
    return names


def _enough(folder: Path, number: int, what: str) -> None:
    if number < FEWEST:
        raise DataError(
            f"{folder}: {number} {what} say nothing about a distance.", hint=f"Give {FEWEST} or more, better 200."
        )


def _some(items: Sequence[Any], most: int) -> list[Any]:
    """Return at most so many, evenly from first to last."""
    if len(items) <= most:
        return list(items)
    return [items[at] for at in np.linspace(0, len(items) - 1, most).round().astype(int).tolist()]


def _made(folder: Path, most: int) -> _Made:
    """Return the photos of a run with what was drawn for them, or those of any folder."""
    if not (folder / LOG).is_file():
        paths = tuple(folder / name for name in _some(photos_of(folder), most))
        return _Made(paths, np.arange(len(paths)), np.arange(len(paths)))
    every = RunFolder(folder).made()
    settings = RunFolder(folder).state().get("settings", {})
    each = settings.get("photos_a_scene") or len(settings.get("blends", ())) or 1
    records = tuple(_some(every, most))
    backgrounds = {name: number for number, name in enumerate(dict.fromkeys(row["background"] for row in records))}
    return _Made(
        tuple(folder / PHOTOS / row["file"] for row in records),
        np.array([backgrounds[row["background"]] for row in records], np.int64),
        np.array([row["photo"] // each for row in records], np.int64),
        records,
    )


def _embedded(paths: Sequence[Path], project: Project, progress: Progress) -> Rows:
    """Return embeddings of the offline default backbone, kept beside the project file."""
    from vision_cli.stages.embedding.engine import EngineOptions, embed_photos

    options = EngineOptions(offline=True, store=project.root / ".vision" / "embeddings", prepare="if it pays")
    found = embed_photos(paths, None, options, progress=progress)
    return np.asarray(found.vectors)
