"""KPIs: `f1 > 0.98`, `recall[acme] >= 0.99`, `latency_ms.p95 < 33 @ tflite`; parsed once, judged everywhere.

Grammar: `metric[class] op value [@ runtime]` with `>`, `>=`, `<`, `<=`; the shell-safe twins `f1.min=0.98` and
`latency_ms.p95.max=33` mean `>=` and `<=`.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from vision_cli.core.errors import UsageError

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
Verdict = Literal["pass", "fail", "not enough evidence", "not measured"]

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_METRIC = r"(?P<metric>[a-z][a-z0-9_]*(?:\.p\d{1,2})?)(?:\[(?P<label>[^\[\]]+)\])?"
_RUNTIME = r"(?:\s*@\s*(?P<runtime>[a-z][a-z0-9_-]*))?"
_PLAIN = re.compile(rf"\s*{_METRIC}\s*(?P<op>>=|<=|>|<)\s*(?P<bound>{_NUMBER})\s*(?P<percent>%?){_RUNTIME}\s*")
_TWIN = re.compile(rf"\s*{_METRIC}\.(?P<side>min|max)\s*=\s*(?P<bound>{_NUMBER})(?P<percent>%?){_RUNTIME}\s*")


@dataclass(frozen=True, slots=True)
class Kpi:
    """One declared target.

    Attributes:
        metric: name in the metrics table, with `.p50` or `.p95` where it has percentiles.
        op: one of `>`, `>=`, `<`, `<=`.
        bound: in the metric's own unit.
        label: class name, or None for the whole.
        runtime: judged only when this runtime ran; None judges always.
        confidence: None judges the point estimate; 0.95 demands that the 95 % interval itself passes.
    """

    metric: str
    op: str
    bound: float
    label: str | None = None
    runtime: str | None = None
    confidence: float | None = None

    @property
    def key(self) -> str:
        """Return the metric's key in a result: `f1` or `f1[winter]`."""
        return self.metric if self.label is None else f"{self.metric}[{self.label}]"

    def __str__(self) -> str:
        runtime = f" @ {self.runtime}" if self.runtime else ""
        return f"{self.key} {self.op} {self.bound:g}{runtime}"

    def holds(self, value: float | None) -> bool:
        """Return whether a value meets the bound; a missing value or NaN never does."""
        return value is not None and math.isfinite(value) and OPERATORS[self.op](value, self.bound)


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval.

    Attributes:
        low: lower end.
        high: upper end.
        confidence: share of repeated test sets whose interval would hold the true value.
    """

    low: float
    high: float
    confidence: float = 0.95


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of one KPI.

    Attributes:
        kpi: the target.
        value: measured, or None.
        interval: of the value, or None where the metric has none.
        verdict: only `pass` counts as met.
        more_photos: estimated number of further test photos that would settle it; None when it is settled
            or the number cannot be estimated.
        reason: one sentence where the verdict needs one.
    """

    kpi: Kpi
    value: float | None
    interval: Interval | None
    verdict: Verdict
    more_photos: int | None = None
    reason: str | None = None

    def as_json(self) -> dict[str, object]:
        """Return the members that `--json` prints."""
        interval = None if self.interval is None else [self.interval.low, self.interval.high]
        return {
            "kpi": str(self.kpi),
            "value": self.value,
            "interval": interval,
            "confidence": self.kpi.confidence,
            "verdict": self.verdict,
            "more_photos": self.more_photos,
            "reason": self.reason,
        }


def parse(text: str, *, confidence: float | None = None) -> Kpi:
    """Parse one KPI.

    Raises:
        UsageError: not of the grammar.
    """
    match = _TWIN.fullmatch(text) or _PLAIN.fullmatch(text)
    if match is None:
        raise UsageError(
            f"KPI {text!r}: expected 'metric[class] op value [@ runtime]'.",
            hint="For example 'f1>0.98', 'recall[acme]>=0.99', 'latency_ms.p95<33 @ tflite', or f1.min=0.98.",
        )
    parts = match.groupdict()
    op = parts.get("op") or {"min": ">=", "max": "<="}[parts["side"]]
    bound = float(parts["bound"]) / (100 if parts["percent"] else 1)
    if not math.isfinite(bound):
        raise UsageError(f"KPI {text!r}: the bound must be a finite number.")
    return Kpi(parts["metric"], op, bound, parts["label"], parts["runtime"], confidence)


def judge(
    kpi: Kpi, values: Mapping[str, float | None], intervals: Mapping[str, Interval], *, n_photos: int, runtime: str
) -> Judgement:
    """Judge one KPI on measured values.

    Args:
        kpi: the target.
        values: by metric key (`f1`, `f1[winter]`).
        intervals: by the same keys; a key may be absent.
        n_photos: number of photos that the values stand on.
        runtime: what ran: `torch`, `onnx`, `tflite`.
    """
    if kpi.runtime is not None and kpi.runtime != runtime:
        return Judgement(kpi, None, None, "not measured", None, f"declared for {kpi.runtime}, and {runtime} ran")
    value, interval = values.get(kpi.key), intervals.get(kpi.key)
    if value is None or not math.isfinite(value):
        return Judgement(kpi, None, None, "not measured", None, f"nothing measured '{kpi.key}'")
    if n_photos <= 0:
        return Judgement(kpi, None, None, "not measured", None, "there were no photos")
    return _judge_measured(kpi, value, interval, n_photos)


def _judge_measured(kpi: Kpi, value: float, interval: Interval | None, n_photos: int) -> Judgement:
    point = kpi.holds(value)
    crosses = interval is not None and kpi.holds(interval.low) != kpi.holds(interval.high)
    more = photos_to_settle(value, interval, kpi.bound, n_photos) if crosses and interval else None
    if kpi.confidence is None:
        return Judgement(kpi, value, interval, "pass" if point else "fail", more)
    if interval is None:
        return Judgement(kpi, value, None, "fail", None, f"'{kpi.metric}' has no interval to be confident about")
    if kpi.holds(interval.low) and kpi.holds(interval.high) and point:
        return Judgement(kpi, value, interval, "pass")
    return Judgement(kpi, value, interval, "not enough evidence" if crosses else "fail", more)


def photos_to_settle(value: float, interval: Interval, bound: float, n_photos: int) -> int | None:
    """Return how many more photos would move the bound out of the interval, if the value stays.

    The interval's half that faces the bound shrinks with the square root of the number of photos.
    Returns None when the value lies on the bound: no number settles that.
    """
    half_width = value - interval.low if bound < value else interval.high - value
    distance = abs(value - bound)
    if distance == 0 or half_width <= 0:
        return None
    return max(1, math.ceil(n_photos * (half_width / distance) ** 2) - n_photos)
