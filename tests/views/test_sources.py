"""Sources of different formats in one view: box numbers, metadata of different types, records, order of classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from vision_cli.core.config import ViewConfig
from vision_cli.core.errors import DataError
from vision_cli.core.origin import Origin
from vision_cli.views.select import combine

BOXES = {"x": [10.0, None], "y": [20.0, None], "w": [4.0, None], "h": [6.0, None]}


def boxed(make, source: str, pixels: str, **columns):
    """Two photos, one with a box, in a convention."""
    dataset = make([("a", ["Car"]), ("b", ["Van"])], source=source)
    labels = dataset.annotations
    for name, values in {**BOXES, **columns}.items():
        labels = labels.append_column(name, pa.array(values))
    return replace(
        dataset, annotations=labels, origins={source: Origin("voc" if pixels[-1] == "1" else "kitti", pixels)}
    )


def boxes(dataset) -> list[tuple[float | None, ...]]:
    return [tuple(row[name] for name in "xywh") for row in dataset.annotations.to_pylist()]


def test_boxes_of_one_convention_stay_as_they_are(make) -> None:
    sources = {name: boxed(make, name, "inclusive-0", record=[b"r", b"s"]) for name in ("one", "two")}
    joined = combine(sources, None, [])
    assert boxes(joined) == [(10, 20, 4, 6), (None,) * 4] * 2
    assert joined.annotations["record"].to_pylist() == [b"r", b"s"] * 2
    assert {origin.pixels for origin in joined.origins.values()} == {"inclusive-0"}
    assert joined.notes == ()


def test_boxes_of_several_conventions_count_edges(make) -> None:
    one, two = boxed(make, "one", "inclusive-0", record=[b"r", b"s"]), boxed(make, "two", "inclusive-1")
    three = boxed(make, "three", "exclusive")
    joined = combine({"one": one, "two": two, "three": three}, None, [])
    nothing = (None,) * 4
    assert boxes(joined) == [(10, 20, 5, 7), nothing, (9, 19, 5, 7), nothing, (10, 20, 4, 6), nothing]
    assert {origin.pixels for origin in joined.origins.values()} == {"exclusive"}
    assert "'one' (inclusive-0), 'two' (inclusive-1) were shifted to count edges" in joined.notes[0]
    assert "record" not in joined.annotations.column_names
    assert boxes(one) == [(10, 20, 4, 6), nothing], "the source itself stays"


def test_a_photo_that_loses_its_only_box_stays(make) -> None:
    view = ViewConfig.model_validate({"from": ["one"], "map": {"Car": None}})
    joined = combine({"one": boxed(make, "one", "exclusive")}, view, [])
    assert joined.images["path"].to_pylist() == ["a", "b"]
    assert joined.classes.names == ("Van",)


def test_equal_boxes_of_merged_classes_stay_two(make) -> None:
    view = ViewConfig.model_validate({"from": ["one"], "map": {"Van": "Car"}})
    dataset = boxed(make, "one", "exclusive")
    labels = pa.concat_tables([dataset.annotations, dataset.annotations])
    assert combine({"one": replace(dataset, annotations=labels)}, view, []).annotations.num_rows == 4


def test_class_ids_that_clash_meet_by_name(make) -> None:
    one, two = (
        make([("a", ["Car"]), ("b", ["Van"])], source="one"),
        make([("c", ["Bus"]), ("d", ["Car"])], source="two"),
    )
    view = ViewConfig.model_validate({"from": ["one", "two"], "classes": ["Van", "Car", "Bus"]})
    joined = combine({"one": one, "two": two}, view, ["never", "used"])
    assert joined.classes.names == ("Van", "Car", "Bus")
    assert joined.annotations["class_id"].to_pylist() == [1, 0, 2, 1]


def test_a_views_own_classes_are_a_declaration(make) -> None:
    view = ViewConfig.model_validate({"from": ["s"], "classes": ["Car"]})
    with pytest.raises(DataError, match="1 classes that `classes` does not declare"):
        combine({"s": make([("a", ["Car"]), ("b", ["Van"])])}, view, [])


@pytest.mark.parametrize(
    ("one", "two", "kind", "values"),
    [
        (pa.array([1, 2], pa.int32()), pa.array([2**40], pa.int64()), pa.int64(), [1, 2, 2**40]),
        (pa.array([1, 2]), pa.array([0.5]), pa.float64(), [1.0, 2.0, 0.5]),
        (pa.array([2**60, 1]), pa.array([0.5]), pa.string(), [str(2**60), "1", "0.5"]),
        (pa.array([1, None]), pa.array(["x"]), pa.string(), ["1", None, "x"]),
        (pa.array([True, False]), pa.array([1]), pa.string(), ["true", "false", "1"]),
        (pa.array([[1, 2], None]), pa.array(["x"]), pa.string(), ["[1, 2]", None, "x"]),
        (pa.nulls(2), pa.array([3]), pa.int64(), [None, None, 3]),
        (pa.array([1, 2], pa.uint64()), pa.array([-1]), pa.string(), ["1", "2", "-1"]),
    ],
)
def test_columns_of_two_types(make, one: pa.Array, two: pa.Array, kind: pa.DataType, values: list[object]) -> None:
    first = make([("a", ["x"]), ("b", ["x"])], source="one", metadata={"fact": one})
    second = make([("c", ["x"])], source="two", metadata={"fact": two})
    joined = combine({"one": first, "two": second}, None, [])
    assert joined.images["fact"].type == kind
    assert joined.images["fact"].to_pylist() == values
    assert ("here it is text" in " ".join(joined.notes)) == (kind == pa.string())


def test_nothing_is_copied_that_nothing_changes(make) -> None:
    dataset = make([(f"{row}", ["x", "y"]) for row in range(5000)], metadata={"fact": list(range(5000))})
    labels = dataset.annotations
    for name in "xywh":
        labels = labels.append_column(name, pa.array(np.arange(10_000.0)))
    dataset = replace(dataset, annotations=labels)
    before = pa.total_allocated_bytes()
    joined = combine({"s": dataset}, None, [])
    assert pa.total_allocated_bytes() - before < 0.15 * (joined.images.nbytes + joined.annotations.nbytes)
    assert joined.images["fact"].chunk(joined.images["fact"].num_chunks - 1).equals(dataset.images["fact"].chunk(0))
    assert np.array_equal(joined.images["id"].to_numpy(), np.arange(5000))
