"""The committed sample data: complete, small, consistent with its tables, and what the script draws."""

import csv
import io
import subprocess
import sys
from collections import Counter
from pathlib import Path

import make
import numpy as np
import pytest
from drawing.scenes import SCENES, draw_scene
from drawing.seasons import LABELS, SEASONS, draw_photo
from PIL import Image

FOLDER = Path(__file__).parents[2] / "sample_data"
SCRIPT = FOLDER / "make.py"


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def pictures(folder: str, suffix: str) -> list[Path]:
    return sorted((FOLDER / folder).rglob(f"*.{suffix}"))


def test_all_files_together_are_small() -> None:
    files = [path for path in FOLDER.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert 1_000_000 < sum(path.stat().st_size for path in files) < 5_000_000


@pytest.mark.parametrize("season", SEASONS)
@pytest.mark.parametrize(("split", "count"), [("train", 60), ("val", 24), ("test", 40)])
def test_every_class_has_its_photos_in_every_split(split: str, count: int, season: str) -> None:
    assert len(list((FOLDER / "seasons" / split / season).glob("*.jpg"))) == count


def test_photos_open_at_the_stated_size_and_no_two_are_equal() -> None:
    seen = Counter()
    for path in pictures("seasons", "jpg"):
        with Image.open(path) as image:
            assert image.format == "JPEG"
            assert sorted(image.size) == [144, 192]
            seen[image.tobytes()] += 1
    assert set(seen.values()) == {1}


@pytest.mark.parametrize("table", ["seasons_labels.csv", "seasons_snow.csv"])
def test_tables_name_every_photo_once_with_its_split(table: str) -> None:
    named = {row["path"]: row["split"] for row in rows(table)}
    found = {path.relative_to(FOLDER).as_posix(): path.parts[-3] for path in pictures("seasons", "jpg")}
    assert len(rows(table)) == len(named)
    assert named == found


def test_labels_agree_with_folders_and_snow() -> None:
    snow = {row["path"]: float(row["value"]) for row in rows("seasons_snow.csv")}
    for row in rows("seasons_labels.csv"):
        season, *contents = row["label"].split("|")
        assert season == row["path"].split("/")[2]
        assert set(contents) <= set(LABELS)
        assert ("snow" in contents) == (snow[row["path"]] >= 0.02), row


def test_snow_tells_the_seasons_apart_only_roughly() -> None:
    shares = {
        season: [float(r["value"]) for r in rows("seasons_snow.csv") if f"/{season}/" in r["path"]]
        for season in SEASONS
    }
    assert all(0 <= share <= 1 for values in shares.values() for share in values)
    assert max(shares["summer"]) < 0.25
    assert min(shares["winter"]) >= 0.02
    assert max(shares["winter"]) - min(shares["winter"]) > 0.4


def test_every_label_is_present_and_absent_a_dozen_times_in_train_and_test() -> None:
    for split in ("train", "test"):
        labels = [row["label"].split("|") for row in rows("seasons_labels.csv") if row["split"] == split]
        counts = Counter(name for names in labels for name in names)
        assert set(counts) == {*LABELS, *SEASONS}
        assert all(12 <= count <= len(labels) - 12 for count in counts.values()), (split, counts)


@pytest.mark.parametrize(("season", "index"), [("summer", 1), ("summer", 96), ("winter", 5), ("winter", 69)])
def test_a_photo_drawn_alone_is_the_committed_one(season: str, index: int) -> None:
    path = next((FOLDER / "seasons").rglob(f"{season}_{index:03d}.jpg"))
    photo = draw_photo(make.SEED, index, season)
    assert make.is_same(path.read_bytes(), make.encode_jpeg(photo.shot.rgb, 84))
    share = next(float(row["value"]) for row in rows("seasons_snow.csv") if row["path"].endswith(path.name))
    assert photo.snow_share == pytest.approx(share, abs=0.005)


def test_logos_have_transparent_and_solid_parts_in_three_modes() -> None:
    modes = set()
    for path in pictures("logos", "png"):
        with Image.open(path) as image:
            modes.add(image.mode)
            assert max(image.size) == 256
            alpha = np.asarray(image.convert("RGBA"))[..., 3]
        assert "__" in path.stem
        assert (alpha == 0).mean() > 0.05, path
        assert (alpha == 255).mean() > 0.1, path
    assert modes == {"RGBA", "LA", "P"}
    assert len({path.stem.split("__")[0] for path in pictures("logos", "png")}) == 6


def test_scenes_are_complete() -> None:
    assert [path.stem for path in pictures("scenes", "jpg")] == sorted(SCENES)
    for path in pictures("scenes", "jpg"):
        with Image.open(path) as image:
            assert (image.format, image.size) == ("JPEG", (640, 480))


@pytest.mark.parametrize("name", ["boxes", "van"])
def test_a_scene_drawn_small_is_the_committed_one(name: str) -> None:
    small = draw_scene(make.SEED, name, (96, 72)).astype(float)
    with Image.open(FOLDER / "scenes" / f"{name}.jpg") as image:
        committed = np.asarray(image.resize((96, 72), Image.Resampling.BOX), float)
    assert np.abs(small - committed).mean() < 6


def test_script_writes_checks_and_notices_a_changed_file(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--only", "logos", "--out", str(tmp_path)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    spoilt = tmp_path / "logos" / "obbisk__shield.png"
    buffer = io.BytesIO()
    Image.new("RGBA", (216, 256)).save(buffer, "PNG")
    spoilt.write_bytes(buffer.getvalue())
    (tmp_path / "logos" / "quellio__drop.png").unlink()
    check = subprocess.run([*command, "--check"], check=False, capture_output=True, text=True)
    assert check.returncode == 4
    assert [line.split(": ")[1] for line in check.stdout.splitlines()] == [
        "differs from what this script draws",
        "missing",
    ]
    assert str(spoilt) in check.stdout


def test_committed_logos_are_what_the_script_draws() -> None:
    assert list(make.differences(FOLDER, ["logos"])) == []
