from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
import torch
from torch import nn

from vision_cli import models
from vision_cli.core import artefact
from vision_cli.core.config import InputConfig, ModelConfig
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError, MissingPartError, UsageError
from vision_cli.models import defaults

SMALL = [
    ("timm", "test_resnet", 64),
    ("timm", "test_vit", 160),
    ("timm", "test_convnext", 64),
    ("timm", "mobilenetv3_small_050", 64),
    ("torchvision", "squeezenet1_1", 64),
    ("torchvision", "mobilenet_v3_small", 64),
    ("torchvision", "shufflenet_v2_x0_5", 64),
    ("torchvision", "mnasnet0_5", 64),
    ("torchvision", "regnet_y_400mf", 64),
    ("torchvision", "resnet18", 64),
    ("features", "test_resnet", 64),
    ("features", "torchvision/shufflenet_v2_x0_5", 64),
]
LARGE = [
    ("torchvision", "alexnet", 64),
    ("torchvision", "googlenet", 64),
    ("torchvision", "inception_v3", 96),
    ("torchvision", "densenet121", 64),
    ("torchvision", "efficientnet_b0", 64),
    ("torchvision", "vit_b_32", 64),
    ("torchvision", "swin_t", 64),
    ("torchvision", "swin_v2_t", 64),
    ("torchvision", "convnext_tiny", 64),
    ("torchvision", "vgg11_bn", 64),
    ("torchvision", "maxvit_t", 224),
]
EVERY = [*SMALL, *(pytest.param(*case, marks=pytest.mark.slow) for case in LARGE)]


def build(family: str, backbone: str, side: int, channels: int = 3) -> Any:
    torch.manual_seed(0)
    inputs = InputConfig(size=(side, side), channels=channels)
    return models.build(ModelConfig(family=family, backbone=backbone, weights="none", input=inputs), 4).eval()


def card(config: ModelConfig, network: Any) -> artefact.Card:
    config = defaults.resolved(config, "classify")
    return artefact.Card(
        task="classify",
        classes=ClassMap(("a", "b", "c", "d")),
        preprocess=network.preprocess,
        decode=artefact.Decode(),
        family=config.family,
        model=models.options(config, network),
        licence=network.licence,
        name="test",
        created="2026-01-01T00:00:00Z",
    )


def test_every_card_names_a_family() -> None:
    for name in models.FAMILIES:
        module = models.FAMILIES.load(name)
        whole_photos = name in models.families_for("classify")
        assert {"build" if whole_photos else "build_places", "rebuild", "names"} <= set(dir(module))
        assert models.FAMILIES.card(name).extra == ("yolo" if name.startswith("yolo") else "train")
        assert len(models.names(name)) >= (50 if whole_photos else 1)


def test_the_table_imports_no_torch() -> None:
    code = (
        "import sys, vision_cli.models as m; list(m.FAMILIES); print({'torch', 'timm', 'sklearn'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


@pytest.mark.parametrize(("family", "backbone", "side"), EVERY)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_network_keeps_the_contract(family: str, backbone: str, side: int, channels: int) -> None:
    network = build(family, backbone, side, channels)
    photos = torch.rand(2, channels, side, side)
    with torch.no_grad():
        embedding = network.backbone(photos)
        assert embedding.shape == (2, network.n_features)
        assert torch.equal(network(photos), network.head(embedding))
    assert network(photos).shape == (2, 4)
    assert network.preprocess.size_px == (side, side)
    assert network.preprocess.channels == channels
    covered = Counter(id(item) for stage in network.stages for module in stage for item in module.parameters())
    assert covered == Counter(id(item) for item in network.backbone.parameters())
    assert len(network.stages) >= 4


@pytest.mark.parametrize(("family", "backbone", "side"), EVERY)
def test_an_artefact_gives_the_same_outputs_to_the_bit(family: str, backbone: str, side: int) -> None:
    network = build(family, backbone, side)
    config = ModelConfig(family=family, backbone=backbone, weights="none")
    document = artefact.Card.from_json(card(config, network).as_json(), where="here")
    torch.manual_seed(99)
    again = models.rebuild(document, {name: item.clone() for name, item in network.state_dict().items()})
    photos = torch.rand(2, 3, side, side)
    with torch.no_grad():
        assert torch.equal(network(photos), again(photos))
    assert again.preprocess == network.preprocess
    assert again.licence == network.licence


@pytest.mark.parametrize(("family", "backbone"), [("timm", "test_vit"), ("torchvision", "shufflenet_v2_x0_5")])
def test_a_network_learns_in_training_mode(family: str, backbone: str) -> None:
    network = build(family, backbone, 160).train()
    network(torch.rand(2, 3, 160, 160)).square().sum().backward()
    assert all(item.grad is not None for item in network.parameters())


def test_the_stages_run_from_input_to_output() -> None:
    network = build("timm", "test_resnet", 64)
    first = network.stages[0][0]
    assert next(first.parameters()) is next(network.backbone.parameters())
    for parameter in [item for module in network.stages[0] for item in module.parameters()]:
        parameter.requires_grad_(False)
    frozen = {name for name, item in network.backbone.named_parameters() if not item.requires_grad}
    assert frozen
    assert all(name.startswith(("conv1", "bn1")) for name in frozen)


def test_a_rectangle_is_width_by_height() -> None:
    inputs = InputConfig(size=(96, 64))
    network = models.build(ModelConfig(backbone="test_vit", weights="none", input=InputConfig(size=(96, 64))), 2)
    assert network.preprocess.size_px == inputs.size
    assert network.eval()(torch.rand(1, 3, 64, 96)).shape == (1, 2)


@pytest.mark.parametrize(
    ("family", "backbone", "hint"),
    [
        ("timm", "resnet51", "Did you mean 'resnet5"),
        ("timm", "hf-hub:someone/model", "vision models list timm"),
        ("timm", "local-dir:/tmp", "vision models list timm"),
        ("timm", "resnet50.no_such_tag", "a1_in1k"),
        ("torchvision", "alexnett", "Did you mean 'alexnet'?"),
        ("torchvision", "ResNet18", "resnet18"),
        ("features", "torchvision/alexnett", "Did you mean 'alexnet'?"),
    ],
)
def test_an_unknown_backbone_is_refused_with_a_guess(family: str, backbone: str, hint: str) -> None:
    with pytest.raises(UsageError, match="has no") as caught:
        build(family, backbone, 64)
    assert hint in (caught.value.hint or "")


def test_an_unknown_family_is_refused_with_a_guess() -> None:
    with pytest.raises(UsageError, match="unknown model family 'torchvison'") as caught:
        build("torchvison", "alexnet", 64)
    assert caught.value.hint == "Did you mean 'torchvision'? `vision models list` lists all."


@pytest.mark.parametrize(
    ("family", "backbone", "size"),
    [
        ("torchvision", "alexnet", (32, 32)),
        ("torchvision", "vit_b_32", (65, 65)),
        ("torchvision", "vit_b_32", (64, 96)),
        ("torchvision", "inception_v3", (64, 64)),
    ],
)
def test_a_size_that_does_not_fit_is_refused(family: str, backbone: str, size: tuple[int, int]) -> None:
    config = ModelConfig(family=family, backbone=backbone, weights="none", input=InputConfig(size=size))
    with pytest.raises(UsageError, match=r"model\.input\.size"):
        models.build(config, 2)


def test_a_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vision_cli.core.catalogue.importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingPartError) as caught:
        build("timm", "test_resnet", 64)
    assert caught.value.hint == "pip install 'vision-cli[train]'"


def test_tensors_that_do_not_fit_the_card_are_refused() -> None:
    network = build("timm", "test_resnet", 64)
    config = ModelConfig(backbone="test_resnet", weights="none")
    state = dict(network.state_dict())
    removed = state.pop("backbone.conv1.0.weight")
    with pytest.raises(DataError, match="do not fit the model card") as caught:
        models.rebuild(card(config, network), state)
    assert any("conv1.0.weight" in line for line in caught.value.details)
    with pytest.raises(DataError, match="do not fit the model card"):
        models.rebuild(card(config, network), {**state, "backbone.conv1.0.weight": removed[:1]})


@pytest.mark.parametrize("gone", ["backbone", "n_outputs", "dropout"])
def test_a_card_without_an_option_is_refused(gone: str) -> None:
    network = build("timm", "test_resnet", 64)
    document = card(ModelConfig(backbone="test_resnet", weights="none"), network).as_json()
    del document["model"][gone]
    with pytest.raises(DataError, match="model card"):
        models.rebuild(artefact.Card.from_json(document, where="here"), network.state_dict())


def test_a_new_head_starts_near_zero() -> None:
    head = build("timm", "test_resnet", 64).head
    assert isinstance(head[1], nn.Linear)
    assert float(head[1].weight.detach().abs().max()) < 0.06
    assert float(head[1].bias.detach().abs().max()) == 0


def test_inception_and_googlenet_get_their_own_normalisation_and_size() -> None:
    from vision_cli.models.torchvision import trunk

    found = trunk("googlenet", InputConfig())
    assert found.preprocess.mean == (0.5, 0.5, 0.5)
    assert found.module.transform_input is False


@pytest.mark.slow
def test_the_half_normalisation_is_what_torchvision_computes_itself() -> None:
    """`transform_input` on ImageNet-normalised photos equals photos normalised to 0.5."""
    import torchvision

    from vision_cli.core.preprocess import IMAGENET_MEAN, IMAGENET_STD

    theirs = torchvision.models.googlenet(weights=None, transform_input=True, init_weights=False)
    photo = torch.rand(1, 3, 32, 32)
    mean, std = torch.tensor(IMAGENET_MEAN).view(3, 1, 1), torch.tensor(IMAGENET_STD).view(3, 1, 1)
    assert torch.allclose(theirs._transform_input((photo - mean) / std), (photo - 0.5) / 0.5, atol=1e-6)
