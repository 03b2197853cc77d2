"""`vision data`: each command in a module of its own, imported when it is asked for."""

from __future__ import annotations

from vision_cli.cli.subgroup import lazy_group

COMMANDS: dict[str, tuple[str, str]] = {
    "detect": ("vision_cli.cli.commands.data.detect", "Name the format of a folder or file"),
    "formats": ("vision_cli.cli.commands.data.formats", "List the dataset formats"),
    "check": ("vision_cli.cli.commands.data.check", "Find what is wrong with photos and labels"),
    "fix": ("vision_cli.cli.commands.data.fix", "Write a mended copy of a data set"),
    "convert": ("vision_cli.cli.commands.data.convert", "Copy a data set into another format, with a report"),
    "view": ("vision_cli.cli.commands.data.view", "Show what a view holds, or write a new one"),
    "stats": ("vision_cli.cli.commands.data.stats", "Count photos, boxes and classes, and measure them"),
    "show": ("vision_cli.cli.commands.data.show", "Browse photos with boxes, masks and predictions on a page"),
    "query": ("vision_cli.cli.commands.data.query", "Ask photos, annotations, predictions and runs in SQL"),
    "label": ("vision_cli.cli.commands.data.label", "Give photos to people who label them, and take answers in"),
    "agreement": ("vision_cli.cli.commands.data.agreement", "Measure how far several people agree"),
    "gold": ("vision_cli.cli.commands.data.gold", "Measure annotators against labels that are right"),
    "cost": ("vision_cli.cli.commands.data.cost", "Estimate the bill and the days of labelling"),
    "commit": ("vision_cli.cli.commands.data.commit", "Keep labels and photos as a version"),
    "log": ("vision_cli.cli.commands.data.log", "List the versions"),
    "diff": ("vision_cli.cli.commands.data.diff", "Show what differs between two versions, or since one"),
    "checkout": ("vision_cli.cli.commands.data.checkout", "Bring a version back as a folder"),
    "tag": ("vision_cli.cli.commands.data.tag", "Give a version a name"),
    "verify": ("vision_cli.cli.commands.data.verify", "Compare every byte of the versions with its hash"),
    "gc": ("vision_cli.cli.commands.data.gc", "Remove from the store what no version needs"),
}

app = lazy_group(
    "data",
    "Look at data sets and bring them into other formats.",
    COMMANDS,
    (
        "vision data detect photos/",
        "vision data convert coco/ voc/ --to voc --allow-loss polygons",
    ),
)
