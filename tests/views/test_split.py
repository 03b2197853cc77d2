"""Splits: shares to the photo, groups, classes, and stable by memory."""

from __future__ import annotations

import uuid
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vision_cli.core.config import SplitConfig
from vision_cli.core.errors import DataError, UsageError
from vision_cli.views.split import dealt_photos, photo_keys, split

CONFIG = SplitConfig()
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=6)
ROWS = st.dictionaries(NAMES, st.sampled_from("abc"), min_size=1, max_size=60)


def by_path(dataset) -> dict[str, str]:
    return dict(zip(dataset.images["path"].to_pylist(), dataset.splits().tolist(), strict=True))


def single(rows: dict[str, str]) -> list[tuple[str, list[str]]]:
    return [(path, [label]) for path, label in rows.items()]


def numbered(label: str, count: int) -> list[tuple[str, list[str]]]:
    return [(f"{label}/img_{number:04}.jpg", [label]) for number in range(count)]


def unnumbered(label: str, count: int) -> list[tuple[str, list[str]]]:
    rng = np.random.default_rng(len(label))
    return [(f"{label}/{uuid.UUID(bytes=rng.bytes(16))}.jpg", [label]) for _ in range(count)]


@given(ROWS, st.integers(0, 3))
@settings(deadline=None, max_examples=50)
def test_every_photo_has_a_split_whatever_the_order(make, rows: dict[str, str], seed: int) -> None:
    config = SplitConfig(seed=seed)
    found = by_path(split(make(single(rows)), config, "classify"))
    assert set(found.values()) <= {"train", "val", "test"}
    assert found == by_path(split(make(single(rows)[::-1]), config, "classify"))


@given(st.lists(st.tuples(st.integers(0, 12), st.sampled_from("abc")), min_size=1, max_size=80), st.integers(0, 5))
@settings(deadline=None, max_examples=50)
def test_groups_never_stand_on_two_sides(make, rows: list[tuple[int, str]], seed: int) -> None:
    photos = [(f"{row}.jpg", [label]) for row, (_, label) in enumerate(rows)]
    dataset = make(photos, metadata={"burst": [f"g{group}" for group, _ in rows]})
    found = split(dataset, SplitConfig(group="burst", seed=seed), "classify").splits().tolist()
    sides: dict[int, set[str]] = {}
    for (group, _), name in zip(rows, found, strict=True):
        sides.setdefault(group, set()).add(name)
    assert all(len(names) == 1 for names in sides.values())


def test_the_group_column_is_kept_without_asking_and_null_is_no_group(make) -> None:
    groups = [f"g{row // 5}" if row < 100 else None for row in range(200)]
    dataset = make(numbered("a", 200), metadata={"group": groups})
    found = split(dataset, CONFIG, "classify").splits().tolist()
    assert all(len(set(found[start : start + 5])) == 1 for start in range(0, 100, 5))
    assert len(set(found[100:])) == 3


def test_free_photos_follow_their_group(make) -> None:
    splits = ["test", None, None, "train", None, "val"]
    dataset = make(numbered("a", 6), splits=splits, metadata={"group": ["x", "x", "x", "y", "y", "z"]})
    assert split(dataset, CONFIG, "classify").splits().tolist() == ["test"] * 3 + ["train"] * 2 + ["val"]


def test_given_splits_that_part_a_group_are_refused(make) -> None:
    dataset = make(numbered("a", 3), splits=["train", "test", None], metadata={"burst": ["x", "x", "y"]})
    with pytest.raises(DataError, match="1 groups stand on several sides") as caught:
        split(dataset, SplitConfig(group="burst"), "classify")
    assert caught.value.details == ("x: train, test",)


def test_an_unknown_group_column_is_guessed(make) -> None:
    dataset = make(numbered("a", 3), metadata={"burst": ["x", "x", "y"]})
    with pytest.raises(UsageError, match="no column 'bursts'") as caught:
        split(dataset, SplitConfig(group="bursts"), "classify")
    assert caught.value.hint == "Did you mean 'burst'?"


def test_other_seeds_are_other_splits(make) -> None:
    dataset = make(numbered("a", 100))
    splits = {tuple(split(dataset, SplitConfig(seed=seed), "classify").splits().tolist()) for seed in range(20)}
    assert len(splits) == 20
    assert split(dataset, CONFIG, "classify").digest() == split(dataset, CONFIG, "classify").digest()


@given(st.integers(3, 12), st.integers(0, 50))
@settings(deadline=None, max_examples=60)
def test_a_class_of_three_is_in_every_split(make, count: int, seed: int) -> None:
    rows = [row for label in "abcd" for row in unnumbered(label * 2, count)]
    dataset = split(make(rows), SplitConfig(seed=seed), "classify")
    for name in ("train", "val", "test"):
        assert dataset.class_matrix()[dataset.splits() == name].sum(axis=0).min() >= 1


def test_rare_labels_of_multilabel_are_in_every_split(make) -> None:
    rng = np.random.default_rng(3)
    rows = [
        (f"{n}.jpg", [name for name, p in (("common", 0.8), ("rare", 0.08), ("odd", 0.05)) if rng.random() < p])
        for n in range(120)
    ]
    for seed in range(20):
        dataset = split(make(rows), SplitConfig(seed=seed), "multilabel")
        for name in ("train", "val", "test"):
            assert dataset.class_matrix()[dataset.splits() == name].any(axis=0).all()


def test_a_share_of_zero_gets_nothing(make) -> None:
    config = SplitConfig(train=0.8, val=0, test=0.2)
    assert set(split(make(numbered("a", 60)), config, "classify").splits().tolist()) == {"train", "test"}


def test_given_splits_are_kept_and_no_note_is_made(make) -> None:
    splits = ["train", "val", "test"] * 10
    dataset = split(make(numbered("a", 30), splits=splits), CONFIG, "classify")
    assert (dataset.splits().tolist(), dataset.notes) == (splits, ())


@pytest.mark.parametrize(("given_splits", "carved"), [(["train", "test"], "val"), (["train", "val"], "test")])
def test_a_missing_split_is_carved_out_of_train(make, given_splits: list[str], carved: str) -> None:
    splits = ["train"] * 200 + [given_splits[1]] * 50
    dataset = split(make(numbered("a", 250), splits=splits), CONFIG, "classify")
    found = dataset.splits()
    assert set(found[200:].tolist()) == {given_splits[1]}
    assert set(found[:200].tolist()) == {"train", carved}
    assert abs((found == carved).sum() - 200 * 0.15 / 0.85) < 1
    assert dataset.notes == (
        f"No photo comes as {carved}: of 200 train photos {(found == carved).sum()} go to {carved}.",
    )


def test_train_alone_is_shared_out(make) -> None:
    dataset = split(make(numbered("a", 100), splits=["train"] * 100), CONFIG, "classify")
    assert set(dataset.splits().tolist()) == {"train", "val", "test"}
    assert dataset.notes[0].startswith("No photo comes as val or test: of 100 train photos")


def test_a_test_set_alone_stays_one(make) -> None:
    dataset = split(make(numbered("a", 10), splits=["test"] * 10), CONFIG, "classify")
    assert dataset.splits().tolist() == ["test"] * 10


def test_an_empty_data_set_stays_empty(make) -> None:
    assert len(split(make([]), CONFIG, "classify")) == 0


SHARES = st.tuples(*[st.integers(0, 20)] * 3).filter(any)


def shares_of(config: SplitConfig) -> dict[str, float]:
    return {name: getattr(config, name) for name in ("train", "val", "test")}


def memory(dataset) -> dict[str, str]:
    return dict(zip(photo_keys(dataset), dataset.splits().tolist(), strict=True))


def off_by_class(dataset, config: SplitConfig) -> dict[tuple[str, str], float]:
    """By how many photos each split differs from its share of each class."""
    matrix, splits = dataset.class_matrix(), dataset.splits()
    return {
        (label, name): float(matrix[splits == name, index].sum() - share * matrix[:, index].sum())
        for index, label in enumerate(dataset.classes.names)
        for name, share in shares_of(config).items()
    }


@given(st.lists(st.integers(1, 70), min_size=1, max_size=6), SHARES, st.integers(0, 99))
@settings(deadline=None, max_examples=100)
def test_a_fresh_split_meets_the_shares_of_every_class(make, counts: list[int], parts, seed: int) -> None:
    train, val, _ = (part / sum(parts) for part in parts)
    config = SplitConfig(train=train, val=val, test=max(0.0, 1 - train - val), seed=seed)
    rows = [row for label, count in zip("abcdef", counts, strict=False) for row in numbered(label, count)]
    off = off_by_class(split(make(rows), config, "classify"), config)
    for label, count in zip("abcdef", counts, strict=False):
        shares = [share for share in shares_of(config).values() if share > 0]
        # One photo in each split is more than a small class's share; the other splits pay for it.
        paid = sum(max(0.0, 1 - share * count) for share in shares) if count >= len(shares) else 0
        assert max(abs(off[label, name]) for name in shares_of(config)) <= 1 + paid + 1e-6


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [1, 2, 3, 5, 64])
def test_many_classes_meet_the_shares_together(make, count: int, seed: int) -> None:
    rows = [row for label in range(60) for row in numbered(f"c{label}", count)]
    found = Counter(split(make(rows), SplitConfig(seed=seed), "classify").splits().tolist())
    if count == 1:  # what cannot be learnt cannot be judged, but no split is empty
        assert found == {"train": 58, "val": 1, "test": 1}
    elif count in (3, 5):  # one of each class in each split
        assert found == {"train": 60 * (count - 2), "val": 60, "test": 60}
    else:
        assert all(abs(found[name] - 60 * count * share) <= 1 for name, share in shares_of(CONFIG).items())


@given(st.lists(st.dictionaries(NAMES, st.sampled_from("abc"), min_size=1, max_size=25), min_size=2, max_size=5))
@settings(deadline=None, max_examples=60)
def test_added_photos_move_no_other(make, batches: list[dict[str, str]]) -> None:
    rows: dict[str, str] = {}
    known: dict[str, str] = {}
    for batch in batches:
        rows = {**batch, **rows}
        dataset = split(make(single(rows)), CONFIG, "classify", known)
        assert known.items() <= memory(dataset).items()
        known = memory(dataset)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=8), st.integers(0, 9))
@settings(deadline=None, max_examples=60)
def test_shares_are_met_after_any_history_of_additions(make, batches: list[int], seed: int) -> None:
    config, known, total = SplitConfig(seed=seed), {}, 20
    for batch in batches:
        total += batch
        dataset = split(make(unnumbered("a", total) + unnumbered("bb", 40)), config, "classify", known)
        assert max(map(abs, off_by_class(dataset, config).values())) <= 1 + 1e-6
        known = memory(dataset)


def test_without_its_memory_a_split_would_move_photos(make) -> None:
    """What the memory is for: the test before this one would fail for a split that ignores it."""
    before = split(make(unnumbered("a", 60)[:50]), CONFIG, "classify")
    alone = split(make(unnumbered("a", 60)), CONFIG, "classify")
    assert not memory(before).items() <= memory(alone).items()


def test_relabelled_and_vanished_photos_move_no_other(make) -> None:
    rows = numbered("a", 60) + numbered("b", 60)
    known = memory(split(make(rows), CONFIG, "classify"))
    relabelled = [(path, ["b"] if path.endswith("7.jpg") else labels) for path, labels in rows]
    assert memory(split(make(relabelled), CONFIG, "classify", known)) == known
    assert memory(split(make(rows[::3]), CONFIG, "classify", known)).items() <= known.items()


def test_a_new_photo_follows_the_remembered_photos_of_its_group(make) -> None:
    dataset = make(numbered("a", 30), metadata={"group": [f"g{row % 3}" for row in range(30)]})
    known = {"s/a/img_0000.jpg": "val", "s/a/img_0001.jpg": "test", "s/a/img_0002.jpg": "train"}
    found = split(dataset, CONFIG, "classify", known).splits().tolist()
    assert found == ["val", "test", "train"] * 10


def test_a_group_that_the_memory_has_on_two_sides_is_for_training(make) -> None:
    dataset = make(numbered("a", 4), metadata={"group": ["x", "x", "x", "y"]})
    known = {"s/a/img_0000.jpg": "test", "s/a/img_0001.jpg": "train", "s/a/img_0003.jpg": "test"}
    found = split(dataset, CONFIG, "classify", known)
    assert found.splits().tolist() == ["train"] * 3 + ["test"]
    assert found.notes == ("1 photos left the split that is remembered for them: their group stands in another.",)


def test_a_split_of_its_own_comes_before_the_remembered_one(make) -> None:
    dataset = make(numbered("a", 3), splits=["test", None, None], metadata={"group": ["x", "x", "y"]})
    known = {"s/a/img_0000.jpg": "train", "s/a/img_0001.jpg": "train", "s/a/img_0002.jpg": "val"}
    found = split(dataset, CONFIG, "classify", known)
    assert found.splits().tolist() == ["test", "test", "val"]
    assert found.notes[1].startswith("1 photos left the split that is remembered")


@given(st.lists(st.lists(st.integers(1, 6), min_size=12, max_size=40), min_size=1, max_size=3), st.integers(0, 50))
@settings(deadline=None, max_examples=60)
def test_groups_meet_the_shares_within_the_size_of_the_largest(make, sizes: list[list[int]], seed: int) -> None:
    assume(all(0.15 * sum(groups) >= max(groups) for groups in sizes))
    rows, names = [], []
    for label, groups in zip("abc", sizes, strict=False):
        names += [f"{label}{number}" for number, size in enumerate(groups) for _ in range(size)]
        rows += numbered(label, sum(groups))
    config = SplitConfig(seed=seed)
    off = off_by_class(split(make(rows, metadata={"group": names}), config, "classify"), config)
    for label, groups in zip("abc", sizes, strict=False):
        assert max(abs(off[label, name]) for name in shares_of(config)) <= max(groups) + 1e-6


def test_a_class_of_three_groups_is_in_every_split(make) -> None:
    sizes = [10, 10, 10, 1, 30, 2]
    names = [f"g{number}" for number, size in enumerate(sizes) for _ in range(size)]
    rows = numbered("a", 30) + numbered("b", 33)
    for seed in range(10):
        dataset = split(make(rows, metadata={"group": names}), SplitConfig(seed=seed), "classify")
        for name in ("train", "val", "test"):
            assert dataset.class_matrix()[dataset.splits() == name].any(axis=0).all()


@pytest.mark.parametrize("seed", range(3))
def test_multilabel_is_far_nearer_to_the_shares_than_chance(make, seed: int) -> None:
    rng = np.random.default_rng(seed)
    chances = np.geomspace(0.5, 0.02, 12)
    rows = [(f"{n}.jpg", [f"l{k:02}" for k in np.flatnonzero(rng.random(12) < chances)]) for n in range(600)]
    config = SplitConfig(seed=seed)
    off = np.abs(list(off_by_class(split(make(rows), config, "multilabel"), config).values()))
    # Dealt at random, counts are off by 2.4 on average and by some 9 at most.
    assert off.mean() < 0.7
    assert off.max() < 3


def test_values_meet_the_shares_in_every_tenth(make) -> None:
    rows = [(f"{n}.jpg", []) for n in range(200)]
    for seed in range(5):
        config = SplitConfig(seed=seed)
        dataset = split(make(rows, values=np.linspace(0, 1, 200).tolist()), config, "regress")
        tenth = np.minimum((dataset.values() * 10).astype(int), 9)
        for name, share in shares_of(config).items():
            counts = np.bincount(tenth[dataset.splits() == name], minlength=10)
            assert np.abs(counts - 20 * share).max() <= 1 + 1e-6
            assert abs(counts.sum() - 200 * share) <= 1 + 1e-6


def test_carving_is_remembered_and_stops_at_zero(make) -> None:
    rows, splits = numbered("a", 300), ["train"] * 250 + ["test"] * 50
    less = split(make(rows[100:], splits=splits[100:]), CONFIG, "classify")
    more = split(make(rows, splits=splits), CONFIG, "classify", memory(less))
    assert memory(less).items() <= memory(more).items()
    assert abs((more.splits() == "val").sum() - 250 * 0.15 / 0.85) < 1
    config = SplitConfig(train=0.8, val=0, test=0.2)
    assert split(make(rows, splits=splits), config, "classify").splits().tolist() == splits


def test_carving_takes_nothing_from_a_memory_of_another_kind(make) -> None:
    """Once the data brings a test split, what is remembered as test but comes as train does not join it."""
    dataset = make(numbered("a", 40), splits=["train"] * 30 + ["test"] * 10)
    known = {key: "test" for key in photo_keys(dataset)}
    assert Counter(split(dataset, CONFIG, "classify", known).splits().tolist())["test"] == 10


def test_photos_without_a_split_fill_up_those_that_have_one(make) -> None:
    splits = ["test"] * 9 + [None] * 111
    dataset = split(make(numbered("a", 120), splits=splits), CONFIG, "classify")
    assert dataset.splits()[:9].tolist() == ["test"] * 9
    assert Counter(dataset.splits().tolist()) == {"train": 84, "val": 18, "test": 18}
    assert dataset.notes == ("9 photos keep the split that they come with.",)


def test_what_is_dealt_is_what_comes_without_a_split_or_is_carved(make) -> None:
    some = make(numbered("a", 3), splits=["train", None, "test"])
    assert dealt_photos(some, CONFIG).tolist() == [False, True, False]
    carved = make(numbered("a", 3), splits=["train", "train", "test"])
    assert dealt_photos(carved, CONFIG).tolist() == [True, True, False]
    whole = make(numbered("a", 3), splits=["train", "val", "test"])
    assert not dealt_photos(whole, CONFIG).any()


def test_photo_keys_of_two_sources_never_meet(make) -> None:
    keys = photo_keys(make([("b/c.jpg", [])], source="a")) + photo_keys(make([("c.jpg", [])], source="a/b"))
    keys += photo_keys(make([("c.jpg", [])], source="a%2Fb"))
    assert keys == ["a/b/c.jpg", "a%2Fb/c.jpg", "a%252Fb/c.jpg"]


def test_many_labels_at_once_meet_the_shares(make) -> None:
    """Where a split that looks at the rarest label of a photo alone goes astray."""
    rng = np.random.default_rng(0)
    chances = np.geomspace(0.4, 0.01, 60)
    rows = [(f"{n}.jpg", [f"l{k:02}" for k in np.flatnonzero(rng.random(60) < chances)]) for n in range(2000)]
    dataset = split(make(rows), CONFIG, "multilabel")
    assert np.abs(list(off_by_class(dataset, CONFIG).values())).max() < 4
    found = Counter(dataset.splits().tolist())
    assert all(abs(found[name] - 2000 * share) < 4 for name, share in shares_of(CONFIG).items())
