"""Every family of detectors: the contract, what it learns, and that its numbers are torchvision's own."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from vision_cli import models
from vision_cli.core import artefact
from vision_cli.core.config import InputConfig, ModelConfig
from vision_cli.core.dataset import ClassMap
from vision_cli.core.decoding import candidates
from vision_cli.core.decoding.anchors import n_places
from vision_cli.core.errors import UsageError
from vision_cli.core.place_targets import PlaceTargets

CLASSES = ClassMap(("square", "disc"))
TIMM = "mobilenetv3_small_050"
SIDE = 64
ON_TIMM = [("ssdlite", TIMM), ("ssd", TIMM), ("fasterrcnn", TIMM), ("retinanet", TIMM), ("fcos", TIMM)]
PUBLISHED = [
    ("ssd", "ssdlite320_mobilenet_v3_large", 320),
    ("fasterrcnn", "fasterrcnn_mobilenet_v3_large_320_fpn", 128),
    pytest.param("ssd", "ssd300_vgg16", 300, marks=pytest.mark.slow),
    pytest.param("fasterrcnn", "fasterrcnn_resnet50_fpn", 128, marks=pytest.mark.slow),
    pytest.param("fasterrcnn", "fasterrcnn_resnet50_fpn_v2", 128, marks=pytest.mark.slow),
    pytest.param("fasterrcnn", "fasterrcnn_mobilenet_v3_large_fpn", 128, marks=pytest.mark.slow),
    pytest.param("retinanet", "retinanet_resnet50_fpn", 128, marks=pytest.mark.slow),
    pytest.param("retinanet", "retinanet_resnet50_fpn_v2", 128, marks=pytest.mark.slow),
    pytest.param("fcos", "fcos_resnet50_fpn", 128, marks=pytest.mark.slow),
]
EVERY = [*((*case, SIDE) for case in ON_TIMM), *PUBLISHED]


def build(family: str, backbone: str, side: int = SIDE, channels: int = 3, **named: Any) -> Any:
    torch.manual_seed(0)
    inputs = InputConfig(size=(side, side), channels=channels, resize="stretch")
    config = ModelConfig(family=family, backbone=backbone, weights=named.pop("weights", "none"), input=inputs)
    return models.build_places(config, models.PlaceRequest("detect", CLASSES, **named))


def card_of(network: Any, family: str, backbone: str) -> artefact.Card:
    card = artefact.Card(
        task="detect",
        classes=CLASSES,
        preprocess=network.preprocess,
        decode=network.decode,
        family=family,
        model=models.options(ModelConfig(family=family, backbone=backbone), network),
        licence=network.licence,
        name="test",
        created="2026-01-01T00:00:00Z",
    )
    return artefact.Card.from_json(card.as_json(), where="here")


def batch(side: int = SIDE, *, crowd: bool = False) -> tuple[torch.Tensor, PlaceTargets]:
    """Two photos: a bright square and a dark disc on noise; a square, and a crowd region beside it if asked for."""
    torch.manual_seed(1)
    unit = side / 128
    photos = torch.randn(2, 3, side, side) * 0.1
    y, x = torch.meshgrid(torch.arange(side) / unit, torch.arange(side) / unit, indexing="ij")
    photos[0, :, (y >= 16) & (y < 64) & (x >= 24) & (x < 72)] += 2
    photos[0, :, (x - 92) ** 2 + (y - 92) ** 2 < 28**2] -= 2
    photos[1, :, (y >= 40) & (y < 100) & (x >= 10) & (x < 60)] += 2
    boxes = [[24.0, 16.0, 72.0, 64.0], [64.0, 64.0, 120.0, 120.0], [10.0, 40.0, 60.0, 100.0], [70.0, 10.0, 126.0, 60.0]]
    kept = 3 + crowd
    return photos, PlaceTargets(
        2,
        torch.tensor([0, 0, 1, 1])[:kept],
        torch.tensor(boxes)[:kept] * unit,
        torch.tensor([0, 1, 0, 1])[:kept],
        torch.tensor([False, False, False, True])[:kept],
    )


def total(losses: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.stack(list(losses.values())).sum()


@pytest.mark.parametrize(("family", "backbone", "side"), EVERY)
def test_a_detector_keeps_the_contract(family: str, backbone: str, side: int) -> None:
    network = build(family, backbone, side).eval()
    with torch.no_grad():
        raw = network(torch.randn(2, 3, side, side))
    assert len(raw) == 1
    assert len(raw[0]) == 2
    decode = network.decode
    if decode.layout == "boxes":
        assert raw[0].shape[1:] == (decode.max_detections, 6)
    else:
        values = 4 + len(CLASSES) + (decode.activation == "softmax") + (decode.layout == "points")
        assert raw[0].shape[1:] == (n_places(decode.levels, (side, side)), values)
    own = {id(item): item.numel() for item in network.parameters()}
    parts = [id(item) for part in (network.backbone, network.head) for item in part.parameters()]
    assert sorted(parts) == sorted(own)
    staged = [id(item) for stage in network.stages for module in stage for item in module.parameters()]
    assert sorted(staged) == sorted(id(item) for item in network.backbone.parameters())
    assert len(network.stages) >= 4
    assert network.n_features == 0
    assert tuple(network.kept) == ()


@pytest.mark.parametrize(("family", "backbone"), ON_TIMM)
def test_the_loss_falls_on_two_photos(family: str, backbone: str) -> None:
    network = build(family, backbone, box_sizes=np.full((60, 2), 25.0)).train()
    photos, targets = batch(SIDE)
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3 if family == "ssdlite" else 2e-4)
    seen = []
    for _ in range(16 if family == "ssdlite" else 6):
        loss = total(network.losses(photos, targets))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        seen.append(float(loss.detach()))
    assert np.isfinite(seen).all()
    assert np.mean(seen[-2:]) < 0.9 * np.mean(seen[:2])


@pytest.mark.parametrize(("family", "backbone", "side"), EVERY)
def test_a_step_reaches_every_part(family: str, backbone: str, side: int) -> None:
    network = build(family, backbone, side).train()
    photos, targets = batch(side, crowd=True)
    total(network.losses(photos, targets)).backward()
    missing = [name for name, item in network.named_parameters() if item.grad is None]
    assert missing == []


@pytest.mark.parametrize("seed", range(4))
def test_no_side_of_a_box_begins_where_its_gradient_is_dead(seed: int) -> None:
    """After the ReLU of FCOS; what began at 0 could be pushed below by the first steps, and never came back."""
    network = build("fcos", TIMM)
    torch.manual_seed(seed)
    with torch.no_grad():
        raw = network.train()(torch.randn(2, 3, SIDE, SIDE))[0]
    assert float((raw[..., :4] > 0).float().mean(dim=(0, 1)).min()) > 0.99


@pytest.mark.parametrize(("family", "backbone", "side"), EVERY)
def test_an_artefact_gives_the_same_outputs_to_the_bit(family: str, backbone: str, side: int) -> None:
    network = build(family, backbone, side, box_sizes=np.random.default_rng(0).uniform(10, 90, (90, 2))).eval()
    card = card_of(network, family, backbone)
    torch.manual_seed(9)
    again: Any = models.rebuild(card, {name: item.clone() for name, item in network.state_dict().items()})
    photos = torch.randn(2, 3, side, side)
    with torch.no_grad():
        assert torch.equal(network(photos)[0], again(photos)[0])
    assert again.decode == network.decode
    assert again.preprocess == network.preprocess


@pytest.mark.parametrize(("family", "backbone"), ON_TIMM)
def test_losses_need_no_training_mode_and_change_nothing(family: str, backbone: str) -> None:
    network = build(family, backbone).eval()
    photos, targets = batch()
    before = {name: item.clone() for name, item in network.state_dict().items()}
    with torch.no_grad():
        torch.manual_seed(5)
        first = network.losses(photos, targets)
        torch.manual_seed(5)
        assert all(torch.equal(first[name], value) for name, value in network.losses(photos, targets).items())
        raw = network(photos)[0]
    assert not network.training
    assert all(torch.equal(item, before[name]) for name, item in network.state_dict().items())
    with torch.no_grad():
        assert torch.equal(network(photos)[0], raw)


@pytest.mark.parametrize(("family", "backbone"), ON_TIMM)
def test_photos_without_objects_give_a_finite_loss(family: str, backbone: str) -> None:
    network = build(family, backbone).train()
    photos, targets = batch()
    nothing = PlaceTargets(
        2, targets.photo[:0], targets.boxes[:0], targets.labels[:0], torch.zeros(0, dtype=torch.bool)
    )
    loss = total(network.losses(photos, nothing))
    loss.backward()
    assert bool(loss.isfinite())


def own_answer(network: Any, photos: torch.Tensor, targets: list[Any] | None = None) -> Any:
    """torchvision's own path through the module, its resizing off."""
    side = photos.shape[-1]
    network.network.transform = GeneralizedRCNNTransform(
        side, side, [0.0] * 3, [1.0] * 3, size_divisible=1, fixed_size=(side, side)
    )
    network.network.transform.eval()  # in training it draws a size
    return network.network(list(photos), targets)


@pytest.mark.parametrize(
    ("family", "backbone", "side"), [*((*case, 128) for case in ON_TIMM if case[0] != "ssdlite"), *PUBLISHED]
)
def test_losses_are_those_of_torchvision_to_the_bit(family: str, backbone: str, side: int) -> None:
    network = build(family, backbone, side)
    for module in network.modules():
        module.train(not isinstance(module, torch.nn.BatchNorm2d | torch.nn.Dropout))
    photos, targets = batch(side)
    labels = targets.labels + network.background
    of = [targets.photo == index for index in range(2)]
    photo = [{"boxes": targets.boxes[here], "labels": labels[here], "crowd": torch.zeros(0, 4)} for here in of]
    torch.manual_seed(3)
    ours = network.losses(photos, targets)
    torch.manual_seed(3)
    theirs = own_answer(network, photos, photo)
    assert set(ours) == set(theirs)
    for name, value in theirs.items():
        tolerance = 1e-3 if backbone.startswith("ssdlite320") else 1e-5
        torch.testing.assert_close(ours[name], value, rtol=tolerance, atol=1e-6)


@pytest.mark.parametrize(
    ("family", "backbone", "side"), [*((*case, 128) for case in ON_TIMM if case[0] != "ssdlite"), *PUBLISHED]
)
def test_decoded_boxes_are_those_of_torchvision(
    family: str, backbone: str, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them, nothing suppressed: a new head scores many alike, and any of two equals may stay."""
    network = build(family, backbone, side).eval()
    monkeypatch.setattr(candidates, "TOP_K", 10**6)
    own, decode = network.network, network.decode
    if decode.layout == "boxes":
        own.rpn.nms_thresh, own.rpn._post_nms_top_n["testing"] = 1.0, 10**4
        own.roi_heads.nms_thresh, own.roi_heads.detections_per_img = 1.0, 10**4
        network.decode = decode = dataclasses.replace(decode, nms_iou=1.0, max_detections=10**4)
    else:
        decode = dataclasses.replace(decode, score_floor=1e-6, nms_iou=1.0, max_detections=10**6)
        own.score_thresh, own.nms_thresh, own.topk_candidates, own.detections_per_img = 1e-6, 1.0, 10**6, 10**6
    photos, _ = batch(side)
    with torch.no_grad():
        theirs = own_answer(network, photos)
        (raw,) = network(photos)
    for index, photo in enumerate(theirs):
        ours = candidates.best_boxes(raw[index].numpy(), decode, (side, side))
        wide = (photo["boxes"][:, 2:] > photo["boxes"][:, :2]).all(dim=1)
        columns = [photo["labels"] - network.background, *photo["boxes"].T, photo["scores"]]
        expected = torch.stack([column[wide].double() for column in columns], dim=1).numpy()
        found = np.column_stack([ours.classes, ours.xyxy, ours.scores])
        assert len(found) == len(expected) > 10
        # Three cells in 320 pixels are 106.67 apart for torchvision, and 107 for us.
        tolerance = 1.5 if backbone.startswith("ssdlite320") else 0.05
        assert nearest(found, expected) < tolerance
        assert nearest(expected, found) < tolerance


def nearest(rows: np.ndarray, others: np.ndarray) -> float:
    """Return how far the loneliest row is from the nearest other one; a score counts a hundredfold, a class too."""
    weights = np.array([100.0, 1, 1, 1, 1, 100])
    distances, _ = cKDTree(others * weights).query(rows * weights)
    return float(distances.max())


@pytest.mark.parametrize(("family", "backbone"), ON_TIMM)
def test_what_is_found_in_a_crowd_is_not_held_against_it(family: str, backbone: str) -> None:
    network = build(family, backbone).eval()
    photos, targets = batch(crowd=True)
    everywhere = PlaceTargets(
        1,
        torch.tensor([0]),
        torch.tensor([[-1e3, -1e3, 1e3, 1e3]]),
        torch.tensor([0]),
        torch.tensor([True]),
    )
    nowhere = PlaceTargets(
        1, targets.photo[:0], targets.boxes[:0], targets.labels[:0], torch.zeros(0, dtype=torch.bool)
    )
    torch.manual_seed(0)
    with torch.no_grad():
        ignored = {name: float(value) for name, value in network.losses(photos[1:], everywhere).items()}
        held = {name: float(value) for name, value in network.losses(photos[1:], nowhere).items()}
    names = [name for name in held if "class" in name or "objectness" in name]
    for name in names:
        # SSD learns nothing from photos without objects anyway; an empty choice of regions has no mean.
        assert ignored[name] < 1e-3 * max(held[name], 1) or np.isnan(ignored[name])


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize(
    ("family", "backbone"), [("ssdlite", TIMM), ("fasterrcnn", "fasterrcnn_mobilenet_v3_large_320_fpn")]
)
def test_grey_photos_and_alpha(family: str, backbone: str, channels: int) -> None:
    network = build(family, backbone, channels=channels).eval()
    with torch.no_grad():
        assert network(torch.randn(1, channels, SIDE, SIDE))[0].isfinite().all()


@pytest.mark.parametrize("backbone", ["test_vit", "test_convnext", "resnet10t", "test_resnet"])
def test_any_timm_network_gives_the_maps(backbone: str) -> None:
    side = 160
    network = build("ssdlite", backbone, side).eval()
    with torch.no_grad():
        raw = network(torch.randn(1, 3, side, side))[0]
    assert raw.shape == (1, 2 * (20 * 20 + 10 * 10 + 5 * 5), 4 + len(CLASSES))


@pytest.mark.parametrize(("width", "height"), [(300, 300), (320, 192), (100, 228)])
def test_other_sizes_fit_or_are_refused(width: int, height: int) -> None:
    inputs = InputConfig(size=(width, height))
    config = ModelConfig(backbone="mobilenetv3_small_050", weights="none", input=inputs)
    network: Any = models.build_places(config, models.PlaceRequest("detect", CLASSES))
    with torch.no_grad():
        raw = network.eval()(torch.zeros(1, 3, height, width))[0]
    assert raw.shape[1] == n_places(network.decode.levels, (width, height))


def test_a_size_that_does_not_fit_is_refused_with_one_that_does() -> None:
    with pytest.raises(UsageError, match="300 x 300") as caught:
        build("ssdlite", "test_convnext", 300)
    assert "288 x 288" in str(caught.value.hint)
    with pytest.raises(UsageError, match="512 x 512"):
        build("ssd", "ssd300_vgg16", 512)


def test_a_family_does_its_own_tasks_only() -> None:
    with pytest.raises(UsageError, match="'timm' does not do the task 'detect'") as caught:
        build("timm", TIMM)
    assert "ssdlite" in str(caught.value.hint)
    with pytest.raises(UsageError, match="'ssdlite' does not do the task 'classify'"):
        models.build(ModelConfig(family="ssdlite", weights="none"), 3)


def test_the_default_needs_no_network() -> None:
    network: Any = models.build_places(ModelConfig(), models.PlaceRequest("detect", CLASSES), offline=True)
    assert network.licence == "Apache-2.0"
    assert network.preprocess.size_px == (320, 320)
    assert [level.stride_px for level in network.decode.levels] == [8, 16, 32]


@pytest.mark.parametrize("size_px", [(96, 96), (160, 128)])
def test_a_batch_of_another_size_has_losses_of_its_own(size_px: tuple[int, int]) -> None:
    config = ModelConfig(backbone="mobilenetv3_small_050", weights="none", input=InputConfig(size=(128, 128)))
    network: Any = models.build_places(config, models.PlaceRequest("detect", CLASSES))
    width, height = size_px
    box = torch.tensor([[8.0, 8.0, 56.0, 72.0]])
    one = torch.zeros(1, dtype=torch.int64)
    targets = PlaceTargets(1, one, box, one, torch.zeros(1, dtype=torch.bool))
    found = network.losses(torch.zeros(1, 3, height, width), targets)
    assert all(bool(torch.isfinite(part)) for part in found.values())


def test_classes_whose_features_were_pressed_down_still_learn() -> None:
    network = build("ssdlite", TIMM).train()
    norms = [branch.tower[-1][-1][1] for branch in network.head.classes]
    for norm in norms:
        assert isinstance(norm, torch.nn.BatchNorm2d)
        torch.nn.init.constant_(norm.bias, -50.0)
    photos, targets = batch()
    network.losses(photos, targets)["class"].backward()
    assert all(norm.weight.grad.abs().max() > 0 for norm in norms)


def test_artefacts_of_before_the_leak_keep_their_activation() -> None:
    torch.manual_seed(0)
    built = build("ssdlite", TIMM).eval()
    card, state = card_of(built, "ssdlite", TIMM), built.state_dict()
    assert card.model["leak"] == 0.1
    before = dataclasses.replace(card, model={key: value for key, value in card.model.items() if key != "leak"})
    rebuilt = models.rebuild(before, state)
    kinds = {type(each) for each in rebuilt.head.modules() if isinstance(each, torch.nn.ReLU6 | torch.nn.LeakyReLU)}
    assert kinds == {torch.nn.ReLU6}
    kept = {type(each) for each in models.rebuild(card, state).head.classes.modules()}
    assert torch.nn.LeakyReLU in kept
