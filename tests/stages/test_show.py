"""The page to browse photos: whole folders, errors of predictions, small copies, and the server."""

import http.client
import json
import os
import re
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from vision_cli import formats
from vision_cli.core.errors import DataError, ResourceError, UsageError
from vision_cli.core.progress import Silent
from vision_cli.stages.named_source import DataRequest
from vision_cli.stages.showing import layers, serving, show_predictions, thumbs
from vision_cli.stages.showing import show as stage


class NoProject:
    root = Path()


def request(path, out, **more):
    data = DataRequest(
        os.fspath(path), NoProject, more.pop("format", None), need=stage.NEED, where=more.pop("where", None)
    )
    return stage.ShowRequest(data, out, workers=2, **more)


def values(page, name):
    """Return what a data file hands over."""
    text = (page / "data" / f"{name}.js").read_text()
    assert text.startswith("vision(")
    assert text.endswith(")\n")
    return json.loads(text[7:-2])


@pytest.fixture
def coco(tmp_path):
    """Three photos, the last without annotation; a box, an outline, a mask and keypoints."""
    folder = tmp_path / "coco"
    folder.mkdir()
    for number, size in ((1, (400, 200)), (2, (100, 300)), (3, (64, 48))):
        Image.new("RGB", size, (200, 30 * number, 90)).save(folder / f"{number}.jpg")
    annotations = [
        {"id": 11, "image_id": 1, "category_id": 5, "bbox": [10, 20, 30.123, 40], "area": 1200, "iscrowd": 0},
        {"id": 12, "image_id": 1, "category_id": 8, "bbox": [0, 0, 9, 9], "area": 40, "iscrowd": 0,
         "segmentation": [[0, 0, 9.06, 0, 9, 9]]},
        {"id": 13, "image_id": 2, "category_id": 8, "bbox": [0, 0, 1, 300], "area": 300, "iscrowd": 1,
         "segmentation": {"size": [300, 100], "counts": [0, 300, 29700]}},
    ]  # fmt: skip
    document = {
        "images": [
            {"id": number, "file_name": f"{number}.jpg", "width": width, "height": height, "scene": "city"}
            for number, (width, height) in ((1, (400, 200)), (2, (100, 300)), (3, (64, 48)))
        ],
        "annotations": annotations,
        "categories": [{"id": 5, "name": "car"}, {"id": 8, "name": "van"}],
    }
    (folder / "labels.json").write_text(json.dumps(document))
    return folder


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


def results(tmp_path, *rows):
    path = tmp_path / "results.json"
    path.write_text(json.dumps([{"image_id": i, "category_id": c, "bbox": b, "score": s} for i, c, b, s in rows]))
    return path


def test_coco_results_are_told_apart(coco, tmp_path):
    found = results(
        tmp_path,
        (1, 5, [11, 20, 30, 40], 0.9),  # right
        (1, 5, [0, 0, 9, 9], 0.8),  # a car where a van is
        (1, 8, [200, 100, 20, 20], 0.45),  # nothing is there
        (1, 8, [300, 100, 20, 20], 0.1),  # below the bound
        (2, 8, [0, 10, 1, 100], 0.7),  # within a crowd
        (77, 8, [0, 10, 1, 100], 0.7),  # another photo
    )
    shown = stage.show(request(coco / "labels.json", tmp_path / "page", predictions=found), Silent())
    assert shown.kinds == {"right": 1, "false positive": 1, "wrong class": 1, "missed": 0, "low confidence": 0}
    said = values(tmp_path / "page", "labels-0")["said"]
    assert [item[3] for item in said[0]] == [1, 3, 2]
    assert [item[3] for item in said[1]] == [0]
    assert values(tmp_path / "page", "photos-0")["confidence"] == [0.45, 0.7, None]
    assert sum("left out" in note for note in shown.notes) == 2


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((1, 6, [0, 0, 1, 1], 0.9), "category ids are not of this data: 6"),
        ((1, 5, [0, 0, 1], 0.9), "no detections"),
        ((1, 5, [0, 0, -1, 1], 0.9), "no detections"),
        ((1, 5, [0, 0, 1, 1], 7), "no detections"),
        ((9, 5, [0, 0, 1, 1], 0.9), "of these photos"),
        ((1, 5, "all", 0.9), "no list of results"),
    ],
)
def test_results_that_are_refused(coco, tmp_path, row, message):
    with pytest.raises(DataError, match=message):
        stage.show(request(coco / "labels.json", tmp_path / "page", predictions=results(tmp_path, row)), Silent())
    assert not (tmp_path / "page").exists()


@pytest.fixture
def folders(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for at in range(2):
            Image.new("RGB", (30, 20)).save(tmp_path / "photos" / name / f"{at}.png")
    return tmp_path / "photos"


def test_an_evaluation_shows_what_was_wrong(folders, tmp_path):
    paths = sorted(folders.glob("*/*.png"))
    said = ["cat", "dog", "dog", "owl"]
    columns = {"path": list(map(str, paths)), "predicted": said, "confidence": [0.9, 0.8, 0.4, 0.6]}
    run = tmp_path / "runs" / "eval" / "one"
    run.mkdir(parents=True)
    pq.write_table(pa.table(columns), run / "predictions.parquet")
    shown = stage.show(request(folders, tmp_path / "page", predictions=run), Silent())
    assert shown.model == "eval one"
    assert shown.kinds == {"right": 1, "false positive": 0, "wrong class": 2, "missed": 0, "low confidence": 1}
    assert values(tmp_path / "page", "start")["classes"] == ["cat", "dog", "owl"]
    assert values(tmp_path / "page", "photos-0")["said"] == [[0], [1], [1], [2]]


def test_what_predict_wrote_as_csv(folders, tmp_path):
    lines = [f"{path},cat,0.900000,cat=0.9" for path in sorted(folders.glob("*/*.png"))]
    (tmp_path / "said.csv").write_text("\n".join(["path,answer,confidence,scores", *lines]) + "\n")
    shown = stage.show(request(folders, tmp_path / "page", predictions=tmp_path / "said.csv"), Silent())
    assert (shown.kinds["right"], shown.kinds["wrong class"]) == (2, 2)


def test_what_predict_wrote_as_json_of_other_photos(folders, tmp_path):
    document = {"predictions": [{"path": "/elsewhere/a.jpg", "answer": "cat", "confidence": 0.5, "scores": {}}]}
    (tmp_path / "said.json").write_text(json.dumps(document))
    with pytest.raises(DataError, match="none of its 1 predictions"):
        stage.show(request(folders, tmp_path / "page", predictions=tmp_path / "said.json"), Silent())


def test_predictions_that_are_not_there(folders, tmp_path):
    with pytest.raises(DataError, match="no such predictions"):
        stage.show(request(folders, tmp_path / "page", predictions=Path("yesterday")), Silent())


@pytest.fixture
def served(coco):
    (coco / "secret.txt").write_text("secret")
    Image.new("RGB", (64, 48)).save(coco / "3.jpg", format="TIFF")
    found = serving.serve(request(coco / "labels.json", Path("show")))
    thread = threading.Thread(target=found.wait, daemon=True)
    thread.start()
    yield int(re.fullmatch(r"http://127\.0\.0\.1:(\d+)/", found.shown.page)[1])
    found._server.shutdown()
    thread.join(5)


def ask(port, path, method="GET", host=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.putrequest(method, path, skip_host=True)
        if host != "":
            connection.putheader("Host", host or f"127.0.0.1:{port}")
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def test_the_server_gives_the_page_and_its_parts(served):
    status, headers, body = ask(served, "/")
    assert (status, body[:15]) == (200, b"<!doctype html>")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert b'"#row"' in ask(served, "/data/start.js")[2]
    for path in ("/thumbs/0.jpg", "/thumbs/0.jpg", "/photos/0", "/photos/2"):
        status, headers, body = ask(served, path)
        assert (status, headers["Content-Type"], body[:2]) == (200, "image/jpeg", b"\xff\xd8")
    assert ask(served, "/", "HEAD")[0::2] == (200, b"")


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/photos/3",
            "/photos/-1",
            "/photos/1.0",
            "/photos/",
            "/photos/../secret.txt",
            "/secret.txt",
            "/../secret.txt",
        ),
        *("/thumbs/1", "/thumbs/9.jpg", "/thumbs/..%2f..%2fsecret.txt", "/data/start.js/..", "/data/labels-00.js"),
        *("/data/photos-99.js", "/data/photos--1.js", "/photos/99999999999999999999", "/photos/%00", "/index.htm"),
    ],
)
def test_the_server_has_nothing_else(served, path):
    status, _, body = ask(served, path)
    assert status == 404
    assert b"secret" not in body


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "localhost.evil.example", "", "127.0.0.1.evil.example", "a]b"]
)
def test_who_asks_by_a_foreign_name_is_refused(served, host):
    status, _, body = ask(served, "/data/start.js", host=host)
    assert status in (400, 421)
    assert b"car" not in body


def test_this_machine_has_several_names(served):
    for host in (f"localhost:{served}", "127.0.0.1", f"[::1]:{served}"):
        assert ask(served, "/", host=host)[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT"])
def test_only_reading(served, method):
    status, headers, _ = ask(served, "/", method)
    assert status == 405
    assert headers["Allow"] == "GET, HEAD"


def test_a_photo_that_vanished(served, coco):
    (coco / "2.jpg").unlink()
    assert ask(served, "/photos/1")[0] == 404
    assert ask(served, "/thumbs/1.jpg")[0] == 404
    assert ask(served, "/thumbs/0.jpg")[0] == 200


def test_a_port_that_is_taken(coco, served):
    with pytest.raises(ResourceError, match="cannot be served"):
        serving.serve(request(coco / "labels.json", Path("show")), port=served)


def test_judging_boxes_as_a_slow_loop_does():
    """The greedy matching of the COCO evaluation, written again without arrays."""
    from vision_cli.reports.browse_errors import LOW, RIGHT, judge
    from vision_cli.reports.browse_labels import Layer

    rng = np.random.default_rng(5)

    def made(count):
        boxes = np.concatenate([rng.uniform(0, 20, (count, 2)), rng.uniform(10, 30, (count, 2))], axis=1)
        return Layer(rng.integers(0, 12, count), rng.integers(0, 2, count), boxes, rng.uniform(0, 1, count))

    truth, said = made(60), made(90)
    _, kinds = judge(truth, said, 12)

    def iou(a, b):
        wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
        high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
        joint = max(wide, 0) * max(high, 0)
        return joint / (a[2] * a[3] + b[2] * b[3] - joint)

    taken = set()
    for at in sorted(range(90), key=lambda at: -said.scores[at]):
        same = [
            row
            for row in range(60)
            if row not in taken and (truth.rows[row], truth.class_ids[row]) == (said.rows[at], said.class_ids[at])
        ]
        best = max(same, key=lambda row: iou(truth.boxes[row], said.boxes[at]), default=None)
        hit = best is not None and iou(truth.boxes[best], said.boxes[at]) >= 0.5
        if hit:
            taken.add(best)
        assert (kinds[at] in (RIGHT, LOW)) == hit
    assert 5 < len(taken) < 60


def test_results_of_a_set_in_another_format_meet_by_name(tmp_path):
    (tmp_path / "set").mkdir()
    Image.new("RGB", (60, 40)).save(tmp_path / "set" / "a.jpg")
    shape = {
        "label": "cat",
        "points": [[10, 10], [30, 10], [30, 30]],
        "shape_type": "polygon",
        "group_id": None,
        "flags": {},
    }
    document = {"version": "5.0.1", "flags": {}, "shapes": [shape], "imagePath": "a.jpg", "imageData": None}
    (tmp_path / "set" / "a.json").write_text(json.dumps({**document, "imageWidth": 60, "imageHeight": 40}))
    image = {"id": 1, "file_name": "a.jpg", "width": 60, "height": 40}
    (tmp_path / "said").mkdir()
    truth = {"images": [image], "annotations": [], "categories": [{"id": 3, "name": "cat"}]}
    (tmp_path / "said" / "truth.json").write_text(json.dumps(truth))
    said = results(tmp_path / "said", (1, 3, [10, 10, 20, 19], 0.9), (1, 3, [0, 0, 5, 5], 0.2))
    shown = stage.show(request(tmp_path / "set", tmp_path / "page", predictions=said, format="labelme"), Silent())
    assert (shown.kinds["right"], shown.kinds["missed"], shown.kinds["false positive"]) == (1, 0, 0)


def test_an_outline_alone_is_drawn_without_a_box_and_judged_with_one(coco):
    found = formats.FORMATS.load("coco").read(coco / "labels.json", formats.ReadOptions("data"))
    bare = replace(found, annotations=found.annotations.drop_columns(list("xywh")))
    assert layers.layer(bare).boxes is None
    assert layers.judged(bare).boxes[1:].round(2).tolist() == [[0, 0, 9.06, 9], [0, 0, 1, 300]]


def test_photos_that_nobody_predicted_are_not_missed(folders, tmp_path):
    paths = sorted(folders.glob("*/*.png"))[1:3]
    run = tmp_path / "runs" / "eval" / "part"
    run.mkdir(parents=True)
    columns = {"path": list(map(str, paths)), "predicted": ["cat", ""], "confidence": [0.9, 0.1]}
    pq.write_table(pa.table(columns), run / "predictions.parquet")
    shown = stage.show(request(folders, tmp_path / "page", predictions=run), Silent())
    assert (shown.kinds["right"], shown.kinds["missed"]) == (1, 1)
    assert any("Photos without predictions" in note and "2 of 4" in note for note in shown.notes)


def test_a_list_of_results_is_about_the_splits_it_names(tmp_path):
    for name in ("train", "val"):
        (tmp_path / "set" / name).mkdir(parents=True)
    rows = ["path,split,label,xmin,ymin,xmax,ymax"]
    for number, split in enumerate(("train", "train", "val", "val")):
        Image.new("RGB", (40, 30)).save(tmp_path / "set" / f"{number}.png")
        rows.append(f"{number}.png,{split},car,1,1,9,9")
    (tmp_path / "set/labels.csv").write_text("\n".join(rows))
    found = formats.read_as("csv", tmp_path / "set/labels.csv", formats.ReadOptions("data"))
    assert show_predictions._splits_of(found, [2]).tolist() == [False, False, True, True]
    assert show_predictions._splits_of(found, []).all()
