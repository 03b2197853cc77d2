"""Keypoints on the page to browse photos are joined as the categories of the data say it."""

import json

import numpy as np
import pytest
from PIL import Image
from show_sets import request, values

from vision_cli.core.progress import Silent
from vision_cli.stages.showing import show as stage

BONES = [[1, 2], [2, 3], [2, 4]]
POINTS = [50, 20, 2, 50, 50, 2, 30, 90, 1, 70, 90, 0]


def people(folder, **more):
    """One photo with a figure of four points; the last one is not labelled."""
    folder.mkdir()
    Image.fromarray(np.full((100, 120, 3), 90, np.uint8)).save(folder / "1.jpg")
    labelled = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [20, 10, 60, 85], "area": 5100, "iscrowd": 0}
    person = {"id": 1, "name": "person", "keypoints": ["head", "hip", "left", "right"], **more}
    document = {
        "images": [{"id": 1, "file_name": "1.jpg", "width": 120, "height": 100}],
        "annotations": [{**labelled, "keypoints": POINTS, "num_keypoints": 3}],
        "categories": [{"id": 2, "name": "cup"}, person],
    }
    (folder / "labels.json").write_text(json.dumps(document))
    ring = {"segmentation": [[20, 10, 80, 10, 80, 95]]}
    found = {"keypoints": [52, 22, 1, 52, 52, 1, 32, 88, 1, 72, 88, 1], "score": 0.9, **ring}
    said = [{"image_id": 1, "category_id": 1, **found}]
    (folder / "results.json").write_text(json.dumps(said))
    return folder


def shown(folder, page, predictions=None):
    stage.show(request(folder / "labels.json", page, predictions=predictions), Silent())
    return values(page, "start"), values(page, "labels-0")


def test_a_skeleton_goes_to_the_page_counted_from_0(tmp_path):
    folder = people(tmp_path / "people", skeleton=BONES)
    start, labels = shown(folder, tmp_path / "page", folder / "results.json")
    person = str(start["classes"].index("person"))
    assert start["skeletons"] == {person: [[0, 1], [1, 2], [1, 3]]}
    assert start["has"]["keypoints"]
    assert [item[0] for item in (*labels["truth"][0], *labels["said"][0])] == [int(person)] * 2
    assert labels["said"][0][0][4:6] == [[[20, 10, 80, 10, 80, 95]], [52, 22, 1, 52, 52, 1, 32, 88, 1, 72, 88, 1]]


@pytest.mark.parametrize("more", [{}, {"skeleton": None}, {"skeleton": [[0, 1]]}, {"skeleton": "all"}])
def test_points_without_a_skeleton_stand_alone(tmp_path, more):
    start, labels = shown(people(tmp_path / "people", **more), tmp_path / "page")
    assert start["skeletons"] == {}
    assert labels["truth"][0][0][5] == POINTS
