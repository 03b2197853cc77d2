"""The families `yolo` and `yolo-seg`: refusals everywhere; the real Ultralytics where it is installed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from yolo_python import needs_ultralytics

from vision_cli import models
from vision_cli.core import rle
from vision_cli.core.artefact import Card
from vision_cli.core.config import InputConfig, ModelConfig
from vision_cli.core.dataset import ClassMap
from vision_cli.core.decoding.placing import place
from vision_cli.core.decoding.prototypes import counts_of_prototypes
from vision_cli.core.errors import DataError, MissingPartError, UsageError
from vision_cli.core.preprocess import Preprocess
from vision_cli.models import defaults
from vision_cli.models.ultralytics import process, published
from vision_cli.models.ultralytics.network import GraphNetwork
from vision_cli.models.ultralytics.recipe import Recipe

CLASSES = ClassMap(("cat", "Person", "tree"))
SIDE = 96


class Heard:
    """What a build tells."""

    def __init__(self) -> None:
        self.warned: list[str] = []

    def say(self, text: str) -> None:
        pass

    def warn(self, text: str) -> None:
        self.warned.append(text)

    def step(self, *_: Any) -> None:
        pass


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> None:
    """No Ultralytics anywhere, installed or not."""
    monkeypatch.delenv(published.INTERPRETER, raising=False)
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    find = process.require.__globals__["importlib"].util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "ultralytics" else find(name))


@pytest.fixture
def anyone(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter is named, so that what comes before it starts can be tried."""
    monkeypatch.setenv(published.INTERPRETER, sys.executable)


def build(weights: str = "none", family: str = "yolo", heard: Heard | None = None, **named: Any) -> Recipe:
    backbone = named.pop("backbone", "yolo11n" if family == "yolo" else "yolo11n-seg")
    inputs = InputConfig(size=named.pop("size", (SIDE, SIDE)), **named.pop("inputs", {}))
    config = ModelConfig(family=family, backbone=backbone, weights=weights, input=inputs)
    request = models.PlaceRequest("detect" if family == "yolo" else "instance", CLASSES)
    return models.build_places(config, request, offline=True, progress=heard or Heard())  # type: ignore[return-value]


@pytest.mark.parametrize("family", ["yolo", "yolo-seg"])
def test_without_ultralytics_the_extra_is_named(family: str, without: None) -> None:
    with pytest.raises(MissingPartError) as refused:
        build(family=family)
    assert "'ultralytics'" in refused.value.message
    assert refused.value.hint == "pip install 'vision-cli[yolo]'"


def test_an_interpreter_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(published.INTERPRETER, "/nowhere/python")
    with pytest.raises(MissingPartError, match=r"VISION_YOLO_PYTHON is /nowhere/python"):
        build()


def test_an_interpreter_without_ultralytics_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(published.INTERPRETER, sys.executable)
    stand_in = tmp_path / "child.py"
    stand_in.write_text(
        "import json, sys\nsys.stdin.readline()\n"
        'print(json.dumps({"event": "error", "kind": "missing", "text": "No module named \'ultralytics\'"}))\n'
    )
    monkeypatch.setattr(process, "_CHILD", stand_in)
    with pytest.raises(MissingPartError, match="No module named 'ultralytics'"):
        process.run({"work": "graph"}, lambda _: None, family="yolo")


def test_a_child_that_dies_is_an_error_with_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(published.INTERPRETER, sys.executable)
    stand_in = tmp_path / "child.py"
    stand_in.write_text('import os, sys\nsys.stderr.write("the reason\\n")\nsys.stderr.flush()\nos._exit(7)\n')
    monkeypatch.setattr(process, "_CHILD", stand_in)
    with pytest.raises(DataError, match="ended with code 7") as refused:
        process.run({"work": "graph"}, lambda _: None, family="yolo")
    assert refused.value.details == ("the reason",)


def test_the_licence_is_said_and_kept(anyone: None) -> None:
    heard = Heard()
    assert build(heard=heard).licence == "AGPL-3.0"
    assert "AGPL-3.0" in heard.warned[0]
    assert {models.FAMILIES.card(name).licence for name in ("yolo", "yolo-seg")} == {"AGPL-3.0"}


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ({"backbone": "yolo11m-seg"}, "has no network 'yolo11m-seg'"),
        ({"backbone": "/etc/passwd"}, "has no network"),
        ({"size": (96, 64)}, "squares of a multiple of 32"),
        ({"size": (100, 100)}, "squares of a multiple of 32"),
        ({"inputs": {"channels": 1}}, "takes 3, got 1"),
        ({"inputs": {"resize": "crop"}}, "letterboxed"),
        ({"weights": "imagenet"}, "no ImageNet weights"),
    ],
)
def test_what_it_does_not_do_is_refused_before_any_work(anyone: None, named: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        build(**named)


def test_coco_weights_offline_say_where_to_put_them(
    anyone: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISION_CACHE", str(tmp_path))
    with pytest.raises(MissingPartError) as refused:
        build("coco")
    hint = refused.value.hint or ""
    assert "https://github.com/ultralytics/assets/releases/download/v8.4.0/yolo11n.pt" in hint
    assert str(tmp_path / "weights" / "yolo11n.pt") in hint
    assert "weights: none" in hint


def test_coco_is_what_it_begins_with_where_nothing_is_said() -> None:
    assert defaults.resolved(ModelConfig(family="yolo"), "detect").weights == "coco"
    assert defaults.resolved(ModelConfig(family="yolo", weights="none"), "detect").weights == "none"
    assert defaults.resolved(ModelConfig(family="ssdlite"), "detect").weights == "imagenet"


def test_a_recipe_of_its_own_is_not_the_loops(anyone: None) -> None:
    assert build(family="yolo").decode.nms_iou == 0.7
    assert build(backbone="yolo26n").decode.layout == "boxes"
    assert build(family="yolo-seg", backbone="yolo26n-seg").decode.nms_iou == 1.0


def script(text: str, folder: Path, **values: Any) -> dict[str, Any]:
    """Run Ultralytics as it is, in its interpreter: the truth from outside."""
    (folder / "script.py").write_text(text)
    call = [process.interpreter("yolo"), "script.py", json.dumps(values)]
    environment = {"YOLO_CONFIG_DIR": str(folder), "YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "PATH": ""}
    done = subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


MAKE = """
import json, sys, torch
from safetensors.torch import save_file
from ultralytics import YOLO
values = json.loads(sys.argv[1])
torch.manual_seed(0)
model = YOLO(values["backbone"] + ".yaml", verbose=False)
for name, tensor in model.model.state_dict().items():
    if "cv3." in name and name.endswith(".2.weight"): tensor.mul_(60)
    if "cv3." in name and name.endswith(".2.bias"): tensor.copy_(torch.randn(tensor.shape) - 4)
    if "cv4." in name and name.endswith(".2.weight"): tensor.mul_(20)
model.model.names = {index: f"name {index}" for index in range(80)}
model.model.names[0] = "person"
model.save("published.pt")
save_file({name: each.float().contiguous() for name, each in model.model.state_dict().items()}, "state.safetensors")
print(json.dumps({}))
"""

JUDGE = """
import json, sys, numpy as np, torch
from ultralytics.nn.tasks import DetectionModel, SegmentationModel
from ultralytics.utils import ops
from safetensors.torch import load_file
values = json.loads(sys.argv[1])
masks, by_itself = "seg" in values["backbone"], "26" in values["backbone"]
model = (SegmentationModel if masks else DetectionModel)(values["backbone"] + ".yaml", nc=80, verbose=False).eval()
model.load_state_dict(load_file("state.safetensors"))
if by_itself: model.model[-1].end2end = True
with torch.no_grad():
    found = model(torch.from_numpy(np.load("photos.npy")))[0]
rows, prototypes = found if masks else (found, None)
if not by_itself:
    rows = rows.permute(0, 2, 1).clone()
    rows[..., :4] = ops.xywh2xyxy(rows[..., :4])
kept = {"rows": rows.numpy()}
if masks:
    first = rows[0, :40]
    drawn = ops.process_mask(prototypes[0], first[:, -32:], first[:, :4], (96, 96), upsample=True)
    kept |= {"prototypes": prototypes.numpy(), "drawn": drawn.numpy()}
np.savez("kept.npz", **kept)
print(json.dumps({}))
"""


def published_file(tmp_path: Path, backbone: str) -> None:
    script(MAKE, tmp_path, backbone=backbone)


@pytest.mark.slow
@needs_ultralytics
@pytest.mark.parametrize("backbone", ["yolov8n", "yolo26n", "yolo11n-seg", "yolo26n-seg"])
def test_raw_outputs_and_masks_are_those_of_ultralytics(backbone: str, tmp_path: Path) -> None:
    """Its own forward pass and its own drawing of masks, on the same photos."""
    published_file(tmp_path, backbone)
    photos = np.random.default_rng(0).random((2, 3, SIDE, SIDE), dtype=np.float32)
    np.save(tmp_path / "photos.npy", photos)
    script(JUDGE, tmp_path, backbone=backbone)
    expected = dict(np.load(tmp_path / "kept.npz"))
    masked = "seg" in backbone
    preprocess = build_preprocess()
    recipe = Recipe("yolo-seg" if masked else "yolo", backbone, "instance" if masked else "detect", 80, preprocess)
    network = GraphNetwork(recipe, load_file(tmp_path / "state.safetensors"))
    with torch.inference_mode():
        raw = tuple(each.numpy() for each in network(torch.from_numpy(photos)))
    theirs = expected["rows"]
    if masked and "26" in backbone:
        # One row a detection: its one score stands at its class.
        theirs = np.concatenate([theirs[..., :4], np.zeros((*theirs.shape[:2], 80)), theirs[..., 6:]], axis=-1)
        scores, classes = expected["rows"][..., 4], expected["rows"][..., 5].astype(int)
        np.put_along_axis(theirs[..., 4:84], classes[..., None], scores[..., None], axis=-1)
    assert theirs[..., 4:84].max() > 0.01
    # Rows of YOLO26 are ordered by scores that are as good as equal in a network that has learned nothing.
    nearest = np.abs(theirs[0][:, None] - raw[0][0][None]).max(axis=2)
    near = nearest.min(axis=1) < 0.01
    assert near.mean() > (0.9 if "26" in backbone else 0.999)
    assert np.abs(np.sort(raw[0][1][:, 4:].max(axis=1)) - np.sort(theirs[1][:, 4:].max(axis=1))).max() < 1e-3
    if masked:
        assert np.abs(raw[1] - expected["prototypes"]).max() < 1e-3
        first = np.flatnonzero(near[: len(expected["drawn"])])
        same_masks(raw[0][0][nearest.argmin(axis=1)[first]], raw[1][0], expected["drawn"][first])


def same_masks(rows: Any, prototypes: Any, drawn: Any) -> None:
    """Their masks are drawn in the input, ours in a photo of its size; they round where a box ends."""
    boxes = np.clip(rows[:, :4].astype(np.float64), 0, SIDE)
    ours = counts_of_prototypes(rows[:, -32:], prototypes, boxes, place((SIDE, SIDE), build_preprocess()))
    overlaps = []
    for counts, other in zip(ours, drawn > 0, strict=True):
        mask = rle.decode(rle.runs(counts, SIDE, SIDE), SIDE, SIDE)
        if other.sum() > 100:
            overlaps.append((mask & other).sum() / (mask | other).sum())
    assert len(overlaps) > 5
    assert np.median(overlaps) > 0.97
    assert min(overlaps) > 0.85


def build_preprocess() -> Preprocess:
    return Preprocess((SIDE, SIDE), "letterbox", mean=(0.0,) * 3, std=(1.0,) * 3)


@needs_ultralytics
def test_published_weights_come_as_tensors_and_their_classes_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISION_CACHE", str(tmp_path / "cache"))
    published_file(tmp_path, "yolo11n")
    recipe = build(str(tmp_path / "published.pt"))
    assert recipe.kept == ("Person",)
    assert recipe.names[:2] == ("person", "name 1")
    assert recipe.weights is not None
    ours, theirs = load_file(recipe.weights), load_file(tmp_path / "state.safetensors")
    assert set(ours) == set(theirs)
    # Ultralytics keeps its files in half precision.
    assert all(torch.allclose(ours[name], theirs[name], rtol=2e-3, atol=1e-4) for name in theirs)


class Payload:
    """Runs when it is unpickled the usual way."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return Path.touch, (self.target,)


@needs_ultralytics
def test_a_file_that_runs_code_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISION_CACHE", str(tmp_path / "cache"))
    mark = tmp_path / "ran"
    torch.save({"model": {"weight": torch.zeros(2)}, "train_args": Payload(mark)}, tmp_path / "hostile.pt")
    with pytest.raises(DataError, match="only running it would open"):
        build(str(tmp_path / "hostile.pt"))
    assert not mark.exists()
    torch.load(tmp_path / "hostile.pt", weights_only=False)
    assert mark.exists()


@needs_ultralytics
def test_what_is_no_weights_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISION_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cut.pt").write_bytes(b"PK\x03\x04 not much")
    with pytest.raises(DataError, match=r"cut\.pt: no weights that can be read as data"):
        build(str(tmp_path / "cut.pt"))


@needs_ultralytics
def test_tensors_of_another_network_do_not_fit(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    decode = build().decode
    card = Card("detect", CLASSES, build_preprocess(), decode, "yolo", {"backbone": "yolo11n"}, "AGPL-3.0", "t", "")
    with pytest.raises(DataError, match=r"do not fit the network: .*Missing key"):
        models.rebuild(card, load_file(tmp_path / "other.safetensors"))


NETWORK = """
import json, socket, sys
sys.stdin.readline()
import importlib.util
spec = importlib.util.spec_from_file_location("child", sys.argv[0].replace("stand_in", "child"))
child = importlib.util.module_from_spec(spec)
spec.loader.exec_module(child)
sys.addaudithook(child._refuse_network)
refused = []
for attempt in (
    lambda: socket.create_connection(("192.0.2.1", 80), timeout=2),
    lambda: socket.getaddrinfo("example.org", 80),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)),
):
    try:
        attempt()
    except PermissionError as error:
        refused.append(str(error))
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname()).close()
print(json.dumps({"event": "done", "refused": refused}))
"""


def test_the_child_reaches_no_network_but_itself(tmp_path: Path, anyone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "child.py").write_text(process._CHILD.read_text())
    (tmp_path / "stand_in.py").write_text(NETWORK)
    monkeypatch.setattr(process, "_CHILD", tmp_path / "stand_in.py")
    done = process.run({"work": "none"}, lambda _: None, family="yolo")
    assert done["refused"] == ["the network is off in this process"] * 3
