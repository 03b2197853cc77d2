"""Backgrounds as they are read, and scenes of real photos."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vision_cli.core.errors import DataError, UsageError
from vision_cli.synth import analysis, pictures
from vision_cli.synth.scene import NO_REGION, AnalysisSettings, plane_depth, rays

PHOTOS = Path(__file__).parents[3] / "shared/data/coco128_train/images"


def save(path: Path, size: tuple[int, int], **options: object) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1] // 8, size[0] // 8, 3)).astype(np.uint8)
    Image.fromarray(pixels).resize(size).save(path, **options)
    return path


@pytest.mark.parametrize(
    ("size", "expected"),
    [((1600, 1200), (640, 480)), ((900, 1350), (427, 640)), ((640, 480), (640, 480)), ((300, 200), (300, 200))],
)
def test_photos_are_shrunk_to_working_size_and_never_enlarged(
    tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    path = save(tmp_path / "a.jpg", size, quality=88)
    background = analysis.read_background(path)
    assert background.photo.shape[1::-1] == expected
    assert background.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert background.jpeg_quality == 88
    assert background.focal_px is None


def test_the_lens_counts_at_working_size_whichever_way_up(tmp_path: Path) -> None:
    """A 28 mm equivalent sees 65.5 degrees along the long side of a 3:2 photo."""
    for orientation, size in ((1, (1500, 1000)), (6, (1500, 1000))):
        exif = Image.Exif()
        exif.get_ifd(0x8769)[41989] = 28
        exif[274] = orientation
        background = analysis.read_background(save(tmp_path / f"{orientation}.jpg", size, exif=exif))
        assert max(background.photo.shape) == 640
        assert background.focal_px is not None
        assert math.degrees(2 * math.atan(320 / background.focal_px)) == pytest.approx(65.5, abs=0.1)


def test_what_is_no_background_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="too small"):
        analysis.read_background(save(tmp_path / "a.png", (640, 40)))
    with pytest.raises(DataError, match="does not exist"):
        analysis.read_background(tmp_path / "none.jpg")
    (tmp_path / "page.jpg").write_text("<html>")
    with pytest.raises(DataError, match=r"page\.jpg"):
        analysis.read_background(tmp_path / "page.jpg")


def test_an_unknown_estimator_is_refused_with_a_guess(tmp_path: Path) -> None:
    background = analysis.read_background(save(tmp_path / "a.png", (160, 120)))
    with pytest.raises(UsageError) as refused:
        analysis.analyse(background, AnalysisSettings(depth="geometrik"))
    assert "geometric" in (refused.value.hint or "")


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the shared data are not here")
@pytest.mark.parametrize("path", sorted(PHOTOS.rglob("*.jpg"))[:120:15], ids=lambda path: path.stem)
def test_scenes_of_real_photos_hold_together(path: Path) -> None:
    settings = AnalysisSettings()
    background = analysis.read_background(path)
    scene = analysis.analyse(background, settings)
    assert np.isfinite(scene.depth).all()
    assert scene.depth.min() > 0
    assert np.median(scene.depth) == pytest.approx(1, rel=1e-3)
    assert len(scene.planes) >= 3
    assert len(scene.planes) + sum(scene.rejected.values()) >= scene.regions.max() + 1
    view = rays(scene.shape, scene.focal_px)
    for plane in scene.planes:
        mine = scene.regions == plane.region
        assert mine.sum() == plane.area_px >= settings.least_region_share * mine.size
        assert mine[plane.centre[1], plane.centre[0]]
        assert np.linalg.norm(plane.normal) == pytest.approx(1, abs=1e-5)
        assert plane.tilt_deg <= settings.most_tilt_deg
        away = plane_depth(plane.normal, plane.offset, view[mine].astype(np.float64))
        lies_on = np.abs(scene.depth[mine] / away - 1) < 1.5 * settings.inlier_share
        assert lies_on.mean() > settings.least_inliers - 0.1  # all pixels, not the sample it was fitted to
    assert (scene.regions >= NO_REGION).all()


def test_each_step_has_a_picture_of_the_photos_size(tmp_path: Path) -> None:
    background = analysis.read_background(save(tmp_path / "a.png", (320, 240)))
    scene = analysis.analyse(background, AnalysisSettings())
    shown = dict(pictures.steps(background, scene))
    assert list(shown) == ["photo", "segments", "depth", "planes"]
    for picture in shown.values():
        assert picture.shape == background.photo.shape
        assert picture.dtype == np.uint8
    dark = (background.photo * np.float32(0.6)).astype(np.uint8)
    untouched = np.isin(scene.regions, [plane.region for plane in scene.planes], invert=True)
    drawn = (shown["planes"] != dark).any(axis=2)
    assert drawn[~untouched].mean() > 0.95
    assert drawn[untouched].mean() < 0.1  # only arrows
    near, far = (np.unravel_index(pick(scene.depth), scene.shape) for pick in (np.argmin, np.argmax))
    assert shown["depth"][near][0] > shown["depth"][near][2]  # red
    assert shown["depth"][far][2] > shown["depth"][far][0]  # blue
