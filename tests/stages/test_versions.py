"""Commit, diff, checkout and what runs say of versions; with real files."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import stage_projects as small

from vision_cli.core import project as projects
from vision_cli.core.errors import DataError, ResourceError, UsageError
from vision_cli.core.progress import Silent
from vision_cli.stages import data
from vision_cli.stages.versioning import checkout as version_checkout
from vision_cli.stages.versioning import diff as version_diff
from vision_cli.stages.versioning import seen as version_seen
from vision_cli.stages.versioning import upkeep, version_files, versions
from vision_cli.versions.store import Store

NAMES = ("winter", "summer", "007")


@pytest.fixture
def root(tmp_path):
    """A project of 12 photos in three class folders."""
    folder = small.write_project(tmp_path / "p", "photos")
    small.class_folders(folder / "photos", 4, NAMES)
    return folder


def load(root, *overrides):
    return projects.load(root / "vision.yaml", overrides)


def commit(root, message="m", name=None, **more):
    return versions.commit(versions.CommitRequest(load(root), name, message, **more), Silent())


def checkout(root, version, target, **more):
    return version_checkout.checkout(
        version_checkout.CheckoutRequest(load(root), version, Path(target), **more), Silent()
    )


def diff(root, *ends):
    before, after = (*ends, None, None)[:2]
    return version_diff.diff(load(root), before, after, None, Silent()).diff


def bytes_below(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
    }


def test_the_same_data_is_the_same_version_in_another_folder_at_another_time(root, tmp_path):
    first = commit(root)
    small.copied(root, tmp_path / "elsewhere")
    shutil.rmtree(tmp_path / "elsewhere" / ".vision")
    assert commit(tmp_path / "elsewhere", "another message").entry.id == first.entry.id
    again = commit(root, "again")
    assert not again.is_new
    assert again.entry == first.entry
    assert len(Store.of(root).log()) == 1


def test_what_is_stored_is_the_same_bytes_everywhere(root, tmp_path):
    version = commit(root).entry.id
    small.copied(root, tmp_path / "elsewhere")
    shutil.rmtree(tmp_path / "elsewhere" / ".vision")
    commit(tmp_path / "elsewhere")
    folders = [Store.of(place).commit(version) for place in (root, tmp_path / "elsewhere")]
    assert bytes_below(folders[0]) == bytes_below(folders[1])


def test_photos_are_kept_once_over_versions(root):
    commit(root)
    before = Store.of(root).objects.names()
    assert len(before) == 12
    (root / "photos" / "007" / "00.jpg").rename(root / "photos" / "summer" / "x.jpg")
    second = commit(root, "moved")
    assert second.is_new
    assert second.new_files == 0
    assert Store.of(root).objects.names() == before


def test_a_photo_overwritten_in_place_is_still_in_the_version(root, tmp_path):
    commit(root)
    before = bytes_below(root / "photos")
    for path in (root / "photos").rglob("*.jpg"):
        with path.open("r+b") as file:
            file.seek(-12, os.SEEK_END)
            file.write(b"overwritten")
    checkout(root, "HEAD", tmp_path / "out")
    assert bytes_below(tmp_path / "out" / "photos") == before
    assert diff(root).photos["bytes"] == 12


@pytest.mark.parametrize("images", ["copy", "hardlink", "symlink"])
def test_a_checkout_is_what_was_committed_and_commits_to_the_same_version(root, tmp_path, images):
    version = commit(root, name="source:photos").entry.id
    before = bytes_below(root / "photos")
    shutil.rmtree(root / "photos")
    done = checkout(root, version[:8], tmp_path / "out", images=images)
    assert done.written
    assert bytes_below(tmp_path / "out" / "photos") == before
    if images == "symlink":  # links lead out of the folder, and readers do not follow those
        return
    other = small.write_project(tmp_path / "other", str(tmp_path / "out"))
    (other / "vision.yaml").write_text((other / "vision.yaml").read_text().replace("{path:", "{format: vision, path:"))
    assert commit(other, name="source:photos").entry.id == version


def test_a_checkout_in_another_format(root, tmp_path):
    commit(root)
    done = checkout(root, "HEAD", tmp_path / "out", to="csv")
    assert done.ok
    assert (tmp_path / "out" / "labels.csv").is_file()
    assert len(list((tmp_path / "out").rglob("*.jpg"))) == 12


def test_a_checkout_is_whole_or_not_at_all(root, tmp_path):
    version = commit(root).entry.id
    store = Store.of(root)
    victim = sorted(store.objects.names())[3]
    path = Path(store.objects.path(victim))
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DataError, match="1 contents") as caught:
        checkout(root, "HEAD", tmp_path / "out")
    assert str(path) in caught.value.details[0]
    assert not (tmp_path / "out").exists()
    assert [each.name for each in tmp_path.iterdir()] == ["p"]
    found = upkeep.verify(load(root), version, Silent())
    assert len(found.problems) == 1
    assert str(path) in found.problems[0]
    path.unlink()
    assert commit(root).new_files == 1  # the same photos bring it back
    assert upkeep.verify(load(root), None, Silent()).ok


@pytest.mark.parametrize(
    "name", ["dataset.json", "images.parquet", "annotations.parquet", "files.parquet", "version.json"]
)
@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "gone", "foreign"])
def test_damaged_or_foreign_files_are_refused_by_name(root, tmp_path, name, damage):
    version = commit(root).entry.id
    path = Store.of(root).commit(version) / name
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "foreign":
        pq.write_table(pa.table({"x": [1]}), path)
    else:
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        path.write_bytes({"cut": content[:middle], "flip": flipped, "empty": b""}[damage])
    with pytest.raises(DataError, match=name.replace(".", r"\.")):
        checkout(root, "HEAD", tmp_path / "out")
    found = upkeep.gc(load(root))
    assert (found.contents, len(found.problems)) == (0, 1)
    assert any(name in line for line in upkeep.verify(load(root), None, Silent()).problems)
    assert not commit(root).is_new  # and the same data heals it
    checkout(root, "HEAD", tmp_path / "out")


def test_a_source_that_names_a_version_is_read_from_the_store(root):
    committed = commit(root, name="source:photos")
    versions.tag(load(root), "v1", "HEAD")
    before = data.load_view(load(root), remember=False).dataset
    for path in (root / "photos" / "007").iterdir():
        path.unlink()
    pinned = load(root, "data.sources.photos.version=v1")
    dataset = data.load_view(pinned, remember=False).dataset
    assert dataset.images["path"].to_pylist() == before.images["path"].to_pylist()
    assert all(path.is_file() for path in dataset.paths())
    assert dataset.digest() == before.digest()
    assert version_seen.seen(pinned, dataset, Silent()).sources == {"photos": committed.entry.id}
    assert len(data.load_view(load(root), remember=False).dataset) == 8
    with pytest.raises(UsageError, match="no version is called 'v2'"):
        data.load_view(load(root, "data.sources.photos.version=v2"))


def test_a_view_is_committed_with_its_splits(root):
    commit(root)
    lines = (root / "splits.json").read_text()
    for old, new in (("train", "X"), ("val", "train"), ("X", "val")):
        lines = lines.replace(f'": "{old}"', f'": "{new}"')
    moved = {name: lines.count(f'": "{name}"') for name in ("train", "val")}
    (root / "splits.json").write_text(lines)
    found = diff(root)
    assert found.splits == {"train -> val": moved["val"], "val -> train": moved["train"]}


def test_names_that_a_view_and_a_source_have(root):
    text = (root / "vision.yaml").read_text().replace("data:\n", "data:\n  views: {photos: {from: [photos]}}\n")
    (root / "vision.yaml").write_text(text)
    with pytest.raises(UsageError, match="a view and a source are called 'photos'"):
        commit(root, name="photos")
    assert commit(root, name="view:photos").entry.of == "view:photos"
    with pytest.raises(UsageError, match="no view or source is called 'photo'") as caught:
        commit(root, name="photo")
    assert "Did you mean 'photos'?" in caught.value.hint


def test_a_message_is_needed_and_a_dry_run_writes_nothing(root):
    with pytest.raises(UsageError, match="needs a message"):
        commit(root, " \n")
    planned = commit(root, dry_run=True)
    assert planned.is_new
    assert planned.new_files == 12
    assert not (root / ".vision" / "versions" / "log.jsonl").exists()
    assert not (root / "splits.json").exists()
    assert commit(root).entry.id == planned.entry.id


def test_labels_without_photos_can_be_committed(root, tmp_path):
    import json

    boxes = {"images": [{"id": 3, "file_name": "no.jpg", "width": 9, "height": 9}], "annotations": [], "categories": []}
    boxes["categories"].append({"id": 5, "name": "cat"})
    boxes["annotations"].append(
        {"id": 1, "image_id": 3, "category_id": 5, "bbox": [1, 1, 2, 2], "area": 4, "iscrowd": 0}
    )
    (root / "a.json").write_text(json.dumps(boxes))
    text = (root / "vision.yaml").read_text().replace("path: photos", "path: a.json, format: coco")
    (root / "vision.yaml").write_text(text)
    done = commit(root, name="source:photos")
    assert (done.missing, done.new_files) == (1, 0)
    assert checkout(root, "HEAD", tmp_path / "out").missing == 1


def test_photos_of_unknown_size_come_back(root, tmp_path):
    label = root / "kitti" / "training" / "label_2" / "1.txt"
    label.parent.mkdir(parents=True)
    label.write_text("Car 0.00 0 -1.57 10.50 4.25 30.50 14.25 1.5 1.6 3.9 -2.1 1.7 12.0 -1.7\n")
    text = (root / "vision.yaml").read_text().replace("path: photos", "path: kitti, format: kitti")
    (root / "vision.yaml").write_text(text)
    commit(root, name="source:photos")
    dataset = version_files.load(Store.of(root), Store.of(root).log()[0].id).dataset
    assert dataset.images["width"].to_pylist() == [None]
    assert checkout(root, "HEAD", tmp_path / "out").written


def test_a_column_that_does_not_come_back_is_refused_before_anything_is_there(root, monkeypatch):
    monkeypatch.setattr(version_files, "table_id", lambda table: id(table))
    with pytest.raises(DataError, match="does not survive being stored"):
        commit(root)
    assert Store.of(root).stored() == []
    assert Store.of(root).log() == ()


def test_masks_are_committed_too(root, tmp_path):
    from PIL import Image

    for number in range(2):
        for folder, mode in (("images", "RGB"), ("masks", "L")):
            path = root / "seg" / folder / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((8, 8) if mode == "L" else (8, 8, 3), number, np.uint8)).save(path)
    (root / "seg" / "classes.txt").write_text("sky\nroad\n")
    text = (root / "vision.yaml").read_text().replace("path: photos", "path: seg, format: masks")
    (root / "vision.yaml").write_text(text)
    commit(root, name="source:photos")
    checkout(root, "HEAD", tmp_path / "out")
    masks = bytes_below(root / "seg" / "masks")
    assert masks.items() <= {Path(n).name: h for n, h in bytes_below(tmp_path / "out").items() if "masks" in n}.items()
    Image.fromarray(np.full((8, 8), 1, np.uint8)).save(root / "seg" / "masks" / "0.png")
    assert commit(root, "a mask changed", name="source:photos").is_new


def test_gc_removes_what_no_version_needs_and_nothing_else(root, tmp_path):
    commit(root)
    store = Store.of(root)
    stray = store.objects.folder / "ab" / ("0" * 62)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"stray")
    (store.folder / "commits" / ("f" * 64)).mkdir()
    (store.objects.folder / ".incoming-12345678").mkdir()
    (store.folder / "commits" / f".{'e' * 64}.12345678.part").mkdir()
    version_files.tree(store, store.log()[0], Silent())
    planned = upkeep.gc(load(root), trees=True, dry_run=True)
    assert (planned.contents, planned.versions, planned.trees, planned.leftovers) == (1, 1, 1, 2)
    assert stray.exists()
    upkeep.gc(load(root), trees=True)
    again = upkeep.gc(load(root), trees=True)
    assert (again.contents, again.versions, again.trees, again.leftovers) == (0, 0, 0, 0)
    checkout(root, "HEAD", tmp_path / "out")


def test_a_store_that_cannot_be_written_is_exit_6_and_can_be_read(root, tmp_path, monkeypatch):
    commit(root)
    (root / "photos" / "007" / "00.jpg").unlink()

    def refuse(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ResourceError, match="cannot be written: Read-only"):
        commit(root, "second")
    monkeypatch.undo()
    assert diff(root).photos["removed"] == 1


def test_a_full_disk_leaves_the_old_state(root, tmp_path, monkeypatch):
    commit(root)
    before = bytes_below(root / ".vision" / "versions")
    small.draw(root / "photos" / "007" / "new.jpg", (1, 2, 3), np.random.default_rng(0))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vision_cli.versions.objects._write_all", full)
    with pytest.raises(ResourceError, match="No space left on device"):
        commit(root, "second")
    after = {name: each for name, each in bytes_below(root / ".vision" / "versions").items() if name != "index.json"}
    assert after == {name: each for name, each in before.items() if name not in ("index.json", "lock")} | {
        "lock": after["lock"]
    }


COMMIT = """
import sys
from pathlib import Path
from vision_cli.core import project
from vision_cli.core.progress import Silent
from vision_cli.stages.versioning import versions
{patch}
versions.commit(versions.CommitRequest(project.load(Path(sys.argv[1]) / "vision.yaml"), None, sys.argv[2]), Silent())
"""
DIE = "lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)"
MOMENTS = {
    "while photos are copied": f"from vision_cli.versions import objects; objects._write_all = {DIE}",
    "before contents get names": f"from vision_cli.versions.objects import ObjectStore; ObjectStore._publish = {DIE}",
    "while tables are written": (
        f"from vision_cli.stages.versioning import version_files; version_files.write_table = {DIE}"
    ),
    "before the version gets its name": f"from vision_cli.core import files; files._swap = {DIE}",
    "before the log": f"from vision_cli.versions.store import Store; Store.append = {DIE}",
}


def started(root, message="m", patch=""):
    return subprocess.Popen(
        [sys.executable, "-c", COMMIT.format(patch=f"import os, signal\n{patch}"), str(root), message],
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def check_whole(root, ids):
    """The log holds these versions, each of them whole."""
    assert [entry.id for entry in Store.of(root).log()] == ids
    assert upkeep.verify(load(root), None, Silent()).ok


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_commit_that_is_killed_leaves_the_old_state_and_the_next_one_cleans(root, moment):
    first = commit(root).entry.id
    small.draw(root / "photos" / "007" / "new.jpg", (1, 2, 3), np.random.default_rng(0))
    with started(root, patch=MOMENTS[moment]) as killed:
        _, told = killed.communicate(timeout=60)
        assert killed.returncode == -9, told
    check_whole(root, [first])
    second = commit(root, "again").entry.id
    check_whole(root, [first, second])
    assert upkeep.gc(load(root), dry_run=True).contents == 0
    assert upkeep.gc(load(root), dry_run=True).leftovers == 0


def test_commits_that_are_killed_at_random_leave_old_or_new(root):
    rng, ids = np.random.default_rng(5), [commit(root).entry.id]
    with started(root, "warm") as timed:
        begun = time.monotonic()
        timed.communicate(timeout=60)
        whole_s = time.monotonic() - begun
    for number in range(6):
        small.draw(root / "photos" / "007" / f"new{number}.jpg", (1, 2, 3), np.random.default_rng(number))
        with started(root, str(number)) as process:
            time.sleep(rng.uniform(0.4, 1.0) * whole_s)
            process.kill()
            process.communicate(timeout=60)
        now = [entry.id for entry in Store.of(root).log()]
        assert now[: len(ids)] == ids
        assert len(now) <= len(ids) + 1
        check_whole(root, now)
        ids = now
    assert commit(root, "last").entry.photos == 18


def test_two_commits_at_once(root):
    processes = [started(root, f"m{number}") for number in range(3)]
    for process in processes:
        with process:
            _, told = process.communicate(timeout=120)
            assert process.returncode == 0, told
    assert len(Store.of(root).log()) == 1
    assert upkeep.verify(load(root), None, Silent()).ok
