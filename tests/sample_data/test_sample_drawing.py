"""The drawing itself, against plane geometry worked out by hand."""

import numpy as np
import pytest
from drawing.camera import develop
from drawing.canvas import Canvas, View
from drawing.light import choose_light
from drawing.noise import Noise
from drawing.stage import Look, Piece, render
from drawing.terrain import Terrain, look

VIEW = View((80, 60), focal_px=80, horizon_px=30, eye_m=2)


def blank() -> Canvas:
    return Canvas.blank(VIEW, choose_light(np.random.default_rng(0), "winter", may_be_dark=False))


def box(left: float, top: float, right: float, bottom: float) -> list[tuple[float, float]]:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def test_snow_share_is_the_area_that_was_painted_white() -> None:
    canvas = blank()
    canvas.polygon(box(-1, -1, 81, 29.5), (1, 1, 1), 5, snow=1)
    share = develop(canvas.rgb, canvas.cover, np.random.default_rng(0), (40, 30)).cover["snow"]
    assert share == pytest.approx(0.5, abs=0.02)


def test_what_stands_before_snow_hides_it_and_what_stands_behind_does_not() -> None:
    canvas = blank()
    canvas.polygon(box(-1, -1, 81, 61), (1, 1, 1), 5, snow=1)
    canvas.depth[:] = 5
    canvas.polygon(box(-1, -1, 39.5, 61), (0, 0, 0), 3)
    canvas.polygon(box(-1, -1, 81, 61), (0, 0, 0), 9)
    assert canvas.cover["snow"].mean() == pytest.approx(0.5, abs=0.01)


def test_rays_meet_level_ground_at_the_distance_of_the_pinhole_formula() -> None:
    flat = Terrain(Noise(np.random.default_rng(1)), hills_m=0, mountains_m=0, mountains_from_m=1e3, base_m=-1)
    hits = look(flat, VIEW)
    rows = np.arange(34, 60)
    assert hits.z[rows, 40] == pytest.approx(VIEW.focal_px * VIEW.eye_m / (rows + 0.5 - VIEW.horizon_px), rel=0.02)
    assert hits.sky[:29].all()
    assert hits.water[40:].min() == 1


def test_a_board_spans_focal_times_width_over_distance() -> None:
    board = Piece((-1, 0, 4), (2, 0, 0), (0, 1, 0), lambda at: np.ones((len(at.u), 3), np.float32), glow=1)
    dark = Look((0, 0.5, 0), focal=1.0, sky=((0, 0, 0), (0, 0, 0)), clouds=-9, haze_m=1e9)
    picture = render([board], dark, Noise(np.random.default_rng(2)), (80, 60))
    white = picture.min(axis=-1) > 128
    assert white.any(axis=0).sum() == 80 * 2 / 4
    assert white.any(axis=1).sum() == 80 * 1 / 4


def test_a_roof_throws_its_shadow_where_the_sun_says() -> None:
    def white(at: object) -> np.ndarray:
        return np.ones((len(at.u), 3), np.float32)  # type: ignore[attr-defined]

    floor = Piece((-4, 0, 2), (8, 0, 0), (0, 0, 8), white, casts=False)
    roof = Piece((1, 2, 4), (1, 0, 0), (0, 0, 2), white)
    camera = Look(
        (0, 9, 6), pitch=-89.9, focal=0.8, sun=(1, 1, 0), sunshine=(0.5, 0.5, 0.5), ambient=(0.3, 0.3, 0.3), haze_m=1e9
    )
    picture = render([floor, roof], camera, Noise(np.random.default_rng(3)), (80, 80))
    scale = 0.8 * 80 / 9

    def at(x: float) -> int:
        return int(picture[40, int(40 + x * scale), 0])

    assert at(-0.5) < 0.6 * at(-1.5)  # the roof spans x = 1..2 at height 2, the sun stands at 45 degrees: x = -1..0
    assert at(0.5) == pytest.approx(at(-1.5), abs=8)


def test_noise_is_bounded_smooth_and_periodic() -> None:
    noise = Noise(np.random.default_rng(4))
    x = np.linspace(0, 40, 4001, dtype=np.float32)
    values = noise.value(x, x * 0 + 3.3)
    assert np.abs(values).max() <= 1
    assert np.abs(np.diff(values)).max() < 0.04
    assert noise.value(x + 256, x * 0 + 3.3) == pytest.approx(values, abs=1e-3)
