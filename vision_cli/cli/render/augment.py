"""`vision augment` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.stages.project.catalogues import Presets


def draw(result: Presets, paper: Paper) -> None:
    """Draw each preset's steps in order."""
    for index, preset in enumerate(result.presets):
        if index:
            paper.line()
        paper.line(preset.name, style="bold")
        for step in preset.steps:
            paper.line(f"  {step}")
