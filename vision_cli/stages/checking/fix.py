"""`vision data fix`: a mended copy of a data set, with a line for each repair; the source is never touched."""

from __future__ import annotations

import csv as csv_module
import io
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from vision_cli.checks import repairs
from vision_cli.checks.repair import Change, Work
from vision_cli.checks.request import Mask, Request
from vision_cli.checks.settings import Settings
from vision_cli.core import files
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import AnswerIsNo, DataError, UsageError
from vision_cli.core.progress import Progress, Silent
from vision_cli.formats import CARRIED
from vision_cli.stages import named_source, places
from vision_cli.stages.checking import check, photo_repairs
from vision_cli.stages.checking.checked_source import Source
from vision_cli.stages.converting.convert import Conversion, ConvertRequest, convert, writer
from vision_cli.stages.converting.photo_copies import Images
from vision_cli.stages.named_source import DataRequest
from vision_cli.stages.target_folder import check_target

_CHECKS = ("photo-broken", "label-without-photo")
"""Two that look at photos and files: so everything that repairs need is read."""
_LABELS = ("label-without-photo", "outline-broken")
_MISSING = "drop-missing-photos"
_HEAD = ("repair", "file", "annotation", "before", "after")


@dataclass(frozen=True, slots=True)
class FixRequest:
    """What to mend, and where the copy goes.

    Attributes:
        data: a view or a path.
        target: folder that appears whole or not at all.
        names: of repairs; empty is all that nobody has to decide on.
        to: format of the copy; the source's own when None.
        thresholds: see `checks.settings.Settings`.
        images: how photos get there.
        force: replace a target that is not empty.
        csv: list of all repairs; None writes none.
        workers: threads.
        dry_run: report only.
        allowed: names of losses that are accepted where the copy has another format; `all` accepts every one.
    """

    data: DataRequest
    target: Path
    names: tuple[str, ...] = ()
    to: str | None = None
    thresholds: tuple[str, ...] = ()
    images: Images = "copy"
    force: bool = False
    csv: Path | None = None
    workers: int = 1
    dry_run: bool = False
    allowed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Line:
    """One repaired record.

    Attributes:
        repair: its name.
        file: path of the photo in its source.
        annotation: the annotation's id in its source; None where the photo is meant.
        before: in words.
        after: in words.
    """

    repair: str
    file: str
    annotation: str | None
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class FixResult:
    """What was mended.

    Attributes:
        data: view or path.
        target: of the copy.
        repairs: how many records each repair mended, those of none included.
        lines: one a repaired record.
        conversion: how the copy was written; None where nothing was to do.
    """

    data: str
    target: Path
    repairs: dict[str, int]
    lines: tuple[Line, ...]
    conversion: Conversion | None
    csv: Path | None = field(default=None)

    @property
    def ok(self) -> bool:
        """Tell whether the copy could be written."""
        return self.conversion is None or self.conversion.ok

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {
            "data": self.data,
            "target": str(self.target),
            "repairs": self.repairs,
            "repaired": [
                {name: getattr(line, name) for name in _HEAD if getattr(line, name) is not None} for line in self.lines
            ],
            "conversion": self.conversion,
            "csv": self.csv,
        }


def fix(request: FixRequest, progress: Progress | None = None) -> FixResult:
    """Write a mended copy.

    Raises:
        UsageError: an unknown repair or format, or a target that cannot be one.
        DataError: the data is refused.
        ResourceError: the disk is full or refuses.
    """
    names = repairs.chosen(request.names)
    settings = Settings().with_words(request.thresholds)
    places.check_files(request.csv, reads=named_source.reads(request.data))
    progress = progress or Silent()
    target = _checked(request)
    look = _CHECKS if any(repairs.REPAIRS[name].photos for name in names) else _LABELS
    everything = replace(request.data, need=frozenset(CARRIED))
    source, asked = check.prepared(everything, look, settings, progress, thresholds=request.thresholds)
    if source.refusal:
        raise DataError(
            source.refusal[0], details=source.refusal[1:], hint="A copy can only be made of labels that are read."
        )
    form = _format(request, source)
    names = _possible(names, asked, named=bool(request.names))
    mended, lines = _mend(asked, names)
    if mended.gone.all() and len(mended.gone):
        raise AnswerIsNo(
            f"{source.title}: the repairs leave no photo; nothing is written.", hint="Choose others with --repair."
        )
    with ExitStack() as stack:
        dataset = mended.dataset
        if (mended.names or mended.upright) and not request.dry_run:
            beside = tempfile.TemporaryDirectory(prefix=f".{target.name[:40]}.", dir=_near(target))
            folder = Path(stack.enter_context(beside))
            dataset = photo_repairs.staged(dataset, folder, mended.names, frozenset(mended.upright))
        dataset = _without(dataset, mended.gone)
        conversion = convert(_conversion(request, source, form, dataset), progress)
    if request.csv is not None and not request.dry_run:
        files.write_text(request.csv, _csv(lines))
    counts = {name: sum(line.repair == name for line in lines) for name in names}
    return FixResult(source.title, request.target, counts, tuple(lines), conversion, request.csv)


def _possible(names: list[str], asked: Request, *, named: bool) -> list[str]:
    """Return the repairs that can be done: those that look at photos cannot where none of them is there.

    Raises:
        DataError: one that cannot be done was asked for by name.
    """
    if asked.files is None or not len(asked.dataset) or not asked.files.missing.all():
        return names
    blind = [name for name in names if repairs.REPAIRS[name].photos or name == _MISSING]
    if blind and named:
        raise DataError(
            f"{', '.join(blind)}: none of {len(asked.dataset)} photos is there.",
            hint="--images-root FOLDER says where they are.",
        )
    return [name for name in names if name not in blind]


@dataclass(slots=True)
class _Mended:
    """The data set as repairs leave it; photos keep their rows until all are done."""

    dataset: Dataset
    gone: Mask
    names: dict[int, str] = field(default_factory=dict)
    upright: list[int] = field(default_factory=list)


def _mend(asked: Request, names: Sequence[str]) -> tuple[_Mended, list[Line]]:
    mended = _Mended(asked.dataset, np.zeros(len(asked.dataset), dtype=np.bool_))
    lines: list[Line] = []
    for name in names:
        request = replace(asked, dataset=mended.dataset)
        repaired = repairs.REPAIRS[name].apply(Work(request, mended.gone))
        lines += _lines(mended.dataset, repaired.changes)
        mended.dataset = repaired.dataset
        mended.gone[list(repaired.drop)] = True
        mended.names |= repaired.names
        mended.upright += repaired.upright
    return mended, lines


def _lines(dataset: Dataset, changes: Sequence[Change]) -> list[Line]:
    if not changes:
        return []
    table = dataset.annotations
    column = "source_id" if "source_id" in table.column_names else "id"
    files_of = dataset.images["path"].take(pa.array([change.image for change in changes])).to_pylist()
    rows = np.array([change.annotation for change in changes], dtype=np.int64)
    ids = [None] * len(rows) if (rows < 0).all() else table[column].take(pa.array(rows, mask=rows < 0)).to_pylist()
    return [
        Line(change.repair, file, None if at is None else str(at), change.before, change.after)
        for change, file, at in zip(changes, files_of, ids, strict=True)
    ]


def _without(dataset: Dataset, gone: Mask) -> Dataset:
    return dataset.select(~gone) if gone.any() else dataset


def _checked(request: FixRequest) -> Path:
    """Return the real path of the target, before any work is done for it.

    Raises:
        UsageError: a target or a format that cannot be one.
    """
    paths = named_source.reads(request.data)
    if request.to is not None:
        writer(request.to, request.allowed)
    elif not paths:
        raise UsageError(
            "a view has no format of its own.", hint="Say in which to write it: --to vision, --to coco ..."
        )
    return check_target(request.target, paths[0] if paths else _project_file(request), force=request.force)


def _project_file(request: FixRequest) -> Path:
    return request.data.project().root / "vision.yaml"


def _format(request: FixRequest, source: Source) -> str:
    """Return the format of the copy."""
    if request.to is not None:
        return request.to
    from vision_cli import formats

    if not hasattr(formats.FORMATS.load(source.format), "write"):
        raise UsageError(
            f"the format '{source.format}' is only read.", hint="Say in which to write the copy: --to coco ..."
        )
    return source.format


def _conversion(request: FixRequest, source: Source, form: str, dataset: Dataset) -> ConvertRequest:
    return ConvertRequest(
        source.path or _project_file(request),
        request.target,
        form,
        source_format=source.format or _formats(dataset) or form,
        # In the source's own format, photos that were not there and photos without labels are no news.
        allowed=request.allowed | (frozenset({"no-image", "unlabelled"}) if form == source.format else frozenset()),
        images=request.images,
        force=request.force,
        workers=request.workers,
        dry_run=request.dry_run,
        given=lambda: dataset,
    )


def _formats(dataset: Dataset) -> str:
    """Return the formats that a view's sources came in."""
    return " + ".join(sorted({origin.format for origin in dataset.origins.values()}))


def _near(target: Path) -> Path:
    return next(folder for folder in target.absolute().parents if folder.is_dir())


def _csv(lines: Sequence[Line]) -> str:
    buffer = io.StringIO()
    writer = csv_module.writer(buffer, lineterminator="\n")
    writer.writerow(_HEAD)
    writer.writerows([line.repair, line.file, line.annotation, line.before, line.after] for line in lines)
    return buffer.getvalue()
