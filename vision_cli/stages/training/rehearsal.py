"""The network of a dry run: built and checked like the real one, but nothing is downloaded."""

from __future__ import annotations

from dataclasses import replace

from vision_cli import models
from vision_cli.core import policy
from vision_cli.core.config import ModelConfig
from vision_cli.core.contracts import Network
from vision_cli.core.errors import MissingPartError
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.stages.data import TaskData
from vision_cli.stages.training import fitting

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
