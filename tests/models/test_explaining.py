"""Maps of evidence, held to closed forms, finite differences, a slow reference and, where there is one, a peer."""

from __future__ import annotations

import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn
from torch.nn import functional

from vision_cli import models
from vision_cli.core.config import ModelConfig
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import UsageError
from vision_cli.imaging import prepare
from vision_cli.models.explaining import CAM, GRADCAM, HIRESCAM, METHODS, SCORECAM, cam, gradients, scores, spots
from vision_cli.models.explaining.question import Question
from vision_cli.models.feature_head import FeatureHead
from vision_cli.models.network import GroupedHead
from vision_cli.models.places.request import PlaceRequest

SIZE_PX = 64


def network(backbone: str = "test_resnet", outputs: int = 4, size: int | None = SIZE_PX) -> Any:
    """A network by chance whose head says something."""
    torch.manual_seed(0)
    given: dict[str, Any] = {"family": "timm", "backbone": backbone, "weights": "none", "dropout": 0.1}
    config = ModelConfig.model_validate({**given, **({} if size is None else {"input": {"size": size}})})
    built: Any = models.build(config, outputs, offline=True)
    nn.init.normal_(built.head[1].weight)
    return built.eval()


def photo_for(built: Any, seed: int = 1) -> Tensor:
    width, height = built.preprocess.size_px
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(1, 3, height, width)).astype(np.float32))


def question(built: Any, column: int = 2, layer: str | None = None, **more: Any) -> Question:
    photo = photo_for(built)
    known = spots.spots(built, photo)
    spot = spots.find(known, layer) if layer else spots.last(known)
    return Question(photo, spot, scores.OfClass(built, column), **more)


def heat(method: str, asked: Question) -> np.ndarray[Any, Any]:
    found: np.ndarray[Any, Any] = METHODS.load(method).heat(asked)
    return found


def activation(built: Any, module: nn.Module, photo: Tensor) -> Tensor:
    """What a module gives, read by a plain hook."""
    seen: list[Tensor] = []
    handle = module.register_forward_hook(lambda _m, _i, output: seen.append(output.clone()))
    with torch.no_grad():
        built(photo)
    handle.remove()
    return seen[0]


def test_of_a_mean_and_a_linear_map_gradcam_is_cam_in_closed_form() -> None:
    built = network()
    asked = question(built)
    maps = activation(built, asked.spot.module, asked.photo)[0].double().numpy()
    weights = built.head[1].weight[2].detach().double().numpy()
    by_hand = np.einsum("k,khw->hw", weights, maps)
    assert heat(CAM, asked) == pytest.approx(np.maximum(by_hand, 0), rel=1e-4, abs=1e-5)
    places = by_hand.size
    assert heat(GRADCAM, asked) == pytest.approx(np.maximum(by_hand, 0) / places, rel=1e-4, abs=1e-6)
    assert heat(HIRESCAM, asked) == pytest.approx(np.maximum(by_hand, 0) / places, rel=1e-4, abs=1e-6)
    with torch.no_grad():
        score = float(built(asked.photo)[0, 2])
    shares = cam.shares(asked)
    assert shares is not None
    assert float(shares.mean()) + built.head[1].bias[2].item() == pytest.approx(score, abs=1e-4)


def test_gradients_are_those_of_finite_differences_at_an_inner_layer() -> None:
    built = network()
    asked = question(built, layer="layer2")
    built.double()
    asked = Question(asked.photo.double(), asked.spot, asked.score)
    maps = activation(built, asked.spot.module, asked.photo)

    def moved(change: Tensor) -> float:
        handle = asked.spot.module.register_forward_hook(lambda _m, _i, output: output + change)
        try:
            with torch.no_grad():
                return float(built(asked.photo)[0, 2])
        finally:
            handle.remove()

    step = 1e-6
    sums = np.zeros(maps.shape[1])
    for channel in range(maps.shape[1]):
        change = torch.zeros_like(maps)
        change[0, channel] = step
        sums[channel] = (moved(change) - moved(-change)) / (2 * step)
    weights = sums / (maps.shape[2] * maps.shape[3])
    expected = np.maximum(np.einsum("k,khw->hw", weights, maps[0].numpy()), 0)
    assert expected.max() > 0
    assert heat(GRADCAM, asked) == pytest.approx(expected, rel=1e-3, abs=expected.max() * 1e-3)
    slope = gradients.of(asked)[0][1]
    for channel, row, column in ((0, 0, 0), (3, 1, 2), (5, 2, 1)):
        change = torch.zeros_like(maps)
        change[0, channel, row, column] = step
        found = (moved(change) - moved(-change)) / (2 * step)
        assert float(slope[0, channel, row, column]) == pytest.approx(found, rel=1e-3, abs=1e-6)


def slow_scorecam(built: Any, asked: Question, column: int, channels: list[int]) -> np.ndarray[Any, Any]:
    """Algorithm 1 of the paper, a channel at a time."""
    maps = activation(built, asked.spot.module, asked.photo)[0][channels]
    size = asked.photo.shape[2:]
    with torch.no_grad():
        empty = float(built(torch.zeros_like(asked.photo))[0, column])
        gains = []
        for each in maps:
            large = functional.interpolate(each[None, None], size=size, mode="bilinear", align_corners=False)[0, 0]
            mask = (large - large.min()) / (large.max() - large.min())
            gains.append(float(built(asked.photo * mask)[0, column]) - empty)
    powers = np.exp(np.array(gains) - max(gains))
    return np.maximum(np.einsum("k,khw->hw", powers / powers.sum(), maps.numpy()), 0)


def test_scorecam_is_the_paper_s_algorithm() -> None:
    built = network()
    asked = question(built, layer="layer3")
    maps = activation(built, asked.spot.module, asked.photo)[0].flatten(1).numpy()
    alive = np.flatnonzero(np.ptp(maps, axis=1) > 0).tolist()  # a channel that is the same everywhere is no mask
    assert 2 < len(alive) < asked.spot.channels
    expected = slow_scorecam(built, asked, 2, alive)
    assert heat(SCORECAM, asked) == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_scorecam_of_some_channels_takes_those_that_vary_most_and_tells_how_far_it_is() -> None:
    built = network()
    asked = question(built, layer="layer3", channels=3)
    maps = activation(built, asked.spot.module, asked.photo)[0].numpy()
    best = sorted(np.argsort(-maps.reshape(len(maps), -1).std(axis=1))[:3].tolist())
    told: list[tuple[int, int]] = []
    found = METHODS.load(SCORECAM).heat(asked, lambda done, total: told.append((done, total)))
    assert told[-1] == (3, 3)
    assert found == pytest.approx(slow_scorecam(built, asked, 2, best), rel=1e-4, abs=1e-5)


def test_a_peer_gives_the_same_maps() -> None:
    peer = pytest.importorskip("pytorch_grad_cam")
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    built = network()
    for layer in ("layer2", "layer3"):
        asked = question(built, layer=layer)
        for method, kind in ((GRADCAM, peer.GradCAM), (HIRESCAM, peer.HiResCAM), (SCORECAM, peer.ScoreCAM)):
            with kind(model=built, target_layers=[asked.spot.module]) as other:
                other.batch_size = 8
                expected = other(input_tensor=asked.photo, targets=[ClassifierOutputTarget(2)])[0]
            found = torch.from_numpy(heat(method, asked))[None, None]
            large = functional.interpolate(found, size=expected.shape, mode="bilinear", align_corners=False)[0, 0]
            scaled = (large - large.min()) / (large.max() - large.min()).clamp(min=1e-12)
            assert spearmanr(scaled.flatten(), expected.ravel()).statistic > 0.98, (method, layer)


def test_captum_gives_the_same_map() -> None:
    attr = pytest.importorskip("captum.attr")
    built = network()
    asked = question(built, layer="layer3")
    expected = attr.LayerGradCam(built, asked.spot.module).attribute(asked.photo, target=2, relu_attributions=True)
    assert heat(GRADCAM, asked) == pytest.approx(expected[0, 0].detach().numpy(), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("backbone", ["test_vit", "test_convnext", "test_efficientnet"])
def test_transformers_and_others_have_a_map_too(backbone: str) -> None:
    built = network(backbone, size=None)
    asked = question(built)
    found = heat(GRADCAM, asked)
    assert found.shape == asked.spot.size
    assert found.size > 1
    assert found.max() > 0
    if backbone == "test_vit":
        assert asked.spot.tokens
        assert asked.spot.name.endswith("norm1")


def test_channels_last_and_tokens_are_laid_out_as_they_lie() -> None:
    maps = torch.arange(2 * 3 * 4, dtype=torch.float32).reshape(1, 2, 3, 4)  # 3 rows of 4 places
    assert torch.equal(spots.as_maps(maps, (48, 64)), maps)  # type: ignore[arg-type]
    assert torch.equal(spots.as_maps(maps.permute(0, 2, 3, 1), (48, 64)), maps)  # type: ignore[arg-type]
    tokens = torch.cat([torch.full((1, 1, 2), -1.0), maps.flatten(2).transpose(1, 2)], dim=1)
    assert torch.equal(spots.as_maps(tokens, (48, 64)), maps)  # type: ignore[arg-type]
    assert spots.as_maps(torch.zeros(1, 8, 1, 1), (48, 64)) is None
    assert spots.as_maps(torch.zeros(1, 8), (48, 64)) is None


HEADS = {
    "none": None,
    "softmax": None,
    "one-vs-rest": None,
    "vote-share": 5,
    "vote-mean": 5,
}


@pytest.mark.parametrize("link", HEADS)
def test_the_direction_of_a_feature_head_gives_its_decision(link: Any) -> None:
    built = network()
    rng = np.random.default_rng(0)
    rows = 12 if link.startswith("vote") else 4
    weight = torch.from_numpy(rng.normal(size=(rows, built.n_features)).astype(np.float32))
    bias = torch.from_numpy(rng.normal(size=rows).astype(np.float32))
    votes = torch.from_numpy(np.eye(4, dtype=np.float32)[rng.integers(0, 4, rows)]) if link == "vote-share" else None
    votes = torch.ones(rows, 1) if link == "vote-mean" else votes
    built.head = FeatureHead(weight, bias, link=link, votes=votes, neighbours=HEADS[link] or 0)
    column = 0 if link == "vote-mean" else 2
    asked = question(built, column)
    score: Any = asked.score
    with torch.no_grad():
        embedding = built.backbone(asked.photo)
        direction = score.direction(embedding)
        raw = built(asked.photo)[0]
        said = float(score(asked.photo)[0])
    unit = (embedding[0] / embedding[0].norm()).numpy()
    by_hand = weight.numpy() @ unit + bias.numpy()
    if link == "vote-share":
        voters = [at for at in range(rows) if votes is not None and votes[at, column] > 0]
        expected = np.sort(by_hand[voters])[::-1][:5].mean()
    elif link == "vote-mean":
        expected = np.sort(by_hand)[::-1][:5].mean()
    else:
        expected = by_hand[column]
        order = np.argsort(by_hand) if link != "none" else np.argsort(raw.numpy())
        assert order.tolist() == np.argsort(raw.numpy()).tolist()  # of the same order as the raw outputs
    assert said == pytest.approx(expected, abs=1e-4)
    shares = cam.shares(asked)
    assert shares is not None
    assert float(shares.mean()) == pytest.approx(float(direction @ embedding[0]), abs=1e-4)


def test_cam_is_refused_where_it_is_not_exact() -> None:
    built = network()
    with pytest.raises(UsageError, match="not a linear map"):
        heat(CAM, question(built, layer="layer2"))
    built.head = nn.Sequential(nn.Linear(built.n_features, 8), nn.ReLU(), nn.Linear(8, 4))
    assert cam.shares(question(built)) is None


def test_a_layer_that_has_no_part_in_a_score_is_named() -> None:
    built = network()
    asked = question(built)
    fixed = SimpleNamespace(value=torch.ones(1))
    with pytest.raises(UsageError, match="'layer4' has no part"):
        heat(GRADCAM, Question(asked.photo, asked.spot, lambda _batch: fixed.value))


def test_unknown_layers_are_guessed() -> None:
    with pytest.raises(UsageError, match="no layer 'layer33'") as caught:
        question(network(), layer="layer33")
    assert "Did you mean 'layer3'?" in str(caught.value.hint)
    assert any(line.startswith("layer3: ") for line in caught.value.details)


def test_grouped_classes_have_the_sum_of_their_probabilities() -> None:
    rng = np.random.default_rng(0)
    weight = torch.from_numpy(rng.normal(size=(6, 5)).astype(np.float32))
    groups = ((0, 3), (1,), (2, 4, 5))
    head = GroupedHead(weight, torch.zeros(6), groups)
    embedding = torch.from_numpy(rng.normal(size=(3, 5)).astype(np.float32))
    shares = (embedding @ weight.T).softmax(dim=1)
    expected = torch.stack([shares[:, list(group)].sum(dim=1) for group in groups], dim=1)
    assert torch.allclose(head(embedding).softmax(dim=1), expected, atol=1e-6)


def detector(family: str, size: int = 96) -> Any:
    torch.manual_seed(0)
    settings = {"family": family, "backbone": "test_resnet", "weights": "none", "input": {"size": size}}
    config = ModelConfig.model_validate(settings)
    request = PlaceRequest(
        "instance" if family == "maskrcnn" else "detect",
        ClassMap(("a", "b", "c")),
        np.random.default_rng(0).uniform(10, 60, (50, 2)),
    )
    built: Any = models.build_places(config, request, offline=True)
    return built.eval()


@pytest.mark.parametrize("family", ["fasterrcnn", "maskrcnn"])
def test_the_region_of_a_box_gives_the_box_s_score(family: str) -> None:
    built = detector(family)
    nn.init.normal_(built.network.roi_heads.box_predictor.cls_score.weight, std=0.3)
    photo = photo_for(built)
    outputs, regions, shares = scores.proposals(built, photo)
    rows = outputs[0][0]
    assert int((rows[:, 5] >= 0).sum()) > 3
    known = spots.spots(built, photo)
    for row in rows[:4]:
        column = int(row[5]) + 1
        region = scores.region_of(regions, shares, column, float(row[4]))
        at = int((regions == region).all(dim=1).nonzero()[0])
        assert float(shares[at, column]) == pytest.approx(float(row[4]), abs=1e-5)
        score = scores.OfProposal(built, region, column)
        with torch.no_grad():
            logits = [float(scores.OfProposal(built, region, each)(photo)[0]) for each in range(4)]
        assert np.exp(logits[column]) / np.exp(logits).sum() == pytest.approx(float(row[4]), abs=1e-4)
        assert heat(HIRESCAM, Question(photo, spots.last(known), score)).shape == spots.last(known).size


def test_a_dense_detector_s_map_is_taken_where_a_stage_ends() -> None:
    built = detector("ssdlite")
    known = spots.spots(built, photo_for(built))
    for stride in (8, 16, 32):
        spot = spots.last(known, stride)
        assert spot.stride == stride
        taken = built.backbone(photo_for(built))[{8: 0, 16: 1, 32: 2}[stride]]
        assert torch.equal(activation(built, spot.module, photo_for(built)), taken)


def rank_correlation(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    if min(np.ptp(one), np.ptp(other)) == 0:  # a map without any evidence has nothing in common with another
        return 0.0
    return float(spearmanr(one.ravel(), other.ravel()).statistic)


def similar(first: Any, second: Any, photo: Tensor, method: str) -> float:
    """How alike the maps of two sets of weights are; J. Adebayo et al. 2018, Sanity checks for saliency maps."""
    ends = [spots.last(spots.spots(each, photo)) for each in (first, second)]
    scored = [scores.OfClass(each, MUG) for each in (first, second)]
    asked = [Question(photo, spot, score) for spot, score in zip(ends, scored, strict=True)]
    return rank_correlation(*(heat(method, each) for each in asked))


MUG = 504
"""'coffee mug' of ImageNet."""


@pytest.fixture(scope="module")
def lite0() -> tuple[Any, Tensor]:
    """EfficientNet-Lite0 with ImageNet's classes, and a drawn photo of a mug as it sees it."""
    from vision_cli.models.lite0 import weights

    if weights.wheel_file() is None:
        pytest.skip("needs the weights of EfficientNet-Lite0")
    config = ModelConfig(family="timm", backbone="tf_efficientnet_lite0", weights="imagenet")
    built: Any = models.build(config, 1, offline=True)
    values = weights.tensors()
    built.head = GroupedHead(*(torch.from_numpy(values[f"_fc.{part}"].copy()) for part in ("weight", "bias")))
    path = Path(__file__).parents[2] / "sample_data" / "scenes" / "mug.jpg"
    return built.eval(), torch.from_numpy(prepare.load(path, built.preprocess)[None])


def by_chance(built: Any, seed: int, *, parts: str = "") -> Any:
    """A copy whose weights below some names are drawn anew."""
    other = copy.deepcopy(built)
    torch.manual_seed(seed)
    for name, module in other.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear) and name.startswith(parts):
            nn.init.normal_(module.weight, std=module.weight.std().item())
    return other


@pytest.mark.parametrize("method", [GRADCAM, CAM])
def test_maps_of_weights_by_chance_are_others(lite0: tuple[Any, Tensor], method: str) -> None:
    built, photo = lite0
    assert similar(built, built, photo, method) == pytest.approx(1)
    head = [similar(built, by_chance(built, seed, parts="head"), photo, method) for seed in range(6)]
    whole = [similar(built, by_chance(built, seed), photo, method) for seed in range(4)]
    assert abs(np.mean(head)) < 0.5, head
    assert abs(np.mean(whole)) < 0.5, whole


def test_the_sanity_check_catches_a_map_that_asks_no_weights(
    lite0: tuple[Any, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    def edges(asked: Question, tell: Any = None) -> np.ndarray[Any, Any]:
        grey = asked.photo[0].mean(dim=0)
        steps = grey.diff(dim=0)[:, 1:].abs() + grey.diff(dim=1)[1:].abs()
        return functional.adaptive_avg_pool2d(steps[None], asked.spot.size)[0].numpy()

    built, photo = lite0
    monkeypatch.setattr(METHODS.load(GRADCAM), "heat", edges)
    assert similar(built, by_chance(built, 0), photo, GRADCAM) == pytest.approx(1)


@pytest.mark.parametrize("method", [GRADCAM, HIRESCAM])
def test_the_most_evidence_for_a_mug_lies_in_the_mug(lite0: tuple[Any, Tensor], method: str) -> None:
    built, photo = lite0
    known = spots.spots(built, photo)
    found = heat(method, Question(photo, spots.last(known), scores.OfClass(built, MUG)))
    row, column = np.unravel_index(int(found.argmax()), found.shape)
    # The mug with its handle is in the middle of the drawn photo, 195 x 205 of the 420 pixels that the network sees.
    assert 2 <= row <= 4
    assert 2 <= column <= 4
