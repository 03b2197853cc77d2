"""`vision synth`: each command in a module of its own, imported when it is asked for."""

from __future__ import annotations

from vision_cli.cli.subgroup import lazy_group

COMMANDS: dict[str, tuple[str, str]] = {
    "logos": ("vision_cli.cli.commands.synth.logos", "Put objects on the surfaces of photos"),
    "paste": ("vision_cli.cli.commands.synth.paste", "Stand or hold cut-outs of anything in photos"),
    "classify": ("vision_cli.cli.commands.synth.classify", "Photos of one object each, for a classifier"),
    "tune": ("vision_cli.cli.commands.synth.tune", "Search settings that do better on real photos"),
    "distance": ("vision_cli.cli.commands.synth.distance", "How far photos are from real ones, and why"),
}

app = lazy_group(
    "synth",
    "Make labelled photos that nobody took.",
    COMMANDS,
    (
        "vision synth logos --logos logos/ --backgrounds photos/ --preview 16",
        "vision synth logos --logos logos/ --backgrounds photos/ -n 50000",
        "vision synth paste --objects labelled --backgrounds empty --task panoptic",
        "vision synth classify --objects logos/ --backgrounds photos/ -n 5000",
        "vision synth tune --real street --minutes 120",
    ),
)
