"""Small drawn projects, and the command line called in this process inside of them."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

PHOTO_PX = (72, 56)
COLOURS = {
    "winter": (225, 230, 240),
    "summer": (60, 150, 60),
    "no": (200, 60, 50),
    "007": (40, 50, 160),
    "1e3": (90, 165, 75),
    "<b>[x] & été": (220, 180, 60),
}
"""Class names that YAML, HTML and rich would like to read otherwise; `1e3` looks much like `summer`."""
PARTS = {"red": (230, 30, 30), "blue": (30, 30, 230), "green": (30, 200, 30)}
TINY = "{family: timm, backbone: test_resnet, weights: none, input: {size: 64}, dropout: 0}"
QUICK = "{epochs: 6, workers: 0, freeze: none, augment: none, learning_rate: 0.01, batch_size: 16}"


@dataclass(frozen=True)
class Called:
    """What one command line left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout; NaN and a second document are errors."""

        def refuse(name: str) -> None:
            raise AssertionError(f"{name} in JSON")

        found: dict[str, Any] = json.loads(self.out, parse_constant=refuse)
        return found


def call(folder: Path, *words: str) -> Called:
    """Run a command line in this process, with a folder as the working directory."""
    from vision_cli.cli.boundary import run

    before, out, err = dict(os.environ), io.StringIO(), io.StringIO()
    os.environ["VISION_LOG_DIR"] = str(folder / "logs")
    try:
        with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(words)
    finally:
        os.environ.clear()
        os.environ.update(before)
    return Called(code, out.getvalue(), err.getvalue())


def done(folder: Path, *words: str) -> Called:
    """Run a command line that must succeed."""
    called = call(folder, *words)
    assert called.code == 0, called.err
    return called


def started(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Start the program as a process of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "VISION_LOG_DIR": str(folder / "logs")}
    return subprocess.Popen(
        [sys.executable, "-m", "vision_cli", *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def listing(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return every file and folder with its time of change and content."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


def draw(path: Path, colour: tuple[int, int, int], rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Write a noisy photo of a colour in some light and return it."""
    width, height = PHOTO_PX
    photo = np.array(colour) + rng.normal(0, 20, (height, width, 3)) + rng.integers(-45, 46)
    return save(path, photo)


def save(path: Path, photo: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Write pixels as JPEG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.clip(photo, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path, quality=92)
    return pixels


def class_folders(folder: Path, photos: int, names: tuple[str, ...] = tuple(COLOURS), seed: int = 0) -> Path:
    """Draw a folder of photos for each class."""
    rng = np.random.default_rng(seed)
    for name in names:
        for number in range(photos):
            draw(folder / name / f"{number:02}.jpg", COLOURS[name], rng)
    return folder


def label_csv(file: Path, photos: int) -> Path:
    """Draw photos with none to all of the coloured squares of PARTS in them, and their CSV."""
    rng, rows = np.random.default_rng(1), ["path,label"]
    for number in range(photos):
        chosen = [name for bit, name in enumerate(PARTS) if number >> bit & 1]
        photo = 120 + rng.normal(0, 15, (PHOTO_PX[1], PHOTO_PX[0], 3))
        for column, name in enumerate(PARTS):
            if name in chosen:
                photo[8:40, 4 + column * 22 : 24 + column * 22] = PARTS[name]
        save(file.parent / "labelled" / f"{number:03}.jpg", photo)
        rows.append(f"labelled/{number:03}.jpg,{'|'.join(chosen)}")
    file.write_text("\n".join(rows) + "\n")
    return file


def value_csv(file: Path, photos: int) -> Path:
    """Draw photos of some brightness and their CSV of that brightness in percent."""
    rng, rows = np.random.default_rng(2), ["path,value"]
    for number in range(photos):
        level = rng.uniform(0.1, 0.9)
        save(
            file.parent / "valued" / f"{number:03}.jpg", 255 * level + rng.normal(0, 20, (PHOTO_PX[1], PHOTO_PX[0], 3))
        )
        rows.append(f"valued/{number:03}.jpg,{100 * level:.3f}")
    file.write_text("\n".join(rows) + "\n")
    return file


def write_project(folder: Path, data: str, *, kpis: str = "[]", model: str = TINY, train: str = QUICK) -> Path:
    """Write a project file and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        "version: 1",
        "name: tiny",
        "data:",
        f"  sources: {{photos: {{path: {data}}}}}",
        "  split: {train: 0.5, val: 0.2, test: 0.3, seed: 7}",
        f"model: {model}",
        f"train: {train}",
        f"kpis: {kpis}",
    ]
    (folder / "vision.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def copied(project: Path, target: Path) -> Path:
    """Return a copy of a project with its runs."""
    shutil.copytree(project, target, symlinks=True)
    return target
