"""KPIs: `f1 > 0.98`, `recall[acme] >= 0.99`, `latency_ms.p95 < 33 @ tflite`; parsed once, judged everywhere.

Grammar: `metric[class] op value [@ runtime]`.

- `op` is `>`, `>=`, `<`, `<=` (or `≥`, `≤`). The shell-safe twins `f1.min=0.98` and `latency_ms.p95.max=33` mean `>=`
  and `<=`.
- `value` is a number in the metric's own unit; `98%` is 0.98.
- `class` is a class name as it stands, spaces and brackets included: the last `]` closes it.
- Metric names are read without regard to case. `latency_ms` alone is `latency_ms.p95`: a limit that half of the photos
  break is not kept.
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
RUNTIMES = ("torch", "onnx", "tflite")
"""What a KPI may name after `@`."""
DEFAULT_CONFIDENCE = 0.95
Verdict = Literal["pass", "fail", "not enough evidence", "not measured"]

_ALIASES = {"latency_ms": "latency_ms.p95"}
_SPELLINGS = {"≥": ">=", "≤": "<=", "min": ">=", "max": "<="}
_UNIT_IN_NAME = re.compile(r"_(ms|mb|s)(\.p\d+)?")
_NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_METRIC = r"(?P<metric>[A-Za-z][A-Za-z0-9_]*(?:\.[pP][0-9]{1,2})?)(?:\[(?P<label>.+)\])?"
_BOUND = rf"\s*(?P<bound>{_NUMBER})\s*(?P<percent>%?)"
_RUNTIME = r"(?:\s*@\s*(?P<runtime>[a-z][a-z0-9_-]*))?"
_PLAIN = re.compile(rf"\s*{_METRIC}\s*(?P<op>>=|<=|>|<|≥|≤){_BOUND}{_RUNTIME}\s*", re.DOTALL)
_TWIN = re.compile(rf"\s*{_METRIC}\.(?P<op>min|max)\s*={_BOUND}{_RUNTIME}\s*", re.DOTALL)


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
        return f"{self.key} {self.op} {self.bound!r}".removesuffix(".0") + runtime

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
        kind: `share` for a score interval of a share between 0 and 1, whose width depends on where it lies.
    """

    low: float
    high: float
    confidence: float = DEFAULT_CONFIDENCE
    kind: Literal["value", "share"] = "value"


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
        gates: False where the KPI is declared for another runtime than the one that ran: not met, yet no reason
            to fail this evaluation.
    """

    kpi: Kpi
    value: float | None
    interval: Interval | None
    verdict: Verdict
    more_photos: int | None = None
    reason: str | None = None
    gates: bool = True

    @property
    def met(self) -> bool:
        """Return whether the target is met."""
        return self.verdict == "pass"

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
            "gates": self.gates,
        }


def parse(text: str, *, confidence: float | None = None) -> Kpi:
    """Parse one KPI.

    Args:
        text: as the user wrote it.
        confidence: of the interval that must pass, between 0 and 1.

    Raises:
        UsageError: not of the grammar.
    """
    match = _TWIN.fullmatch(text) or _PLAIN.fullmatch(text)
    if match is None:
        raise UsageError(
            f"KPI {text!r}: expected 'metric[class] op value [@ runtime]'.",
            hint="For example 'f1>0.98' (in quotes: the shell takes > for itself), 'recall[acme]>=0.99', "
            "'latency_ms.p95<33 @ tflite', or f1.min=0.98.",
        )
    if confidence is not None and not 0 < confidence < 1:
        raise UsageError(f"KPI {text!r}: the confidence must be between 0 and 1, got {confidence}.")
    metric = match["metric"].lower()
    op = _SPELLINGS.get(match["op"], match["op"])
    return Kpi(_ALIASES.get(metric, metric), op, _bound(text, match), match["label"], match["runtime"], confidence)


def _bound(text: str, match: re.Match[str]) -> float:
    bound = float(match["bound"]) / (100 if match["percent"] else 1)
    if not math.isfinite(bound):
        raise UsageError(f"KPI {text!r}: the bound must be a finite number.")
    if match["percent"] and _UNIT_IN_NAME.search(match["metric"].lower()):
        raise UsageError(f"KPI {text!r}: '{match['metric']}' is not a share.", hint="Leave the % away.")
    return bound


def judge(
    kpi: Kpi, values: Mapping[str, float | None], intervals: Mapping[str, Interval], *, n_photos: int, runtime: str
) -> Judgement:
    """Judge one KPI on measured values.

    Args:
        kpi: the target.
        values: by metric key (`f1`, `f1[winter]`).
        intervals: by the same keys, at the KPI's confidence where it demands one; a key may be absent.
        n_photos: number of photos that the values stand on.
        runtime: what ran: `torch`, `onnx`, `tflite`.
    """
    if kpi.runtime is not None and kpi.runtime != runtime:
        reason = f"declared for {kpi.runtime}, and {runtime} ran"
        return Judgement(kpi, None, None, "not measured", reason=reason, gates=False)
    if n_photos <= 0:
        return Judgement(kpi, None, None, "not measured", reason="there were no photos")
    value = values.get(kpi.key)
    if value is None or not math.isfinite(value):
        return Judgement(kpi, None, None, "not measured", reason=f"nothing measured '{kpi.key}'")
    return _judge_measured(kpi, value, intervals.get(kpi.key), n_photos)


def _judge_measured(kpi: Kpi, value: float, interval: Interval | None, n_photos: int) -> Judgement:
    point = kpi.holds(value)
    crosses = interval is not None and len({point, kpi.holds(interval.low), kpi.holds(interval.high)}) > 1
    more = photos_to_settle(value, interval, kpi.bound, n_photos) if crosses and interval else None
    verdict: Verdict = "pass" if point else "fail"
    reason = _crossing(kpi.bound, interval, more) if crosses and interval else None
    if kpi.confidence is not None and crosses:
        verdict = "not enough evidence"
    if kpi.confidence is not None and point and not _is_enough(interval, kpi.confidence):
        verdict = "not enough evidence"
        found = "no interval" if interval is None else f"an interval at {interval.confidence:.4g} only"
        reason = f"'{kpi.key}' has {found}, and confidence {kpi.confidence:.4g} is demanded"
    return Judgement(kpi, value, interval, verdict, more, reason)


def _is_enough(interval: Interval | None, confidence: float) -> bool:
    return interval is not None and interval.confidence >= confidence - 1e-9


def _crossing(bound: float, interval: Interval, more: int | None) -> str:
    within = f"the {interval.confidence * 100:.4g} % interval {_span(bound, interval)}"
    said = f"undecided: {bound:.10g} lies inside {within}"
    return said if more is None else f"{said}; about {more} more test photos would settle it"


def _span(bound: float, interval: Interval) -> str:
    """Return both ends with so many digits that the bound is seen to lie between them, two at least."""
    for digits in range(2, 10):
        low, high = (float(f"{end:.{digits}g}") for end in (interval.low, interval.high))
        if low < bound < high:
            break
    return f"{low:.10g} to {high:.10g}"


def photos_to_settle(value: float, interval: Interval, bound: float, n_photos: int) -> int | None:
    """Return how many more photos would move the bound out of the interval, if the value stays.

    A half of the interval shrinks with the square root of the number of photos. The end of a share's score interval
    also moves with its own variance, e (1 - e): n = z² e (1 - e) / (value - e)² solved for e = bound.
    Returns None when no number settles it: the value lies on the bound, or the bound is no possible share.
    """
    end = interval.low if bound < value else interval.high
    half_width, distance = abs(value - end), abs(value - bound)
    if distance == 0 or half_width == 0 or not math.isfinite(half_width):
        return None
    factor = (half_width / distance) ** 2
    if interval.kind == "share":
        if not 0 < bound < 1 or not 0 < end < 1:
            return None
        factor *= bound * (1 - bound) / (end * (1 - end))
    return max(1, math.ceil(n_photos * factor) - n_photos)
