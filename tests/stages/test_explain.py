"""`vision explain`: maps where the evidence is, pictures, channels, training photos, refusals, the report."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import detectors_made as detectors
import numpy as np
import pytest
import stage_projects as small
from PIL import Image

from vision_cli.core.decoding.pixels import values_of_photo
from vision_cli.core.decoding.placing import place
from vision_cli.core.preprocess import PAD_GREY, Preprocess
from vision_cli.core.tiling import Tiles
from vision_cli.imaging import heat, prepare
from vision_cli.stages.explaining.evidence import spread

COLUMNS = {name: (4 + column * 22, 24 + column * 22) for column, name in enumerate(small.PARTS)}
"""Where `small.label_csv` draws the squares, in pixels across."""


@pytest.fixture(scope="module")
def seasons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of six classes of its own: the shared one is trained again and reported on by other tests."""
    folder = small.write_project(tmp_path_factory.mktemp("explained"), "photos", kpis="[top1 > 0.5]")
    small.class_folders(folder / "photos", 24)
    small.done(folder, "train", "--json")
    small.done(folder, "export", "--format", "onnx")
    return folder


def photos_of(project: Path, number: int, *, name: str = "winter") -> list[str]:
    return [str(path) for path in sorted((project / "photos" / name).glob("*.jpg"))[:number]]


def explained(project: Path, *words: str) -> dict[str, Any]:
    return small.done(project, "explain", *words, "--json").document


@pytest.mark.parametrize("resize", ["crop", "stretch", "letterbox"])
def test_heat_lies_where_the_network_saw_it(resize: Any) -> None:
    """A light in the photo, wherever `imaging` brings it to in the input, must be hot at its own place again."""
    preprocess = Preprocess(size_px=(96, 64), resize=resize, crop_pct=0.9, interpolation="area")
    for width, height in ((200, 120), (90, 300), (401, 77)):
        photo = np.full((height, width, 3), PAD_GREY, np.uint8)
        x, y = width // 2 + width // 20, height // 2 - height // 20
        photo[y - 3 : y + 4, x - 3 : x + 4] = 255
        seen = prepare.resized(photo, preprocess)[..., 0].astype(np.float32)
        cells = seen.reshape(8, 8, 12, 8).mean(axis=(1, 3))  # 8 x 12 places of 8 pixels
        found = values_of_photo(cells, place((width, height), preprocess))
        assert found.shape == (height, width)
        row, column = np.unravel_index(int(np.nanargmax(found)), found.shape)
        scale = place((width, height), preprocess).scale
        assert abs(column - x) <= 4 / scale[0] + 4
        assert abs(row - y) <= 4 / scale[1] + 4
        assert np.isnan(found).any() == (resize == "crop")


def test_heat_of_a_tile_covers_the_tile_alone() -> None:
    from vision_cli.stages.explaining.asked import Part

    part = Part("x", 1.0, 0.0, "gradcam", "l", np.eye(4, dtype=np.float32), (30, 10, 40, 40))
    found = spread(part, (100, 60), Preprocess(size_px=(32, 32), resize="stretch"))
    assert not np.isnan(found[10:50, 30:70]).any()
    assert np.isnan(found).sum() == 100 * 60 - 40 * 40
    assert np.nanmax(found) == pytest.approx(1, abs=0.05)


def test_colours_grow_lighter_with_heat_and_what_was_not_seen_is_pale() -> None:
    line = heat.coloured(np.linspace(0, 1, 256, dtype=np.float32)[None])[0].astype(float)
    assert (np.diff(line @ (0.299, 0.587, 0.114)) > -1).all()
    photo = np.full((4, 4, 3), 90, np.uint8)
    hot = np.array([[0, 1, np.nan, 0.5]] * 4, np.float32)
    shown = heat.over(photo, hot)[0].astype(int)
    assert shown[0].sum() < shown[3].sum() < shown[1].sum()
    assert np.ptp(shown[2]) <= 4  # grey


def test_a_classifier_s_photo_keeps_its_size_and_says_what_was_explained(seasons: Path, tmp_path: Path) -> None:
    photos = photos_of(seasons, 2)
    document = explained(seasons, *photos, "--to", str(tmp_path / "heat"), "--maps", "3")
    card = json.loads((seasons / "runs/train/latest/model/artefact.json").read_text())
    assert document["model_sha256"] == card["sha256"]["model.safetensors"]
    assert document["chosen"] is False
    answers = small.done(seasons, "predict", *photos, "--json").document["predictions"]
    for row, said in zip(document["explanations"], answers, strict=True):
        assert (row["answer"], row["confidence"]) == (said["answer"], pytest.approx(said["confidence"], abs=1e-5))
        (part,) = row["parts"]
        assert (part["class"], part["method"], part["layer"]) == (said["answer"], "gradcam", "layer4")
        with Image.open(row["pictures"]["heat"]) as picture, Image.open(row["path"]) as photo:
            assert picture.size[0] == 240  # a narrow one has room for letters beside it
            left = (240 - photo.width) // 2
            shown = np.asarray(picture)[: photo.height, left : left + photo.width]
            assert shown.shape[:2] == (photo.height, photo.width)
        with Image.open(row["pictures"]["maps"]) as picture:
            assert picture.width > 600
        assert "map" not in part
    kept = json.loads((tmp_path / "heat" / "explain.json").read_text())
    assert [row["parts"][0]["class"] for row in kept["explanations"]] == [row["answer"] for row in answers]
    grid = np.array(kept["explanations"][0]["parts"][0]["map"])
    assert grid.shape == (2, 2)
    assert grid.max() == pytest.approx(document["explanations"][0]["parts"][0]["most"], abs=1e-4)


def test_the_evidence_for_a_square_lies_in_its_column(
    labels: Path, copy: Callable[[Path], Path], tmp_path: Path
) -> None:
    """The pointing game: of three squares side by side, the heat for one must lie where it was drawn."""
    labels = copy(labels)
    rows = [line.split(",") for line in (labels / "labels.csv").read_text().splitlines()[1:]]
    hits = []
    for name in ("red", "green"):
        photos = [str(labels / path) for path, text in rows if text == name][:4]
        words = ("--class", name, "--layer", "layer2", "--method", "hirescam", "--to", str(tmp_path / name))
        for row in explained(labels, *photos, *words)["explanations"]:
            (part,) = row["parts"]
            assert part["class"] == name
            left, right = COLUMNS[name]
            hits.append(part["peak"] is not None and left - 4 <= part["peak"][0] <= right + 4)
    assert len(hits) >= 4
    assert np.mean(hits) > 0.6, hits  # by chance 28 of 72 pixels across: 0.39


def test_a_named_class_is_explained_beside_the_answer(seasons: Path, tmp_path: Path) -> None:
    (photo,) = photos_of(seasons, 1)
    row = explained(seasons, photo, "--class", "summer", "--to", str(tmp_path / "a"))["explanations"][0]
    assert [part["class"] for part in row["parts"]] == ["summer"]
    scored = explained(seasons, photo, "--method", "scorecam", "--channels", "4", "--to", str(tmp_path / "b"))
    assert scored["explanations"][0]["parts"][0]["method"] == "scorecam"


def test_a_value_is_explained(values: Path, copy: Callable[[Path], Path], tmp_path: Path) -> None:
    values = copy(values)
    photo = next((values / "valued").glob("*.jpg"))
    row = explained(values, str(photo), "--to", str(tmp_path / "a"))["explanations"][0]
    assert row["confidence"] is None
    assert row["parts"][0]["class"] == ""


def test_validation_photos_right_and_wrong_go_into_the_report(seasons: Path, copy: Callable[[Path], Path]) -> None:
    project = copy(seasons)
    document = explained(project, "--number", "2", "--nearest", "3")
    splits = json.loads((project / "splits.json").read_text())["photos"]
    parts = {f"photos/{'/'.join(Path(row['path']).parts[-2:])}" for row in document["explanations"]}
    assert {splits[key] for key in parts} == {"val"}, "the test split is never looked at"
    right = [row["truth"] == row["answer"] for row in document["explanations"]]
    assert right == sorted(right)  # the wrong ones first
    assert [row["chosen_as"] for row in document["explanations"]] == ["right" if each else "wrong" for each in right]
    assert 1 <= sum(right) <= 2
    for row in document["explanations"]:
        near = row["nearest"]
        assert [each["distance"] for each in near] == sorted(each["distance"] for each in near)
        assert len(near) == 3
        assert {splits[f"photos/{'/'.join(Path(each['path']).parts[-2:])}"] for each in near} == {"train"}
        assert {Path(each["path"]).parent.name for each in near} == {each["label"] for each in near}
        assert Path(row["pictures"]["nearest"]).is_file()
    small.done(project, "report")
    page = (project / "report.html").read_text()
    section = page[page.index('id="explanations"') :].split("</section>")[0]
    assert section.count("<img") == len(document["explanations"])
    assert "Answered right" in section
    assert "<b>[x]" not in section  # the class of that name is escaped


def test_a_training_photo_is_not_its_own_neighbour(seasons: Path, copy: Callable[[Path], Path]) -> None:
    project = copy(seasons)
    splits = json.loads((project / "splits.json").read_text())["photos"]
    own = project / next(key for key, split in splits.items() if split == "train")
    row = explained(project, str(own), "--nearest", "2")["explanations"][0]
    assert len(row["nearest"]) == 2
    assert str(own) not in {each["path"] for each in row["nearest"]}
    for key, split in splits.items():
        if split == "train":
            (project / key).unlink()
    photo = project / next(key for key, split in splits.items() if split == "val")
    called = small.call(project, "explain", str(photo), "--nearest", "2")
    assert called.code == 3
    assert "--nearest: the training split of this model's view has no photo any more" in called.err


def test_layers_are_listed_and_unknown_ones_guessed(seasons: Path) -> None:
    document = small.done(seasons, "explain", "--layers", "--json").document
    known = {each["name"]: each for each in document["layers"]}
    assert document["default"] == "layer4"
    assert (known["layer4"]["height"], known["layer4"]["stride"]) == (2, 32)
    assert "fc" not in known
    called = small.call(seasons, "explain", photos_of(seasons, 1)[0], "--layer", "layer9")
    assert called.code == 2
    assert "Did you mean 'layer" in called.err
    assert "--layers" in called.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--method", "gradcm"), "Did you mean 'gradcam'?"),
        (("--class", "wintr"), "Did you mean 'winter'?"),
        (("--channels", "3"), "--channels: is for Score-CAM"),
        (("--classes", "dog"), "--classes: is for a network known by its name"),
        (("--confidence", "0.5"), "--confidence: a model of the task 'classify'"),
        (("--model", "exports/tiny.onnx"), "neither the maps of its layers nor gradients"),
        (("--to", "photos"), "lies in the project's source"),
        (("--to", "exports"), "holds other files"),
        (("--method", "cam", "--layer", "layer2"), "not a linear map"),
    ],
)
def test_what_cannot_be_explained_is_refused(seasons: Path, words: tuple[str, ...], said: str) -> None:
    before = small.listing(seasons / "photos"), small.listing(seasons / "exports")
    called = small.call(seasons, "explain", photos_of(seasons, 1)[0], *words)
    assert called.code == 2, called.err
    assert said in called.err
    assert (small.listing(seasons / "photos"), small.listing(seasons / "exports")) == before


def test_without_a_project_a_folder_is_asked_for(tmp_path: Path) -> None:
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    called = small.call(tmp_path, "explain", "a.png", "--model", "efficientnet_lite0")
    assert (called.code, "where to?" in called.err) == (2, True), called.err
    called = small.call(tmp_path, "explain", "a.png", "--model", "efficientnet_lite0", "--nearest", "2", "--to", "x")
    assert (called.code, "learned nothing here" in called.err) == (2, True), called.err
    assert not (tmp_path / "x").exists()


def test_ultralytics_models_are_refused_before_their_process_starts(
    seasons: Path, copy: Callable[[Path], Path]
) -> None:
    from vision_cli.core import artefact, files

    project = copy(seasons)
    folder = project / "runs/train/latest/model"
    card = replace(artefact.load_card(folder), family="yolo").as_json()
    files.write_json(folder / artefact.CARD_NAME, {**card, artefact.SEAL: artefact._seal(card)})
    called = small.call(project, "explain", photos_of(project, 1)[0])
    assert (called.code, "a process of its own (ultralytics)" in called.err) == (2, True), called.err


def test_photos_that_cannot_be_read_are_named_and_the_others_explained(seasons: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    (good,) = photos_of(seasons, 1)
    called = small.call(seasons, "explain", str(tmp_path / "broken.jpg"), good, "--to", str(tmp_path / "heat"), "-q")
    assert called.code == 3
    assert "refused: " in called.out
    assert "broken.jpg" in called.out
    document = json.loads((tmp_path / "heat" / "explain.json").read_text())
    assert [row["path"] for row in document["explanations"]] == [good]
    # Its own earlier pictures are replaced.
    assert small.call(seasons, "explain", good, "--to", str(tmp_path / "heat"), "-q").code == 0


def test_a_dry_run_writes_nothing(seasons: Path, tmp_path: Path) -> None:
    before = small.listing(seasons / "runs")
    called = small.done(seasons, "explain", *photos_of(seasons, 1), "--dry-run", "-q")
    assert called.out.strip() == "would explain 1 photos"
    assert small.listing(seasons / "runs") == before


@pytest.mark.parametrize("tiles", [None, Tiles((70, 60), 0.3)])
def test_each_box_of_a_detector_has_a_map(tmp_path: Path, tiles: Tiles | None) -> None:
    photos = detectors.draw_photos(tmp_path / "photos", 2)
    detectors.save(tmp_path / "model", confidence=0.3, tiles=tiles)
    words = ("--model", "model", "--most", "3", "--to", "heat")
    document = explained(tmp_path, *(f"photos/{path.name}" for path in photos), *words)
    found = small.done(tmp_path, "predict", "photos", "--model", "model", "--confidence", "0.3", "--json").document
    for row, said in zip(document["explanations"], found["predictions"], strict=True):
        assert len(row["parts"]) == min(3, len(said["objects"])) > 0
        for part, each in zip(row["parts"], said["objects"], strict=False):
            assert (part["class"], part["method"]) == (each["class"], "hirescam")
            assert part["confidence"] == pytest.approx(each["confidence"], abs=1e-5)
            assert part["box"] == pytest.approx(each["box"], abs=0.05)
            assert 1 / (1 + np.exp(-part["score"])) == pytest.approx(part["confidence"], abs=1e-4)
            if tiles is not None:
                left, top, width, height = part["window"]
                x, y = part["peak"] or (left, top)
                assert left <= x < left + width
                assert top <= y < top + height
    only = explained(tmp_path, "photos/0.png", "--model", "model", "--class", "red", "--to", "heat")
    assert {part["class"] for part in only["explanations"][0]["parts"]} <= {"red"}
    none = explained(tmp_path, "photos/0.png", "--model", "model", "--confidence", "0.9999", "--to", "heat")
    row = none["explanations"][0]
    assert row["parts"] == []
    assert "A lower --confidence would show" in row["notes"][0]
    assert Path(tmp_path, row["pictures"]["heat"]).is_file()


def test_pictures_of_equal_names_do_not_replace_each_other(seasons: Path, tmp_path: Path) -> None:
    (photo,) = photos_of(seasons, 1)
    for name in ("a/x.jpg", "b/x.jpg", "b/x-maps.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(photo, tmp_path / name)
    words = ("--maps", "2", "--to", str(tmp_path / "heat"))
    document = explained(seasons, str(tmp_path / "a"), str(tmp_path / "b"), *words)
    written = [path for row in document["explanations"] for path in row["pictures"].values()]
    assert len(set(written)) == len(written) >= 6


def test_the_photos_a_detector_answers_worst_and_best_are_those_that_are(tmp_path: Path) -> None:
    photos = detectors.draw_photos(tmp_path / "photos", 8)
    detectors.save(tmp_path / "model", confidence=0.3)
    said = small.done(tmp_path, "predict", "photos", "--model", "model", "--json").document["predictions"]
    images, boxes = [], []
    for at, row in enumerate(said):
        images.append({"id": at, "file_name": f"{at}.png", "width": row["width"], "height": row["height"]})
        # Every other photo is labelled as the model answers it, the others with a box where it says nothing.
        labels = (
            [(each["class"], each["box"]) for each in row["objects"]] if at % 2 else [("red", [0.0, 0.0, 2.0, 2.0])]
        )
        for name, (x, y, width, height) in labels:
            about = {"category_id": detectors.CLASSES.index(name), "area": width * height, "iscrowd": 0}
            boxes.append({"id": len(boxes), "image_id": at, "bbox": [x, y, width, height], **about})
    names = [{"id": at, "name": name} for at, name in enumerate(detectors.CLASSES)]
    document = {"images": images, "annotations": boxes, "categories": names}
    (tmp_path / "photos" / "instances.json").write_text(json.dumps(document))
    (tmp_path / "vision.yaml").write_text(
        "version: 1\ntask: detect\ndata:\n  sources: {p: {path: photos/instances.json}}\n"
        "  split: {train: 0.2, val: 0.6, test: 0.2}\n"
    )
    assert len(photos) == 8
    rows = explained(tmp_path, "--model", "model", "--number", "8")["explanations"]
    assert len(rows) >= 3
    kinds = [row["chosen_as"] for row in rows]
    assert kinds == sorted(kinds, reverse=True)  # the worst ones first
    for row in rows:
        objects = len(said[int(Path(row["path"]).stem)]["objects"])
        if int(Path(row["path"]).stem) % 2:
            assert row["truth"] == f"{objects} of {objects} objects found, 0 found in excess"
        else:
            assert row["truth"] == f"0 of 1 objects found, {objects} found in excess"
    wrong = [int(Path(row["path"]).stem) % 2 == 0 for row in rows]
    assert wrong[: kinds.count("worst")].count(False) == max(0, kinds.count("worst") - sum(wrong))


def test_training_photos_that_are_gone_are_told(tmp_path: Path) -> None:
    detectors.draw_photos(tmp_path / "photos", 6)
    detectors.save(tmp_path / "model", confidence=0.3)
    images = []
    for at in range(6):
        with Image.open(tmp_path / "photos" / f"{at}.png") as photo:
            images.append({"id": at, "file_name": f"{at}.png", "width": photo.width, "height": photo.height})
    box = {"id": 0, "image_id": 0, "bbox": [1, 1, 9, 9], "category_id": 1, "area": 81, "iscrowd": 0}
    document = {"images": images, "annotations": [box], "categories": [{"id": 1, "name": "red"}]}
    (tmp_path / "photos" / "instances.json").write_text(json.dumps(document))
    split = "{train: 0.5, val: 0.5, test: 0}"
    (tmp_path / "vision.yaml").write_text(
        f"task: detect\ndata:\n  sources: {{p: {{path: photos/instances.json}}}}\n  split: {split}\n"
    )
    Image.new("RGB", (60, 40), (200, 30, 30)).save(tmp_path / "new.png")
    words = ("new.png", "--model", "model", "--nearest", "6")
    learned = [Path(each["path"]) for each in explained(tmp_path, *words)["explanations"][0]["nearest"]]
    assert 1 < len(learned) < 6
    learned[0].unlink()
    document = explained(tmp_path, *words)
    assert len(document["explanations"][0]["nearest"]) == len(learned) - 1
    assert f"1 of {len(learned)} training photos are gone, such as " in document["notes"][0]
    for path in learned[1:]:
        path.unlink()
    called = small.call(tmp_path, "explain", *words)
    assert (called.code, f"all {len(learned)} training photos are gone" in called.err) == (3, True), called.err


DETECTORS = ("fasterrcnn", "maskrcnn", "panopticfpn", "retinanet", "fcos", "ssd")
SEGMENTERS = ("unet", "lraspp", "segformer")


def look_of(family: str, task: str) -> Any:
    """A network by chance that finds a lot, ready to be asked."""
    import torch
    from torch import nn

    from vision_cli import models
    from vision_cli.core.artefact import Card
    from vision_cli.core.config import ModelConfig
    from vision_cli.core.dataset import ClassMap
    from vision_cli.core.progress import Silent
    from vision_cli.models.places.request import PlaceRequest
    from vision_cli.stages.explaining import evidence
    from vision_cli.stages.explaining.asked import How
    from vision_cli.stages.explaining.subject import Subject

    torch.manual_seed(0)
    classes = ClassMap(("a", "b", "c"))
    settings = {"family": family, "backbone": "test_resnet", "weights": "none", "input": {"size": 128}}
    things = {"things": (0, 1)} if task == "panoptic" else {}
    request = PlaceRequest(task, classes, np.random.default_rng(0).uniform(10, 60, (50, 2)), **things)
    network: Any = models.build_places(ModelConfig.model_validate(settings), request, offline=True)
    for name, tensor in network.named_parameters():
        if any(part.owns(name) for part in network.class_rows) and tensor.ndim > 1:
            nn.init.normal_(tensor, std=0.5)
    decode = replace(network.decode, confidence=(max(network.decode.score_floor, 0.2),))
    about = {"licence": network.licence, "name": "x", "created": ""}
    card = Card(task, classes, network.preprocess, decode, family, {}, **about)
    return evidence.open_look(Subject(Path("x"), card, network.eval(), "", None), How(most=8), Silent())


@pytest.mark.parametrize("family", DETECTORS)
def test_boxes_of_every_family_of_detectors(family: str, tmp_path: Path) -> None:
    from vision_cli.runtimes.torch import TorchRunner
    from vision_cli.stages.explaining import evidence, found
    from vision_cli.stages.running import place_inference

    task = {"maskrcnn": "instance", "panopticfpn": "panoptic"}.get(family, "detect")
    look = look_of(family, task)
    (photo,) = detectors.draw_photos(tmp_path / "photos", 1)
    row = found.explain(look, evidence.see(photo, look.subject.card.preprocess))
    boxes = [part for part in row.parts if part.box is not None]
    assert boxes
    runner = TorchRunner(look.subject.card, look.subject.network, 0.0)
    if task != "panoptic":
        (answer,) = place_inference.said(runner, [prepare.load_views(photo, look.subject.card.preprocess)])
        counted = answer.above(look.subject.card.place_decode.confidence)  # type: ignore[union-attr]
        assert [part.box for part in boxes] == [pytest.approx(tuple(each), abs=1e-3) for each in counted.boxes[:8]]
        assert [part.confidence for part in boxes] == pytest.approx(counted.scores[:8].tolist(), abs=1e-5)
    for part in boxes:
        assert np.isfinite(part.heat).all()
        assert part.heat.ndim == 2
        assert part.confidence is not None
        if family == "retinanet":
            assert 1 / (1 + np.exp(-part.score)) == pytest.approx(part.confidence, abs=1e-4)
    assert max(part.most for part in boxes) > 0


@pytest.mark.parametrize("family", SEGMENTERS)
def test_regions_of_families_of_segmenters(family: str, tmp_path: Path) -> None:
    from vision_cli.stages.explaining import evidence, found

    look = look_of(family, "semantic")
    (photo,) = detectors.draw_photos(tmp_path / "photos", 1)
    row = found.explain(look, evidence.see(photo, look.subject.card.preprocess))
    assert row.parts
    shares = [part.share for part in row.parts]
    assert shares == sorted(shares, reverse=True)
    for part in row.parts:
        assert part.region is not None
        assert part.region.shape == row.size_px[::-1]
        assert part.share == pytest.approx(part.region.mean())
        assert part.method == "gradcam"
        assert np.isfinite(part.heat).all()
