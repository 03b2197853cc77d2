"""The network of a dry run: built and checked like the real one, but nothing is downloaded."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vision_cli import models
from vision_cli.core import policy, run
from vision_cli.core.config import ModelConfig
from vision_cli.core.contracts import Network
from vision_cli.core.errors import MissingPartError
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.stages.data import TaskData
from vision_cli.stages.training import fitting, trial

_TORCHVISION = "torchvision/"
"""Begins torchvision's backbones in the family `features`."""


def rehearse(project: Project, data: TaskData, progress: Progress, *, offline: bool) -> tuple[Network, tuple[str, ...]]:
    """Build the declared network, and say what the real one would download first; random weights stand in for it.

    Raises:
        MissingPartError: packages are not there, or weights are not and downloads are forbidden.
        DataError: the weights are refused.
    """
    model = project.config.model
    try:
        return fitting.build(project, data, progress, offline=True), ()
    except MissingPartError:
        if offline or policy.offline() or model.weights not in ("imagenet", "coco"):
            raise
    # A package that is missing is missing here, too; only weights are not.
    unweighted = model.model_copy(update={"weights": "none"})
    stand_in = replace(project, config=project.config.model_copy(update={"model": unweighted}))
    return fitting.build(stand_in, data, progress, offline=True), (_download(model),)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be trained on.

    Attributes:
        stage: kind of run, and the folder of `runs` that it goes to.
        whole: training photos that there are.
        taken: those of them that are learned from.
    """

    stage: str
    whole: int
    taken: int


def told(project: Project, data: TaskData, network: Network, plan: Plan) -> str:
    """Return in one line what would be trained, where, on how much and for how long, and what it would tell."""
    model = project.config.model
    photos = f"{plan.taken:,} of {plan.whole:,}" if plan.taken < plan.whole else f"{plan.taken:,}"
    parts = [
        f"would train {model.backbone} ({model.family}) for {data.task} in {run.RUNS}/{plan.stage}: {photos} photos"
    ]
    if model.family != fitting.FEATURES:
        epochs = fitting.epochs_of(project.config, data, network)
        parts.append(f"at most {epochs:,} epoch{'s' if epochs > 1 else ''}")
    if plan.stage == trial.TRIAL_RUNS:
        parts.append("then an estimate of the whole training")
    if plan.stage == trial.OVERFIT_RUNS:
        metric, bound = trial.goal(data.task)
        parts.append(f"{metric} on the same photos has to reach {bound:g}")
    return ", ".join(parts)


def _download(model: ModelConfig) -> str:
    family, name = model.family, model.backbone
    if model.weights == "coco":
        return f"would download the COCO weights of {name}: they are not on this machine"
    if family == fitting.FEATURES:
        family = "torchvision" if name.startswith(_TORCHVISION) else "timm"
        name = name.removeprefix(_TORCHVISION)
    trunk = getattr(models.FAMILIES.load(family), "trunk", None)  # a third party's family need not have it
    source = trunk(name, model.input).source if trunk is not None else None
    if source is None:
        return f"would download the ImageNet weights of {model.backbone}: they are not on this machine"
    return f"would download the weights {source.file_name} from {source.url} to {source.path}"
