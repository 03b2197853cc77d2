"""What the commands of `vision synth` do not share: where their objects come from, and what their labels are for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vision_cli.core.errors import UsageError
from vision_cli.core.project import Project
from vision_cli.core.synth_config import ClassifyConfig, LogosConfig, PasteConfig
from vision_cli.synth.cropping import Crop
from vision_cli.synth.settings import CUTOUT_LOOKS, DEFAULT_LOOKS

CLASSIFY = "classify"
TASK_FORMATS = {
    "detect": "coco",
    "instance": "coco",
    "semantic": "masks",
    "panoptic": "panoptic",
    CLASSIFY: "imagefolder",
}
"""The format of each task's labels, where none is asked for."""

AnyConfig = LogosConfig | PasteConfig | ClassifyConfig


@dataclass(frozen=True, slots=True)
class Command:
    """One of the commands.

    Attributes:
        name: also its section below `synth`, and the folder of its photos.
        objects: the setting and option that names its objects.
        looks: of objects, where the project file says nothing.
    """

    name: str
    objects: str
    looks: Mapping[str, float]

    def section(self, project: Project) -> AnyConfig:
        """Return its section of the project file."""
        found: AnyConfig = getattr(project.config.synth, self.name)
        return found

    def declared(self, section: AnyConfig) -> str | None:
        """Return where the project file says that the objects are."""
        found: str | None = getattr(section, self.objects)
        return found


COMMANDS = {
    command.name: command
    for command in (
        Command("logos", "logos", DEFAULT_LOOKS),
        Command("paste", "objects", CUTOUT_LOOKS),
        Command(CLASSIFY, "objects", DEFAULT_LOOKS),
    )
}


def task_of(section: AnyConfig) -> str:
    """Return what the labels are for."""
    return CLASSIFY if isinstance(section, ClassifyConfig) else section.task


def format_of(section: AnyConfig) -> str:
    """Return the format of the labels."""
    return section.format or TASK_FORMATS[task_of(section)]


def crop_of(section: AnyConfig) -> Crop | None:
    """Return how much is kept of a photo; None is all of it."""
    if not isinstance(section, ClassifyConfig) or section.crop == "photo":
        return None
    return Crop(section.margin)


def negative_class(section: AnyConfig) -> str | None:
    """Return the class of photos without any object, where these have one."""
    return section.negative_class if isinstance(section, ClassifyConfig) else None


def check_negative_class(section: AnyConfig, classes: tuple[str, ...]) -> None:
    """Refuse a class of photos without objects that is one of the objects'.

    Raises:
        UsageError: it is.
    """
    name = negative_class(section)
    if name in classes:
        raise UsageError(f"the class '{name}' has objects.", hint="Choose another synth.classify.negative_class.")
