"""Files that name the classes of masks, in every known form, and bad ones."""

from __future__ import annotations

import pytest

from vision_cli.core.errors import DataError
from vision_cli.formats import mask_classes


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("classes.txt", "sky\nroad\n", {"sky": 0, "road": 1}),
        ("classes.txt", "\ufeff# a comment\n3 sky\n7: traffic light\n", {"sky": 3, "traffic light": 7}),
        ("classes.json", '["sky", "road"]', {"sky": 0, "road": 1}),
        ("classes.json", '{"0": "sky", "12": "road"}', {"sky": 0, "road": 12}),
        ("labels.json", '{"sky": 4, "road": 2}', {"sky": 4, "road": 2}),
        ("data.yaml", "names: [sky, road]\n", {"sky": 0, "road": 1}),
        ("config.yaml", "classes:\n  1: no\n  2: 007\n", {"no": 1, "007": 2}),
    ],
)
def test_files_of_values(tmp_path, name, text, wanted):
    (tmp_path / name).write_text(text, encoding="utf-8")
    found = mask_classes.read(tmp_path / name)
    assert {one.name: one.value for one in found.classes} == wanted
    assert mask_classes.find(tmp_path) == tmp_path / name


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("classes.txt", "", "no classes"),
        ("classes.txt", "sky\nsky\n", "1 repeated names"),
        ("classes.txt", "1 sky\n1 road\n", "1 bad values"),
        ("classes.txt", "99999 sky\n1 road\n", "1 bad values"),
        ("classes.txt", "sky 0 0 300\n", "1 bad colours"),
        ("classes.txt", "sky 0 0 1\nroad 0 0 1\n", "1 bad colours"),
        ("classes.json", '[{"name": "a", "value": -1}]', "1 bad values"),
        ("classes.json", '[{"name": 3, "value": 1}]', "1 bad names"),
        ("classes.json", '[{"name": "a", "value": 1, "color": [1, 2]}]', "1 bad colours"),
        ("classes.json", '{"0": "a", "0": "b"}', "twice in one object"),
        ("config.yaml", "classes: !!python/object/apply:os.system [ls]\n", "config.yaml"),
        ("classes.txt", b"\xff\xfe\x00", "not UTF-8"),
    ],
)
def test_bad_files_of_classes_are_refused(tmp_path, name, text, message):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=message) as caught:
        mask_classes.read(tmp_path / name)
    assert name in caught.value.message
