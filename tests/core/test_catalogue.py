"""Tables of names: lazy, guessing, and honest about what is missing."""

import sys
from importlib.metadata import EntryPoint

import pytest

from vision_cli.core.catalogue import Card, Catalogue, hint_for, listed, require, suggestion
from vision_cli.core.errors import MissingPartError, UsageError

CARDS = {
    "coco": Card("wave", "One JSON file"),
    "kitti": Card("absent.module", "A text file a photo", extra="train", needs=("json", "no_such_package_x")),
}


def test_nothing_is_imported_before_it_is_asked_for():
    sys.modules.pop("wave", None)
    formats = Catalogue("dataset format", CARDS)
    assert list(formats) == ["coco", "kitti"]
    assert "coco" in formats
    assert formats.card("coco").summary == "One JSON file"
    assert "wave" not in sys.modules
    assert formats.load("coco").__name__ == "wave"


def test_unknown_names_get_a_guess_and_never_the_nearest():
    formats = Catalogue("dataset format", CARDS)
    with pytest.raises(UsageError) as caught:
        formats.load("coca")
    assert caught.value.message == "unknown dataset format 'coca'."
    assert caught.value.hint == "Did you mean 'coco'?"
    with pytest.raises(UsageError) as caught:
        formats.card("zzz")
    assert caught.value.hint == "Known: coco, kitti."


def test_a_missing_package_names_its_extra_before_any_import():
    with pytest.raises(MissingPartError) as caught:
        Catalogue("dataset format", CARDS).load("kitti")
    assert caught.value.message == (
        "dataset format 'kitti' needs the package 'no_such_package_x', which is not installed."
    )
    assert caught.value.hint == "pip install 'vision-cli[train]'"
    assert caught.value.exit_code == 5


def test_require_passes_what_is_there():
    require(("json", "os"), extra="train", what="x")


@pytest.mark.parametrize(
    ("name", "known", "guess"),
    [("epoch", ["epochs", "seed"], "epochs"), ("f2", ["f1", "map"], None), ("", ["a"], None), ("x", [], None)],
)
def test_suggestion(name, known, guess):
    assert suggestion(name, known) == guess


def test_other_packages_add_lines_but_replace_none(monkeypatch):
    points = [
        EntryPoint("coco", "evil", "vision_cli.formats"),
        EntryPoint("theirs", "wave", "vision_cli.formats"),
    ]
    asked = []

    def entry_points(*, group):
        asked.append(group)
        return points

    monkeypatch.setattr("importlib.metadata.entry_points", entry_points)
    formats = Catalogue("dataset format", CARDS, group="formats")
    assert list(formats) == ["coco", "kitti", "theirs"]
    assert formats.card("coco").module == "wave"
    assert formats.load("theirs").__name__ == "wave"
    assert set(asked) == {"vision_cli.formats"}
    assert list(Catalogue("dataset format", CARDS)) == ["coco", "kitti"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [("Wbc", "WBC"), ("platelet", "Platelets"), ("lr", "learning_rate"), ("x", None), ("zebra", None)],
)
def test_a_name_is_guessed_in_any_case_and_from_its_initials(name, meant):
    assert suggestion(name, ["WBC", "RBC", "Platelets", "learning_rate", "x_ray"]) == meant


LONG = [f"metric_{letter}" for letter in "abcdefghijklmnop"]


def test_a_hint_of_many_names_shows_a_few_that_fit_and_where_all_are_listed():
    told = hint_for("zzz", LONG, fitting=("metric_p", "metric_c", "gone"), listing="vision metrics list")
    assert told.startswith("Known: metric_p, metric_c, metric_a, ")
    assert told.endswith("and 8 more. `vision metrics list` lists all.")
    assert sum(name in told for name in LONG) == 8
    assert hint_for("metric_pp", LONG, listing="x y") == "Did you mean 'metric_p'? `x y` lists all."
    assert all(name in hint_for("zzz", LONG) for name in LONG), "without a command nothing else lists them"
    assert hint_for("zzz", ["a", "b"], listing="x y") == "Known: a, b."
    assert hint_for("zzz", []) == "Known: none."


def test_a_catalogue_says_which_command_lists_it():
    many = Catalogue("format", dict.fromkeys(LONG, CARDS["coco"]), listing="vision data formats", common=("metric_h",))
    with pytest.raises(UsageError) as caught:
        many.card("zzz")
    assert caught.value.hint.startswith("Known: metric_h, metric_a, ")
    assert caught.value.hint.endswith("`vision data formats` lists all.")


def test_long_lists_are_cut():
    assert listed(LONG, 2) == "metric_a, metric_b and 14 more"
    assert listed(["a"]) == "a"
