"""Outlines: what pycocotools makes of the same polygons, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_cli.core import crossing, outline, outline_columns, rasterise, rle
from vision_cli.core.errors import DataError

GOLDEN = Path(__file__).parents[3] / "shared/data/coco_golden"

# Width, height, polygons; then text, area and box as pycocotools 2.0.11 gives them (frPyObjects, merge).
PYCOCOTOOLS = (
    (
        37,
        26,
        [
            [33.0, 5.0, 9.0, 38.0, -6.0, 35.0, 34.0, 17.0, 9.0, 8.0, 7.0, 16.0, 19.0, 22.0],
            [34.0, 25.0, 43.0, 5.0, 2.0, 25.0, -4.0, -4.0, 20.0, 17.0],
        ],
        "0a0:4L2MO2O1N2O1N2O1N2O0O101N11O0EG69IG79HH89GF;8EH<7DI=6CK>3AN`061N010000MIB9<GE9=2O1N101N01N1NK",
        475,
        (0, 0, 37, 26),
    ),
    (
        39,
        32,
        [
            [19.7, 18.8, 6.4, -5.4, 3.6, 28.6, 4.0, 12.5, -5.8, 35.5, 1.7, 7.4, 38.0, 19.5],
            [36.4, 26.0, 31.1, -1.4, 21.1, 19.4, 37.6, 12.1, 23.9, -3.0, 13.4, 10.2],
        ],
        "<9c013N2N24JI360001O02N2O1N1O2ON1N3N3M2N3L3N100000JEG;6HJ84KK62LO4NN31L04NO03ON034IJ89JB7>KA4?JG1:NDOi00=",
        370,
        (0, 0, 38, 25),
    ),
    (
        11,
        8,
        [[12.97, 42.94, 23.5, 24.25, 25.9, 27.82, 1.54, 16.02, 5.98, 14.12, -1.16, 42.39, 4.75, 27.59]],
        "h2",
        0,
        (0, 0, 0, 0),
    ),
    (3, 14, [[27.0, 1.0, 36.0, 41.0, 39.0, 22.0, 1.0, 4.0, 40.0, 22.0, 3.0, 38.0, 26.0, 22.0]], "Z1", 0, (0, 0, 0, 0)),
    (
        5,
        16,
        [
            [6.0, -4.1, 37.8, 17.4, 21.4, 10.1, 31.6, -4.7, 12.6, -4.5],
            [42.4, 26.9, 15.4, 20.2, 37.6, 11.2, 23.5, 28.2, 11.8, 20.0, 32.3, 39.5, 1.6, 40.7],
        ],
        "`2",
        0,
        (0, 0, 0, 0),
    ),
    (7, 14, [[34.53, 0.84, 14.95, 34.76, -5.29, 25.42, 33.65, 19.65, 30.29, 5.32]], "R3", 0, (0, 0, 0, 0)),
    (
        30,
        10,
        [[3.0, 11.0, 41.0, 23.0, 11.0, 8.0, 42.0, 16.0, 43.0, 20.0, 20.0, 39.0, 31.0, 23.0]],
        "P41d00E000i3",
        4,
        (12, 8, 5, 2),
    ),
    (
        16,
        33,
        [[14.6, 40.1, -2.6, 15.5, 20.0, 41.5, 6.5, 34.3, 27.8, 29.9, 25.5, 42.6, 10.6, 13.9]],
        "c01Q1001O01O01O001O001OOB1LM6786KN2N",
        73,
        (0, 16, 16, 17),
    ),
    (
        35,
        30,
        [[4.65, 39.77, 36.01, -0.38, 24.19, 17.96]],
        "R=2k00000O010000O1000000O0100O10O0100O010O10l0",
        44,
        (13, 3, 21, 27),
    ),
    (
        4,
        9,
        [
            [9.0, 42.0, 17.0, 25.0, 26.0, 3.0, -3.0, 15.0, 32.0, 35.0],
            [30.0, -0.0, 40.0, 34.0, 38.0, 20.0, 40.0, -4.0, -4.0, -5.0, 7.0, 6.0],
        ],
        "b0181O",
        3,
        (2, 0, 2, 2),
    ),
    (
        38,
        9,
        [[-4.1, 23.5, 2.3, 27.9, -4.9, 9.5, 40.9, 20.9, 34.6, 26.9], [3.6, 22.7, -4.0, 34.1, 42.0, 36.7, -3.5, 10.9]],
        "f:",
        0,
        (0, 0, 0, 0),
    ),
    (25, 34, [[25.33, 33.87, 9.69, 37.14, 33.86, 0.46]], "i=1o02O1N2O1N2O1N2O1N2N2O1N2", 135, (12, 14, 13, 20)),
    (
        7,
        33,
        [
            [4.0, 23.0, 26.0, 24.0, -1.0, 27.0, 26.0, 35.0, 34.0, 10.0, 30.0, 37.0],
            [39.0, 2.0, -5.0, 27.0, 5.0, 22.0, 41.0, 13.0, 7.0, 17.0, 27.0, -1.0, 13.0, 1.0],
        ],
        "h1130m00K0YO0k02JNXO012f0OYOO122",
        19,
        (1, 20, 6, 9),
    ),
    (
        10,
        27,
        [
            [12.8, 12.6, 21.0, 4.8, 6.4, 10.5, 16.9, -1.9, 31.6, 23.0, 9.0, -2.1, 32.2, 0.6],
            [0.5, -1.9, 39.3, 7.5, 9.3, 35.6, 25.0, 3.4, 15.7, 38.2],
        ],
        "f13h03M2N3M3M2N3M3M",
        99,
        (2, 0, 8, 22),
    ),
    (7, 35, [[-1.16, 30.37, 32.82, 35.29, 27.71, 12.54, -2.79, 19.94]], "c0<g0000O1000000^O", 88, (0, 18, 7, 13)),
    (
        29,
        37,
        [
            [7.0, 21.0, 31.0, 39.0, 0.0, 3.0, 34.0, 26.0, 30.0, 44.0, 41.0, 36.0, 33.0, 14.0],
            [26.0, 3.0, 32.0, 32.0, 30.0, 16.0],
        ],
        "Y11U10O10000O101O0VOM`04^ONb02]OOc01\\OOd02ZO0f080HYO1f0O[O0f0N\\O2d0M]O3b0M_O3a0LA2j0000DME3:NF191GO81JN53KML0L58JO:2F",
        191,
        (1, 4, 28, 33),
    ),
    (8, 16, [[-4.3, 36.2, 21.1, 13.4, 21.4, 30.1, 13.1, 35.5, 40.0, 13.4]], "P4", 0, (0, 0, 0, 0)),
    (
        32,
        8,
        [[43.65, 1.4, 29.63, 35.27, 40.03, 0.17, -1.41, 43.39, -0.16, 2.84, 22.75, 16.31]],
        "354O001O001O1O00i5",
        23,
        (0, 3, 8, 5),
    ),
)


def parsed(*polygons: list[float]) -> outline.Outline:
    return outline.parse(json.dumps(polygons).encode())


@pytest.mark.parametrize(("width", "height", "polygons", "text", "area", "box"), PYCOCOTOOLS)
def test_polygons_fill_as_in_pycocotools(width, height, polygons, text, area, box):
    shape = parsed(*polygons)
    counts = outline.runs(shape, width, height)
    assert rle.to_text(counts) == text
    assert rle.area(counts) == area
    assert rle.box(counts, height) == box
    mask = outline.mask(shape, width, height)
    assert mask.shape == (height, width)
    assert int(mask.sum()) == area


def test_a_square_fills_its_pixels():
    mask = outline.mask(parsed([1, 1, 4, 1, 4, 3, 1, 3]), 6, 5)
    assert np.argwhere(mask).tolist() == [[1, 1], [1, 2], [1, 3], [2, 1], [2, 2], [2, 3]]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.data())
def test_polygons_far_outside_cost_nothing_and_join_without_holes(width, height, data):
    value = st.floats(-1e6, 1e6, allow_nan=False, width=32)
    ring = st.lists(st.tuples(value, value), min_size=3, max_size=6)
    one, other = (np.array(data.draw(ring)) for _ in range(2))
    masks = [rle.decode(rasterise.runs_of_polygons([each], width, height), height, width) for each in (one, other)]
    both = rle.decode(rasterise.runs_of_polygons([one, other], width, height), height, width)
    assert (both == masks[0] | masks[1]).all()


def test_too_many_crossings_are_refused():
    zigzag = np.array([[(row % 2) * 99_999_999.0, row % 1000] for row in range(400_000)])
    with pytest.raises(DataError, match="crosses columns"):
        rasterise.runs_of_polygons([zigzag], 10_000, 1000)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[[1,2,3]]", "polygon 1 of 1 has 3 values"),
        (b"[[1,2]]", "polygon 1 of 1 has 2 values"),
        (b"[[1,2,3,4]]", "polygon 1 of 1 has 4 values"),
        (b"[[0,0,1,0,1,1],[0,0,1,0,1,1,2]]", "polygon 2 of 2 has 7 values"),
        (b"[[1,2,3,4,5,1e9]]", "no number of pixels"),
        (b"[[1,2,3,4,5,NaN]]", "byte 12"),
        (b"[[1,2,3,4,5,1e999]]", "out of range"),
        (b'[[1,2,3,4,5,"6"]]', r"\$\[0\]\[5\]"),
        (b"[1,2,3,4,5,6]", "no outline"),
        (b"[" * 100_000, "no outline"),
        (b"", "no outline"),
        (b"null", "no outline"),
        (b"\xff", "no outline"),
        (b'{"size":[2,2],"counts":[1.5,2.5]}', "Expected `int`"),
        (b'{"size":[2,2],"counts":[-1,5]}', "run length is -1"),
        (b'{"size":[2,2],"counts":[1,2]}', "make 3 pixels; 2 x 2 are 4"),
        (b'{"size":[2,2],"counts":[5]}', "run length is 5"),
        (b'{"size":[2,2],"counts":[99999999999999999999999]}', "no whole number"),
        (b'{"size":[2,2],"counts":[]}', "0 run lengths"),
        (b'{"size":[2,2],"counts":""}', "it is empty"),
        (b'{"size":[2],"counts":[2]}', "size of a mask has 1 values"),
        (b'{"size":[0,2],"counts":[0]}', "not possible"),
        (b'{"size":[100000,100000],"counts":[10000000000]}', "over 100 megapixels"),
        (b'{"counts":[4]}', "missing required field"),
    ],
)
def test_bad_outlines_are_refused(data, message):
    with pytest.raises(DataError, match=message):
        outline.parse(data)


def test_a_million_points_are_refused_before_any_array_is_made():
    with pytest.raises(DataError, match="1,000,000 points"):
        outline.parse(b"[[" + b",".join([b"1"] * 2_000_000) + b"]]")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_end_in_an_outline_or_a_data_error(data):
    try:
        shape = outline.parse(data)
    except DataError:
        return
    assert isinstance(shape, outline.Polygons | outline.Runs)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.tuples(st.floats(-1e7, 1e7), st.floats(-1e7, 1e7)), min_size=3, max_size=9), max_size=4))
def test_polygons_come_back_to_the_last_bit(rings):
    data = outline.of_polygons([np.array(ring, dtype=np.float64) for ring in rings])
    shape = outline.parse(data)
    assert isinstance(shape, outline.Polygons)
    assert [ring.tolist() for ring in shape.rings] == [[list(point) for point in ring] for ring in rings]
    assert outline.parts(data) == len(rings)


@pytest.mark.parametrize(
    ("data", "parts"),
    [(b"[]", 0), (b"", 0), (b"null", 0), (b" [[1,2,3,4,5,6]]", 1), (b"[[1],[2],[3]]", 3), (b'\n{"size":[1,1]}', -1)],
)
def test_parts_are_counted_from_bytes(data, parts):
    assert outline.parts(data) == parts
    if data[:1] not in b" \n":
        assert outline_columns.parts(pa.array([data, None])).to_pylist() == [parts, 0]


def test_mask_comes_back_and_says_area_and_box():
    mask = np.zeros((5, 7), dtype=bool)
    mask[1:3, 2:5] = True
    data = outline.of_mask(mask)
    shape = outline.parse(data)
    assert (outline.mask(shape, 7, 5) == mask).all()
    assert outline.area(shape) == 6
    assert outline.box(shape) == (2, 1, 3, 2)
    with pytest.raises(DataError, match="7 x 5 pixels, its photo 5 x 7"):
        outline.mask(shape, 5, 7)


def test_area_and_box_of_polygons_are_those_of_the_vertices():
    shape = parsed([0, 0, 4, 0, 4, 3], [10, 10, 12.5, 10, 12.5, 14, 10, 14])
    assert outline.area(shape) == 6 + 10
    assert outline.box(shape) == (0, 0, 12.5, 14)
    assert outline.box(outline.Polygons(())) == (0, 0, 0, 0)


def test_iou_as_in_pycocotools():
    """Figures of pycocotools 2.0.11: iou of these two in 20 x 20, and with the second one a crowd."""
    one, other = parsed([2, 2, 12, 2, 12, 12, 2, 12]), parsed([6.5, 1, 18, 9, 4, 17])
    assert outline.iou(one, other, 20, 20) == pytest.approx(0.41258741, abs=1e-8)
    assert outline.iou(one, other, 20, 20, crowd=True) == pytest.approx(0.59)
    assert outline.iou(one, one, 20, 20) == 1
    assert outline.iou(one, parsed([30, 30, 40, 30, 40, 40]), 20, 20) == 0


def test_columns_agree_with_single_outlines():
    shapes = [b"[[0,0,4,0,4,3]]", b"[[0,0,1,0,1,1],[5,5,9,5,9,9,5,9]]", b"[[-1.5,2,3,2,3,7.25]]"]
    with_mask = [*shapes, outline.of_mask(np.eye(4, dtype=bool)), None]
    for column in (shapes, with_mask, with_mask * 3000):
        areas, boxes = outline_columns.areas(pa.array(column)), outline_columns.boxes(pa.chunked_array([column]))
        for row, data in list(enumerate(column))[:5]:
            if data is None:
                assert np.isnan(areas[row])
                assert np.isnan(boxes[row]).all()
            else:
                assert areas[row] == outline.area(outline.parse(data))
                assert boxes[row].tolist() == list(outline.box(outline.parse(data)))
        assert outline_columns.faults(pa.array(column)) == []


def test_faults_name_their_rows():
    column = [b"[[0,0,4,0,4,3]]"] * 5000
    column[3], column[4097] = b"[[1,2,3]]", b"{"
    found = outline_columns.faults(pa.array(column))
    assert [row for row, _ in found] == [3, 4097]
    assert "3 values" in found[0][1].message


@pytest.mark.parametrize(
    ("ring", "crosses"),
    [
        ([[0, 0], [2, 2], [2, 0], [0, 2]], True),
        ([[0, 0], [2, 0], [2, 2], [0, 2]], False),
        ([[0, 0], [4, 0], [4, 4], [2, 0], [0, 4]], False),
        ([[0, 0], [6, 0], [6, 6], [0, 6], [0, 0], [2, 2], [2, 4], [4, 4], [4, 2], [2, 2]], False),
        ([[0, 0], [4, 0], [4, 1], [1, 1], [1, 0], [3, 0], [3, 5], [0, 5]], True),
    ],
)
def test_polygons_that_cross_themselves(ring, crosses):
    assert crossing.crosses_itself(np.array(ring, dtype=float)) is crosses


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=9, unique=True))
def test_crossings_as_a_slow_comparison_of_all_pairs_finds_them(points):
    def side(a, b, c):
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    edges = list(zip(points, points[1:] + points[:1], strict=True))
    proper = any(
        side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
        for place, (a, b) in enumerate(edges)
        for c, d in edges[:place]
    )
    found = crossing.crosses_itself(np.array(points, dtype=float))
    assert found or not proper
    if found and not proper:  # then edges lie on one another
        assert any(side(a, b, c) == 0 == side(a, b, d) for place, (a, b) in enumerate(edges) for c, d in edges[:place])


def test_a_hopelessly_intricate_polygon_is_no_endless_question():
    assert crossing.crosses_itself(np.random.default_rng(0).uniform(0, 100, (100_000, 2))) is None


@pytest.mark.skipif(not GOLDEN.is_dir(), reason="the shared data are not here")
def test_areas_of_real_polygons_are_those_that_coco_states():
    document = json.loads((GOLDEN / "instances_val2014_100.json").read_bytes())
    polygons = [each for each in document["annotations"] if isinstance(each["segmentation"], list)]
    assert len(polygons) > 800
    column = pa.array([json.dumps(each["segmentation"]).encode() for each in polygons])
    stated = np.array([each["area"] for each in polygons])
    assert np.allclose(outline_columns.areas(column), stated, rtol=1e-9, atol=0)
    boxes = np.array([each["bbox"] for each in polygons])
    assert np.abs(outline_columns.boxes(column) - boxes).max() <= 1.0
    assert outline_columns.faults(column) == []


@pytest.mark.skipif(not GOLDEN.is_dir(), reason="the shared data are not here")
def test_texts_of_real_masks_come_back():
    results = json.loads((GOLDEN / "instances_val2014_fakesegm100_results.json").read_bytes())
    for each in results[::5]:
        shape = outline.parse(json.dumps(each["segmentation"]).encode())
        assert isinstance(shape, outline.Runs)
        assert rle.to_text(shape.counts) == each["segmentation"]["counts"]
        mask = outline.mask(shape, shape.width, shape.height)
        assert outline.of_mask(mask) == json.dumps(each["segmentation"] | {}, separators=(",", ":")).encode() or (
            rle.encode(mask) == shape.counts.tolist()
        )
