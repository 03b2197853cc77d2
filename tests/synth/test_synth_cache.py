"""Scenes that are computed once: the same from the cache, made again where they must be."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import painted_rooms
import pytest
from PIL import Image

from vision_cli.synth import analysis, cache
from vision_cli.synth.scene import AnalysisSettings, Background, Scene

SETTINGS = AnalysisSettings()


@pytest.fixture(scope="module")
def background(tmp_path_factory: pytest.TempPathFactory) -> Background:
    path = tmp_path_factory.mktemp("photos") / "room.jpg"
    Image.fromarray(painted_rooms.build(8, 20).photo).save(path, quality=83)
    return analysis.read_background(path)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    made: list[str] = []

    def analyse(background: Background, settings: AnalysisSettings, **options: object) -> Scene:
        made.append(settings.depth)
        return analysis.analyse(background, settings)

    monkeypatch.setattr(cache, "analyse", analyse)
    return made


def same(one: Scene, other: Scene) -> bool:
    for field in dataclasses.fields(Scene):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if field.name == "planes":
            if [dataclasses.astuple(p)[2:] for p in a] != [dataclasses.astuple(p)[2:] for p in b]:
                return False
            if not all((p.normal == q.normal).all() and p.region == q.region for p, q in zip(a, b, strict=True)):
                return False
        elif isinstance(a, np.ndarray):
            if a.dtype != b.dtype or not (a == b).all():
                return False
        elif a != b:
            return False
    return True


def test_the_second_time_nothing_is_computed_and_nothing_differs(
    background: Background, tmp_path: Path, counted: list[str]
) -> None:
    first = cache.scene_of(background, SETTINGS, tmp_path)
    second = cache.scene_of(background, SETTINGS, tmp_path)
    assert len(counted) == 1
    assert same(first, second)
    (stored,) = tmp_path.iterdir()
    assert stored.name.startswith(background.sha256[:16])
    assert stored.stat().st_size < 200_000


def test_what_is_kept_is_what_was_found(background: Background, tmp_path: Path) -> None:
    found, kept = analysis.analyse(background, SETTINGS), cache.scene_of(background, SETTINGS, tmp_path)
    assert len(found.planes) == len(kept.planes) > 5
    assert kept.jpeg_quality == found.jpeg_quality == 83
    assert (kept.regions == found.regions).all()
    assert np.abs(np.log(kept.depth) - np.log(found.depth)).max() < 0.001
    assert np.abs(kept.shading.astype(int) - found.shading).max() <= 3
    same_but = dataclasses.replace(kept, depth=found.depth, shading=found.shading)
    assert same(same_but, found)


@pytest.mark.parametrize("content", [b"", b"junk", "cut", "flipped"])
def test_a_damaged_file_is_made_again(
    background: Background, tmp_path: Path, counted: list[str], content: bytes | str
) -> None:
    first = cache.scene_of(background, SETTINGS, tmp_path)
    (stored,) = tmp_path.iterdir()
    whole = stored.read_bytes()
    if content == "cut":
        stored.write_bytes(whole[: len(whole) // 2])
    elif content == "flipped":
        stored.write_bytes(whole[:1000] + bytes(byte ^ 255 for byte in whole[1000:1100]) + whole[1100:])
    else:
        assert isinstance(content, bytes)
        stored.write_bytes(content)
    assert same(cache.scene_of(background, SETTINGS, tmp_path), first)
    assert len(counted) == 2
    assert stored.read_bytes() == whole
    assert [path.name for path in tmp_path.iterdir()] == [stored.name]


def test_every_setting_the_photo_and_its_lens_count(background: Background, tmp_path: Path) -> None:
    changes = {
        "depth": "midas-small",
        "fov_deg": 50.0,
        "least_region_share": 0.01,
        "most_aspect": 4.0,
        "least_inliers": 0.9,
        "inlier_share": 0.05,
        "most_tilt_deg": 60.0,
        "max_regions": 10,
    }
    assert set(changes) == {field.name for field in dataclasses.fields(SETTINGS)} - {"depth_folder"}
    places = {cache.path_of(background, dataclasses.replace(SETTINGS, **{k: v}), tmp_path) for k, v in changes.items()}
    places |= {
        cache.path_of(changed, SETTINGS, tmp_path)
        for changed in (
            background,
            dataclasses.replace(background, sha256="1" * 64),
            dataclasses.replace(background, focal_px=500.0),
            dataclasses.replace(background, photo=background.photo[::2, ::2]),
        )
    }
    assert len(places) == len(changes) + 4
    moved = dataclasses.replace(background, path=Path("elsewhere/another name.jpg"))
    assert cache.path_of(moved, SETTINGS, tmp_path) == cache.path_of(background, SETTINGS, tmp_path)


PROGRAM = """
import hashlib, sys
from pathlib import Path
import cv2
cv2.setNumThreads(int(sys.argv[2]))
from vision_cli.synth import analysis, cache
from vision_cli.synth.scene import AnalysisSettings
scene = analysis.analyse(analysis.read_background(Path(sys.argv[1])), AnalysisSettings())
print(hashlib.sha256(cache.pack(scene)).hexdigest())
"""


def test_threads_hash_seed_and_locale_change_no_byte(background: Background) -> None:
    told = set()
    for threads, seed, locale in (("1", "0", "C"), ("4", "77", "de_DE.UTF-8")):
        switches = {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(background.path), threads],
            env={**os.environ, **switches, "LC_ALL": locale, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=True,
        )
        told.add(done.stdout)
    assert len(told) == 1


def test_a_changed_depth_map_is_read_anew(background: Background, tmp_path: Path) -> None:
    maps, kept = tmp_path / "maps", tmp_path / "kept"
    maps.mkdir()
    settings = AnalysisSettings(depth="file", depth_folder=maps)
    columns = np.tile(np.linspace(1, 3, 640, dtype=np.float32), (480, 1))
    np.save(maps / "room.npy", columns)
    first = cache.scene_of(background, settings, kept)
    np.save(maps / "room.npy", columns[:, ::-1])
    second = cache.scene_of(background, settings, kept)
    assert first.depth[0, 0] < first.depth[0, -1]
    assert second.depth[0, 0] > second.depth[0, -1]
