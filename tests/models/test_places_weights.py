"""Weights of whole detectors: published ones behind a real server, files of the user's, heads matched by name."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torchvision.models._meta import _COCO_CATEGORIES
from torchvision.models.detection import ssd300_vgg16, ssdlite320_mobilenet_v3_large
from torchvision.models.resnet import resnet18
from torchvision.ops import FrozenBatchNorm2d

from vision_cli import models
from vision_cli.core import artefact
from vision_cli.core.config import InputConfig, ModelConfig
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError, MissingPartError, UsageError
from vision_cli.core.weights import Source
from vision_cli.models.places import published, torchvision_family
from vision_cli.models.places.published import PUBLISHED, Published

EDGE = "ssdlite320_mobilenet_v3_large"
TIMM = "mobilenetv3_small_050"
CLASSES = ClassMap(("Cell_Phone", "platelet", "people"))


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@pytest.fixture(scope="module")
def coco(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file like torchvision's, of random weights."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("published")
    network = ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=91)
    torch.save(network.state_dict(), folder / "whole.pth")
    digest = hashlib.sha256((folder / "whole.pth").read_bytes()).hexdigest()
    return (folder / "whole.pth").rename(folder / f"edge_coco-{digest[:8]}.pth")


@pytest.fixture
def served(coco: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the file, which is said to be torchvision's."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(coco.parent))) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        url = f"http://127.0.0.1:{server.server_port}/{coco.name}"
        monkeypatch.setattr(Published, "coco", property(lambda self: Source.from_url(url, licence="BSD-3-Clause")))
        yield url
        server.shutdown()


def build(weights: str, heard: Any, backbone: str = EDGE, family: str = "ssd", **named: Any) -> Any:
    torch.manual_seed(1)
    size = named.pop("size", None)
    config = ModelConfig(family=family, backbone=backbone, weights=weights, input=InputConfig(size=size))
    request = models.PlaceRequest("detect", named.pop("classes", CLASSES))
    return models.build_places(config, request, progress=heard, **named)


def logits(network: Any, photo: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return network.eval()(photo)[0][..., 4:]


def test_coco_weights_are_downloaded_once_and_known_classes_are_kept(served: str, coco: Path, heard: Any) -> None:
    network = build("coco", heard)
    assert network.kept == ("Cell_Phone", "people")
    assert network.licence == "BSD-3-Clause"
    assert network.preprocess.mean == (0.5, 0.5, 0.5)
    assert any("kept what it knows of 2 of 3 classes: Cell_Phone, people" in line for line in heard.said)
    theirs = ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=91).eval()
    theirs.load_state_dict(torch.load(coco, weights_only=True))
    photo = torch.randn(1, 3, 320, 320)
    with torch.no_grad():
        expected = theirs.head(list(theirs.backbone(photo).values()))
    rows = [0, _COCO_CATEGORIES.index("cell phone"), _COCO_CATEGORIES.index("person")]
    ours = logits(network, photo)[..., [0, 1, 3]]
    torch.testing.assert_close(ours, expected["cls_logits"][..., rows], rtol=1e-4, atol=1e-5)
    again = build("coco", heard, offline=True)
    assert torch.equal(logits(again, photo)[..., [0, 1, 3]], ours)


def test_classes_that_coco_does_not_know_start_anew(served: str, heard: Any) -> None:
    network = build("coco", heard, classes=ClassMap(("platelet", "red cell")))
    assert network.kept == ()
    assert any("it knows none of the classes by name" in line for line in heard.said)


def test_offline_says_where_to_put_the_file(served: str, heard: Any) -> None:
    with pytest.raises(MissingPartError, match="downloads are off") as caught:
        build("coco", heard, offline=True)
    assert served in str(caught.value.hint)


def test_a_file_with_another_checksum_is_refused(
    served: str, coco: Path, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = Source(served, "edge.pth", "00000000")
    monkeypatch.setattr(Published, "coco", property(lambda self: wrong))
    with pytest.raises(DataError, match="SHA-256"):
        build("coco", heard)


def test_a_downloaded_file_can_be_given_by_its_path(coco: Path, heard: Any) -> None:
    """Nobody says which classes it knows: all but their rows is taken."""
    network = build(str(coco), heard)
    assert network.kept == ()
    assert network.licence == "NOASSERTION"
    state = torch.load(coco, weights_only=True)
    assert torch.equal(
        network.network.backbone.state_dict()["extra.0.0.0.weight"], state["backbone.extra.0.0.0.weight"]
    )


def test_torchvisions_own_file_is_known_wherever_it_lies(served: str, coco: Path, tmp_path: Path, heard: Any) -> None:
    """By its checksum, not by its name: classes, licence and preprocessing are those of `weights: coco`."""
    (tmp_path / "mine.pth").write_bytes(coco.read_bytes())
    ours, theirs = build(str(tmp_path / "mine.pth"), heard), build("coco", heard)
    assert ours.kept == theirs.kept == ("Cell_Phone", "people")
    assert ours.licence == "BSD-3-Clause"
    assert ours.preprocess == theirs.preprocess
    photo = torch.randn(1, 3, 320, 320)
    assert torch.equal(logits(ours, photo)[..., [0, 2]], logits(theirs, photo)[..., [0, 2]])


@pytest.mark.parametrize("channels", [3, 1])
def test_a_whole_detector_of_torchvision_sees_what_its_builder_shows_it(
    channels: int, tmp_path: Path, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSD's values are its own; a file of its backbone alone, and no file, are of ImageNet."""
    theirs = ssd300_vgg16(weights=None, weights_backbone=None, num_classes=91)
    monkeypatch.setattr(torchvision_family.pretrained, "load", lambda *_: None)
    monkeypatch.setattr(torchvision_family.checkpoint, "read", lambda _: theirs.state_dict())
    monkeypatch.setattr(torchvision_family.pretrained.checkpoint, "read", lambda _: theirs.state_dict())
    path = tmp_path / "w.pth"
    path.touch()  # what it holds is read above
    config = ModelConfig(family="ssd", backbone="ssd300_vgg16", weights=str(path), input=InputConfig(channels=channels))
    request = models.PlaceRequest("detect", CLASSES)
    network = models.build_places(config, request, progress=heard)
    mean, std = theirs.transform.image_mean, theirs.transform.image_std
    assert network.preprocess.mean == pytest.approx(mean if channels == 3 else [sum(mean) / 3])
    assert network.preprocess.std == pytest.approx(std if channels == 3 else [sum(std) / 3])
    plain = models.build_places(config.model_copy(update={"weights": "none"}), request, progress=heard)
    assert plain.preprocess.mean[0] == pytest.approx(0.485 if channels == 3 else 0.449)


def test_ones_own_model_says_what_it_was_shown(tmp_path: Path, heard: Any) -> None:
    first = build("none", heard)
    first.preprocess = replace(first.preprocess, mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6))
    path = saved(first, CLASSES, tmp_path / "model", "ssd", EDGE)
    second = build(str(path), heard)
    assert (second.preprocess.mean, second.preprocess.std) == ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))


def test_every_published_network_is_shown_what_torchvision_shows_it() -> None:
    for name in ("ssd300_vgg16", EDGE, "fcos_resnet50_fpn", "retinanet_resnet50_fpn", "maskrcnn_resnet50_fpn"):
        shown = PUBLISHED[name].module(3).transform
        assert list(PUBLISHED[name].mean) == pytest.approx(shown.image_mean)
        assert list(PUBLISHED[name].std) == pytest.approx(shown.image_std)


def saved(network: Any, classes: ClassMap, folder: Path, family: str, backbone: str) -> Path:
    card = artefact.Card(
        task="detect",
        classes=classes,
        preprocess=network.preprocess,
        decode=network.decode,
        family=family,
        model=models.options(ModelConfig(family=family, backbone=backbone), network),
        licence="MIT",
        name="test",
        created="2026-01-01T00:00:00Z",
    )
    folder.mkdir()
    (folder / "artefact.json").write_text(json.dumps(card.as_json()), encoding="utf-8")
    safetensors.torch.save_file(network.state_dict(), folder / "weights.safetensors")
    return folder / "weights.safetensors"


@pytest.mark.parametrize("family", ["ssdlite", "retinanet"])
def test_ones_own_model_is_a_start_and_its_classes_are_kept(family: str, tmp_path: Path, heard: Any) -> None:
    before = ClassMap(("wbc", "platelets", "rbc"))
    first = build("none", heard, TIMM, family, classes=before, size=(64, 64))
    path = saved(first, before, tmp_path / "model", family, TIMM)
    second = build(str(path), heard, TIMM, family, classes=ClassMap(("RBC", "worm", "platelet")), size=(64, 64))
    assert second.kept == ("RBC", "platelet")
    assert second.licence == "MIT"
    photo = torch.randn(1, 3, 64, 64)
    assert torch.equal(logits(second, photo)[..., [0, 2]], logits(first, photo)[..., [2, 1]])


@pytest.mark.parametrize("family", ["ssdlite", "fcos"])
def test_a_file_of_the_backbone_alone_fills_the_backbone(family: str, tmp_path: Path, heard: Any) -> None:
    torch.manual_seed(4)
    trained: Any = models.build(ModelConfig(backbone=TIMM, weights="none"), 3)
    torch.save(trained.backbone.state_dict(), tmp_path / "w.pth")
    network = build(str(tmp_path / "w.pth"), heard, TIMM, family, size=(64, 64))
    own = network.backbone.state_dict()
    assert all(
        torch.equal(item, trained.backbone.state_dict()[name.removeprefix("trunk.")]) for name, item in own.items()
    )


def test_the_weights_of_another_network_are_refused(coco: Path, tmp_path: Path, heard: Any) -> None:
    with pytest.raises(DataError, match="another network"):
        build(str(coco), heard, TIMM, "ssdlite", size=(64, 64))
    torch.save(resnet18().state_dict(), tmp_path / "w.pth")
    with pytest.raises(DataError, match="another network"):
        build(str(tmp_path / "w.pth"), heard, "fasterrcnn_mobilenet_v3_large_320_fpn", "fasterrcnn", size=(64, 64))


def test_a_card_that_is_no_card_is_refused(coco: Path, tmp_path: Path, heard: Any) -> None:
    (tmp_path / coco.name).write_bytes(coco.read_bytes())
    (tmp_path / "artefact.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=r"artefact\.json"):
        build(str(tmp_path / coco.name), heard)


@pytest.mark.parametrize(
    ("weights", "backbone", "family", "hint"),
    [
        ("coco", "auto", "ssdlite", EDGE),
        ("coco", TIMM, "fcos", "fcos_resnet50_fpn"),
        ("imagenet", EDGE, "ssd", "coco or none"),
    ],
)
def test_weights_that_nobody_published_are_refused(
    weights: str, backbone: str, family: str, hint: str, heard: Any
) -> None:
    with pytest.raises(UsageError, match=r"model\.weights") as caught:
        build(weights, heard, backbone, family)
    assert hint in str(caught.value.hint)


def test_imagenet_weights_fill_the_body_of_a_published_network(tmp_path: Path, heard: Any) -> None:
    from torchvision.models import mobilenet_v3_large

    torch.manual_seed(2)
    classifier = mobilenet_v3_large(weights=None)
    torch.save(classifier.state_dict(), tmp_path / "w.pth")
    name = "fasterrcnn_mobilenet_v3_large_320_fpn"
    network = build(str(tmp_path / "w.pth"), heard, name, "fasterrcnn", size=(64, 64))
    photo = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        expected = classifier.eval().features(photo)
        last = list(network.eval().backbone(photo).values())[-1]
    torch.testing.assert_close(last, expected)


def test_batch_norms_of_epsilon_zero_give_what_they_gave() -> None:
    """torchvision freezes them, and sets their epsilon to 0 for its oldest COCO weights."""
    torch.manual_seed(0)
    theirs = FrozenBatchNorm2d(5, eps=0.0)
    state = {"weight": torch.rand(5), "bias": torch.rand(5), "running_mean": torch.rand(5)}
    state["running_var"] = torch.rand(5) + 1e-4
    theirs.load_state_dict(state)
    ours = torch.nn.BatchNorm2d(5).eval()
    ours.load_state_dict(torchvision_family.without_epsilon(state), strict=False)
    photo = torch.randn(2, 5, 3, 3)
    torch.testing.assert_close(ours(photo), theirs(photo), rtol=1e-4, atol=1e-5)


def test_every_published_network_has_a_family_a_checksum_and_a_stated_accuracy() -> None:
    for known in PUBLISHED.values():
        assert len(known.coco.sha256_prefix) == 8
        if known.segments:
            continue
        assert len(known.coco_names) == 91
        assert known.imagenet is None or len(known.imagenet.sha256_prefix) == 8
    for family in ("ssd", "fasterrcnn", "retinanet", "fcos"):
        card: Any = models.FAMILIES.card(family)
        assert {found.backbone for found in card.reported} == set(published.names(family))


def test_the_stated_accuracies_are_torchvisions() -> None:
    import torchvision

    for family in ("ssd", "fasterrcnn", "retinanet", "fcos"):
        card: Any = models.FAMILIES.card(family)
        for found in card.reported:
            weights = torchvision.models.get_model_weights(found.backbone).DEFAULT
            assert found.value == weights.meta["_metrics"]["COCO-val2017"]["box_map"]
