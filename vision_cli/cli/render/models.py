"""`vision models` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.stages.project.catalogues import Families, Networks


def families(result: Families, paper: Paper) -> None:
    """Draw one line a family."""
    rows = [
        (each.name, each.summary, each.licence, "yes" if each.installed else f"pip install 'vision-cli[{each.extra}]'")
        for each in result.families
    ]
    paper.table(("family", "what", "licence", "installed"), rows)


def networks(result: Networks, paper: Paper) -> None:
    """Draw one name a line."""
    for name in result.networks:
        paper.line(name)
