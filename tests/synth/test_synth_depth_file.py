"""Depth maps of the user's own, written by the test with numpy and OpenCV."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vision_cli.core.errors import DataError, UsageError
from vision_cli.synth.analysis import analyse
from vision_cli.synth.depth import file
from vision_cli.synth.depth.request import DepthRequest
from vision_cli.synth.scene import AnalysisSettings, Background, plane_depth, rays

SHAPE = (90, 120)


def background(name: str = "street 01.jpg") -> Background:
    photo = np.random.default_rng(0).integers(0, 256, (*SHAPE, 3)).astype(np.uint8)
    return Background(photo, Path("photos") / name, "0" * 64, focal_px=100.0)


def request(folder: Path | None, name: str = "street 01.jpg") -> DepthRequest:
    settings = AnalysisSettings(depth="file", depth_folder=folder)
    return DepthRequest(background(name), np.zeros(SHAPE, np.int32), 100.0, settings)


def floor() -> NDArray[np.float32]:
    """Return the depth of a floor and, above it, a wall ahead."""
    depth = plane_depth(np.array([0.0, -1.0, 0.0]), -1.0, rays(SHAPE, 100.0))
    return np.where((depth > 0) & (depth < 6), depth, 6).astype(np.float32)


@pytest.mark.parametrize("name", ["street 01.png", "street 01.jpg.png"])
def test_a_png_of_millimetres_is_read(tmp_path: Path, name: str) -> None:
    cv2.imwrite(str(tmp_path / name), np.rint(floor() * 1000).astype(np.uint16))
    assert file.estimate(request(tmp_path)).depth == pytest.approx(floor() * 1000, abs=0.51)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", "u2", "i4"])
def test_an_npy_of_any_number_is_read(tmp_path: Path, dtype: str) -> None:
    np.save(tmp_path / "street 01.npy", (floor() * 100).astype(dtype))
    assert file.estimate(request(tmp_path)).depth == pytest.approx(floor() * 100, rel=0.02)


def test_maps_of_another_size_are_resized(tmp_path: Path) -> None:
    big = cv2.resize(floor(), (480, 360), interpolation=cv2.INTER_LINEAR)
    np.save(tmp_path / "street 01.npy", big)
    depth = file.estimate(request(tmp_path)).depth
    assert depth.shape == SHAPE
    assert np.median(np.abs(depth / floor() - 1)) < 0.01


def test_holes_take_their_nearest_neighbours_depth(tmp_path: Path) -> None:
    holed = floor()
    holed[:, 50:60] = 0
    holed[80, 20] = np.nan
    holed[81, 90] = np.inf
    holed[82, 30] = -4
    np.save(tmp_path / "street 01.npy", holed)
    depth = file.estimate(request(tmp_path)).depth
    assert depth == pytest.approx(floor(), rel=0.05)  # a floor's depth is the same along a row
    assert (depth[:, :50][:79] == holed[:, :50][:79]).all()


def test_planes_of_a_map_are_its_surfaces(tmp_path: Path) -> None:
    np.save(tmp_path / "street 01.npy", floor())
    photo = np.zeros((*SHAPE, 3), np.uint8)
    lower = floor() < 6
    photo[lower], photo[~lower] = (200, 60, 40), (40, 60, 200)
    scene = analyse(
        dataclasses.replace(background(), photo=photo), AnalysisSettings(depth="file", depth_folder=tmp_path)
    )
    found = sorted(tuple(np.round(plane.normal, 2) + 0.0) for plane in scene.planes)
    assert found == [(0.0, -1.0, 0.0), (0.0, 0.0, -1.0)]
    assert scene.horizon is None


def written(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif name.endswith(".npy"):
        np.save(path, content)  # type: ignore[arg-type]
    else:
        cv2.imwrite(str(path), content)  # type: ignore[call-overload]
    return path


REFUSED = {
    "8 bits": ("street 01.png", np.full(SHAPE, 9, np.uint8), "8 bits"),
    "colour": ("street 01.png", np.full((*SHAPE, 3), 9, np.uint16), "3 channels"),
    "another shape": ("street 01.npy", np.ones((120, 90)), "another shape"),
    "three dimensions": ("street 01.npy", np.ones((1, *SHAPE)), "table of numbers"),
    "objects": ("street 01.npy", np.array([[{}]], object), "cannot be read"),
    "text": ("street 01.npy", np.full(SHAPE, "x"), "table of numbers"),
    "nothing known": ("street 01.npy", np.zeros(SHAPE), "100 %"),
    "empty": ("street 01.npy", np.zeros((0, 0)), "table of numbers"),
    "cut npy": ("street 01.npy", b"\x93NUMPY\x01\x00v\x00{'descr'", "cannot be read"),
    "junk": ("street 01.png", b"<html>", "street 01.png"),
    "empty file": ("street 01.png", b"", "street 01.png"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_depth_map_is_refused_by_name(tmp_path: Path, case: str) -> None:
    name, content, words = REFUSED[case]
    path = written(tmp_path, name, content)
    with pytest.raises(DataError) as refused:
        file.estimate(request(tmp_path))
    assert words in refused.value.message
    assert str(path) in refused.value.message
    assert refused.value.hint


def test_a_huge_claim_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (400000, 400000), }"
    path = tmp_path / "street 01.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(DataError, match="claims"):
        file.read(path)


def test_a_photo_without_a_map_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError) as refused:
        file.estimate(request(tmp_path))
    assert "street 01.jpg" in refused.value.message
    assert "street 01.jpg.npy" in (refused.value.hint or "")


def test_two_maps_of_one_photo_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "street 01.npy", floor())
    np.save(tmp_path / "street 01.jpg.npy", floor())
    with pytest.raises(DataError, match="2 depth maps"):
        file.estimate(request(tmp_path))


def test_no_folder_is_the_callers_fault() -> None:
    with pytest.raises(UsageError, match="folder"):
        file.estimate(request(None))
