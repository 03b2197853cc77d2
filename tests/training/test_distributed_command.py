"""`vision train` in two processes: through the command, on a small set, against one process with the same batch."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny_training import draw

pytestmark = pytest.mark.slow  # each run is one or two starts of Python with torch
MODEL = {"backbone": "test_resnet", "weights": "none", "dropout": 0.0, "input": {"size": 64}}
TRAIN = {"epochs": 4, "batch_size": 8, "workers": 0, "device": "cpu", "optimizer": "sgd", "learning_rate": 0.05}
FIGURES = ("train_loss", "val_loss", "val_score", "learning_rate")
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def environment() -> dict[str, str]:
    named = {name: value for name, value in os.environ.items() if not name.startswith("VISION_SET_")}
    return {**named, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}


def vision(
    folder: Path, *words: str, starter: Sequence[str] = ("-m", "vision_cli")
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *starter, "train", *words]
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)


def stripes(folder: Path, photos: int = 40) -> Path:
    """Write a project of two classes in folders."""
    drawn = draw(folder / "drawn", photos)
    for path, target in zip(drawn.paths, drawn.targets, strict=True):
        kept = folder / "data" / f"class{target}" / path.name
        kept.parent.mkdir(parents=True, exist_ok=True)
        path.rename(kept)
    return project(folder, "classify", {"family": "timm", **MODEL}, "data")


def blocks(folder: Path, photos: int = 40) -> Path:
    """Write a project of coloured blocks on noise, from none to four a photo, as one COCO file."""
    rng, images = np.random.default_rng(0), []
    found: list[dict[str, Any]] = []
    (folder / "data" / "images").mkdir(parents=True)
    for index in range(photos):
        photo = rng.integers(90, 160, (64, 64, 3), dtype=np.uint8)
        for number in range(index % 5):
            left, top = (int(value) for value in rng.integers(0, 40, 2))
            width, height = (int(value) for value in rng.integers(10, 24, 2))
            photo[top : top + height, left : left + width] = (240, 20, 20) if number % 2 else (20, 20, 240)
            box = [left, top, width, height]
            found.append(
                {"id": len(found) + 1, "image_id": index, "category_id": number % 2, "bbox": box, "iscrowd": 0}
            )
            found[-1]["area"] = width * height
        images.append({"id": index, "file_name": f"{index}.png", "width": 64, "height": 64})
        Image.fromarray(photo).save(folder / "data" / "images" / f"{index}.png")
    categories = [{"id": 0, "name": "blue"}, {"id": 1, "name": "red"}]
    document = {"images": images, "annotations": found, "categories": categories}
    (folder / "data" / "annotations.json").write_text(json.dumps(document))
    return project(folder, "detect", {"family": "ssdlite", **MODEL}, "data")


def project(folder: Path, task: str, model: dict[str, Any], path: str) -> Path:
    sections = {
        "name": "pair",
        "task": task,
        "data": {"sources": {"a": {"path": path}}},
        "model": model,
        "train": TRAIN,
    }
    (folder / "vision.yaml").write_text(json.dumps({"version": 1, **sections}))
    return folder


def rows(folder: Path) -> list[dict[str, float]]:
    lines = (folder / "runs" / "train" / "latest" / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def curves(folder: Path) -> list[list[float]]:
    return [[row[name] for name in FIGURES if row[name] is not None] for row in rows(folder)]


def check_same_curve(folder: Path, *words: str, tolerance: float) -> None:
    """Train in one process and in two, and compare."""
    alone = vision(folder, "train.devices=1", *words)
    assert alone.returncode == 0, alone.stderr
    one, metrics = curves(folder), (folder / "runs/train/latest/result.json").read_text()
    together = vision(folder, "train.devices=2", *words)
    assert together.returncode == 0, together.stderr
    assert "2 processes learn together" in together.stderr
    np.testing.assert_allclose(curves(folder), one, rtol=tolerance, atol=tolerance)
    assert len(one) == TRAIN["epochs"]
    assert one[-1][0] < 0.99 * one[0][0], "what learns nothing would agree with anything"
    run = folder / "runs/train/latest"
    before, two = json.loads(metrics)["metrics"], json.loads((run / "result.json").read_text())["metrics"]
    told = [name for name, value in before.items() if value is not None]
    assert told == [name for name, value in two.items() if value is not None]
    np.testing.assert_allclose([two[name] for name in told], [before[name] for name in told], rtol=0.02, atol=0.02)
    assert not list(run.glob("process-*")), "whoever said nothing left nothing"
    assert together.stdout.count("run ") == 1


def test_a_classifier(tmp_path: Path) -> None:
    check_same_curve(stripes(tmp_path), tolerance=2e-4)


def test_a_detector(tmp_path: Path) -> None:
    # Which anchors learn an object is a choice, and rounding tips one now and then; a wrong divisor is off by a third.
    words = ("train.augment=none", "train.learning_rate=0.01")
    check_same_curve(blocks(tmp_path), *words, tolerance=5e-3)


def test_torchrun_starts_them(tmp_path: Path) -> None:
    folder = stripes(tmp_path)
    assert vision(folder).returncode == 0
    one = curves(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    starter = ("-m", "torch.distributed.run", "--nproc-per-node=2", f"--master-port={port}", "-m", "vision_cli")
    found = vision(folder, "--json", starter=starter)
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["ok"] is True, "only the first process answers"
    np.testing.assert_allclose(curves(folder), one, rtol=2e-4, atol=2e-4)
    assert len(list((folder / "runs" / "train").glob("2*"))) == 2


def test_one_process_does_it_all_with_a_frozen_backbone(tmp_path: Path) -> None:
    found = vision(stripes(tmp_path), "train.devices=2", "train.freeze=backbone", "train.epochs=2")
    assert found.returncode == 0, found.stderr
    assert "train.devices: without effect with a frozen backbone: one process does it all." in found.stderr


def test_a_photo_that_is_refused_is_told_once(tmp_path: Path) -> None:
    folder = stripes(tmp_path)
    for path in (folder / "data").rglob("*.png"):
        path.write_bytes(path.read_bytes()[:900])
    found = vision(folder, "train.devices=2")
    assert found.returncode == 3
    assert found.stderr.count("error:") == 1


class Going:
    """A training in two processes that has finished an epoch."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "vision_cli", "train", "train.devices=2", "train.epochs=5000"]
        self.folder, latest = folder, folder / "runs" / "train" / "latest"
        before = latest.resolve()
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        until = time.monotonic() + 600
        while latest.resolve() == before or not (latest / "checkpoints" / "last.ckpt").is_file():
            assert time.monotonic() < until
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.1)
        self.other = companion_of(self.process.pid)

    def ended(self) -> tuple[int, str]:
        _, said = self.process.communicate(timeout=300)
        until = time.monotonic() + 60
        while Path(f"/proc/{self.other}").exists():
            assert time.monotonic() < until, "the other process stays behind"
            time.sleep(0.1)
        return self.process.returncode, said


def companion_of(pid: int) -> int:
    """Return the other process of a training."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                words, fields = (
                    (folder / "cmdline").read_text(),
                    (folder / "stat").read_text().rsplit(")", 1)[1].split(),
                )
            except OSError:
                continue
            if "companion" in words and int(fields[1]) == pid:
                return int(folder.name)
    raise AssertionError("there is no other process")


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_a_killed_process_ends_all_with_one_message(tmp_path: Path) -> None:
    going = Going(stripes(tmp_path))
    os.kill(going.other, signal.SIGKILL)
    code, said = going.ended()
    assert code == 6
    assert said.count("error:") == 1
    assert "process 1 of 0 to 1 of the training was killed by SIGKILL" in said
    assert json.loads((tmp_path / "runs/train/latest/status.json").read_text())["state"] == "failed"


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_interrupted_and_resumed(tmp_path: Path) -> None:
    going = Going(stripes(tmp_path))
    going.process.send_signal(signal.SIGINT)
    code, said = going.ended()
    assert code == 130
    assert said.count("error:") == 1
    done = len(rows(tmp_path))
    state = json.loads((tmp_path / "runs/train/latest/status.json").read_text())["state"]
    assert (state, done >= 1) == ("interrupted", True)
    going = Going(tmp_path)  # another one, killed for good: what it started ends by itself
    going.process.kill()
    assert going.ended()[0] == -signal.SIGKILL


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_a_resumed_pair_ends_like_one_that_was_not_interrupted(tmp_path: Path) -> None:
    folder = stripes(tmp_path)
    assert vision(folder, "train.devices=2", "train.epochs=6").returncode == 0
    whole = curves(folder)
    latest = folder / "runs" / "train" / "latest"
    process = subprocess.Popen(
        [sys.executable, "-m", "vision_cli", "train", "train.devices=2", "train.epochs=6", "-q"],
        cwd=folder,
        env=environment(),
    )
    first = latest.resolve()
    while latest.resolve() == first or not (latest / "metrics.jsonl").is_file():
        time.sleep(0.05)
        assert process.poll() is None
    process.kill()
    process.wait()
    resumed = vision(folder, "--resume", "train.devices=2", "train.epochs=6")
    assert resumed.returncode == 0, resumed.stderr
    np.testing.assert_allclose(curves(folder), whole, rtol=1e-6)
