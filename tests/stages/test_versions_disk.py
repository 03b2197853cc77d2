"""The version store on disks that are really full, read-only or broken: exit 6, and what was there stays."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from PIL import Image

HERE = Path(__file__).resolve().parents[2]
VISION = f"'{sys.executable}' -m vision_cli"
MOUNT = "mount -t tmpfs -o size=80m tmpfs disk && cp -r project/. disk && cd disk"


def run(script, folder):
    """Run a shell script as root of a namespace of its own, in which it may mount; return its lines."""
    environment = {**os.environ, "PYTHONPATH": str(HERE), "LC_ALL": "C.UTF-8"}
    words = ["unshare", "-Urm", "sh", "-ec", f"exec 2>&1; {MOUNT}; {script}"]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@cache
def can_mount():
    words = ["unshare", "-Urm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
    return bool(shutil.which("unshare")) and subprocess.run(words, capture_output=True, check=False).returncode == 0


@cache
def can_inject():
    words = ["strace", "-f", "-qq", "-o", os.devnull, "-e", "inject=fsync:error=EIO", "true"]
    return bool(shutil.which("strace")) and subprocess.run(words, capture_output=True, check=False).returncode == 0


mounts = pytest.mark.skipif(not can_mount(), reason="the kernel lets nobody mount here")
injects = pytest.mark.skipif(not can_inject(), reason="no strace that may trace")


@pytest.fixture
def folder(tmp_path):
    """A project with eight small photos, a large one beside it, and a mount point."""
    project = tmp_path / "project"
    for at in range(8):
        photo = project / "photos" / "ab"[at % 2] / f"{at}.bmp"
        photo.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (at, 0, 0)).save(photo)
    Image.new("RGB", (3000, 2000), (1, 2, 3)).save(tmp_path / "large.bmp")
    (project / "vision.yaml").write_text("data: {sources: {photos: {path: photos}}}\n")
    (tmp_path / "disk").mkdir()
    return tmp_path


FIRST = f"{VISION} data commit -m first --tag v1 -q > /dev/null; cp -r .vision ../kept;"
INTACT = f"diff -r .vision ../kept -x lock -x index.json && {VISION} data verify -q"


@mounts
def test_photos_that_have_no_room_are_refused_before_the_work(folder):
    said = run(f"{FIRST} cp ../large.bmp photos/a; {VISION} data commit -m second || echo exit $?; {INTACT}", folder)
    assert "objects: 68 MB are needed and" in said
    assert "MB are free." in said
    assert "exit 6" in said
    assert "1 versions, 8 files: all as committed." in said


@mounts
@pytest.mark.slow
def test_a_disk_that_is_full_ends_each_command_with_6_and_harms_nothing(folder):
    fill = "cp photos/a/0.bmp photos/b/copy.bmp; cat /dev/zero > fill 2> /dev/null || true;"
    commands = {
        "commit": "commit -m second",
        "tag": "tag v2",
        "checkout": "checkout v1 old",
        "view": "view --add one --from photos",
        "query": "query 'SELECT * FROM images' --out rows.csv",
        "diff": "diff --csv rows.csv",
    }
    asked = "; ".join(f"{VISION} data {words} -q || echo {name} $?" for name, words in commands.items())
    said = run(f"{FIRST} {fill} {asked}; {INTACT}", folder)
    assert [line for line in said.splitlines() if line.split()[0] in commands] == [f"{name} 6" for name in commands]
    assert "versions: 1 MB are needed and 0 MB are free." in said
    assert "nanobind" not in said
    assert "1 versions, 8 files: all as committed." in said


@mounts
@pytest.mark.slow
def test_a_read_only_disk_can_be_read_and_not_written(folder):
    script = f"""{FIRST} cp photos/a/0.bmp photos/b/copy.bmp; mount -o remount,ro .
    for words in "commit -m second" "tag v2" "checkout v1 old" "gc" "view --add one --from photos"; do
      {VISION} data $words -q || echo exit $?
    done
    {VISION} data log -q; {VISION} data diff -q; {VISION} data query "FROM images" -q; {INTACT}"""
    said = run(script, folder)
    assert said.count("exit 6") == 5
    assert said.count("ead-only") == 5
    assert "photos            8      9      1        0  -" in said
    assert "1 versions, 8 files: all as committed." in said


@injects
@pytest.mark.slow
@pytest.mark.parametrize(("calls", "error"), [("fsync", "ENOSPC"), ("rename", "EIO"), ("mkdir", "EROFS")])
def test_whichever_call_fails_there_is_the_old_state_or_the_new_one(folder, vision, monkeypatch, calls, error):
    project, kept = folder / "project", folder / "kept"
    monkeypatch.chdir(project)
    assert vision("data", "commit", "-m", "first").code == 0
    first = vision("data", "log", "--json").document["entries"]
    (project / "photos" / "a" / "0.bmp").unlink()
    Image.new("RGB", (8, 8), (9, 9, 9)).save(project / "photos" / "a" / "9.bmp")
    shutil.copytree(project, kept)
    failed = 0
    for number in (1, 2, 4, 7):
        shutil.rmtree(project / ".vision")
        shutil.copytree(kept / ".vision", project / ".vision")
        done = _commit_with(project, f"inject={calls}:error={error}:when={number}")
        assert done.returncode in (0, 6), done.stdout + done.stderr
        failed += done.returncode == 6
        entries = vision("data", "log", "--json").document["entries"]
        assert entries[-1:] == first
        assert len(entries) == (1 if done.returncode else 2)
        assert vision("data", "verify").code == 0
        assert vision("data", "commit", "-m", "again").code == 0  # nothing is in the way of the next one
        assert not [*project.rglob("*.part"), *project.rglob(".incoming*")]
    assert failed


def _commit_with(project, inject):
    """Commit while a system call fails."""
    trace = ["strace", "-f", "-qq", "-o", os.devnull, "-e", inject]
    environment = {**os.environ, "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"}
    words = [*trace, sys.executable, "-m", "vision_cli", "data", "commit", "-m", "second", "-q"]
    return subprocess.run(words, cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_a_file_size_limit_is_a_full_disk(folder, vision, monkeypatch):
    """`ulimit -f`: a photo that may not be written whole."""
    monkeypatch.chdir(folder / "project")
    assert vision("data", "commit", "-m", "first").code == 0
    shutil.copyfile(folder / "large.bmp", "photos/a/large.bmp")
    words = f"ulimit -f 2000; {VISION} data commit -m second -q"
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    done = subprocess.run(["sh", "-c", words], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 6, done.stderr
    assert "cannot be written: File too large." in done.stderr
    assert "MB are free there; make room." in done.stderr
    assert len(vision("data", "log", "--json").document["entries"]) == 1
    assert vision("data", "verify").code == 0
