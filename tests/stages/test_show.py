"""The page to browse photos: whole folders, small copies, and what becomes of them."""

import pytest
from PIL import Image
from show_sets import coco_set, request, values

from vision_cli.core.errors import DataError, ResourceError, UsageError
from vision_cli.core.progress import Silent
from vision_cli.stages.showing import show as stage
from vision_cli.stages.showing import thumbs


@pytest.fixture
def coco(tmp_path):
    return coco_set(tmp_path)


def test_a_folder_with_all_that_is_needed(coco, tmp_path):
    shown = stage.show(request(coco / "labels.json", tmp_path / "page"), Silent())
    page = tmp_path / "page"
    assert (shown.photos, shown.annotations, shown.written, shown.unreadable) == (3, 3, True, 0)
    start, photos, labels = values(page, "start"), values(page, "photos-0"), values(page, "labels-0")
    assert start["classes"] == ["car", "van"]
    assert start["roots"] == {"data": "../coco/"}
    assert photos["path"] == ["1.jpg", "2.jpg", "3.jpg"]
    assert photos["classes"] == [[0, 1], [1], []]
    assert photos["count"] == [2, 1, 0]
    assert labels["truth"][0][0][:2] == [0, [10.0, 20.0, 30.12, 40.0]]
    assert labels["truth"][0][1][4] == [[0, 0, 9.1, 0, 9, 9]]
    assert labels["truth"][1][0][4]["size"] == [300, 100]
    assert labels["truth"][1][0][6] == {"id": "13", "area": 300, "crowd": True}
    assert labels["metadata"] == [["city"]] * 3
    for name, size in zip(photos["thumb"], ((240, 120), (80, 240), (64, 48)), strict=True):
        with Image.open(page / "thumbs" / name) as image:
            assert image.size == size
    assert sorted(each.name for each in tmp_path.iterdir()) == ["coco", "page"]


def test_a_page_of_a_condition(coco, tmp_path):
    shown = stage.show(request(coco / "labels.json", tmp_path / "page", where="has('car')"), Silent())
    assert (shown.photos, shown.before) == (1, 3)
    assert values(tmp_path / "page", "labels-0")["truth"][0][0][0] == values(tmp_path / "page", "start")[
        "classes"
    ].index("car")


def test_copies_go_along(coco, tmp_path):
    Image.new("RGB", (3200, 1600)).save(coco / "1.jpg")
    stage.show(request(coco / "labels.json", tmp_path / "page", photos="copy"), Silent())
    photos = values(tmp_path / "page", "photos-0")
    assert values(tmp_path / "page", "start")["roots"] == {"data": "#copy"}
    with Image.open(tmp_path / "page" / "photos" / photos["copy"][0]) as image:
        assert image.size == (1600, 800)
    with Image.open(tmp_path / "page" / "thumbs" / photos["thumb"][0]) as image:
        assert image.size == (240, 120)


def test_a_photo_that_cannot_be_read_has_no_thumbnail(coco, tmp_path):
    (coco / "2.jpg").write_bytes((coco / "2.jpg").read_bytes()[:200])
    (coco / "3.jpg").unlink()
    shown = stage.show(request(coco / "labels.json", tmp_path / "page"), Silent())
    assert shown.unreadable == 2
    assert [name is None for name in values(tmp_path / "page", "photos-0")["thumb"]] == [False, True, True]
    assert any("have no thumbnail: 2" in note for note in values(tmp_path / "page", "start")["notes"])


def test_a_target_is_replaced_only_by_force_and_only_if_it_is_a_page(coco, tmp_path):
    page = tmp_path / "page"
    stage.show(request(coco / "labels.json", page), Silent())
    with pytest.raises(UsageError, match="not empty"):
        stage.show(request(coco / "labels.json", page), Silent())
    before = {file.name: file.stat().st_ino for file in (page / "thumbs").glob("*/*")}
    stage.show(request(coco / "labels.json", page, force=True), Silent())
    assert {file.name: file.stat().st_ino for file in (page / "thumbs").glob("*/*")} == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match="is no page"):
        stage.show(request(coco / "labels.json", tmp_path / "mine", force=True), Silent())
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"
    with pytest.raises(UsageError, match="inside the source"):
        stage.show(request(coco, coco / "page", format="coco"), Silent())


def test_a_dry_run_writes_nothing(coco, tmp_path):
    shown = stage.show(request(coco / "labels.json", tmp_path / "page", dry_run=True), Silent())
    assert (shown.photos, shown.written) == (3, False)
    assert not (tmp_path / "page").exists()


class Interrupting(Silent):
    def step(self, name, done, total, values=None):
        raise KeyboardInterrupt


def test_an_interrupted_page_leaves_nothing(coco, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        stage.show(request(coco / "labels.json", tmp_path / "page"), Interrupting())
    assert sorted(each.name for each in tmp_path.iterdir()) == ["coco"]


def test_thumbnails_of_a_killed_run_are_taken_over(coco, tmp_path):
    left = tmp_path / ".page.0123abcd.part" / "thumbs"
    name = thumbs.key(coco / "1.jpg", 240)
    (left / name).parent.mkdir(parents=True)
    marked = thumbs.small(coco / "2.jpg", 240)  # another picture tells that it was not made anew
    (left / name).write_bytes(marked)
    cut = thumbs.key(coco / "2.jpg", 240)
    (left / cut).parent.mkdir(parents=True, exist_ok=True)
    (left / cut).write_bytes(marked[:50])
    stage.show(request(coco / "labels.json", tmp_path / "page"), Silent())
    assert (tmp_path / "page" / "thumbs" / name).read_bytes() == marked
    assert (tmp_path / "page" / "thumbs" / cut).read_bytes() == marked
    assert sorted(each.name for each in tmp_path.iterdir()) == ["coco", "page"]


def test_too_many_megabytes_end_the_work(coco, tmp_path):
    maker = thumbs.Maker(tmp_path / "thumbs", 240, 100)
    with pytest.raises(ResourceError, match="over the limit"):
        maker.make([coco / "1.jpg", coco / "2.jpg"], "thumbs", Silent())


def test_nothing_to_show(coco, tmp_path):
    with pytest.raises(DataError, match="no photo to show"):
        stage.show(
            request(coco / "labels.json", tmp_path / "page", where="has('car') and has('van') and width < 5"), Silent()
        )
