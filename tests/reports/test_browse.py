"""The page to browse photos: its data files hold nothing but data, and its frame asks for nothing."""

import base64
import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from vision_cli.reports import browse_page
from vision_cli.reports.browse import LABELS_A_FILE, PHOTOS_A_FILE, Browse, Pages
from vision_cli.reports.browse_labels import Layer, plain

HOSTILE = "</script><script>window.evil=1</script>\u2028\u2029'\"&\u202e[/]\n😀"


def browse(photos, layer, **more):
    return Browse(
        title=more.pop("title", "a set"),
        classes=more.pop("classes", ("cat", "dog")),
        paths=[f"{at}.jpg" for at in range(photos)],
        sizes=np.full((photos, 2), 100),
        splits=more.pop("splits", [""] * photos),
        sources=["s"] * photos,
        metadata=more.pop("metadata", pa.table({"scene": ["city"] * photos})),
        truth=layer,
        **more,
    )


def layer(rows, **more):
    return Layer(np.array(rows, np.int64), np.zeros(len(rows), np.int64), **more)


def value(pages, name):
    content = pages.content(name)
    assert content is not None
    text = content.decode()
    assert text.startswith("vision({")
    assert text.endswith("})\n")
    return json.loads(text[7:-2])


def test_every_photo_is_in_one_file_of_each_kind():
    photos = PHOTOS_A_FILE + LABELS_A_FILE + 1
    rows = np.random.default_rng(2).integers(0, photos, 900).tolist()
    pages = Pages(browse(photos, layer(rows)))
    names = list(pages.names())
    found = [value(pages, name) for name in names if name.startswith("photos")]
    assert sum(len(each["path"]) for each in found) == photos
    assert [each["first"] for each in found] == [0, PHOTOS_A_FILE]
    counts = [count for each in found for count in each["count"]]
    assert counts == np.bincount(rows, minlength=photos).tolist()
    labels = [len(one) for name in names if name.startswith("labels") for one in value(pages, name)["truth"]]
    assert labels == counts


@pytest.mark.parametrize(
    "name", ["labels-1.js", "labels--1.js", "labels-\u0660.js", "labels-00.js", "labels-0", "x", "", "start"]
)
def test_there_are_no_other_files(name):
    assert Pages(browse(3, layer([0]))).content(name) is None


def test_a_set_without_photos():
    pages = Pages(browse(0, layer([])))
    assert list(pages.names()) == ["start.js"]
    assert value(pages, "start.js")["photos"] == 0


def test_hostile_names_stay_data():
    more = {"note": pa.chunked_array([pa.array([HOSTILE])])}
    found = browse(1, layer([0], more=more), classes=(HOSTILE,), metadata=pa.table({HOSTILE: [HOSTILE]}), title=HOSTILE)
    pages = Pages(found)
    for name in pages.names():
        content = pages.content(name)
        assert b"<" not in content
        assert not re.search("[\u2028\u2029]", content.decode())
    assert value(pages, "start.js")["classes"] == [HOSTILE]
    assert value(pages, "labels-0.js")["truth"][0][0][6] == {"note": HOSTILE}
    page = browse_page.index(HOSTILE).decode()
    assert page.count("<script>") == 1
    assert "window.evil=1</script>" not in page


def test_a_title_like_a_placeholder_is_only_a_title():
    page = browse_page.index("{{script}}{{title}}").decode()
    assert page.count("<script>") == 1
    assert "<title>{{script}}{{title}}</title>" in page


def test_the_policy_allows_this_script_and_style_alone():
    page = browse_page.index("x").decode()
    policy = re.search('http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        content = re.search(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        directive = next(each for each in policy.split("; ") if each.startswith(rule))
        assert f"'sha256-{digest}'" in directive
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "http" not in policy


def test_the_page_names_no_other_place():
    page = browse_page.index("x").decode()
    assert not re.findall(r"https?://|//[a-z0-9-]+\.[a-z]|@import|url\(", page)


@pytest.mark.parametrize(
    "sink", ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"]
)
def test_the_script_has_no_place_where_text_becomes_markup(sink):
    assert sink not in browse_page.script()


def test_the_assets_are_package_data():
    import vision_cli.reports

    folder = Path(vision_cli.reports.__file__).parent
    for name in ("browse.html", "browse.css", *browse_page._SCRIPTS):
        assert (folder / name).is_file()


@pytest.mark.parametrize(
    ("outline", "drawn"),
    [
        (b"[[0,0,10.06,0,10,10]]", [[0, 0, 10.1, 0, 10, 10]]),
        (b'{"size":[2,3],"counts":[0,6]}', {"size": [2, 3], "counts": [0, 6]}),
        (b"[[0,0,", 0),
        (b'{"size":[2]}', 0),
        (b"null", 0),
        (b"\xff", 0),
        (None, 0),
    ],
)
def test_outlines_that_can_be_drawn(outline, drawn):
    column = pa.chunked_array([pa.array([outline], pa.binary())])
    assert value(Pages(browse(1, layer([0], outlines=column))), "labels-0.js")["truth"][0][0][4] == drawn


def test_boxes_and_scores_that_are_no_numbers_are_left_out():
    boxes = np.array([[1.234, 2, 3, 4], [np.nan] * 4, [np.inf, 0, 1, 1]])
    found = value(Pages(browse(1, layer([0, 0, 0], boxes=boxes, scores=np.array([0.5, np.nan, 1.0])))), "labels-0.js")
    assert [item[1] for item in found["truth"][0]] == [[1.23, 2, 3, 4], 0, 0]
    assert [item[2] for item in found["truth"][0]] == [0.5, 0, 1.0]


def test_plain_values():
    assert plain(float("nan")) == "nan"
    assert plain(True) is True
    assert len(plain("x" * 1000)) == 400


def test_splits_stand_in_their_order():
    found = value(Pages(browse(4, layer([]), splits=["val", "", "train", "night"])), "start.js")
    assert found["splits"] == ["train", "val", "night", ""]
