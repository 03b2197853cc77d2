"""Differences, against an independent diff over dicts."""

import csv
import io
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import version_sets as sets
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_cli.versions.details import csv_bytes
from vision_cli.versions.diff import compare
from vision_cli.versions.matching import Side
from vision_cli.versions.overlap import iou, pair_by_overlap
from vision_cli.versions.pairing import pair, pair_alone

CLASSES = ["car", "van", "bus"]


def box(name, x, y=0.0, w=10.0, h=10.0, **more):
    return {"class": name, "x": float(x), "y": y, "w": w, "h": h, **more}


def diff(before, after, classes=CLASSES, new_classes=None, **more):
    sides = [
        Side(sets.dataset(photos, names, **more), sets.hashes(photos))
        for photos, names in ((before, classes), (after, new_classes or classes))
    ]
    return compare(*sides)


def photo(path, *labels, **more):
    return {"path": path, "sha": f"hash of {path}", "labels": list(labels), **more}


def test_nothing_differs():
    photos = [photo("a", box("car", 1), box("car", 1)), photo("b")]
    found, _ = diff(photos, photos)
    assert found.is_empty
    assert found.sentence() == "nothing that is counted differs"


def test_empty_sets():
    found, _ = diff([], [])
    assert found.is_empty
    found, _ = diff([], [photo("a", box("car", 1))])
    assert (found.photos["added"], found.annotations["added"]) == (1, 1)
    found, _ = diff([photo("a", box("car", 1))], [])
    assert (found.photos["removed"], found.annotations["removed"]) == (1, 1)


def test_photos_added_removed_renamed_and_with_other_bytes():
    before = [photo("a"), photo("b"), photo("c"), photo("d", split="train")]
    after = [photo("a"), {**photo("new/b"), "sha": "hash of b"}, {**photo("c"), "sha": "other"}, photo("e")]
    found, _ = diff(before, after)
    counts = {name: number for name, number in found.photos.items() if number}
    assert counts == {"before": 4, "after": 4, "added": 1, "removed": 1, "renamed": 1, "bytes": 1}


def test_splits_and_facts_are_counted_by_what_they_say():
    before = [photo("a", split="train", scene="city"), photo("b", split=None, scene=None), photo("c", split="val")]
    after = [
        photo("a", split="test", scene="city"),
        photo("b", split="val", scene="x"),
        photo("c", split="val", width=65),
    ]
    found, _ = diff(before, after)
    assert found.splits == {"- -> val": 1, "train -> test": 1}
    assert found.facts == {"scene": 1, "width": 1}
    assert (found.photos["split"], found.photos["facts"]) == (2, 2)


@pytest.mark.parametrize(
    ("before", "after", "changed", "added", "removed"),
    [
        ([box("car", 1)], [box("car", 2)], {"box": 1}, 0, 0),
        ([box("car", 1)], [box("car", 500)], {"box": 1}, 0, 0),  # the only car of the photo
        ([box("car", 1)], [box("van", 1)], {"class": 1}, 0, 0),
        ([box("car", 1)], [box("van", 2)], {"class": 1, "box": 1}, 0, 0),  # an IoU of 0.82
        ([box("car", 1)], [box("van", 9)], {}, 1, 1),
        ([box("car", 1)], [box("car", 1, occluded=2)], {"attributes": 1}, 0, 0),
        ([box("car", 1, outline=b"[[1]]")], [box("car", 1, outline=b"[[2]]")], {"outline": 1}, 0, 0),
        ([box("car", 1, source_id="7")], [box("bus", 90, source_id="7")], {"class": 1, "box": 1}, 0, 0),
        # Renumbered by a tool: the same boxes, other ids.
        ([box("car", 1, source_id="1"), box("car", 50, source_id="2")], [box("car", 50, source_id="1")], {}, 0, 1),
        ([box("car", 1, source_id="1")], [box("car", 1)], {}, 0, 0),
        ([box("car", 0), box("car", 100)], [box("car", 101), box("car", 1)], {"box": 2}, 0, 0),
        ([box("car", 1)] * 3, [box("car", 1)] * 5, {}, 2, 0),
        ([{"class": "car"}], [{"class": "van"}], {"class": 1}, 0, 0),
        ([{"class": "car"}, {"class": "van"}], [{"class": "van"}, {"class": "bus"}], {"class": 1}, 0, 0),
        ([{"class": "car"}, {"class": "van"}], [{"class": "bus"}], {}, 1, 2),
        ([{"class": None, "value": 1.5}], [{"class": None, "value": 2.5}], {"value": 1}, 0, 0),
        ([{"class": None, "value": 0.0}], [{"class": None, "value": None}], {"value": 1}, 0, 0),
    ],
)
def test_annotations_of_a_photo(before, after, changed, added, removed):
    found, _ = diff([photo("a", *before)], [photo("a", *after)])
    assert {kind: number for kind, number in found.changed.items() if number} == changed
    assert (found.annotations["added"], found.annotations["removed"]) == (added, removed)


def test_a_renamed_class_is_no_change_of_its_annotations():
    before = [photo(f"p{n}", box("car", n), box("van", 40)) for n in range(5)]
    after = [photo(f"p{n}", box("auto", n), box("van", 40)) for n in range(5)]
    found, _ = diff(before, after, ["car", "van"], ["auto", "van"])
    assert [(each.before, each.after, each.annotations) for each in found.classes_renamed] == [("car", "auto", 5)]
    assert found.annotations["changed"] == 0
    assert (found.classes_added, found.classes_removed) == ([], [])
    assert [(line.name, line.before, line.after) for line in found.classes] == [("auto", 5, 5), ("van", 5, 5)]


def test_a_renamed_class_folder_moves_photos_and_labels():
    before = [photo(f"car/{n}", {"class": "car"}) for n in range(3)]
    after = [{**photo(f"auto/{n}", {"class": "auto"}), "sha": f"hash of car/{n}"} for n in range(3)]
    found, _ = diff(before, after, ["car"], ["auto"])
    assert found.photos["renamed"] == 3
    assert found.annotations == {"before": 3, "after": 3, "added": 0, "removed": 0, "changed": 0}
    assert [(each.before, each.after) for each in found.classes_renamed] == [("car", "auto")]


def test_a_class_merged_into_another_is_removed_and_its_annotations_change():
    before = [photo("a", box("car", 1), box("van", 30))]
    found, _ = diff(before, [photo("a", box("car", 1), box("car", 30))], ["car", "van"], ["car"])
    assert (found.classes_removed, found.classes_renamed, found.changed["class"]) == (["van"], [], 1)


def test_another_order_of_classes_changes_no_annotation():
    photos = [photo("a", box("car", 1), box("van", 30))]
    found, _ = diff(photos, photos, ["car", "van"], ["van", "car"])
    assert found.classes_reordered
    assert found.annotations["changed"] == 0
    assert not found.is_empty


def test_conventions_that_differ_are_told():
    photos = [photo("a", box("car", 1))]
    one, other = (sets.dataset(photos, CLASSES, pixels=pixels) for pixels in ("inclusive-1", "exclusive"))
    found, _ = compare(Side(one), Side(other))
    assert found.notes == ["box numbers of s count otherwise: inclusive-1, then exclusive."]
    assert not found.bytes_compared


def test_new_columns_are_told_but_for_inner_ones():
    plain = sets.dataset([photo("a", box("car", 1))], CLASSES)
    rich = replace(plain, images=plain.images.append_column("record", [["{}"]]).append_column("speed", [[7]]))
    found, _ = compare(Side(plain), Side(rich))
    assert found.notes == ["columns of photos that are new: speed."]
    found, _ = compare(Side(rich), Side(plain))
    assert found.notes == ["columns of photos that are gone: speed."]


def by_hand(before, after):
    """Count what differs photo by photo, with dicts and multisets."""
    one, other = ({each["path"]: each for each in photos} for photos in (before, after))
    both = one.keys() & other.keys()
    counts = Counter(added=len(other.keys() - both), removed=len(one.keys() - both))
    for path in both:
        counts["split"] += one[path].get("split") != other[path].get("split")
        counts["bytes"] += one[path]["sha"] != other[path]["sha"]
    same = 0
    for path in both:
        labels = [Counter(tuple(sorted(label.items())) for label in each[path]["labels"]) for each in (one, other)]
        same += (labels[0] & labels[1]).total()
    return counts, same


names = st.sampled_from(CLASSES)
labels = st.builds(box, names, st.integers(0, 30), occluded=st.sampled_from([0, 1]))
photos = st.lists(
    st.tuples(st.integers(0, 6), st.lists(labels, max_size=4), st.sampled_from(["train", "val"]), st.booleans()),
    max_size=6,
    unique_by=lambda each: each[0],
).map(
    lambda rows: [
        {"path": f"{at}.jpg", "labels": boxes, "split": split, "sha": f"{at}{other}"}
        for at, boxes, split, other in rows
    ]
)


@settings(max_examples=60, deadline=None)
@given(photos, photos)
def test_counts_are_those_of_a_diff_by_hand(before, after):
    found, changes = diff(before, after)
    counts, same = by_hand(before, after)
    assert {name: found.photos[name] for name in ("added", "removed", "split", "bytes")} == {
        name: counts[name] for name in ("added", "removed", "split", "bytes")
    }
    labels = found.annotations
    unchanged = labels["before"] - labels["removed"] - labels["changed"]
    assert unchanged == same
    assert labels["before"] - labels["removed"] + labels["added"] == labels["after"]
    assert len(set(changes.rows.tolist())) == len(changes.rows) == len(set(changes.others.tolist()))
    for line in found.classes:
        assert line.before - line.removed - line.left + line.came + line.added == line.after
    counted = [Counter(label["class"] for each in photos for label in each["labels"]) for photos in (before, after)]
    assert {line.name: (line.before, line.after) for line in found.classes} == {
        name: (counted[0][name], counted[1][name]) for name in CLASSES
    }


@settings(max_examples=40, deadline=None)
@given(photos, photos)
def test_the_rows_applied_to_the_first_version_give_the_second(before, after):
    """apply(diff(A, B), A) == B, from the CSV alone."""
    sides = [Side(sets.dataset(each, CLASSES), sets.hashes(each)) for each in (before, after)]
    _, changes = compare(*sides)
    rows = list(csv.DictReader(io.StringIO(csv_bytes(sides[0].dataset, sides[1].dataset, changes).decode())))
    place = ("path", "class", "x")
    state = Counter((each["path"], label["class"], label["x"]) for each in before for label in each["labels"])
    goal = Counter((each["path"], label["class"], label["x"]) for each in after for label in each["labels"])
    for row in rows:
        if row["what"] == "annotation":
            ends = [
                tuple(float(row[f"{name}_{side}"]) if name == "x" else row[f"{name}_{side}"] for name in place)
                if row[f"path_{side}"]
                else None
                for side in ("before", "after")
            ]
            state.subtract(Counter([ends[0]] if ends[0] else []))
            state.update(Counter([ends[1]] if ends[1] else []))
    assert +state == goal
    assert not -state


def test_csv_holds_hostile_names():
    path = 'a,"b"\n<script>\u202e.jpg'
    sides = [Side(sets.dataset(each, CLASSES)) for each in ([], [photo(path, box("car", 1))])]
    _, changes = compare(*sides)
    rows = list(
        csv.DictReader(io.StringIO(csv_bytes(sides[0].dataset, sides[1].dataset, changes).decode(), newline=""))
    )
    assert [(row["what"], row["change"], row["path_after"]) for row in rows] == [
        ("photo", "added", path),
        ("annotation", "added", path),
    ]


def test_iou_of_known_boxes():
    one = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 0, 0]], float)
    other = np.array([[0, 0, 10, 10], [5, 0, 10, 10], [20, 0, 10, 10], [0, 0, 0, 0]], float)
    assert iou(one, other).tolist() == [1, 1 / 3, 0, 0]


def test_the_most_overlapping_boxes_are_paired_first():
    boxes = (np.array([[0, 0, 10, 10], [4, 0, 10, 10]], float), np.array([[2, 0, 10, 10], [5, 0, 10, 10]], float))
    photos, names = np.zeros(2, np.int64), np.ones(2, np.uint64)
    rows, others = pair_by_overlap((photos, photos), (names, names), boxes, sure=0.5)
    assert sorted(zip(rows.tolist(), others.tolist(), strict=True)) == [(0, 0), (1, 1)]


def test_pairs_of_keys():
    one, other = np.array([3, 1, 3, 2], np.uint64), np.array([3, 3, 3, 1, 9], np.uint64)
    assert sorted(zip(*(part.tolist() for part in pair(one, other)), strict=True)) == [(0, 0), (1, 3), (2, 1)]
    assert [part.tolist() for part in pair_alone(one, other)] == [[1], [3]]
    nothing = np.empty(0, np.uint64)
    assert [len(part) for part in (*pair(nothing, other), *pair_alone(one, nothing))] == [0, 0, 0, 0]


def test_a_photo_with_thousands_of_boxes_ends():
    rng = np.random.default_rng(0)
    before = [photo("a", *(box(CLASSES[n % 3], x) for n, x in enumerate(rng.uniform(0, 900, 3000))))]
    after = [photo("a", *(box(CLASSES[n % 3], x) for n, x in enumerate(rng.uniform(0, 900, 3000))))]
    found, _ = diff(before, after)
    labels = found.annotations
    assert labels["before"] - labels["removed"] + labels["added"] == labels["after"] == 3000
