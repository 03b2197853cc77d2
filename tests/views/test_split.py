"""Splits: shares, groups, classes, stability."""

from __future__ import annotations

import uuid
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_cli.core.config import SplitConfig
from vision_cli.core.errors import DataError, UsageError
from vision_cli.views.dealing import places
from vision_cli.views.split import split

CONFIG = SplitConfig()
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=6)
ROWS = st.dictionaries(NAMES, st.sampled_from("abc"), min_size=1, max_size=60)


def by_path(dataset) -> dict[str, str]:
    return dict(zip(dataset.images["path"].to_pylist(), dataset.splits().tolist(), strict=True))


def mended(dataset) -> int:
    return sum(int(note.split()[0]) for note in dataset.notes if "were moved" in note)


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


@given(ROWS, ROWS)
@settings(deadline=None, max_examples=100)
def test_added_photos_move_no_other(make, old: dict[str, str], new: dict[str, str]) -> None:
    before = split(make(single(old)), CONFIG, "classify")
    after = split(make(single({**new, **old})), CONFIG, "classify")
    changed = by_path(before).items() - by_path(after).items()
    # Only photos that were moved to fill an empty split may differ.
    assert len(changed) <= mended(before) + mended(after)


def test_added_photos_move_no_other_in_a_real_size(make) -> None:
    rows = [row for label in "abcdefgh" for row in unnumbered(label * 3, 40)]
    before = split(make(rows[::2]), CONFIG, "classify")
    after = split(make(rows), CONFIG, "classify")
    assert not mended(after)
    assert by_path(before).items() <= by_path(after).items()


def test_a_new_label_moves_no_photo(make) -> None:
    rows = numbered("a", 60) + numbered("b", 60)
    relabelled = [(path, ["b"] if path.endswith("7.jpg") else labels) for path, labels in rows]
    assert by_path(split(make(rows), CONFIG, "classify")) == by_path(split(make(relabelled), CONFIG, "classify"))


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


@pytest.mark.parametrize("seed", range(5))
def test_numbered_photos_meet_the_shares_in_every_class(make, seed: int) -> None:
    rows = [row for label in "abcdefghij" for row in numbered(label, 40)]
    dataset = split(make(rows), SplitConfig(seed=seed), "classify")
    for name, share in (("train", 0.7), ("val", 0.15), ("test", 0.15)):
        counts = dataset.class_matrix()[dataset.splits() == name].sum(axis=0)
        assert np.abs(counts - 40 * share).max() <= 4
        assert abs(counts.mean() - 40 * share) <= 1


@pytest.mark.parametrize("rows", [numbered("a", 4000), unnumbered("a", 4000)])
def test_shares_are_met_in_large_sets(make, rows) -> None:
    config = SplitConfig(train=0.5, val=0.2, test=0.3)
    counts = Counter(split(make(rows), config, "classify").splits().tolist())
    # Four standard deviations of a binomial draw.
    for name, share in (("train", 0.5), ("val", 0.2), ("test", 0.3)):
        assert abs(counts[name] - 4000 * share) < 4 * np.sqrt(4000 * share * (1 - share))


def test_dealt_places_are_nearer_to_the_share_than_chance() -> None:
    """The claim in the module's docstring: standard deviation 0.7 against 2.3 of a binomial draw."""
    dealt = [(places([f"c{c}/img_{n:03}.jpg" for n in range(40)], 7) < 0.15).sum() for c in range(400)]
    chance = [
        (places([f"c{c}/{'abcdefgh'[n % 8]}{'xyzuv'[n // 8]}.jpg" for n in range(40)], 7) < 0.15).sum()
        for c in range(400)
    ]
    assert np.std(dealt) < 0.9
    assert 2.0 < np.std(chance) < 2.6
    assert abs(np.mean(dealt) - 6) < 0.15
    assert abs(np.mean(chance) - 6) < 0.45


def test_places_are_even_and_apart_from_each_other() -> None:
    keys = [f"{name}.jpg" for name in range(20_000)]
    histogram = np.histogram(places(keys, 1), bins=20, range=(0, 1))[0]
    assert np.abs(histogram - 1000).max() < 4 * np.sqrt(1000)
    assert abs(np.corrcoef(places(keys, 1), places(keys, 2))[0, 1]) < 0.05


@given(st.integers(3, 12), st.integers(0, 50))
@settings(deadline=None, max_examples=60)
def test_a_class_of_three_is_in_every_split(make, count: int, seed: int) -> None:
    rows = [row for label in "abcd" for row in unnumbered(label * 2, count)]
    dataset = split(make(rows), SplitConfig(seed=seed), "classify")
    for name in ("train", "val", "test"):
        assert dataset.class_matrix()[dataset.splits() == name].sum(axis=0).min() >= 1


def test_only_as_many_photos_are_moved_as_splits_were_empty(make) -> None:
    rows = unnumbered("aa", 200) + unnumbered("b", 3)
    plain = np.searchsorted([0.15, 0.3], places([path for path, _ in rows], 7), side="right")
    dataset = split(make(rows), CONFIG, "classify")
    names = np.array(["test", "val", "train"])[plain]
    lacking = 3 - len(set(names[200:]))
    assert (names != dataset.splits()).sum() == lacking
    assert mended(dataset) == lacking


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


def test_values_are_spread_over_every_split(make) -> None:
    rows = [(f"{n}.jpg", []) for n in range(200)]
    for seed in range(20):
        dataset = split(make(rows, values=np.linspace(0, 1, 200).tolist()), SplitConfig(seed=seed), "regress")
        for name in ("train", "val", "test"):
            values = dataset.values()[dataset.splits() == name]
            assert values.min() < 0.2
            assert values.max() > 0.8


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
    assert abs((found == carved).sum() - 200 * 0.15 / 0.85) < 8
    assert dataset.notes == (
        f"No photo comes as {carved}: of 200 train photos {(found == carved).sum()} go to {carved}.",
    )


def test_carving_is_stable_and_stops_at_zero(make) -> None:
    rows, splits = numbered("a", 300), ["train"] * 250 + ["test"] * 50
    more = split(make(rows, splits=splits), CONFIG, "classify")
    less = split(make(rows[100:], splits=splits[100:]), CONFIG, "classify")
    assert by_path(less).items() <= by_path(more).items()
    config = SplitConfig(train=0.8, val=0, test=0.2)
    assert split(make(rows, splits=splits), config, "classify").splits().tolist() == splits


def test_train_alone_is_shared_out(make) -> None:
    dataset = split(make(numbered("a", 100), splits=["train"] * 100), CONFIG, "classify")
    assert set(dataset.splits().tolist()) == {"train", "val", "test"}
    assert dataset.notes[0].startswith("No photo comes as test or val: of 100 train photos")


def test_a_test_set_alone_stays_one(make) -> None:
    dataset = split(make(numbered("a", 10), splits=["test"] * 10), CONFIG, "classify")
    assert dataset.splits().tolist() == ["test"] * 10


def test_photos_without_a_split_join_those_that_have_one(make) -> None:
    splits = ["test"] * 20 + [None] * 100
    dataset = split(make(numbered("a", 120), splits=splits), CONFIG, "classify")
    assert dataset.splits()[:20].tolist() == ["test"] * 20
    assert set(dataset.splits()[20:].tolist()) == {"train", "val", "test"}
    assert dataset.notes == ("20 photos keep the split that they come with.",)


def test_an_empty_data_set_stays_empty(make) -> None:
    assert len(split(make([]), CONFIG, "classify")) == 0
