"""`vision synth distance` on photos: it falls as they get more alike, and names what drives it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from vision_cli.core import project
from vision_cli.core.errors import DataError
from vision_cli.stages.synth.measuring.distance import DistanceRequest, check_real, distance
from vision_cli.stages.synth.measuring.traits_of_photos import parameters

NUMBER = 24


def draw(folder: Path, seed: int, blur: float = 0.0) -> Path:
    """Write photos of coloured boxes, maybe blurred."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for index in range(NUMBER):
        blocks = rng.integers(0, 255, (6, 8, 3), dtype=np.uint8).repeat(16, axis=0).repeat(16, axis=1)
        photo = Image.fromarray(blocks).filter(ImageFilter.GaussianBlur(blur))
        photo.save(folder / f"{index:06d}.jpg")
    return folder


def mixed(folder: Path, one: Path, other: Path) -> Path:
    """Copy every second photo of each of two folders."""
    folder.mkdir()
    for index, path in enumerate(sorted(one.iterdir())):
        source = path if index % 2 else other / path.name
        (folder / path.name).write_bytes(source.read_bytes())
    return folder


def test_the_distance_falls_as_photos_get_more_alike(tmp_path):
    pytest.importorskip("torch")
    loaded = project.load(None, (), start=tmp_path)
    real = draw(tmp_path / "real", 1)
    soft, same = draw(tmp_path / "soft", 3, 3.0), draw(tmp_path / "same", 4)
    sets = [soft, mixed(tmp_path / "half", soft, same), same]
    found = [distance(DistanceRequest(loaded, each, real)) for each in sets]
    kernels = [each.kernel for each in found]
    assert kernels[1] == pytest.approx(kernels[0] / 4, rel=0.25)  # of a mixture it is the square of its share
    assert abs(kernels[2]) < kernels[1] / 5
    assert found[0].frechet > found[1].frechet > found[2].frechet
    assert found[0].times_noise > 5
    assert found[0].auc > 0.95
    assert found[2].chance[0] < found[2].auc < found[2].chance[1]
    assert found[2].drivers == ()
    assert json.loads(json.dumps(found[0].as_json(), default=str))["photos"] == [NUMBER, NUMBER]


@pytest.mark.parametrize("number", [0, 3])
def test_too_few_photos_are_refused_before_any_work(tmp_path, number):
    folder = draw(tmp_path / "real", 1)
    for path in sorted(folder.iterdir())[number:]:
        path.unlink()
    with pytest.raises(DataError, match=r"holds no photo|3 real photos say nothing"):
        check_real(folder, made=100)


def test_too_few_made_photos_are_refused_before_any_work(tmp_path):
    with pytest.raises(DataError, match="5 made photos"):
        check_real(draw(tmp_path / "real", 1), made=5)


def record(index: int, size: float, blend: str, look: str) -> dict:
    one = {"size_px": size, "angle_deg": -10.0, "tilt_deg": 5.0, "contrast": 20.0, "visibility": 1.0, "look": look}
    return {
        **{"photo": index, "width": 100, "height": 80, "blend": blend, "mirrored": False, "jpeg_quality": 90},
        "noise_sigma": (0.5, 1.0, 4.0)[index // 2 % 3],
        "objects": [{**one, "blur_px": 0.5, "motion_px": 0.0, "plane": None}] if size else [],
    }


def test_a_log_without_the_noise_has_no_bins_of_it():
    rows = [record(index, 10 + index, "alpha", "plain") for index in range(60)]
    assert "noise of the background, grey levels" in {each.name for each in parameters(rows, np.arange(60))}
    for row in rows:
        del row["noise_sigma"]
    names = {each.name for each in parameters(rows, np.arange(60))}
    assert "size, share of the photo" in names
    assert "noise of the background, grey levels" not in names


def test_photos_are_split_by_what_was_drawn_for_them():
    sizes = [10, 20, 30, 0] * 15
    rows = [
        record(index, sizes[index // 2 % 60], ("alpha", "hard")[index % 2], "plain" if index % 3 else "neon")
        for index in range(120)
    ]
    found = {each.name: each for each in parameters(rows, np.arange(120) // 2)}
    size = found["size, share of the photo"]
    assert size.bins == ("0.1 to 0.1", "0.2 to 0.2", "0.3 to 0.3")
    assert size.of.tolist() == [{10: 0, 20: 1, 30: 2, 0: -1}[sizes[index // 2 % 60]] for index in range(120)]
    noise = found["noise of the background, grey levels"]
    assert noise.bins == ("0.5 to 0.5", "1 to 1", "4 to 4")
    assert noise.of.tolist() == [index // 2 % 3 for index in range(120)]
    assert found["blend"].of.tolist() == [0, 1] * 60
    assert found["look of the largest"].bins == ("neon", "plain")
    assert "tilt, degrees" not in found  # one value
    assert "mirrored" not in found
