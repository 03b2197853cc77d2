"""Conditions keep the photos that a slow loop over plain rows keeps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS
from vision_cli.core.config import ViewConfig
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.origin import Origin
from vision_cli.views import sandbox
from vision_cli.views.select import combine
from vision_cli.views.where import holds

Row = dict[str, Any]
Test = Callable[[Row, list[Row]], bool | None]
QUERY = """count('Car|Van|Truck', 'occluded >= 1') >= 2 and count('Pedestrian') >= 1
  and captured_at::time > '20:00' and scene = 'residential'"""
NAMES = ("Car", "Pedestrian", "Truck", "Van", "a|b", "never")


def streets(photos: int = 400, annotations: int = 2000, pixels: str = "exclusive") -> Dataset:
    """Frames with boxes, times and scenes; some of each are unknown, ids have gaps."""
    rng = np.random.default_rng(5)
    ids = np.arange(photos) * 3 + 7
    scenes = pa.array(["residential", "city", None]).take(pa.array(rng.choice([0, 0, 0, 1, 2], photos)))
    base = {
        "id": ids,
        "source": ["s"] * photos,
        "path": [f"{row}.png" for row in range(photos)],
        "width": [100] * photos,
        "height": [50] * photos,
        "split": [None] * photos,
        "group": [None] * photos,
    }
    images = pa.table(base, schema=IMAGE_COLUMNS).append_column("scene", scenes)
    times = pa.array(rng.integers(0, 10**15, photos), pa.timestamp("us"), mask=rng.random(photos) < 0.1)
    images = images.append_column("captured_at", times)
    labels = pa.table(
        {
            "id": np.arange(annotations),
            "image_id": rng.choice(ids, annotations),
            "class_id": pa.array(rng.integers(0, 5, annotations), pa.int32(), mask=rng.random(annotations) < 0.05),
            "value": pa.nulls(annotations, pa.float64()),
        },
        schema=ANNOTATION_COLUMNS,
    )
    occluded = pa.array(rng.integers(0, 3, annotations), pa.int8(), mask=rng.random(annotations) < 0.2)
    labels = labels.append_column("occluded", occluded)
    for name in "xywh":
        labels = labels.append_column(
            name, pa.array(rng.uniform(0, 40, annotations), mask=rng.random(annotations) < 0.1)
        )
    origins = {"s": Origin("kitti", pixels)}  # type: ignore[arg-type]
    return Dataset(images, labels, ClassMap(NAMES), {"s": Path()}, (), origins)


def kept(dataset: Dataset, test: Test) -> list[bool]:
    """Return the truth: one photo after the other."""
    of_photo: dict[int, list[Row]] = {}
    for row in dataset.annotations.to_pylist():
        name = None if row["class_id"] is None else NAMES[row["class_id"]]
        of_photo.setdefault(row["image_id"], []).append({**row, "class": name})
    return [bool(test(photo, of_photo.get(photo["id"], []))) for photo in dataset.images.to_pylist()]


def number(rows: list[Row], *names: str, least: int = -1) -> int:
    return sum(row["class"] in names and (least < 0 or (row["occluded"] or 0) >= least) for row in rows)


def residential(photo: Row, rows: list[Row]) -> bool:
    late = photo["captured_at"] is not None and photo["captured_at"].time() > dt.time(20)
    crowded = number(rows, "Car", "Van", "Truck", least=1) >= 2 and number(rows, "Pedestrian") >= 1
    return crowded and late and photo["scene"] == "residential"


def share(row: Row) -> float:
    return 0.0 if row["w"] is None or row["h"] is None else float(row["w"] * row["h"] / 5000)


CASES: list[tuple[str, Test]] = [
    (QUERY, residential),
    ("has('Car')", lambda _, rows: number(rows, "Car") > 0),
    ("none('Car|Van')", lambda _, rows: number(rows, "Car", "Van") == 0),
    ("count('*') = 0", lambda _, rows: not rows),
    ("has('never')", lambda _, rows: False),
    ("""has('"a|b"|Truck')""", lambda _, rows: number(rows, "a|b", "Truck") > 0),
    ("has('*', 'class = ''Car'' and occluded = 2')", lambda _, rows: number(rows, "Car", least=2) > 0),
    ("max_of('Car', 'share') > 0.1", lambda _, rows: any(row["class"] == "Car" and share(row) > 0.1 for row in rows)),
    ("sum_of('*', 'share') > 0.6", lambda _, rows: sum(map(share, rows)) > 0.6),
    ("min_of('*', 'w') > 10", lambda _, rows: min((r["w"] for r in rows if r["w"] is not None), default=0) > 10),
    ("not (scene = 'city')", lambda photo, _: photo["scene"] == "residential"),
    ("scene is null or has('Van')", lambda photo, rows: photo["scene"] is None or number(rows, "Van") > 0),
    (
        "id in (select image_id from annotations where occluded = 2)",
        lambda _, rows: any(r["occluded"] == 2 for r in rows),
    ),
    ("count('Car') > count('Van') -- more cars", lambda _, rows: number(rows, "Car") > number(rows, "Van")),
]


@pytest.mark.parametrize(("condition", "test"), CASES, ids=[case[0][:30] for case in CASES])
def test_a_condition_keeps_what_a_loop_keeps(condition: str, test: Test) -> None:
    dataset = streets()
    wanted = kept(dataset, test)
    assert holds(dataset, condition).tolist() == wanted
    assert condition == "has('never')" or 0 < sum(wanted) < len(wanted)


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4), st.integers(0, 2), st.integers(0, 3))
@settings(deadline=None, max_examples=10)
def test_counts_of_any_classes(names: list[str], least: int, wanted: int) -> None:
    dataset = streets(60, 200)
    text = "|".join(f'"{name}"' for name in names)
    mask = holds(dataset, f"count('{text}', 'occluded >= {least}') = {wanted}")

    def test(_: Row, rows: list[Row]) -> bool:
        known = [row for row in rows if row["occluded"] is not None]
        return number(known, *names, least=least) == wanted

    assert mask.tolist() == kept(dataset, test)


def test_boxes_that_count_their_last_pixel_are_one_larger() -> None:
    edges, pixels = streets(50, 200), streets(50, 200, "inclusive-0")
    condition = "sum_of('*', 'box_px') > 900"

    def area(more: int) -> Test:
        return lambda _, rows: (
            sum((r["w"] + more) * (r["h"] + more) for r in rows if None not in (r["w"], r["h"])) > 900
        )

    assert holds(edges, condition).tolist() == kept(edges, area(0))
    assert holds(pixels, condition).tolist() == kept(pixels, area(1)) != kept(edges, area(0))


@pytest.mark.parametrize(
    ("condition", "error", "message", "hint"),
    [
        ("sceen = 'x'", UsageError, "there is no column 'sceen'", "Did you mean 'scene'?"),
        ("has('Car', 'ocluded > 1')", UsageError, "there is no column 'ocluded'", "Did you mean 'occluded'?"),
        (
            "has('Car', 'truncated > 0')",
            UsageError,
            "no column 'truncated'",
            "The labels of these sources do not say it.",
        ),
        ("images.nothing = 1", UsageError, "no column 'nothing'", "Columns of photos: id, source"),
        ("count(*) > 1", UsageError, "cannot contain aggregates", ""),
        ("scene = 3", DataError, "Could not convert string", ""),
        ("captured_at::time > 'late'", DataError, "late", ""),
        (
            "id in (select 1 from read_csv('/etc/passwd'))",
            UsageError,
            "reads the project's tables and nothing else",
            "",
        ),
        ("width >", UsageError, "syntax error", ""),
        ("no_such_function(width)", UsageError, "no_such_function", ""),
        ("cont('Car') > 1", UsageError, "there is no function 'cont'", "Did you mean count(classes[, condition])?"),
        ("has('Car', 'maxof(w) > 1')", UsageError, "there is no function 'maxof'", "Did you mean max_of("),
        ("sqare(w) > 1", UsageError, "there is no function 'sqare'", "count, has, none, min_of, max_of, sum_of"),
        ("width", UsageError, "neither true nor false", "count('car') >= 2"),
        ("count('Car')", UsageError, "count('Car') gives a number", "Compare it, as in count('Car') >= 1."),
        ("count('Car') and width > 3", UsageError, "count('Car') gives a number", "Compare it"),
        ("width > 3 or not sum_of('Car', 'w')", UsageError, "sum_of('Car', 'w') gives a number", "Compare it"),
        ("(count('Car'))", UsageError, "a value of type BIGINT", "Compare it"),
        ("count('Car') + 1", UsageError, "a value of type BIGINT", "Compare it"),
        ("scene", UsageError, "a value of type VARCHAR", "scene = 'city'"),
        ("captured_at", UsageError, "a value of type TIMESTAMP", "Compare it"),
        ("has('Car', 'occluded')", UsageError, "a value of type TINYINT", "Compare it"),
    ],
)
def test_what_is_wrong_with_a_condition(condition: str, error: type[Exception], message: str, hint: str) -> None:
    with pytest.raises(error) as caught:
        holds(streets(5, 20), condition, place="vision.yaml:9: data.views.v.where")
    assert str(caught.value).startswith("vision.yaml:9: data.views.v.where: ")
    assert message in str(caught.value)
    assert hint in str(caught.value.hint)  # type: ignore[attr-defined]


def test_a_condition_without_end_is_ended() -> None:
    endless = "id in (with recursive t as (select 1 as a union all select a + 1 from t) select a from t)"
    with pytest.raises(DataError, match="took longer than 1 seconds"):
        holds(streets(5, 20), endless, limits=sandbox.Limits(500, 1.0))


def test_numbers_between_numbers_are_no_bare_questions() -> None:
    dataset = streets(50, 200)
    between = holds(dataset, "2 between count('Van') and count('Car') and (count('Car')) > 0")
    wanted = kept(dataset, lambda _, rows: number(rows, "Van") <= 2 <= number(rows, "Car"))
    assert between.tolist() == list(wanted)
    assert between.any()


def test_a_column_of_truth_needs_no_comparison() -> None:
    dataset = streets(4, 0)
    said = pa.array([True, False, None, True])
    plain = replace(dataset, images=dataset.images.append_column("rain", said).append_column("x", pa.nulls(4)))
    assert holds(plain, "rain").tolist() == [True, False, False, True]
    assert holds(plain, "not rain").tolist() == [False, True, False, False]
    assert holds(plain, "x").tolist() == [False] * 4


def test_no_photo_is_no_error() -> None:
    assert holds(streets(0, 0), QUERY).tolist() == []


def test_a_view_keeps_photos_with_all_their_annotations_under_its_names() -> None:
    view = ViewConfig.model_validate(
        {"from": ["s"], "where": "count('vehicle') >= 3", "map": {"Car": "vehicle", "Van": "vehicle"}}
    )
    dataset = streets()
    found = combine({"s": dataset}, view, [])
    wanted = kept(dataset, lambda _, rows: number(rows, "Car", "Van") >= 3)
    paths = [path for path, keep in zip(dataset.images["path"].to_pylist(), wanted, strict=True) if keep]
    assert found.images["path"].to_pylist() == paths
    assert found.classes.names == ("Pedestrian", "Truck", "a|b", "never", "vehicle")
    assert found.annotations.num_rows == sum(
        len(rows) for rows in [[r for r in dataset.annotations.to_pylist() if r["image_id"] == photo["id"]]
        for photo, keep in zip(dataset.images.to_pylist(), wanted, strict=True) if keep]
    )  # fmt: skip


def test_thousands_of_columns() -> None:
    dataset = streets(20, 50)
    images = dataset.images
    for index in range(3000):
        images = images.append_column(f"m{index}", pa.array([index] * 20))
    wide = Dataset(images, dataset.annotations, dataset.classes, dataset.roots)
    assert holds(wide, "m2999 = 2999 and m0 = 0").all()
    answer = sandbox.run("SELECT * EXCLUDE (m7) FROM images", {"images": images})
    assert answer.table.column_names == [name for name in images.column_names if name != "m7"]
