"""`vision export`: files for other machines, each checked against the torch model on real photos."""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from vision_cli import exporters, models
from vision_cli.core import artefact, files, run
from vision_cli.core.contracts import Network
from vision_cli.core.errors import AnswerIsNo, DataError, UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.exporters.parity import Parity
from vision_cli.exporters.place_parity import PlaceParity
from vision_cli.stages import places
from vision_cli.stages.data import load_view
from vision_cli.stages.running import loading
from vision_cli.stages.running.export_parity import Reference, parity_of, reference_of
from vision_cli.stages.running.photo_paths import find_photos
from vision_cli.stages.training import verifying

PARITY_PHOTOS = 200
RESULT_NAME = "result.json"


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What to export.

    Attributes:
        project: its `export` section has the defaults.
        model: an artefact's or a run's folder; the last training's when None.
        formats: of the exporters table, or `all`; the project's when empty.
        precision: `float32` or `float16`; the project's when None.
        output: folder; `exports/` of the project when None.
        photos: folder to compare on instead of the project's data.
        dry_run: say what would be written, write nothing.
        nms: build suppression into the file, for programs without their own.
    """

    project: Project
    model: Path | None = None
    formats: tuple[str, ...] = ()
    precision: str | None = None
    output: Path | None = None
    photos: Path | None = None
    dry_run: bool = False
    nms: bool = False


@dataclass(frozen=True, slots=True)
class Exported:
    """One written file.

    Attributes:
        format: of the exporters table.
        path: the file.
        size_mb: 1 MB = 10**6 bytes.
        precision: of the weights.
        parity: with the torch model on real photos; None after a dry run.
        photos: number of photos compared.
    """

    format: str
    path: Path
    size_mb: float
    precision: str
    parity: Parity | PlaceParity | None
    photos: int

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {
            "format": self.format,
            "path": self.path,
            "size_mb": round(self.size_mb, 3),
            "precision": self.precision,
            "photos": self.photos,
            "parity": asdict(self.parity) if self.parity else None,
        }


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What was written."""

    model: Path
    files: tuple[Exported, ...]
    run: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {"model": self.model, "files": [each.as_json() for each in self.files], "run": self.run}


def export(request: ExportRequest, progress: Progress) -> ExportResult:
    """Export a model and verify every file.

    Raises:
        AnswerIsNo: a file does not decide as the torch model does; it is not published.
        DataError: the model is refused or there is no photo to compare on.
        MissingPartError: a converter is not installed.
        ResourceError: the files cannot be written.
    """
    project = request.project
    formats = _formats(request)
    precision = request.precision or project.config.export.precision
    for name in formats:
        _check(name, precision, nms=request.nms)
    path = loading.find_model(project, request.model)
    if path.is_file():
        raise DataError(f"{path}: is a file.", hint="Export takes the folder of a run or of its model.")
    card = artefact.load_card(path)
    network = loading.load_network(path, card)
    _check_network(card, network, request, formats)
    targets = {name: _target(request, card.name, name, precision) for name in formats}
    for target in targets.values():
        places.check_file(target, project=project)
    if request.dry_run:
        planned = (Exported(name, target, 0.0, precision, None, 0) for name, target in targets.items())
        return ExportResult(path, tuple(planned))
    record = run.create(project.root, "export", card.name, {"model": str(path.absolute()), "formats": formats})
    with run.recorded(record):
        reference = _reference(request, path, progress)
        done = [_export_one(request, network, target, reference, progress) for target in targets.items()]
        result = ExportResult(path, tuple(done), record.folder)
        files.write_json(record.folder / RESULT_NAME, result.as_json())
    return result


def _formats(request: ExportRequest) -> list[str]:
    names = list(request.formats) or list(request.project.config.export.formats)
    if "all" in names:
        return list(exporters.EXPORTERS)
    return list(dict.fromkeys(names))


def _check(name: str, precision: str, *, nms: bool) -> None:
    """Refuse an unknown format, a missing converter or what it cannot write, before any work."""
    converter = exporters.EXPORTERS.load(name)
    if precision not in converter.PRECISIONS:
        known = ", ".join(converter.PRECISIONS)
        raise UsageError(f"{name} has no precision '{precision}'.", hint=f"Known: {known}.")
    if nms and not hasattr(converter, "check_nms"):
        able = [each for each in exporters.EXPORTERS if hasattr(exporters.EXPORTERS.load(each), "check_nms")]
        raise UsageError(
            f"{name} files cannot hold suppression (--nms).", hint=f"Formats that can: {', '.join(able)}; see --format."
        )


def _check_network(card: artefact.Card, network: Network, request: ExportRequest, formats: list[str]) -> None:
    """Refuse a network that a format cannot hold, with the reason that its family or itself declares."""
    declared: dict[str, str | None] = dict(getattr(models.FAMILIES.load(card.family), "EXPORTS", {}))
    declared |= getattr(network, "exports", {})
    reasons = {name: reason for name in formats if (reason := declared.get(name))}
    if reasons:
        able = [name for name in exporters.EXPORTERS if not declared.get(name)]
        raise DataError(
            f"{card.name}: '{card.family}' cannot be exported to {', '.join(reasons)}.",
            details=[f"{name}: {reason}" for name, reason in reasons.items()],
            hint=f"Export it with {' '.join(f'--format {name}' for name in able)}."
            if able
            else "Choose another family.",
        )
    if request.nms:
        for name in formats:
            exporters.EXPORTERS.load(name).check_nms(card)


def _target(request: ExportRequest, name: str, format_name: str, precision: str) -> Path:
    folder = (request.output or request.project.root / "exports").absolute()
    suffix = exporters.EXPORTERS.load(format_name).SUFFIX
    mark = ("" if precision == "float32" else f"-{precision}") + ("-nms" if request.nms else "")
    return folder / f"{run.slug(name)}{mark}{suffix}"


def _reference(request: ExportRequest, path: Path, progress: Progress) -> Reference:
    runner = loading.open_model(path)
    verifying.check_golden(runner, artefact.load_golden(path), where=path)
    return reference_of(runner, _photos(request), progress)


def _photos(request: ExportRequest) -> list[Path]:
    """Return up to PARITY_PHOTOS photos: of the folder that was given, or the test split's first, then the others'."""
    if request.photos is not None:
        return find_photos((str(request.photos),))[:PARITY_PHOTOS]
    dataset = load_view(request.project).dataset
    return [path for split in ("test", "val", "train") for path in dataset.split(split).paths()][:PARITY_PHOTOS]


def _export_one(
    request: ExportRequest, network: Network, target: tuple[str, Path], reference: Reference, progress: Progress
) -> Exported:
    """Write one file beside its place, compare it, and move it there only if it agrees."""
    name, path = target
    card = reference.runner.card
    precision = request.precision or request.project.config.export.precision
    progress.say(f"converting to {name} ({precision})")
    with files.disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".export.") as folder:
            draft = Path(folder) / path.name
            options = {"nms": True} if request.nms else {}
            converter = exporters.EXPORTERS.load(name)
            converter.export(network, replace(card, precision=precision), draft, precision=precision, **options)
            runner = loading.open_model(draft)
            if getattr(runner, "takes_one", False):
                progress.say(f"{path.name}: takes one photo at a time; this network has no batch of any size")
            parity = parity_of(runner, reference, request.project.config.export, progress)
            if not parity.passed:
                raise _disagrees(path, parity, reference)
            files.sync_file(draft)
            os.replace(draft, path)
            files.sync_folder(path.parent)
    return Exported(name, path, path.stat().st_size / 1e6, precision, parity, len(reference.paths))


def _disagrees(path: Path, parity: Parity | PlaceParity, reference: Reference) -> AnswerIsNo:
    details = [f"{reference.paths[index]}" for index in parity.disagreements[:10]]
    bound = "export.tolerance" if isinstance(parity, Parity) else "export.agreement, the share that must be alike,"
    return AnswerIsNo(
        f"{path.name}: does not answer as the torch model does on {len(reference.paths)} photos: {parity.reason}.",
        details=details,
        hint=f"The file was not written. Change {bound} only if you can live with the difference.",
    )
