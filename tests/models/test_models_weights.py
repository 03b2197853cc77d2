from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from PIL import Image

from vision_cli import models
from vision_cli.core.config import InputConfig, ModelConfig
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError, MissingPartError, UsageError
from vision_cli.models import checkpoint, weights
from vision_cli.models.places.request import PlaceRequest
from vision_cli.models.timm import trunk as timm_trunk
from vision_cli.models.torchvision import trunk as torchvision_trunk

STEM = "conv1.0.weight"


class Bomb:
    """A pickle that writes a file when it is opened with Python's own rules."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return (Path.touch, (self.trace,))


@pytest.fixture(scope="module")
def trained() -> dict[str, torch.Tensor]:
    """The tensors of a whole test_resnet with a classifier of seven classes."""
    import timm

    torch.manual_seed(5)
    return timm.create_model("test_resnet", num_classes=7).state_dict()


def load(path: Path, heard: Any, **choices: Any) -> Any:
    return models.build(ModelConfig(backbone="test_resnet", weights=str(path), **choices), 2, progress=heard)


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors", "w.bin"])
def test_a_file_of_tensors_is_loaded_and_its_classifier_dropped(
    name: str, trained: dict[str, torch.Tensor], tmp_path: Path, heard: Any
) -> None:
    path = tmp_path / name
    if name.endswith("safetensors"):
        safetensors.torch.save_file(trained, path)
    else:
        torch.save(trained, path)
    network = load(path, heard)
    for key, tensor in network.backbone.state_dict().items():
        assert torch.equal(tensor, trained[key])
    assert "fc.bias, fc.weight" in heard.said[0]
    assert network.licence == "NOASSERTION"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model": {f"module.{name}": item for name, item in state.items()}},
        lambda state: {f"module.model.{name}": item for name, item in state.items()},
        lambda state: (
            {f"backbone.{name}": item for name, item in state.items() if "fc" not in name}
            | {"head.1.weight": torch.zeros(2, 96)}
        ),
        lambda state: {name: item for name, item in state.items() if "num_batches" not in name},
    ],
    ids=["container", "parallel", "nested", "ours", "before torch 0.4.1"],
)
def test_what_people_wrap_around_tensors_is_taken_off(
    wrap: Any, trained: dict[str, torch.Tensor], tmp_path: Path, heard: Any
) -> None:
    torch.save(wrap(trained), tmp_path / "w.pt")
    assert torch.equal(load(tmp_path / "w.pt", heard).backbone.state_dict()[STEM], trained[STEM])


def test_an_artefacts_own_weights_can_be_started_from(tmp_path: Path, heard: Any) -> None:
    before = models.build(ModelConfig(backbone="test_resnet", weights="none"), 5)
    safetensors.torch.save_file(before.state_dict(), tmp_path / "weights.safetensors")
    after = load(tmp_path / "weights.safetensors", heard)
    assert torch.equal(after.backbone.state_dict()[STEM], before.backbone.state_dict()[STEM])
    assert "head.1" in heard.said[0]


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pickle_that_runs_code_is_refused_and_never_runs(legacy: bool, tmp_path: Path, heard: Any) -> None:
    trace, path = tmp_path / "ran", tmp_path / "w.pth"
    torch.save({"a": torch.zeros(1), "b": Bomb(trace)}, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(DataError, match="would run code") as caught:
        load(path, heard)
    assert caught.value.exit_code == 3
    assert not trace.exists()


def test_a_plain_pickle_bomb_never_runs(tmp_path: Path, heard: Any) -> None:
    trace, path = tmp_path / "ran", tmp_path / "w.pth"
    path.write_bytes(pickle.dumps(Bomb(trace)))
    with pytest.raises(DataError):
        load(path, heard)
    assert not trace.exists()


def test_a_pickled_network_is_refused(tmp_path: Path, heard: Any) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "w.pt")
    with pytest.raises(DataError, match="holds more than tensors"):
        load(tmp_path / "w.pt", heard)


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_truncated_file_is_refused(
    suffix: str, share: float, trained: dict[str, torch.Tensor], tmp_path: Path, heard: Any
) -> None:
    path = tmp_path / f"w.{suffix}"
    (safetensors.torch.save_file if suffix == "safetensors" else torch.save)(trained, path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(DataError, match="truncated") as caught:
        load(path, heard)
    assert str(path) in caught.value.message


def test_a_truncated_legacy_file_is_refused(trained: dict[str, torch.Tensor], tmp_path: Path, heard: Any) -> None:
    path = tmp_path / "w.pth"
    torch.save(trained, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(DataError, match="truncated"):
        load(path, heard)


@pytest.mark.parametrize(("kind", "what"), [("JPEG", "a JPEG photo"), ("PNG", "a PNG picture")])
def test_a_picture_is_called_one(kind: str, what: str, tmp_path: Path, heard: Any) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "w.pth", format=kind)
    with pytest.raises(DataError, match=what):
        load(tmp_path / "w.pth", heard)


@pytest.mark.parametrize("content", [b"hello", b"<html><body>404</body></html>", b"\x00" * 64, b"\x80\x02junk"])
def test_junk_is_refused(content: bytes, tmp_path: Path, heard: Any) -> None:
    (tmp_path / "w.pth").write_bytes(content)
    with pytest.raises(DataError, match=r"w\.pth"):
        load(tmp_path / "w.pth", heard)


def test_missing_empty_and_folders_are_named(tmp_path: Path, heard: Any) -> None:
    (tmp_path / "empty.pth").touch()
    for name, problem in (("nothing.pth", "does not exist"), ("empty.pth", "is empty"), ("", "is not a file")):
        with pytest.raises(DataError, match=problem):
            load(tmp_path / name, heard)


def test_a_compressed_archive_is_refused_before_it_is_unpacked(
    trained: dict[str, torch.Tensor], tmp_path: Path, heard: Any
) -> None:
    stored = io.BytesIO()
    torch.save(trained, stored)
    with zipfile.ZipFile(stored) as source, zipfile.ZipFile(tmp_path / "w.pth", "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.namelist():
            target.writestr(entry, source.read(entry))
    with pytest.raises(DataError, match="compressed"):
        load(tmp_path / "w.pth", heard)


def test_a_tensor_larger_than_its_storage_is_refused(tmp_path: Path, heard: Any) -> None:
    torch.save({STEM: torch.zeros(1).expand(1 << 40)}, tmp_path / "w.pth")
    with pytest.raises(DataError, match="repeated"):
        load(tmp_path / "w.pth", heard)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_is_named(value: float, trained: dict[str, torch.Tensor], tmp_path: Path, heard: Any) -> None:
    broken = {**trained, STEM: torch.full_like(trained[STEM], value)}
    torch.save(broken, tmp_path / "w.pth")
    with pytest.raises(DataError, match=f"1 of {len(trained)} tensors hold NaN") as caught:
        load(tmp_path / "w.pth", heard)
    assert caught.value.details == (STEM,)


def test_another_network_is_named(tmp_path: Path, heard: Any) -> None:
    import torchvision

    torch.save(torchvision.models.squeezenet1_1(weights=None).state_dict(), tmp_path / "w.pth")
    with pytest.raises(DataError, match="another network than 'test_resnet'") as caught:
        load(tmp_path / "w.pth", heard)
    assert "are missing" in caught.value.message


def test_a_deeper_network_of_the_same_shapes_is_not_taken_for_ours(tmp_path: Path) -> None:
    import torchvision

    path = tmp_path / "w.pth"
    torch.save(torchvision.models.resnet34(weights=None).state_dict(), path)
    with pytest.raises(DataError, match="belong nowhere") as caught:
        models.build(ModelConfig(family="torchvision", backbone="resnet18", weights=str(path)), 2)
    assert any("not part of it: layer1.2" in line for line in caught.value.details)


def test_a_wider_network_is_named_with_both_shapes(
    trained: dict[str, torch.Tensor], tmp_path: Path, heard: Any
) -> None:
    torch.save({**trained, "bn1.weight": torch.ones(5)}, tmp_path / "w.pth")
    with pytest.raises(DataError) as caught:
        load(tmp_path / "w.pth", heard)
    assert any(line.startswith("bn1.weight: (5,), expected") for line in caught.value.details)


def test_weights_trained_at_another_size_are_interpolated(tmp_path: Path, heard: Any) -> None:
    import timm

    path = tmp_path / "w.pth"
    torch.save(timm.create_model("test_vit").state_dict(), path)
    config = ModelConfig(backbone="test_vit", weights=str(path), input=InputConfig(size=(96, 64)))
    assert models.build(config, 2).preprocess.size_px == (96, 64)


def test_a_network_without_imagenet_weights_says_so() -> None:
    with pytest.raises(UsageError, match="no ImageNet weights"):
        models.build(ModelConfig(backbone="resnet50_mlp"), 2)


@pytest.mark.parametrize("forbid", ["flag", "switch"])
@pytest.mark.parametrize(
    ("family", "backbone", "url", "file_name"),
    [
        (
            "torchvision",
            "squeezenet1_1",
            "https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth",
            "squeezenet1_1-b8a52dc0.pth",
        ),
        (
            "timm",
            "test_resnet",
            "https://huggingface.co/timm/test_resnet.r160_in1k/resolve/main/model.safetensors",
            "timm--test_resnet.r160_in1k--model.safetensors",
        ),
    ],
)
def test_offline_says_which_file_to_put_where(
    forbid: str,
    family: str,
    backbone: str,
    url: str,
    file_name: str,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if forbid == "switch":
        monkeypatch.setenv("VISION_OFFLINE", "1")
    with pytest.raises(MissingPartError) as caught:
        models.build(ModelConfig(family=family, backbone=backbone), 2, offline=forbid == "flag")
    assert caught.value.exit_code == 5
    assert url in (caught.value.hint or "")
    assert str(cache / file_name) in (caught.value.hint or "")
    assert not cache.exists()


def test_the_file_put_there_is_then_used(trained: dict[str, torch.Tensor], cache: Path, heard: Any) -> None:
    cache.mkdir(parents=True)
    safetensors.torch.save_file(trained, cache / "timm--test_resnet.r160_in1k--model.safetensors")
    network = models.build(ModelConfig(backbone="test_resnet"), 2, offline=True, progress=heard)
    assert torch.equal(network.backbone.state_dict()[STEM], trained[STEM])
    assert network.licence == "Apache-2.0"


def test_a_cached_file_with_another_checksum_is_refused(cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "squeezenet1_1-b8a52dc0.pth").write_bytes(b"something else")
    with pytest.raises(DataError, match="SHA-256") as caught:
        models.build(ModelConfig(family="torchvision", backbone="squeezenet1_1"), 2, offline=True)
    assert "Delete it" in (caught.value.hint or "")


@pytest.mark.parametrize("backbone", ["mnasnet0_5", "squeezenet1_1", "shufflenet_v2_x0_5"])
def test_torchvisions_whole_state_fits_its_trunk(backbone: str) -> None:
    import torchvision

    whole = torchvision.models.get_model(backbone, weights=None).state_dict()
    state, dropped = weights.fit(whole, torchvision_trunk(backbone, InputConfig(size=(64, 64))), where="here")
    assert len(state) + len(dropped) == len(whole)
    assert 1 <= len(dropped) <= 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backbone", "old", "new"),
    [
        ("densenet121", ".norm.1.", ".norm1."),
        ("densenet121", ".conv.2.", ".conv2."),
        ("vit_b_32", ".mlp.linear_1.", ".mlp.0."),
        ("vit_b_32", ".mlp.linear_2.", ".mlp.3."),
    ],
)
def test_the_names_in_torchvisions_published_files_are_known(backbone: str, old: str, new: str) -> None:
    import torchvision

    whole = torchvision.models.get_model(backbone, weights=None).state_dict()
    published = {name.replace(new, old): tensor for name, tensor in whole.items()}
    assert set(published) != set(whole)
    state, _ = weights.fit(published, torchvision_trunk(backbone, InputConfig(size=(64, 64))), where="here")
    assert all(torch.equal(state[name], whole[name]) for name in state if "position" not in name and "pos_" not in name)


def test_weights_that_forbid_commerce_are_announced(cache: Path, heard: Any) -> None:
    trunk = timm_trunk("test_resnet", InputConfig())
    source = trunk.source
    assert source is not None
    found = timm_trunk("convnextv2_atto", InputConfig(size=(64, 64)))
    assert found.source is not None
    assert found.source.licence == "CC-BY-NC-4.0"
    cache.mkdir(parents=True)
    torch.save(found.module.state_dict(), found.source.path)
    weights.load(found, "imagenet", offline=True, progress=heard)
    assert "may not be used commercially" in heard.warned[0]


def test_a_safetensors_file_whose_header_begins_like_a_pickle(tmp_path: Path) -> None:
    tensors = {"weight": torch.ones(2)}
    for padding in range(400):
        content = safetensors.torch.save(tensors, {"note": "x" * padding})
        if content[0] == 0x80:
            break
    assert content[0] == 0x80
    (tmp_path / "model.safetensors").write_bytes(content)
    assert torch.equal(checkpoint.read(tmp_path / "model.safetensors")["weight"], torch.ones(2))


@pytest.mark.parametrize(
    ("family", "task", "words"),
    [
        ("timm", "classify", "imagenet, none"),
        ("ssdlite", "detect", "imagenet, none"),
        ("fasterrcnn", "detect", "imagenet, coco, none"),
        ("deeplabv3", "semantic", "imagenet, coco, none"),
        ("yolo", "detect", "coco, none"),
    ],
)
def test_weights_that_are_no_word_and_no_file_name_the_words_of_the_family(family: str, task: str, words: str) -> None:
    config = ModelConfig(family=family, backbone="auto", weights="coko")
    request = PlaceRequest(task=task, classes=ClassMap(("cup",)))  # type: ignore[arg-type]
    with pytest.raises(DataError, match="coko does not exist") as caught:
        models.build(config, 2, offline=True) if task == "classify" else models.build_places(
            config, request, offline=True
        )
    assert f"it is {words}, or the path" in str(caught.value.hint)
    assert str(caught.value.hint).startswith("Did you mean 'coco'?") == ("coco" in words)
