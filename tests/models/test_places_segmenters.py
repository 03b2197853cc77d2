"""Every family of segmenters: the contract, what it learns, and that its parts are those of their papers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from vision_cli import models
from vision_cli.core import artefact
from vision_cli.core.config import InputConfig, ModelConfig
from vision_cli.core.dataset import ClassMap
from vision_cli.core.decoding import shapes
from vision_cli.core.decoding.photos import decode_batch
from vision_cli.core.errors import UsageError
from vision_cli.core.place_targets import IGNORED, PlaceTargets
from vision_cli.models.places import fixed_regions
from vision_cli.models.places.published import PUBLISHED

CLASSES = ClassMap(("square", "disc", "ground"))
TIMM = "mobilenetv3_small_050"
SIDE = 64
TASKS = {"maskrcnn": "instance", "panopticfpn": "panoptic"}
SEMANTIC = ("unet", "fpn", "pspnet", "deeplabv3plus", "segformer", "fcn", "fcn learned", "deeplabv3", "lraspp")
OBJECTS = ("maskrcnn", "panopticfpn")
EVERY = (*SEMANTIC, *OBJECTS)
PUBLISHED_ONES = [
    ("lraspp", "lraspp_mobilenet_v3_large"),
    *(
        pytest.param(family, backbone, marks=pytest.mark.slow)
        for family, backbone in [
            ("fcn", "fcn_resnet50"),
            ("fcn learned", "fcn_resnet50"),
            ("fcn", "fcn_resnet101"),
            ("deeplabv3", "deeplabv3_resnet50"),
            ("deeplabv3", "deeplabv3_resnet101"),
            ("deeplabv3", "deeplabv3_mobilenet_v3_large"),
            ("maskrcnn", "maskrcnn_resnet50_fpn"),
            ("maskrcnn", "maskrcnn_resnet50_fpn_v2"),
            ("panopticfpn", "maskrcnn_resnet50_fpn"),
        ]
    ),
]


def build(name: str, backbone: str = TIMM, *, progress: Any = None, classes: ClassMap = CLASSES, **named: Any) -> Any:
    torch.manual_seed(0)
    family, _, upsample = name.partition(" ")
    inputs = InputConfig(size=(SIDE, SIDE), channels=named.pop("channels", 3), resize="stretch")
    config = ModelConfig(
        family=family,
        backbone=backbone,
        weights=named.pop("weights", "none"),
        input=inputs,
        upsample=upsample or "bilinear",  # type: ignore[arg-type]
    )
    request = models.PlaceRequest(TASKS.get(family, "semantic"), classes, things=(0, 1))  # type: ignore[arg-type]
    network: Any = models.build_places(config, request, progress=progress)
    if family in OBJECTS:
        # Fewer regions than in earnest, so that a step takes no second.
        network.network.roi_heads.fg_bg_sampler.batch_size_per_image = 32
        network.network.rpn._post_nms_top_n = {"training": 64, "testing": 16}
    return network


def batch(*, crowd: bool = False) -> tuple[torch.Tensor, PlaceTargets]:
    """Two photos: a bright square and a dark one in the first, a bright one in the second, the rest is ground.

    The rows above in the first photo have no label; with `crowd` the second photo has a crowd region, too.
    """
    torch.manual_seed(1)
    photos = torch.randn(2, 3, SIDE, SIDE) * 0.1
    boxes = [(0, 0, (8, 8, 32, 24)), (0, 1, (32, 32, 56, 56)), (1, 0, (16, 16, 40, 40)), (1, 1, (44, 2, 62, 40))]
    boxes = boxes[: 3 + crowd]
    masks = torch.zeros(len(boxes), SIDE, SIDE, dtype=torch.uint8)
    pixels = torch.full((2, SIDE, SIDE), 2)
    for mask, (photo, label, (left, top, right, bottom)) in zip(masks, boxes, strict=True):
        mask[top:bottom, left:right] = 1
        pixels[photo][mask == 1] = label
        photos[photo, :, mask == 1] += 2 - 4 * label
    pixels[0, :4] = IGNORED
    return photos, PlaceTargets(
        2,
        torch.tensor([photo for photo, _, _ in boxes]),
        torch.tensor([box for _, _, box in boxes], dtype=torch.float32),
        torch.tensor([label for _, label, _ in boxes]),
        torch.tensor([False, False, False, True][: len(boxes)]),
        masks,
        pixels,
    )


def total(losses: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.stack(list(losses.values())).sum()


def card_of(name: str, network: Any) -> artefact.Card:
    family = name.partition(" ")[0]
    return artefact.Card(
        task=TASKS.get(family, "semantic"),
        classes=CLASSES,
        preprocess=network.preprocess,
        decode=network.decode,
        family=family,
        model=models.options(ModelConfig(family=family), network),
        licence=network.licence,
        name="test",
        created="2026-01-01T00:00:00Z",
    )


def check_contract(name: str, backbone: str) -> None:
    network = build(name, backbone).eval()
    card = card_of(name, network)
    photos, _ = batch()
    with torch.no_grad():
        raw = network(photos)
    assert shapes.faults([tuple(each.shape) for each in raw], card, card.place_decode) == ""
    answers = decode_batch(tuple(each.numpy() for each in raw), card.place_decode, card.preprocess, [(90, 70)] * 2)
    assert [answer.size_px for answer in answers] == [(90, 70)] * 2
    own = sorted(id(item) for item in network.parameters())
    assert sorted(id(item) for part in (network.backbone, network.head) for item in part.parameters()) == own
    staged = [id(item) for stage in network.stages for module in stage for item in module.parameters()]
    assert sorted(staged) == sorted(id(item) for item in network.backbone.parameters())
    assert len(network.stages) >= 4
    assert (network.n_features, tuple(network.kept)) == (0, ())


def check_rebuilt(name: str, backbone: str) -> None:
    network = build(name, backbone).eval()
    card = artefact.Card.from_json(card_of(name, network).as_json(), where="here")
    torch.manual_seed(9)
    again: Any = models.rebuild(card, {key: item.clone() for key, item in network.state_dict().items()})
    if name in OBJECTS:
        again.network.rpn._post_nms_top_n = network.network.rpn._post_nms_top_n
    photos, _ = batch()
    with torch.no_grad():
        assert all(torch.equal(ours, theirs) for ours, theirs in zip(network(photos), again(photos), strict=True))
    assert (again.decode, again.preprocess) == (network.decode, network.preprocess)


def check_step(name: str, backbone: str) -> None:
    network = build(name, backbone).train()
    photos, targets = batch(crowd=True)
    total(network.losses(photos, targets)).backward()
    assert [key for key, item in network.named_parameters() if item.grad is None] == []


@pytest.mark.parametrize("name", EVERY)
def test_a_segmenter_keeps_the_contract(name: str) -> None:
    check_contract(name, TIMM)


@pytest.mark.parametrize("name", EVERY)
def test_an_artefact_gives_the_same_outputs_to_the_bit(name: str) -> None:
    check_rebuilt(name, TIMM)


@pytest.mark.parametrize(("name", "backbone"), PUBLISHED_ONES)
def test_the_networks_of_torchvision(name: str, backbone: str) -> None:
    check_contract(name, backbone)
    check_rebuilt(name, backbone)
    check_step(name, backbone)


@pytest.mark.parametrize("name", EVERY)
def test_the_loss_falls_on_two_photos(name: str) -> None:
    network = build(name).train()
    photos, targets = batch(crowd=True)
    optimizer = torch.optim.SGD(network.parameters(), 5e-3 if name in OBJECTS else 2e-2, momentum=0.9)
    seen = []
    for step in range(4 if name in OBJECTS else 8):
        loss = total(network.losses(photos, targets))
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            assert [key for key, item in network.named_parameters() if item.grad is None] == []
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        seen.append(float(loss.detach()))
    assert np.isfinite(seen).all()
    assert np.mean(seen[-2:]) < 0.9 * np.mean(seen[:2])


@pytest.mark.parametrize("name", EVERY)
def test_losses_need_no_training_mode_and_change_nothing(name: str) -> None:
    network = build(name).eval()
    photos, targets = batch()
    before = {key: item.clone() for key, item in network.state_dict().items()}
    with torch.no_grad():
        torch.manual_seed(5)
        first = network.losses(photos, targets)
        torch.manual_seed(5)
        again = network.losses(photos, targets)
    assert all(torch.equal(first[key], value) for key, value in again.items())
    assert not network.training
    assert all(torch.equal(item, before[key]) for key, item in network.state_dict().items())


@pytest.mark.parametrize("name", EVERY)
def test_photos_without_labels_give_a_finite_loss(name: str) -> None:
    network = build(name).train()
    photos, targets = batch()
    nothing = replace(
        targets,
        photo=targets.photo[:0],
        boxes=targets.boxes[:0],
        labels=targets.labels[:0],
        crowd=targets.crowd[:0],
        masks=targets.masks[:0],
        pixels=torch.full_like(targets.pixels, IGNORED),
    )
    loss = total(network.losses(photos, nothing))
    loss.backward()
    assert bool(loss.isfinite())


@pytest.mark.parametrize("name", SEMANTIC)
def test_a_single_photo_can_be_learned(name: str) -> None:
    network = build(name).train()
    photos, targets = batch()
    one = replace(targets, n_photos=1, pixels=targets.pixels[:1])
    assert bool(total(network.losses(photos[:1], one)).isfinite())


@pytest.mark.parametrize("name", ["deeplabv3", "deeplabv3plus"])
def test_what_a_photo_pools_does_not_hang_on_its_batch(name: str) -> None:
    """A batch norm of two photos' single values knows nothing but which is larger, and is another one alone."""
    network = build(name).train()
    (pooling,) = [each for each in network.modules() if type(each).__name__ == "ASPPPooling"]
    maps = torch.rand(2, next(pooling.parameters()).shape[1], 4, 4)
    together = pooling(maps)
    assert torch.allclose(together[:1], pooling(maps[:1]), atol=1e-6)
    assert torch.allclose(together, pooling.eval()(maps), atol=1e-6)
    assert all(parameter.requires_grad for parameter in pooling.parameters())


def test_learned_and_bilinear_fcn_begin_alike_and_only_one_learns() -> None:
    plain, learned = build("fcn").eval(), build("fcn learned").eval()
    learned.load_state_dict(plain.state_dict(), strict=False)
    photos, targets = batch()
    with torch.no_grad():
        coarse, fine = plain(photos)[0], learned(photos)[0]
    assert (coarse.shape[-1], fine.shape[-1]) == (8, 64)
    expected = functional.interpolate(coarse, (64, 64), mode="bilinear", align_corners=False)
    torch.testing.assert_close(fine, expected, rtol=0, atol=1e-4)
    total(learned.losses(photos, targets)).backward()
    assert float(learned.network.upsampling.grow.weight.grad.abs().sum()) > 0


@pytest.mark.parametrize("name", OBJECTS)
def test_what_is_found_in_a_crowd_is_not_held_against_it(name: str) -> None:
    network = build(name).eval()
    photos, targets = batch()
    objects = {"photo": torch.tensor([0]), "labels": torch.tensor([0])}
    everywhere = replace(
        targets,
        n_photos=1,
        boxes=torch.tensor([[-1e3, -1e3, 1e3, 1e3]]),
        crowd=torch.tensor([True]),
        masks=torch.ones(1, SIDE, SIDE, dtype=torch.uint8),
        pixels=torch.full((1, SIDE, SIDE), IGNORED),
        **objects,
    )
    torch.manual_seed(0)
    with torch.no_grad():
        ignored = network.losses(photos[1:], everywhere)
    # An empty choice of regions has no mean.
    assert all(abs(float(value)) < 1e-6 or bool(value.isnan()) for value in ignored.values())


def test_masks_are_those_of_torchvision() -> None:
    network = build("maskrcnn").eval()
    photos, _ = batch()
    network.network.transform = GeneralizedRCNNTransform(
        SIDE, SIDE, [0.0] * 3, [1.0] * 3, size_divisible=1, fixed_size=(SIDE, SIDE)
    )
    with torch.no_grad():
        network.network.rpn.head.cls_logits.weight.mul_(
            200
        )  # spread as of a network that learned: ties are ours to break
        theirs = network.network(list(photos))
        boxes, masks = network(photos)
    for index, photo in enumerate(theirs):
        count = len(photo["scores"])
        assert count > 0
        torch.testing.assert_close(boxes[index, :count, :4], photo["boxes"])
        torch.testing.assert_close(boxes[index, :count, 4], photo["scores"])
        assert torch.equal(boxes[index, :count, 5].long(), photo["labels"] - 1)
        torch.testing.assert_close(masks[index, :count], photo["masks"][:, 0])
        assert (boxes[index, count:, 5] == -1).all()
        assert (masks[index, count:] == 0).all()


def test_regions_of_fixed_shape_give_the_same_answer() -> None:
    network = build("maskrcnn").eval()
    predictor = network.network.roi_heads.box_predictor.cls_score
    torch.manual_seed(3)
    torch.nn.init.normal_(predictor.weight, std=0.3)
    photos = torch.cat([torch.randn(2, 3, SIDE, SIDE), torch.randn(1, 3, SIDE, SIDE) * 0.1])
    seen = set()
    for bias in (-2.0, 0.0, 2.0, 4.0, 8.0):
        with torch.no_grad():
            predictor.bias[0] = bias
            expected = network(photos)
            found = fixed_regions.detections(network.network, network.features(photos), photos)
        seen |= set((expected[0][..., 5] >= 0).sum(dim=1).tolist())
        for ours, theirs in zip(found, expected, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-3)
    assert 0 in seen
    assert len(seen) > 2


def test_panoptic_knows_its_things() -> None:
    assert (build("panopticfpn").decode.layout, build("panopticfpn").decode.things) == ("panoptic", (0, 1))


@pytest.mark.parametrize("name", ["unet", "fcn", "lraspp"])
@pytest.mark.parametrize("channels", [1, 4])
def test_grey_photos_and_alpha(name: str, channels: int) -> None:
    network = build(name, channels=channels).eval()
    with torch.no_grad():
        assert network(torch.randn(1, channels, SIDE, SIDE))[0].isfinite().all()


@pytest.mark.parametrize("backbone", ["test_vit", "test_convnext", "resnet10t", "test_efficientnet"])
@pytest.mark.parametrize("name", SEMANTIC)
def test_any_timm_network_can_stand_below(name: str, backbone: str) -> None:
    side = 160
    inputs = InputConfig(size=(side, side), resize="stretch")
    config = ModelConfig(family=name.partition(" ")[0], backbone=backbone, weights="none", input=inputs)
    network: Any = models.build_places(config, models.PlaceRequest("semantic", CLASSES)).eval()
    with torch.no_grad():
        (logits,) = network(torch.randn(1, 3, side, side))
    assert logits.shape[:2] == (1, 3)
    assert side // logits.shape[-1] in (1, 4, 8, 16)


def test_a_dilated_network_keeps_its_deepest_map_fine() -> None:
    network = build("pspnet", "resnet10t").eval()
    with torch.no_grad():
        (deep,) = network.backbone(torch.randn(1, 3, SIDE, SIDE))
        plain = build("unet", "resnet10t").eval().backbone(torch.randn(1, 3, SIDE, SIDE))
    assert deep.shape[-1] == 8
    assert deep.shape[1] == plain[-1].shape[1]
    assert plain[-1].shape[-1] == 2


def test_a_size_that_does_not_fit_is_refused_with_one_that_does() -> None:
    config = ModelConfig(family="unet", backbone=TIMM, weights="none", input=InputConfig(size=(300, 200)))
    with pytest.raises(UsageError, match="300 x 200") as caught:
        models.build_places(config, models.PlaceRequest("semantic", CLASSES))
    assert "288 x 192" in str(caught.value.hint)


@pytest.mark.parametrize("name", ["unet", "fcn", "maskrcnn", "panopticfpn"])
def test_coco_weights_of_a_network_that_has_none(name: str) -> None:
    with pytest.raises(UsageError, match="no COCO weights"):
        build(name, weights="coco")


def test_the_default_needs_no_network() -> None:
    request = models.PlaceRequest("semantic", CLASSES)
    network: Any = models.build_places(ModelConfig(), request, offline=True)
    plain: Any = models.build_places(ModelConfig(weights="none"), request, offline=True)
    assert network.options == {"backbone": "tf_efficientnet_lite0"}
    assert network.licence == "Apache-2.0"
    assert not torch.equal(network.backbone.trunk.conv_stem.weight, plain.backbone.trunk.conv_stem.weight)


def test_a_class_keeps_what_coco_weights_know_of_it(tmp_path: Path, heard: Any, cache: Path) -> None:
    known = PUBLISHED["lraspp_mobilenet_v3_large"]
    torch.manual_seed(7)
    theirs = known.module(len(known.coco_names))
    cache.mkdir(parents=True)
    torch.save(theirs.state_dict(), cache / known.coco.file_name)
    classes = ClassMap(("Sofa", "robot", "background"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vision_cli.core.download.fetch", lambda source, **_: cache / source.file_name)
        network = build("lraspp", known.name, weights="coco", classes=classes, progress=heard)
    assert tuple(network.kept) == ("Sofa", "background")
    assert any("2 of 3 classes" in text for text in heard.said)
    photos, _ = batch()
    with torch.no_grad():
        ours = network.eval()(photos)[0]
        whole = theirs.eval()(photos)["out"]
    ours = functional.interpolate(ours, (SIDE, SIDE), mode="bilinear", align_corners=False)
    torch.testing.assert_close(ours[:, [0, 2]], whole[:, [known.coco_names.index("sofa"), 0]], rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", ["maskrcnn", "panopticfpn"])
def test_masks_of_a_class_come_with_a_file_of_other_classes(name: str, tmp_path: Path, heard: Any) -> None:
    """A Mask R-CNN of 4 classes beside its model card, for a network of other classes."""
    other = ClassMap(("cat", "disc", "person", "square"))
    source = build("maskrcnn", classes=other)
    card = replace(card_of("maskrcnn", source), classes=other)
    save_file(source.state_dict(), tmp_path / "model.safetensors")
    artefact.files.write_json(tmp_path / "artefact.json", card.as_json())
    torch.manual_seed(3)
    network = build(name, weights=str(tmp_path / "model.safetensors"), progress=heard)
    assert tuple(network.kept) == ("square", "disc")
    logits = "roi_heads.mask_predictor.mask_fcn_logits.weight"
    ours, theirs = network.network.get_parameter(logits), source.network.get_parameter(logits)
    assert torch.equal(ours[[0, 1, 2]], theirs[[0, 4, 2]])
    assert not torch.equal(ours[3], theirs[1])
    assert torch.equal(
        network.network.backbone.fpn.inner_blocks[0][0].weight, source.network.backbone.fpn.inner_blocks[0][0].weight
    )
