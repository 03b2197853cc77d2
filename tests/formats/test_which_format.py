"""What decides between formats that look alike, and what is left to the user."""

import json

import linked_sets as sets
import pytest

from vision_cli import formats


def names(path):
    return [name for name, _ in formats.detect(path)]


def test_a_csv_of_photos_that_are_elsewhere_gives_way(tmp_path):
    root = sets.MAKERS["voc"](tmp_path / "set")
    sets.text(root / "boxes.csv", "filename,label,xmin,ymin,xmax,ymax\na.jpg,car,1,2,3,4\n")
    assert names(root) == ["voc"]
    assert names(root / "boxes.csv") == ["csv"]


@pytest.mark.parametrize("content", ["path,label\nJPEGImages/a.jpg,car\n", "path,label\nx" * 3 + '"\n'])
def test_a_csv_whose_photos_are_there_or_that_is_broken_does_not(content, tmp_path):
    root = sets.MAKERS["voc"](tmp_path / "set")
    sets.text(root / "labels.csv", content)
    assert set(names(root)) >= {"voc"}
    assert ("csv" in names(root)) == ("JPEGImages" in content)


def test_names_that_no_file_can_have_are_no_photos(tmp_path):
    root = sets.MAKERS["voc"](tmp_path / "set")
    sets.text(root / "labels.csv", "path,label\n" + "x" * 5000 + ",car\na\0b,car\n../../etc/passwd,car\n")
    assert names(root) == ["voc"]


def test_photos_and_categories_beside_two_channel_pictures_are_panoptic(tmp_path):
    sets.photo(tmp_path / "pictures_2ch" / "a.png")
    lists = {"images": [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 48}], "categories": []}
    sets.text(tmp_path / "photos.json", json.dumps(lists))
    assert names(tmp_path / "photos.json") == ["panoptic"]
    sets.text(tmp_path / "photos.json", json.dumps({**lists, "annotations": []}))
    assert names(tmp_path / "photos.json") == ["coco"]


def test_labels_of_two_kinds_stay_the_users_choice(tmp_path):
    root = sets.MAKERS["coco"](tmp_path / "set")
    panoptic = {"images": [], "annotations": [{"image_id": 1, "segments_info": []}], "categories": []}
    sets.text(root / "annotations" / "panoptic.json", json.dumps(panoptic))
    assert names(root) == ["coco", "panoptic"]
