"""`vision models` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.stages.project.catalogues import Families, Networks


def families(result: Families, paper: Paper) -> None:
    """Draw one line a family, and how many published weights there are."""
    rows = [
        (
            each.name,
            ", ".join(each.tasks),
            each.summary,
            each.licence,
            each.n_weights or "a backbone's",
            "yes" if each.installed else f"pip install 'vision-cli[{each.extra}]'",
        )
        for each in result.families
    ]
    paper.table(("family", "tasks", "what", "licence", "weights", "installed"), rows)
    paper.line()
    total = sum(each.n_weights for each in result.families)
    paper.line(
        f"{total} published weights: `vision models list --weights`; filters: --task, --license, --max-size, --has"
    )


def networks(result: Networks, paper: Paper) -> None:
    """Draw one name a line."""
    for name in result.networks:
        paper.line(name)
