"""KPI verdicts of one or more evaluations, brought together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vision_cli.core import kpi
from vision_cli.core.errors import UsageError
from vision_cli.core.kpi import DEFAULT_CONFIDENCE, Kpi
from vision_cli.reports import wording
from vision_cli.reports.wording import is_number

NOT_JUDGED = "not judged"
"""The verdict where no evaluation gated a KPI."""
_WORST_FIRST = ("fail", "not enough evidence", "not measured", "pass")
_KINDS = {"pass": "pass", "fail": "fail", "not enough evidence": "unsure", "not measured": "none", NOT_JUDGED: "none"}


@dataclass(frozen=True, slots=True)
class Target:
    """One KPI and what became of it wherever it was judged.

    Attributes:
        text: as it was declared.
        kpi: parsed; None if it cannot be read any more.
        entries: (name of the runtime, member of `kpis`) of each evaluation that it gates.
        elsewhere: the reason of an evaluation that it does not gate.
    """

    text: str
    kpi: Kpi | None
    entries: Sequence[tuple[str, Mapping[str, Any]]]
    elsewhere: str | None = None

    @property
    def verdict(self) -> str:
        """Return the worst verdict; what no evaluation judged is not judged."""
        if not self.entries:
            return NOT_JUDGED
        found = {str(entry.get("verdict")) for _, entry in self.entries}
        return next((each for each in _WORST_FIRST if each in found), "not measured")

    @property
    def unsettled(self) -> bool:
        """Return whether the bound lies inside an interval."""
        return any(_holds_bound(entry, self.kpi) for _, entry in self.entries)


def kind(verdict: str) -> str:
    """Return `pass`, `fail`, `unsure` or `none`."""
    return _KINDS.get(verdict, "none")


def gates(entry: Mapping[str, Any]) -> bool:
    """Return whether a KPI is one for the runtime that ran."""
    return bool(entry.get("gates", True))


def parsed(text: str) -> Kpi | None:
    """Return a KPI from the text of a result."""
    try:
        return kpi.parse(text)
    except UsageError:
        return None


def targets(
    results: Sequence[tuple[str, Mapping[str, Any]]],
    declared: Sequence[tuple[str, float | None]] = (),
    *,
    member: str = "kpis",
) -> list[Target]:
    """Return the declared KPIs (text, confidence) and every KPI of the results of (runtime, result), in that order."""
    found: dict[tuple[str, float | None], list[tuple[str, Mapping[str, Any]]]] = {key: [] for key in declared}
    for runtime, result in results:
        for entry in result.get(member) or ():
            found.setdefault((str(entry.get("kpi")), entry.get("confidence")), []).append((runtime, entry))
    return [_target(text, entries) for (text, _), entries in found.items()]


def _target(text: str, entries: Sequence[tuple[str, Mapping[str, Any]]]) -> Target:
    gating = [(runtime, entry) for runtime, entry in entries if gates(entry)]
    reasons = [str(entry["reason"]) for _, entry in entries if not gates(entry) and entry.get("reason")]
    return Target(text, parsed(text), gating, reasons[0] if reasons else None)


def evidence(entry: Mapping[str, Any], parsed_kpi: Kpi | None) -> str:
    """Return in one sentence why a verdict is not settled, or why there is none; nothing where all is said."""
    more, reason = entry.get("more_photos"), entry.get("reason")
    if _holds_bound(entry, parsed_kpi):
        holds = f"The {confidence(entry)} interval holds the bound"
        if is_number(more):
            return f"{holds}: about {wording.count(round(more), 'more test photo')} would settle it."
        return f"{holds}."
    return f"{str(reason)[:1].upper()}{str(reason)[1:]}." if reason else ""


def _holds_bound(entry: Mapping[str, Any], parsed_kpi: Kpi | None) -> bool:
    """Return whether the bound lies inside the interval."""
    ends = interval_of(entry)
    return (
        parsed_kpi is not None and ends is not None and len({parsed_kpi.holds(e) for e in (entry["value"], *ends)}) > 1
    )


def confidence(entry: Mapping[str, Any]) -> str:
    """Return the confidence of an entry's interval in per cent."""
    return wording.per_cent(entry.get("confidence") or DEFAULT_CONFIDENCE)


def interval_of(entry: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return the interval of an entry whose value is a number."""
    low, high = entry.get("interval") or (None, None)
    if not is_number(entry.get("value")) or not is_number(low) or not is_number(high):
        return None
    return float(low), float(high)


def value_text(entry: Mapping[str, Any], parsed_kpi: Kpi | None) -> str:
    """Return a KPI's value with its unit, never rounded onto its bound."""
    value = entry.get("value")
    if not is_number(value):
        return wording.NOTHING
    if parsed_kpi is None:
        return wording.plain(float(value))
    return wording.apart(float(value), parsed_kpi.bound) + wording.unit(parsed_kpi.metric)


def interval_text(entry: Mapping[str, Any], parsed_kpi: Kpi | None) -> str:
    """Return both ends of an interval, never rounded onto the bound; nothing where there is none."""
    ends = interval_of(entry)
    if ends is None:
        return ""
    bound = parsed_kpi.bound if parsed_kpi else float("nan")
    return f" {wording.NOTHING} ".join(wording.apart(end, bound) for end in ends)
