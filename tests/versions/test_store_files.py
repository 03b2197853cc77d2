"""The index of hashes, the content store, and the files of the log."""

import errno
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vision_cli.core.errors import DataError, ResourceError
from vision_cli.core.progress import Silent
from vision_cli.versions import objects as objects_room
from vision_cli.versions.objects import Incoming, ObjectStore
from vision_cli.versions.photo_index import PhotoIndex, sha256_of, stamp_of
from vision_cli.versions.store import Entry, Store

CALM_NS = 10_000_000_000


def sha(content):
    return hashlib.sha256(content).hexdigest()


def photo(path, content=b"photo", *, calm=True):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if calm:
        past = time.time_ns() - CALM_NS
        os.utime(path, ns=(past, past))
    return str(path)


@pytest.fixture
def old_clock(monkeypatch):
    """Let files be old enough: the time of change of anything cannot be set back."""
    monkeypatch.setattr("vision_cli.versions.photo_index._RACY_NS", -1_000_000_000)


def test_hashes_are_those_of_the_bytes(tmp_path):
    contents = [b"", b"a", os.urandom(700_000)]
    places = [photo(tmp_path / str(number), content) for number, content in enumerate(contents)]
    found = PhotoIndex(tmp_path / "index.json", 3).hashes([*places, str(tmp_path / "none")], Silent())
    assert found.sha256 == [*map(sha, contents), None]
    assert found.sizes == [0, 1, 700_000, None]


def test_what_is_known_is_not_read_again(tmp_path, old_clock, monkeypatch):
    place = photo(tmp_path / "a")
    index = PhotoIndex(tmp_path / "index.json")
    assert index.hashes([place], Silent()).read == 1
    monkeypatch.setattr("vision_cli.versions.photo_index.sha256_of", lambda place: pytest.fail("read"))
    again = index.hashes([place], Silent())
    assert (again.read, again.sha256) == (0, [sha(b"photo")])


def test_a_change_of_the_same_size_and_time_is_seen(tmp_path, old_clock):
    """A tool that restores the time of change cannot restore the other one."""
    place = photo(tmp_path / "a", b"photo")
    index = PhotoIndex(tmp_path / "index.json")
    index.hashes([place], Silent())
    before = os.stat(place)
    time.sleep(0.02)
    Path(place).write_bytes(b"PHOTO")
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert index.hashes([place], Silent()).sha256 == [sha(b"PHOTO")]


def test_a_file_that_has_just_changed_is_not_remembered(tmp_path):
    place = photo(tmp_path / "a", calm=False)
    index = PhotoIndex(tmp_path / "index.json")
    assert [index.hashes([place], Silent()).read for _ in range(2)] == [1, 1]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"layout": 2, "files": {}}', b'{"layout": 1, "files": {"a": [1]}}', b"\xff", b"[" * 9999],
)
def test_a_damaged_index_is_none(tmp_path, content):
    place = photo(tmp_path / "a")
    (tmp_path / "index.json").write_bytes(content)
    assert PhotoIndex(tmp_path / "index.json").hashes([place], Silent()).sha256 == [sha(b"photo")]


def test_what_is_no_file_is_refused(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match="is not a file"):
        PhotoIndex(tmp_path / "index.json").hashes([str(tmp_path / "folder")], Silent())
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(DataError, match="cannot be read"):
        PhotoIndex(tmp_path / "index.json").hashes([str(tmp_path / "loop")], Silent())


def incoming(place):
    return Incoming(place, sha256_of(place), stamp_of(os.stat(place)))


def test_the_same_bytes_are_kept_once(tmp_path):
    store = ObjectStore(tmp_path / "objects", 2)
    files = [incoming(photo(tmp_path / name, b"same")) for name in "abc"] + [incoming(photo(tmp_path / "d", b"other"))]
    assert store.add(files, "copy", Silent()) == 2
    assert store.add(files, "copy", Silent()) == 0
    assert store.names() == {sha(b"same"): 4, sha(b"other"): 5}
    assert [path.name for path in (tmp_path / "objects").glob(".*")] == []


def test_a_copy_is_safe_from_a_write_into_the_photo(tmp_path):
    store, place = ObjectStore(tmp_path / "objects"), photo(tmp_path / "a")
    store.add([incoming(place)], "copy", Silent())
    with Path(place).open("r+b") as file:
        file.write(b"PHOTO")
    assert Path(store.path(sha(b"photo"))).read_bytes() == b"photo"


def test_a_hard_link_takes_no_room_and_is_read_only(tmp_path):
    store, place = ObjectStore(tmp_path / "objects"), photo(tmp_path / "a")
    store.add([incoming(place)], "hardlink", Silent())
    assert os.stat(place).st_ino == os.stat(store.path(sha(b"photo"))).st_ino
    assert os.stat(place).st_mode & 0o222 == 0


def test_where_links_are_not_possible_it_copies(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(objects_room.os, "link", refuse)
    store, place = ObjectStore(tmp_path / "objects"), photo(tmp_path / "a")
    store.add([incoming(place)], "hardlink", Silent())
    assert Path(store.path(sha(b"photo"))).read_bytes() == b"photo"


@pytest.mark.parametrize("keep", ["copy", "hardlink"])
def test_a_photo_that_changes_meanwhile_is_refused(tmp_path, keep):
    store, place = ObjectStore(tmp_path / "objects"), photo(tmp_path / "a")
    old = incoming(place)
    photo(tmp_path / "a", b"other bytes")
    with pytest.raises(DataError, match="1 files changed while they were read"):
        store.add([old], keep, Silent())
    assert store.names() == {}
    assert list((tmp_path / "objects").glob(".*")) == []


def test_too_little_room_is_told_before(tmp_path, monkeypatch):
    monkeypatch.setattr(objects_room, "free_mb", lambda _: 1.0)
    monkeypatch.setattr(objects_room, "_clones", lambda *_: False)
    store = ObjectStore(tmp_path / "objects")
    with pytest.raises(ResourceError, match=r"50 MB are needed and 1 MB are free") as caught:
        store.add([incoming(photo(tmp_path / "a"))], "copy", Silent())
    assert "--photos hardlink" in str(caught.value.hint)


@pytest.mark.parametrize("refusal", [None, errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.EPERM])
def test_where_a_file_cannot_be_cloned_it_is_copied(tmp_path, monkeypatch, refusal):
    """With the answer of this file system (None), and with those that others give: ioctl_ficlone(2)."""

    def refuse(target, request, source):
        assert request == 0x94 << 8 | 9 | 4 << 16 | 1 << 30  # _IOW(0x94, 9, int)
        raise OSError(refusal, os.strerror(refusal))

    if refusal is not None:
        monkeypatch.setattr(objects_room.fcntl, "ioctl", refuse)
    store, place = ObjectStore(tmp_path / "objects"), photo(tmp_path / "a", b"photo" * 999)
    assert store.add([incoming(place)], "copy", Silent()) == 1
    kept = Path(store.path(sha(b"photo" * 999)))
    Path(place).write_bytes(b"other")
    assert kept.read_bytes() == b"photo" * 999
    assert list((tmp_path / "objects").glob(".*")) == []


def test_what_is_cloned_needs_no_room_and_is_not_read(tmp_path, monkeypatch):
    """A file system that clones, played by a copy: the photo's bytes are not hashed again, and no room is asked for."""

    def clone(target, request, source):
        os.pwrite(target, os.pread(source, 1 << 20, 0), 0)

    monkeypatch.setattr(objects_room.fcntl, "ioctl", clone)
    monkeypatch.setattr(objects_room, "free_mb", lambda _: 1.0)
    monkeypatch.setattr(objects_room, "_write_all", lambda *_: pytest.fail("copied"))
    store = ObjectStore(tmp_path / "objects")
    assert store.add([incoming(photo(tmp_path / "a"))], "copy", Silent()) == 1
    assert Path(store.path(sha(b"photo"))).read_bytes() == b"photo"


@pytest.mark.parametrize("how", ["copy", "hardlink", "symlink"])
def test_what_is_placed_is_compared(tmp_path, how):
    store = ObjectStore(tmp_path / "objects")
    files = [incoming(photo(tmp_path / name, name.encode())) for name in ("a", "b", "c")]
    store.add(files, "copy", Silent())
    places = {f"x/{n}.jpg": each.sha256 for n, each in enumerate(files)}
    (tmp_path / "out").mkdir()
    store.place(places, tmp_path / "out", how, Silent())
    assert [(tmp_path / "out" / name).read_bytes() for name in places] == [b"a", b"b", b"c"]
    os.chmod(store.path(sha(b"b")), 0o644)
    Path(store.path(sha(b"b"))).write_bytes(b"B")
    os.unlink(store.path(sha(b"c")))
    (tmp_path / "again").mkdir()
    with pytest.raises(DataError) as caught:
        store.place(places, tmp_path / "again", how, Silent())
    assert caught.value.details == (
        f"{store.path(sha(b'b'))}: was changed; it is the content of x/1.jpg",
        f"{store.path(sha(b'c'))}: is missing; it is the content of x/2.jpg",
    )


def entry(number):
    return Entry(f"{number:064x}", "view:all", "m\n\x1b", "2026-01-01T00:00:00+00:00", 1, 1, 1, 1, "d")


def test_log_and_tags_come_back(tmp_path):
    store = Store(tmp_path / "v")
    assert store.log() == ()
    assert store.tags() == {}
    for number in range(3):
        store.append(entry(number))
    store.set_tags({"b": entry(1).id, "a": entry(0).id})
    assert [each.id for each in store.log()] == [entry(n).id for n in range(3)]
    assert store.log()[0].message == "m\n\x1b"
    assert list(store.tags()) == ["a", "b"]


@pytest.mark.parametrize("line", [b"{}", b"{", b"null", b"\xff", b'{"id": "../../x"}', b"[" * 9999, b""])
def test_a_damaged_log_is_refused_with_its_line(tmp_path, line):
    store = Store(tmp_path)
    store.append(entry(1))
    with (tmp_path / "log.jsonl").open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(DataError, match=r"log\.jsonl:2: no line of a log"):
        store.log()


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a": "../x"}', b'{"a": 1}', b"\xff"])
def test_damaged_tags_are_refused(tmp_path, content):
    (tmp_path / "tags.json").write_bytes(content)
    with pytest.raises(DataError, match=r"tags\.json: no file of tags"):
        Store(tmp_path).tags()


HOLD = """
import sys, time
from pathlib import Path
from vision_cli.versions.store import Store
with Store(Path(sys.argv[1])).writing():
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_writer_waits_then_names_who_holds_the_lock(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        started = time.monotonic()
        with pytest.raises(ResourceError, match=f"is held by process {holder.pid}"), Store(tmp_path).writing(0.5):
            pytest.fail("two writers")
        assert time.monotonic() - started >= 0.5
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    with Store(tmp_path).writing(0.5):  # the lock died with its holder
        pass
