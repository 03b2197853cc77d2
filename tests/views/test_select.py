"""Sources that meet in one class map by name."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest
import yaml

from vision_cli.core.config import ViewConfig
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError, UsageError
from vision_cli.views.select import combine


def view(**names: str | None) -> ViewConfig:
    return ViewConfig(sources=["s"], map=names)


def label_sets(dataset) -> dict[str, set[str]]:
    names = dataset.classes.names
    rows = [{names[index] for index in row.nonzero()[0]} for row in dataset.class_matrix()]
    return dict(zip(dataset.images["path"].to_pylist(), rows, strict=True))


def test_sources_meet_by_name_and_not_by_number(make) -> None:
    one = make([("a", ["cat"]), ("b", ["dog"])], source="one")
    two = make([("c", ["ant"]), ("d", ["dog"])], source="two")
    joined = combine({"one": one, "two": two}, None, [])
    assert joined.classes.names == ("ant", "cat", "dog")
    assert label_sets(joined) == {"a": {"cat"}, "b": {"dog"}, "c": {"ant"}, "d": {"dog"}}
    assert joined.images["id"].to_pylist() == [0, 1, 2, 3]
    assert joined.annotations["id"].to_pylist() == [0, 1, 2, 3]
    assert joined.images["source"].to_pylist() == ["one", "one", "two", "two"]
    assert [str(path) for path in joined.paths()] == ["/data/one/a", "/data/one/b", "/data/two/c", "/data/two/d"]


def test_declared_classes_give_the_order(make) -> None:
    dataset = combine({"s": make([("a", ["cat"]), ("b", ["dog"])])}, None, ["zebra", "dog", "cat"])
    assert dataset.classes.names == ("zebra", "dog", "cat")
    assert dataset.class_ids().tolist() == [2, 1]
    assert dataset.notes == ("No photo has the declared class 'zebra'.",)


def test_map_renames_merges_and_drops(make) -> None:
    rows = [("a", ["Cat"]), ("b", ["kitten"]), ("c", ["dog"]), ("d", ["old"])]
    dataset = combine({"s": make(rows)}, view(Cat="cat", kitten="cat", old=None), [])
    assert dataset.classes.names == ("cat", "dog")
    assert label_sets(dataset) == {"a": {"cat"}, "b": {"cat"}, "c": {"dog"}}
    assert dataset.images["id"].to_pylist() == [0, 1, 2]
    assert dataset.notes == ("1 photos of 's' are left out: the view drops their only class.",)


def test_names_can_be_swapped(make) -> None:
    dataset = combine({"s": make([("a", ["cat"]), ("b", ["dog"])])}, view(cat="dog", dog="cat"), [])
    assert label_sets(dataset) == {"a": {"dog"}, "b": {"cat"}}


def test_photos_of_several_labels_stay_when_all_are_dropped(make) -> None:
    rows = [("a", ["snow", "road"]), ("b", ["snow"]), ("c", [])]
    dataset = combine({"s": make(rows)}, view(snow=None), [])
    assert label_sets(dataset) == {"a": {"road"}, "b": set(), "c": set()}


def test_two_labels_merged_into_one_are_one(make) -> None:
    dataset = combine({"s": make([("a", ["cat", "kitten"]), ("b", ["cat"])])}, view(kitten="cat"), [])
    assert dataset.annotations.num_rows == 2
    assert dataset.class_ids().tolist() == [0, 0]


def test_a_map_of_an_unknown_class_is_refused_with_a_guess(make) -> None:
    with pytest.raises(DataError, match="map names 2 classes") as caught:
        combine({"s": make([("a", ["Acme-2019"])])}, view(**{"acme-2019": "acme", "zzz": None}), [])
    assert caught.value.details == ("acme-2019: did you mean 'Acme-2019'?", "zzz")
    assert "Acme-2019" in str(caught.value.hint)


def test_classes_that_are_not_declared_come_with_the_line_to_write(make) -> None:
    rows = [("a", ["Acme"]), ("b", ["acme inc"]), ("c", ["acme"]), ("d", ["no"]), ("e", ["007"])]
    with pytest.raises(DataError, match="4 classes that `classes` does not declare") as caught:
        combine({"s": make(rows)}, None, ["acme", "globex"])
    assert "Acme: did you mean 'acme'?" in caught.value.details
    line = str(caught.value.hint).split("write in the view: ")[1].split(";", 1)[0]
    assert yaml.safe_load(line) == {"map": {"Acme": "acme", "acme inc": "acme", "no": None, "007": None}}
    assert len(combine({"s": make(rows)}, ViewConfig(sources=["s"], **yaml.safe_load(line)), ["acme", "globex"])) == 3


EIGHTY = [("a", ["car"]), ("b", ["bus"]), ("c", ["person"]), ("d", ["dog"]), ("e", ["Cat"])]


def rest(target: str | None, classes: list[str], **names: str | None) -> ViewConfig:
    return ViewConfig(sources=["s"], map={**names, "*": target}, classes=classes)


def test_a_star_drops_what_neither_classes_nor_the_map_name(make) -> None:
    chosen = combine({"s": make(EIGHTY)}, rest(None, ["car", "person"]), [])
    assert chosen.classes.names == ("car", "person")
    assert label_sets(chosen) == {"a": {"car"}, "c": {"person"}}
    of_project = combine({"s": make(EIGHTY)}, rest(None, []), ["person"])
    assert label_sets(of_project) == {"c": {"person"}}
    mapped = combine({"s": make(EIGHTY)}, rest(None, [], bus="car"), [])
    assert label_sets(mapped) == {"a": {"car"}, "b": {"car"}}
    merged = combine({"s": make(EIGHTY)}, rest("other", ["person", "other"]), [])
    assert label_sets(merged) == {"a": {"other"}, "b": {"other"}, "c": {"person"}, "d": {"other"}, "e": {"other"}}


def test_the_refusal_of_many_classes_names_the_star(make) -> None:
    with pytest.raises(DataError, match="3 classes that `classes` does not declare") as caught:
        combine({"s": make(EIGHTY)}, ViewConfig(sources=["s"], classes=["car", "person"]), [])
    assert "--map '*='" in str(caught.value.hint)
    assert '"*": null' in str(caught.value.hint)


def test_classes_that_a_source_lists_are_classes_used_or_not(make) -> None:
    dataset = make(EIGHTY)
    listed = replace(dataset, classes=ClassMap((*dataset.classes.names, "fire hydrant", "zebra")))
    joined = combine({"s": listed}, None, [])
    assert joined.classes.names == ("Cat", "bus", "car", "dog", "fire hydrant", "person", "zebra")
    assert joined.notes == ("No photo has these classes that the sources list: fire hydrant, zebra.",)
    renamed = combine({"s": listed}, view(**{"fire hydrant": None, "zebra": "dog"}), [])
    assert renamed.classes.names == ("Cat", "bus", "car", "dog", "person")
    chosen = combine({"s": listed}, None, ["Cat", "bus", "car", "dog", "person"])  # none of an unlisted class is lost
    assert len(chosen.classes) == 5


def test_a_condition_on_a_class_that_the_star_drops_says_so(make) -> None:
    dropping = rest(None, ["car", "person"]).model_copy(update={"where": "has('dog')"})
    with pytest.raises(UsageError, match="no class is called 'dog'") as caught:
        combine({"s": make(EIGHTY)}, dropping, [])
    assert "map drops the classes that it does not name" in str(caught.value.hint)


def test_values_pass_through(make) -> None:
    dataset = combine({"s": make([("a", []), ("b", [])], values=[1.5, 1.5])}, None, [])
    assert dataset.values().tolist() == [1.5, 1.5]


def test_metadata_of_different_sources(make) -> None:
    one = make([("a", ["x"])], source="one", metadata={"camera": ["leica"], "hour": pa.array([7])})
    two = make([("b", ["x"])], source="two", metadata={"hour": ["eight"], "group": ["g"]})
    images = combine({"one": one, "two": two}, None, []).images
    assert images["camera"].to_pylist() == ["leica", None]
    assert images["hour"].to_pylist() == ["7", "eight"]
    assert images["group"].to_pylist() == [None, "g"]


def test_nothing_left_is_an_empty_data_set(make) -> None:
    dataset = combine({"s": make([("a", ["x"])])}, view(x=None), [])
    assert (len(dataset), dataset.classes.names, dataset.class_matrix().shape) == (0, (), (0, 0))
