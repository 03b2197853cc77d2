"""`vision data check` for people."""

from __future__ import annotations

from collections.abc import Sequence

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import number, place
from vision_cli.stages.checking.check import EXAMPLES, CheckResult, Found
from vision_cli.stages.checking.lists import Place
from vision_cli.stages.checking.table import Checks

_STYLES = {"error": "red", "warning": "yellow", "info": ""}


def draw(result: CheckResult, paper: Paper) -> None:
    """Draw each finding with its reason and the first places, then the sum."""
    kind = f", {result.format}" if result.format else ""
    paper.line(f"{result.data}{kind}: {result.photos:,} photos, {result.annotations:,} annotations", style="bold")
    for found in result.found:
        _finding(found, paper)
    paper.line()
    _sum(result, paper)
    for note in result.notes:
        paper.line(f"note: {note}")
    for path in result.written:
        paper.line(f"written: {place(path)}", style="green")


def table(result: Checks, paper: Paper) -> None:
    """Draw the checks and thresholds."""
    rows = [(line.name, line.severity, line.reads, line.summary) for line in result.checks]
    paper.table(("check", "severity", "reads", "finds"), rows)
    paper.line()
    paper.table(
        ("threshold", "default", "meaning"), [(each.name, each.value, each.summary) for each in result.thresholds]
    )


def _finding(found: Found, paper: Paper) -> None:
    finding = found.finding
    paper.line()
    paper.line(
        f"{finding.severity}: {finding.check} ({number(_whole(finding.figure))})", style=_STYLES[finding.severity]
    )
    paper.line(f"  {finding.reason}")
    shown = found.places[:EXAMPLES]
    if shown:
        paper.table((), [("   ", *row) for row in _rows(shown, finding.measure)])
    if len(finding.where) > len(shown):
        paper.line(f"    and {len(finding.where) - len(shown):,} more")
    if finding.hint:
        paper.line(f"  hint: {finding.hint}")


def _rows(places: Sequence[Place], measure: str) -> list[tuple[str, ...]]:
    rows = []
    for each in places:
        pair = f"= {each.other}" if each.other else ""
        box = "[{}]".format(", ".join(f"{side:g}" for side in each.box)) if each.box else ""
        value = f"{measure}: {each.value:.4g}" if each.value is not None and measure else ""
        rather = f"rather {each.suggestion}" if each.suggestion else ""
        rows.append((each.file, each.label or "", rather, box, pair, value))
    used = [any(row[at] for row in rows) for at in range(6)]
    return [tuple(cell for cell, shown in zip(row, used, strict=True) if shown) for row in rows]


def _whole(figure: float) -> float | int:
    return int(figure) if figure == int(figure) else figure


def _sum(result: CheckResult, paper: Paper) -> None:
    counts = [
        f"{result.number(name)} {name}{'s' if result.number(name) != 1 else ''}"
        for name in ("error", "warning", "info")
    ]
    fast = sum("--fast" in why for why in result.left_out.values())
    more = f"; {fast} checks look at photos or corners of outlines and were left out" if fast else ""
    style = "red" if result.number("error") else "green"
    paper.outcome(f"{len(result.checks)} checks: {', '.join(counts)}{more}", style=style)
    repairs = list(dict.fromkeys(found.finding.fixable for found in result.found if found.finding.fixable))
    if repairs:
        paper.line(f"`vision data fix` can: {', '.join(repairs)}")
