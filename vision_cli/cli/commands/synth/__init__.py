"""`vision synth`: each command in a module of its own, imported when it is asked for."""

from __future__ import annotations

from vision_cli.cli.subgroup import lazy_group

COMMANDS: dict[str, tuple[str, str]] = {
    "logos": ("vision_cli.cli.commands.synth.logos", "Put objects on the surfaces of photos"),
}

app = lazy_group(
    "synth",
    "Make labelled photos that nobody took.",
    COMMANDS,
    (
        "vision synth logos --logos logos/ --backgrounds photos/ --preview 16",
        "vision synth logos --logos logos/ --backgrounds photos/ -n 50000",
    ),
)
