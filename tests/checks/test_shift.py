"""Two samples: alike sets pass as often as they should, different ones are told apart, and the photos are named."""

from types import SimpleNamespace

import numpy as np
import pytest

from vision_cli.checks import shift, two_samples


def test_area_is_the_share_of_pairs_in_the_right_order() -> None:
    scores = np.array([0.1, 0.4, 0.4, 0.8])
    sides = np.array([[False, True, False, True], [True, False, False, False], [False, False, False, False]])
    found = two_samples.area(scores, sides)
    assert found[:2].tolist() == [pytest.approx((1 + 0.5 + 2) / 4), pytest.approx(0.0)]
    assert np.isnan(found[2])


def test_alike_sets_alarm_as_often_as_stated() -> None:
    second = np.arange(120) < 40
    p = np.array(
        [
            two_samples.tell_apart(rng.normal(size=(120, 30)).astype(np.float32), second, np.arange(120), rng).p
            for rng in map(np.random.default_rng, range(60))
        ]
    )
    assert (p < 0.05).mean() <= 0.12  # 0.05 is expected; more than 7 of 60 has a chance of 2 %
    assert 0.3 < np.median(p) < 0.7


def test_a_moved_set_is_told_apart_and_its_furthest_photos_come_first() -> None:
    rng = np.random.default_rng(0)
    rows, second = rng.normal(size=(300, 20)).astype(np.float32), np.arange(300) >= 200
    rows[250:, 3] += 4
    found = two_samples.tell_apart(rows, second, np.arange(300), rng)
    assert found.auc > 0.65 > found.chance_high
    assert found.p < 0.01
    assert np.mean(found.rows[:40] >= 250) > 0.9
    assert set(found.rows.tolist()) == set(range(200, 300))


def test_groups_are_shuffled_whole() -> None:
    """Ten bursts of twenty alike photos: the sides differ by chance alone, and only whole bursts show that."""
    rng = np.random.default_rng(1)
    alarms = {True: 0, False: 0}
    for _ in range(30):
        groups = np.repeat(np.arange(10), 20)
        values = rng.normal(size=10)[groups] + 0.05 * rng.normal(size=200)
        second = groups < 4
        alarms[True] += two_samples.ks(values, second, groups, rng).p < 0.05
        alarms[False] += two_samples.ks(values, second, np.arange(200), rng).p < 0.05
    assert alarms[True] <= 6
    assert alarms[False] >= 25


def test_distances_follow_their_definitions() -> None:
    rng = np.random.default_rng(2)
    second = np.array([False] * 4 + [True] * 4)
    apart = two_samples.ks(np.array([1.0, 2, 3, 4, 5, 6, 7, 8]), second, np.arange(8), rng)
    assert apart.distance == 1
    assert two_samples.ks(np.ones(8), second, np.arange(8), rng).distance == 0
    half = two_samples.ks(np.array([1.0, 2, 3, 4, 3, 4, 5, 6]), second, np.arange(8), rng)
    assert half.distance == pytest.approx(0.5)
    # (0.5 - 0.25) ln 2 + (0.5 - 0.75) ln(2/3)
    labels = np.array([0, 1, 1, 1, 0, 0, 1, 1])
    assert two_samples.stability(labels, 2, second) == pytest.approx(0.25 * np.log(2) - 0.25 * np.log(2 / 3))
    assert two_samples.stability(np.tile([0, 1], 4), 2, second) == 0


def test_p_values_are_uniform_where_sets_are_alike() -> None:
    rng = np.random.default_rng(3)
    second, each = np.arange(100) < 30, np.arange(100)
    numbers = np.array([two_samples.ks(rng.normal(size=100), second, each, rng).p for _ in range(100)])
    shares = np.array([two_samples.psi(rng.integers(0, 5, 100), second, each, rng).p for _ in range(100)])
    assert (numbers < 0.1).mean() <= 0.18  # 0.1 is expected; more than 18 of 100 has a chance of half a per cent
    assert (shares < 0.1).mean() <= 0.18
    assert 0.35 < np.median(numbers) < 0.65
    assert 0.35 < np.median(shares) < 0.65


def test_p_gets_as_small_as_the_level_wants() -> None:
    rng, second, each = np.random.default_rng(4), np.arange(200) < 60, np.arange(200)
    moved = rng.normal(size=200) + 3 * second
    assert two_samples.ks(moved, second, each, rng).p == pytest.approx(1 / 501)
    assert two_samples.ks(moved, second, each, rng, 0.0005).p < 0.0005
    assert two_samples.psi((moved > 1.5).astype(np.int64), second, each, rng, 0.0005).p < 0.0005


def test_of_many_questions_none_is_answered_by_chance(monkeypatch) -> None:
    """Twenty alike properties: at a level of 0.01 each, one in five sets would raise an alarm; together 1 % may."""
    rng, split = np.random.default_rng(5), np.arange(120) < 40
    monkeypatch.setattr(shift, "KS", 0.0)
    monkeypatch.setattr(shift, "_labels", lambda request: ())
    monkeypatch.setattr(shift, "_sides", lambda request, rows: [("test", rows, split)])
    asked = SimpleNamespace(dataset=split, deep=None, settings=SimpleNamespace(seed=0))
    alarms = []
    for _ in range(10):
        values = [(f"number {place}", rng.normal(size=120)) for place in range(20)]
        monkeypatch.setattr(shift, "_numbers", lambda request, values=values: values)
        alarms.append(len(shift.shift_properties(asked)))
    assert sum(alarms) <= 1
    moved = [*values[:-1], ("moved", values[-1][1] + 2 * split)]
    monkeypatch.setattr(shift, "_numbers", lambda request: moved)
    assert [finding.measure for finding in shift.shift_properties(asked)] == ["moved"]


def test_the_command_names_the_property_and_the_photos(vision, tmp_path) -> None:
    cv2 = pytest.importorskip("cv2")
    rng = np.random.default_rng(0)
    for split, level in (("train", 60), ("test", 180)):
        for number in range(30):
            folder = tmp_path / "set" / split / "ab"[number % 2]
            folder.mkdir(parents=True, exist_ok=True)
            photo = rng.integers(level - 30, level + 30, (40, 40, 3)).astype(np.uint8)
            cv2.imwrite(str(folder / f"{split}{number}.png"), photo)
    called = vision("data", "check", "set", "--only", "shift-properties", "--json")
    assert called.code == 0, called.err
    reasons = [finding["reason"] for finding in called.document["findings"]]
    assert len(reasons) == 1
    assert reasons[0].startswith("Brightness: test differs from train")
    assert all(place["file"].startswith("test/") for place in called.document["findings"][0]["places"])
