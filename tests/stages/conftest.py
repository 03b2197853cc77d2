"""One trained project for each task, made once; tests that change something work on a copy."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import stage_projects as small


@pytest.fixture(scope="package", autouse=True)
def one_core() -> Iterator[None]:
    """Give every runtime one thread: figures repeat to the bit, and a busy machine is not fought over."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "cpu_count", lambda: 1)
        yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def quick_memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the process that measures a model's memory: importing torch again takes seconds."""
    if "real_memory" not in request.fixturenames:
        monkeypatch.setattr("vision_cli.runtimes.timing.memory_mb", lambda *_, **__: 100.0)


@pytest.fixture
def real_memory() -> None:
    """Measure memory after all."""


@pytest.fixture(scope="package")
def seasons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of six classes, trained and exported."""
    folder = small.write_project(
        tmp_path_factory.mktemp("seasons"), "photos", kpis="[top1 > 0.5, 'f1[winter] > 0.4', size_mb < 100 @ onnx]"
    )
    small.class_folders(folder / "photos", 24)
    return trained_and_exported(folder)


@pytest.fixture(scope="package")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Several labels a photo, trained and exported."""
    folder = small.write_project(tmp_path_factory.mktemp("labels"), "labels.csv", kpis="[map > 0.5]")
    small.label_csv(folder / "labels.csv", 120)
    return trained_and_exported(folder)


@pytest.fixture(scope="package")
def values(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A value a photo, trained and exported."""
    folder = small.write_project(tmp_path_factory.mktemp("values"), "values.csv", kpis="[mae < 90]")
    small.value_csv(folder / "values.csv", 100)
    return trained_and_exported(folder)


def trained_and_exported(folder: Path) -> Path:
    """Train and export, and return the project."""
    small.done(folder, "train", "--json")
    small.done(folder, "export", "--format", "onnx", "--format", "tflite")
    return folder


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[Path], Path]:
    """Copy a project with its runs, to be changed."""
    return lambda project: small.copied(project, tmp_path / "copy")
