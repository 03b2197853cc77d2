"""Turn a fitted network into an artefact, read it back, and measure it on the validation split."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from vision_cli.core import artefact
from vision_cli.core.artefact import Card, Golden
from vision_cli.core.contracts import Runner
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.kpi import Judgement
from vision_cli.core.measurement import Measurement
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.core.run import Run
from vision_cli.imaging import prepare, read
from vision_cli.stages.data import TaskData
from vision_cli.stages.evaluating import judging
from vision_cli.stages.kinds.kind import Wanted, kind_of
from vision_cli.stages.running import loading
from vision_cli.stages.training import golden_outputs
from vision_cli.stages.training.fitting import Fitted

GOLDEN_TOLERANCE = 1e-4
"""Largest difference of a raw output from the golden one, for the same weights on another machine."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A written and measured model.

    Attributes:
        model: the artefact's folder.
        measurement: of the validation split; None without one.
        judgements: the project's KPIs on it.
    """

    model: Path
    measurement: Measurement | None
    judgements: tuple[Judgement, ...]


def verify(project: Project, data: TaskData, fitted: Fitted, record: Run, progress: Progress) -> Verified:
    """Calibrate on the validation split, write the artefact, read it back, check it, measure it.

    Raises:
        DataError: what was read back does not give what was written.
    """
    from vision_cli.runtimes.torch import TorchRunner

    val = data.part("val")
    kind = kind_of(data.task)
    runner = TorchRunner(card_of(project, data, fitted), fitted.network, 0.0, threads=os.cpu_count() or 1)
    card, said = kind.chosen(runner.card, kind.say(runner, val, progress, "validate"), val)
    targets = tuple(judging.of_models(project.config.targets()))
    wanted = Wanted(tuple(target.metric for target in targets))
    measurement = kind.measure(card, said, val, wanted).measurement if len(val) else None
    if measurement is not None:
        card = replace(card, metrics={key: value for key, value in measurement.values.items() if value is not None})
    golden = _golden(runner, val if len(val) else data.part("train"))
    folder = record.folder / loading.MODEL_FOLDER
    weights = loading.weights_of(fitted.network)
    artefact.save(folder, card, golden=golden, weights=weights, weights_file=loading.WEIGHTS_NAME)
    _read_back(folder)
    judgements = judging.judge_kpis(targets, measurement, runtime="torch") if measurement else ()
    return Verified(folder, measurement, judgements)


def card_of(project: Project, data: TaskData, fitted: Fitted) -> Card:
    """Return the card of a network that has learned; nothing is calibrated yet."""
    config = project.config
    return Card(
        task=data.task,
        classes=data.dataset.classes,
        preprocess=fitted.network.preprocess,
        decode=fitted.decode,
        family=config.model.family,
        model=fitted.options,
        licence=fitted.network.licence,
        name=config.name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        data_digest=data.digest,
    )


def _golden(runner: Runner, photos: Dataset) -> Golden:
    preprocess = runner.card.preprocess
    path = photos.paths()[0]
    photo = read.read_photo(path, channels=preprocess.channels, at_least=prepare.needed_px(preprocess))
    seen = prepare.resized(photo, preprocess)
    return Golden(seen, runner.run_all(prepare.normalise(seen, preprocess)[None]))


def check_golden(runner: Runner, golden: Golden, *, where: Path) -> float:
    """Return the largest difference of the golden input's raw outputs from what they must be.

    Raises:
        DataError: it differs by more than GOLDEN_TOLERANCE.
    """
    raw = runner.run_all(prepare.normalise(golden.photo, runner.card.preprocess)[None])
    difference, relative = golden_outputs.difference(raw, golden.raw, runner.card, GOLDEN_TOLERANCE)
    if not relative <= GOLDEN_TOLERANCE:
        raise DataError(
            f"{where}: its golden input gives another output than when it was trained (by {difference:.2g}).",
            hint="The weights or a library changed: copy the folder again, or train again.",
        )
    return difference


def _read_back(folder: Path) -> None:
    check_golden(loading.open_model(folder), artefact.load_golden(folder), where=folder)
