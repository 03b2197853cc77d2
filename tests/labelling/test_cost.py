"""The bill is that of a pocket calculator."""

import pytest

from vision_cli.core.errors import UsageError
from vision_cli.labelling.cost import RATES, UNITS, WAYS, Plan, bill


def test_fifty_thousand_photos_by_hand():
    found = bill(Plan(50_000), "in-house")
    assert found.dollars == 2_500
    assert found.hours == pytest.approx(416.67, abs=0.01)
    assert round(found.days) == 52
    assert found.days == pytest.approx(50_000 * 30 / 3600 / 8)


def test_objects_overlap_review_and_people_multiply():
    plan = Plan(1_000, "box", 4.0, annotators=5, hours=6, overlap=2, review=0.25)
    found = bill(plan, "agency", seconds=10, dollars=0.02)
    assert found.answers == 9_000
    assert found.dollars == pytest.approx(180)
    assert found.hours == pytest.approx(25)
    assert found.days == pytest.approx(25 / 30)


def test_boxes_come_with_synthetic_photos():
    assert bill(Plan(100, "polygon", 9.0, overlap=3), "synthetic").dollars == bill(Plan(100), "synthetic").dollars


def test_each_rate_says_where_it_comes_from():
    assert set(RATES) == {(way, unit) for way in WAYS for unit in UNITS}
    assert all(len(rate.source) > 10 for rate in RATES.values())


def test_numbers_out_of_range_are_told_all_at_once():
    plan = Plan(-1, "box", -2.0, annotators=0, hours=25, overlap=0, review=2)
    with pytest.raises(UsageError) as caught:
        bill(plan, "crowd", seconds=float("nan"), dollars=-1)
    assert len(caught.value.details) == 8


def test_a_rate_says_what_it_is_for():
    plan = Plan(364, "box", 3.0)
    for way in WAYS:
        found = bill(plan, way)
        number = {"image": 364, "box": 364 * 3}[found.unit]
        assert found.dollars == pytest.approx(number * found.rate.dollars)
        assert found.as_json()["rate"]["unit"] == found.unit
    assert bill(plan, "synthetic").unit == "image"
