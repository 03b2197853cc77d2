"""The engine of embeddings: real photos, held to the torch network; files, cache, refusals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from embedding_made import Heard, clothes

from vision_cli import models
from vision_cli.core.config import InputConfig, ModelConfig
from vision_cli.core.errors import DataError, UsageError
from vision_cli.imaging import prepare
from vision_cli.stages.embedding import exporting, prepared
from vision_cli.stages.embedding.engine import Engine, EngineOptions, Held, Published, embed_photos, embed_readable
from vision_cli.stages.embedding.sources import Given, key_of

TINY = Published("test_resnet", "none", InputConfig(size=(64, 64)))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache that the tests of this file share: exporting takes seconds."""
    folder = tmp_path_factory.mktemp("cache")
    before = os.environ.get("VISION_CACHE")
    os.environ["VISION_CACHE"] = str(folder)
    yield folder
    os.environ.pop("VISION_CACHE")
    if before is not None:
        os.environ["VISION_CACHE"] = before


def by_torch(network: Any, paths: list[Path], layer: str | None = None) -> Any:
    """Return the vectors of photos by the network itself; of a layer the mean over places."""
    found = []
    module = network.backbone.eval()
    kept: list[Any] = []
    if layer is not None:
        module.get_submodule(layer).register_forward_hook(lambda *what: kept.append(what[2]))
    for path in paths:
        with torch.inference_mode():
            output = module(torch.from_numpy(prepare.load(path, network.preprocess))[None])
        found.append((kept.pop().flatten(2).mean(dim=2) if layer is not None else output)[0].numpy())
    return np.stack(found)


def apart(found: Any, expected: Any) -> float:
    """Return the largest difference in units of the root mean square of what is expected."""
    return float(np.abs(found - expected).max() / np.sqrt((expected**2).mean()))


def test_the_default_backbone_answers_as_torch_does_and_needs_no_torch(shared_data: Path, cache: Path) -> None:
    paths = clothes(shared_data, 3)
    program = """
import json, sys
from pathlib import Path
from vision_cli.core.progress import Silent
from vision_cli.stages.embedding.engine import EngineOptions, embed_photos
photos = [Path(text) for text in json.loads(sys.argv[1])]
found = embed_photos(photos, None, EngineOptions(offline=True), progress=Silent())
import numpy as np
np.save(sys.argv[2], found.vectors)
print(json.dumps([found.runtime, found.computed, "torch" in sys.modules]))
"""
    target = cache / "vectors.npy"
    words = [sys.executable, "-c", program, json.dumps([str(path) for path in paths]), str(target)]
    said = [json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout) for _ in "ab"]
    assert said == [["onnx", len(paths), False], ["onnx", 0, False]]
    network = models.build(ModelConfig(family="timm"), 1, offline=True)
    assert apart(np.load(target), by_torch(network, paths)) < exporting.TOLERANCE


@pytest.fixture(scope="module")
def whole(cache: Path) -> tuple[prepared.Prepared, Heard]:
    """A tiny network that was exported to every format, compared and measured."""
    heard = Heard()
    found, _ = exporting.prepare(TINY, "penultimate", key_of(TINY, "penultimate"), offline=True, progress=heard)
    return found, heard


def test_every_runtime_is_measured_once_and_the_fastest_is_remembered(whole: Any, cache: Path) -> None:
    found, heard = whole
    assert set(found.ms) == {"onnx", "tflite", "torch"}
    assert found.fastest == min(found.ms, key=found.ms.get)
    assert all(gap <= exporting.TOLERANCE for gap in found.differences.values())
    assert any("measured" in text for text in heard.said)
    again = prepared.find(key_of(TINY, "penultimate"))
    assert again == found
    engine = Engine.open(TINY, EngineOptions(offline=True), progress=Heard())
    assert engine.runtime == found.fastest


def test_speeds_of_another_machine_are_not_believed(whole: Any, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "machine", lambda: {"processor": "another"})
    found = prepared.find(key_of(TINY, "penultimate"))
    assert found is not None
    assert not found.ms


def test_each_runtime_gives_torchs_vectors(whole: Any, shared_data: Path, cache: Path) -> None:
    found, paths = whole[0], clothes(shared_data, 2)
    network = TINY.network(offline=True, progress=Heard())
    expected = by_torch(network, paths)
    batch = np.stack([prepare.load(path, found.preprocess) for path in paths])
    for name in ("onnx", "tflite"):
        runner = exporting.opened(found, name)
        assert apart(np.concatenate([runner.run(photo[None]) for photo in batch]), expected) < exporting.TOLERANCE


def test_a_damaged_file_in_the_cache_is_no_answer(whole: Any, cache: Path) -> None:
    found = whole[0]
    path = found.file("onnx")
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    try:
        with pytest.raises(DataError):
            exporting.opened(found, "onnx")
    finally:
        path.write_bytes(content)


def test_vectors_are_kept_by_content_layer_and_network(shared_data: Path, cache: Path, tmp_path: Path) -> None:
    paths, store = clothes(shared_data, 2), tmp_path / "store"

    def run(photos: list[Any], source: Any = None, layer: str = "penultimate") -> Any:
        options = EngineOptions(layer, offline=True, store=store, prepare="if it pays")
        return embed_photos(photos, source, options, progress=Heard())

    first = run(paths)
    assert (first.computed, first.vectors.shape) == (len(paths), (len(paths), 1280))
    again = run(paths)
    assert again.computed == 0
    assert np.array_equal(again.vectors, first.vectors)
    copy = tmp_path / "another name.png"
    copy.write_bytes(paths[1].read_bytes())
    moved = run([copy, Held("in memory", paths[2].read_bytes())])
    assert moved.computed == 0
    assert np.array_equal(moved.vectors, first.vectors[1:3])
    copy.write_bytes(paths[3].read_bytes() + b"\0")
    assert run([copy, copy]).computed == 1
    network = models.build(ModelConfig(family="timm", backbone="test_resnet", weights="none"), 1, offline=True)
    assert run(paths, Given(network)).computed == len(paths)
    other = run(paths, Given(network), "layer1")
    assert other.computed == len(paths)
    assert apart(other.vectors, by_torch(network, paths, "layer1")) < 1e-4


def test_threads_change_no_bit(shared_data: Path, cache: Path, tmp_path: Path) -> None:
    paths = clothes(shared_data, 4)
    found = []
    for threads in (1, 3):
        engine = Engine.open(Published(), EngineOptions(offline=True, threads=threads, keep=False), progress=Heard())
        found.append(engine.embed(paths, Heard()).vectors)
        assert np.array_equal(found[-1][4:6], engine.embed(paths[4:6], Heard()).vectors)
    assert np.array_equal(*found)


def test_photos_that_cannot_be_read_are_refused_by_name(shared_data: Path, cache: Path, tmp_path: Path) -> None:
    good, broken, gone = clothes(shared_data, 1)[0], tmp_path / "broken.jpg", tmp_path / "gone.jpg"
    broken.write_bytes(good.read_bytes()[:500])
    options = EngineOptions(offline=True, store=tmp_path)
    found = embed_readable([broken, good, gone, Held("shots.zip/x.jpg", b"text")], None, options, progress=Heard())
    assert found.kept == (1,)
    assert len(found.vectors) == 1
    assert [at for at, _ in found.refused] == [0, 2, 3]
    names = ("broken.jpg", "gone.jpg", "shots.zip/x.jpg")
    assert all(name in reason for name, (_, reason) in zip(names, found.refused, strict=True))
    with pytest.raises(DataError, match="1 of 2 photos") as caught:
        embed_photos([good, broken], None, options, progress=Heard())
    assert "broken.jpg" in caught.value.details[0]


def test_a_wrong_layer_shows_those_that_there_are(cache: Path) -> None:
    with pytest.raises(UsageError, match="no layer 'layer9'") as caught:
        Engine.open(TINY, EngineOptions("layer9", offline=True), progress=Heard())
    assert {"layer1", "layer4", "penultimate"} <= set(caught.value.details)
    assert "layer" in (caught.value.hint or "")
