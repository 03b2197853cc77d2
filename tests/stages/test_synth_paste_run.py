"""`vision synth paste` and `classify` as tools: cut-outs of labelled photos, sides of the split, pixels, classes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

import vision_cli
from vision_cli import formats
from vision_cli.core import outline, project, rle
from vision_cli.core.config import SourceConfig
from vision_cli.core.errors import DataError, UsageError
from vision_cli.stages import data, place_truth
from vision_cli.stages.synth.making.label_set import _rest
from vision_cli.stages.synth.run import SynthRequest, make_photos
from vision_cli.synth import render
from vision_cli.views import split as splitting

OBJECTS = {"kiwi": (20, 160, 40), "plum": (120, 10, 90)}
SMALL = ("image_size=160", "size_share=[0.2,0.6]", "cutout_px=20", "negatives=0.2")


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A COCO set of 24 photos: 12 with a kiwi or a plum, whole; 12 with a lamp; one more kiwi is cut by the edge."""
    root = tmp_path_factory.mktemp("street")
    (root / "images").mkdir()
    rng, images, annotations = np.random.default_rng(3), [], []
    for number in range(24):
        photo = np.full((120, 160, 3), 80 + 4 * number, np.float64)
        photo[70:] = (150, 130, 100 + number)
        photo += rng.normal(0, 4, photo.shape)
        picture = Image.fromarray(photo.clip(0, 255).astype(np.uint8))
        pen, name = ImageDraw.Draw(picture), f"{number:02d}.png"
        category = 3 if number % 2 else 1 + (number // 2) % 2
        left, top = (130, 40) if number == 20 else (40 + number, 30)
        box = (left, top, min(left + 44, 160), top + 44)
        ring = [[x, y] for x, y in ((left, top), (box[2], top), (box[2], box[3]), (left, box[3]))]
        colour = {**dict(enumerate(OBJECTS.values(), start=1)), 3: (250, 250, 210)}[category]
        pen.polygon([tuple(point) for point in ring], fill=colour)
        picture.save(root / "images" / name)
        images.append({"id": number, "file_name": name, "width": 160, "height": 120})
        sides = [left, top, box[2] - left, 44]
        annotations.append(
            {"id": number, "image_id": number, "category_id": category, "bbox": sides, "area": sides[2] * 44}
            | {"iscrowd": 0, "segmentation": [[value for point in ring for value in point]]}
        )
    names = (*OBJECTS, "lamp")
    document = {"images": images, "annotations": annotations, "categories": [
        {"id": number, "name": name} for number, name in enumerate(names, start=1)
    ]}  # fmt: skip
    (root / "instances.json").write_text(json.dumps(document))
    return root


@pytest.fixture
def run(street: Path, tmp_path: Path):
    """Return a function that runs a command in a project of its own, whose source is that set."""
    (tmp_path / "vision.yaml").write_text(
        f"data:\n  sources: {{street: {{path: {street}/instances.json, images: {street}/images}}}}\n"
        "  views:\n    fruit: {from: [street], map: {lamp: null}}\n    lamps: {from: [street], where: has('lamp')}\n"
        "    every: {from: [street]}\n"
    )

    def make(command="paste", *, more=(), out="run", **given):
        settings = [f"synth.{command}.{each}" for each in (*SMALL, *more)]
        loaded = project.load(tmp_path / "vision.yaml", settings)
        given = {"objects": "fruit", "backgrounds": "every", "count": 8, "workers": 1, **given}
        return make_photos(SynthRequest(loaded, command, out=tmp_path / out, **given))

    return make


def log_of(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "photos.jsonl").read_text().splitlines()]


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Return all files but the report, which tells how fast it was and where it lies."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "report.html")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def remembered(root: Path) -> dict[str, str]:
    return {Path(key).name: side for key, side in json.loads((root / "splits.json").read_text())["photos"].items()}


def test_cut_outs_and_backgrounds_are_of_one_side_and_so_are_the_photos(run, tmp_path):
    result = run(count=40)
    sides, rows = remembered(tmp_path), log_of(tmp_path / "run")
    assert set(sides.values()) == {"train", "val", "test"}
    for row in rows:
        assert sides[Path(row["background"]).name] == "train"
        assert int(Path(row["background"]).stem) % 2 == 1  # the others show a kiwi or a plum
        for each in row["objects"]:
            photo = each["variant"].rpartition("-")[0]
            assert sides[f"{photo}.png"] == "train"
            assert photo != "20"  # it leaves its photo
    dataset = formats.read("made", SourceConfig(path="x"), result.data)
    assert set(dataset.splits()) == {"train"}
    assert dataset.classes.names == ("kiwi", "plum")
    assert {each["class"] for row in rows for each in row["objects"]} == {"kiwi", "plum"}
    assert "show an object of these classes" in "\n".join(result.notes)


def test_another_side_makes_photos_of_that_side_of_others(run, tmp_path):
    run(count=12)
    other = run(count=12, out="val", more=("side=val",))
    sides = remembered(tmp_path)
    used = [{Path(row["background"]).name for row in log_of(tmp_path / out)} for out in ("run", "val")]
    assert not used[0] & used[1]
    assert {sides[name] for name in used[1]} == {"val"}
    assert set(formats.read("made", SourceConfig(path="x"), other.data).splits()) == {"val"}
    with pytest.raises(UsageError, match="other settings") as refused:
        run(count=12, more=("side=val",))
    assert any(line.startswith("side: ") for line in refused.value.details)


def test_a_folder_gives_no_photo_that_the_objects_set_has_on_another_side_or_with_an_object(run, street, tmp_path):
    result = run(count=40, backgrounds=f"{street}/images")
    sides, used = remembered(tmp_path), {row["background"] for row in log_of(tmp_path / "run")}
    assert {sides[name] for name in used} == {"train"}
    assert all(int(Path(name).stem) % 2 for name in used)
    told = "\n".join(result.notes)
    assert "12 of 24 backgrounds show an object of these classes, by their labels; they are left out." in told
    assert "are not on the side 'train'" in told


def test_what_is_made_joins_its_backgrounds_on_their_side(run, tmp_path):
    result = run(count=8)
    overrides = [f"data.sources.made.path={result.data}", "data.views.every.from=[street,made]", "task=instance"]
    both = data.load_view(project.load(tmp_path / "vision.yaml", overrides), "every").dataset
    columns = (both.images["source"].to_pylist(), both.images["path"].to_pylist(), both.splits().tolist())
    rows = list(zip(*columns, strict=True))
    assert {side for source, _, side in rows if source == "made"} == {"train"}
    assert {Path(path).name: side for source, path, side in rows if source == "street"} == remembered(tmp_path)


def test_a_cut_out_has_the_objects_pixels_and_nothing_around_them(run, tmp_path):
    run(count=24, more=("effects=[]", "occluders=0", "distractors=0", "blends=[hard]", "negatives=0"))
    checked = 0
    for row in log_of(tmp_path / "run"):
        photo = np.asarray(Image.open(tmp_path / "run/photos" / row["file"]).convert("RGB")).astype(int)
        for each in row["objects"]:
            mask = rle.decode(rle.from_text(each["mask"]), row["height"], row["width"])
            inner = mask.copy()
            for shift in (-3, 3):  # away from the seam, which the JPEG smears
                inner &= np.roll(mask, shift, axis=0) & np.roll(mask, shift, axis=1)
            if inner.sum() < 50 or each["occluded"]:
                continue
            assert np.median(np.abs(photo[inner] - OBJECTS[each["class"]]).max(axis=1)) < 12
            checked += 1
    assert checked > 15


def test_photos_do_not_depend_on_workers_nor_on_growing(run, tmp_path):
    run(out="one", count=14)
    run(out="three", count=14, workers=3)
    run(out="grown", count=5)
    grown = run(out="grown", count=14)
    assert (grown.kept, grown.made) == (5, 9)
    one = bytes_of(tmp_path / "one")
    assert one == bytes_of(tmp_path / "three") == bytes_of(tmp_path / "grown")


def test_semantic_masks_say_of_every_pixel_what_it_is(run, tmp_path):
    result = run(task="semantic", count=12)
    assert result.data.name == "masks"
    dataset = place_truth.prepared(formats.read("made", SourceConfig(path="x"), result.data), "semantic")
    assert place_truth.task_of(dataset) == "semantic"
    assert dataset.classes.names == ("kiwi", "plum", "background")
    rows = {row["file"]: row for row in log_of(tmp_path / "run")}
    for name in dataset.images["path"].to_pylist():
        row = rows[Path(name).name]
        expected = np.full((row["height"], row["width"]), 3)
        for each in row["objects"]:
            value = 1 + ("kiwi", "plum").index(each["class"])
            expected[rle.decode(rle.from_text(each["mask"]), *expected.shape)] = value
        mask = np.asarray(Image.open(result.data / name.replace("images", "masks").replace(".jpg", ".png")))
        assert (mask == expected).all()


def test_panoptic_segments_cover_the_photo_and_the_rest_is_stuff(run, tmp_path):
    result = run(task="panoptic", count=12)
    (file,) = (result.data / "annotations").glob("*.json")
    document = json.loads(file.read_text())
    kinds = {each["id"]: (each["name"], each["isthing"]) for each in document["categories"]}
    assert sorted(kinds.values()) == [("background", 0), ("kiwi", 1), ("plum", 1)]
    logged = {row["file"]: row for row in log_of(tmp_path / "run")}
    files = {each["id"]: each["file_name"] for each in document["images"]}
    assert len(document["annotations"]) == 12
    for each in document["annotations"]:
        colours = np.asarray(Image.open(file.with_suffix("") / each["file_name"])).astype(int)
        ids = colours @ (1, 256, 65536)
        assert set(np.unique(ids)) == {segment["id"] for segment in each["segments_info"]}
        for segment in each["segments_info"]:
            assert segment["area"] == (ids == segment["id"]).sum()
        names = sorted(kinds[segment["category_id"]][0] for segment in each["segments_info"])
        objects = [placed["class"] for placed in logged[files[each["image_id"]]]["objects"]]
        assert names == sorted([*objects, "background"])


def test_a_task_can_be_added_to_photos_that_are_there(run, tmp_path):
    first = run(count=6)
    added = run(count=6, task="semantic")
    assert (added.kept, added.made) == (6, 0)
    assert (first.data.name, added.data.name) == ("coco", "masks")


def test_a_classifiers_photos_lie_in_a_folder_a_class(run, tmp_path):
    more = ("negative_class=nothing", "negatives=0.4", "margin=0.2")
    result = run("classify", count=48, more=more)
    rows = log_of(tmp_path / "run")
    dataset = formats.read("made", SourceConfig(path="x"), result.data)
    names = [dataset.classes.names[number] for number in dataset.class_ids()]
    found = {Path(path).name: name for path, name in zip(dataset.images["path"].to_pylist(), names, strict=True)}
    assert found == {row["file"]: row["objects"][0]["class"] if row["objects"] else "nothing" for row in rows}
    assert set(names) == {"kiwi", "plum", "nothing"}
    assert set(dataset.splits()) == {"train"}
    assert all(len(row["objects"]) <= 1 for row in rows)
    for row in rows:
        with Image.open(tmp_path / "run/photos" / row["file"]) as picture:
            assert picture.size == (row["width"], row["height"])
        for each in row["objects"]:
            x, y, w, h = each["box"]
            assert 0 <= x <= 0.2 * max(w, h) + 1
            assert row["height"] - y - h <= 0.2 * max(w, h) + 1
            assert x + w <= row["width"]
    run("classify", out="three", count=48, more=more, workers=3)
    assert bytes_of(tmp_path / "run") == bytes_of(tmp_path / "three")


def test_without_a_class_for_them_there_are_no_negatives_and_photos_may_stay_whole(run, tmp_path):
    run("classify", count=16, more=("negatives=0.5", "crop=photo"))
    rows = log_of(tmp_path / "run")
    assert all(len(row["objects"]) == 1 for row in rows)
    assert {(row["width"], row["height"]) for row in rows} == {(160, 120)}


@pytest.mark.parametrize("to", ["yolo", "masks", "coco"])
def test_photos_of_a_folder_stand_with_their_background_on_one_side(run, street, tmp_path, to):
    (tmp_path / "things").mkdir()
    picture = Image.new("RGBA", (60, 60))
    ImageDraw.Draw(picture).ellipse((5, 5, 54, 54), fill=(200, 30, 30, 255))
    picture.save(tmp_path / "things" / "apple.png")
    given = {"objects": f"{tmp_path}/things", "backgrounds": f"{street}/images", "format": to}
    result = run(count=40, **given)
    dataset = formats.read("made", SourceConfig(path="x"), result.data)
    backgrounds = {row["file"]: row["background"] for row in log_of(tmp_path / "run")}
    if to == "coco":
        assert set(dataset.splits()) == {""}
        grouped = project.load(None, ["data.split.group=background"], start=tmp_path).config.data.split
        dataset = splitting.split(dataset, grouped, "detect")
    sides: dict[str, set[str]] = {}
    for path, side in zip(dataset.images["path"].to_pylist(), dataset.splits().tolist(), strict=True):
        sides.setdefault(backgrounds[Path(path).name], set()).add(side)
    assert all(len(each) == 1 for each in sides.values())
    assert len(set.union(*sides.values())) > 1
    if to == "yolo":
        before = {path.name: path.parent.name for path in result.data.glob("images/*/*")}
        grown = run(count=60, **given)
        after = {path.name: path.parent.name for path in grown.data.glob("images/*/*")}
        assert len(after) == 60
        assert {name: after[name] for name in before} == before


def test_a_release_that_renders_alike_goes_on_and_another_rendering_does_not(run, monkeypatch):
    run(count=4)
    monkeypatch.setattr(vision_cli, "__version__", "99.0.1")
    assert run(count=6).kept == 4
    monkeypatch.setattr(render, "VERSION", render.VERSION + 1)
    with pytest.raises(UsageError, match="other settings") as refused:
        run(count=8)
    assert refused.value.details[0].startswith("rendering: ")


def test_depth_maps_count_by_what_is_in_them(run, street, tmp_path):
    (tmp_path / "maps").mkdir()
    for path in (street / "images").iterdir():
        depth = np.repeat(np.linspace(9000, 1000, 120)[:, None], 160, axis=1).astype(np.uint16)
        Image.fromarray(depth).save(tmp_path / "maps" / path.name)
    more = ("depth=file", f"depth_folder={tmp_path}/maps")
    run(count=4, more=more)
    (tmp_path / "maps").rename(tmp_path / "moved")
    more = ("depth=file", f"depth_folder={tmp_path}/moved")
    assert run(count=5, more=more).kept == 4
    for path in (tmp_path / "moved").iterdir():
        Image.fromarray(np.full((120, 160), 3000, np.uint16)).save(path)
    with pytest.raises(UsageError, match="other settings") as refused:
        run(count=6, more=more)
    assert [line.split(":")[0] for line in refused.value.details] == ["depth_maps"]
    assert run(count=6, more=("depth_folder=nowhere",), out="other").made == 6  # named, and not used


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"objects": "fruits"}, DataError, "no view of that name"),
        ({"backgrounds": "lamp"}, DataError, "no view of that name"),
        ({"more": ("side=test", "cutout_px=4000")}, DataError, "no object can be cut out"),
        ({"format": "imagefolder"}, UsageError, "holds no boxes"),
        ({"format": "kitti", "task": "semantic"}, UsageError, "holds no masks"),
        ({"command": "classify", "format": "voc"}, UsageError, "holds no classes of photos"),
        ({"command": "classify", "more": ("negative_class=kiwi",)}, UsageError, "has objects"),
        ({"backgrounds": "fruity"}, DataError, "none is left"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is_written(run, street, tmp_path, given, error, words):
    given = dict(given)
    if given.get("backgrounds") == "fruity":
        file = tmp_path / "vision.yaml"
        condition = "where: \"has('kiwi') or has('plum')\""
        file.write_text(file.read_text() + f"    fruity: {{from: [street], {condition}}}\n")
    with pytest.raises(error, match=words) as refused:
        run(given.pop("command", "paste"), **given)
    assert refused.value.hint
    assert not (tmp_path / "run").exists()


def test_boxes_alone_are_no_cut_outs(run, street, tmp_path):
    document = json.loads((street / "instances.json").read_text())
    for each in document["annotations"]:
        del each["segmentation"]
    (tmp_path / "boxes").mkdir()
    (tmp_path / "boxes" / "instances.json").write_text(json.dumps(document))
    with pytest.raises(DataError, match="no label has an outline"):
        run(objects=f"{tmp_path}/boxes/instances.json")


def test_labels_without_their_photos_say_how_to_name_both(run, street, tmp_path):
    (tmp_path / "apart").mkdir()
    (tmp_path / "apart" / "instances.json").write_bytes((street / "instances.json").read_bytes())
    with pytest.raises(DataError, match="is not there") as refused:
        run(objects=f"{tmp_path}/apart/instances.json")
    assert "give a view" in refused.value.hint


def test_a_name_that_is_a_view_and_a_folder_is_refused(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fruit").mkdir()
    with pytest.raises(UsageError, match="is a view and a path"):
        run()


def test_a_preview_and_a_dry_run_show_what_the_run_makes(run, tmp_path):
    shown = run("classify", count=4, preview=2)
    assert [path.name for path in shown.pictures] == ["preview.jpg", "steps.jpg"]
    assert not (tmp_path / "run" / "photos").exists()
    sides = remembered(tmp_path)
    run("classify", count=4)
    assert remembered(tmp_path) == sides
    other = project.load(tmp_path / "vision.yaml", [f"synth.paste.{each}" for each in SMALL])
    (tmp_path / "splits.json").unlink()
    make_photos(SynthRequest(other, "paste", "fruit", "every", 4, tmp_path / "dry", dry_run=True))
    assert not (tmp_path / "splits.json").exists()
    assert not (tmp_path / "dry").exists()


def test_joined_masks_give_each_of_their_pieces(run, street, tmp_path):
    """One outline a class, as in folders of masks: two kiwis in one photo are two cut-outs."""
    (tmp_path / "set/images").mkdir(parents=True)
    (tmp_path / "set/masks").mkdir()
    photo, mask = Image.new("RGB", (160, 120), (90, 90, 90)), Image.new("L", (160, 120))
    for left in (20, 90):
        for picture, fill in ((photo, OBJECTS["kiwi"]), (mask, 1)):
            ImageDraw.Draw(picture).rectangle((left, 40, left + 40, 90), fill=fill)
    photo.save(tmp_path / "set/images/a.png")
    mask.save(tmp_path / "set/masks/a.png")
    (tmp_path / "set/classes.json").write_text('[{"value": 1, "name": "kiwi"}]')
    result = run(objects=f"{tmp_path}/set", backgrounds="lamps", count=12)
    assert result.notes[0].startswith("2 objects of 1 classes")
    variants = {each["variant"] for row in log_of(tmp_path / "run") for each in row["objects"]}
    assert len(variants) == 2


def test_pixels_that_no_object_has_are_the_rest_of_the_photo():
    rng = np.random.default_rng(1)
    for objects in range(4):
        masks = [rng.random((30, 20)) < 0.3 for _ in range(objects)]
        expected = ~np.any([np.zeros((30, 20), bool), *masks], axis=0)
        counts = _rest([rle.encode(mask) for mask in masks], 600)
        assert (outline.mask(outline.of_runs([30, 20], counts.tolist()), 20, 30) == expected).all()
