"""`vision data label`: each command in a module of its own, imported when it is asked for."""

from __future__ import annotations

from vision_cli.cli.subgroup import lazy_group

COMMANDS: dict[str, tuple[str, str]] = {
    "next": ("vision_cli.cli.commands.data.label.next", "Choose the photos to label next"),
    "export": ("vision_cli.cli.commands.data.label.export", "Write tasks for Label Studio, CVAT or LabelMe"),
    "import": ("vision_cli.cli.commands.data.label.import_", "Read answers back as a data set"),
}

app = lazy_group(
    "label",
    "Give photos to people who label them, and take their answers in.",
    COMMANDS,
    (
        "vision data label next photos/ --pick 200 --by diversity",
        "vision data label export --to labelstudio --out tasks/",
        "vision data label import answers.json --into labelled/ --to coco",
    ),
)
