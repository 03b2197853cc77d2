"""splits.json: what was dealt once stays, on this machine and in a fresh clone."""

import errno
import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vision_cli.core import project
from vision_cli.core.errors import DataError
from vision_cli.core.progress import Silent
from vision_cli.stages import split_memory
from vision_cli.stages.data import load_view
from vision_cli.stages.split_memory import SplitMemory
from vision_cli.stages.training.train import TrainRequest, train

PROJECT = """
version: 1
name: seasons
data:
  sources:
    photos: {path: photos}
  split: {train: 0.7, val: 0.15, test: 0.15, seed: 7}
"""


def add_photos(root: Path, label: str, names) -> None:
    folder = root / "photos" / label
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new("RGB", (4, 3), (len(name) * 20, 90, 30)).save(folder / f"{name}.png")


@pytest.fixture
def root(tmp_path) -> Path:
    folder = tmp_path / "project"
    for label in ("summer", "winter"):
        add_photos(folder, label, [f"{number:03}" for number in range(20)])
    (folder / "vision.yaml").write_text(PROJECT)
    return folder


def view(root: Path, *overrides: str, remember: bool = True):
    found = project.load(root / "vision.yaml", overrides, environment={})
    return load_view(found, remember=remember).dataset


def splits(dataset) -> dict[str, str]:
    columns = (dataset.images["source"].to_pylist(), dataset.images["path"].to_pylist())
    return {f"{name}/{path}": split for name, path, split in zip(*columns, dataset.splits().tolist(), strict=True)}


def stored(root: Path) -> dict[str, object]:
    return json.loads((root / "splits.json").read_text())


def test_the_file_says_how_and_names_each_photo_on_one_sorted_line(root):
    dataset = view(root)
    document = stored(root)
    assert {key: document[key] for key in list(document)[:4]} == {
        "version": 1,
        "seed": 7,
        "shares": {"test": 0.15, "train": 0.7, "val": 0.15},
        "group": None,
    }
    assert document["photos"] == splits(dataset)
    lines = [line.strip() for line in (root / "splits.json").read_text().splitlines() if ".png" in line]
    assert len(lines) == 40
    assert lines == sorted(lines)


def test_added_photos_add_lines_and_change_none(root):
    before = splits(view(root))
    old = (root / "splits.json").read_text().replace(",\n", "\n").splitlines()
    add_photos(root, "winter", [f"{number:03}x" for number in range(0, 30, 3)])
    dataset = view(root)
    assert before.items() < splits(dataset).items()
    new = (root / "splits.json").read_text().replace(",\n", "\n").splitlines()
    position = iter(new)
    assert all(line in position for line in old)
    assert len(new) == len(old) + 10
    assert dataset.notes == ("10 new photos were shared out; splits.json keeps the others where they were.",)


def test_a_fresh_clone_has_the_same_split_and_without_the_file_another(root, tmp_path):
    view(root)
    for batch in range(3):
        add_photos(root, "winter", [f"{batch}-{number}" for number in range(7)])
        grown = view(root)
    clone, bare = tmp_path / "clone", tmp_path / "bare"
    shutil.copytree(root, clone)
    shutil.copytree(root, bare, ignore=shutil.ignore_patterns("splits.json"))
    assert view(clone).digest() == grown.digest()
    assert view(bare).digest() != grown.digest()


def test_nothing_is_written_when_nothing_was_dealt(root):
    view(root)
    before = (root / "splits.json").stat()
    view(root)
    after = (root / "splits.json").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_photos_with_a_split_of_their_own_need_no_file(root):
    folder = root / "photos"
    for label in ("summer", "winter"):
        for split, chosen in (("train", "0*"), ("val", "010*"), ("test", "011*")):
            (folder / split / label).mkdir(parents=True)
            for path in sorted((folder / label).glob(chosen))[: 8 if split == "train" else 1]:
                path.rename(folder / split / label / path.name)
        shutil.rmtree(folder / label)
    (root / "splits.json").write_text("not even JSON")
    assert set(splits(view(root)).values()) == {"train", "val", "test"}
    assert (root / "splits.json").read_text() == "not even JSON"


def test_a_dry_run_and_a_reader_write_nothing(root):
    found = project.load(root / "vision.yaml", environment={})
    train(TrainRequest(found, dry_run=True), Silent())
    view(root, remember=False)
    assert sorted(path.name for path in root.iterdir() if path.suffix == ".json") == []


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (("data.split.seed=8",), "seed 7 instead of 8"),
        (("data.split.val=0.2", "data.split.test=0.1"), "val 0.15 instead of 0.2, test 0.15 instead of 0.1"),
        (("data.split.group=path",), "group none instead of path"),
    ],
)
def test_other_settings_deal_anew_and_say_so(root, overrides, reason):
    before = splits(view(root))
    dataset = view(root, *overrides)
    assert dataset.notes == (f"All photos are dealt anew: splits.json was made with {reason}.",)
    assert splits(dataset) != before
    assert stored(root)["photos"] == splits(dataset)
    assert view(root, *overrides).notes == ()


def test_vanished_photos_are_remembered_until_they_come_back(root):
    before = splits(view(root))
    shutil.move(root / "photos" / "winter", root / "away")
    shutil.copytree(root / "away", root / "photos" / "other")
    view(root)
    shutil.rmtree(root / "photos" / "other")
    shutil.move(root / "away", root / "photos" / "winter")
    assert splits(view(root)) == before


def test_two_views_share_one_memory(root):
    text = PROJECT.replace("  split:", "    more: {path: more}\n  views:\n    one: {from: [more]}\n  split:")
    (root / "vision.yaml").write_text(text)
    shutil.copytree(root / "photos", root / "more")
    found = project.load(root / "vision.yaml", environment={})
    one = splits(load_view(found, "one").dataset)
    assert one.items() < splits(load_view(found, "all").dataset).items()
    assert len(stored(root)["photos"]) == 80


def edited(**changes) -> str:
    document = {"version": 1, "seed": 7, "shares": {"train": 0.7}, "group": None, "photos": {"a/b.png": "train"}}
    return json.dumps({key: value for key, value in {**document, **changes}.items() if value != "absent"}, indent=2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "splits.json:1: not JSON"),
        (edited().replace('  "photos"', '<<<<<<< HEAD\n  "photos"'), "splits.json:8: not JSON"),
        ('{"photos": {"a/b": "train", "a/b": "test"}}', "'a/b' is there twice"),
        ("[" * 100_000, "splits.json"),
        (edited(version=2), "has version 2, and this program knows 1"),
        (edited(photos={"a/b": "trian"}), "a/b: 'trian' is no split (train, val, test)"),
        (edited(photos={"a/b": ["train"]}), "a/b: ['train'] is no split"),
        (edited(photos=["a/b"]), "photos: expected a split for each photo"),
        (edited(seed="7"), "seed: expected a whole number"),
        (edited(seed=7).replace("7", "7" * 5000), "splits.json"),
        (edited(seed=True), "seed: expected a whole number"),
        (edited(shares={"train": "0.7"}), "shares: expected a number for each split"),
        (edited(group=3), "group: expected a column's name or null"),
        (edited(group="absent"), "group: is missing"),
        (edited(sead=3), "sead: unknown key"),
        ("[]", "expected an object with version, seed, shares, group, photos"),
    ],
)
def test_a_broken_file_is_refused_by_name_with_what_to_do(root, text, message):
    (root / "splits.json").write_text(text)
    with pytest.raises(DataError) as caught:
        view(root)
    error = caught.value
    assert str(root / "splits.json") in error.message
    assert message in "\n".join([error.message, *error.details])
    assert "version control" in error.hint or "newer" in error.hint
    assert (root / "splits.json").read_text() == text


def test_all_problems_are_told_at_once_but_not_thousands(root):
    (root / "splits.json").write_text(edited(seed=None, photos={f"a/{n}": "x" for n in range(5000)}))
    with pytest.raises(DataError, match="5001 problems") as caught:
        view(root)
    assert len(caught.value.details) == 10


def test_a_file_of_another_encoding_and_a_folder_are_refused(root):
    (root / "splits.json").write_bytes(edited(photos={"a/é": "train"}).encode("utf-16"))
    with pytest.raises(DataError, match="not UTF-8"):
        view(root)
    (root / "splits.json").unlink()
    (root / "splits.json").mkdir()
    with pytest.raises(DataError, match="is not a file"):
        view(root)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_folder_that_cannot_be_written_is_a_note(root, monkeypatch, number):
    def refuse(*arguments, **settings):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", refuse)
    dataset = view(root)
    monkeypatch.undo()
    assert set(dataset.splits().tolist()) == {"train", "val", "test"}
    assert os.strerror(number) in dataset.notes[-1]
    assert dataset.notes[-1].endswith("The split is not remembered: photos that are added may move others.")
    assert sorted(path.name for path in root.iterdir()) == ["photos", "vision.yaml"]


def test_a_second_writer_waits_and_keeps_what_the_first_dealt(root):
    """While the lock is held, another process remembers photos; the one that waited must follow it."""
    held = os.open(root, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(splits(view(root))))
    waiting.start()
    waiting.join(1)
    assert waiting.is_alive()
    theirs = {key: "val" for key in splits(view(root, remember=False)) if "winter" in key}
    shares = {"train": 0.7, "val": 0.15, "test": 0.15}
    (root / "splits.json").write_text(SplitMemory(7, shares, None, theirs).text())
    os.close(held)
    waiting.join(30)
    assert theirs.items() < answers[0].items()
    assert stored(root)["photos"] == answers[0]


def test_the_same_bytes_in_another_process_with_another_hash_seed_and_locale(root):
    view(root)
    first = (root / "splits.json").read_bytes()
    (root / "splits.json").unlink()
    code = (
        "import sys; from pathlib import Path; from vision_cli.core import project; "
        "from vision_cli.stages.data import load_view; load_view(project.load(Path(sys.argv[1])))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "5", "LC_ALL": "C", "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-c", code, str(root / "vision.yaml")], check=True, env=environment)
    assert (root / "splits.json").read_bytes() == first


TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)


@given(
    st.integers(-(2**40), 2**40),
    st.floats(0, 1),
    st.none() | TEXTS,
    st.dictionaries(TEXTS, st.sampled_from(["train", "val", "test"]), max_size=8),
)
def test_what_is_written_is_read(seed, share, group, photos):
    memory = SplitMemory(seed, {"train": share, "test": 1 - share}, group, photos)
    assert split_memory.parse(memory.text(), where="splits.json") == memory
