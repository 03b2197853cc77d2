"""Label Studio: what is refused, with the task and the reason."""

from __future__ import annotations

import pytest
from test_labelstudio import read, result, task, tasks

from vision_cli.core.errors import DataError

RECT = {"x": 1, "y": 1, "width": 2, "height": 2, "rotation": 0, "rectanglelabels": ["a"]}


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (task(result("rectanglelabels", {**RECT, "x": "1"})), "are not numbers"),
        (task(result("rectanglelabels", {**RECT, "width": -1})), "negative"),
        (task({**result("rectanglelabels", RECT), "original_width": None}), "says its size"),
        (task(result("polygonlabels", {"points": [[1, 2], [3]], "polygonlabels": ["a"]})), "not numbers"),
        (task(result("polygonlabels", {"points": [[1, 2], [3, 4]], "polygonlabels": ["a"]})), "4 values"),
        (task(result("brushlabels", {"format": "rle", "rle": [1, 2], "brushlabels": ["a"]})), "cut off"),
        (task(result("brushlabels", {"format": "rle", "rle": [255] * 40, "brushlabels": ["a"]})), "4294967295 values"),
        (task(result("brushlabels", {"format": "rle", "rle": [0, 0, 300], "brushlabels": ["a"]})), "list of bytes"),
        (task(result("ellipselabels", {"x": 1, "y": 1, "radiusX": -1, "radiusY": 1})), "negative"),
        (task(data=[]), "`data` is no object"),
        (task(annotations={}, data={"image": "a.jpg"}, id=3) | {"annotations": {"a": 1}}, "no list of objects"),
        (task(result("rectanglelabels", RECT) | {"value": 3}), "no object"),
        (3, "no object, but a task is one"),
    ],
)
def test_bad_tasks_are_refused(found, message, tmp_path):
    with pytest.raises(DataError) as caught:
        read(tasks(tmp_path, found))
    assert message in caught.value.details[0]


def test_repeated_ids_are_refused(tmp_path):
    with pytest.raises(DataError) as caught:
        read(tasks(tmp_path, task(), task()))
    assert "task 1: the id stands twice" in caught.value.details[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'[{"data": {"image": NaN}}]', "malformed"),
        (b"[" * 100_000, "nested too deeply"),
        (b'[{"data": {"image": "a.jpg", "image": "b.jpg"}}]', "twice in one object"),
        (b'[{"data": {"image": "a', "ends too early"),
        (b'[{"data": {"image": "\\ud800.jpg"}}]', "hex escape"),
        ('[{"data": {"image": "a.jpg"}}]'.encode("utf-16"), "UTF-16"),
        (b"", "empty"),
        (b"{}", "expected `array`"),
    ],
)
def test_broken_json(content, message, tmp_path):
    path = tmp_path / "tasks.json"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read(path)
    assert message in str(caught.value)
