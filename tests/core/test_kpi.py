"""The KPI grammar and its verdicts."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision_cli.core.errors import UsageError
from vision_cli.core.kpi import RUNTIMES, Interval, Kpi, judge, parse, photos_to_settle
from vision_cli.core.measurement import Measurement


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f1>0.98", Kpi("f1", ">", 0.98)),
        ("  f1 >= .98  ", Kpi("f1", ">=", 0.98)),
        ("F1 > 0.98", Kpi("f1", ">", 0.98)),
        ("mAP≥0.5", Kpi("map", ">=", 0.5)),
        ("recall[acme] >= 0.99", Kpi("recall", ">=", 0.99, label="acme")),
        ("f1[acme inc] > 98%", Kpi("f1", ">", 0.98, label="acme inc")),
        ("f1[Öl > Wasser] > 0.5", Kpi("f1", ">", 0.5, label="Öl > Wasser")),
        ("f1[[/]] > 0.5", Kpi("f1", ">", 0.5, label="[/]")),
        ("f1[a] > 0.1] > 0.5", Kpi("f1", ">", 0.5, label="a] > 0.1")),
        ("f1[a\nb]<1", Kpi("f1", "<", 1.0, label="a\nb")),
        ("f1[no]>=0", Kpi("f1", ">=", 0.0, label="no")),
        ("latency_ms.p95 < 33 @ tflite", Kpi("latency_ms.p95", "<", 33.0, runtime="tflite")),
        ("latency_ms.p50<33@onnx", Kpi("latency_ms.p50", "<", 33.0, runtime="onnx")),
        ("latency_ms < 33", Kpi("latency_ms.p95", "<", 33.0)),
        ("latency_ms.max=33", Kpi("latency_ms.p95", "<=", 33.0)),
        ("latency_ms.p50.max=33 @ tflite", Kpi("latency_ms.p50", "<=", 33.0, runtime="tflite")),
        ("f1.min=0.98", Kpi("f1", ">=", 0.98)),
        ("f1[winter].min = 98%", Kpi("f1", ">=", 0.98, label="winter")),
        ("top5_error<0.1", Kpi("top5_error", "<", 0.1)),
        ("size_mb<3.4", Kpi("size_mb", "<", 3.4)),
        ("r2 > -1e-3", Kpi("r2", ">", -0.001)),
    ],
)
def test_grammar(text: str, expected: Kpi) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "f1", "f1>", ">0.9", "f1=0.9", "f1==0.9", "f1=>0.9", "f1>0.9>0.8", "f1>nan", "f1>inf", "f1>1e999"),
        *("f1[]>1", "f1 > 0.9 @", "f1 > 0.9 @ @", "f1.mean=1", "f1 > 1_0", "f1 > \uff10.\uff19", "f1 0.9", "f1>0,98"),
        *("1f>0.9", "f1[a>0.5"),
    ],
)
def test_what_is_not_of_the_grammar_is_refused_and_named(text: str) -> None:
    with pytest.raises(UsageError, match="KPI") as caught:
        parse(text)
    assert repr(text) in caught.value.message


def test_a_percent_of_milliseconds_is_refused() -> None:
    with pytest.raises(UsageError, match="not a share"):
        parse("latency_ms.p95 < 33%")


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0, -1.0, math.nan])
def test_a_confidence_that_is_no_probability_is_refused(confidence: float) -> None:
    with pytest.raises(UsageError, match="between 0 and 1"):
        parse("f1>0.9", confidence=confidence)


NAMES = st.sampled_from(["f1", "top5_error", "latency_ms.p95", "latency_ms.p50", "size_mb", "r2"])
LABELS = st.none() | st.text(min_size=1, max_size=20)
BOUNDS = st.floats(allow_nan=False, allow_infinity=False)


@given(NAMES, st.sampled_from([">", ">=", "<", "<="]), BOUNDS, LABELS, st.none() | st.sampled_from(RUNTIMES))
def test_a_kpi_reads_its_own_text(metric: str, op: str, bound: float, label: str | None, runtime: str | None) -> None:
    kpi = Kpi(metric, op, bound, label, runtime)
    assert parse(str(kpi)) == kpi


def test_a_round_bound_is_written_short() -> None:
    assert str(parse("latency_ms.p95<33 @ tflite")) == "latency_ms.p95 < 33 @ tflite"


def verdict(text: str, value: float | None, interval: tuple[float, float] | None = None, **given_: float) -> str:
    confidence = given_.get("confidence")
    kpi = parse(text, confidence=confidence)
    intervals = {kpi.key: Interval(*interval, given_.get("at", 0.95))} if interval else {}
    return judge(kpi, {kpi.key: value}, intervals, n_photos=100, runtime="torch").verdict


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("f1 > 0.98", 0.98, "fail"),
        ("f1 >= 0.98", 0.98, "pass"),
        ("f1 > 0.98", 0.99, "pass"),
        ("latency_ms.p95 < 33", 33.0, "fail"),
        ("latency_ms.p95 <= 33", 33.0, "pass"),
        ("f1[winter] > 0.5", 0.6, "pass"),
        ("f1 > 0", None, "not measured"),
        ("f1 > -1", math.nan, "not measured"),
        ("f1 < 1", math.nan, "not measured"),
        ("latency_ms.p95 < 1", -math.inf, "not measured"),
        ("images_per_s > 1", math.inf, "not measured"),
    ],
)
def test_verdict_on_the_point(text: str, value: float | None, expected: str) -> None:
    assert verdict(text, value) == expected


@pytest.mark.parametrize(
    ("value", "interval", "expected"),
    [
        (0.95, (0.91, 0.97), "pass"),
        (0.95, (0.89, 0.97), "not enough evidence"),
        (0.85, (0.80, 0.91), "not enough evidence"),
        (0.85, (0.80, 0.89), "fail"),
        (0.95, None, "not enough evidence"),
        (0.85, None, "fail"),
        (0.95, (math.nan, math.nan), "not enough evidence"),
        (0.95, (0.89, 0.899), "not enough evidence"),
    ],
)
def test_a_demanded_confidence_gates_on_the_interval(
    value: float, interval: tuple[float, float] | None, expected: str
) -> None:
    assert verdict("f1 > 0.9", value, interval, confidence=0.95) == expected


def test_without_a_demanded_confidence_the_point_decides() -> None:
    assert verdict("f1 > 0.9", 0.95, (0.89, 0.97)) == "pass"
    assert verdict("f1 > 0.9", 0.85, (0.80, 0.91)) == "fail"


def test_an_interval_at_less_confidence_is_not_enough() -> None:
    kpi = parse("f1 > 0.9", confidence=0.99)
    judged = judge(kpi, {"f1": 0.95}, {"f1": Interval(0.93, 0.97, 0.95)}, n_photos=100, runtime="torch")
    assert judged.verdict == "not enough evidence"
    assert judged.reason is not None
    assert "0.99" in judged.reason


def test_no_photos_never_pass() -> None:
    judged = judge(parse("f1 > 0.1"), {"f1": 1.0}, {}, n_photos=0, runtime="torch")
    assert (judged.verdict, judged.met, judged.gates) == ("not measured", False, True)


def test_a_missing_metric_fails_the_gate_and_says_its_name() -> None:
    judged = judge(parse("recall[winter] > 0.1"), {"recall": 1.0}, {}, n_photos=9, runtime="torch")
    assert (judged.verdict, judged.met, judged.gates) == ("not measured", False, True)
    assert judged.reason is not None
    assert "recall[winter]" in judged.reason


def test_a_kpi_of_another_runtime_is_not_measured_and_does_not_gate() -> None:
    kpi = parse("latency_ms < 33 @ tflite")
    values = {"latency_ms.p95": 20.0}
    elsewhere = judge(kpi, values, {}, n_photos=9, runtime="torch")
    assert (elsewhere.verdict, elsewhere.met, elsewhere.gates) == ("not measured", False, False)
    there = judge(kpi, values, {}, n_photos=9, runtime="tflite")
    assert (there.verdict, there.met, there.gates) == ("pass", True, True)


def test_as_json_has_the_promised_members() -> None:
    judged = judge(parse("f1 > 0.9"), {"f1": 0.92}, {"f1": Interval(0.88, 0.95)}, n_photos=100, runtime="torch")
    document = judged.as_json()
    assert {"kpi", "value", "verdict", "interval", "more_photos", "reason", "gates"} <= document.keys()
    assert document["interval"] == [0.88, 0.95]
    assert document["more_photos"] == 300  # the half width 0.04 must halve: four times the photos


def test_photos_to_settle_a_mean_follow_the_square_root_law() -> None:
    assert photos_to_settle(5.0, Interval(4.0, 6.0), 4.5, 100) == 300
    assert photos_to_settle(5.0, Interval(4.0, 6.0), 5.5, 100) == 300


def test_photos_to_settle_are_unknown_on_the_bound() -> None:
    assert photos_to_settle(5.0, Interval(4.0, 6.0), 5.0, 100) is None
    assert photos_to_settle(5.0, Interval(5.0, 5.0), 4.0, 100) is None


@pytest.mark.parametrize(("share", "n", "bound"), [(1.0, 20, 0.98), (0.95, 60, 0.9), (0.5, 40, 0.55), (0.0, 30, 0.05)])
def test_photos_to_settle_a_share_move_wilsons_end_to_the_bound(share: float, n: int, bound: float) -> None:
    proportion = pytest.importorskip("scipy.stats").binomtest
    total = n + (photos_to_settle(share, _wilson(proportion, share, n), bound, n) or 0)
    z = 1.959963984540054
    for number, is_held in (
        (total * 1.02 + 1, False),
        (total * 0.97 - 1, True),
    ):  # Wilson 1927: the score test inverted
        assert (abs(share - bound) <= z * math.sqrt(bound * (1 - bound) / number)) is is_held


def _wilson(binomtest, share: float, n: int) -> Interval:  # type: ignore[no-untyped-def]
    found = binomtest(round(share * n), n).proportion_ci(0.95, method="wilson")
    return Interval(float(found.low), float(found.high), 0.95, "share")


class Half:
    """A spread whose width is the confidence."""

    def at(self, confidence: float) -> Interval | None:
        return Interval(0.9 - confidence / 10, 0.9 + confidence / 10, confidence)


def test_a_measurement_judges_with_the_demanded_confidence() -> None:
    measured = Measurement({"f1": 0.9}, {"f1": Interval(0.85, 0.95)}, 10, spreads={"f1": Half()})
    judged = measured.judge(parse("f1 > 0.5", confidence=0.99), runtime="torch")
    assert judged.interval is not None
    assert judged.interval.confidence == 0.99
    assert judged.verdict == "pass"
    without = Measurement({"f1": 0.9}, {"f1": Interval(0.85, 0.95)}, 10)
    assert without.judge(parse("f1 > 0.5", confidence=0.99), runtime="torch").verdict == "not enough evidence"
    assert without.judge(parse("f1 > 0.5", confidence=0.95), runtime="torch").verdict == "pass"


def test_further_values_are_judged_too() -> None:
    measured = Measurement({"f1": 0.9}, {}, 10).with_values({"latency_ms.p95": 20.0})
    assert measured.judge(parse("latency_ms < 33"), runtime="onnx").met
    assert measured.judge(parse("f1 > 0.8"), runtime="onnx").met


@pytest.mark.parametrize(
    ("bound", "ends", "said"),
    [
        (0.8, (0.3906, 0.8619), "undecided: 0.8 lies inside the 95 % interval 0.39 to 0.86"),
        (0.98, (0.9795, 0.9849), "undecided: 0.98 lies inside the 95 % interval 0.9795 to 0.9849"),
        (130, (127.4, 133.7), "undecided: 130 lies inside the 95 % interval 127 to 134"),
    ],
)
def test_what_is_undecided_says_so_with_as_many_digits_as_it_takes(bound, ends, said):
    value = sum(ends) / 2
    judged = judge(parse(f"m > {bound}"), {"m": value}, {"m": Interval(*ends)}, n_photos=50, runtime="torch")
    assert (judged.reason or "").startswith(said)
