"""Three published weights for a target: on the frontier of accuracy against time and size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vision_cli.models import published
from vision_cli.models.published import Published
from vision_cli.scoping.targets import Target

BEGINS_WITH = {"multilabel": "classify", "regress": "classify", "count": "detect", "panoptic": "instance"}
"""Whose weights a network for a task begins with, where none are published for it."""
_WORST = {"top1": 0.8}
"""Least share of the best accuracy by metric: what is less accurate is not worth its speed."""
_WORST_PLACES = 0.4
BEYOND = "beyond the limits"
_ROLES = ("the fastest", "between the two", "the most accurate")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the three.

    Attributes:
        weights: of the catalogue.
        role: among the three.
        ms: estimated time of a photo on the target; None where the multiply-adds are not known.
        why: it is chosen.
    """

    weights: Published
    role: str
    ms: float | None
    why: str

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        row = self.weights
        return {
            "name": row.name,
            "family": row.family,
            "backbone": row.backbone,
            "weights": row.weights,
            "role": self.role,
            "accuracy": row.accuracy,
            "metric": published.METRICS[row.metric],
            "accuracy_from": row.accuracy_from,
            "params": row.params,
            "macs": row.macs or None,
            "size_mb": round(row.size_bytes / 1e6, 1),
            "licence": row.licence,
            "estimated_ms": None if self.ms is None else round(self.ms, 1),
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the models are for.

    Attributes:
        task: a key of OUTCOMES.
        target: machine.
        latency_ms: that a photo may take; None for any.
        permissive: only licences that ask for no more than their mention.
    """

    task: str
    target: Target
    latency_ms: float | None = None
    permissive: bool = True


def three(wanted: Wanted) -> tuple[Choice, ...]:
    """Return up to three weights that fit the target, the fastest first."""
    task = BEGINS_WITH.get(wanted.task, wanted.task)
    rows = [row for row in published.rows(task) if row.permissive or not wanted.permissive]
    rows = [row for row in rows if wanted.target.file in row.exports]
    picked = _spread(_frontier([row for row in rows if not _breaks(row, wanted)]))
    beyond = [row for row in _frontier(rows) if _breaks(row, wanted)]
    least = picked[-1].accuracy if picked else 0.0
    more = [row for row in beyond if row.accuracy > least][: len(_ROLES) - len(picked)]
    roles = _ROLES if len(picked) == len(_ROLES) else (_ROLES[0], _ROLES[-1])[: len(picked)]
    said = [*zip(picked, roles, strict=True), *((row, BEYOND) for row in more)]
    return tuple(_choice(row, role, wanted) for row, role in said)


def _spread(edge: Sequence[Published]) -> list[Published]:
    """Return the ends of the frontier and what lies best between them, without what is hardly accurate."""
    kept = [row for row in edge if row.accuracy >= edge[-1].accuracy * _WORST.get(row.metric, _WORST_PLACES)]
    return list(kept) if len(kept) <= len(_ROLES) else [kept[0], _middle(kept), kept[-1]]


def _breaks(row: Published, wanted: Wanted) -> str:
    """Return which limit some weights break; nothing where they keep all."""
    if row.size_bytes > wanted.target.most_mb * 1e6:
        return f"larger than the {wanted.target.most_mb:g} MB that fit there: {wanted.target.limit}"
    ms = _ms(row, wanted.target)
    if wanted.latency_ms is not None and ms is not None and ms > wanted.latency_ms:
        return f"estimated to miss {wanted.latency_ms:g} ms: a smaller input may keep it"
    return ""


def _cost(row: Published) -> float:
    """Return multiply-adds; parameters where they are not known, which for one family rank alike."""
    return float(row.macs or row.params)


def _frontier(rows: Sequence[Published]) -> list[Published]:
    """Return the rows that no other one beats in cost and accuracy, the cheapest first."""
    found: list[Published] = []
    for row in sorted(rows, key=lambda row: (_cost(row), -row.accuracy, row.size_bytes, row.name)):
        if not found or row.accuracy > found[-1].accuracy:
            found.append(row)
    return found


def _middle(edge: Sequence[Published]) -> Published:
    """Return the row of the frontier that gains most accuracy for its cost, seen from the straight line of the ends."""
    first, last = edge[0], edge[-1]
    span, gain = max(1.0, _cost(last) - _cost(first)), last.accuracy - first.accuracy
    return max(edge[1:-1], key=lambda row: row.accuracy - first.accuracy - gain * (_cost(row) - _cost(first)) / span)


def _ms(row: Published, target: Target) -> float | None:
    return row.macs / target.macs_per_ms if row.macs else None


def _choice(row: Published, role: str, wanted: Wanted) -> Choice:
    ms = _ms(row, wanted.target)
    begins = BEGINS_WITH.get(wanted.task)
    said = [f"{row.accuracy:g} % {published.METRICS[row.metric]}", f"{row.size_bytes / 1e6:.0f} MB, {row.licence}"]
    if ms is not None:
        said.append(f"about {ms:.3g} ms on {wanted.target.title}, an estimate from its multiply-adds")
    if begins:
        said.append(f"{wanted.task} begins with weights for {begins}")
    if broken := _breaks(row, wanted):
        said.append(broken)
    return Choice(row, role, ms, "; ".join(said))
