"""Links that lead out of a source: refused, unless the user said that they may be followed."""

import json
from pathlib import Path

import linked_sets as sets
import pytest
from PIL import Image

from vision_cli import formats
from vision_cli.core import containment
from vision_cli.core.config import SourceConfig
from vision_cli.core.containment import Containment
from vision_cli.core.errors import DataError


def config(**settings):
    return SourceConfig(path=".", **settings)


@pytest.fixture
def outside(tmp_path):
    return sets.photo(tmp_path / "elsewhere" / "secret.jpg")


@pytest.mark.parametrize("name", sets.MAKERS)
def test_a_link_out_is_refused_and_followed_with_the_permission(name, outside, tmp_path):
    root = sets.MAKERS[name](tmp_path / "set")
    photo = sorted(root.rglob("*.jpg"))[0]
    photo.unlink()
    photo.symlink_to(outside)
    with pytest.raises(DataError) as caught:
        formats.read("data", config(format=name), root).paths()
    assert caught.value.exit_code == 3
    found = formats.read("data", config(format=name, links="follow"), root)
    assert photo in found.paths()
    assert [each for each, _ in followed(root)] == [name]


def followed(root: Path):
    with containment.links("follow"):
        return formats.detect(root)


def test_the_permission_ends_where_it_was_given(tmp_path):
    with containment.links("follow"):
        assert Containment(tmp_path).follows
    assert not Containment(tmp_path).follows
    assert Containment(tmp_path, "follow").follows


@pytest.mark.parametrize("path", ["/etc/passwd", "../secret.jpg", "a/../../b", "link/../secret.jpg", "a\0b"])
def test_what_stays_refused_with_the_permission(path, tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path)
    assert not Containment(tmp_path / "root", "follow").holds(path)


def test_folders_behind_links_are_listed_once_and_loops_end(outside, tmp_path):
    root = tmp_path / "set"
    sets.photo(root / "cat" / "a.jpg")
    (root / "dog").symlink_to(outside.parent)
    (root / "cat" / "up").symlink_to(root)
    (outside.parent / "again").symlink_to(root)
    with pytest.raises(DataError, match="entries are refused"):
        formats.read("data", config(format="imagefolder"), root)
    found = formats.read("data", config(links="follow"), root)
    assert found.images["path"].to_pylist() == ["cat/a.jpg", "dog/secret.jpg"]
    assert found.classes.names == ("cat", "dog")


def test_labels_behind_a_linked_folder(outside, tmp_path):
    root = sets.MAKERS["kitti"](tmp_path / "set")
    (root / "training").rename(tmp_path / "moved")
    (root / "training").symlink_to(tmp_path / "moved")
    found = formats.read("data", config(links="follow"), root)
    assert found.annotations.num_rows == 1
    assert found.followed == {"data"}


def test_who_made_the_links_is_told_what_to_say(outside, tmp_path):
    root = sets.MAKERS["kitti"](tmp_path / "set")
    photo = root / "training" / "image_2" / "a.jpg"
    photo.unlink()
    photo.symlink_to(outside)
    with pytest.raises(
        DataError, match="links in it lead out of it; behind them are labels or photos of kitti"
    ) as caught:
        formats.read("data", config(), root)
    assert "--follow-links" in caught.value.hint


@pytest.mark.parametrize("place", ["set", "set/images"])
@pytest.mark.parametrize("tool", ["cvat", "labelstudio"])
def test_tasks_whose_photo_is_a_link_name_the_way_out(tmp_path, tool, place):
    (tmp_path / "far").mkdir()
    Image.new("RGB", (8, 6)).save(tmp_path / "far/a.png")
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "a.png").symlink_to(tmp_path / "far/a.png")
    if tool == "cvat":
        file = tmp_path / "set/a.xml"
        file.write_text('<annotations><image id="0" name="a.png" width="8" height="6"/></annotations>')
    else:
        file = tmp_path / "set/a.json"
        name = "a.png" if place == "set" else "images/a.png"
        file.write_text(json.dumps([{"id": 1, "data": {"image": name, "width": 8, "height": 6}}]))
    with pytest.raises(DataError) as caught:
        formats.read_as(tool, file, formats.ReadOptions("s"))
    told = " ".join((caught.value.message, *caught.value.details, caught.value.hint or ""))
    assert "leads out of" in told
    assert "--follow-links" in told
    assert len(formats.read_as(tool, file, formats.ReadOptions("s", links="follow"))) == 1
