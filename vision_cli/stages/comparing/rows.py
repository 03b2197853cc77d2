"""Models beside each other: quality, speed and size of each, who is on the frontier, and who is good enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision_cli import metrics
from vision_cli.core import files
from vision_cli.core.errors import UsageError
from vision_cli.core.kpi import Interval, Judgement, Kpi
from vision_cli.core.measurement import Measurement
from vision_cli.metrics import MAIN
from vision_cli.reports.charts.frontier import Dot, frontier_svg

COSTS = {"latency": "latency_ms.p50", "size": "size_mb", "memory": "memory_mb"}
_AXES = {"latency": "latency of one photo, ms (p50)", "size": "size of the file, MB", "memory": "memory, MB"}
PLOT_NAME = "plot.svg"


@dataclass(frozen=True, slots=True)
class Row:
    """One model on one runtime.

    Attributes:
        name: as it was given.
        runtime: `torch`, `onnx` or `tflite`.
        path: of the model.
        measurement: of quality.
        speed: `latency_ms.p50` and the like, by metric key.
        judgements: of the KPIs.
    """

    name: str
    runtime: str
    path: Path
    measurement: Measurement
    speed: Mapping[str, float | None]
    judgements: tuple[Judgement, ...] = ()

    @property
    def passed(self) -> bool:
        """Return whether there are KPIs for this runtime and all are met."""
        gates = [judgement.met for judgement in self.judgements if judgement.gates]
        return bool(gates) and all(gates)

    def value(self, key: str) -> float | None:
        """Return a figure of quality or speed."""
        return self.measurement.values.get(key, self.speed.get(key))

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {
            "name": self.name,
            "runtime": self.runtime,
            "path": self.path,
            "metrics": {**self.measurement.values, **self.speed},
            "intervals": {key: [each.low, each.high] for key, each in self.measurement.intervals.items()},
            "kpis": [judgement.as_json() for judgement in self.judgements],
            "passed": self.passed,
        }


@dataclass(frozen=True, slots=True)
class Standing:
    """Who is on the frontier, and who is good enough at the least cost.

    Attributes:
        key: the metric on the vertical axis.
        cost: a line of COSTS.
        frontier: indices of the rows that nothing beats in both.
        chosen: index of the row that meets the KPIs at the least cost; None where none does.
        why: one sentence.
    """

    key: str
    cost: str
    frontier: tuple[int, ...]
    chosen: int | None
    why: str

    def as_json(self, rows: Sequence[Row]) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        named = [{"name": rows[place].name, "runtime": rows[place].runtime} for place in self.frontier]
        chosen = None if self.chosen is None else rows[self.chosen]
        found = None if chosen is None else {"name": chosen.name, "runtime": chosen.runtime}
        return {"metric": self.key, "cost": self.cost, "frontier": named, "chosen": found, "why": self.why}


def main_key(task: str, targets: Sequence[Kpi], asked: str | None = None) -> str:
    """Return the metric that models are compared by: the one asked for, the first KPI's on quality, or the task's."""
    if asked is not None:
        return asked
    own = [target.key for target in targets if metrics.metric_card(target.metric, task).source == "predictions"]
    return own[0] if own else MAIN[task][0]


def check_key(key: str, task: str) -> None:
    """Refuse a metric that the task does not have, or that no model's answers give.

    Raises:
        UsageError: with some that it has.
    """
    card = metrics.metric_card(key.split("[", 1)[0], task)
    if task not in card.tasks or card.source != "predictions":
        raise UsageError(f"--metric {key}: no such figure of {task}.", hint=f"Such as {', '.join(MAIN[task][:4])}.")


def sign(key: str, task: str) -> int:
    """Return 1 where more is better, else -1."""
    return 1 if metrics.metric_card(key.split("[", 1)[0], task).better == "higher" else -1


def standing(rows: Sequence[Row], key: str, task: str, cost: str) -> Standing:
    """Return the frontier, and the row that meets the KPIs at the least cost."""
    points = [(row.value(COSTS[cost]), row.value(key)) for row in rows]
    better = sign(key, task)
    known = [place for place, (price, quality) in enumerate(points) if price is not None and quality is not None]
    pairs = {place: (float(points[place][0] or 0), better * float(points[place][1] or 0)) for place in known}
    frontier = tuple(place for place in known if not any(_beats(pairs[other], pairs[place]) for other in known))
    asked = _runtimes_asked(rows)
    passed = [place for place in known if rows[place].passed and rows[place].runtime in asked]
    if passed:
        chosen = min(passed, key=lambda place: (pairs[place][0], -pairs[place][1]))
        row = rows[chosen]
        why = f"{row.name} on {row.runtime} meets every KPI at the least {cost}: {_amount(pairs[chosen][0], cost)}."
        return Standing(key, cost, frontier, chosen, why)
    if not any(judgement.gates for row in rows for judgement in row.judgements):
        return Standing(key, cost, frontier, None, "No KPI is declared, so that none is chosen: --kpi 'top1>0.9' does.")
    missed = {place: [each for each in rows[place].judgements if each.gates and not each.met] for place in known}
    able = [place for place in known if rows[place].runtime in asked] or known
    nearest = min(able, key=lambda place: (len(missed[place]), pairs[place][0]))
    left = "; ".join(f"{each.kpi} ({each.verdict})" for each in missed[nearest])
    row = rows[nearest]
    return Standing(
        key, cost, frontier, None, f"None meets every KPI; {row.name} on {row.runtime} misses least: {left}."
    )


def _runtimes_asked(rows: Sequence[Row]) -> set[str]:
    """Return the runtimes that KPIs name, for the others do not answer them; all where none is named."""
    named = {each.kpi.runtime for row in rows for each in row.judgements if each.kpi.runtime}
    return named or {row.runtime for row in rows}


def _beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Tell whether one costs no more and is no worse than the other, and differs."""
    return one[0] <= other[0] and one[1] >= other[1] and one != other


def _amount(price: float, cost: str) -> str:
    return f"{price:.4g} {'ms' if cost == 'latency' else 'MB'}"


def draw(folder: Path, rows: Sequence[Row], found: Standing, title: str) -> Path | None:
    """Write the plot of quality over cost; None where nothing has both."""
    dots = []
    for place, row in enumerate(rows):
        price, quality = row.value(COSTS[found.cost]), row.value(found.key)
        interval: Interval | None = row.measurement.interval_at(found.key)
        if price is not None and quality is not None:
            ends = None if interval is None else (interval.low, interval.high)
            dots.append(
                Dot(row.name, row.runtime, price, quality, ends, place in found.frontier, place == found.chosen)
            )
    if not dots:
        return None
    path = folder / PLOT_NAME
    files.write_text(path, frontier_svg(dots, (_AXES[found.cost], found.key), title))
    return path
