"""Variety by the Vendi score, and how properties fill their range."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest

from vision_cli.checks import bins, variety


def test_vendi_counts_photos_that_have_nothing_in_common() -> None:
    assert variety.vendi(np.eye(7, dtype=np.float32)) == pytest.approx(7)
    assert variety.vendi(np.repeat(np.eye(7, dtype=np.float32)[:1], 5, axis=0)) == pytest.approx(1)
    # Two pairs of copies: as varied as two.
    assert variety.vendi(np.repeat(np.eye(7, dtype=np.float32)[:2], 2, axis=0)) == pytest.approx(2)
    # Friedman & Dieng, equation 1, for two photos of similarity s: eigenvalues (1 +- s) / 2.
    shares = np.array([0.8, 0.2])
    rows = np.array([[1, 0], [0.6, 0.8]], np.float32)
    assert variety.vendi(rows) == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))
    assert variety.vendi(np.empty((0, 4), np.float32)) == 0


def test_copies_add_no_variety_and_new_photos_do() -> None:
    rng = np.random.default_rng(0)
    new = rng.normal(size=(200, 2000)).astype(np.float32)
    copies = np.repeat(rng.normal(size=(10, 2000)).astype(np.float32), 20, axis=0)
    assert variety.variety(new, rng).growth > 1.9
    assert variety.variety(copies, rng).growth < 1.05


def test_classes_compare_at_the_same_number() -> None:
    rng = np.random.default_rng(1)
    varied, uniform = rng.normal(size=(300, 50)), rng.normal(size=(60, 50)) * 0.05 + 3
    rows, classes = np.concatenate([varied, uniform]).astype(np.float32), np.repeat([0, 1], [300, 60])
    scores = variety.class_varieties(rows, classes, 10, np.random.default_rng(0))
    assert scores[1] < 3 < 20 < scores[0] < 60
    assert variety.class_varieties(rows, classes, 100, np.random.default_rng(0)).keys() == {0}


def test_the_lonely_photo_is_named_first() -> None:
    rng = np.random.default_rng(2)
    rows = (0.3 * rng.normal(size=(200, 20)) + 4 * np.repeat(np.eye(20)[:4], 50, axis=0)).astype(np.float32)
    rows[17] = 4 * np.eye(20)[9]
    distance = variety.loneliness(rows, np.random.default_rng(0))
    assert variety.outlying(distance)[0] == 17
    assert not len(variety.outlying(np.ones(50)))
    unit = rows - rows.mean(axis=0)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -2)
    assert distance == pytest.approx(1 - np.sort(similarity, axis=1)[:, -5], abs=1e-5)


def test_evenness_gaps_and_rare_bins() -> None:
    of = bins.between(np.array([1.0] * 98 + [70.0, 500.0, np.nan]), bins.SIZES_PX, "px")
    assert of.known == 100
    assert of.fullest == ("0 to 8 px", 0.98)
    assert len(of.empty) == 5
    assert of.rare(0.015).tolist() == [98, 99]
    even = bins.Bins(("a", "b", "c", "d"), np.arange(400) % 4)
    assert (even.effective, even.evenness) == (pytest.approx(4), pytest.approx(1))
    assert bins.Bins(("a", "b"), np.zeros(9, np.int64)).evenness == 0


def test_bins_of_positions_hues_times_and_places() -> None:
    at = bins.positions(np.array([0.0, 0.99, 0.5, 1.2, np.nan]), np.array([0.0, 0.99, 0.5, 0.5, 0.5]))
    assert at.of.tolist() == [0, 15, 10, -1, -1]
    colours = bins.hues(np.array([0.0, 359.0, 120.0, 240.0, 10.0, np.nan]), np.array([1.0, 1, 1, 1, 0.05, 1]))
    assert [colours.names[each] if each >= 0 else "" for each in colours.of] == [
        "red",
        "red",
        "green",
        "blue",
        "grey",
        "",
    ]
    times = pa.chunked_array([pa.array([datetime(2024, 7, 1, 21, 5), None, datetime(2024, 12, 1)], pa.timestamp("us"))])
    assert bins.hours(times).of.tolist() == [21, -1, 0]
    assert bins.months(times).of.tolist() == [6, -1, 11]
    places = bins.places(np.array([48.137, 48.138, -33.9, np.nan, 95.0]), np.array([11.575, 11.576, 18.4, 1.0, 1.0]))
    assert (len(places.names), places.of.tolist()) == (2, [1, 1, 0, -1, -1])


def test_the_commands_spreads_name_gaps(vision, tmp_path) -> None:
    rows = ["path,label"]
    cv2 = pytest.importorskip("cv2")
    for number in range(60):
        shade = np.full((48, 48, 3), 40 if number < 57 else 230, np.uint8) + np.arange(48, dtype=np.uint8)[:, None] // 4
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.roll(shade, number, axis=1))
        rows.append(f"{number}.png,{'ab'[number % 2]}")
    (tmp_path / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
    called = vision("data", "check", "labels.csv", "--only", "spread-brightness", "--json")
    assert called.code == 0, called.err
    (finding,) = called.document["findings"]
    assert "95%, in 32 to 64 luma" in finding["reason"]
    assert finding["severity"] == "info"
