"""Conversions that are killed: the old folder or the new one stands, and the next run cleans."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import convert_sets as sets
import pytest

from vision_cli.core import files
from vision_cli.stages.converting.convert import ConvertRequest, convert
from vision_cli.stages.target_folder import staged

CODE = """
import os, signal, sys
from pathlib import Path
{patch}
from vision_cli.stages.converting.convert import ConvertRequest, convert
convert(ConvertRequest(Path(sys.argv[1]), Path(sys.argv[2]), "yolo", "kitti", allowed=frozenset({{"all"}}), force=True))
"""
DIE = "lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)"
PATCHES = {
    "while labels are written": f"from vision_cli.formats import yolo; yolo.write = {DIE}",
    "while photos are copied": f"import shutil; shutil.copyfile = {DIE}",
    "while files are synced": f"os.fsync = {DIE}",
    "before the rename": f"from vision_cli.core import files; files._swap = {DIE}",
    "after the rename": f"from vision_cli.core import files; files.shutil.rmtree = {DIE}",
    "at the end": "from vision_cli.core import files; real = files._swap\n"
    "files._swap = lambda *a: (real(*a), os.kill(os.getpid(), signal.SIGKILL))",
}


def killed(source: Path, target: Path, patch: str) -> None:
    code = CODE.format(patch=patch)
    done = subprocess.run([sys.executable, "-c", code, str(source), str(target)], capture_output=True, check=False)
    assert done.returncode == -9, done.stderr


@pytest.mark.parametrize("moment", PATCHES)
def test_old_or_new_stands_and_the_next_run_cleans(tmp_path, moment):
    source, target = sets.kitti(tmp_path / "kitti"), tmp_path / "out"
    target.mkdir()
    (target / "old.txt").write_text("old")
    before = sets.tree(source)
    killed(source, target, PATCHES[moment])
    is_old = sets.tree(target).keys() == {"old.txt"}
    is_new = {"data.yaml"} <= sets.tree(target).keys()
    assert is_old != is_new
    assert is_new == (moment in ("after the rename", "at the end"))
    assert sets.tree(source) == before
    convert(ConvertRequest(source, target, "yolo", "kitti", allowed=frozenset({"all"}), force=True))
    assert sets.names(tmp_path) == ["kitti", "out"]
    assert "data.yaml" in sets.tree(target)


def test_killed_between_two_renames_puts_the_old_one_back(tmp_path):
    """On a file system that cannot exchange names, the old folder is aside for a moment."""
    source, target = sets.kitti(tmp_path / "kitti"), tmp_path / "out"
    target.mkdir()
    (target / "old.txt").write_text("old")
    patch = (
        "from vision_cli.core import files; files._exchange = lambda *a: False; real = os.replace\n"
        "def replace(one, other):\n"
        "    if str(one).endswith('.part'): os.kill(os.getpid(), signal.SIGKILL)\n"
        "    real(one, other)\n"
        "os.replace = replace"
    )
    killed(source, target, patch)
    assert not target.exists()
    with pytest.raises(ZeroDivisionError), staged(target):
        _ = 1 / 0
    assert sets.tree(target).keys() == {"old.txt"}
    assert sets.names(tmp_path) == ["kitti", "out"]


def test_a_run_that_lives_is_left_alone(tmp_path):
    target = tmp_path / "out"
    with staged(target) as first:
        (first / "one").write_text("1")
        with staged(target) as second:
            assert first.is_dir()
            (second / "two").write_text("2")
    assert sets.names(tmp_path) == ["out"]
    assert sets.names(target) == ["one"]


def test_names_of_others_are_left_alone(tmp_path):
    strangers = [".out.part", ".out.12345678.tmp", ".other.12345678.part", ".out.1234567g.part"]
    for name in strangers:
        (tmp_path / name).mkdir()
    (tmp_path / ".out.0123abcd.part").mkdir()
    (tmp_path / ".out.0123abce.part").write_text("a file")
    with staged(tmp_path / "out") as folder:
        (folder / "x").write_text("x")
    assert sets.names(tmp_path) == sorted([*strangers, ".out.0123abce.part", "out"])


def test_an_exchange_that_is_not_possible_still_replaces(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_exchange", lambda *_: False)
    for text in ("old", "new"):
        with staged(tmp_path / "out") as folder:
            (folder / "x").write_text(text)
    assert (tmp_path / "out" / "x").read_text() == "new"
    assert sets.names(tmp_path) == ["out"]


def test_the_lock_is_the_folders_own(tmp_path):
    with staged(tmp_path / "out") as folder:
        descriptor = os.open(folder, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(descriptor)


def test_many_files_are_synced_by_one_call(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(files, "sync_file", lambda path: calls.append(path))
    monkeypatch.setattr(files, "_sync_file_system", lambda folder: calls.append(folder) or True)
    for count in (3, 300):
        calls.clear()
        folder = tmp_path / str(count)
        folder.mkdir()
        for number in range(count):
            (folder / str(number)).write_text("")
        files.sync_tree(folder)
        assert len(calls) == (3 if count == 3 else 1)


def test_the_call_of_the_file_system_works_here(tmp_path):
    (tmp_path / "x").write_text("x")
    assert files._sync_file_system(tmp_path) in (True, False)
    with pytest.raises(FileNotFoundError):
        files._sync_file_system(tmp_path / "nowhere")
