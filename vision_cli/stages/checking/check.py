"""`vision data check`: is the data any good?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vision_cli import checks
from vision_cli.checks.finding import Finding
from vision_cli.checks.request import Request
from vision_cli.checks.settings import Settings
from vision_cli.core import files
from vision_cli.core.garbage import uncollected
from vision_cli.core.progress import Progress, Silent
from vision_cli.stages import named_source, places
from vision_cli.stages.checking import checked_source, known_photos, lists
from vision_cli.stages.checking.checked_source import NEED, OUTLINES, Source
from vision_cli.stages.checking.lists import Place
from vision_cli.stages.named_source import DataRequest

if TYPE_CHECKING:
    from vision_cli.core.project import Project  # pydantic, for those who name a view

EXAMPLES = 5
LISTED = 1000
_STEP = "looking at photos"
_THUMBNAILS = 4096
_SLOW = {"photos": "the photos decoded", "outlines": "the corners of outlines"}


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """What to look at, and how.

    Attributes:
        data: a view or a path.
        only: names of checks; empty is all.
        skip: names of checks to leave out.
        fast: labels and file names only; no photo is decoded.
        deep: the checks that need embeddings, too; those named in `only` run without it.
        thresholds: `name=number` each, see `checks.settings.Settings`.
        html: page with the offenders; None writes none.
        csv: list of all offenders; None writes none.
        dry_run: write nothing.
        answers: run of `vision crossval`, or its predictions: labels are judged by those; None has none.
    """

    data: DataRequest
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    fast: bool = False
    deep: bool = False
    thresholds: tuple[str, ...] = ()
    html: Path | None = None
    csv: Path | None = None
    dry_run: bool = False
    answers: Path | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One finding, ready to be shown.

    Attributes:
        finding: of the check.
        places: where, worst first; the first thousand.
    """

    finding: Finding
    places: tuple[Place, ...]

    @property
    def files(self) -> int:
        """Return how many photos and files it is about."""
        where = self.finding.where
        return len(np.unique(where.images[where.images >= 0])) + sum(name != "" for name in where.files)

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        found = self.finding
        return {
            "check": found.check,
            "severity": found.severity,
            "figure": found.figure,
            "reason": found.reason,
            "hint": found.hint,
            "repair": found.fixable,
            "count": len(found.where),
            "files": self.files,
            "measure": found.measure or None,
            "details": dict(found.details),
            "places": self.places,
        }


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What all checks found.

    Attributes:
        data: view or path.
        format: of a path.
        photos: number of photos.
        annotations: number of annotations.
        checks: names of those that ran.
        left_out: names of those that did not, with the reason.
        found: findings, errors first, in the order of the table.
        notes: of the reader.
        written: files that were written.
    """

    data: str
    format: str
    photos: int
    annotations: int
    checks: tuple[str, ...]
    left_out: dict[str, str]
    found: tuple[Found, ...]
    notes: tuple[str, ...] = ()
    written: tuple[Path, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Tell whether there is no error."""
        return not self.number("error")

    def number(self, severity: str) -> int:
        """Return how many findings are of a severity."""
        return sum(each.finding.severity == severity for each in self.found)

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {
            "data": self.data,
            "format": self.format or None,
            "photos": self.photos,
            "annotations": self.annotations,
            "errors": self.number("error"),
            "warnings": self.number("warning"),
            "infos": self.number("info"),
            "checks": list(self.checks),
            "left_out": self.left_out,
            "findings": self.found,
            "notes": list(self.notes),
            "written": list(self.written),
        }


def check(request: CheckRequest, progress: Progress | None = None) -> CheckResult:
    """Run the checks.

    Raises:
        UsageError: an unknown check, threshold or view, or an output that is a folder.
        DataError: the data is not there, or no format fits.
        ResourceError: an output cannot be written.
    """
    names = checks.chosen(request.only, request.skip, fast=request.fast, deep=request.deep)
    if request.answers is not None:
        from vision_cli.stages.checking import own_answers

        names = own_answers.with_check(names)
    settings = Settings().with_words(request.thresholds)
    places.check_files(request.html, request.csv, reads=named_source.reads(request.data))
    if any(checks.card(name).reads == "embeddings" for name in _embedded(names, request)):
        from vision_cli.stages.checking import embedding

        embedding.check_parts()
    progress = progress or Silent()
    with uncollected():
        reading = _embedded(names, request)
        source, asked = prepared(request.data, reading, settings, progress, thresholds=request.thresholds)
        if request.answers is not None:
            asked = own_answers.with_answers(asked, request.answers)
        left_out = _left_out(names, request)
        if asked.photos is None:
            blind = [name for name in reading if checks.card(name).needs_photos]
            left_out |= dict.fromkeys(blind, "none of the photos is there")
            names = [name for name in names if name not in left_out]
        findings = [finding for name in names for finding in checks.find(name, asked)]
    findings.sort(key=lambda finding: ("error", "warning", "info").index(finding.severity))
    result = CheckResult(
        data=source.title,
        format=source.format,
        photos=len(source.dataset),
        annotations=source.dataset.annotations.num_rows,
        checks=tuple(names),
        left_out=left_out,
        found=tuple(Found(each, lists.places(source.dataset, each, LISTED)) for each in findings),
        notes=source.dataset.notes,
        written=() if request.dry_run else tuple(path for path in (request.html, request.csv) if path is not None),
    )
    if not request.dry_run:
        _write(request, result, asked, progress)
    return result


def _embedded(names: Sequence[str], request: CheckRequest) -> list[str]:
    """Return the checks that have to be prepared for: answers that are given need no embeddings."""
    given = request.answers is not None
    return [name for name in names if not (given and name == "label-doubtful")]


def prepared(
    data: DataRequest, names: Sequence[str], settings: Settings, progress: Progress, *, thresholds: Sequence[str] = ()
) -> tuple[Source, Request]:
    """Read the data, and the photos if a check wants that, and return what checks are given.

    Args:
        data: a view or a path.
        names: of the checks.
        settings: thresholds.
        progress: hears how many photos were read.
        thresholds: those that the user set; the training size is the project's unless it is among them.
    """
    reads = {checks.card(name).reads for name in names}
    need = NEED | OUTLINES if reads & {"outlines", "photos", "embeddings"} else NEED
    source = checked_source.find(replace(data, need=data.need or need))
    if not any(word.startswith("train_px=") for word in thresholds):
        settings = _at_training_size(settings, data, source)
    facts = known_photos.file_facts(source) if reads & {"files", "photos", "embeddings"} else None
    asked = Request(source.dataset, settings, facts, refusal=source.refusal)
    if not reads & {"photos", "embeddings"} or _is_without_photos(asked):
        return source, asked
    asked = _with_photos(asked, source, data, progress)
    return source, _with_embeddings(asked, source, data, names, progress) if "embeddings" in reads else asked


def _is_without_photos(asked: Request) -> bool:
    return asked.files is not None and len(asked.dataset) > 0 and bool(asked.files.missing.all())


def _at_training_size(settings: Settings, data: DataRequest, source: Source) -> Settings:
    """Return the settings with `model.input.size` of the project, where the data is a view of one."""
    size = None if source.path is not None else data.project().config.model.input.size
    return settings if size is None else replace(settings, train_px=size)


def _with_photos(asked: Request, source: Source, data: DataRequest, progress: Progress) -> Request:
    from vision_cli.checks import photo_cache
    from vision_cli.imaging import lookalikes

    paths = source.dataset.paths()

    def step(done: int, total: int) -> None:
        progress.step(_STEP, done, total)

    folder = None if source.path is not None else _cache(data.project())
    thumbnail = lru_cache(_THUMBNAILS)(lambda row: lookalikes.thumbnail(paths[row]))
    return replace(asked, photos=photo_cache.facts(paths, step, folder), thumbnail=thumbnail)


def _with_embeddings(
    asked: Request, source: Source, data: DataRequest, names: Sequence[str], progress: Progress
) -> Request:
    from vision_cli.stages.checking import embedding

    home = data.project() if source.path is None else source.path
    return embedding.with_embeddings(asked, source.dataset.paths(), names, home, progress)


def _cache(project: Project) -> Path:
    return project.root / ".vision" / "checks"


def _left_out(names: Sequence[str], request: CheckRequest) -> dict[str, str]:
    why = {}
    for name in checks.CHECKS:
        if name not in names:
            fast = request.fast and checks.card(name).reads in _SLOW and name not in request.skip
            deep = checks.card(name).reads == "embeddings" and not request.only and name not in request.skip
            plain = "needs embeddings (--deep)" if deep else "not asked for"
            why[name] = f"needs {_SLOW[checks.card(name).reads]} (--fast)" if fast else plain
    return why


def _write(request: CheckRequest, result: CheckResult, asked: Request, progress: Progress) -> None:
    if request.csv is not None:
        findings = [each.finding for each in result.found]
        files.write_bytes(request.csv, lists.csv(asked.dataset, findings).encode("utf-8", "surrogateescape"))
    if request.html is not None:
        from vision_cli.stages.checking import gallery

        files.write_text(request.html, gallery.page(result, asked, progress))
