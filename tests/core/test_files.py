"""Files appear whole or not at all, killed or full."""

import errno
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vision_cli.core import files
from vision_cli.core.errors import DataError, ResourceError


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_written_whole_with_parents_and_the_users_rights(tmp_path):
    target = tmp_path / "a" / "b.txt"
    before = os.umask(0o027)
    try:
        files.write_text(target, "Straße\n")
    finally:
        os.umask(before)
    assert target.read_bytes() == "Straße\n".encode()
    assert target.stat().st_mode & 0o777 == 0o640
    assert names(tmp_path / "a") == ["b.txt"]


@pytest.mark.parametrize("call", ["open", "fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_refusal_at_any_step_leaves_the_old_file(tmp_path, monkeypatch, call, number):
    target = tmp_path / "x"
    files.write_bytes(target, b"old")

    def refuse(*arguments, **settings):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path if call == "open" else os, call, refuse)
    with pytest.raises(ResourceError) as caught:
        files.write_bytes(target, b"new")
    monkeypatch.undo()
    assert str(target) in caught.value.message
    assert os.strerror(number) in caught.value.message
    assert ("MB are free" in caught.value.hint) == (number == errno.ENOSPC)
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["x"]


def test_an_interrupt_leaves_the_old_file(tmp_path, monkeypatch):
    files.write_bytes(tmp_path / "x", b"old")

    def interrupt(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        files.write_bytes(tmp_path / "x", b"new")
    assert (tmp_path / "x").read_bytes() == b"old"
    assert names(tmp_path) == ["x"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_kill_leaves_the_old_file(tmp_path, call):
    files.write_bytes(tmp_path / "x", b"old")
    code = (
        f"import os, sys; from pathlib import Path; from vision_cli.core import files\n"
        f"os.{call} = lambda *a: os.kill(os.getpid(), 9)\n"
        f"files.write_bytes(Path(sys.argv[1]), b'new')"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "x")], check=False)
    assert done.returncode == -9
    assert (tmp_path / "x").read_bytes() == b"old"


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path):
    (tmp_path / "x").mkdir()
    with pytest.raises(ResourceError, match="x: cannot be written: Is a directory"):
        files.write_bytes(tmp_path / "x", b"new")


def test_other_errors_are_not_hidden(tmp_path):
    with pytest.raises(ZeroDivisionError), files.disk_errors(tmp_path):
        _ = 1 / 0
    with pytest.raises(OSError, match="not of the disk"), files.disk_errors(tmp_path):
        raise OSError(errno.ECHILD, "not of the disk")


def test_a_new_folder_appears_by_one_rename(tmp_path):
    target = tmp_path / "model"
    with files.new_folder(target) as staging:
        (staging / "inner").mkdir()
        (staging / "inner" / "weights").write_bytes(b"1")
        assert not target.exists()
    assert (target / "inner" / "weights").read_bytes() == b"1"
    assert names(tmp_path) == ["model"]


def test_a_failed_folder_leaves_the_old_one(tmp_path):
    target = tmp_path / "model"
    with files.new_folder(target) as staging:
        (staging / "a").write_text("old")

    def fail():
        with files.new_folder(target) as staging:
            (staging / "a").write_text("new")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert (target / "a").read_text() == "old"
    assert names(tmp_path) == ["model"]


def test_a_new_folder_replaces_all_of_the_old(tmp_path):
    for name in ("first", "second"):
        with files.new_folder(tmp_path / "model") as staging:
            (staging / name).write_text(name)
    assert names(tmp_path / "model") == ["second"]
    assert names(tmp_path) == ["model"]


def test_json_is_strict(tmp_path):
    document = {
        "nan": float("nan"),
        "inf": [float("-inf"), (1, 2)],
        "array": np.array([1.5, np.nan]),
        "scalar": np.float32(0.5),
        "path": Path("a/b"),
        3: "é",
    }
    files.write_json(tmp_path / "x.json", document)
    text = (tmp_path / "x.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail) == {
        "nan": None,
        "inf": [None, [1, 2]],
        "array": [1.5, None],
        "scalar": 0.5,
        "path": "a/b",
        "3": "é",
    }
    assert "é" in text


def test_a_log_survives_a_torn_line(tmp_path):
    log = tmp_path / "metrics.jsonl"
    files.append_json_line(log, {"epoch": 1})
    with log.open("ab") as file:
        file.write(b'{"epoch": 2, "los')
    files.append_json_line(log, {"epoch": 3})
    assert files.read_json_lines(log) == [{"epoch": 1}, {"epoch": 3}]
    assert files.read_json_lines(tmp_path / "absent") == []


def test_sha256_is_the_known_one(tmp_path):
    content = os.urandom(3_000_000)
    (tmp_path / "x").write_bytes(content)
    assert files.file_sha256(tmp_path / "x") == hashlib.sha256(content).hexdigest()


def test_limited_reading(tmp_path):
    (tmp_path / "x").write_bytes(b"12345")
    assert files.read_limited(tmp_path / "x", max_bytes=5, what="the card") == b"12345"
    for path, limit, message in (
        (tmp_path / "x", 4, "the card is larger than"),
        (tmp_path, 10, "the card is not a file"),
        (tmp_path / "absent", 10, "the card does not exist"),
    ):
        with pytest.raises(DataError, match=message):
            files.read_limited(path, max_bytes=limit, what="the card")


def test_free_space_of_a_path_that_is_not_there_yet(tmp_path):
    found = files.free_mb(tmp_path / "a" / "b" / "c")
    stat = os.statvfs(tmp_path)
    assert found == pytest.approx(stat.f_bavail * stat.f_frsize / 1e6, rel=0.05)
