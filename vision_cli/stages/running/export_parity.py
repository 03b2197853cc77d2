"""An exported file beside the torch model, on the same photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vision_cli.core.config import ExportConfig
from vision_cli.core.contracts import Runner
from vision_cli.core.predictions import Predictions
from vision_cli.core.progress import Progress
from vision_cli.core.tasks import PLACE_TASKS
from vision_cli.exporters import place_parity
from vision_cli.exporters.parity import TOLERANCES, Limits, Outputs, Parity, compare
from vision_cli.exporters.place_parity import Comparison, PlaceLimits, PlaceParity
from vision_cli.stages.running import inference, place_inference


@dataclass(frozen=True, slots=True)
class Reference:
    """The torch model, and what it says about the photos.

    Attributes:
        runner: the model.
        paths: of the photos.
        predictions: one a photo; None where it says where things are, which is too much to keep: it is asked again.
    """

    runner: Runner
    paths: Sequence[Path]
    predictions: Predictions | None


def reference_of(runner: Runner, paths: Sequence[Path], progress: Progress) -> Reference:
    """Return the torch model's side of the comparison.

    Raises:
        DataError: a photo is refused, or the model gives values that are not numbers.
    """
    if runner.card.task in PLACE_TASKS:
        return Reference(runner, paths, None)
    return Reference(runner, paths, inference.predict_paths(runner, paths, progress, what="torch"))


def parity_of(runner: Runner, reference: Reference, config: ExportConfig, progress: Progress) -> Parity | PlaceParity:
    """Compare a file with the torch model.

    Raises:
        DataError: a photo is refused, a model gives values that are not numbers, or nothing can be compared.
    """
    half = runner.card.precision == "float16"
    tolerance = max(config.tolerance, TOLERANCES["float16"]) if half else config.tolerance
    if reference.predictions is None:
        return _of_places(runner, reference, config, tolerance, progress)
    found = inference.predict_paths(runner, reference.paths, progress, what=runner.runtime)
    limits = Limits(runner.card.task, runner.card.photo_decode.thresholds, tolerance, config.agreement)
    return compare(_outputs(reference.predictions), _outputs(found), limits)


def _of_places(
    runner: Runner, reference: Reference, config: ExportConfig, tolerance: float, progress: Progress
) -> PlaceParity:
    said = "agreement" in config.model_fields_set
    agreement = config.agreement if said else place_parity.AGREEMENT[runner.card.task]
    comparison = Comparison(PlaceLimits(runner.card.place_decode.confidence, tolerance, agreement))
    pairs = zip(
        place_inference.answers(reference.runner, reference.paths, progress, what="torch"),
        place_inference.answers(runner, reference.paths, progress, what=runner.runtime),
        strict=True,
    )
    for ours, theirs in pairs:
        comparison.add(ours, theirs)
    return comparison.result()


def _outputs(predictions: Predictions) -> Outputs:
    return Outputs(predictions.raw, predictions.scores)
