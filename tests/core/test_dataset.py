"""The columns that everything is made of."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision_cli.core.columns import MORE_ANNOTATION_COLUMNS
from vision_cli.core.containment import Containment, contained
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.photo_labels import PhotoColumns, PhotoLabels, build


def dataset(root: Path = Path("/data")) -> Dataset:
    photos = PhotoColumns(["a.jpg", "b.jpg", "c.jpg"], [(4, 3)] * 3, ["train", None, "test"], {"group": [1, None, "x"]})
    return build("s", root, photos, PhotoLabels(ClassMap(("cat", "dog", "emu")), [(0, 1), (1, 0), (2, 0), (2, 1)]))


def test_labels_as_matrix_follow_the_photos_through_a_selection() -> None:
    matrix = np.array([[0, 1, 0], [1, 0, 0], [1, 1, 0]], dtype=bool)
    assert (dataset().class_matrix() == matrix).all()
    for mask in ([True, False, True], [False, False, True], [False, False, False]):
        part = dataset().select(np.array(mask))
        assert (part.class_matrix() == matrix[mask]).all()
        assert len(part) == sum(mask)


def test_one_class_a_photo_or_a_refusal_that_names_the_photos() -> None:
    assert dataset().select(np.array([True, True, False])).class_ids().tolist() == [1, 0]
    with pytest.raises(DataError, match="1 of 3 photos have no class or several") as caught:
        dataset().class_ids()
    assert caught.value.details == ("c.jpg",)


def test_values_come_in_the_order_of_the_photos() -> None:
    photos = PhotoColumns(["a", "b"], [(1, 1)] * 2, [None] * 2)
    whole = build("s", Path(), photos, PhotoLabels(value_rows=[(1, 2.5), (0, -1.0)]))
    assert whole.values().tolist() == [-1.0, 2.5]
    assert whole.select(np.array([False, True])).values().tolist() == [2.5]
    for rows in ([(0, 1.0)], [(0, 1.0), (0, 2.0)], [(0, 1.0), (0, 1.0), (1, 2.0)]):
        with pytest.raises(DataError, match="needs one each"):
            build("s", Path(), photos, PhotoLabels(value_rows=rows)).values()


def test_splits_groups_and_metadata_columns() -> None:
    whole = dataset()
    assert whole.splits().tolist() == ["train", "", "test"]
    assert whole.split("test").images["path"].to_pylist() == ["c.jpg"]
    assert whole.split("all") is whole
    assert whole.images["group"].to_pylist() == ["1", None, "x"]
    assert whole.with_splits(["val", "", None]).images["split"].to_pylist() == ["val", None, None]


def test_another_class_map_goes_by_name() -> None:
    other = dataset().with_classes(ClassMap(("dog", "yak", "cat")))
    assert other.class_matrix().tolist() == [[True, False, False], [False, False, True], [True, False, True]]
    assert dataset().with_classes(ClassMap(("dog",))).class_matrix().tolist() == [[True], [False], [True]]


def test_class_names_are_distinct_and_found_by_name() -> None:
    assert ClassMap(("cat", "dog")).index("dog") == 1
    with pytest.raises(DataError, match="no class is called 'cow'"):
        ClassMap(("cat",)).index("cow")
    for names in (("cat", "dog", "cat"), ("cat", "")):
        with pytest.raises(DataError, match="distinct and not empty"):
            ClassMap(names)


@given(st.lists(st.text(min_size=1), unique=True, min_size=2))
def test_the_digest_of_classes_knows_their_order(names: list[str]) -> None:
    assert ClassMap(tuple(names)).digest == ClassMap(tuple(list(names))).digest
    assert ClassMap(tuple(names)).digest != ClassMap(tuple(names[::-1])).digest


def test_the_digest_knows_paths_splits_labels_and_nothing_of_the_order() -> None:
    rows = [("a", "x", 0), ("b", None, 1), ("c", "y", 1)]

    def digest(rows: list[tuple[str, str | None, int]], names: tuple[str, ...] = ("cat", "dog")) -> str:
        photos = PhotoColumns([row[0] for row in rows], [(1, 1)] * len(rows), [row[1] for row in rows])
        labels = PhotoLabels(ClassMap(names), [(index, row[2]) for index, row in enumerate(rows)])
        return build("s", Path(), photos, labels).digest()

    same, changed = digest(rows), []
    assert digest(rows[::-1]) == same
    changed.append(digest([("z", "x", 0), *rows[1:]]))
    changed.append(digest([("a", "test", 0), *rows[1:]]))
    changed.append(digest([("a", "x", 1), *rows[1:]]))
    changed.append(digest(rows[1:]))
    changed.append(digest(rows, ("dog", "cat")))
    assert len({same, *changed}) == 6


def test_the_digest_knows_boxes_and_nothing_of_ids_and_order() -> None:
    def digest(boxes: list[tuple[float | None, str | None]], ids: list[str] = ["a", "b"]) -> str:  # noqa: B006
        photos = PhotoColumns(["p"], [(9, 9)], [None])
        dataset = build("s", Path(), photos, PhotoLabels(ClassMap(("cat",)), [(0, 0), (0, 0)]))
        columns = {"x": [x for x, _ in boxes], "attributes": [text for _, text in boxes], "source_id": ids}
        annotations = dataset.annotations
        for name, column in columns.items():
            annotations = annotations.append_column(
                name, pa.array(column, type=MORE_ANNOTATION_COLUMNS.field(name).type)
            )
        return replace(dataset, annotations=annotations).digest()

    same = digest([(1.0, None), (2.0, None)])
    assert digest([(2.0, None), (1.0, None)], ["b", "a"]) == same
    others = [
        digest([(1.0, None), (2.5, None)]),
        digest([(1.0, None), (None, None)]),
        digest([(1.0, "{}"), (2.0, None)]),
    ]
    assert len({same, *others}) == 4


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a root with links inside, outside and in a loop."""
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub/a.jpg").touch()
    (tmp_path / "secret").touch()
    (tmp_path / "rootless").mkdir()
    (root / "out").symlink_to(tmp_path)
    (root / "in").symlink_to(root / "sub")
    (root / "leak.jpg").symlink_to(tmp_path / "secret")
    (root / "inner.jpg").symlink_to(root / "sub/a.jpg")
    (root / "loop").symlink_to(root / "loop")
    return root


INSIDE = [
    "sub/a.jpg",
    "in/a.jpg",
    "inner.jpg",
    "sub/../sub/a.jpg",
    "not/there.jpg",
    ".",
    "sub/.",
    "out/root/sub/a.jpg",
    "é/[/].jpg",
]
OUTSIDE = [
    "/etc/passwd",
    "../secret",
    "sub/../../secret",
    "out/secret",
    "leak.jpg",
    "..",
    "sub/../..",
    "../rootless/x",
    "a\0b",
]


@pytest.mark.parametrize("path", INSIDE)
def test_paths_below_the_root_are_taken(tree: Path, path: str) -> None:
    assert contained(tree, path) == tree / path


@pytest.mark.parametrize("path", OUTSIDE)
def test_paths_that_lead_out_are_refused(tree: Path, path: str) -> None:
    with pytest.raises(DataError, match="leads out of") as caught:
        contained(tree, path)
    assert caught.value.exit_code == 3


def test_a_root_that_is_itself_a_link(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(tree)
    assert contained(tmp_path / "alias", "sub/a.jpg").is_file()
    with pytest.raises(DataError):
        contained(tmp_path / "alias", "leak.jpg")


@given(st.lists(st.sampled_from(["sub", "in", "out", "..", ".", "a.jpg", "leak.jpg", "loop", "root", ""]), max_size=6))
def test_containment_agrees_with_the_plain_definition(parts: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        (root / "sub").mkdir(parents=True)
        (root / "out").symlink_to(folder)
        (root / "in").symlink_to(root / "sub")
        (root / "leak.jpg").symlink_to("/etc/hosts")
        relative = "/".join(parts)
        plain = not relative.startswith("/") and Path(os.path.realpath(f"{root}/{relative}")).is_relative_to(
            os.path.realpath(root)
        )
        fence = Containment(root)
        assert fence.holds(relative) == plain
        assert fence.holds(relative) == plain  # from the remembered folder


def test_paths_are_absolute_and_contained(tree: Path) -> None:
    def of(*paths: str) -> Dataset:
        return build("s", tree, PhotoColumns(paths, [(1, 1)] * len(paths), [None] * len(paths)), PhotoLabels())

    assert of("sub/a.jpg", "inner.jpg").paths() == [tree / "sub/a.jpg", tree / "inner.jpg"]
    with pytest.raises(DataError, match=r"leak\.jpg"):
        of("sub/a.jpg", "leak.jpg").paths()
