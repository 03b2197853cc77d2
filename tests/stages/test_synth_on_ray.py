"""`--on ray`: the same bytes as without, whatever happens to a process; each command in a process of its own."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from vision_cli.core import project
from vision_cli.core.errors import MissingPartError, ResourceError, UsageError
from vision_cli.core.progress import Silent
from vision_cli.stages.synth.asking import asked as asking
from vision_cli.stages.synth.asking.commands import COMMANDS
from vision_cli.stages.synth.making import on_ray
from vision_cli.stages.synth.making.maker import Maker
from vision_cli.stages.synth.run import SynthRequest, make_photos

HAS_RAY = importlib.util.find_spec("ray") is not None
TASKS = (b"ray::_in_a_process", b"ray::IDLE")
"""What Ray calls processes that do tasks; without its agents a machine counts as gone."""

needs_ray = pytest.mark.skipif(not HAS_RAY, reason="Ray is not installed: pip install 'vision-cli[ray]'")
SETTINGS = ("synth.logos.image_size=160", "synth.logos.size_share=[0.2,0.5]")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with one logo and three photos."""
    (tmp_path / "logos").mkdir()
    (tmp_path / "photos").mkdir()
    logo = Image.new("RGBA", (60, 60))
    ImageDraw.Draw(logo).ellipse((5, 5, 50, 50), fill=(200, 30, 0, 255))
    logo.save(tmp_path / "logos/kiwi.png")
    rng = np.random.default_rng(3)
    for number in range(3):
        noise = rng.normal(90 + 30 * number, 6, (120, 160, 3)).clip(0, 255).astype(np.uint8)
        Image.fromarray(noise).save(tmp_path / f"photos/{number}.png")
    return tmp_path


def _request(root: Path, out: str, more: tuple[str, ...] = (), **given) -> SynthRequest:
    loaded = project.load(None, (*SETTINGS, *more), start=root)
    return SynthRequest(loaded, "logos", str(root / "logos"), str(root / "photos"), 12, root / out, workers=1, **given)


def _sending(root: Path, out: str, more: tuple[str, ...] = ()) -> on_ray.Sending:
    request = _request(root, out, more)
    given = asking.Given(request.objects, request.backgrounds)
    asked = asking.ask(request.project, COMMANDS["logos"], given, Silent())
    (root / out).mkdir()
    return on_ray.Sending(Maker(replace(asked, cache=root / f"{out}-scenes"), root / out))


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("more", [(), ("synth.logos.depth=file", "synth.logos.depth_folder=maps")])
def test_a_task_needs_no_file_of_this_machine_and_gives_the_same_photos(root, more):
    (root / "maps").mkdir()
    for number in range(3):
        depth = np.linspace(8, 2 + number, 120)[:, None] * np.ones(160)
        np.save(root / f"maps/{number}.npy", depth.astype(np.float32))
    make_photos(_request(root, "here", more))
    sending = _sending(root, "there", more)
    asked, nowhere = sending.maker.asked, Path("/nowhere")
    analysis = replace(asked.analysis, depth_folder=nowhere)
    far = Maker(replace(asked, folder=nowhere, cache=nowhere, analysis=analysis))
    for first in (0, 4, 8):
        task = sending.task(range(first, first + 4))
        sending.keep(task, on_ray.do(far, task))
    assert bytes_of(root / "there") == bytes_of(root / "here/photos")
    scenes = bytes_of(root / "there-scenes")
    assert scenes
    assert scenes.items() <= bytes_of(root / ".vision/synth").items()
    again = sending.task(range(4))
    assert again.scene in scenes.values()


def test_a_machine_that_makes_other_photos_is_refused(root):
    sending = _sending(root, "there")
    task = sending.task(range(4))
    done = on_ray.do(Maker(sending.maker.asked), task)
    record, content = done.photos[0]
    other = replace(done, node="odd", photos=[(record, content + b"x"), *done.photos[1:]])
    with pytest.raises(ResourceError, match="odd: makes another photo 0"):
        sending.keep(task, other)
    assert not bytes_of(root / "there")


def test_other_versions_are_refused():
    own = on_ray.libraries.versions()
    on_ray._check_versions(own)
    with pytest.raises(ResourceError, match="OpenCV"):
        on_ray._check_versions({**own, "OpenCV": "1.0"})


@pytest.mark.skipif(HAS_RAY, reason="Ray is installed")
def test_without_ray_the_line_that_installs_it_is_told(root):
    with pytest.raises(MissingPartError, match="--on ray needs the package 'ray'") as refused:
        make_photos(_request(root, "run", on="ray"))
    assert "vision-cli[ray]" in (refused.value.hint or "")
    assert not (root / "run").exists()


@needs_ray
def test_a_preview_is_made_here(root):
    with pytest.raises(UsageError, match="--preview"):
        make_photos(_request(root, "run", on="ray", preview=2))


@needs_ray
def test_an_address_where_nobody_listens_is_refused_at_once(root, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    with pytest.raises(ResourceError, match=r"no Ray cluster answers at 127\.0\.0\.1:9"):
        make_photos(_request(root, "run", on="ray"))


@needs_ray
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_process_that_is_killed_and_a_run_that_is_killed_change_nothing(root):
    def command(out: str, count: int, *more: str) -> subprocess.Popen[bytes]:
        inputs = ("--logos", "logos", "--backgrounds", "photos", "-n", str(count), "--out", out)
        line = [sys.executable, "-m", "vision_cli", "synth", "logos", *inputs, "--workers", "2", *more, *SETTINGS]
        environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
        return subprocess.Popen(line, cwd=root, env={**environment, "OMP_NUM_THREADS": "1"})

    def there(out: str) -> int:
        return len(list((root / out / "photos").glob("0*.jpg")))

    first = command("ray", 60, "--on", "ray")
    _until(lambda: there("ray") > 4 or first.poll() is not None)
    killed = _kill_one_below(first.pid)
    assert first.wait(300) == 0
    assert killed, "no process of the cluster was found"
    second = command("ray", 120, "--on", "ray")
    _until(lambda: there("ray") > 68 or second.poll() is not None)
    second.kill()
    second.wait(60)
    assert command("ray", 120, "--on", "ray").wait(300) == 0
    assert command("plain", 120).wait(300) == 0
    assert bytes_of(root / "ray") == bytes_of(root / "plain")


def _until(happened) -> None:
    deadline = time.monotonic() + 300
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.05)


def _kill_one_below(pid: int) -> bool:
    """Kill a process of the cluster that does tasks and descends from this one."""
    parents, workers = {}, []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if (entry / "cmdline").read_bytes().startswith(TASKS):
                    workers.append(int(entry.name))
            except OSError:
                continue
    for worker in workers:
        above = worker
        while above in parents and above != pid:
            above = parents[above]
        if above == pid:
            os.kill(worker, signal.SIGKILL)
            return True
    return False
